package policy_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// signer holds a pair of bundle keys.
type signer struct {
	private []byte
	public  *policy.BundleKey
}

func newSigner(tb testing.TB) signer {
	tb.Helper()
	private, public, err := policy.NewBundleKeys()
	if err != nil {
		tb.Fatal(err)
	}
	key, err := policy.ParseBundleKey(public)
	if err != nil {
		tb.Fatal(err)
	}
	return signer{private, key}
}

// sign makes a bundle of the embedded policy with changes.
func (s signer) sign(tb testing.TB, number int64, change func(policy.Source)) []byte {
	tb.Helper()
	source := policy.Embedded()
	if change != nil {
		change(source)
	}
	raw, err := policy.SignBundle(source, number, s.private)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// stricter takes a feature away: a change that every policy may make.
func stricter(s policy.Source) {
	editData(s, func(tables map[string]any) { delete(tables["features"].(map[string]any), "unsubscribe") })
}

func editData(s policy.Source, edit func(tables map[string]any)) {
	var doc map[string]map[string]any
	if err := json.Unmarshal([]byte(s["data.json"]), &doc); err != nil {
		panic(err)
	}
	edit(doc["limiteduse"])
	text, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	s["data.json"] = string(text)
}

// follower is a gate that follows a bundle's file.
type follower struct {
	*world
	signer
	path    string
	kept    *database.DB // where sources are
	bundles *policy.Bundles
}

func newFollower(t *testing.T) *follower {
	t.Helper()
	return newFollowerOver(t, newWorld(t), nil)
}

// newFollowerOver keeps sources in a database of their own; nil for the log's.
func newFollowerOver(t *testing.T, w *world, kept *database.DB) *follower {
	t.Helper()
	f := &follower{world: w, signer: newSigner(t), path: filepath.Join(t.TempDir(), "policy.tar.gz"), kept: kept}
	if kept == nil {
		f.kept = w.db
	}
	f.node(t)
	return f
}

// node starts another gate over the same log and the same sources.
func (f *follower) node(t *testing.T) {
	t.Helper()
	sources, err := policy.OpenSources(t.Context(), f.kept)
	if err != nil {
		t.Fatal(err)
	}
	f.gate, err = policy.NewGate(t.Context(), policy.Config{Log: f.log, Facts: f.facts, Sources: sources, PseudonymKey: bytes.Repeat([]byte("k"), 32), Labels: map[string]string{"id": "test"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.gate.Close)
	if f.bundles, err = f.gate.Follow(f.path, f.public); err != nil {
		t.Fatal(err)
	}
}

func (f *follower) put(t *testing.T, raw []byte) {
	t.Helper()
	if err := os.WriteFile(f.path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// lifecycle returns the details of the logged events with a name, oldest first.
func (f *follower) lifecycle(t *testing.T, name string) []map[string]string {
	t.Helper()
	var all []map[string]string
	for _, r := range f.records(t) {
		if r.Kind == decisionlog.Lifecycle && r.Operation == name {
			var ev struct{ Details map[string]string }
			if err := json.Unmarshal(r.Body, &ev); err != nil {
				t.Fatal(err)
			}
			all = append(all, ev.Details)
		}
	}
	return all
}

// rejects polls and wants the bundle rejected for a reason, the policy as it was, and one event that says so.
func (f *follower) rejects(t *testing.T, reason policy.Reason) *policy.Rejected {
	t.Helper()
	before, events := f.gate.Revision(), len(f.lifecycle(t, policy.EventPolicyRejected))
	err := f.bundles.Poll(t.Context())
	var rejected *policy.Rejected
	if !errors.As(err, &rejected) || rejected.Reason != reason {
		t.Fatalf("got %v, want a rejection for %q", err, reason)
	}
	if f.gate.Revision() != before {
		t.Fatal("the policy changed")
	}
	if err := f.bundles.Poll(t.Context()); err != nil {
		t.Errorf("the same file is looked at twice: %v", err)
	}
	got := f.lifecycle(t, policy.EventPolicyRejected)
	if len(got) != events+1 || got[events]["reason"] != string(reason) {
		t.Errorf("logged %v, want one more event for %q", got, reason)
	}
	return rejected
}

func (f *follower) activates(t *testing.T) {
	t.Helper()
	before := f.gate.Revision()
	if err := f.bundles.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.gate.Revision() == before {
		t.Fatal("the policy did not change")
	}
}

// TestActivation: a good bundle comes into force while the gate runs. Its source is kept, the event names it, the
// decisions name it, and grants of the policy before it are of no use any more.
func TestActivation(t *testing.T) {
	f := newFollower(t)
	embedded := f.gate.Revision()
	old := f.allow(t, read())
	f.put(t, f.sign(t, 7, stricter))
	f.activates(t)
	revision := f.gate.Revision()
	if err := f.gate.Valid(t.Context(), old); err == nil {
		t.Error("a grant outlives the policy that it was decided under")
	}
	fresh := f.allow(t, read())
	if err := f.gate.Valid(t.Context(), fresh); err != nil {
		t.Errorf("a grant of the new policy: %v", err)
	}
	got := f.lifecycle(t, policy.EventPolicyActivated)
	if len(got) != 1 || got[0]["revision"] != revision || got[0]["number"] != "7" || got[0]["previous"] != embedded || len(got[0]["sha256"]) != 64 {
		t.Errorf("logged %v", got)
	}
	sources := policy.OpenSourcesReadOnly(f.db)
	for _, want := range []string{embedded, revision} {
		if source, err := sources.Source(t.Context(), want); err != nil || source.Revision() != want {
			t.Errorf("the source of %s: %v", want, err)
		}
	}
	if _, err := sources.Source(t.Context(), strings.Repeat("0", 64)); !errors.Is(err, policy.ErrUnknown) {
		t.Errorf("a source that never was: %v, want ErrUnknown", err)
	}
	if err := f.bundles.Poll(t.Context()); err != nil || len(f.lifecycle(t, policy.EventPolicyActivated)) != 1 {
		t.Errorf("the same file is put in force twice (%v)", err)
	}
}

// TestRejectedBundles: every way to be no good leaves the policy as it is.
func TestRejectedBundles(t *testing.T) {
	const head = "package webmail.access\n\n"
	f := newFollower(t)
	f.put(t, f.sign(t, 5, stricter))
	f.activates(t)
	table := func(edit func(tables map[string]any)) []byte {
		return f.sign(t, 6, func(s policy.Source) { editData(s, edit) })
	}
	row := func(tables map[string]any, table, name string) map[string]any {
		return tables[table].(map[string]any)[name].(map[string]any)
	}
	rules := func(text string) []byte {
		return f.sign(t, 6, func(s policy.Source) { s["access.rego"] = text })
	}
	for _, c := range []struct {
		name   string
		raw    []byte
		reason policy.Reason
	}{
		{"not a bundle", []byte("policy"), policy.RejectedMalformed},
		{"too large", bytes.Repeat([]byte("x"), 1<<20+1), policy.RejectedMalformed},
		{"signed with another key", newSigner(t).sign(t, 6, stricter), policy.RejectedSignature},
		{"unsigned", repacked(t, f.sign(t, 6, stricter), func(files map[string]string) { delete(files, ".signatures.json") }), policy.RejectedSignature},
		{"changed after signing", repacked(t, f.sign(t, 6, stricter), func(files map[string]string) { files["access.rego"] += "\n# more\n" }), policy.RejectedSignature},
		{"renumbered after signing", repacked(t, f.sign(t, 6, stricter), func(files map[string]string) {
			files[".manifest"] = strings.Replace(files[".manifest"], `"6"`, `"9"`, 1)
		}), policy.RejectedSignature},
		{"a file added after signing", repacked(t, f.sign(t, 6, stricter), func(files map[string]string) { files["more.rego"] = "package webmail.access\n" }), policy.RejectedSignature},
		{"an older one", f.sign(t, 4, nil), policy.RejectedRevision},
		{"the same number again", f.sign(t, 5, nil), policy.RejectedRevision},
		{"no number", f.sign(t, 0, stricter), policy.RejectedMalformed},
		{"rules of the floor", f.sign(t, 6, func(s policy.Source) { s["more.rego"] = "package webmail.floor\n\nadmit := true\n" }), policy.RejectedMalformed},
		{"rules in the floor's file", resigned(t, f.signer, func(files map[string]string) { files["floor.rego"] = "package webmail.access\n" }), policy.RejectedRoots},
		{"a claim to the floor", resigned(t, f.signer, func(files map[string]string) {
			files[".manifest"] = `{"revision": "6", "roots": ["limiteduse", "webmail"], "rego_version": 1}`
			files["floor.rego"] = "package webmail.floor\n\nadmit := true\n"
		}), policy.RejectedRoots},
		{"a claim to all", resigned(t, f.signer, func(files map[string]string) { files[".manifest"] = `{"revision": "6"}` }), policy.RejectedRoots},
		{"the tables alone", resigned(t, f.signer, func(files map[string]string) {
			files[".manifest"] = `{"revision": "6", "roots": ["limiteduse"], "rego_version": 1}`
			delete(files, "access.rego")
		}), policy.RejectedRoots},
		{"the clock", rules(head + "basis := \"owner_at_page\" if time.now_ns() > 0\n\ndenials := set()\n"), policy.RejectedRules},
		{"a misspelt field", rules("# METADATA\n# schemas:\n# - input: schema.input\n" + head + "basis := \"owner_at_page\" if input.actor.knd == \"owner\"\n\ndenials := set()\n"), policy.RejectedRules},
		{"a misspelt field without a schema named", rules(head + "basis := \"owner_at_page\" if input.actor.knd == \"owner\"\n\ndenials := set()\n"), policy.RejectedRules},
		{"no answer", rules(head + "answer := 1\n"), policy.RejectedRefuses},
		{"everything allowed", rules(head + "basis := \"owner_at_page\"\n\ndenials := set()\n"), policy.RejectedAllows},
		{"nothing allowed", rules(head + "basis := \"owner_at_page\" if input.time < 0\n\ndenials contains \"LU-USE-1\" if input.time > 0\n"), policy.RejectedRefuses},
		{"a basis that no table lists", rules(head + "basis := \"because\" if input.actor.id == input.account.owner\n\ndenials contains \"LU-USE-1\" if input.time < 0\n"), policy.RejectedAllows},
		{"an unknown table", table(func(t map[string]any) { t["exceptions"] = map[string]any{} }), policy.RejectedTables},
		{"a table of another type", table(func(t map[string]any) { t["features"] = []any{} }), policy.RejectedTables},
		{"a new purpose", table(func(t map[string]any) { t["purposes"].(map[string]any)["marketing"] = "sell" }), policy.RejectedTables},
		{"a new recipient", table(func(t map[string]any) {
			t["recipients"].(map[string]any)["partner"] = map[string]any{"name": "a partner", "kind": "owner_chosen"}
		}), policy.RejectedTables},
		{"a recipient of more", table(func(t map[string]any) { row(t, "recipients", "remote_host")["classes"] = map[string]any{"body": true} }), policy.RejectedTables},
		{"a feature for another purpose", table(func(t map[string]any) { row(t, "features", "search")["purpose"] = "inbox.read" }), policy.RejectedTables},
		{"a feature for staff", table(func(t map[string]any) { row(t, "features", "search")["actors"] = map[string]any{"staff": true} }), policy.RejectedTables},
		{"a larger page", table(func(t map[string]any) { row(t, "features", "thread_list")["max"] = 501 }), policy.RejectedTables},
		{"longer grants", table(func(t map[string]any) { row(t, "features", "thread_list")["ttl_seconds"] = 31 }), policy.RejectedTables},
		{"a smaller scope", table(func(t map[string]any) {
			row(t, "operations", "messages.get")["scopes"] = map[string]any{"openid": true}
		}), policy.RejectedTables},
		{"a write called a read", table(func(t map[string]any) { row(t, "operations", "drafts.send")["effect"] = "read" }), policy.RejectedTables},
		{"a shorter notice", table(func(t map[string]any) { t["terms"].(map[string]any)["notice"] = 1 }), policy.RejectedTables},
		{"an operation gone that a feature uses", table(func(t map[string]any) { delete(t["operations"].(map[string]any), "messages.get") }), policy.RejectedTables},
		{"another disclosure", table(func(t map[string]any) { t["disclosure"] = map[string]any{"version": 1} }), policy.RejectedTables},
		{"a core feature gone", table(func(t map[string]any) { delete(t["features"].(map[string]any), "message_view") }), policy.RejectedRefuses},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.put(t, c.raw)
			f.rejects(t, c.reason)
			f.allow(t, read())
		})
	}
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	f.rejects(t, policy.RejectedMissing)
	f.put(t, f.sign(t, 6, nil))
	f.activates(t)
}

// unpacked are the files of a bundle.
func unpacked(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	files := map[string]string{}
	unzip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(unzip); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(h.Name, "/")] = string(text)
	}
}

// repacked is a bundle whose files were changed behind the signature's back.
func repacked(t *testing.T, raw []byte, change func(map[string]string)) []byte {
	t.Helper()
	files := unpacked(t, raw)
	change(files)
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: "/" + name, Mode: 0o600, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// resigned is a bundle whose files were changed by whoever holds the key, with another tool than ours.
func resigned(t *testing.T, s signer, change func(map[string]string)) []byte {
	t.Helper()
	files := unpacked(t, s.sign(t, 6, stricter))
	change(files)
	raw, err := policy.SignFiles(files, s.private)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestEveryMustDenyCase: for each case in turn, rules that are right but for this one access, correctly signed, do
// not come into force.
func TestEveryMustDenyCase(t *testing.T) {
	f := newFollower(t)
	cases, err := limiteduse.ReadCases()
	if err != nil {
		t.Fatal(err)
	}
	if len(cases.Deny) < 80 || len(cases.Allow) < 10 {
		t.Fatalf("%d cases to refuse and %d to allow", len(cases.Deny), len(cases.Allow))
	}
	judge, err := policy.NewJudge(t.Context(), policy.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases.Deny {
		var in policy.Input
		if err := json.Unmarshal(c.Input, &in); err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		if v := judge.Ask(t.Context(), in); v.Allow || !contains(v.Clauses, c.Clause) {
			t.Errorf("%s (%s): the embedded policy says %+v, want a refusal by %s", c.ID, c.About, v, c.Clause)
		}
		if !policy.RulesRefuse(t.Context(), f.gate, in) {
			continue // the floor's business alone, which no bundle reaches
		}
		lax := f.sign(t, 2, func(s policy.Source) {
			s["access.rego"] = strings.ReplaceAll(s["access.rego"], "\nbasis := ", "\nordinary := ") + fmt.Sprintf(`
basis := ordinary if not exception

basis := "owner_at_page" if exception

exception if json.marshal(input) == %q
`, canonical(t, c.Input))
		})
		bundle, err := policy.ReadBundle(lax, f.public)
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		var rejected *policy.Rejected
		if err := bundle.Check(t.Context()); !errors.As(err, &rejected) || rejected.Reason != policy.RejectedAllows {
			t.Errorf("a policy that allows %s (%s): got %v, want it rejected", c.ID, c.About, err)
		}
	}
	for _, c := range cases.Allow {
		var in policy.Input
		if err := json.Unmarshal(c.Input, &in); err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		if v := judge.Ask(t.Context(), in); !v.Allow || !contains(v.Clauses, c.Clause) {
			t.Errorf("%s (%s): the embedded policy says %+v, want it allowed by %s", c.ID, c.About, v, c.Clause)
		}
	}
}

// canonical is a document as OPA's json.marshal writes it.
func canonical(t *testing.T, text []byte) string {
	t.Helper()
	var in policy.Input
	if err := json.Unmarshal(text, &in); err != nil {
		t.Fatal(err)
	}
	decoded, err := ast.JSON(policy.Term(in))
	if err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(decoded)
	if err != nil {
		t.Fatal(err)
	}
	return string(written)
}

func contains(list []string, want string) bool {
	for _, s := range list {
		if s == want {
			return true
		}
	}
	return false
}

// TestStart: a server that starts with a file that is no good takes the newest bundle that was in force, and does
// not start without one. Older files stay out for ever, on every node.
func TestStart(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		startsWithTheLastGoodOne(t, newFollowerOver(t, newWorld(t), open(t)))
	})
}

func startsWithTheLastGoodOne(t *testing.T, f *follower) {
	f.put(t, []byte("no bundle"))
	if err := f.bundles.Start(t.Context()); err == nil {
		t.Fatal("a gate starts without any good bundle")
	}
	f.put(t, f.sign(t, 3, stricter))
	f.node(t)
	if err := f.bundles.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	revision := f.gate.Revision()
	for name, raw := range map[string][]byte{"an older one": f.sign(t, 2, nil), "no bundle": []byte("no bundle"), "another of the same number": f.sign(t, 3, nil)} {
		f.put(t, raw)
		f.node(t)
		if err := f.bundles.Start(t.Context()); err != nil || f.gate.Revision() != revision {
			t.Errorf("%s: started with %s (%v), want %s", name, f.gate.Revision(), err, revision)
		}
	}
	if _, err := newWorld(t).gate.Follow(f.path, f.public); err == nil {
		t.Error("a gate that keeps no sources follows a bundle")
	}
}

// TestChangedSource: a stored source that somebody changed is not believed.
func TestChangedSource(t *testing.T) {
	f := newFollower(t)
	f.put(t, f.sign(t, 1, stricter))
	f.activates(t)
	if err := policy.SwapSources(t.Context(), f.db, f.gate.Revision(), policy.Embedded().Revision()); err != nil {
		t.Fatal(err)
	}
	if _, err := policy.OpenSourcesReadOnly(f.db).Source(t.Context(), f.gate.Revision()); err == nil || errors.Is(err, policy.ErrUnknown) {
		t.Errorf("got %v, want it found out", err)
	}
}

// TestActivationUnderLoad: while policies change, each access is decided by one of them, and its event names that one.
func TestActivationUnderLoad(t *testing.T) {
	f := newFollower(t)
	var workers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				grant, err := f.gate.Authorize(t.Context(), read())
				if err != nil {
					t.Errorf("an access that every policy allows: %v", err)
					return
				}
				if err := f.gate.Valid(t.Context(), grant); err != nil && !errors.As(err, new(*policy.NotCovered)) {
					t.Errorf("a grant: %v", err)
				}
			}
		})
	}
	revisions := map[string]bool{f.gate.Revision(): true}
	for number := int64(1); number <= 3; number++ {
		f.put(t, f.sign(t, number, func(s policy.Source) {
			editData(s, func(t map[string]any) {
				t["features"].(map[string]any)["unsubscribe"].(map[string]any)["ttl_seconds"] = number
			})
		}))
		f.activates(t)
		revisions[f.gate.Revision()] = true
	}
	close(stop)
	workers.Wait()
	for _, r := range f.records(t) {
		if r.Kind != decisionlog.Decision {
			continue
		}
		var ev struct {
			Bundles map[string]struct{ Revision string }
		}
		if err := json.Unmarshal(r.Body, &ev); err != nil || !revisions[ev.Bundles["limiteduse"].Revision] {
			t.Fatalf("event %d names %v (%v)", r.Index, ev.Bundles, err)
		}
	}
}

// TestReplayUnderAnotherPolicy: every logged decision comes out the same under the policy that made it, even after
// others came into force; under a candidate, just the decisions that it changes are told.
func TestReplayUnderAnotherPolicy(t *testing.T) {
	f := newFollower(t)
	f.allow(t, read())
	f.put(t, f.sign(t, 1, stricter))
	f.activates(t)
	f.allow(t, read())
	other := read()
	other.Actor.Person = bob
	for _, a := range []policy.Access{other, {}} {
		if _, err := f.gate.Authorize(t.Context(), a); err == nil {
			t.Fatal("allowed")
		}
	}
	candidate := policy.Embedded()
	editData(candidate, func(t map[string]any) { delete(t["features"].(map[string]any), "message_view") })
	judge, err := policy.NewJudge(t.Context(), candidate)
	if err != nil {
		t.Fatal(err)
	}
	var told []policy.Difference
	replay := policy.Replay{Log: f.log, Sources: policy.OpenSourcesReadOnly(f.db), Candidate: judge, Each: func(d policy.Difference) error {
		told = append(told, d)
		return nil
	}}
	report, err := replay.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if report.Decisions != 4 || report.Unasked != 1 || report.Same != 3 || report.Different != 0 || report.Unknown != 0 {
		t.Errorf("got %+v, want four decisions, one of them not asked about and the others the same", report)
	}
	if report.Refused != 2 || report.Allowed != 0 || report.Explained != 1 || report.Features["message_view"] != 2 || report.Clauses["LU-USE-1"] != 2 {
		t.Errorf("got %+v, want both reads refused and one refusal explained otherwise", report)
	}
	if len(told) != 3 || !told[0].Candidate {
		t.Errorf("told of %+v", told)
	}
	replay.Candidate, replay.Since = nil, start.Add(time.Second)
	if report, err = replay.Run(t.Context()); err != nil || report.Decisions != 0 {
		t.Errorf("after the last decision: %+v, %v", report, err)
	}
}

// TestReplayFindsTheLie: a decision that its policy would not have made is told.
func TestReplayFindsTheLie(t *testing.T) {
	f := newFollower(t)
	f.allow(t, read())
	if err := policy.ForgeDecision(t.Context(), f.log, f.gate, func(in *policy.Input) { in.Actor.ID = "somebody" }); err != nil {
		t.Fatal(err)
	}
	report, err := policy.Replay{Log: f.log, Sources: policy.OpenSourcesReadOnly(f.db)}.Run(t.Context())
	if err != nil || report.Same != 1 || report.Different != 1 {
		t.Errorf("got %+v, %v, want one that is the same and one that is not", report, err)
	}
}

// TestEmbeddedRevision: the policy that the program is built with has the revision of its directory.
func TestEmbeddedRevision(t *testing.T) {
	if got, want := policy.Embedded().Revision(), limiteduse.Revision(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestReadSource: a directory like the program's own is a policy; one that changes the floor, or has no tables, is none.
func TestReadSource(t *testing.T) {
	dir := fstest.MapFS{"access_test.rego": {Data: []byte("no rules")}, "cases.json": {Data: []byte("{}")}}
	for name, text := range policy.Embedded() {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	source, err := policy.ReadSource(dir)
	if err != nil || source.Revision() != policy.Embedded().Revision() {
		t.Errorf("the program's own directory: %v", err)
	}
	dir["floor.rego"] = &fstest.MapFile{Data: []byte("package webmail.floor\n\nadmit := true\n")}
	if _, err := policy.ReadSource(dir); err == nil {
		t.Error("a directory with another floor is taken")
	}
	delete(dir, "floor.rego")
	delete(dir, "data.json")
	if _, err := policy.ReadSource(dir); err == nil {
		t.Error("a directory without tables is taken")
	}
}

// TestBundleKeys: only public keys that are strong enough verify, and only private ones sign.
func TestBundleKeys(t *testing.T) {
	private, public, err := policy.NewBundleKeys()
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&weak.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"nothing": nil, "a private key": private, "a weak key": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "half a key": public[:len(public)/2]} {
		if _, err := policy.ParseBundleKey(text); err == nil {
			t.Errorf("%s verifies bundles", name)
		}
	}
	if _, err := policy.SignBundle(policy.Embedded(), 1, public); err == nil {
		t.Error("a public key signs")
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(strong)
	if err != nil {
		t.Fatal(err)
	}
	if der, err = x509.MarshalPKIXPublicKey(&strong.PublicKey); err != nil {
		t.Fatal(err)
	}
	key, err := policy.ParseBundleKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := policy.SignBundle(policy.Embedded(), 1, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := policy.ReadBundle(raw, key); err != nil || b.Number != 1 {
		t.Errorf("signed with RSA: %v", err)
	}
	if _, err := policy.ReadBundle(raw, nil); err == nil {
		t.Error("a bundle is read without a key")
	}
}

// TestUnfoldingKeepsTheAnswer: rules of all shapes give the same answer unfolded as they are written, whatever of
// the input or the tables they look at in one piece.
func TestUnfoldingKeepsTheAnswer(t *testing.T) {
	cases, err := limiteduse.ReadCases()
	if err != nil {
		t.Fatal(err)
	}
	for name, condition := range map[string]string{
		"a comprehension over a table":        `count({f | some f, row in data.limiteduse.features; row.purpose == input.purpose; f != "search"}) > 2`,
		"a comprehension with an unknown":     `count({c | some c, _ in data.limiteduse.features[input.feature].classes; input.classes[c]}) == count(input.classes)`,
		"nothing in a comprehension":          `count([p | some p, _ in data.limiteduse.purposes; p == input.account.state]) == 0`,
		"the negation of a table's row":       `not data.limiteduse.purposes[input.account.state]`,
		"the whole actor":                     `object.get(input.actor, "kind", "") == "owner"`,
		"the whole actor as it is":            `object.keys(input.actor) == {"kind", "id", "roles", "mfa", "acknowledged"}`,
		"the whole input":                     `contains(json.marshal(input), "inbox")`,
		"any member of the input":             `some k; input[k] == "messages.get"`,
		"any member of the resource":          `some k, v in input.resource; v == "ids"; k == "form"`,
		"every scope":                         `every s in input.account.scopes { s != "https://mail.google.com/" }`,
		"a walk":                              `some path; walk(input, [path, "inbox.read"])`,
		"a function of what is unknown":       `short(input.actor.id)`,
		"a function of what is known":         `short(input.actor.kind)`,
		"a set of features built from tables": `input.feature in readers`,
		"an input put in another's place":     `short(input.actor.id) with input.actor.id as "x"`,
		"a rule that is not defined":          `not readers[input.account.owner]`,
		"an ordering of two unknowns":         `input.account.consent.given < input.time`,
		"an alternative":                      `either`,
	} {
		t.Run(name, func(t *testing.T) {
			source := policy.Embedded()
			source["access.rego"] = strings.Replace(source["access.rego"], "\nbasis := \"owner_at_page\" if {", "\nbasis := \"owner_at_page\" if {\n\tfurther", 1) + `
further if {
	` + condition + `
}

short(s) if count(s) < 6

readers contains f if {
	some f, row in data.limiteduse.features
	row.purpose == "inbox.read"
}

either if input.feature == "message_view"

either if input.account.epoch == 7
`
			judge, err := policy.NewJudge(t.Context(), source)
			if err != nil {
				t.Fatal(err)
			}
			answers := map[bool]int{}
			for _, c := range append(cases.Allow, cases.Deny...) {
				var in policy.Input
				if err := json.Unmarshal(c.Input, &in); err != nil {
					t.Fatal(err)
				}
				want, err := judge.AsWritten(t.Context(), in)
				if err != nil {
					t.Fatal(err)
				}
				if got := judge.Ask(t.Context(), in); got.Basis != want {
					t.Errorf("case %s: unfolded %q, as written %q", c.ID, got.Basis, want)
				}
				answers[want == "owner_at_page"]++
			}
			if answers[true] == 0 || answers[false] == 0 {
				t.Errorf("allowed and refused: %v, want both", answers)
			}
		})
	}
}

// FuzzReadBundle: whatever is in the file is a bundle or a rejection.
func FuzzReadBundle(f *testing.F) {
	s := newSigner(f)
	f.Add(s.sign(f, 1, nil))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := policy.ReadBundle(raw, s.public)
		if err != nil && !errors.As(err, new(*policy.Rejected)) || (b == nil) == (err == nil) {
			t.Errorf("got %v, %v", b, err)
		}
	})
}
