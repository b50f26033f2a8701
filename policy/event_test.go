package policy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/plugins/logs"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// busy fills a log with every kind of event, full of canaries.
func busy(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	ctx := t.Context()
	w.furnish()
	grants := []*policy.Grant{w.allow(t, read()), w.allow(t, list()), w.allow(t, send()), w.allow(t, organise("canary-thread")), w.allow(t, audit())}
	for _, a := range []policy.Access{image(), badge(), view(), lookBack(), takeCopy(), count(), chart()} {
		w.allow(t, a)
	}
	refused := []policy.Access{read(), read(), read(), send(), {}}
	refused[0].Actor = policy.Actor{Kind: policy.Staff, Person: sam, Roles: []string{"support"}, MFA: true}
	refused[0].Agreement = "canary-unknown-agreement"
	refused[1].Account = "canary-account-unknown@example.com"
	refused[2].Purpose = "ads.serve"
	refused[3].Instruction = "canary-unknown"
	for _, a := range refused {
		if _, err := w.gate.Authorize(ctx, a); err == nil {
			t.Fatal("a bad access was allowed")
		}
	}
	if err := grants[1].Release(ctx, policy.Messages, []string{"canary-listed-1", "canary-listed-2"}, 1000); err != nil {
		t.Fatal(err)
	}
	grants[0].Finish(nil, 1, 3000)
	grants[2].Finish(errors.New("canary-error-text"), 0, 0)
	long := w.allow(t, list())
	ids := make([]string, 600)
	for i := range ids {
		ids[i] = fmt.Sprintf("canary-listed-%d", i)
	}
	if err := long.Release(ctx, policy.Messages, ids, 1<<20+1); err != nil {
		t.Fatal(err)
	}
	events := []policy.Lifecycle{
		{Event: "gate.started", Details: map[string]string{"version": "1"}},
		{Event: "account.connected", Actor: policy.Actor{Kind: policy.Owner, Person: ann}, Account: annsBox},
		{Event: "account.deleted", Actor: policy.Actor{Kind: policy.Owner, Person: ann}, Account: "canary-gone", LogKey: []byte("the key of an account gone")},
		{Event: "staff.signed_in", Actor: policy.Actor{Kind: policy.Staff, Person: sam}},
	}
	for _, e := range events {
		if err := w.gate.Record(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	w.gate.Close() // so that the outcomes are there
	return w
}

// TestNoIdentifierInLog: no event names a person, an account, a message, a search or an error's text.
func TestNoIdentifierInLog(t *testing.T) {
	w := busy(t)
	records := w.records(t)
	if len(records) != 26 {
		t.Errorf("got %d records, want 26", len(records))
	}
	for _, r := range records {
		columns := fmt.Sprintf("%+v", r.Entry)
		if bytes.Contains(bytes.ToLower(r.Body), []byte("canary")) || strings.Contains(strings.ToLower(columns), "canary") || strings.Contains(columns, "example.com") {
			t.Errorf("event %d holds an identifier: %s", r.Index, r.Body)
		}
	}
}

// TestIndexMatchesColumns: what the log is searched by can be derived from what is signed.
func TestIndexMatchesColumns(t *testing.T) {
	w := busy(t)
	kinds := map[decisionlog.Kind]int{}
	for _, r := range w.records(t) {
		kinds[r.Kind]++
		got, err := policy.Index(r.Body)
		if err != nil {
			t.Fatalf("event %d: %v", r.Index, err)
		}
		want := r.Entry
		if len(got.Clauses) == 0 && len(want.Clauses) == 0 {
			got.Clauses, want.Clauses = nil, nil
		}
		got.At, want.At = got.At.UTC(), want.At.UTC()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("event %d: Index gives %+v, the columns are %+v", r.Index, got, want)
		}
	}
	if kinds[decisionlog.Decision] != 18 || kinds[decisionlog.Outcome] != 4 || kinds[decisionlog.Lifecycle] != 4 {
		t.Errorf("got %v, want 18 decisions, 4 outcomes, 4 lifecycle events", kinds)
	}
	report, err := w.log.Verify(t.Context(), decisionlog.VerifyOptions{Index: policy.Index})
	if err != nil || !report.Indexed {
		t.Errorf("the log does not verify: %v", err)
	}
	exec(t, w, `UPDATE decisionlog_events SET actor = 'nobody' WHERE idx = 0`)
	var tampered *decisionlog.TamperedIndex
	if _, err := w.log.Verify(t.Context(), decisionlog.VerifyOptions{Index: policy.Index}); !errors.As(err, &tampered) {
		t.Errorf("a changed column: got %v, want *decisionlog.TamperedIndex", err)
	}
}

// TestDecisionsAreEventV1: OPA's own type reads a decision, and there is nothing in it that OPA does not know.
func TestDecisionsAreEventV1(t *testing.T) {
	w := busy(t)
	for _, r := range w.records(t) {
		if r.Kind != decisionlog.Decision {
			continue
		}
		var ev logs.EventV1
		dec := json.NewDecoder(bytes.NewReader(r.Body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&ev); err != nil {
			t.Fatalf("event %d: %v", r.Index, err)
		}
		if ev.DecisionID != r.DecisionID || ev.Path != "webmail/decision/basis" || ev.Labels["id"] != "test" ||
			ev.Bundles["limiteduse"].Revision != w.gate.Revision() || ev.Input == nil || ev.Result == nil || !ev.Timestamp.Equal(r.At) {
			t.Errorf("event %d is incomplete: %s", r.Index, r.Body)
		}
		var in struct{ Input policy.Input }
		dec = json.NewDecoder(bytes.NewReader(r.Body))
		if err := dec.Decode(&in); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(in.Input)
		if err != nil || !bytes.Contains(r.Body, again) {
			t.Errorf("event %d: its input does not survive decoding (%v)", r.Index, err)
		}
	}
}

// TestReplay: every logged input gives the logged answer again, in another gate.
func TestReplay(t *testing.T) {
	w := busy(t)
	fresh := newWorld(t)
	replayed := 0
	for _, r := range w.records(t) {
		if r.Kind != decisionlog.Decision || slices.ContainsFunc(r.Clauses, func(c string) bool { return strings.HasPrefix(c, "FAIL-") }) {
			continue
		}
		var ev struct{ Input policy.Input }
		if err := json.Unmarshal(r.Body, &ev); err != nil {
			t.Fatal(err)
		}
		got, err := fresh.gate.Judge(t.Context(), policy.Term(ev.Input))
		if err != nil || got.Basis != r.Basis || (got.Basis != "") != r.Allowed {
			t.Errorf("event %d: replay gives %+v, %v, the log says %v on %q", r.Index, got, err, r.Allowed, r.Basis)
		}
		if !r.Allowed && !slices.Equal(got.Denials, r.Clauses) {
			t.Errorf("event %d: replay refuses by %v, the log by %v", r.Index, got.Denials, r.Clauses)
		}
		replayed++
	}
	if replayed != 14 {
		t.Errorf("replayed %d decisions, want 14", replayed)
	}
}

// TestPseudonyms: one owner is nobody in another's account; one member of staff is the same everywhere.
func TestPseudonyms(t *testing.T) {
	w := newWorld(t)
	by := func(actor policy.Actor, account policy.AccountID) decisionlog.Record {
		a := read()
		a.Actor, a.Account = actor, account
		w.gate.Authorize(t.Context(), a)
		all := w.records(t)
		return all[len(all)-1]
	}
	staff := policy.Actor{Kind: policy.Staff, Person: sam, MFA: true}
	if a, b := by(staff, annsBox), by(staff, bobsBox); a.Actor != b.Actor || a.Account == b.Account {
		t.Errorf("staff %s and %s in accounts %s and %s: want the same actor, different accounts", a.Actor, b.Actor, a.Account, b.Account)
	}
	owner := policy.Actor{Kind: policy.Owner, Person: ann}
	if a, b := by(owner, annsBox), by(owner, bobsBox); a.Actor == b.Actor {
		t.Error("an owner can be followed from account to account")
	}
	a := by(owner, annsBox)
	w.facts.change(annsBox, func(f *policy.AccountFacts) { f.LogKey = []byte("a new key after deletion") })
	if b := by(owner, annsBox); a.Actor == b.Actor || a.Account == b.Account {
		t.Error("a new log key leaves the old events linked")
	}
}

// TestRelease: what a listing found is in the log before it may leave.
func TestRelease(t *testing.T) {
	w := newWorld(t)
	grant := w.allow(t, list())
	if err := grant.Release(t.Context(), policy.Messages, []string{"a", "b"}, 1000); err != nil {
		t.Fatal(err)
	}
	all := w.records(t)
	var ev struct {
		Decision int64
		Items    int
		IDs      []string
		Bytes    int64
		Status   string
	}
	if err := json.Unmarshal(all[len(all)-1].Body, &ev); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[1].Ref != all[0].Index || ev.Decision != all[0].Index || ev.Items != 2 || len(ev.IDs) != 2 || ev.Bytes != 1024 || ev.Status != "done" {
		t.Errorf("got %d records, the last %s, want the listing's outcome", len(all), all[len(all)-1].Body)
	}
	wantNotCovered(t, "a second release", grant.Release(t.Context(), policy.Messages, nil, 0))
	grant.Finish(nil, 0, 0)

	other := w.allow(t, list())
	w.log.Close()
	err := other.Release(t.Context(), policy.Messages, []string{"a"}, 1)
	wantClosed(t, "a release that cannot be recorded", nil, err)
	wantNotCovered(t, "another try without a record", other.Release(t.Context(), policy.Messages, []string{"a"}, 1))
}

// TestReconcile: a decision without an outcome is told from one with, and closed as unknown, once.
func TestReconcile(t *testing.T) {
	w := newWorld(t)
	done, open := w.allow(t, read()), w.allow(t, read())
	a := read()
	a.Purpose = "ads"
	w.gate.Authorize(t.Context(), a) // a refusal is never open
	done.Finish(nil, 1, 1)
	done.Finish(errors.New("late"), 1, 1) // the first counts
	w.gate.Close()
	w.gate = w.secondGate(t)
	if n, err := w.gate.Reconcile(t.Context(), time.Minute); n != 0 || err != nil {
		t.Errorf("young decisions: got %d, %v, want 0", n, err)
	}
	w.clock.pass(time.Hour)
	if n, err := w.gate.Reconcile(t.Context(), time.Minute); n != 1 || err != nil {
		t.Errorf("got %d, %v, want 1", n, err)
	}
	if n, err := w.gate.Reconcile(t.Context(), time.Minute); n != 0 || err != nil {
		t.Errorf("again: got %d, %v, want 0", n, err)
	}
	outcomes := map[string]string{}
	for _, r := range w.records(t) {
		if r.Kind == decisionlog.Outcome {
			outcomes[r.DecisionID] += r.Outcome
		}
	}
	if outcomes[done.DecisionID()] != "done" || outcomes[open.DecisionID()] != "unknown" || len(outcomes) != 2 {
		t.Errorf("got outcomes %v, want one done and one unknown", outcomes)
	}
	w.allow(t, read())
	w.clock.pass(time.Hour)
	w.db.Close()
	if _, err := w.gate.Reconcile(t.Context(), time.Minute); err == nil {
		t.Error("Reconcile over a database that is gone gives no error")
	}
}

// TestFinishUnderLoad: Close waits for every outcome.
func TestFinishUnderLoad(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 50 {
				if grant, err := w.gate.Authorize(t.Context(), read()); err == nil {
					grant.Finish(nil, 1, 1)
				} else {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	w.gate.Close()
	w.clock.pass(time.Hour)
	open, err := w.log.OpenDecisions(t.Context(), 0, w.log.Now(), 10)
	if err != nil || len(open) != 0 {
		t.Errorf("got %d open decisions, %v, want none", len(open), err)
	}
}

// TestCancelled: whenever the caller gives up, no grant exists without its decision in the log.
func TestCancelled(t *testing.T) {
	const total, workers = 40_000, 64
	w := newWorld(t)
	granted := make([][]string, workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for n := range total / workers {
				ctx, cancel := context.WithCancel(t.Context())
				switch n % 4 {
				case 0: // never
				case 1:
					cancel()
				default:
					time.AfterFunc(time.Duration(random.IntN(12_000))*time.Microsecond, cancel)
				}
				grant, err := w.gate.Authorize(ctx, read())
				switch {
				case err == nil:
					granted[i] = append(granted[i], grant.DecisionID())
				case grant != nil || err != context.Canceled: // and no *policy.Closed: the gate was open
					t.Errorf("got %v, %v, want no grant and the context's error", grant, err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	logged := map[string]bool{}
	for _, r := range w.records(t) {
		logged[r.DecisionID] = r.Allowed
	}
	grants, unlogged := 0, 0
	for _, ids := range granted {
		for _, id := range ids {
			grants++
			if !logged[id] {
				unlogged++
			}
		}
	}
	t.Logf("%d tries, %d decisions logged, %d grants", total, len(logged), grants)
	if unlogged != 0 || grants < total/4 || grants > 3*total/4 {
		t.Errorf("%d of %d grants are not in the log; want 0 of between a quarter and three quarters", unlogged, grants)
	}
}

func FuzzIndex(f *testing.F) {
	for _, seed := range []string{
		`{"decision_id":"d","input":{"actor":{"kind":"owner"},"account":{"id":"a"}},"result":{"allow":true,"clauses":["LU-USE-1"]},"timestamp":"2026-11-02T09:00:00Z"}`,
		`{"kind":"outcome","decision":1,"decision_id":"d","timestamp":"2026-11-02T09:00:00Z","status":"done","items":1,"bytes":2}`,
		`{"kind":"lifecycle","event":"gate.started","timestamp":"2026-11-02T09:00:00Z","details":{"a":"b"}}`,
		`{"kind":"decision"}`, `{}`, `[]`, ``, `null`, `{"kind":"outcome","extra":1}`, `{"decision_id":"d"} x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		entry, err := policy.Index(body)
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Error("a body that is not JSON was indexed")
		}
		if !bytes.Equal(entry.Body, body) {
			t.Error("the body was changed")
		}
		again, err := policy.Index(body)
		if err != nil || !reflect.DeepEqual(entry, again) {
			t.Error("the same body gives other columns")
		}
	})
}

// FuzzComplete: whatever the caller leaves out or makes up, there is a grant only for a complete access of
// the owner to their own mailbox, and for the product's own counting, which is of no mailbox.
func FuzzComplete(f *testing.F) {
	f.Add("owner", string(ann), string(annsBox), "messages.get", "message", "m1", "", 0, "body", "inbox.read", "message_view", "")
	f.Add("staff", string(sam), string(annsBox), "messages.get", "message", "m1", "", 0, "body", "inbox.read", "message_view", "agreement")
	f.Add("service", "", "", "", "log", "", "INBOX", -1, "", "", "", "")
	f.Add("service", "", "", "aggregates.compute", "aggregate", "", "", 0, "derived", "internal_ops", "aggregate_release", "")
	w := newWorld(f)
	w.furnish()
	f.Fuzz(func(t *testing.T, kind, person, account, op, resource, id, label string, max int, class, purpose, feature, agreement string) {
		a := policy.Access{
			Actor: policy.Actor{Kind: policy.ActorKind(kind), Person: policy.PersonID(person)}, Account: policy.AccountID(account),
			Purpose: policy.Purpose(purpose), Feature: policy.Feature(feature), Agreement: agreement,
			Target: policy.Target{
				Operation: policy.Operation(op), Resource: policy.Resource{Kind: policy.ResourceKind(resource), Label: label, Max: max},
				Classes: []policy.DataClass{policy.DataClass(class)},
			},
		}
		if id != "" {
			a.Target.Resource.IDs = []string{id}
		}
		grant, err := w.gate.Authorize(t.Context(), a)
		if (grant == nil) == (err == nil) {
			t.Fatalf("got %v, %v, want either", grant, err)
		}
		owned := account == string(annsBox) && person == string(ann) || account == string(bobsBox) && person == string(bob)
		counting := kind == "service" && resource == "aggregate" && purpose == "internal_ops" && class == "derived"
		if grant != nil && !counting && (kind != "owner" || !owned || a.Target.Resource.Form() == "" || op == "" || class == "") {
			t.Errorf("allowed: %+v", a)
		}
	})
}
