package decisionlog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/internal/database"
)

// The facets of an event are its columns that have few values. Some hundred combinations of them occur in a log
// of any size, and an index holds each combination's events in order. So a filter on facets, however rare what it
// looks for, takes one look-up for each combination that it matches.
const facetColumns = `kind, allowed, actor_kind, operation, purpose, feature, basis, clauses, outcome`

// facets is one combination, as the columns hold it.
type facets struct {
	kind      string
	allowed   bool
	actorKind string
	operation string
	purpose   string
	feature   string
	basis     string
	clauses   string
	outcome   string
}

// fields are the places to scan a combination into, in the order of facetColumns.
func (c *facets) fields() []any {
	return []any{&c.kind, &c.allowed, &c.actorKind, &c.operation, &c.purpose, &c.feature, &c.basis, &c.clauses, &c.outcome}
}

// entry is an event that has nothing but the facets.
func (c *facets) entry() Entry {
	return Entry{
		Kind: Kind(c.kind), Allowed: c.allowed, ActorKind: c.actorKind, Operation: c.operation, Purpose: c.purpose, Feature: c.feature,
		Basis: c.basis, Clauses: splitClauses(c.clauses), Outcome: c.outcome,
	}
}

// Matches tells whether an event passes the filter, as [Log.Query] would find it; Before and Limit aside.
func (f *Filter) Matches(r Record) bool {
	return f.matchesFacets(&r.Entry) && (f.DecisionID == "" || f.DecisionID == r.DecisionID) && (f.Actor == "" || f.Actor == r.Actor) &&
		(f.Account == "" || f.Account == r.Account) && (f.Ref == nil || *f.Ref == r.Ref) &&
		(f.Since.IsZero() || !r.At.Before(f.Since)) && (f.Until.IsZero() || r.At.Before(f.Until))
}

func (f *Filter) matchesFacets(e *Entry) bool {
	for _, c := range [...]struct{ want, have string }{
		{string(f.Kind), string(e.Kind)}, {f.ActorKind, e.ActorKind}, {f.Operation, e.Operation}, {f.Purpose, e.Purpose},
		{f.Feature, e.Feature}, {f.Basis, e.Basis}, {f.Outcome, e.Outcome},
	} {
		if c.want != "" && c.want != c.have {
			return false
		}
	}
	switch {
	case f.Clause != "" && !slices.Contains(e.Clauses, f.Clause):
		return false
	case f.Allowed != nil && (e.Kind != Decision || e.Allowed != *f.Allowed):
		return false
	}
	return (f.NotPurpose == "" || f.NotPurpose != e.Purpose) && (f.NotActor == "" || f.NotActor != e.ActorKind)
}

// faceted tells whether the filter restricts facets and nothing that has an index of its own.
func (f *Filter) faceted() bool {
	if f.DecisionID != "" || f.Actor != "" || f.Account != "" || f.Ref != nil {
		return false
	}
	refusals := f.Allowed != nil && !*f.Allowed
	others := f.Kind != "" || f.Allowed != nil && *f.Allowed || f.ActorKind != "" || f.Operation != "" || f.Purpose != "" || f.Feature != "" ||
		f.Basis != "" || f.Outcome != "" || f.Clause != "" || f.NotPurpose != "" || f.NotActor != ""
	return others || refusals && f.Kind != ""
}

// window is how many of the newest events are looked through before the index of facets is asked: where what is
// looked for is common, they hold a page of it.
const window = 512

// setsAtOnce bounds one statement.
const setsAtOnce = 60

// facetedIndexes returns the newest limit events between two places that pass a filter on facets, newest first.
func (l *Log) facetedIndexes(ctx context.Context, f *Filter, from, before int64, limit int) ([]int64, error) {
	found, err := l.newest(ctx, f, max(from, before-window), before, limit)
	if err != nil || len(found) == limit {
		return found, err
	}
	sets, err := l.facetSets(ctx)
	if err != nil {
		return nil, err
	}
	sets = slices.DeleteFunc(sets, func(c facets) bool { e := c.entry(); return !f.matchesFacets(&e) })
	found = found[:0]
	for some := range slices.Chunk(sets, setsAtOnce) {
		query, args := newestOf(some, f, from, before, limit)
		more, err := l.readIndexes(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	slices.SortFunc(found, func(a, b int64) int { return int(b - a) })
	return found[:min(limit, len(found))], nil
}

// newest looks through all events between two places for those that pass a filter on facets. The database is not told
// the filter: it would use an index for it.
func (l *Log) newest(ctx context.Context, f *Filter, from, before int64, limit int) ([]int64, error) {
	rows, err := l.db.Read().QueryContext(ctx, `SELECT idx, at, `+facetColumns+` FROM decisionlog_events WHERE idx >= $1 AND idx < $2 ORDER BY idx DESC`, from, before)
	if err != nil {
		return nil, fmt.Errorf("decisionlog: query: %w", err)
	}
	defer rows.Close()
	var found []int64
	for rows.Next() && len(found) < limit {
		var index, micros int64
		var c facets
		if err := rows.Scan(append([]any{&index, &micros}, c.fields()...)...); err != nil {
			return nil, fmt.Errorf("decisionlog: query: %w", err)
		}
		e := c.entry()
		e.At = time.UnixMicro(micros)
		if f.Matches(Record{Index: index, Entry: e}) {
			found = append(found, index)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("decisionlog: query: %w", err)
	}
	return found, nil
}

// newestOf asks for the newest events of each combination.
func newestOf(sets []facets, f *Filter, from, before int64, limit int) (string, []any) {
	var parts []string
	var w conditions
	times := ""
	if !f.Since.IsZero() {
		times += " AND at >= " + w.arg(f.Since.UnixMicro())
	}
	if !f.Until.IsZero() {
		times += " AND at < " + w.arg(f.Until.UnixMicro())
	}
	reach := " AND idx >= " + w.arg(from) + " AND idx < " + w.arg(before) + times + " ORDER BY idx DESC LIMIT " + w.arg(limit)
	for i := range sets {
		var terms []string
		for j, name := range strings.Split(facetColumns, ", ") {
			terms = append(terms, name+" = "+w.arg(sets[i].values()[j]))
		}
		parts = append(parts, fmt.Sprintf(`SELECT idx FROM (SELECT idx FROM decisionlog_events WHERE %s%s) AS s%d`, strings.Join(terms, " AND "), reach, i))
	}
	return strings.Join(parts, " UNION ALL "), w.args
}

func (c *facets) values() []any {
	return []any{c.kind, c.allowed, c.actorKind, c.operation, c.purpose, c.feature, c.basis, c.clauses, c.outcome}
}

// facetSets lists the combinations that occur. It jumps through the index from each to the next, without reading
// the events between.
func (l *Log) facetSets(ctx context.Context) ([]facets, error) {
	qualified := func(table, end string) string {
		var names []string
		for _, name := range strings.Split(facetColumns, ", ") {
			if name = table + "." + name; name != table+".allowed" {
				name += end
			}
			names = append(names, name)
		}
		return strings.Join(names, ", ")
	}
	// As expressions, which have no affinity, and with a last place that no event has, SQLite seeks to the next
	// combination; without either it would read the rest of this one.
	this, next := qualified("e", ""), qualified("n", "")+", n.idx"
	rows, err := l.db.Read().QueryContext(ctx, `WITH RECURSIVE jump(idx) AS (
			SELECT (SELECT idx FROM decisionlog_events ORDER BY `+facetColumns+`, idx LIMIT 1)
			UNION ALL
			SELECT (SELECT n.idx FROM decisionlog_events AS n WHERE (`+next+`) > (`+qualified("e", " || ''")+`, 9223372036854775807) ORDER BY `+next+` LIMIT 1)
			FROM jump JOIN decisionlog_events AS e ON e.idx = jump.idx
		) SELECT `+this+` FROM jump JOIN decisionlog_events AS e ON e.idx = jump.idx`)
	if err != nil {
		return nil, fmt.Errorf("decisionlog: query: %w", err)
	}
	defer rows.Close()
	var sets []facets
	for rows.Next() {
		var c facets
		if err := rows.Scan(c.fields()...); err != nil {
			return nil, fmt.Errorf("decisionlog: query: %w", err)
		}
		sets = append(sets, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("decisionlog: query: %w", err)
	}
	return sets, nil
}

func (l *Log) readIndexes(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := l.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("decisionlog: query: %w", err)
	}
	defer rows.Close()
	var found []int64
	for rows.Next() {
		var index int64
		if err := rows.Scan(&index); err != nil {
			return nil, fmt.Errorf("decisionlog: query: %w", err)
		}
		found = append(found, index)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("decisionlog: query: %w", err)
	}
	return found, nil
}

// disorder is how far the times of events may differ from their order. Whoever makes an event takes its time
// before it waits for its place, at most [Config.Timeout] and the time of a key's download.
const disorder = time.Minute

// reach returns the places in the log between which events of the filter's time can be: idx >= from and idx < before.
// Where from is not below before, there are none. (Of idx + 0 there is no index, so the one of times is used.)
func (l *Log) reach(ctx context.Context, f *Filter) (from, before int64, err error) {
	before = f.Before
	if !f.Until.IsZero() {
		last, err := l.place(ctx, `SELECT max(idx + 0) FROM decisionlog_events WHERE at < $1 AND at >= (SELECT max(at) FROM decisionlog_events WHERE at < $1) - $2`,
			f.Until.UnixMicro(), disorder.Microseconds())
		if err != nil {
			return 0, 0, err
		}
		if last < 0 {
			return 0, 0, nil
		}
		if before == 0 || last+1 < before {
			before = last + 1
		}
	}
	if before == 0 {
		last, err := l.place(ctx, `SELECT max(idx) FROM decisionlog_events`)
		if err != nil {
			return 0, 0, err
		}
		before = last + 1
	}
	if !f.Since.IsZero() {
		from, err = l.place(ctx, `SELECT min(idx + 0) FROM decisionlog_events WHERE at >= $1 AND at <= (SELECT min(at) FROM decisionlog_events WHERE at >= $1) + $2`,
			f.Since.UnixMicro(), disorder.Microseconds())
		if from < 0 {
			from = before // nothing is that new
		}
	}
	return from, before, err
}

// place runs a query for one index; -1 when there is none.
func (l *Log) place(ctx context.Context, query string, args ...any) (int64, error) {
	var index sql.NullInt64
	if err := l.db.Read().QueryRowContext(ctx, query, args...).Scan(&index); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("decisionlog: query: %w", err)
	}
	if !index.Valid {
		return -1, nil
	}
	return index.Int64, nil
}

// byIndex says which index a query on few rows is to use. PostgreSQL keeps statistics and knows by itself; SQLite
// would rather go by the many columns of the index of facets.
func (l *Log) byIndex(f *Filter) string {
	switch {
	case l.db.Dialect() != database.SQLite || f.DecisionID != "" || f.Ref != nil:
	case f.Actor != "":
		return ` INDEXED BY decisionlog_events_actor`
	case f.Account != "":
		return ` INDEXED BY decisionlog_events_account`
	case f.Allowed != nil && !*f.Allowed:
		return ` INDEXED BY decisionlog_events_refused`
	}
	return ""
}
