package policy_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

const (
	gmailModify = "https://www.googleapis.com/auth/gmail.modify"
	gmailRead   = "https://www.googleapis.com/auth/gmail.readonly"
)

// Canaries: identifiers that must never be found in the log.
const (
	ann, bob   = policy.PersonID("canary-person-ann"), policy.PersonID("canary-person-bob")
	sam        = policy.PersonID("canary-staff-sam")
	annsBox    = policy.AccountID("canary-account-ann@example.com")
	bobsBox    = policy.AccountID("canary-account-bob@example.com")
	messageOne = "canary-message-1"
)

// stores stands in for the server's own stores.
type stores struct {
	mu           sync.Mutex
	accounts     map[policy.AccountID]policy.AccountFacts
	instructions map[string]policy.Instruction
	agreements   map[string]policy.Agreement
	callers      map[string]policy.Caller
	releases     map[string]policy.Release
	acknowledged map[policy.PersonID]time.Time
	fault        error // of every question
	slow         func()
}

func (s *stores) Account(_ context.Context, id policy.AccountID) (policy.AccountFacts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slow != nil {
		s.slow()
	}
	if s.fault != nil {
		return policy.AccountFacts{}, s.fault
	}
	facts, ok := s.accounts[id]
	if !ok {
		return facts, policy.ErrUnknown
	}
	return facts, nil
}

func (s *stores) Epoch(ctx context.Context, id policy.AccountID) (int64, error) {
	facts, err := s.Account(ctx, id)
	return facts.Epoch, err
}

func (s *stores) Instruction(_ context.Context, id string) (policy.Instruction, error) {
	return look(s, s.instructions, id)
}

func (s *stores) Agreement(_ context.Context, id string) (policy.Agreement, error) {
	return look(s, s.agreements, id)
}

func (s *stores) Caller(_ context.Context, id string) (policy.Caller, error) {
	return look(s, s.callers, id)
}

func (s *stores) Release(_ context.Context, id string) (policy.Release, error) {
	return look(s, s.releases, id)
}

func (s *stores) Acknowledged(_ context.Context, person policy.PersonID) (time.Time, error) {
	at, err := look(s, s.acknowledged, person)
	if errors.Is(err, policy.ErrUnknown) {
		return time.Time{}, nil
	}
	return at, err
}

func look[ID comparable, T any](s *stores, known map[ID]T, id ID) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		var none T
		return none, s.fault
	}
	found, ok := known[id]
	if !ok {
		return found, policy.ErrUnknown
	}
	return found, nil
}

func (s *stores) change(id policy.AccountID, with func(*policy.AccountFacts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	facts := s.accounts[id]
	with(&facts)
	s.accounts[id] = facts
}

func (s *stores) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = err
}

// clock is a clock that only the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a gate with everything around it.
type world struct {
	gate  *policy.Gate
	log   *decisionlog.Log
	db    *database.DB
	facts *stores
	clock *clock

	google *signIns
}

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func newWorld(tb testing.TB) *world {
	tb.Helper()
	const origin = "example.com/webmail/test"
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		tb.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		tb.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		tb.Fatal(err)
	}
	db, err := database.Open(tb.Context(), "sqlite:"+filepath.Join(tb.TempDir(), "log.db"))
	if err != nil {
		tb.Fatal(err)
	}
	w := &world{db: db, clock: &clock{now: start}, facts: newStores(), google: &signIns{}}
	w.log, err = decisionlog.Open(tb.Context(), db, decisionlog.Config{Origin: origin, Signer: signer, Verifier: verifier, Now: w.clock.Now})
	if err != nil {
		tb.Fatal(err)
	}
	w.gate = w.secondGate(tb)
	tb.Cleanup(func() {
		w.gate.Close()
		w.log.Close()
		w.db.Close()
	})
	return w
}

func (w *world) secondGate(tb testing.TB) *policy.Gate {
	tb.Helper()
	gate, err := policy.NewGate(tb.Context(), policy.Config{
		Log: w.log, Facts: w.facts, Prover: w.google, PseudonymKey: []byte("a deployment key of at least 32 bytes"),
		Labels: map[string]string{"id": "test"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return gate
}

func newStores() *stores {
	account := func(owner policy.PersonID, key string) policy.AccountFacts {
		return policy.AccountFacts{
			Owner: owner, State: "connected", Scopes: []string{gmailModify}, Epoch: 1,
			Consent: policy.Consent{Version: 2, First: 2, Given: start.Add(-time.Hour)}, LogKey: []byte(key),
		}
	}
	waiting := policy.Instruction{ID: "canary-instruction", Account: annsBox, Feature: "send", Resource: "canary-row", Given: start.Add(-time.Minute), Expires: start.Add(time.Hour)}
	expired, future, organise, anotherRow := waiting, waiting, waiting, waiting
	expired.ID, expired.Expires = "expired", start
	future.ID, future.Given = "future", start.Add(time.Second)
	anotherRow.ID, anotherRow.Resource = "another row", "another row"
	organise.ID, organise.Feature = "organise", "organise"
	return &stores{
		accounts: map[policy.AccountID]policy.AccountFacts{
			annsBox: account(ann, "the log key of ann's account"),
			bobsBox: account(bob, "the log key of bob's account"),
		},
		instructions: map[string]policy.Instruction{"canary-instruction": waiting, "expired": expired, "future": future, "organise": organise, "another row": anotherRow},
		agreements:   map[string]policy.Agreement{},
		callers:      map[string]policy.Caller{},
		releases:     map[string]policy.Release{},
		acknowledged: map[policy.PersonID]time.Time{sam: start.Add(-100 * 24 * time.Hour)},
	}
}

// read is Ann reading one of her messages; the tests change one thing of it at a time.
func read() policy.Access {
	return policy.Access{
		Actor: policy.Actor{Kind: policy.Owner, Person: ann}, Account: annsBox, Purpose: "inbox.read", Feature: "message_view",
		Target: policy.Target{
			Operation: "messages.get", Resource: policy.IDs(policy.Messages, messageOne),
			Classes: []policy.DataClass{policy.Metadata, policy.Header, policy.Body}, Params: "format=full",
		},
	}
}

// list is Ann searching her mail.
func list() policy.Access {
	return policy.Access{
		Actor: policy.Actor{Kind: policy.Owner, Person: ann}, Account: annsBox, Purpose: "inbox.search", Feature: "search",
		Target: policy.Target{
			Operation: "messages.list", Resource: policy.Collection(policy.Messages, "canary-label", 50),
			Classes: []policy.DataClass{policy.Metadata}, Params: "q=canary-search-text",
		},
	}
}

// send is the outbox sending what Ann wrote.
func send() policy.Access {
	return policy.Access{
		Actor: policy.Actor{Kind: policy.Service}, Account: annsBox, Purpose: "inbox.send", Feature: "send", Instruction: "canary-instruction", Subject: "canary-row",
		Target: policy.Target{
			Operation: "drafts.send", Resource: policy.IDs(policy.Drafts, "canary-draft"),
			Classes: []policy.DataClass{policy.Header, policy.Body, policy.Attachment}, Body: policy.Digest{1},
		},
	}
}

// organise is Ann archiving conversations.
func organise(threads ...string) policy.Access {
	return policy.Access{
		Actor: policy.Actor{Kind: policy.Owner, Person: ann}, Account: annsBox, Purpose: "inbox.organise", Feature: "organise",
		Target: policy.Target{
			Operation: "threads.modify", Resource: policy.IDs(policy.Threads, threads...),
			Classes: []policy.DataClass{policy.Label, policy.Metadata}, Body: policy.Digest{2},
		},
	}
}

// audit is an auditor reading the log.
func audit() policy.Access {
	return policy.Access{
		Actor:   policy.Actor{Kind: policy.Auditor, Person: sam, Roles: []string{"auditor"}, MFA: true},
		Purpose: "audit.read", Feature: "audit_log",
		Target: policy.Target{Operation: "log.query", Resource: policy.Collection(policy.Log, "", 100), Classes: []policy.DataClass{policy.Decisions}},
	}
}

func (w *world) allow(tb testing.TB, a policy.Access) *policy.Grant {
	tb.Helper()
	grant, err := w.gate.Authorize(tb.Context(), a)
	if err != nil {
		tb.Fatalf("the plain case was refused: %v", err)
	}
	return grant
}

// records returns the whole log, oldest first.
func (w *world) records(tb testing.TB) []decisionlog.Record {
	tb.Helper()
	var all []decisionlog.Record
	for before := int64(0); ; {
		page, err := w.log.Query(tb.Context(), decisionlog.Filter{Before: before, Limit: decisionlog.MaxPage})
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, page.Records...)
		if before = page.Next; before == 0 {
			slices.Reverse(all)
			return all
		}
	}
}

func TestAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		access policy.Access
		basis  string
	}{
		"owner reads": {read(), "owner_at_page"}, "owner searches": {list(), "owner_at_page"}, "owner archives": {organise("t1"), "owner_at_page"},
		"outbox sends": {send(), "standing_instruction"}, "auditor reads the log": {audit(), "audit"},
		"owner loads images": {image(), "transfer"}, "owner looks back": {lookBack(), "own_data"}, "owner takes a copy": {takeCopy(), "own_data"},
		"another service counts unread mail": {badge(), "platform_caller"}, "support sees an agreed message": {view(), "agreement"},
		"the product counts": {count(), "aggregation"}, "operations reads numbers": {chart(), "aggregate_report"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.furnish()
			grant := w.allow(t, c.access)
			if err := w.gate.Use(t.Context(), grant, c.access.Target); err != nil {
				t.Errorf("the grant does not cover its own access: %v", err)
			}
			got := w.records(t)
			if len(got) != 1 || got[0].DecisionID != grant.DecisionID() || !got[0].Allowed || got[0].Basis != c.basis {
				t.Errorf("got records %+v, want one allowed decision on the basis %s", got, c.basis)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	someone := func(kind policy.ActorKind, person policy.PersonID, roles ...string) func(*policy.Access, *world) {
		return func(a *policy.Access, _ *world) {
			a.Actor = policy.Actor{Kind: kind, Person: person, Roles: roles, MFA: true}
		}
	}
	purpose := func(p policy.Purpose) func(*policy.Access, *world) {
		return func(a *policy.Access, _ *world) { a.Purpose = p }
	}
	facts := func(change func(*policy.AccountFacts)) func(*policy.Access, *world) {
		return func(_ *policy.Access, w *world) { w.facts.change(annsBox, change) }
	}
	for _, c := range []struct {
		name   string
		access policy.Access
		change func(*policy.Access, *world)
		clause string
	}{
		{"staff", read(), someone(policy.Staff, sam, "support", "approver", "auditor", "reviewer"), "LU-HUM-1"},
		{"staff with an agreement's id", read(), func(a *policy.Access, _ *world) {
			a.Actor, a.Agreement = policy.Actor{Kind: policy.Staff, Person: sam, MFA: true}, "any"
		}, policy.ClauseUnknown},
		{"auditor", read(), someone(policy.Auditor, sam, "auditor"), "LU-HUM-1"},
		{"reviewer", read(), someone(policy.Reviewer, sam, "reviewer"), "LU-HUM-1"},
		{"another owner", read(), someone(policy.Owner, bob), "LU-HUM-1"},
		{"a delegate of the owner", read(), someone("delegate", ann), policy.ClauseIncomplete},
		{"an administrator", read(), someone("admin", sam), policy.ClauseIncomplete},
		{"a service at large", read(), func(a *policy.Access, _ *world) {
			a.Actor, a.Instruction, a.Subject = policy.Actor{Kind: policy.Service}, "canary-instruction", "canary-row"
		}, "LU-HUM-1"},
		{"marketing", read(), purpose("marketing.audience"), "LU-PROH-ADS"},
		{"ads", read(), purpose("ads.serve"), "LU-PROH-ADS"},
		{"training", read(), purpose("ai.train"), "LU-PROH-AI"},
		{"credit", read(), purpose("credit.score"), "LU-PROH-CREDIT"},
		{"lending", read(), purpose("lending.limit"), "LU-PROH-CREDIT"},
		{"surveillance", read(), purpose("surveillance.report"), "LU-PROH-SURV"},
		{"export", read(), purpose("export.bulk"), "LU-PROH-DB"},
		{"lead scoring", read(), purpose("lead_scoring"), "LU-USE-1"},
		{"the purpose of another feature", read(), purpose("inbox.send"), "LU-USE-1"},
		{"no purpose", read(), purpose(""), policy.ClauseIncomplete},
		{"an unknown feature", read(), func(a *policy.Access, _ *world) { a.Feature = "insights" }, "LU-USE-1"},
		{"a data class the feature lacks", read(), func(a *policy.Access, _ *world) { a.Target.Classes = append(a.Target.Classes, policy.Attachment) }, "LU-USE-1"},
		{"the whole mailbox", list(), func(a *policy.Access, _ *world) { a.Target.Resource.Max = 501 }, "LU-USE-1"},
		{"a recipient", read(), func(a *policy.Access, _ *world) { a.Recipient = "translator" }, "LU-XFER-1"},
		{"an advertiser", read(), func(a *policy.Access, _ *world) { a.Recipient = "ad_platform.acme" }, "LU-XFER-5"},
		{"a broker", read(), func(a *policy.Access, _ *world) { a.Recipient = "data_broker" }, "LU-XFER-5"},
		{"disconnected", read(), facts(func(f *policy.AccountFacts) { f.State = "disconnected" }), "DEL-1"},
		{"no consent", read(), facts(func(f *policy.AccountFacts) { f.Consent = policy.Consent{} }), "DISC-2"},
		{"consent to come", read(), facts(func(f *policy.AccountFacts) { f.Consent.Given = start.Add(time.Second) }), "DISC-2"},
		{"no scope", read(), facts(func(f *policy.AccountFacts) { f.Scopes = nil }), "MIN-2"},
		{"a reader's scope for a change", organise("t"), facts(func(f *policy.AccountFacts) { f.Scopes = []string{gmailRead} }), "MIN-2"},
		{"an owner gone", read(), facts(func(f *policy.AccountFacts) { f.Owner = "" }), "LU-HUM-1"},
		{"another's mailbox", read(), func(a *policy.Access, _ *world) { a.Account = bobsBox }, "LU-HUM-1"},
		{"an unknown mailbox", read(), func(a *policy.Access, _ *world) { a.Account = "nobody" }, policy.ClauseUnknown},
		{"an unknown instruction", send(), func(a *policy.Access, _ *world) { a.Instruction = "none" }, policy.ClauseUnknown},
		{"no instruction", send(), func(a *policy.Access, _ *world) { a.Instruction = "" }, policy.ClauseIncomplete},
		{"an instruction for another row", send(), func(a *policy.Access, _ *world) { a.Instruction = "another row" }, "LU-HUM-1"},
		{"another row than the instruction's", send(), func(a *policy.Access, _ *world) { a.Subject = "another row" }, "LU-HUM-1"},
		{"no subject", send(), func(a *policy.Access, _ *world) { a.Subject = "" }, policy.ClauseIncomplete},
		{"an expired instruction", send(), func(a *policy.Access, _ *world) { a.Instruction = "expired" }, "LU-HUM-1"},
		{"an instruction to come", send(), func(a *policy.Access, _ *world) { a.Instruction = "future" }, "LU-HUM-1"},
		{"an instruction for another feature", send(), func(a *policy.Access, _ *world) { a.Instruction = "organise" }, "LU-HUM-1"},
		{"an instruction of another mailbox", send(), func(a *policy.Access, _ *world) { a.Account = bobsBox }, "LU-HUM-1"},
		{"an auditor without a second factor", audit(), func(a *policy.Access, _ *world) { a.Actor.MFA = false }, "LU-HUM-6"},
		{"an auditor without the role", audit(), func(a *policy.Access, _ *world) { a.Actor.Roles = []string{"reviewer"} }, "LU-HUM-6"},
		{"an owner reading the log", audit(), someone(policy.Owner, ann, "auditor"), "LU-HUM-6"},
		{"an auditor reading mail through the log's door", audit(), func(a *policy.Access, _ *world) { a.Target.Classes = []policy.DataClass{policy.Body} }, "LU-HUM-6"},
		{"images without consent", image(), func(a *policy.Access, _ *world) { a.Instruction, a.Subject = "", "" }, "LU-XFER-1"},
		{"images on another's consent", image(), func(a *policy.Access, _ *world) { a.Account = bobsBox; a.Actor.Person = bob }, "LU-XFER-1"},
		{"images on an instruction to send", image(), func(a *policy.Access, _ *world) { a.Instruction, a.Subject = "canary-instruction", "canary-row" }, "LU-XFER-1"},
		{"images to another host", image(), func(a *policy.Access, _ *world) { a.Subject = "canary-other-host" }, "LU-XFER-1"},
		{"images before thirty days", image(), facts(func(f *policy.AccountFacts) {
			f.Consent.First, f.Consent.Notified = 1, start.Add(-30*24*time.Hour+time.Microsecond)
		}), "CHG-2"},
		{"images under the older text", image(), facts(func(f *policy.AccountFacts) { f.Consent.Version, f.Consent.First = 1, 1 }), "CHG-1"},
		{"an unknown caller", badge(), func(a *policy.Access, _ *world) { a.Caller = "nobody" }, policy.ClauseUnknown},
		{"a caller without consent", badge(), func(a *policy.Access, _ *world) { a.Instruction, a.Subject = "", "" }, "LU-XFER-1"},
		{"a caller that the owner did not connect", badge(), func(a *policy.Access, _ *world) { a.Caller = "erp" }, "LU-XFER-1"},
		{"a caller for a purpose that its key does not list", badge(), func(_ *policy.Access, w *world) {
			w.facts.callers["crm"] = policy.Caller{ID: "crm", Purposes: []policy.Purpose{"inbox.compose"}}
		}, "LU-XFER-1"},
		{"a caller scoring leads", badge(), purpose("lead_scoring"), "LU-USE-1"},
		{"a caller for marketing", badge(), purpose("marketing.audience"), "LU-PROH-ADS"},
		{"a caller exporting", badge(), purpose("export.bulk"), "LU-PROH-DB"},
		{"a caller as the owner", read(), func(a *policy.Access, _ *world) { a.Caller = "crm" }, "LU-HUM-1"},
		{"an unknown release", chart(), func(a *policy.Access, _ *world) { a.Release = "none" }, policy.ClauseUnknown},
		{"numbers about 49", chart(), func(_ *policy.Access, w *world) {
			w.facts.releases["canary-release"] = policy.Release{ID: "canary-release", Owners: 49, Released: start}
		}, "LU-HUM-2"},
		{"numbers not released", chart(), func(_ *policy.Access, w *world) {
			w.facts.releases["canary-release"] = policy.Release{ID: "canary-release", Owners: 500}
		}, "LU-HUM-2"},
		{"numbers of another release", chart(), func(a *policy.Access, _ *world) { a.Target.Resource.IDs = []string{"other"} }, "LU-HUM-2"},
		{"operations without acknowledgement", chart(), func(_ *policy.Access, w *world) { delete(w.facts.acknowledged, sam) }, "LU-HUM-5"},
		{"a copy of another's data", takeCopy(), someone(policy.Owner, bob), "LU-HUM-1"},
		{"a copy for staff", takeCopy(), someone(policy.Staff, sam, "support"), "LU-HUM-1"},
		{"history of another's mailbox", lookBack(), someone(policy.Owner, bob), "LU-HUM-6"},
		{"too many ids", read(), func(a *policy.Access, _ *world) { a.Target.Resource.IDs = manyIDs(5000) }, policy.ClauseIncomplete},
		{"an empty id", read(), func(a *policy.Access, _ *world) { a.Target.Resource.IDs = []string{""} }, policy.ClauseIncomplete},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.furnish()
			c.change(&c.access, w)
			grant, err := w.gate.Authorize(t.Context(), c.access)
			var refused *policy.Refused
			if grant != nil || !errors.As(err, &refused) {
				t.Fatalf("got %v, %v, want a refusal", grant, err)
			}
			if !slices.Contains(refused.Clauses, c.clause) {
				t.Errorf("refused by %v, want %s among them", refused.Clauses, c.clause)
			}
			got := w.records(t)
			if len(got) != 1 || got[0].Allowed || got[0].DecisionID != refused.DecisionID || !slices.Equal(got[0].Clauses, refused.Clauses) {
				t.Errorf("got records %+v, want the refusal", got)
			}
		})
	}
}

func image() policy.Access {
	return policy.Access{
		Actor: policy.Actor{Kind: policy.Owner, Person: ann}, Account: annsBox, Purpose: "inbox.read", Feature: "remote_images",
		Recipient: "remote_host", Instruction: "canary-images", Subject: "canary-host",
		Target: policy.Target{Operation: "remote.get", Resource: policy.IDs(policy.Messages, messageOne), Classes: []policy.DataClass{policy.Derived}},
	}
}

func badge() policy.Access {
	return policy.Access{
		Actor: policy.Actor{Kind: policy.Service}, Caller: "crm", Account: annsBox, Purpose: "inbox.sync", Feature: "unread_badge",
		Recipient: "platform_service", Instruction: "canary-connected", Subject: "crm",
		Target: policy.Target{Operation: "labels.get", Resource: policy.IDs(policy.Labels, "INBOX"), Classes: []policy.DataClass{policy.Label}},
	}
}

func lookBack() policy.Access {
	a := audit()
	a.Actor, a.Account, a.Purpose, a.Feature = policy.Actor{Kind: policy.Owner, Person: ann}, annsBox, "account.manage", "access_history"
	return a
}

func takeCopy() policy.Access {
	return policy.Access{
		Actor: policy.Actor{Kind: policy.Owner, Person: ann}, Account: annsBox, Purpose: "account.manage", Feature: "data_download",
		Target: policy.Target{Operation: "store.export", Resource: policy.Collection(policy.StoreRows, "", 500), Classes: []policy.DataClass{policy.Settings, policy.Body}},
	}
}

func count() policy.Access {
	return policy.Access{
		Actor: policy.Actor{Kind: policy.Service}, Purpose: "internal_ops", Feature: "aggregate_release",
		Target: policy.Target{Operation: "aggregates.compute", Resource: policy.New(policy.Aggregates), Classes: []policy.DataClass{policy.Derived}},
	}
}

func chart() policy.Access {
	return policy.Access{
		Actor: policy.Actor{Kind: policy.Staff, Person: sam, Roles: []string{"operations"}, MFA: true}, Purpose: "internal_ops", Feature: "aggregate_report", Release: "canary-release",
		Target: policy.Target{Operation: "aggregates.read", Resource: policy.IDs(policy.Aggregates, "canary-release"), Classes: []policy.DataClass{policy.Aggregate}},
	}
}

// furnish gives the world what the accesses beyond Ann's own need: her consents, her agreement, a caller, a release.
func (w *world) furnish() {
	consent := func(id string, feature policy.Feature, recipient, resource string) {
		w.facts.instructions[id] = policy.Instruction{ID: id, Account: annsBox, Feature: feature, Recipient: recipient, Resource: resource, Given: start, Expires: start.Add(time.Hour)}
	}
	consent("canary-images", "remote_images", "remote_host", "canary-host")
	consent("canary-connected", "unread_badge", "platform_service", "crm")
	for _, id := range []string{"crm", "erp"} {
		w.facts.callers[id] = policy.Caller{ID: id, Purposes: []policy.Purpose{"inbox.sync"}}
	}
	w.facts.releases["canary-release"] = policy.Release{ID: "canary-release", Owners: 50, Released: start}
	w.agree(asked())
}

func manyIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%016x", i)
	}
	return ids
}

// TestIncomplete empties every field that a decision needs; nothing may be decided without it.
func TestIncomplete(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*policy.Access){
		"everything":    func(a *policy.Access) { *a = policy.Access{} },
		"actor":         func(a *policy.Access) { a.Actor = policy.Actor{} },
		"person":        func(a *policy.Access) { a.Actor.Person = "" },
		"account":       func(a *policy.Access) { a.Account = "" },
		"operation":     func(a *policy.Access) { a.Target.Operation = "" },
		"resource":      func(a *policy.Access) { a.Target.Resource = policy.Resource{} },
		"resource kind": func(a *policy.Access) { a.Target.Resource.Kind = "" },
		"ids":           func(a *policy.Access) { a.Target.Resource.IDs = nil },
		"ids and new":   func(a *policy.Access) { a.Target.Resource.New = true },
		"ids and max":   func(a *policy.Access) { a.Target.Resource.Max = 1 },
		"ids and label": func(a *policy.Access) { a.Target.Resource.Label = "INBOX" },
		"new and label": func(a *policy.Access) {
			a.Target.Resource = policy.Resource{Kind: policy.Messages, New: true, Label: "INBOX"}
		},
		"negative max":   func(a *policy.Access) { a.Target.Resource = policy.Collection(policy.Messages, "", -1) },
		"classes":        func(a *policy.Access) { a.Target.Classes = nil },
		"purpose":        func(a *policy.Access) { a.Purpose = "" },
		"feature":        func(a *policy.Access) { a.Feature = "" },
		"target":         func(a *policy.Access) { a.Target = policy.Target{} },
		"kind of a log":  func(a *policy.Access) { a.Account, a.Target.Resource.Kind = "", "mailbox" },
		"actor's letter": func(a *policy.Access) { a.Actor.Kind = "Owner" },
	} {
		a := read()
		change(&a)
		grant, err := w.gate.Authorize(t.Context(), a)
		var refused *policy.Refused
		if grant != nil || !errors.As(err, &refused) || !slices.Contains(refused.Clauses, policy.ClauseIncomplete) {
			t.Errorf("without %s: got %v, %v, want %s", name, grant, err, policy.ClauseIncomplete)
		}
	}
}

func TestNewGateNeedsAll(t *testing.T) {
	w := newWorld(t)
	key := make([]byte, 32)
	for name, c := range map[string]policy.Config{
		"a log": {Facts: w.facts, PseudonymKey: key}, "facts": {Log: w.log, PseudonymKey: key},
		"a key": {Log: w.log, Facts: w.facts}, "a long key": {Log: w.log, Facts: w.facts, Prover: w.google, PseudonymKey: key[:31]},
	} {
		if g, err := policy.NewGate(t.Context(), c); err == nil {
			g.Close()
			t.Errorf("a gate without %s was made", name)
		}
	}
}

func wantClosed(t *testing.T, what string, grant *policy.Grant, err error) {
	t.Helper()
	var closed *policy.Closed
	if grant != nil || !errors.As(err, &closed) || closed.Since.IsZero() || closed.Why == "" {
		t.Errorf("%s: got %v, %v, want no grant and *policy.Closed that says since when and why", what, grant, err)
	}
}

// TestClosed: what cannot be recorded or known is not allowed.
func TestClosed(t *testing.T) {
	t.Run("the database is gone", func(t *testing.T) {
		w := newWorld(t)
		w.db.Close()
		grant, err := w.gate.Authorize(t.Context(), read())
		wantClosed(t, "a database closed", grant, err)
	})
	t.Run("the table cannot be written", func(t *testing.T) {
		w := newWorld(t)
		exec(t, w, `CREATE TRIGGER no_more BEFORE INSERT ON decisionlog_events BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
		grant, err := w.gate.Authorize(t.Context(), read())
		wantClosed(t, "a table that takes nothing", grant, err)
		exec(t, w, `DROP TRIGGER no_more`)
		w.allow(t, read()) // and it opens again by itself
	})
	t.Run("the log is closed", func(t *testing.T) {
		w := newWorld(t)
		w.log.Close()
		grant, err := w.gate.Authorize(t.Context(), read())
		wantClosed(t, "a closed log", grant, err)
	})
	t.Run("the stores cannot be read", func(t *testing.T) {
		w := newWorld(t)
		grant := w.allow(t, read())
		w.facts.fail(errors.New("disk"))
		got, err := w.gate.Authorize(t.Context(), read())
		wantClosed(t, "stores that fail", got, err)
		wantClosed(t, "Use", nil, w.gate.Use(t.Context(), grant, read().Target))
		wantClosed(t, "Valid", nil, w.gate.Valid(t.Context(), grant))
		w.facts.fail(nil)
		if err := w.gate.Use(t.Context(), grant, read().Target); err != nil {
			t.Errorf("after the stores recovered: %v", err)
		}
	})
	t.Run("the account has no key", func(t *testing.T) {
		w := newWorld(t)
		w.facts.change(annsBox, func(f *policy.AccountFacts) { f.LogKey = nil })
		grant, err := w.gate.Authorize(t.Context(), read())
		wantClosed(t, "no key", grant, err)
		wantClosed(t, "Record", nil, w.gate.Record(t.Context(), policy.Lifecycle{Event: "account.connected", Account: annsBox}))
		wantClosed(t, "Record with an empty key", nil, w.gate.Record(t.Context(), policy.Lifecycle{Event: "account.connected", Account: annsBox, LogKey: []byte{}}))
	})
	t.Run("the gate is closed", func(t *testing.T) {
		w := newWorld(t)
		grant := w.allow(t, read())
		w.gate.Close()
		w.gate.Close() // twice is once
		got, err := w.gate.Authorize(t.Context(), read())
		wantClosed(t, "a closed gate", got, err)
		wantNotCovered(t, "a grant of a closed gate", w.gate.Use(t.Context(), grant, read().Target))
		grant.Finish(nil, 0, 0) // must not panic on the closed channel
	})
	t.Run("an event that cannot be appended", func(t *testing.T) {
		w := newWorld(t)
		a := read()
		a.Purpose = policy.Purpose(make([]byte, 70_000))
		if grant, err := w.gate.Authorize(t.Context(), a); grant != nil || err == nil {
			t.Errorf("got %v, %v, want an error", grant, err)
		}
		w.allow(t, read()) // it concerned nobody else
	})
}

func exec(t *testing.T, w *world, statement string) {
	t.Helper()
	err := w.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCallerChangesItsMind: an access is a value with slices in it, which the caller still holds.
func TestCallerChangesItsMind(t *testing.T) {
	t.Run("while it is decided", func(t *testing.T) {
		w := newWorld(t)
		a := read()
		w.facts.slow = func() { a.Target.Resource.IDs[0] = "another" }
		grant := w.allow(t, a)
		other := read().Target
		other.Resource.IDs = []string{"another"}
		wantNotCovered(t, "an id that came in during the decision", w.gate.Use(t.Context(), grant, other))
	})
	t.Run("afterwards", func(t *testing.T) {
		w := newWorld(t)
		a := read()
		grant := w.allow(t, a)
		a.Target.Classes[0] = policy.Attachment
		stretched := read().Target
		stretched.Classes = []policy.DataClass{policy.Attachment}
		wantNotCovered(t, "a class changed in the caller's slice", w.gate.Use(t.Context(), grant, stretched))
	})
}
