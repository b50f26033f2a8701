package limiteduse_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/loader"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/totalengage/webmail/policy/limiteduse"
)

// onlyPolicy leaves Go sources out, as opa does of itself.
func onlyPolicy(_ string, info fs.FileInfo, _ int) bool {
	return !info.IsDir() && filepath.Ext(info.Name()) != ".rego" && info.Name() != "data.json"
}

// TestFormat: every module is as `opa fmt` writes it.
func TestFormat(t *testing.T) {
	names, err := filepath.Glob("*.rego")
	if err != nil || len(names) < 4 {
		t.Fatalf("found %v, %v", names, err)
	}
	for _, name := range names {
		have, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := format.Source(name, have)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is not formatted; opa fmt would write:\n%s", name, want)
		}
	}
}

// TestStrict: the directory compiles as `opa check --strict` does it.
func TestStrict(t *testing.T) {
	loaded, err := loader.NewFileLoader().WithProcessAnnotation(true).Filtered([]string{"."}, onlyPolicy)
	if err != nil {
		t.Fatal(err)
	}
	compiler := ast.NewCompiler().WithStrict(true)
	if compiler.Compile(loaded.ParsedModules()); compiler.Failed() {
		t.Error(compiler.Errors)
	}
}

// TestRego runs the policy's own tests as `opa test --coverage --threshold 100 --fail-on-empty` does.
func TestRego(t *testing.T) {
	modules, store, err := tester.Load([]string{"."}, nil)
	if err != nil {
		t.Fatal(err)
	}
	coverage := cover.New()
	passed := 0
	err = storage.Txn(t.Context(), store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		results, err := tester.NewRunner().SetStore(store).SetModules(modules).SetCoverageQueryTracer(coverage).RaiseBuiltinErrors(true).RunTests(t.Context(), txn)
		if err != nil {
			return err
		}
		for r := range results {
			if !r.Pass() {
				t.Errorf("%s: %v", r.Name, r)
				continue
			}
			passed++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if passed < 140 {
		t.Errorf("%d tests passed, want at least 140", passed)
	}
	for name, file := range coverage.Report(modules).Files {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		for _, r := range file.NotCovered {
			t.Errorf("%s: lines %d to %d are not covered", name, r.Start.Row, r.End.Row)
		}
		if file.CoveredLines == 0 {
			t.Errorf("%s: nothing is covered", name)
		}
	}
}

// TestDirectoryIsABundle: the opa command answers from this directory what the embedded policy answers.
func TestDirectoryIsABundle(t *testing.T) {
	b, err := loader.NewFileLoader().WithFilter(onlyPolicy).AsBundle(".")
	if err != nil {
		t.Fatal(err)
	}
	data, err := limiteduse.Data()
	if err != nil {
		t.Fatal(err)
	}
	have, _ := json.Marshal(b.Data)
	want, _ := json.Marshal(data)
	if !bytes.Equal(have, want) {
		t.Error("the directory's data are not the embedded ones")
	}
	input := map[string]any{
		"actor":     map[string]any{"kind": "auditor", "id": "a", "roles": []string{"auditor"}, "mfa": true},
		"operation": "log.query", "purpose": "audit.read", "feature": "audit_log", "classes": map[string]bool{"decisions": true},
		"resource": map[string]any{"kind": "log", "form": "collection", "ids": []string{}, "label": "", "max": 10}, "recipient": "",
	}
	for name, source := range map[string]func(*rego.Rego){"bundle": rego.ParsedBundle("limiteduse", b), "files": rego.Load([]string{"."}, onlyPolicy)} {
		rs, err := rego.New(rego.Query("data.webmail.decision.basis"), source, rego.Input(input)).Eval(context.Background())
		if err != nil || len(rs) != 1 || rs[0].Expressions[0].Value != "audit" {
			t.Errorf("%s: got %v, %v, want audit", name, rs, err)
		}
	}
}

// TestEmbedded: what the binary holds is the directory without its tests.
func TestEmbedded(t *testing.T) {
	if got := slices.Sorted(maps.Keys(limiteduse.Modules())); !slices.Equal(got, []string{"access.rego", "decision.rego", "floor.rego"}) {
		t.Errorf("got %v", got)
	}
	if r := limiteduse.Revision(); len(r) != 64 || r != limiteduse.Revision() {
		t.Errorf("revision %q", r)
	}
}

func tables(t *testing.T) limiteduse.Tables {
	t.Helper()
	tables, err := limiteduse.ReadTables()
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// allTrue tells whether the names are what they look like: a name that is false would be in Go's set and not in Rego's.
func allTrue(names limiteduse.Names) bool {
	for _, is := range names {
		if !is {
			return false
		}
	}
	return true
}

// TestTables: every name that a table uses exists, and every one that exists is used.
func TestTables(t *testing.T) {
	d := tables(t)
	purposes, operations := map[string]bool{}, map[string]bool{}
	kinds := []string{"message", "thread", "draft", "label", "history", "mailbox", "log", "store", "aggregate"}
	classes := []string{"metadata", "header", "body", "attachment", "settings", "label", "derived", "aggregate", "decisions"}
	actors := []string{"owner", "staff", "service", "auditor", "reviewer"}
	for name, f := range d.Features {
		if d.Purposes[f.Purpose] == "" {
			t.Errorf("feature %s: purpose %q does not exist", name, f.Purpose)
		}
		purposes[f.Purpose] = true
		for op := range f.Operations {
			if _, ok := d.Operations[op]; !ok {
				t.Errorf("feature %s: operation %q does not exist", name, op)
			}
			operations[op] = true
		}
		for a := range f.Actors {
			if !slices.Contains(actors, a) {
				t.Errorf("feature %s: actor %q", name, a)
			}
		}
		for c := range f.Classes {
			if !slices.Contains(classes, c) {
				t.Errorf("feature %s: class %q", name, c)
			}
		}
		for what, names := range map[string]limiteduse.Names{"operations": f.Operations, "actors": f.Actors, "classes": f.Classes} {
			if len(names) == 0 || !allTrue(names) {
				t.Errorf("feature %s: %s are %v, want some, each true", name, what, names)
			}
		}
		if f.Max < 1 || f.Max > 1000 || f.TTLSeconds < 1 || f.TTLSeconds > 300 {
			t.Errorf("feature %s: max %d, ttl %d", name, f.Max, f.TTLSeconds)
		}
		if f.Disclosure < 1 || f.Disclosure > d.Disclosure.Version {
			t.Errorf("feature %s: disclosed in text %d of %d", name, f.Disclosure, d.Disclosure.Version)
		}
		if r, ok := d.Recipients[f.Recipient]; f.Recipient != "" && (!ok || !r.Features[name]) {
			t.Errorf("feature %s: the register has no recipient %q for it", name, f.Recipient)
		}
	}
	for p := range d.Purposes {
		if !purposes[p] {
			t.Errorf("no feature has the purpose %s", p)
		}
	}
	for name, o := range d.Operations {
		if !operations[name] {
			t.Errorf("no feature needs %s (MIN-1)", name)
		}
		if !slices.Contains(kinds, o.Kind) || !slices.Contains([]string{"ids", "collection", "new"}, o.Form) || !slices.Contains([]string{"read", "write", "send"}, o.Effect) || !allTrue(o.Scopes) {
			t.Errorf("operation %s: %+v", name, o)
		}
		if !slices.Contains([]string{"gmail", "product"}, o.API) || (o.API == "gmail") && len(o.Scopes) == 0 {
			t.Errorf("operation %s: api %q, %d scopes", name, o.API, len(o.Scopes))
		}
	}
	for name, r := range d.Recipients {
		if r.Name == "" || !slices.Contains([]string{"owner_chosen", "own_service", "processor"}, r.Kind) || (r.Kind == "processor") != (r.Contract != "") {
			t.Errorf("recipient %s: %+v; a processor has a contract (PRV-PROC), and nobody else", name, r)
		}
		for feature := range r.Features {
			f, ok := d.Features[feature]
			if !ok || f.Recipient != name || !r.Features[feature] {
				t.Errorf("recipient %s: no feature %s transfers to it", name, feature)
			}
			for class := range f.Classes {
				if !r.Classes[class] {
					t.Errorf("recipient %s: feature %s transfers %s, which the register does not list", name, feature, class)
				}
			}
		}
		for class := range r.Classes {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(r.Features)), func(f string) bool { return d.Features[f].Classes[class] }) {
				t.Errorf("recipient %s: no feature transfers %s", name, class)
			}
		}
	}
	// Nothing is pushed yet: the row says to whom it would go, and lets nothing go there.
	if push := d.Recipients["push_service"]; len(push.Features) != 0 || len(push.Classes) != 0 {
		t.Errorf("push_service has features %v and classes %v", push.Features, push.Classes)
	}
	const day = 24 * 3600 * 1_000_000
	if d.Terms.Acknowledgement != 365*day || d.Terms.Notice != 30*day {
		t.Errorf("terms %+v, want 365 and 30 days", d.Terms)
	}
	source := limiteduse.Modules()["access.rego"]
	for basis, clauses := range d.Bases {
		if !strings.Contains(source, `basis := "`+basis+`"`) || len(clauses) == 0 {
			t.Errorf("basis %s: clauses %v, or no rule gives it", basis, clauses)
		}
	}
	if got := strings.Count(source, "basis := "); got != len(d.Bases) {
		t.Errorf("%d rules give a basis, the table has %d", got, len(d.Bases))
	}
	if d.Disclosure.Version < 1 {
		t.Error("no disclosure is in force")
	}
}

// TestScopes compares the scopes of each operation with Gmail's own discovery document.
func TestScopes(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "gmail", "v1", "gmail-api.json"))
	if err != nil {
		t.Fatal(err)
	}
	type resource struct {
		Methods map[string]struct {
			ID     string   `json:"id"`
			Verb   string   `json:"httpMethod"`
			Scopes []string `json:"scopes"`
		} `json:"methods"`
		Resources map[string]json.RawMessage `json:"resources"`
	}
	scopes, verbs := map[string][]string{}, map[string]string{}
	var walk func(raw json.RawMessage)
	walk = func(raw json.RawMessage) {
		var r resource
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		for _, m := range r.Methods {
			name := strings.TrimPrefix(m.ID, "gmail.users.")
			scopes[name], verbs[name] = m.Scopes, m.Verb
		}
		for _, child := range r.Resources {
			walk(child)
		}
	}
	walk(text)
	for name, o := range tables(t).Operations {
		want, ok := scopes[name]
		if ok != (o.API == "gmail") {
			t.Errorf("%s: api %s, and a method of Gmail's: %v", name, o.API, ok)
		}
		if !ok {
			continue
		}
		have := slices.Sorted(maps.Keys(o.Scopes))
		// Those of add-ons work only while Gmail shows the message; a web client never has them.
		want = slices.DeleteFunc(slices.Sorted(slices.Values(want)), func(s string) bool { return strings.Contains(s, "gmail.addons.") })
		if !slices.Equal(have, want) {
			t.Errorf("%s: scopes %v, Gmail says %v", name, have, want)
		}
		if (o.Effect == "read") != (verbs[name] == "GET") {
			t.Errorf("%s: effect %s of a %s", name, o.Effect, verbs[name])
		}
	}
}

// TestMetadata: every rule that is not a helper says what it is, and every clause that it names is one of the registry's.
func TestMetadata(t *testing.T) {
	clauses := map[string]bool{}
	for name, source := range limiteduse.Modules() {
		module, err := ast.ParseModuleWithOpts(name, source, ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			t.Fatal(err)
		}
		schemas := false
		for _, a := range module.Annotations {
			schemas = schemas || len(a.Schemas) > 0
			if a.Title == "" {
				t.Errorf("%s: metadata at line %d has no title", name, a.Location.Row)
			}
			list, _ := a.Custom["clauses"].([]any)
			for _, c := range list {
				clauses[c.(string)] = true
			}
		}
		if !schemas {
			t.Errorf("%s: no schema is applied to its input", name)
		}
	}
	registry, err := limiteduse.ReadClauses()
	if err != nil {
		t.Fatal(err)
	}
	for c := range clauses {
		if !slices.ContainsFunc(registry, func(r limiteduse.Clause) bool { return r.ID == c }) {
			t.Errorf("a rule names the clause %s, which the registry does not have", c)
		}
	}
}
