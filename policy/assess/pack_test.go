package assess_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy/assess"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/limiteduse"
)

const origin = "test.example/decisions"

// bench is a log with some events in it, and all that a pack is assembled from.
type bench struct {
	t      *testing.T
	log    *decisionlog.Log
	key    string // file of the log's key
	config assess.Config
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{t: t, key: filepath.Join(dir, "log.key")}
	db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(dir, "log.db"))
	b.must(err)
	t.Cleanup(func() { _ = db.Close() })
	signer, verifier, err := decisionlog.LoadOrCreateKey(b.key, origin)
	b.must(err)
	b.log, err = decisionlog.Open(t.Context(), db, decisionlog.Config{Origin: origin, Signer: signer, Verifier: verifier})
	b.must(err)
	t.Cleanup(func() { _ = b.log.Close() })
	tables, err := limiteduse.ReadTables()
	b.must(err)
	clauses, err := limiteduse.ReadClauses()
	b.must(err)
	b.config = assess.Config{
		Made: time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC), Name: origin, Log: b.log, Clauses: clauses,
		Surface: assess.Surface{Tables: tables, Scopes: []string{"https://www.googleapis.com/auth/gmail.modify"}, Routes: []assess.Route{{Method: "GET", Path: "/api/threads", Who: "owner", Purpose: "inbox.read", Feature: "thread_list"}}},
	}
	b.happens("system.started", `{"version":"v1","weaknesses":"no-witness","destinations":"https://gmail.googleapis.com https://accounts.google.com"}`)
	b.happens("retention.run", `{"complete":"true","sessions":"3"}`)
	b.decides("thread_view", true, "owner_at_page", "LU-USE-1")
	b.decides("agreed_view", false, "", "LU-HUM-1")
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) happens(event, details string) {
	b.t.Helper()
	_, err := b.log.Append(b.t.Context(), decisionlog.Entry{
		Kind: decisionlog.Lifecycle, Ref: decisionlog.NoRef, Operation: event,
		Body: fmt.Appendf(nil, `{"kind":"lifecycle","event":%q,"timestamp":"2026-11-24T00:00:00Z","details":%s}`, event, details),
	})
	b.must(err)
}

func (b *bench) decides(feature string, allowed bool, basis, clause string) {
	b.t.Helper()
	_, err := b.log.Append(b.t.Context(), decisionlog.Entry{
		Kind: decisionlog.Decision, Ref: decisionlog.NoRef, DecisionID: feature + basis, ActorKind: "owner", Feature: feature, Basis: basis, Allowed: allowed,
		Clauses: []string{clause}, Body: fmt.Appendf(nil, `{"decision_id":%q}`, feature+basis),
	})
	b.must(err)
}

// write assembles the pack and lays it down.
func (b *bench) write() (dir string, p *assess.Pack) {
	b.t.Helper()
	p, checkpoint, tree, err := assess.Assemble(b.t.Context(), b.config)
	b.must(err)
	signer, _, err := decisionlog.LoadOrCreateKey(b.key, origin)
	b.must(err)
	public := b.public()
	dir = filepath.Join(b.t.TempDir(), "pack")
	b.must(p.Write(dir, assess.Sealing{Signer: signer, PublicKey: public, LogKey: public, Checkpoint: checkpoint, Tree: tree}))
	return dir, p
}

func (b *bench) public() string {
	b.t.Helper()
	text, err := os.ReadFile(b.key + ".pub")
	b.must(err)
	return strings.TrimSpace(string(text))
}

func (b *bench) verifier() note.Verifier {
	b.t.Helper()
	v, err := note.NewVerifier(b.public())
	b.must(err)
	return v
}

// item finds an item by its id.
func item(t *testing.T, p *assess.Pack, id string) assess.Item {
	t.Helper()
	for _, s := range p.Sections {
		for _, i := range s.Items {
			if i.ID == id {
				return i
			}
		}
	}
	t.Fatalf("the pack has no item %s", id)
	return assess.Item{}
}

// results reads a made-up run of tests.
func results(t *testing.T, lines ...string) *assess.Results {
	t.Helper()
	r, err := assess.ReadResults(strings.NewReader(strings.Join(lines, "\n")), "example.org/x")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ended(folder, test, how string) string {
	return fmt.Sprintf(`{"Time":"2026-11-24T00:00:00Z","Action":%q,"Package":"example.org/x/%s","Test":%q}`, how, folder, test)
}

// TestPackVerifies: what was written verifies, as a directory and as an archive, and twice the same archive.
func TestPackVerifies(t *testing.T) {
	b := newBench(t)
	dir, _ := b.write()
	report, err := assess.Verify(os.DirFS(dir), b.verifier())
	if err != nil {
		t.Fatal(err)
	}
	if report.Tree.N != 4 || report.Proofs != 2 || report.Files < 10 || report.OwnKey || report.Log != origin {
		t.Errorf("verified %+v", report)
	}
	var first, second bytes.Buffer
	b.must(assess.Zip(&first, os.DirFS(dir)))
	b.must(assess.Zip(&second, os.DirFS(dir)))
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same pack gives two archives")
	}
	archive, err := zip.NewReader(bytes.NewReader(first.Bytes()), int64(first.Len()))
	b.must(err)
	if _, err := assess.Verify(archive, b.verifier()); err != nil {
		t.Errorf("the archive: %v", err)
	}
	if report, err := assess.Verify(os.DirFS(dir)); err != nil || !report.OwnKey {
		t.Errorf("with its own key: %+v, %v", report, err)
	}
	// The log grows on; the pack stays what it was.
	b.decides("search", true, "owner_at_page", "LU-USE-1")
	if _, err := assess.Verify(os.DirFS(dir), b.verifier()); err != nil {
		t.Errorf("after the log has grown: %v", err)
	}
}

// TestDamagedPack: whatever is done to a pack is named.
func TestDamagedPack(t *testing.T) {
	b := newBench(t)
	dir, _ := b.write()
	whole := fstest.MapFS{}
	b.must(fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, path))
		whole[path] = &fstest.MapFile{Data: content, Mode: 0o644}
		return err
	}))
	if _, err := assess.Verify(whole, b.verifier()); err != nil {
		t.Fatal(err)
	}
	other, _, err := note.GenerateKey(rand.Reader, "another.example")
	b.must(err)
	otherSigner, err := note.NewSigner(other)
	b.must(err)
	change := func(path string, f func([]byte) []byte) func(fstest.MapFS) {
		return func(m fstest.MapFS) { m[path] = &fstest.MapFile{Data: f(bytes.Clone(m[path].Data)), Mode: 0o644} }
	}
	for name, c := range map[string]struct {
		do   func(fstest.MapFS)
		want string
	}{
		"a byte of the page":      {change(assess.PageFile, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), "index.html was changed"},
		"a page that is longer":   {change(assess.PageFile, func(b []byte) []byte { return append(b, ' ') }), "index.html was changed"},
		"an empty data file":      {change(assess.DataFile, func([]byte) []byte { return nil }), "assessment.json was changed"},
		"a file taken away":       {func(m fstest.MapFS) { delete(m, assess.DataFile) }, "assessment.json is missing"},
		"a file put in":           {func(m fstest.MapFS) { m["more.txt"] = &fstest.MapFile{Data: []byte("x")} }, "more.txt is not in the manifest"},
		"a link":                  {func(m fstest.MapFS) { m[assess.PageFile] = &fstest.MapFile{Data: []byte("x"), Mode: fs.ModeSymlink} }, "index.html is not a plain file"},
		"no manifest":             {func(m fstest.MapFS) { delete(m, assess.ManifestFile) }, "no manifest.note"},
		"a cut manifest":          {change(assess.ManifestFile, func(b []byte) []byte { return b[:len(b)/2] }), "signature of its manifest"},
		"a changed manifest":      {change(assess.ManifestFile, func(b []byte) []byte { return bytes.Replace(b, []byte("size 4"), []byte("size 5"), 1) }), "signature of its manifest"},
		"an empty manifest":       {change(assess.ManifestFile, func([]byte) []byte { return nil }), "signature of its manifest"},
		"a manifest of ten MB":    {change(assess.ManifestFile, func(b []byte) []byte { return bytes.Repeat(b, 10<<20/len(b)) }), "too large"},
		"signed by somebody else": {change(assess.ManifestFile, func(b []byte) []byte { return signed(t, textOf(b), otherSigner) }), "none of the keys"},
		"a checkpoint in its place": {func(m fstest.MapFS) { m[assess.ManifestFile] = &fstest.MapFile{Data: m[assess.CheckpointFile].Data} },
			"does not begin as a manifest does"},
	} {
		damaged := fstest.MapFS{}
		for path, file := range whole {
			damaged[path] = file
		}
		c.do(damaged)
		_, err := assess.Verify(damaged, b.verifier())
		if bad := (*assess.BadPack)(nil); !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestWrongKey: a whole and well-signed pack of somebody else's is refused by who gives the right key.
func TestWrongKey(t *testing.T) {
	mine, theirs := newBench(t), newBench(t)
	dir, _ := theirs.write()
	_, err := assess.Verify(os.DirFS(dir), mine.verifier())
	if bad := (*assess.BadPack)(nil); !errors.As(err, &bad) {
		t.Errorf("got %v, want a BadPack", err)
	}
}

// TestForeignLog: an operator who signs a manifest over a proof or checkpoint of another log is found out.
func TestForeignLog(t *testing.T) {
	b, other := newBench(t), newBench(t)
	other.decides("search", true, "owner_at_page", "LU-USE-1")
	p, checkpoint, tree, err := assess.Assemble(t.Context(), b.config)
	b.must(err)
	_, foreign, foreignTree, err := assess.Assemble(t.Context(), other.config)
	b.must(err)
	signer, _, err := decisionlog.LoadOrCreateKey(b.key, origin)
	b.must(err)
	dir := filepath.Join(t.TempDir(), "pack")
	b.must(p.Write(dir, assess.Sealing{Signer: signer, PublicKey: b.public(), LogKey: b.public(), Checkpoint: foreign, Tree: tree}))
	if _, err := assess.Verify(os.DirFS(dir), b.verifier()); err == nil || !strings.Contains(err.Error(), "checkpoint") {
		t.Errorf("a checkpoint of another log: %v", err)
	}
	p, _, _, err = assess.Assemble(t.Context(), b.config)
	b.must(err)
	dir = filepath.Join(t.TempDir(), "pack")
	b.must(p.Write(dir, assess.Sealing{Signer: signer, PublicKey: b.public(), LogKey: b.public(), Checkpoint: checkpoint, Tree: foreignTree}))
	if _, err := assess.Verify(os.DirFS(dir), b.verifier()); err == nil || !strings.Contains(err.Error(), "not the one that the manifest names") {
		t.Errorf("another tree in the manifest: %v", err)
	}
}

// TestTamperedLogFails: the pack of a damaged log says so, and proves nothing of it.
func TestTamperedLogFails(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t)
	db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(dir, "log.db"))
	b.must(err)
	t.Cleanup(func() { _ = db.Close() })
	signer, verifier, err := decisionlog.LoadOrCreateKey(b.key, origin)
	b.must(err)
	b.log, err = decisionlog.Open(t.Context(), db, decisionlog.Config{Origin: origin, Signer: signer, Verifier: verifier})
	b.must(err)
	t.Cleanup(func() { _ = b.log.Close() })
	b.config.Log = b.log
	b.happens("system.started", `{"version":"v1"}`)
	b.decides("thread_view", true, "owner_at_page", "LU-USE-1")
	tampered(t, db)
	_, p := b.write()
	if i := item(t, p, "verification"); i.Status != assess.Failed || !strings.Contains(i.Says, "event 1") {
		t.Errorf("verification is %s: %s", i.Status, i.Says)
	}
	for _, s := range p.Sections {
		if slices.ContainsFunc(s.Items, func(i assess.Item) bool { return i.ID == "sample" }) {
			t.Error("events of a damaged log are offered as proven")
		}
	}
}

// TestNothingIsPassedUnrun: without a run no item that tests would show is passed.
func TestNothingIsPassedUnrun(t *testing.T) {
	b := newBench(t)
	_, p := b.write()
	for _, id := range []string{"clauses", "tests", "casa", "crypto", "imports", "secrets", "vulnerabilities", "fail-closed", "access", "deletion", "incident", "disclosures"} {
		if i := item(t, p, id); i.Status != assess.NotRun {
			t.Errorf("%s is %s without a run", id, i.Status)
		}
	}
	if i := item(t, p, "dast"); i.Status != assess.Lab {
		t.Errorf("the scan of a laboratory is %s", i.Status)
	}
}

// TestClausesFollowTheirTests: a clause stands as the worst of its tests.
func TestClausesFollowTheirTests(t *testing.T) {
	clause := limiteduse.Clause{ID: "X-1", Says: "x", Adopted: true, Rules: []string{"webmail.access.basis"}, Tests: []string{"policy: TestA", "policy/limiteduse/access_test.rego: test_b"}}
	good := []string{ended("policy", "TestA", "pass"), ended("policy/limiteduse", "TestRego", "pass")}
	for name, c := range map[string]struct {
		lines []string
		want  assess.Status
	}{
		"both passed":           {good, assess.Passed},
		"one failed":            {[]string{good[0], ended("policy/limiteduse", "TestRego", "fail")}, assess.Failed},
		"one was not run":       {good[:1], assess.NotRun},
		"one was skipped":       {[]string{good[1], ended("policy", "TestA", "skip")}, assess.NotRun},
		"one was cut off":       {[]string{good[1], ended("policy", "TestA", "run")}, assess.Failed},
		"its package broke":     {[]string{good[1], `{"Action":"fail","Package":"example.org/x/policy"}`}, assess.Failed},
		"its package crashed":   {append(slices.Clone(good), `{"Action":"fail","Package":"example.org/x/policy"}`), assess.Failed},
		"it did not build":      {[]string{good[1], `{"Action":"build-fail","ImportPath":"example.org/x/policy [example.org/x/policy.test]"}`}, assess.Failed},
		"another of its failed": {append(slices.Clone(good), ended("policy", "TestC", "fail"), `{"Action":"fail","Package":"example.org/x/policy"}`), assess.Passed},
	} {
		b := newBench(t)
		b.config.Clauses = []limiteduse.Clause{clause}
		b.config.Source.Results = results(t, c.lines...)
		_, p := b.write()
		if i := item(t, p, "clauses"); i.Status != c.want || i.Rows[0][1] != string(c.want) {
			t.Errorf("%s: the registry is %s and the clause %s, want %s", name, i.Status, i.Rows[0][1], c.want)
		}
	}
}

// TestRequirements: CASA's 55 requirements are all there, each with a check or with who does it, and every test that is
// named exists.
func TestRequirements(t *testing.T) {
	list, err := assess.ReadRequirements()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, group := range []struct {
		of string
		n  int
	}{{"1.1", 3}, {"1.2", 1}, {"1.3", 4}, {"2.1", 1}, {"2.2", 3}, {"2.3", 4}, {"2.4", 1}, {"3.1", 6}, {"3.2", 2}, {"3.3", 1}, {"4.1", 4}, {"5.1", 10}, {"5.2", 1},
		{"6.1", 1}, {"6.2", 1}, {"6.3", 1}, {"6.4", 1}, {"6.5", 1}, {"6.6", 1}, {"6.7", 1}, {"7.1", 2}, {"7.2", 3}, {"7.3", 2}} {
		for n := range group.n {
			want = append(want, fmt.Sprintf("%s.%d", group.of, n+1))
		}
	}
	tests := map[string]bool{}
	source(t, true, func(folder string, file *ast.File, _ *token.FileSet) {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				tests[folder+": "+f.Name.Name] = true
			}
		}
	})
	var have []string
	for _, q := range list {
		have = append(have, q.ID)
		if len(q.Tests)+len(q.Checks) == 0 && q.Left == "" {
			t.Errorf("%s has no check, and nobody to make one", q.ID)
		}
		for _, test := range q.Tests {
			file, _, _ := strings.Cut(test, ": ")
			if strings.HasSuffix(file, ".ts") {
				text, err := os.ReadFile(filepath.Join(root(t), file))
				if _, name, _ := strings.Cut(test, ": "); err != nil || !strings.Contains(string(text), "'"+name+"'") {
					t.Errorf("%s names %s, which is not there", q.ID, test)
				}
				continue
			}
			if !tests[test] {
				t.Errorf("%s names %s, which is not there", q.ID, test)
			}
		}
	}
	if !slices.Equal(have, want) {
		t.Errorf("the requirements are\n%v, want\n%v", have, want)
	}
}

// TestCASAFollowsItsTests: a requirement whose test fails fails, and so does the table.
func TestCASAFollowsItsTests(t *testing.T) {
	b := newBench(t)
	b.config.Source.Results = results(t, ended("policy/assess", "TestNoPasswords", "fail"), ended("oauth", "TestSessionCookie", "pass"), ended("frontend/signin", "TestFlowCookie", "pass"))
	_, p := b.write()
	i := item(t, p, "casa")
	got := map[string]string{}
	for _, row := range i.Rows {
		got[row[0]] = row[3]
	}
	for id, want := range map[string]string{"1.1.1": "failed (", "2.3.1": "passed (", "4.1.1": "needs a lab", "3.1.1": "not run (", "7.1.1": "not applicable", "6.1.1": "not run ("} {
		if !strings.HasPrefix(got[id], want) {
			t.Errorf("%s is %q, want %q", id, got[id], want)
		}
	}
	if i.Status != assess.Failed || len(i.Rows) != 55 {
		t.Errorf("the table is %s with %d rows", i.Status, len(i.Rows))
	}
}

// TestRecordsRestOnTheirTests: a drill's own record says nothing about whether it passed.
func TestRecordsRestOnTheirTests(t *testing.T) {
	drill := assess.Drill{ID: "fail-closed", Title: "x", Test: "cmd/webmail: TestDrillFailClosed", Says: "All went well."}
	for how, want := range map[string]assess.Status{"pass": assess.Passed, "fail": assess.Failed, "skip": assess.NotRun} {
		b := newBench(t)
		b.config.Source.Drills = []assess.Drill{drill}
		b.config.Source.Results = results(t, ended("cmd/webmail", "TestDrillFailClosed", how))
		_, p := b.write()
		if i := item(t, p, "fail-closed"); i.Status != want {
			t.Errorf("a drill whose test ended with %s is %s, want %s", how, i.Status, want)
		}
	}
}

// TestPageEscapes: nothing that an item says can become markup, drawings included.
func TestPageEscapes(t *testing.T) {
	b := newBench(t)
	hostile := `<script>x</script>"&`
	feature := b.config.Surface.Tables.Features["search"]
	feature.Purpose = hostile
	b.config.Surface.Tables.Features[hostile] = feature
	b.config.Clauses = []limiteduse.Clause{{ID: hostile, Says: hostile, Adopted: true}}
	dir, _ := b.write()
	page, err := os.ReadFile(filepath.Join(dir, assess.PageFile))
	b.must(err)
	if bytes.Contains(page, []byte("<script")) || !bytes.Contains(page, []byte("&lt;script&gt;")) {
		t.Error("the page has markup of an item")
	}
	for _, outside := range []string{"http-equiv=\"refresh", " src=\"http", "@import", "<link"} {
		if bytes.Contains(page, []byte(outside)) {
			t.Errorf("the page is not self-contained: %s", outside)
		}
	}
}

// TestDiagramFollowsTheTables: a feature and a recipient that are added are drawn.
func TestDiagramFollowsTheTables(t *testing.T) {
	b := newBench(t)
	before, _, _, err := assess.Assemble(t.Context(), b.config)
	b.must(err)
	if drawn := item(t, before, "flow").Figure; strings.Contains(drawn, "brand_new") || !strings.Contains(drawn, "unsubscribe_host") || !strings.Contains(drawn, "https://gmail.googleapis.com") {
		t.Error("the drawing is not of the tables and the last start")
	}
	b.config.Surface.Tables.Features["brand_new"] = limiteduse.Feature{Purpose: "inbox.read", Actors: limiteduse.Names{"owner": true}, Recipient: "new_recipient", Operations: limiteduse.Names{"messages.get": true}}
	b.config.Surface.Tables.Recipients["new_recipient"] = limiteduse.Recipient{Name: "somebody", Kind: "processor"}
	_, after := b.write()
	if drawn := item(t, after, "flow").Figure; !strings.Contains(drawn, "brand_new") || !strings.Contains(drawn, "new_recipient") {
		t.Error("what was added is not drawn")
	}
	if i := item(t, after, "recipients"); i.Status != assess.Failed {
		t.Errorf("a processor without a contract is %s", i.Status)
	}
}

// TestScopes: a scope that nothing needs fails the manifest, and so does the widest one.
func TestScopes(t *testing.T) {
	for _, scope := range []string{"https://mail.google.com/", "https://www.googleapis.com/auth/gmail.metadata"} {
		b := newBench(t)
		b.config.Surface.Scopes = []string{scope}
		if scope != "https://mail.google.com/" {
			for name, f := range b.config.Surface.Tables.Features { // nothing reads any more
				f.Operations = limiteduse.Names{"drafts.send": true}
				b.config.Surface.Tables.Features[name] = f
			}
		}
		_, p := b.write()
		if i := item(t, p, "scopes"); i.Status != assess.Failed {
			t.Errorf("%s: %s", scope, i.Status)
		}
	}
}

// TestWeaknessesAreSaid: what a start accepted is for a human to judge, never passed over.
func TestWeaknessesAreSaid(t *testing.T) {
	_, p := newBench(t).write()
	if i := item(t, p, "runs"); i.Status != assess.Human || !strings.Contains(i.Says, "no-witness") {
		t.Errorf("a start with weaknesses is %s: %s", i.Status, i.Says)
	}
}

// TestLiveIsBounded: the live page reads no more than it was decided to.
func TestLiveIsBounded(t *testing.T) {
	b := newBench(t)
	for range 10 {
		b.decides("thread_view", true, "owner_at_page", "LU-USE-1")
	}
	b.config.Limit = 5
	sections, read, err := assess.Live(t.Context(), b.config)
	if err != nil || read != 5 || len(sections) < 5 {
		t.Fatalf("read %d events for %d sections, %v", read, len(sections), err)
	}
	for _, i := range sections[0].Items {
		if i.ID == "runs" && i.Status != assess.Human {
			t.Errorf("the last start, which was long ago, is %s", i.Status)
		}
	}
}

// TestFailingCollector: what cannot be read is said not to have been run, and the rest is there.
func TestFailingCollector(t *testing.T) {
	b := newBench(t)
	b.config.Collectors = []assess.Collector{{Section: assess.Leaving, Item: assess.Item{ID: "rows", Title: "Rows"}, Collect: collectNothing}}
	_, p := b.write()
	if i := item(t, p, "rows"); i.Status != assess.NotRun || strings.Contains(i.Says, "secret path") {
		t.Errorf("got %+v", i)
	}
}

// TestSecrets: what looks like a secret is found with its place and not repeated; placeholders are none.
func TestSecrets(t *testing.T) {
	text := "PRIVATE" + "+KEY+example.com/log+1dde4531+"
	tree := fstest.MapFS{
		"a/key":    {Data: []byte("one\n\n" + text + "AUSEpQ1f3mOa92LkdjPq7TzXyBn4WcEvRs0GhUiJ8K6o\n")},
		"a/none":   {Data: []byte(text + strings.Repeat("A", 44) + "\n-----BEGIN " + "PRIVATE KEY-----\n...\n")},
		"a/google": {Data: []byte("secret: GOCSPX" + "-aB3dE5gH7jK9mN1pQ3sT5vX7\n")},
	}
	found, scanned, left, err := assess.ScanSecrets(tree, []string{"a/google", "a/key", "a/none", "a/gone"})
	if err != nil || scanned != 3 || left != 1 {
		t.Fatalf("%d scanned, %d left, %v", scanned, left, err)
	}
	want := []assess.Secret{{Path: "a/google", Line: 1, What: "a Google client secret"}, {Path: "a/key", Line: 3, What: "a private note key"}}
	if !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}
