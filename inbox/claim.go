package inbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// leaseTerm is how long a claim lasts that is not renewed: so long a crash of another node delays a message.
const leaseTerm = 30 * time.Second

// errLost: another sender has the row, or it is gone. Nothing more may be done for it here.
var errLost = errors.New("inbox: the outbox row belongs to another sender")

// job is a claimed row.
type job struct {
	id                    string
	account               policy.AccountID
	instruction           string
	step                  step
	created, due          int64
	fence                 int64
	attempts, looks       int64
	draft, thread         string
	sealed, sealedMessage []byte
	details               details
	message               assembled
	size                  int64 // of a message on the shelf; 0 for one in the row
}

// claim takes a row for leaseTerm. The fence in the condition lets exactly one of several claimants have it,
// on both engines; it fails with errLost for the others.
func (s *Service) claim(ctx context.Context, c candidate) (*job, error) {
	now := s.now()
	j := &job{id: c.id}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var account, at string
		err := tx.QueryRowContext(ctx, `UPDATE outbox SET state = 'sending', fence = fence + 1, attempts = attempts + 1, lease = $3
			WHERE id = $1 AND fence = $2 AND ended = 0 AND lease <= $4
			RETURNING account, instruction, step, created, due, fence, attempts, looks, draft, thread, details, raw, size`,
			c.id, c.fence, now.Add(leaseTerm).UnixMicro(), now.UnixMicro()).
			Scan(&account, &j.instruction, &at, &j.created, &j.due, &j.fence, &j.attempts, &j.looks, &j.draft, &j.thread, &j.sealed, &j.sealedMessage, &j.size)
		j.account, j.step = policy.AccountID(account), step(at)
		if errors.Is(err, sql.ErrNoRows) {
			return errLost
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("inbox: claiming a message: %w", err)
	}
	return j, nil
}

// handle claims a row and carries it as far as it goes.
func (s *Service) handle(ctx context.Context, c candidate) error {
	j, err := s.claim(ctx, c)
	if err != nil {
		return err
	}
	atStep("claimed")
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.keepLease(ctx, j, cancel)()
	err = s.unsealJob(ctx, j)
	for range stepsInARow {
		if err != nil || j.step == stepSent {
			break
		}
		err = s.takeStep(ctx, j)
	}
	if err == nil && j.step != stepSent {
		err = ErrUpstream
	}
	if err == nil {
		return nil
	}
	if errors.Is(context.Cause(ctx), errLost) {
		return errLost
	}
	return s.setBack(context.WithoutCancel(ctx), j, err)
}

// keepLease renews the lease while a job runs, for a large message takes longer than a lease lasts. The
// returned function ends it.
func (s *Service) keepLease(ctx context.Context, j *job, cancel context.CancelCauseFunc) (end func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(leaseTerm / 3)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				err := s.write(ctx, j, nil, `lease = $3`, s.now().Add(leaseTerm).UnixMicro())
				if errors.Is(err, errLost) {
					cancel(errLost)
					return
				}
			}
		}
	}()
	return func() { close(done); <-ended }
}

// errUnreadable: the account's key does not open the row.
var errUnreadable = errors.New("inbox: a message in the outbox cannot be opened")

func (s *Service) unsealJob(ctx context.Context, j *job) (err error) {
	if j.details, err = s.openDetails(ctx, j.account, j.sealed); err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if j.size > 0 {
		j.message.large = stored{service: s, shelf: outboxShelf, account: j.account, id: j.id, key: j.sealedMessage, size: j.size}
	} else if j.message.raw, err = s.seal.Unseal(ctx, j.account, sealedRaw, j.sealedMessage); err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	j.sealed, j.sealedMessage = nil, nil
	return nil
}

// reach writes that a step is about to be taken.
func (s *Service) reach(ctx context.Context, j *job, next step) error {
	if err := s.write(ctx, j, nil, `step = $3, looks = 0`, string(next)); err != nil {
		return err
	}
	j.step, j.looks = next, 0
	return nil
}

// write changes the claimed row under its fence, and does more in the same transaction; errLost when the
// claim is no longer ours.
func (s *Service) write(ctx context.Context, j *job, more func(*sql.Tx) error, set string, args ...any) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE outbox SET `+set+` WHERE id = $1 AND fence = $2 AND ended = 0`, append([]any{j.id, j.fence}, args...)...)
		if err := one(res, err, errLost); err != nil || more == nil {
			return err
		}
		return more(tx)
	})
}

// sent ends a message that left. The row keeps its ids; message, instruction and uploads go.
func (s *Service) sent(ctx context.Context, j *job, m *gmail.Message) error {
	err := s.write(ctx, j, func(tx *sql.Tx) error {
		if err := endInstruction(ctx, tx, j.instruction); err != nil {
			return err
		}
		if err := outboxShelf.clear(ctx, tx, j.id); err != nil {
			return err
		}
		return dropUploads(ctx, tx, j.account, j.details.Compose)
	}, `state = 'sent', step = 'sent', ended = $3, message = $4, thread = $5, details = NULL, raw = NULL`, s.now().UnixMicro(), m.Id, m.ThreadId)
	if err != nil {
		return err
	}
	j.step = stepSent
	s.boxes.of(j.account).changed()
	s.boxes.of(j.account).forgetThread(m.ThreadId)
	atStep("sent")
	return nil
}

// fail ends a message that will not leave by itself. It is kept for its owner to take back, and its draft with it.
func (s *Service) fail(ctx context.Context, j *job, why failure) error {
	return s.write(ctx, j, func(tx *sql.Tx) error { return endInstruction(ctx, tx, j.instruction) },
		`state = 'failed', step = $3, failure = $4, ended = $5, lease = 0`, string(j.step), string(why), s.now().UnixMicro())
}
