package limiteduse_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/totalengage/webmail/policy/limiteduse"
)

// The registry names rules, symbols, tests and pages. These tests look each of them up in the sources, so that a row
// cannot outlive what keeps it.

// root is the repository, seen from this folder.
const root = "../.."

func registry(t *testing.T) []limiteduse.Clause {
	t.Helper()
	clauses, err := limiteduse.ReadClauses()
	if err != nil {
		t.Fatal(err)
	}
	return clauses
}

func source(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// folder is the text of the Go files of one folder, tests or the others.
func folder(t *testing.T, dir string, tests bool) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") != tests {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
		all.WriteByte('\n')
	}
	return all.String()
}

// notAdopted are the exceptions of Google's text that the company's own promise leaves out.
var notAdopted = []string{"LU-HUM-3", "LU-HUM-4", "LU-XFER-2", "LU-XFER-3", "LU-XFER-4"}

// byPeople are the clauses that no program can keep.
var byPeople = []string{"APP-1", "INT-1", "PRV-REC", "SEC-3", "SEC-4"}

// TestClauses: every row is whole, and every clause is kept by something, tested and seen, or says why not.
func TestClauses(t *testing.T) {
	clauses := registry(t)
	var left, people []string
	seen := map[string]bool{}
	for _, c := range clauses {
		if c.ID == "" || seen[c.ID] || c.Says == "" || len(c.Sources) == 0 || !slices.Contains([]string{"P", "S", "K", "R"}, c.Grade) {
			t.Errorf("%s is there twice or incomplete: %+v", c.ID, c)
		}
		seen[c.ID] = true
		for _, s := range c.Sources {
			if s.Title == "" || s.Version == "" {
				t.Errorf("%s: source %+v has no title or version", c.ID, s)
			}
		}
		if !c.Adopted {
			left = append(left, c.ID)
		}
		if (c.Why == "") != c.Adopted {
			t.Errorf("%s: adopted %v, because %q", c.ID, c.Adopted, c.Why)
		}
		if c.ByPeople() {
			people = append(people, c.ID)
			if c.Left == "" || len(c.Tests) != 0 {
				t.Errorf("%s is kept by people, and the row does not say how, or names tests", c.ID)
			}
			continue
		}
		if len(c.Tests) == 0 {
			t.Errorf("%s has no test", c.ID)
		}
		if len(c.Screens) == 0 {
			t.Errorf("%s can be seen nowhere", c.ID)
		}
	}
	slices.Sort(left)
	slices.Sort(people)
	if !slices.Equal(left, notAdopted) || !slices.Equal(people, byPeople) {
		t.Errorf("not adopted %v, want %v; kept by people %v, want %v", left, notAdopted, people, byPeople)
	}
	if len(clauses) != 52 {
		t.Errorf("%d clauses, want 52", len(clauses))
	}
}

// TestClausesHaveTheirRules: a row names the rules whose metadata name it, no more and no less.
func TestClausesHaveTheirRules(t *testing.T) {
	want := map[string][]string{}
	for name, text := range limiteduse.Modules() {
		module, err := ast.ParseModuleWithOpts(name, text, ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range module.Annotations {
			list, _ := a.Custom["clauses"].([]any)
			for _, c := range list {
				rule := strings.TrimPrefix(a.GetTargetPath().String(), "data.")
				if !slices.Contains(want[c.(string)], rule) {
					want[c.(string)] = append(want[c.(string)], rule)
				}
			}
		}
	}
	for _, c := range registry(t) {
		slices.Sort(want[c.ID])
		if !slices.Equal(c.Rules, want[c.ID]) {
			t.Errorf("%s: the registry has rules %v, the metadata name it at %v", c.ID, c.Rules, want[c.ID])
		}
		delete(want, c.ID)
	}
	for id, rules := range want {
		t.Errorf("%v name %s, which is no clause", rules, id)
	}
}

// TestCasesAreOfClauses: what every policy must refuse or allow is about a clause of the registry.
func TestCasesAreOfClauses(t *testing.T) {
	cases, err := limiteduse.ReadCases()
	if err != nil {
		t.Fatal(err)
	}
	clauses := registry(t)
	for _, c := range append(cases.Deny, cases.Allow...) {
		if !slices.ContainsFunc(clauses, func(r limiteduse.Clause) bool { return r.ID == c.Clause }) {
			t.Errorf("case %s is about %s, which is no clause", c.ID, c.Clause)
		}
	}
}

// TestMechanismsExist finds every symbol that a row names where it is declared.
func TestMechanismsExist(t *testing.T) {
	for _, c := range registry(t) {
		for _, m := range c.Mechanisms {
			slash := strings.LastIndex(m, "/") + 1
			dot := slash + strings.Index(m[slash:], ".")
			dir, symbol := m[:dot], m[dot+1:]
			declared := `(?m)^(type |var |const |func |\t)` + regexp.QuoteMeta(symbol) + `\b`
			if on, method, ok := strings.Cut(symbol, "."); ok {
				declared = `(?m)^func \(\w+ \*?` + regexp.QuoteMeta(on) + `\) ` + regexp.QuoteMeta(method) + `\(`
			}
			if !regexp.MustCompile(declared).MatchString(folder(t, dir, false)) {
				t.Errorf("%s: there is no %s in %s", c.ID, symbol, dir)
			}
		}
	}
}

// TestNamedTestsExist finds every test that a row names.
func TestNamedTestsExist(t *testing.T) {
	for _, c := range registry(t) {
		for _, name := range c.Tests {
			where, test, ok := strings.Cut(name, ": ")
			found := false
			switch {
			case !ok:
			case strings.HasSuffix(where, ".rego"):
				found = regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(test) + ` if\b`).MatchString(source(t, where))
			case strings.HasSuffix(where, ".spec.ts"):
				found = strings.Contains(source(t, where), "test('"+test+"'")
			default:
				found = strings.Contains(folder(t, where, true), "\nfunc "+test+"(t *testing.T)")
			}
			if !found {
				t.Errorf("%s: there is no test %q", c.ID, name)
			}
		}
	}
}

// TestScreensExist finds every page that a row names: among the server's public pages, the sections of the settings, the
// tabs of the staff page, or the page's own addresses.
func TestScreensExist(t *testing.T) {
	signin, sections, tabs, routes := source(t, "frontend/signin/signin.go"), source(t, "frontend/ui/src/lib/settings/sections.ts"), source(t, "frontend/ui/src/lib/staff/tabs.ts"), source(t, "frontend/ui/src/lib/state/routes.ts")
	for _, c := range registry(t) {
		for _, path := range c.Screens {
			found := regexp.MustCompile(`= "` + regexp.QuoteMeta(path) + `["/]`).MatchString(signin)
			if id, ok := strings.CutPrefix(path, "/settings/"); ok {
				found = strings.Contains(sections, "id: '"+id+"'")
			}
			if id, ok := strings.CutPrefix(path, "/staff/"); ok {
				found = strings.Contains(tabs, "id: '"+id+"'")
			}
			if path == "/audit" {
				found = strings.Contains(routes, "return '/audit'")
			}
			if !found {
				t.Errorf("%s: there is no page %s", c.ID, path)
			}
		}
	}
}

// routeRow is a row of a table of routes in Go: who may enter, the purpose and the feature.
var routeRow = regexp.MustCompile(`\{"(?:GET|POST|PUT|DELETE)", "([^"]+)", (?:(owner|staff|auditor|anyone), )?"([a-z_.]*)", "([a-z_]*)",`)

// jobs are the features that work without a route, and the file that does.
var jobs = map[string]string{"aggregate_release": "policy/aggregate/service.go"}

// TestEveryFeatureIsUsed: each feature of the tables has a route or a job, and each route's feature is in the tables,
// with the route's purpose and for whom the route is.
func TestEveryFeatureIsUsed(t *testing.T) {
	d := tables(t)
	used := map[string]bool{}
	for file, caller := range map[string]string{"frontend/routes.go": "", "frontend/platform/uses.go": "service"} {
		rows := routeRow.FindAllStringSubmatch(source(t, file), -1)
		for _, row := range rows {
			path, who, purpose, feature := row[1], row[2], row[3], row[4]
			if who == "" {
				who = caller
			}
			if feature == "" {
				if purpose != "" {
					t.Errorf("%s: purpose %s without a feature", path, purpose)
				}
				continue
			}
			f, ok := d.Features[feature]
			if !ok || f.Purpose != purpose || !f.Actors[who] {
				t.Errorf("%s: feature %s for %s by %s is not in the tables", path, feature, purpose, who)
			}
			used[feature] = true
		}
		if len(rows) == 0 {
			t.Errorf("%s: no routes were found", file)
		}
	}
	for feature, file := range jobs {
		if !strings.Contains(source(t, file), `"`+feature+`"`) || used[feature] {
			t.Errorf("%s does no %s, or a route does it as well", file, feature)
		}
		used[feature] = true
	}
	for name := range d.Features {
		if !used[name] {
			t.Errorf("no route and no job uses the feature %s", name)
		}
	}
}

// gmailRoute is a row of the Gmail client's table of what it can call.
var gmailRoute = regexp.MustCompile(`\{verb: "[A-Z]+", pattern: "[^"]+", operation: "([^"]+)"`)

// TestEveryOperationIsCalled: the tables list what the Gmail client can call, and nothing else of Gmail's; what is the
// product's own is done by the product.
func TestEveryOperationIsCalled(t *testing.T) {
	var can, listed []string
	for _, row := range gmailRoute.FindAllStringSubmatch(source(t, "inbox/internal/gmail/target.go"), -1) {
		can = append(can, row[1])
	}
	var own strings.Builder
	for _, dir := range []string{"inbox", "frontend", "policy/aggregate"} {
		own.WriteString(folder(t, dir, false))
	}
	for name, o := range tables(t).Operations {
		if o.API == "gmail" {
			listed = append(listed, name)
		} else if !strings.Contains(own.String(), `"`+name+`"`) {
			t.Errorf("nothing does %s", name)
		}
	}
	slices.Sort(can)
	slices.Sort(listed)
	if len(can) == 0 || !slices.Equal(can, listed) {
		t.Errorf("the client can call %v, the tables list %v", can, listed)
	}
}

// TestRecipientsAreReached: to each recipient of the register goes something in code, but to the push service, which
// waits for its feature; and code names no recipient that the register lacks.
func TestRecipientsAreReached(t *testing.T) {
	var code strings.Builder
	for _, dir := range []string{"inbox", "frontend", "frontend/platform", "policy/consent", "cmd/webmail"} {
		code.WriteString(folder(t, dir, false))
	}
	d := tables(t)
	for name := range d.Recipients {
		if reached := strings.Contains(code.String(), `"`+name+`"`); reached != (name != "push_service") {
			t.Errorf("recipient %s: named in code %v", name, reached)
		}
	}
	for _, row := range regexp.MustCompile(`Recipient: +"([^"]*)"`).FindAllStringSubmatch(code.String(), -1) {
		if _, ok := d.Recipients[row[1]]; !ok {
			t.Errorf("code names the recipient %q, which the register lacks", row[1])
		}
	}
}

const (
	everything = "https://mail.google.com/"
	modify     = "https://www.googleapis.com/auth/gmail.modify"
)

// TestSmallestScope: one scope covers what the features need, no narrower one does, and it is the one that is asked.
// The one that is wider is never asked (MIN-1).
func TestSmallestScope(t *testing.T) {
	d := tables(t)
	scopes := map[string]int{}
	calls := 0
	for name, o := range d.Operations {
		if o.API != "gmail" {
			continue
		}
		calls++
		for s := range o.Scopes {
			scopes[s]++
		}
		if !o.Scopes[modify] {
			t.Errorf("%s is not covered by %s", name, modify)
		}
	}
	for scope, n := range scopes {
		if n == calls && scope != modify && scope != everything {
			t.Errorf("%s would suffice", scope)
		}
	}
	if calls == 0 || scopes[everything] != calls {
		t.Errorf("%s covers %d of %d", everything, scopes[everything], calls)
	}
	if !strings.Contains(source(t, "oauth/owners.go"), `"`+modify+`"`) {
		t.Errorf("%s is not what is asked", modify)
	}
	asked := regexp.MustCompile(`https://mail\.google\.com/|auth/gmail\.[a-z.]+`)
	found := 0
	visit := func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if name == "node_modules" || name == "emulator" {
				return filepath.SkipDir // the emulators know what Google knows
			}
			return nil
		}
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, scope := range asked.FindAllString(string(text), -1) {
			if found++; scope != "auth/gmail.modify" {
				t.Errorf("%s names %s", path, scope)
			}
		}
		return err
	}
	for _, room := range []string{"cmd", "frontend", "inbox", "oauth"} { // where a request to Google could be made
		if err := filepath.WalkDir(filepath.Join(root, room), visit); err != nil {
			t.Fatal(err)
		}
	}
	if found == 0 {
		t.Error("no scope was found in the program")
	}
}

// TestNotForChildren: CHILD-1 is said where everybody reads it.
func TestNotForChildren(t *testing.T) {
	if !strings.Contains(source(t, "frontend/signin/pages/privacy.html"), "not for people under 16") {
		t.Error("the privacy page does not say for whom the product is not")
	}
}
