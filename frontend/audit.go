package frontend

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// auditPage is how many events a page has when the request does not say.
const auditPage = 100

// listDecisions reads the log. The reading is decided and logged like any access, once a page.
func (s *Server) listDecisions(v *visit) error {
	q := v.r.URL.Query()
	f, err := filterOf(q)
	if err != nil {
		return err
	}
	grant, err := s.auditGrant(v, f.Limit, q.Encode())
	if err != nil {
		return err
	}
	page, err := s.Log.Query(v.r.Context(), f)
	grant.Finish(err, len(page.Records), 0)
	if err != nil {
		return err
	}
	out := api.DecisionPage{Events: make([]api.DecisionEvent, len(page.Records)), Next: page.Next}
	for i, r := range page.Records {
		out.Events[i] = eventJSON(r)
	}
	return send(v, 200, out)
}

// getCheckpoint returns the signed tree head, for the auditor to keep outside this machine.
func (s *Server) getCheckpoint(v *visit) error {
	grant, err := s.auditGrant(v, 1, "checkpoint")
	if err != nil {
		return err
	}
	text, tree, err := s.Log.Checkpoint(v.r.Context())
	grant.Finish(err, 1, 0)
	if err != nil {
		return err
	}
	return send(v, 200, api.Checkpoint{
		Size: tree.N, Root: base64.StdEncoding.EncodeToString(tree.Hash[:]), Text: string(text), VerifierKey: s.LogKey,
	})
}

func (s *Server) auditGrant(v *visit, limit int, params string) (*policy.Grant, error) {
	return s.Gate.Authorize(v.r.Context(), policy.Access{
		Actor: v.session.Actor(), Purpose: v.inbox.Purpose, Feature: v.inbox.Feature, Target: s.logTarget(limit, params),
	})
}

// filterOf reads the query that the schema has accepted.
func filterOf(q url.Values) (decisionlog.Filter, error) {
	f := decisionlog.Filter{
		Kind: decisionlog.Kind(q.Get("kind")), Actor: q.Get("actor"), Account: q.Get("account"), Purpose: q.Get("purpose"), Feature: q.Get("feature"),
		Operation: q.Get("operation"), Clause: q.Get("clause"), DecisionID: q.Get("decisionId"), ActorKind: q.Get("actorKind"), Outcome: q.Get("outcome"), Limit: auditPage,
	}
	var err error
	if s := q.Get("allowed"); s != "" {
		allowed := s == "true"
		f.Allowed = &allowed
	}
	if s := q.Get("limit"); s != "" {
		if f.Limit, err = strconv.Atoi(s); err != nil {
			return f, err
		}
	}
	if s := q.Get("before"); s != "" {
		if f.Before, err = strconv.ParseInt(s, 10, 64); err != nil {
			return f, err
		}
	}
	if s := q.Get("since"); s != "" {
		if f.Since, err = time.Parse(time.RFC3339, s); err != nil {
			return f, err
		}
	}
	if s := q.Get("until"); s != "" {
		if f.Until, err = time.Parse(time.RFC3339, s); err != nil {
			return f, err
		}
	}
	return f, nil
}

func eventJSON(r decisionlog.Record) api.DecisionEvent {
	out := api.DecisionEvent{
		Index: r.Index, Kind: api.DecisionEventKind(r.Kind), Time: r.At, DecisionId: r.DecisionID, ActorKind: r.ActorKind, Actor: r.Actor, Account: r.Account,
		Operation: r.Operation, Purpose: r.Purpose, Feature: r.Feature, Basis: r.Basis, Clauses: r.Clauses, Outcome: r.Outcome, Body: r.Body,
	}
	if r.Kind == decisionlog.Decision {
		out.Allowed = &r.Allowed
	}
	if len(r.Body) == 0 {
		out.Body = []byte(`{}`) // dropped by retention
	}
	return out
}
