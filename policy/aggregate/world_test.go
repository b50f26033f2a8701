package aggregate_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/aggregate"
	"github.com/totalengage/webmail/policy/decisionlog"
)

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

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

var (
	october = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	after   = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) // October is over
	month   = aggregate.MonthOf(october)
)

// world is a service over a real gate and a real log, with as many owners as a test wants.
type world struct {
	policy.OwnersAlone
	db      *database.DB
	log     *decisionlog.Log
	gate    *policy.Gate
	store   *aggregate.Store
	service *aggregate.Service
	clock   *clock

	mu       sync.Mutex
	accounts map[policy.AccountID]policy.AccountFacts
	since    map[policy.AccountID]time.Time
	releases map[string]policy.Release // that the gate is told of instead of the store's
}

func newWorld(t *testing.T, db *database.DB) *world {
	t.Helper()
	w := &world{
		db: db, clock: &clock{now: october}, accounts: map[policy.AccountID]policy.AccountFacts{}, since: map[policy.AccountID]time.Time{},
		releases: map[string]policy.Release{},
	}
	const origin = "example.com/webmail/test"
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	must(t, err)
	signer, err := note.NewSigner(secret)
	must(t, err)
	verifier, err := note.NewVerifier(public)
	must(t, err)
	w.log, err = decisionlog.Open(t.Context(), db, decisionlog.Config{Origin: origin, Signer: signer, Verifier: verifier, Now: w.clock.Now})
	must(t, err)
	w.store, err = aggregate.Open(t.Context(), db)
	must(t, err)
	w.gate, err = policy.NewGate(t.Context(), policy.Config{Log: w.log, Facts: w, PseudonymKey: []byte("a deployment key of at least 32 bytes")})
	must(t, err)
	t.Cleanup(func() {
		w.gate.Close()
		_ = w.log.Close()
	})
	w.service = w.node(t)
	return w
}

// node is a service as another node would have it.
func (w *world) node(t *testing.T) *aggregate.Service {
	t.Helper()
	s, err := aggregate.New(aggregate.Config{Store: w.store, Gate: w.gate, Log: w.log, Facts: w, Mailboxes: w.mailboxes})
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) mailboxes(context.Context) ([]aggregate.Mailbox, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []aggregate.Mailbox
	for id, since := range w.since {
		all = append(all, aggregate.Mailbox{ID: id, Connected: since})
	}
	return all, nil
}

func (w *world) Account(_ context.Context, id policy.AccountID) (policy.AccountFacts, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	facts, ok := w.accounts[id]
	if !ok {
		return facts, policy.ErrUnknown
	}
	return facts, nil
}

func (w *world) Epoch(ctx context.Context, id policy.AccountID) (int64, error) {
	facts, err := w.Account(ctx, id)
	return facts.Epoch, err
}

func (w *world) Instruction(context.Context, string) (policy.Instruction, error) {
	return policy.Instruction{}, policy.ErrUnknown
}

func (w *world) Release(ctx context.Context, id string) (policy.Release, error) {
	if r, ok := w.releases[id]; ok {
		return r, nil
	}
	return w.store.Release(ctx, id)
}

func (w *world) Acknowledged(context.Context, policy.PersonID) (time.Time, error) {
	return october, nil
}

// person makes an owner with one mailbox, old enough and with consent.
func (w *world) person(i int) policy.AccountID {
	id := policy.AccountID(fmt.Sprintf("mailbox %d", i))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since[id] = october.AddDate(0, 0, -60)
	w.accounts[id] = policy.AccountFacts{
		Owner: policy.PersonID(fmt.Sprintf("owner %d", i)), State: "connected", Scopes: []string{"https://www.googleapis.com/auth/gmail.modify"}, Epoch: 1,
		Consent: policy.Consent{Version: 2, First: 2, Given: october.AddDate(0, 0, -60)}, LogKey: fmt.Appendf(nil, "the log key of mailbox %8d", i),
	}
	return id
}

func (w *world) change(id policy.AccountID, with func(*policy.AccountFacts)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	facts := w.accounts[id]
	with(&facts)
	w.accounts[id] = facts
}

// did is one decision as the gate would write it.
type did struct {
	feature string
	day     int
	refused []string // clauses
	failed  bool
}

// act writes what an owner did straight into the log: the gate's own events are tested apart, more slowly.
func (w *world) act(t *testing.T, id policy.AccountID, what ...did) {
	t.Helper()
	facts, err := w.Account(t.Context(), id)
	must(t, err)
	var entries []decisionlog.Entry
	for _, d := range what {
		entries = append(entries, decisionlog.Entry{
			Kind: decisionlog.Decision, At: october.AddDate(0, 0, d.day-1).Add(10 * time.Hour), DecisionID: rand.Text(), Ref: decisionlog.NoRef,
			ActorKind: "owner", Account: policy.MailboxPseudonym(facts.LogKey, id), Operation: "messages.get", Purpose: "inbox.read", Feature: d.feature,
			Allowed: len(d.refused) == 0, Clauses: d.refused, Body: []byte("{}"),
		})
	}
	first, err := w.log.AppendAll(t.Context(), entries)
	must(t, err)
	for i, d := range what {
		if !d.failed {
			continue
		}
		_, err := w.log.Append(t.Context(), decisionlog.Entry{
			Kind: decisionlog.Outcome, At: entries[i].At, DecisionID: entries[i].DecisionID, Ref: first + int64(i), Outcome: "failed", Body: []byte("{}"),
		})
		must(t, err)
	}
}

// crowd makes n owners who all did the same.
func (w *world) crowd(t *testing.T, n int, what ...did) {
	t.Helper()
	for i := range n {
		w.act(t, w.person(i), what...)
	}
}

// publish releases October.
func (w *world) publish(t *testing.T) aggregate.Release {
	t.Helper()
	w.clock.set(after)
	r, err := w.service.Publish(t.Context(), month)
	must(t, err)
	return r
}

// lifted is noise that lifts every cell over the bar, so that what is left is k alone, and true counts are
// the released ones less lift.
func lifted(n int64) (int64, error) { return n + lift, nil }

const lift = 1000

// numbers are the cells of a release.
func numbers(r aggregate.Release) map[string]int64 {
	out := map[string]int64{}
	for _, q := range r.Questions {
		for _, c := range q.Cells {
			out[q.ID+" "+c.ID] = c.Owners
		}
	}
	return out
}

// events lists the lifecycle events of a name.
func (w *world) events(t *testing.T, name string) []string {
	t.Helper()
	page, err := w.log.Query(t.Context(), decisionlog.Filter{Kind: decisionlog.Lifecycle, Operation: name, Limit: decisionlog.MaxPage})
	must(t, err)
	var bodies []string
	for _, r := range page.Records {
		bodies = append(bodies, string(r.Body))
	}
	return bodies
}

// restore empties the ledger, as a backup from before the release would.
func restore(t *testing.T, w *world) {
	t.Helper()
	must(t, w.db.Write(t.Context(), func(tx *sql.Tx) error {
		for _, table := range []string{"aggregate_releases", "aggregate_ledger"} {
			if _, err := tx.ExecContext(t.Context(), `DELETE FROM `+table); err != nil {
				return err
			}
		}
		return nil
	}))
}
