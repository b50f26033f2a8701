package inbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/internal/database"
)

const (
	atOnce      = 8                // messages being sent at a time, a node
	pollOutbox  = time.Second      // how often a node looks for due rows, beside being woken
	sweepEvery  = time.Minute      // how often what is old is deleted
	graceAtStop = 10 * time.Second // for calls on their way when the program ends
)

// StartSender begins to send what is due. On SQLite, where one process has the database, the rows that an
// earlier process was at are taken over at once; on PostgreSQL when their lease has run out.
func (s *Service) StartSender(ctx context.Context) error {
	if s.db.Dialect() == database.SQLite {
		if err := s.releaseLeases(ctx); err != nil {
			return err
		}
	}
	var loop context.Context
	loop, s.stop = context.WithCancel(ctx)
	s.sender = make(chan struct{})
	go s.runSender(loop)
	return nil
}

// StopSender ends the sender. Calls on their way to Gmail get a few seconds to come back; what does not is
// found out at the next start.
func (s *Service) StopSender() {
	if s.stop != nil {
		s.stop()
		<-s.sender
	}
}

func (s *Service) wake() {
	select {
	case s.awake <- struct{}{}:
	default: // already woken
	}
}

// runSender claims due rows as fast as slots allow, until loop ends.
func (s *Service) runSender(loop context.Context) {
	defer close(s.sender)
	work, abandon := context.WithCancel(gmail.WithUrgency(context.WithoutCancel(loop), gmail.Background))
	defer abandon()
	d := dispatcher{service: s, slots: make(chan struct{}, atOnce)}
	var swept time.Time
	for loop.Err() == nil {
		if err := d.dispatch(work); err != nil {
			slog.Error("inbox: looking for messages to send", "error", err)
		}
		if now := s.now(); now.Sub(swept) >= sweepEvery {
			if err := s.sweep(work); err != nil {
				slog.Error("inbox: sweeping the outbox", "error", err)
			}
			if err := s.renewWatches(work); err != nil {
				slog.Error("inbox: renewing watches", "error", err)
			}
			swept = now
		}
		t := time.NewTimer(pollOutbox)
		select {
		case <-s.awake:
		case <-t.C:
		case <-loop.Done():
		}
		t.Stop()
	}
	time.AfterFunc(graceAtStop, abandon)
	d.running.Wait()
}

// dispatcher runs jobs side by side, a bounded number at a time.
type dispatcher struct {
	service *Service
	slots   chan struct{}
	running sync.WaitGroup
}

// dispatch claims as many due rows as there are free slots and starts on them.
func (d *dispatcher) dispatch(ctx context.Context) error {
	due, err := d.service.due(ctx, cap(d.slots)-len(d.slots))
	if err != nil {
		return err
	}
	for _, c := range due {
		d.slots <- struct{}{} // only dispatch fills slots: there is room
		d.running.Go(func() {
			defer d.service.wake()
			defer func() { <-d.slots }()
			if err := d.service.handle(ctx, c); err != nil && !errors.Is(err, errLost) {
				slog.Error("inbox: sending", "outbox", c.id, "error", err)
			}
		})
	}
	return nil
}

// candidate is a row that looked due when it was listed.
type candidate struct {
	id    string
	fence int64
}

func (s *Service) due(ctx context.Context, limit int) ([]candidate, error) {
	now := s.now().UnixMicro()
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, fence FROM outbox
		WHERE ended = 0 AND next <= $1 AND lease <= $1 ORDER BY next LIMIT $2`, now, limit)
	if err != nil {
		return nil, fmt.Errorf("inbox: reading the outbox: %w", err)
	}
	defer rows.Close()
	var out []candidate
	for rows.Next() {
		var c candidate
		if err := rows.Scan(&c.id, &c.fence); err != nil {
			return nil, fmt.Errorf("inbox: reading the outbox: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// releaseLeases ends the leases of a process that is gone. Should it not be gone after all, the fence keeps it from writing.
func (s *Service) releaseLeases(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE outbox SET lease = 0 WHERE ended = 0 AND lease > 0`); err != nil {
			return fmt.Errorf("inbox: taking over the outbox: %w", err)
		}
		return nil
	})
}
