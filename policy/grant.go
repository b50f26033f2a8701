package policy

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Grant is the proof that one access was decided, allowed and recorded. Only [Gate.Authorize] makes one.
// It is a value to hand on, never something to look for in a context. The zero Grant covers nothing.
//
// Reads may repeat until the grant expires. Writes and sends are redeemed once per id.
type Grant struct {
	gate       *Gate
	engine     *engine // under which it was decided
	access     Access
	decisionID string
	index      int64 // leaf of the decision
	pseudonyms pseudonyms
	account    string // the account's pseudonym
	epoch      int64
	expires    time.Time
	once       bool
	ids        map[string]bool // ids decided

	mu       sync.Mutex
	redeemed map[string]bool // guarded by mu: ids (or "" for the whole) already used, when once
	finished atomic.Bool     // the outcome is recorded or about to be
}

// DecisionID names the recorded decision.
func (g *Grant) DecisionID() string { return g.decisionID }

// Account is the mailbox the grant is for.
func (g *Grant) Account() AccountID { return g.access.Account }

// Expires is when the grant stops covering anything.
func (g *Grant) Expires() time.Time { return g.expires }

// Use asks whether the grant covers everything in uses, and redeems what can be used only once. The Gmail
// client calls it with what the request on the wire does; a cache with what it is about to hand out.
// It fails with *NotCovered, or with *Closed when the account's epoch cannot be read.
func (g *Gate) Use(ctx context.Context, grant *Grant, uses ...Target) error {
	if err := g.Valid(ctx, grant); err != nil {
		return err
	}
	if len(uses) == 0 {
		return &NotCovered{"nothing is used"}
	}
	for _, u := range uses {
		if err := grant.access.Target.covers(u); err != nil {
			return &NotCovered{err.Error()}
		}
		for _, id := range u.Resource.IDs {
			if !grant.ids[id] {
				return &NotCovered{"a resource that was not granted"}
			}
		}
	}
	if grant.once {
		return grant.redeem(uses)
	}
	return nil
}

// Valid asks whether the grant is this gate's, unexpired, and of the policy in force and the account's current epoch. The token
// vault calls it before it opens a token. It fails with *NotCovered, or with *Closed when the epoch cannot
// be read.
func (g *Gate) Valid(ctx context.Context, grant *Grant) error {
	switch {
	case grant == nil || grant.gate == nil:
		return &NotCovered{"no grant"}
	case grant.gate != g:
		return &NotCovered{"a grant of another gate"}
	case grant.engine != g.engine.Load():
		return &NotCovered{"the policy changed since the decision"}
	case g.isClosing():
		return &NotCovered{"the gate is shutting down"}
	case !g.log.Now().Before(grant.expires):
		return &NotCovered{"the grant has expired"}
	case grant.access.Account == "":
		return nil
	}
	epoch, err := g.facts.Epoch(ctx, grant.access.Account)
	if errors.Is(err, ErrUnknown) {
		return &NotCovered{"the account is gone"}
	}
	if err != nil {
		return g.closed("the account store cannot be read", err)
	}
	if epoch != grant.epoch {
		return &NotCovered{"the account changed since the decision"}
	}
	return nil
}

func (grant *Grant) redeem(uses []Target) error {
	grant.mu.Lock()
	defer grant.mu.Unlock()
	var keys []string
	for _, u := range uses {
		if len(u.Resource.IDs) == 0 {
			keys = append(keys, "")
		}
		keys = append(keys, u.Resource.IDs...)
	}
	seen := map[string]bool{}
	for _, k := range keys {
		if grant.redeemed[k] || seen[k] {
			return &NotCovered{"the grant was redeemed before"}
		}
		seen[k] = true
	}
	for k := range seen {
		grant.redeemed[k] = true
	}
	return nil
}

// Release records what a listing returned and waits until that is durable. Only then may the listing
// leave the process (I2). ids are the listed resources, in the mailbox's own ids.
func (grant *Grant) Release(ctx context.Context, kind ResourceKind, ids []string, size int64) error {
	if grant == nil || grant.gate == nil {
		return &NotCovered{"no grant"}
	}
	if !grant.finished.CompareAndSwap(false, true) {
		return &NotCovered{"its outcome is already recorded"}
	}
	return grant.gate.release(ctx, grant, kind, ids, size)
}

// Finish records the outcome of an access that returned nothing that its decision did not name. It does
// not wait: the next decision, or Close, waits for it. Calling it again, or after Release, does nothing.
func (grant *Grant) Finish(err error, items int, size int64) {
	if grant == nil || grant.gate == nil || !grant.finished.CompareAndSwap(false, true) {
		return
	}
	status := Done
	var open interface{ Unanswered() bool }
	switch {
	case err == nil:
	case grant.once && errors.As(err, &open) && open.Unanswered():
		status = Unknown // the change may have been made
	default:
		status = Failed
	}
	grant.gate.finish(grant, status, items, size)
}
