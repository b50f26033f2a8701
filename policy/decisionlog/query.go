package decisionlog

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Filter says which events a query wants. Fields left zero do not restrict; the others must all hold.
type Filter struct {
	Kind       Kind
	DecisionID string
	ActorKind  string
	Actor      string
	Account    string
	Operation  string
	Purpose    string
	Feature    string
	Basis      string
	Outcome    string
	Clause     string // one of the event's clauses
	Allowed    *bool  // decisions that were allowed, or refused; other kinds never match
	Ref        *int64 // events that refer to this one

	NotPurpose string // leaves events of this purpose out, such as the auditor's own reading
	NotActor   string // leaves events of this kind of actor out, such as the owner's own reading

	Since time.Time // at or after
	Until time.Time // before

	Before int64 // only events with a smaller index: the Next of the page before; 0 starts at the newest
	Limit  int   // events a page; 50 if zero, at most MaxPage
}

// MaxPage is the greatest number of events in one [Page].
const MaxPage = 1000

const defaultPage = 50

// Page is a part of a query's result, newest event first.
type Page struct {
	Records []Record
	Next    int64 // Filter.Before for the next page; 0 when there is none
}

// Query returns the events that pass a filter, newest first, a page at a time. Pages stay aligned while the log
// grows. Every filter is answered from an index: a page of a million events takes some milliseconds, however rare
// what it looks for.
func (l *Log) Query(ctx context.Context, f Filter) (Page, error) {
	limit := f.Limit
	switch {
	case limit == 0:
		limit = defaultPage
	case limit < 0 || limit > MaxPage:
		return Page{}, fmt.Errorf("decisionlog: %d events a page, want 1 to %d", limit, MaxPage)
	}
	from, before, err := l.reach(ctx, &f)
	if err != nil || from >= before {
		return Page{}, err
	}
	f.Before = before
	where := f.where()
	where.add("idx >= " + where.arg(from))
	table := ` FROM decisionlog_events` + l.byIndex(&f)
	if f.faceted() {
		places, err := l.facetedIndexes(ctx, &f, from, before, limit+1)
		if err != nil || len(places) == 0 {
			return Page{}, err
		}
		where = &conditions{}
		for _, place := range places {
			where.args = append(where.args, place)
		}
		where.add("idx IN " + placeholders(1, 1, len(places)))
		table = ` FROM decisionlog_events`
	}
	query := `SELECT ` + eventColumns + table + where.clause() + ` ORDER BY idx DESC LIMIT ` + where.arg(limit+1)
	records, err := readRecords(ctx, l.db.Read(), query, where.args...)
	if err != nil {
		return Page{}, err
	}
	page := Page{Records: records}
	if len(records) > limit {
		page.Records = records[:limit]
		page.Next = page.Records[limit-1].Index
	}
	return page, nil
}

func (f *Filter) where() *conditions {
	var w conditions
	for column, value := range map[string]string{
		"kind": string(f.Kind), "decision_id": f.DecisionID, "actor_kind": f.ActorKind, "actor": f.Actor, "account": f.Account,
		"operation": f.Operation, "purpose": f.Purpose, "feature": f.Feature, "basis": f.Basis, "outcome": f.Outcome,
	} {
		if value != "" {
			w.add(column + " = " + w.arg(value))
		}
	}
	if f.Clause != "" {
		w.add(`(' ' || clauses || ' ') <> replace(' ' || clauses || ' ', ` + w.arg(" "+f.Clause+" ") + `, '')`)
	}
	if f.Allowed != nil {
		w.add("kind = 'decision'") // spelt as in the index of refusals
		w.add("allowed = " + strings.ToUpper(fmt.Sprint(*f.Allowed)))
	}
	if f.DecisionID != "" {
		w.add("decision_id <> ''") // spelt as in the index of decisions
	}
	if f.Ref != nil {
		w.add("ref = " + w.arg(*f.Ref))
	}
	if f.NotPurpose != "" {
		w.add("purpose <> " + w.arg(f.NotPurpose))
	}
	if f.NotActor != "" {
		w.add("actor_kind <> " + w.arg(f.NotActor))
	}
	if !f.Since.IsZero() {
		w.add("+at >= " + w.arg(f.Since.UnixMicro()))
	}
	if !f.Until.IsZero() {
		w.add("+at < " + w.arg(f.Until.UnixMicro()))
	}
	if f.Before != 0 {
		w.add("idx < " + w.arg(f.Before)) // the times above do not decide on the index: the places do (see reach)
	}
	return &w
}

// conditions collects the terms of a WHERE clause and the arguments of the whole statement.
type conditions struct {
	terms []string
	args  []any
}

func (c *conditions) add(term string) { c.terms = append(c.terms, term) }

// arg adds an argument and returns its placeholder.
func (c *conditions) arg(value any) string {
	c.args = append(c.args, value)
	return fmt.Sprintf("$%d", len(c.args))
}

func (c *conditions) clause() string {
	if len(c.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}

// Record returns one event: [ErrNoRecord] if the log does not reach that far, [ErrDropped] if it is gone.
func (l *Log) Record(ctx context.Context, index int64) (Record, error) {
	records, err := readRecords(ctx, l.db.Read(), `SELECT `+eventColumns+` FROM decisionlog_events WHERE idx = $1`, index)
	if err != nil {
		return Record{}, err
	}
	if len(records) == 1 {
		return records[0], nil
	}
	head, err := readHead(ctx, l.db.Read())
	switch {
	case err != nil:
		return Record{}, err
	case index < 0 || index >= head.tree.N:
		return Record{}, ErrNoRecord
	case index < head.keptFrom:
		return Record{}, ErrDropped
	default:
		return Record{}, &Gap{"events", index}
	}
}

// OpenDecisions returns allowed decisions that have no outcome, oldest first, at most limit: accesses that
// were under way when a process ended. It looks at decisions from index from on that are older than before, which
// must leave out those that other nodes are still working on. Ask again, after appending outcomes, until none are left.
func (l *Log) OpenDecisions(ctx context.Context, from int64, before time.Time, limit int) ([]Record, error) {
	return readRecords(ctx, l.db.Read(), `SELECT `+eventColumns+` FROM decisionlog_events AS decision
		WHERE idx >= $1 AND at < $2 AND kind = 'decision' AND allowed = TRUE AND NOT EXISTS (
			SELECT 1 FROM decisionlog_events AS later WHERE later.ref = decision.idx AND later.kind = 'outcome')
		ORDER BY idx LIMIT $3`, from, before.UnixMicro(), limit)
}
