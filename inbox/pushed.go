package inbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
)

// Where a Pub/Sub topic is configured, Gmail tells of changes by itself. A notification names a mailbox and carries
// nothing of it; it can come late, twice or never. So it only wakes the poller of a page that is open, which reads the
// history from where it stands, under the page's own grant; and the poller goes on by itself, more slowly.
//
// Gmail forgets a watch after seven days, so it is renewed every day: on the standing instruction that the owner gives
// by keeping a page open, and for as long as that stands. A renewal that fails is an error in the log each time it is
// tried, and polling is as frequent as without notifications until it succeeds.
const (
	renewEvery  = 24 * time.Hour
	renewAgain  = 10 * time.Minute   // after a failure
	watchKept   = 7 * 24 * time.Hour // how long the instruction stands after the last page was opened
	watchStands = 3 * 24 * time.Hour // how long a watch is trusted that is not renewed
	renewAtOnce = 20                 // mailboxes in one go

	syncPurpose  policy.Purpose = "inbox.sync"
	liveFeature  policy.Feature = "live_updates"
	watchSubject                = "watch" // what the instruction is for
)

// Pushed says that Gmail told of a change in the mailbox.
func (s *Service) Pushed(account policy.AccountID) {
	b, ok := s.boxes.held.Peek(account)
	if !ok {
		return // nobody looks at it
	}
	select {
	case b.live.nudge <- struct{}{}:
	default: // about to look already
	}
}

// instructWatch records the owner's instruction to be told of changes, at most once a day.
func (s *Service) instructWatch(ctx context.Context, v Visit) error {
	if s.topic == "" || v.Actor.Kind != policy.Owner {
		return nil
	}
	now := s.now()
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var old string
		err := tx.QueryRowContext(ctx, `SELECT w.instruction FROM watches w JOIN instructions i ON i.id = w.instruction
			WHERE w.account = $1 AND i.given > $2`, string(v.Account), now.Add(-renewEvery).UnixMicro()).Scan(&old)
		if err == nil {
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("inbox: reading a watch: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM instructions WHERE account = $1 AND resource = $2`, string(v.Account), watchSubject); err != nil {
			return fmt.Errorf("inbox: replacing an instruction: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO watches (account, instruction, renewed, tried, failures) VALUES ($1, $2, 0, 0, 0)
			ON CONFLICT (account) DO UPDATE SET instruction = excluded.instruction`, string(v.Account), id.String()); err != nil {
			return fmt.Errorf("inbox: recording a watch: %w", err)
		}
		return giveInstruction(ctx, tx, policy.Instruction{
			ID: id.String(), Account: v.Account, Feature: liveFeature, Resource: watchSubject, Given: now, Expires: now.Add(watchKept),
		})
	})
}

// dueWatch is a mailbox whose watch is to be renewed.
type dueWatch struct {
	account     policy.AccountID
	instruction string
	failures    int64
}

// renewWatches renews what is due. One mailbox's failure keeps no other from its turn.
func (s *Service) renewWatches(ctx context.Context) error {
	if s.topic == "" {
		return nil
	}
	due, err := s.dueWatches(ctx)
	if err != nil {
		return err
	}
	for _, w := range due {
		err := s.renewWatch(ctx, w)
		if err != nil {
			// The alarm: without renewals live updates get slower, and nobody would notice.
			slog.Error("inbox: a watch could not be renewed; its mailbox is polled", "failures", w.failures+1, "error", err)
		}
		if err := s.recordRenewal(ctx, w, err); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) dueWatches(ctx context.Context) ([]dueWatch, error) {
	now := s.now()
	rows, err := s.db.Read().QueryContext(ctx, `SELECT w.account, w.instruction, w.failures FROM watches w JOIN instructions i ON i.id = w.instruction
		WHERE i.expires > $1 AND w.renewed <= $2 AND w.tried <= $3 ORDER BY w.tried LIMIT $4`,
		now.UnixMicro(), now.Add(-renewEvery).UnixMicro(), now.Add(-renewAgain).UnixMicro(), renewAtOnce)
	if err != nil {
		return nil, fmt.Errorf("inbox: reading watches: %w", err)
	}
	defer rows.Close()
	var due []dueWatch
	for rows.Next() {
		var w dueWatch
		if err := rows.Scan(&w.account, &w.instruction, &w.failures); err != nil {
			return nil, fmt.Errorf("inbox: reading watches: %w", err)
		}
		due = append(due, w)
	}
	return due, rows.Err()
}

func (s *Service) renewWatch(ctx context.Context, w dueWatch) error {
	f, err := fetch(ctx, s, Visit{
		Actor: policy.Actor{Kind: policy.Service}, Account: w.account, Purpose: syncPurpose, Feature: liveFeature, Instruction: w.instruction, Subject: watchSubject,
	}, gmail.WatchMailbox(s.topic))
	if err != nil {
		return err
	}
	f.grant.Finish(nil, 1, 0)
	return nil
}

func (s *Service) recordRenewal(ctx context.Context, w dueWatch, failed error) error {
	set, now := `renewed = $2, failures = 0`, s.now().UnixMicro()
	if failed != nil {
		set = `failures = failures + 1`
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE watches SET tried = $2, `+set+` WHERE account = $1`, string(w.account), now); err != nil {
			return fmt.Errorf("inbox: recording a renewal: %w", err)
		}
		return nil
	})
}

// WatchesFailing counts the mailboxes whose watch could not be renewed when it was last tried.
func (s *Service) WatchesFailing(ctx context.Context) (n int, err error) {
	if err := s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM watches WHERE failures > 0`).Scan(&n); err != nil {
		return 0, fmt.Errorf("inbox: counting watches: %w", err)
	}
	return n, nil
}

// quiet says whether a mailbox may be polled slowly, because Gmail tells of its changes and this is the process that
// hears it: with several nodes a notification reaches one of them.
func (s *Service) quiet(ctx context.Context, account policy.AccountID) bool {
	if s.topic == "" || s.db.Dialect() != database.SQLite {
		return false
	}
	var renewed, failures int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT renewed, failures FROM watches WHERE account = $1`, string(account)).Scan(&renewed, &failures)
	return err == nil && failures == 0 && s.now().Sub(time.UnixMicro(renewed)) < watchStands
}
