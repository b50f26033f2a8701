package policy_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// TestDropBefore: what retention takes away is announced, and the log and its columns still verify.
func TestDropBefore(t *testing.T) {
	w := newWorld(t)
	for n := range 2*decisionlog.Bundle + 1 {
		w.clock.pass(time.Minute)
		if err := w.gate.Record(t.Context(), policy.Lifecycle{Event: "test.tick", Details: map[string]string{"n": fmt.Sprint(n)}}); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := w.gate.DropBefore(t.Context(), start); err != nil || kept != 0 {
		t.Errorf("nothing is old: got %d, %v", kept, err)
	}
	if kept, err := w.gate.DropBefore(t.Context(), start.Add((decisionlog.Bundle+9)*time.Minute)); err != nil || kept != decisionlog.Bundle {
		t.Errorf("got %d, %v, want %d", kept, err, decisionlog.Bundle)
	}
	if _, err := w.log.Record(t.Context(), decisionlog.Bundle-1); !errors.Is(err, decisionlog.ErrDropped) {
		t.Errorf("an old event: got %v, want ErrDropped", err)
	}
	report, err := w.log.Verify(t.Context(), decisionlog.VerifyOptions{Index: policy.Index})
	if err != nil || report.KeptFrom != decisionlog.Bundle || !report.Indexed {
		t.Errorf("got %+v, %v, want a sound log from %d", report, err, decisionlog.Bundle)
	}
}
