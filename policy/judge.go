package policy

import (
	"context"
)

// Judge answers what a policy would say. It grants nothing, records nothing and knows no facts: for an auditor's
// questions, and for what a policy that is not in force would change.
type Judge struct{ engine *engine }

// Verdict is what a policy says about one input.
type Verdict struct {
	Allow   bool     `json:"allow"`
	Basis   string   `json:"basis,omitempty"`
	Clauses []string `json:"clauses"` // that allow it, or that refuse it; sorted when they refuse
}

// NewJudge compiles a policy.
func NewJudge(ctx context.Context, source Source) (*Judge, error) {
	e, err := engineOf(ctx, source)
	if err != nil {
		return nil, err
	}
	return &Judge{e}, nil
}

// Ask decides one input. Whatever is not a clear yes is a no.
func (j *Judge) Ask(ctx context.Context, in Input) Verdict {
	return Verdict(j.engine.answer(ctx, in.term()))
}

// Revision names the judge's policy.
func (j *Judge) Revision() string { return j.engine.revision }
