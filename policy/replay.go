package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// Replay makes logged decisions again (I7): under the policy that each names, to prove that the log tells the
// truth about the policy; and under another one, to see what that would change. Only inputs are read from the log,
// a page at a time: memory does not grow with it. On one core some 15,000 decisions a second.
type Replay struct {
	Log       *decisionlog.Log
	Sources   *Sources
	Candidate *Judge // nil asks only for sameness
	Since     time.Time
	Until     time.Time // zero for all that there are

	// Each hears of every decision that comes out otherwise; nil for the counts alone.
	Each func(Difference) error
}

// Difference is one decision that comes out otherwise.
type Difference struct {
	Index      int64     `json:"index"`
	DecisionID string    `json:"decision_id"`
	At         time.Time `json:"time"`
	ActorKind  string    `json:"actor_kind"`
	Operation  string    `json:"operation"`
	Feature    string    `json:"feature"`
	Candidate  bool      `json:"candidate"` // under the candidate; false: under the very policy that made it
	Logged     Verdict   `json:"logged"`
	Now        Verdict   `json:"now"`
}

// Report counts a replay.
type Report struct {
	Decisions int `json:"decisions"` // in the log, in the time asked for
	Unasked   int `json:"unasked"`   // refused before any policy was asked, or where it could not answer (FAIL-…)
	Unknown   int `json:"unknown"`   // made under a policy whose source is not kept
	Same      int `json:"same"`      // come out as logged, under their own policy
	Different int `json:"different"` // do not

	Refused   int            `json:"newly_refused"` // by the candidate
	Allowed   int            `json:"newly_allowed"` // by the candidate
	Explained int            `json:"explained"`     // decided as before, on another basis or by other clauses
	Features  map[string]int `json:"features"`      // of what the candidate newly refuses or allows
	Clauses   map[string]int `json:"clauses"`       // by which it does
}

// replayPage is how many events are in memory at a time.
const replayPage = 500

// Run replays, newest first.
func (r Replay) Run(ctx context.Context) (Report, error) {
	report := Report{Features: map[string]int{}, Clauses: map[string]int{}}
	judges := map[string]*Judge{}
	f := decisionlog.Filter{Kind: decisionlog.Decision, Since: r.Since, Until: r.Until, Limit: replayPage}
	for {
		page, err := r.Log.Query(ctx, f)
		if err != nil {
			return report, fmt.Errorf("policy: reading the log: %w", err)
		}
		for _, record := range page.Records {
			if err := r.one(ctx, record, judges, &report); err != nil {
				return report, err
			}
		}
		if page.Next == 0 {
			return report, nil
		}
		f.Before = page.Next
	}
}

// loggedDecision is what a replay reads of an event.
type loggedDecision struct {
	Bundles map[string]struct {
		Revision string `json:"revision"`
	} `json:"bundles"`
	Input  Input   `json:"input"`
	Result Verdict `json:"result"`
}

func (r Replay) one(ctx context.Context, record decisionlog.Record, judges map[string]*Judge, report *Report) error {
	report.Decisions++
	var ev loggedDecision
	if len(record.Body) == 0 || json.Unmarshal(record.Body, &ev) != nil {
		report.Unknown++ // dropped by retention, or of a form that this program does not read any more
		return nil
	}
	if slices.ContainsFunc(ev.Result.Clauses, func(c string) bool { return strings.HasPrefix(c, "FAIL-") }) {
		report.Unasked++
		return nil
	}
	tell := func(candidate bool, now Verdict) error {
		if r.Each == nil {
			return nil
		}
		return r.Each(Difference{
			Index: record.Index, DecisionID: record.DecisionID, At: record.At, ActorKind: ev.Input.Actor.Kind, Operation: ev.Input.Operation, Feature: ev.Input.Feature,
			Candidate: candidate, Logged: ev.Result, Now: now,
		})
	}
	judge, err := r.judge(ctx, ev.Bundles["limiteduse"].Revision, judges)
	if err != nil {
		return err
	}
	if judge == nil {
		report.Unknown++
	} else if now := judge.Ask(ctx, ev.Input); now.equal(ev.Result) {
		report.Same++
	} else {
		report.Different++
		if err := tell(false, now); err != nil {
			return err
		}
	}
	if r.Candidate == nil {
		return nil
	}
	now := r.Candidate.Ask(ctx, ev.Input)
	if now.equal(ev.Result) {
		return nil
	}
	report.count(ev.Input.Feature, ev.Result, now)
	return tell(true, now)
}

// judge finds the policy with a revision, nil when nobody kept it. There are few revisions in a log.
func (r Replay) judge(ctx context.Context, revision string, judges map[string]*Judge) (*Judge, error) {
	if j, known := judges[revision]; known {
		return j, nil
	}
	source, err := r.Sources.Source(ctx, revision)
	if errors.Is(err, ErrUnknown) {
		judges[revision] = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	judges[revision], err = NewJudge(ctx, source)
	return judges[revision], err
}

func (r *Report) count(feature string, before, now Verdict) {
	switch {
	case before.Allow == now.Allow:
		r.Explained++
		return
	case now.Allow:
		r.Allowed++
	default:
		r.Refused++
	}
	r.Features[feature]++
	for _, c := range now.Clauses {
		r.Clauses[c]++
	}
}

func (v Verdict) equal(w Verdict) bool {
	return v.Allow == w.Allow && v.Basis == w.Basis && slices.Equal(v.Clauses, w.Clauses)
}
