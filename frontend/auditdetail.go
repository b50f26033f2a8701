package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/limiteduse"
)

var errNoEvent = errors.New("there is no such event")

// eventOf finds one event by its place in the log or its decision id.
func (s *Server) eventOf(ctx context.Context, name string) (decisionlog.Record, error) {
	if index, err := strconv.ParseInt(name, 10, 64); err == nil {
		r, err := s.Log.Record(ctx, index)
		if errors.Is(err, decisionlog.ErrNoRecord) || errors.Is(err, decisionlog.ErrDropped) {
			return r, errNoEvent
		}
		return r, err
	}
	page, err := s.Log.Query(ctx, decisionlog.Filter{Kind: decisionlog.Decision, DecisionID: name, Limit: 1})
	if err == nil && len(page.Records) == 0 {
		err = errNoEvent
	}
	if err != nil {
		return decisionlog.Record{}, err
	}
	return page.Records[0], nil
}

// mostRelated bounds how many outcomes of one decision are shown; there is one, or two after a crash.
const mostRelated = 10

// getDecision tells all there is to tell of one event.
func (s *Server) getDecision(v *visit) error {
	ctx := v.r.Context()
	grant, err := s.auditGrant(v, 1+mostRelated, "event "+v.param("event"))
	if err != nil {
		return err
	}
	out, err := s.detail(ctx, v.param("event"))
	grant.Finish(err, 1+len(out.Related), 0)
	if err != nil {
		return err
	}
	return send(v, 200, out)
}

func (s *Server) detail(ctx context.Context, name string) (api.DecisionDetail, error) {
	out := api.DecisionDetail{Related: []api.DecisionEvent{}, Input: []api.AuditLine{}, Steps: []api.AuditStep{}, Clauses: []api.AuditClause{}}
	r, err := s.eventOf(ctx, name)
	if err != nil {
		return out, err
	}
	out.Event = eventJSON(r)
	if r.DecisionID != "" {
		page, err := s.Log.Query(ctx, decisionlog.Filter{DecisionID: r.DecisionID, Limit: mostRelated})
		if err != nil {
			return out, err
		}
		for _, other := range page.Records {
			if other.Index != r.Index {
				out.Related = append(out.Related, eventJSON(other))
			}
		}
	}
	if r.Kind != decisionlog.Decision {
		return out, nil
	}
	if out.Clauses, err = clausesJSON(r.Clauses); err != nil {
		return out, err
	}
	return out, s.explain(ctx, r, &out)
}

// loggedDecision is what an explanation reads of a decision's event.
type loggedDecision struct {
	Bundles map[string]struct {
		Revision string `json:"revision"`
	} `json:"bundles"`
	Input  json.RawMessage `json:"input"`
	Result policy.Verdict  `json:"result"`
}

// explain adds the input in words and the steps by which its policy came to its answer.
func (s *Server) explain(ctx context.Context, r decisionlog.Record, out *api.DecisionDetail) error {
	var event loggedDecision
	var in policy.Input
	if len(r.Body) == 0 || json.Unmarshal(r.Body, &event) != nil || json.Unmarshal(event.Input, &in) != nil {
		out.Untraced = "retention has removed the event; its place in the log can still be proven"
		return nil
	}
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return err
	}
	out.Input = inputLines(in, tables)
	out.Revision = event.Bundles["limiteduse"].Revision
	out.BuiltIn = out.Revision == policy.Embedded().Revision()
	if before := beforeThePolicy(event.Result.Clauses); before != "" {
		out.Untraced = before
		out.Kept = s.keeps(ctx, out.Revision)
		return nil
	}
	tracer, err := s.tracer(ctx, out.Revision)
	if errors.Is(err, policy.ErrUnknown) {
		out.Untraced = "the policy that decided is not kept here"
		return nil
	}
	if err != nil {
		return err
	}
	out.Kept = true
	steps, err := tracer.Trace(ctx, event.Input, event.Result)
	if err != nil {
		return err
	}
	for _, step := range steps {
		out.Steps = append(out.Steps, stepJSON(step))
	}
	return nil
}

func stepJSON(step policy.Step) api.AuditStep {
	out := api.AuditStep{
		Rule: step.Rule, Title: step.Title, About: step.About, Holds: step.Holds, Speaks: step.Speaks(), Clauses: orNone(step.Clauses), Facts: []api.AuditLine{},
	}
	for _, fact := range step.Facts {
		line := factLine(fact)
		if step.Speaks() && line.Value == missing {
			continue // what is not there counts only where it is the reason for a refusal
		}
		out.Facts = append(out.Facts, line)
	}
	return out
}

func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// getProof gives the offline proof of one event, as a file.
func (s *Server) getProof(v *visit) error {
	ctx := v.r.Context()
	grant, err := s.auditGrant(v, 1, "proof "+v.param("event"))
	if err != nil {
		return err
	}
	r, err := s.eventOf(ctx, v.param("event"))
	var proof decisionlog.Proof
	if err == nil {
		proof, err = s.Log.Prove(ctx, r.Index)
	}
	grant.Finish(err, 1, 0)
	if err != nil {
		return err
	}
	return sendFile(v, "text/plain; charset=utf-8", fmt.Sprintf("decision-%d.proof", r.Index), proof.Marshal())
}

// getPolicy gives a policy as text.
func (s *Server) getPolicy(v *visit) error {
	grant, err := s.auditGrant(v, 1, "policy "+v.param("revision"))
	if err != nil {
		return err
	}
	source, err := s.source(v.r.Context(), v.param("revision"))
	grant.Finish(err, 1, 0)
	if errors.Is(err, policy.ErrUnknown) {
		return errNoEvent
	}
	if err != nil {
		return err
	}
	out := api.PolicySource{Revision: v.param("revision")}
	for _, name := range slices.Sorted(maps.Keys(source)) {
		out.Files = append(out.Files, struct {
			Name string `json:"name"`
			Text string `json:"text"`
		}{name, source[name]})
	}
	return send(v, 200, out)
}

// source finds a policy by its revision, or fails with policy.ErrUnknown.
func (s *Server) source(ctx context.Context, revision string) (policy.Source, error) {
	if own := policy.Embedded(); own.Revision() == revision {
		return own, nil
	}
	if s.Sources == nil {
		return nil, policy.ErrUnknown
	}
	return s.Sources.Source(ctx, revision)
}

func (s *Server) keeps(ctx context.Context, revision string) bool {
	_, err := s.source(ctx, revision)
	return err == nil
}

// tracers are policies made ready to explain decisions, by revision.
type tracers struct {
	mu    sync.Mutex
	ready map[string]*policy.Tracer
}

// mostTracers bounds how many are kept; few policies are in force within the life of a log.
const mostTracers = 8

func (s *Server) tracer(ctx context.Context, revision string) (*policy.Tracer, error) {
	s.tracers.mu.Lock()
	defer s.tracers.mu.Unlock()
	if t := s.tracers.ready[revision]; t != nil {
		return t, nil
	}
	source, err := s.source(ctx, revision)
	if err != nil {
		return nil, err
	}
	t, err := policy.NewTracer(ctx, source)
	if err != nil {
		return nil, err
	}
	if s.tracers.ready == nil || len(s.tracers.ready) >= mostTracers {
		s.tracers.ready = map[string]*policy.Tracer{}
	}
	s.tracers.ready[revision] = t
	return t, nil
}
