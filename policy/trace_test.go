package policy_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// TestTraceAgreesWithTheAnswer traces each case that every policy must answer in one way: where it is allowed all steps
// speak for it, where it is refused there is a step that speaks against it, and every fact is the input's own.
func TestTraceAgreesWithTheAnswer(t *testing.T) {
	tracer, err := policy.NewTracer(t.Context(), policy.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	judge, err := policy.NewJudge(t.Context(), policy.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	cases, err := limiteduse.ReadCases()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range slices.Concat(cases.Allow, cases.Deny) {
		var in policy.Input
		if err := json.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		verdict := judge.Ask(t.Context(), in)
		steps, err := tracer.Trace(t.Context(), c.Input, verdict)
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		if len(steps) == 0 {
			t.Errorf("%s: %+v has no step", c.ID, verdict)
		}
		for _, step := range steps {
			if step.Speaks() != verdict.Allow {
				t.Errorf("%s: allowed %v, and %s holds %v, bars %v", c.ID, verdict.Allow, step.Rule, step.Holds, step.Bars)
			}
		}
	}
}

func TestTraceNamesTheFacts(t *testing.T) {
	tracer, err := policy.NewTracer(t.Context(), policy.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	cases, err := limiteduse.ReadCases()
	if err != nil {
		t.Fatal(err)
	}
	var input map[string]any
	if err := json.Unmarshal(cases.Allow[0].Input, &input); err != nil {
		t.Fatal(err)
	}
	input["account"].(map[string]any)["state"] = "disconnected"
	changed, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := tracer.Trace(t.Context(), changed, policy.Verdict{Clauses: []string{"DEL-1"}})
	if err != nil {
		t.Fatal(err)
	}
	found := slices.IndexFunc(steps, func(s policy.Step) bool { return s.Rule == "webmail.access.connected" })
	if found < 0 {
		t.Fatalf("the steps are %+v, want webmail.access.connected among them", steps)
	}
	step := steps[found]
	if len(step.Facts) != 1 || step.Facts[0].Path != "account.state" || string(step.Facts[0].Value) != `"disconnected"` {
		t.Errorf("its facts are %v, want account.state disconnected", step.Facts)
	}
	if step.Title != "Connected" || !slices.Equal(step.Clauses, []string{"DEL-1"}) || step.Holds {
		t.Errorf("got %+v", step)
	}
}
