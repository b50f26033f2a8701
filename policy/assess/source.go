package assess

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/policy/limiteduse"
)

// Source is what the source and a run of its tests give, gathered by `make assess`. What is zero was not run, and the
// pack says so.
type Source struct {
	At      time.Time
	Module  string   // path of the Go module
	Commit  string   // and whether anything was changed since
	Results *Results // of this run
	Repo    fs.FS    // the tree, for secrets
	Files   []string // of Repo, under version control

	Build    *debug.BuildInfo // of the program
	Lock     []byte           // package-lock.json of the page
	Packages []byte           // `go list -json` of the module, object after object
	Scan     []byte           // what govulncheck said, its exit status in the first line

	Drills []Drill
	Walks  []Walk
}

// Drill is what a test did to a whole running product, in its own record. How it ended is not in the record: that is
// for the results of the run to say.
type Drill struct {
	ID      string     `json:"id"`
	Title   string     `json:"title"`
	Test    string     `json:"test"` // that wrote it, named as in the clause registry
	At      time.Time  `json:"at"`
	Says    string     `json:"says"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
	Form    string     `json:"form,omitempty"` // for people to complete
}

// Walk is a way through the product in a browser, with the screens that it saw.
type Walk struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Test     string    `json:"test"`
	At       time.Time `json:"at"`
	Says     string    `json:"says"`
	Pictures []struct {
		File    string    `json:"file"` // beside the record
		Caption string    `json:"caption"`
		At      time.Time `json:"at"`
	} `json:"pictures"`
	Images map[string][]byte `json:"-"` // by File
}

func (d Drill) item(r *Results) Item {
	i := Item{ID: d.ID, Title: d.Title, Status: r.Of(d.Test), Says: d.Says, From: "the record of " + d.Test, At: d.At, Columns: d.Columns, Rows: d.Rows}
	if d.Form != "" {
		i.Details = []Detail{{Title: "For people to complete", Text: d.Form}}
	}
	return i
}

// item puts the screens of a walk into the pack.
func (w Walk) item(p *Pack, r *Results) (Item, error) {
	i := Item{ID: w.ID, Title: w.Title, Status: r.Of(w.Test), Says: w.Says, From: "a browser at the demo, driven by " + w.Test, At: w.At}
	for n, picture := range w.Pictures {
		image, ok := w.Images[picture.File]
		if !ok {
			return i, fmt.Errorf("assess: walk %s has no picture %s", w.ID, picture.File)
		}
		file := fmt.Sprintf("screens/%s-%02d.png", w.ID, n+1)
		if err := p.Add(file, image); err != nil {
			return i, err
		}
		i.Pictures = append(i.Pictures, Picture{File: file, Caption: picture.Caption, SHA256: digest(image), At: picture.At})
	}
	return i, nil
}

// missing stands for a drill or walk of which this run has no record.
func missing(id, title, how string, at time.Time) Item {
	return Item{ID: id, Title: title, Status: NotRun, Says: "This run has no record of it. " + how, From: "nothing", At: at}
}

// expected are the records that a whole run has.
var expected = []struct{ section, id, title string }{
	{"running", "fail-closed", "The log cannot be written"},
	{"people", "access", "Human access: asked, refused, granted, seen, taken back"},
	{"people", "disclosures", "Screens of the disclosures"},
	{"leaving", "deletion", "An account is deleted"},
	{"incident", "incident", "Incident drill"},
}

// records are the items of the run's drills and walks in one section.
func (s Source) records(p *Pack, section string) ([]Item, error) {
	var items []Item
	for _, e := range expected {
		if e.section != section {
			continue
		}
		found := false
		for _, d := range s.Drills {
			if d.ID == e.id {
				items, found = append(items, d.item(s.Results)), true
			}
		}
		for _, w := range s.Walks {
			if w.ID == e.id {
				i, err := w.item(p, s.Results)
				if err != nil {
					return nil, err
				}
				items, found = append(items, i), true
			}
		}
		if !found {
			items = append(items, missing(e.id, e.title, "`make assess` makes one.", s.At))
		}
	}
	return items, nil
}

// rooms is the test that holds the import graph.
const roomsTest = "internal/rooms: TestForbiddenImports"

// importsItem shows who imports whom within the product, and how the test that forbids ended.
func (s Source) importsItem() Item {
	i := Item{ID: "imports", Title: "One way to the mail: the import graph", Status: s.Results.Of(roomsTest), From: "go list, and " + roomsTest, At: s.At, Columns: []string{"Package", "Imports of the product's own"}}
	if len(s.Packages) == 0 {
		i.Status, i.Says = NotRun, "The packages were not listed."
		return i
	}
	importers := []string{}
	for dec := json.NewDecoder(strings.NewReader(string(s.Packages))); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			i.Status, i.Says = NotRun, "The list of packages is damaged."
			return i
		}
		own := func(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, s.Module), "/") }
		var list []string
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, s.Module) {
				list = append(list, own(imported))
			}
			if imported == "google.golang.org/api/gmail/v1" {
				importers = append(importers, own(p.ImportPath))
			}
		}
		i.Rows = append(i.Rows, []string{own(p.ImportPath), strings.Join(list, ", ")})
	}
	i.Says = fmt.Sprintf("%d packages. Google's Gmail client is imported by: %s.", len(i.Rows), strings.Join(importers, ", "))
	if !slices.Equal(importers, []string{"inbox/internal/gmail"}) {
		i.Status = Failed
	}
	return i
}

// vulnerabilitiesItem reads what govulncheck said: exit status 0 is nothing found, 3 is something found, and anything
// else is that it could not look.
func (s Source) vulnerabilitiesItem(p *Pack) (Item, error) {
	i := Item{ID: "vulnerabilities", Title: "Known vulnerabilities", From: "govulncheck", At: s.At, Status: NotRun, Says: "The scan was not run."}
	if len(s.Scan) == 0 {
		return i, nil
	}
	status, said, _ := strings.Cut(string(s.Scan), "\n")
	switch strings.TrimSpace(status) {
	case "0":
		i.Status, i.Says = Passed, "No known vulnerability is in code that the program calls. Packages of the page are not covered by it."
	case "3":
		i.Status, i.Says = Failed, "There are known vulnerabilities; the file says which."
	default:
		i.Says = "Not run: the vulnerability database was not within reach."
		return i, nil // what it printed is about the machine
	}
	i.Files = []string{"source/vulnerabilities.txt"}
	return i, p.Add(i.Files[0], []byte(said))
}

func (s Source) sbomItem(p *Pack) (Item, error) {
	i := Item{ID: "sbom", Title: "Bill of materials", From: "the build information in the program, and package-lock.json", At: s.At, Status: NotRun, Says: "The program has no build information."}
	if s.Build == nil {
		return i, nil
	}
	bill, modules, packages, err := SBOM(s.Build, s.Lock, s.At)
	if err != nil {
		return i, err
	}
	i.Status, i.Says, i.Files = Shown, fmt.Sprintf("CycloneDX 1.6: %d Go modules linked into the program, %d packages of the page and of what builds it.", modules, packages), []string{"source/sbom.cdx.json"}
	if s.Lock == nil {
		i.Says += " The page's packages are missing: no lock file was given."
	}
	return i, p.Add(i.Files[0], bill)
}

// Compose adds what the source shows to the pack, joined with what the surface declares.
func (s Source) compose(p *Pack, surface Surface, clauses []limiteduse.Clause) error {
	bill, err := s.sbomItem(p)
	if err != nil {
		return err
	}
	scan, err := s.vulnerabilitiesItem(p)
	if err != nil {
		return err
	}
	ciphers, err := ReadCrypto()
	if err != nil {
		return err
	}
	requirements, err := ReadRequirements()
	if err != nil {
		return err
	}
	run, secrets, crypto, imports := s.Results.item(), secretsItem(s.Repo, s.Files, s.At), cryptoItem(ciphers, s.Results, s.At), s.importsItem()
	if s.Results != nil {
		text, err := json.MarshalIndent(s.Results, "", " ")
		if err != nil {
			return err
		}
		run.Files = []string{"source/tests.json"}
		if err := p.Add(run.Files[0], text); err != nil {
			return err
		}
	}
	for name, text := range limiteduse.Modules() {
		if err := p.Add("policy/"+name, []byte(text)); err != nil {
			return err
		}
	}
	if err := p.Add("policy/data.json", []byte(limiteduse.DataText())); err != nil {
		return err
	}
	commit := Item{ID: "commit", Title: "Which source", Status: NotRun, Says: "No source tree was given: what follows is about the program alone.", From: "git", At: s.At}
	if s.Commit != "" {
		commit.Status, commit.Says = Shown, s.Commit
	}
	checks := map[string]Status{"sbom": bill.Status, "vulnerabilities": scan.Status, "secrets": secrets.Status, "crypto": crypto.Status, "imports": imports.Status}
	p.Sections = append(p.Sections,
		Section{ID: "rulebook", Title: "Clauses and rules", About: "Each clause of the promise and of Google's policies, the rule that keeps it, and how its tests ended in this run.", Items: []Item{clausesItem(clauses, s.Results, s.At), rulesItem(clauses, limiteduse.Modules(), s.At)}})
	p.Sections = append(p.Sections, surface.sections(s.At)...)
	p.Sections = append(p.Sections,
		Section{ID: "source", Title: "Source and tests", About: "What the source shows by itself.", Items: []Item{commit, run, imports, secrets, crypto, bill, scan}},
		Section{ID: "security", Title: "CASA", About: "The requirements of the App Defense Alliance's Cloud Application Security Assessment, and what this run says to each.", Items: []Item{casaItem(requirements, s.Results, checks, s.At), dastItem(s.At), tlsItem(s.At)}},
	)
	return nil
}

// dastItem and tlsItem are the slots for reports that only others can write.
func dastItem(at time.Time) Item {
	return Item{ID: "dast", Title: "Dynamic scan (DAST)", Status: Lab, Says: "Google's programme wants an authenticated scan by the laboratory itself. This product makes none; put the laboratory's report here.", From: "nothing", At: at}
}

func tlsItem(at time.Time) Item {
	return Item{ID: "tls", Title: "TLS report", Status: Lab, Says: "TLS to browsers ends at the proxy in front of a deployment. A report of that host (Qualys SSL Labs, say) belongs here.", From: "nothing", At: at}
}
