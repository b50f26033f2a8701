package policy_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/totalengage/webmail/policy"
)

// outsider stands in for the witness: what it has seen, the test says.
type outsider struct{ stale atomic.Bool }

func (o *outsider) Fresh() error {
	if o.stale.Load() {
		return errors.New("no cosignature for an hour")
	}
	return nil
}

func (o *outsider) Covers(time.Time) bool { return !o.stale.Load() }

// TestWitnessOverdue: while the log waits for its witness nothing is decided, and it opens by itself.
func TestWitnessOverdue(t *testing.T) {
	w, seen := newWorld(t), &outsider{}
	gate, err := policy.NewGate(t.Context(), policy.Config{Log: w.log, Facts: w.facts, Witness: seen, PseudonymKey: []byte("a deployment key of at least 32 bytes")})
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	if _, err := gate.Authorize(t.Context(), read()); err != nil {
		t.Fatalf("with a witness in time: %v", err)
	}
	seen.stale.Store(true)
	before := w.log.State().Size
	grant, err := gate.Authorize(t.Context(), read())
	wantClosed(t, "a log that waits for its witness", grant, err)
	if got := w.log.State().Size; got != before {
		t.Errorf("the log grew from %d to %d while it waits", before, got)
	}
	seen.stale.Store(false)
	if _, err := gate.Authorize(t.Context(), read()); err != nil {
		t.Errorf("after the witness signed: %v", err)
	}
}
