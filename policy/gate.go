package policy

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// Config is what a Gate is built over.
type Config struct {
	Log          *decisionlog.Log
	Facts        Facts
	Prover       Prover            // of owners' agreements; nil where no owner can be asked
	Sources      *Sources          // where policies are kept for replay; nil where no bundle is followed and nothing replayed
	Witness      Witness           // of the log; nil where none is configured
	PseudonymKey []byte            // deployment-wide HMAC key for staff, at least 32 bytes
	Labels       map[string]string // EventV1 labels: who wrote the event (deployment, version); never content
}

// Witness is somebody outside who signs for the log's growth (DESIGN 4.1, 9). Package witness implements it.
type Witness interface {
	// Fresh returns an error while the log has grown for too long without a cosignature, or while the
	// witness knows another history of it.
	Fresh() error
	// Covers tells whether everything that was in the log at a time is cosigned.
	Covers(at time.Time) bool
}

// Gate decides and records. It is safe for concurrent use.
type Gate struct {
	log    *decisionlog.Log
	engine atomic.Pointer[engine] // the policy in force
	facts  Facts
	prover Prover
	seen   Witness
	key    []byte
	labels map[string]string

	closure closure // of the log, while it lasts

	sources    *Sources
	activation sync.Mutex // one policy comes into force at a time

	outcomes chan decisionlog.Entry // to the one goroutine that appends outcomes
	done     chan struct{}          // closed when that goroutine has ended
	mu       sync.RWMutex           // guards closing against sends on outcomes
	closing  bool
}

// NewGate compiles the embedded policy and opens the gate. There is no way to a Gate over another engine
// or without a log.
func NewGate(ctx context.Context, c Config) (*Gate, error) {
	if c.Log == nil || c.Facts == nil {
		return nil, errors.New("policy: a gate needs a decision log and facts")
	}
	if len(c.PseudonymKey) < 32 {
		return nil, errors.New("policy: the pseudonym key needs at least 32 bytes")
	}
	e, err := embedded()
	if err != nil {
		return nil, err
	}
	if c.Sources != nil {
		if err := c.Sources.keep(ctx, Embedded(), nil, c.Log.Now()); err != nil {
			return nil, err
		}
	}
	g := &Gate{
		log: c.Log, facts: c.Facts, prover: c.Prover, seen: c.Witness, sources: c.Sources, key: c.PseudonymKey, labels: c.Labels,
		outcomes: make(chan decisionlog.Entry, 1024), done: make(chan struct{}),
	}
	g.engine.Store(e)
	go g.appendOutcomes()
	return g, nil
}

// Close waits until every outcome is recorded. Grants stop being of use.
func (g *Gate) Close() {
	g.mu.Lock()
	if !g.closing {
		g.closing = true
		close(g.outcomes)
	}
	g.mu.Unlock()
	<-g.done
}

func (g *Gate) isClosing() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.closing
}

// Revision names the policy in force.
func (g *Gate) Revision() string { return g.engine.Load().revision }

// Authorize decides an access and records the decision. It returns a Grant only when the policy allows
// the access and the decision is durable; otherwise *Refused, or *Closed when it cannot decide or record.
func (g *Gate) Authorize(ctx context.Context, a Access) (*Grant, error) {
	if err := ctx.Err(); err != nil {
		return nil, err // nothing was decided
	}
	if g.isClosing() {
		return nil, g.closed("the gate is shutting down", nil)
	}
	if g.seen != nil {
		if err := g.seen.Fresh(); err != nil {
			return nil, g.shut("the log waits for its witness", err)
		}
	}
	a = a.clone() // what is decided, recorded and granted stays the same, whatever the caller does to its slices
	// From here on the caller's cancellation is ignored, so that no decision is made without its record.
	free := context.WithoutCancel(ctx)
	c, err := g.gather(free, a)
	if err != nil {
		return nil, err
	}
	result := g.judge(free, c)
	id, err := uuid.NewV7()
	if err != nil {
		return nil, g.closed("no randomness for a decision id", err)
	}
	entry, err := decisionEntry(id.String(), g.labels, c.engine.revision, c.input, result, c.now)
	if err != nil {
		return nil, g.closed("a decision could not be encoded", err)
	}
	index, err := g.log.Append(free, entry)
	if err != nil {
		return nil, g.shut("the decision log cannot be written", err)
	}
	g.reopened(free)
	if !result.Allow {
		return nil, &Refused{DecisionID: entry.DecisionID, Clauses: result.Clauses}
	}
	if err := ctx.Err(); err != nil {
		return nil, err // recorded, but nobody is waiting any more
	}
	return g.grant(a, c, entry.DecisionID, index), nil
}

// considered is an access with the facts that go with it.
type considered struct {
	engine     *engine // the policy in force when the access was asked for: it alone decides
	input      Input
	pseudonyms pseudonyms
	account    AccountFacts
	now        time.Time
	flaw       string // clause that refuses before the policy is asked, or ""
}

// gather joins the facts. What the stores do not know is a refusal to be recorded; a store that cannot be
// read is not.
func (g *Gate) gather(ctx context.Context, a Access) (considered, error) {
	c := considered{engine: g.engine.Load(), pseudonyms: pseudonyms{deployment: g.key}, now: g.log.Now()}
	if a.complete() != "" {
		c.flaw = ClauseIncomplete
		a.Target.Resource.IDs = a.Target.Resource.IDs[:min(len(a.Target.Resource.IDs), maxIDs)] // so that the refusal fits into an event
	}
	var k known
	var err error
	if k.account, err = fact(ctx, g, &c, "account", a.Account, g.facts.Account); err != nil {
		return c, err
	}
	if k.account != nil {
		if len(k.account.LogKey) < minLogKey {
			return c, g.closed("an account has no log key", nil)
		}
		c.account, c.pseudonyms.account = *k.account, k.account.LogKey
	}
	if k.instruction, err = fact(ctx, g, &c, "instruction", a.Instruction, g.facts.Instruction); err != nil {
		return c, err
	}
	if k.caller, err = fact(ctx, g, &c, "caller", a.Caller, g.facts.Caller); err != nil {
		return c, err
	}
	if k.release, err = fact(ctx, g, &c, "release", a.Release, g.facts.Release); err != nil {
		return c, err
	}
	if k.agreement, err = fact(ctx, g, &c, "agreement", a.Agreement, g.facts.Agreement); err != nil {
		return c, err
	}
	if k.agreement != nil {
		k.proof = g.prove(ctx, *k.agreement)
	}
	if k.proof != nil && g.seen != nil && !g.seen.Covers(k.proof.IssuedAt) {
		return c, g.closed("the witness has not signed yet for the log since the owner agreed; it will within a minute", nil)
	}
	if a.Actor.Kind == Staff {
		if err := g.onTime(); err != nil {
			return c, err
		}
		if k.acknowledged, err = g.facts.Acknowledged(ctx, a.Actor.Person); err != nil {
			return c, g.closed("the acknowledgement store cannot be read", err)
		}
	}
	if c.pseudonyms.account == nil {
		c.pseudonyms.account = g.key // no account, or an unknown one: still no identifier in the clear
	}
	c.input = newInput(a, k, c.pseudonyms, c.now)
	return c, nil
}

// fact looks one thing up that an access names, if it names one.
func fact[ID ~string, T any](ctx context.Context, g *Gate, c *considered, what string, id ID, look func(context.Context, ID) (T, error)) (*T, error) {
	if id == "" {
		return nil, nil
	}
	got, err := look(ctx, id)
	switch {
	case errors.Is(err, ErrUnknown):
		c.flaw = ClauseUnknown
		return nil, nil
	case err != nil:
		return nil, g.closed("the "+what+" store cannot be read", err)
	}
	return &got, nil
}

// prove verifies that the owner signed in over this very agreement. Anything less is no proof, and without
// one the rules see an agreement that nobody made.
func (g *Gate) prove(ctx context.Context, a Agreement) *Proof {
	if g.prover == nil || a.Proof == "" || a.Account == "" {
		return nil
	}
	proof, err := g.prover.Prove(ctx, a.Proof)
	if err != nil || subtle.ConstantTimeCompare([]byte(proof.Nonce), []byte(a.Nonce())) != 1 {
		return nil
	}
	if !proof.AuthTime.IsZero() && proof.IssuedAt.Sub(proof.AuthTime) > longestSession {
		return nil // the provider answered for a session of long ago, and nobody was asked
	}
	return &proof
}

// longestSession is how long before the proof the provider may have seen the owner authenticate, where it says when.
// The sign-in asks for five minutes; reading and answering the provider's page is the rest.
const longestSession = 15 * time.Minute

// longestSkew is how far clocks may be apart before an agreement's end cannot be told any more.
const longestSkew = time.Minute

// onTime refuses to let staff look at anything while the log's clock, which never runs back, and the
// machine's differ: a window of an hour would not be one (DESIGN 4.1, 21).
func (g *Gate) onTime() error {
	if drift := g.log.Drift(); drift > longestSkew {
		return g.closed("the clock runs "+drift.Round(time.Second).String()+" behind the log; set it right before staff can view messages", nil)
	}
	return nil
}

// judge asks the policy. Whatever is not a clear yes is a no.
func (g *Gate) judge(ctx context.Context, c considered) decisionResult {
	if c.flaw != "" {
		return decisionResult{Clauses: []string{c.flaw}}
	}
	return c.engine.answer(ctx, c.input.term())
}

func (g *Gate) grant(a Access, c considered, decisionID string, index int64) *Grant {
	ids := make(map[string]bool, len(a.Target.Resource.IDs))
	for _, id := range a.Target.Resource.IDs {
		ids[id] = true
	}
	grant := &Grant{
		gate: g, engine: c.engine, access: a, decisionID: decisionID, index: index, pseudonyms: c.pseudonyms, epoch: c.account.Epoch,
		expires: c.now.Add(time.Duration(c.engine.tables.Features[string(a.Feature)].TTLSeconds) * time.Second),
		once:    a.Actor.Kind == Staff || c.engine.tables.Operations[string(a.Target.Operation)].Effect != "read",
		ids:     ids, redeemed: map[string]bool{},
	}
	if c.input.Account != nil {
		grant.account = c.input.Account.ID
	}
	if agreed := c.input.Agreement; agreed != nil && time.UnixMicro(agreed.Expires).Before(grant.expires) {
		grant.expires = time.UnixMicro(agreed.Expires)
	}
	return grant
}

// Record appends a lifecycle event and waits until it is durable.
func (g *Gate) Record(ctx context.Context, l Lifecycle) error {
	p := pseudonyms{deployment: g.key, account: l.LogKey}
	if l.Account != "" && l.LogKey == nil {
		facts, err := g.facts.Account(ctx, l.Account)
		if err != nil {
			return g.closed("the account store cannot be read", err)
		}
		p.account = facts.LogKey
	}
	if l.Account != "" && len(p.account) < minLogKey {
		return g.closed("an account has no log key", nil)
	}
	entry, err := lifecycleEntry(l, p, g.log.Now())
	if err != nil {
		return err
	}
	if _, err := g.log.Append(context.WithoutCancel(ctx), entry); err != nil {
		return g.closed("the decision log cannot be written", err)
	}
	return nil
}

func (g *Gate) release(ctx context.Context, grant *Grant, kind ResourceKind, ids []string, size int64) error {
	named := grant.pseudonyms.ids(kind, ids)
	entry, err := outcomeEntry(grant.index, grant.decisionID, grant.account, Done, named, len(ids), size, g.log.Now())
	if err != nil {
		return g.closed("an outcome could not be encoded", err)
	}
	if _, err := g.log.Append(context.WithoutCancel(ctx), entry); err != nil {
		return g.closed("the decision log cannot be written", err)
	}
	return nil
}

func (g *Gate) finish(grant *Grant, status OutcomeStatus, items int, size int64) {
	entry, err := outcomeEntry(grant.index, grant.decisionID, grant.account, status, nil, items, size, g.log.Now())
	if err != nil {
		return // a fixed struct of numbers and pseudonyms always encodes
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	if !g.closing {
		g.outcomes <- entry
	}
}

// appendOutcomes writes outcomes in the order they came, several at a time. One that cannot be written
// leaves its decision open; the log is then closed for new decisions as well, and the next start (or
// Reconcile) marks it unknown.
func (g *Gate) appendOutcomes() {
	defer close(g.done)
	for entry := range g.outcomes {
		batch := []decisionlog.Entry{entry}
		for len(batch) < 128 {
			select {
			case next, ok := <-g.outcomes:
				if ok {
					batch = append(batch, next)
					continue
				}
			default:
			}
			break
		}
		_, _ = g.log.AppendAll(context.Background(), batch) // the log itself reports why in State
	}
}

// Reconcile marks allowed decisions without an outcome, older than age, as unknown: what a crash left
// open. It returns how many there were.
func (g *Gate) Reconcile(ctx context.Context, age time.Duration) (int, error) {
	n, from := 0, int64(0)
	for {
		open, err := g.log.OpenDecisions(ctx, from, g.log.Now().Add(-age), 500)
		if err != nil || len(open) == 0 {
			return n, err
		}
		batch := make([]decisionlog.Entry, 0, len(open))
		for _, d := range open {
			entry, err := outcomeEntry(d.Index, d.DecisionID, d.Account, Unknown, nil, 0, 0, g.log.Now())
			if err != nil {
				return n, err
			}
			batch = append(batch, entry)
		}
		if _, err := g.log.AppendAll(ctx, batch); err != nil {
			return n, g.closed("the decision log cannot be written", err)
		}
		n, from = n+len(batch), open[len(open)-1].Index+1
	}
}

// closed makes the error for a gate that cannot do its work now.
func (g *Gate) closed(why string, err error) error {
	c := &Closed{Since: g.log.Now(), Why: why, Err: err}
	if s := g.log.State(); !s.Since.IsZero() {
		c.Since = s.Since
	}
	if err != nil {
		c.Err = fmt.Errorf("%s: %w", why, err)
	}
	return c
}
