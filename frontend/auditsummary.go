package frontend

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// getSummary counts decisions by day and by what they have in common.
func (s *Server) getSummary(v *visit) error {
	q := v.r.URL.Query()
	f, err := filterOf(q)
	if err != nil {
		return err
	}
	grant, err := s.auditGrant(v, auditPage, "summary "+q.Encode())
	if err != nil {
		return err
	}
	counts, size, err := s.tally.Counts(v.r.Context(), f)
	grant.Finish(err, len(counts), 0)
	if err != nil {
		return err
	}
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return err
	}
	return send(v, 200, summaryJSON(counts, size, tables))
}

// groupKey is one row of a summary's tables.
type groupKey struct {
	by   api.AuditGroupBy
	name string
}

func summaryJSON(counts []decisionlog.Count, size int64, tables limiteduse.Tables) api.AuditSummary {
	groups := map[groupKey]*api.AuditGroup{}
	days, groupDays := map[groupKey]map[string]*api.AuditDay{}, map[groupKey]map[string]*api.AuditDay{}
	group := func(by api.AuditGroupBy, name string, c decisionlog.Count) {
		key := groupKey{by, name}
		if name == "" {
			return
		}
		if groups[key] == nil {
			groups[key] = &api.AuditGroup{By: by, Name: name}
		}
		addTo(&groups[key].Allowed, &groups[key].Refused, c)
		if by == api.AuditGroupByClause || by == api.AuditGroupByPurpose {
			addDay(groupDays, key, c)
		}
	}
	for _, c := range counts {
		if c.Kind == decisionlog.Outcome {
			group(api.AuditGroupByOutcome, c.Outcome, c)
		}
		if c.Kind != decisionlog.Decision {
			continue
		}
		addDay(days, groupKey{}, c)
		group(api.AuditGroupByPurpose, c.Purpose, c)
		group(api.AuditGroupByFeature, c.Feature, c)
		group(api.AuditGroupByActorKind, c.ActorKind, c)
		group(api.AuditGroupByWay, wayOf(c.Entry, tables), c)
		for _, clause := range c.Clauses {
			group(api.AuditGroupByClause, clause, c)
		}
	}
	out := api.AuditSummary{Size: size, Days: inOrder(days[groupKey{}]), Groups: []api.AuditGroup{}}
	for key, g := range groups {
		g.Days = inOrder(groupDays[key])
		out.Groups = append(out.Groups, *g)
	}
	slices.SortFunc(out.Groups, func(a, b api.AuditGroup) int {
		return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(b.Allowed+b.Refused, a.Allowed+a.Refused), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func addDay(days map[groupKey]map[string]*api.AuditDay, key groupKey, c decisionlog.Count) {
	if days[key] == nil {
		days[key] = map[string]*api.AuditDay{}
	}
	name := c.Day.Format(time.DateOnly)
	if days[key][name] == nil {
		days[key][name] = &api.AuditDay{Day: name}
	}
	addTo(&days[key][name].Allowed, &days[key][name].Refused, c)
}

func inOrder(days map[string]*api.AuditDay) []api.AuditDay {
	list := []api.AuditDay{}
	for _, name := range slices.Sorted(maps.Keys(days)) {
		list = append(list, *days[name])
	}
	return list
}

func addTo(allowed, refused *int64, c decisionlog.Count) {
	if c.Allowed {
		*allowed += c.N
	} else {
		*refused += c.N
	}
}

// wayOf tells what somebody looked at from what the product fetched by itself, and both from what was changed. A
// feature that fetches ahead of its reader is never taken for reading (DESIGN 4.1, 4).
func wayOf(e decisionlog.Entry, tables limiteduse.Tables) string {
	switch {
	case tables.Operations[e.Operation].Effect != "read":
		return "changed"
	case e.ActorKind == string(policy.Service) || e.Feature == "live_updates" || e.Feature == "prefetch":
		return "prefetched"
	}
	return "read"
}

// refusalsSince is how far back refusals are looked at.
const refusalsSince = 30 * 24 * time.Hour

// manyRefusals is from how many on an owner's refusals are worth a look: a consent that ran out makes a few.
const manyRefusals = 20

// listRefusers tells who was refused.
func (s *Server) listRefusers(v *visit) error {
	grant, err := s.auditGrant(v, auditPage, "refusals")
	if err != nil {
		return err
	}
	since := s.Log.Now().Add(-refusalsSince)
	list, all, err := s.Log.Refusers(v.r.Context(), since)
	grant.Finish(err, len(list), 0)
	if err != nil {
		return err
	}
	out := api.Refusers{Since: since, All: all, Refusers: make([]api.Refuser, 0, min(len(list), auditPage))}
	for _, r := range list {
		out.Refusers = append(out.Refusers, api.Refuser{ActorKind: r.ActorKind, Actor: r.Actor, Refusals: r.Refusals, Last: r.Last, Look: worthALook(r)})
	}
	slices.SortStableFunc(out.Refusers, func(a, b api.Refuser) int { return cmp.Compare(bit(a.Look == ""), bit(b.Look == "")) })
	out.Refusers = out.Refusers[:min(len(out.Refusers), auditPage)]
	return send(v, 200, out)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func worthALook(r decisionlog.Refuser) string {
	switch {
	case r.ActorKind == string(policy.Staff):
		return "staff reached for something that the rules do not give them"
	case r.ActorKind == string(policy.Service):
		return "a service or the program itself was refused: a consent that is over, or a mistake"
	case r.ActorKind == string(policy.Auditor), r.ActorKind == string(policy.Reviewer):
		return "an auditor or reviewer was refused"
	case r.Refusals >= manyRefusals:
		return "refused often"
	}
	return ""
}

// mostHuman bounds how many looks, and steps of agreements, one answer tells of.
const mostHuman = mostRead / 2

// listHumanAccess tells of every agreement that staff see messages, and every look of theirs.
func (s *Server) listHumanAccess(v *visit) error {
	ctx := v.r.Context()
	grant, err := s.auditGrant(v, mostRead, "human access")
	if err != nil {
		return err
	}
	looks, err := s.Log.Query(ctx, decisionlog.Filter{Kind: decisionlog.Decision, Feature: "agreed_view", Limit: mostHuman})
	var steps []decisionlog.Record
	all := looks.Next == 0
	if err == nil {
		var more bool
		steps, more, err = s.agreementSteps(ctx)
		all = all && !more
	}
	grant.Finish(err, len(looks.Records)+len(steps), 0)
	if err != nil {
		return err
	}
	return send(v, 200, humanAccessJSON(steps, looks.Records, all))
}

// agreementSteps are the newest lifecycle events of agreements, newest first.
func (s *Server) agreementSteps(ctx context.Context) (steps []decisionlog.Record, more bool, err error) {
	for _, event := range accessEvents {
		page, err := s.Log.Query(ctx, decisionlog.Filter{Kind: decisionlog.Lifecycle, Operation: event, Limit: mostHuman})
		if err != nil {
			return nil, false, err
		}
		steps, more = append(steps, page.Records...), more || page.Next != 0
	}
	slices.SortFunc(steps, func(a, b decisionlog.Record) int { return cmp.Compare(b.Index, a.Index) })
	return steps[:min(len(steps), mostHuman)], more || len(steps) > mostHuman, nil
}

// agreementOf finds the agreement that an event is about, "" when it names none.
func agreementOf(r decisionlog.Record) string {
	var event struct {
		Details struct {
			Agreement string `json:"agreement"`
		} `json:"details"`
		Input struct {
			Agreement *struct {
				ID string `json:"id"`
			} `json:"agreement"`
		} `json:"input"`
	}
	if json.Unmarshal(r.Body, &event) != nil { // dropped by retention
		return ""
	}
	if event.Input.Agreement != nil {
		return event.Input.Agreement.ID
	}
	return event.Details.Agreement
}

// humanAccessJSON groups steps and looks, both newest first, by agreement.
func humanAccessJSON(steps, looks []decisionlog.Record, all bool) api.HumanAccess {
	out := api.HumanAccess{Agreements: []api.AuditAgreement{}, Without: []api.DecisionEvent{}, Complete: all}
	at := map[string]int{}
	of := func(r decisionlog.Record) *api.AuditAgreement {
		id := agreementOf(r)
		if id == "" {
			return nil
		}
		if _, ok := at[id]; !ok {
			at[id] = len(out.Agreements)
			out.Agreements = append(out.Agreements, api.AuditAgreement{Agreement: id, Account: r.Account, Steps: []api.DecisionEvent{}, Views: []api.DecisionEvent{}})
		}
		return &out.Agreements[at[id]]
	}
	newest := slices.Concat(steps, looks)
	slices.SortFunc(newest, func(a, b decisionlog.Record) int { return cmp.Compare(b.Index, a.Index) })
	for _, r := range newest {
		a := of(r)
		switch {
		case a == nil && r.Kind == decisionlog.Decision:
			out.Without = append(out.Without, eventJSON(r))
		case a == nil:
		case r.Kind == decisionlog.Decision:
			a.Views = append(a.Views, eventJSON(r))
		default:
			a.Steps = append(a.Steps, eventJSON(r))
		}
	}
	return out
}
