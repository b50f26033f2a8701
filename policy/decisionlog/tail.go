package decisionlog

import (
	"context"
	"time"
)

// tailPage is how many events Tail reads at a time.
const tailPage = 256

// Tail calls do for every event from index from on, in order and without gaps, first those that are there, then
// each new one, until ctx ends or do returns an error, which it returns. Events of this process arrive at once,
// those of other nodes after at most Config.Poll. Events dropped by retention are left out.
func (l *Log) Tail(ctx context.Context, from int64, do func(Record) error) error {
	ticker := time.NewTicker(l.cfg.Poll)
	defer ticker.Stop()
	for {
		grown := l.whenGrown() // asked for before reading, so that no growth falls in between
		records, err := readRecords(ctx, l.db.Read(),
			`SELECT `+eventColumns+` FROM decisionlog_events WHERE idx >= $1 ORDER BY idx LIMIT $2`, from, tailPage)
		if err != nil {
			return err
		}
		for _, record := range records {
			if err := do(record); err != nil {
				return err
			}
			from = record.Index + 1
		}
		if len(records) == tailPage {
			continue
		}
		select {
		case <-grown:
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// whenGrown returns a channel that is closed when this process next writes to the log.
func (l *Log) whenGrown() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.grown
}
