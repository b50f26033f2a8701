package policy_test

import (
	"encoding/json"
	"testing"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// TestReopened: once the log can be written again, it says since when it could not and what that cost.
func TestReopened(t *testing.T) {
	w := newWorld(t)
	w.allow(t, read())
	exec(t, w, `CREATE TRIGGER no_more BEFORE INSERT ON decisionlog_events BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
	for range 3 {
		grant, err := w.gate.Authorize(t.Context(), read())
		wantClosed(t, "a table that takes nothing", grant, err)
	}
	exec(t, w, `DROP TRIGGER no_more`)
	w.allow(t, read())
	w.allow(t, read())
	page, err := w.log.Query(t.Context(), decisionlog.Filter{Kind: decisionlog.Lifecycle, Operation: policy.EventReopened})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Records) != 1 {
		t.Fatalf("%d events tell of the closure, want 1", len(page.Records))
	}
	var event struct{ Details map[string]string }
	if err := json.Unmarshal(page.Records[0].Body, &event); err != nil {
		t.Fatal(err)
	}
	if event.Details["refusals"] != "3" || event.Details["why"] != "the decision log cannot be written" || event.Details["closed_since"] == "" {
		t.Errorf("it says %v", event.Details)
	}
}
