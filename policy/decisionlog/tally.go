package decisionlog

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Count is how many events of one day share their facets.
type Count struct {
	Day time.Time // its beginning, UTC
	Entry
	N int64
}

// Tally counts a log's events by day and facets. It remembers what it has counted: the first question takes a
// pass over the index of facets, about a second for a million events, later ones only what is new. It holds
// a few bytes for each day and combination. It is safe for concurrent use.
type Tally struct {
	log *Log

	mu      sync.Mutex
	counted int64                      // events before this one are in days
	days    map[int64]map[facets]int64 // by number of the day since 1970, UTC
}

// NewTally returns a tally that has counted nothing yet.
func NewTally(log *Log) *Tally { return &Tally{log: log, days: map[int64]map[facets]int64{}} }

const microsADay = 24 * 60 * 60 * 1_000_000

// Counts returns the counts of the days between since and until, of events that pass the filter's facets; other
// fields of the filter are not looked at. The order of counts is not defined. size is how many events of the log
// are counted: the counts are of the log at that moment.
func (t *Tally) Counts(ctx context.Context, f Filter) (counts []Count, size int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.advance(ctx); err != nil {
		return nil, 0, err
	}
	for day, sets := range t.days {
		begins := time.UnixMicro(day * microsADay).UTC()
		if !f.Since.IsZero() && begins.AddDate(0, 0, 1).Compare(f.Since) <= 0 || !f.Until.IsZero() && !begins.Before(f.Until) {
			continue
		}
		for set, n := range sets {
			if e := set.entry(); f.matchesFacets(&e) {
				counts = append(counts, Count{Day: begins, Entry: e, N: n})
			}
		}
	}
	return counts, t.counted, nil
}

// many is from how many events on it is faster to go through the index of facets than through the events.
const many = 10_000

// advance counts what is new.
func (t *Tally) advance(ctx context.Context) error {
	row, err := readHead(ctx, t.log.db.Read())
	if err != nil || row.tree.N <= t.counted {
		return err
	}
	added := map[int64]map[facets]int64{}
	if row.tree.N-t.counted < many {
		err = t.countEvents(ctx, added, row.tree.N)
	} else {
		err = t.countSets(ctx, added, row.tree.N)
	}
	if err != nil {
		return fmt.Errorf("decisionlog: count: %w", err)
	}
	for day, sets := range added {
		if t.days[day] == nil {
			t.days[day] = map[facets]int64{}
		}
		for set, n := range sets {
			t.days[day][set] += n
		}
	}
	t.counted = row.tree.N
	return nil
}

// dayOf is the day of an event, as a number.
const dayOf = `at / 86400000000`

// countEvents reads the events from the last one counted.
func (t *Tally) countEvents(ctx context.Context, added map[int64]map[facets]int64, before int64) error {
	return t.rows(ctx, `SELECT `+facetColumns+`, `+dayOf+`, count(*) FROM decisionlog_events WHERE idx >= $1 AND idx < $2 GROUP BY `+facetColumns+`, `+dayOf,
		[]any{t.counted, before}, func(scan func(...any) error) error {
			var set facets
			var day, n int64
			err := scan(append(set.fields(), &day, &n)...)
			add(added, day, set, n)
			return err
		})
}

// countSets counts each combination by itself, in the index of facets alone.
func (t *Tally) countSets(ctx context.Context, added map[int64]map[facets]int64, before int64) error {
	sets, err := t.log.facetSets(ctx)
	if err != nil {
		return err
	}
	for _, set := range sets {
		w := conditions{args: set.values()}
		for i, name := range strings.Split(facetColumns, ", ") {
			w.add(fmt.Sprintf("%s = $%d", name, i+1))
		}
		w.add("idx >= " + w.arg(t.counted))
		w.add("idx < " + w.arg(before))
		err := t.rows(ctx, `SELECT `+dayOf+`, count(*) FROM decisionlog_events`+w.clause()+` GROUP BY `+dayOf, w.args, func(scan func(...any) error) error {
			var day, n int64
			err := scan(&day, &n)
			add(added, day, set, n)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func add(to map[int64]map[facets]int64, day int64, set facets, n int64) {
	if to[day] == nil {
		to[day] = map[facets]int64{}
	}
	to[day][set] = n
}

// rows hands the rows of a query to each.
func (t *Tally) rows(ctx context.Context, query string, args []any, each func(scan func(...any) error) error) error {
	rows, err := t.log.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Refuser is somebody who was refused.
type Refuser struct {
	ActorKind string
	Actor     string
	Refusals  int64
	Last      int64 // index of the newest
}

// refusalsLooked bounds how many refusals Refusers reads.
const refusalsLooked = 10_000

// Refusers counts the newest refusals since a time by who was refused, most refused first. It looks at the newest
// ten thousand, and tells whether that was all.
func (l *Log) Refusers(ctx context.Context, since time.Time) (list []Refuser, all bool, err error) {
	from, _, err := l.reach(ctx, &Filter{Since: since})
	if err != nil {
		return nil, false, err
	}
	rows, err := l.db.Read().QueryContext(ctx, `SELECT actor_kind, actor, count(*), max(idx) FROM (
			SELECT actor_kind, actor, idx FROM decisionlog_events WHERE kind = 'decision' AND allowed = FALSE AND idx >= $1 AND +at >= $2 ORDER BY idx DESC LIMIT $3
		) AS newest GROUP BY actor_kind, actor ORDER BY count(*) DESC, max(idx) DESC`, from, since.UnixMicro(), refusalsLooked)
	if err != nil {
		return nil, false, fmt.Errorf("decisionlog: count refusals: %w", err)
	}
	defer rows.Close()
	total := int64(0)
	for rows.Next() {
		var r Refuser
		if err := rows.Scan(&r.ActorKind, &r.Actor, &r.Refusals, &r.Last); err != nil {
			return nil, false, fmt.Errorf("decisionlog: count refusals: %w", err)
		}
		list, total = append(list, r), total+r.Refusals
	}
	return list, total < refusalsLooked, rows.Err()
}
