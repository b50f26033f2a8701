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
	"github.com/totalengage/webmail/policy"
)

// Gmail has no way to say "send this once": an answer that gets lost may have sent, and a crash forgets
// what was asked (GMAIL.md 4.2). What makes a send happen exactly once here:
//
//   - The row is written before anything else, and every step is written to it before the step is taken.
//   - A row gets one Gmail draft in its life, and only that draft is ever sent for it. Sending consumes a
//     draft, so of any number of drafts.send for it, from whichever node, one can succeed.
//   - After a step whose outcome is unknown the sender looks before it acts: a draft that is still there
//     was not sent; one that is gone was, and its token is found in Sent.
//   - Writes to the row carry the fence of the claim. A sender that lost its lease without noticing
//     cannot write any more, so it cannot give the row a second draft.
//
// steps, with what a crash in them leaves behind:
type step string

const (
	stepStart    step = "start"    // nothing at Gmail
	stepCreating step = "creating" // perhaps a draft whose id is not known here
	stepDrafted  step = "drafted"  // the draft, not sent
	stepSending  step = "sending"  // the draft, or the sent message
	stepSent     step = "sent"
)

const (
	leaseTerm    = 30 * time.Second
	atOnce       = 8                // messages being sent at a time, a node
	pollOutbox   = time.Second      // how often a node looks for due rows, beside being woken
	sweepEvery   = time.Minute      // how often what is old is deleted
	graceAtStop  = 10 * time.Second // for calls on their way when the program ends
	longestWait  = 5 * time.Minute  // between two attempts
	patience     = 24 * time.Hour   // after which a message that cannot leave has failed: later would surprise
	draftLooks   = 3                // looks for a draft that may have been made, before another one is
	sentLooks    = 6                // looks for a message that may have left
	sentPages    = 4
	sentPageSize = 25
	stepsInARow  = 12 // more, and the sender goes in circles
)

const (
	sendPurpose policy.Purpose = "inbox.send"
	sendFeature policy.Feature = "send"
)

// ErrReconnect is wrapped by the token vault's error when the owner must connect the mailbox again. The
// vault knows nothing of this package: whoever wires the two together translates.
var ErrReconnect = errors.New("the mailbox must be connected again")

// failure names why a message could not be sent; advice says it to its owner.
type failure string

const (
	failedRefused     failure = "refused"
	failedReconnect   failure = "reconnect"
	failedForbidden   failure = "forbidden"
	failedInvalid     failure = "invalid"
	failedTooLarge    failure = "too_large"
	failedUnknown     failure = "unknown"
	failedUnreachable failure = "unreachable"
	failedUnreadable  failure = "unreadable"
)

var advice = map[failure]string{
	failedRefused:     "Sending is not permitted at the moment. The message is kept: check the mailbox's connection and your consent, take the message back and send it again.",
	failedReconnect:   "The mailbox must be connected again. The message is kept: connect, take the message back and send it again.",
	failedForbidden:   "Gmail does not let this account send. The message is kept: take it back, and check the account at Gmail.",
	failedInvalid:     "Gmail does not accept the message as it is. Take it back, check recipients and attachments, and send it again.",
	failedTooLarge:    "The message is larger than Gmail accepts. Take it back and remove attachments.",
	failedUnknown:     "It is not certain whether the message left. Look into Sent; only if it is not there, take it back and send it again.",
	failedUnreachable: "Gmail could not be reached for a day. The message is kept: take it back and send it again.",
	failedUnreadable:  "The message can no longer be opened here. Look into Drafts.",
}

// errLost: another sender has the row, or it is gone. Nothing more may be done for it here.
var errLost = errors.New("inbox: the outbox row belongs to another sender")

// errAbsent: what was looked for is not there, yet.
var errAbsent = errors.New("inbox: looked for and not found")

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
	work, abandon := context.WithCancel(context.WithoutCancel(loop))
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

// job is a claimed row.
type job struct {
	id                   string
	account              policy.AccountID
	instruction          string
	step                 step
	created, due         int64
	fence                int64
	attempts, looks      int64
	draft, thread        string
	sealedMore, sealedMM []byte
	details              details
	raw                  []byte
}

func (j *job) visit() Visit {
	return Visit{
		Actor: policy.Actor{Kind: policy.Service}, Account: j.account, Purpose: sendPurpose, Feature: sendFeature, Instruction: j.instruction,
	}
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
			RETURNING account, instruction, step, created, due, fence, attempts, looks, draft, thread, details, raw`,
			c.id, c.fence, now.Add(leaseTerm).UnixMicro(), now.UnixMicro()).
			Scan(&account, &j.instruction, &at, &j.created, &j.due, &j.fence, &j.attempts, &j.looks, &j.draft, &j.thread, &j.sealedMore, &j.sealedMM)
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
	if j.details, err = s.openDetails(ctx, j.account, j.sealedMore); err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if j.raw, err = s.seal.Unseal(ctx, j.account, sealedRaw, j.sealedMM); err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	j.sealedMore, j.sealedMM = nil, nil
	return nil
}

// takeStep takes the next step.
func (s *Service) takeStep(ctx context.Context, j *job) error {
	switch j.step {
	case stepStart:
		return s.makeDraft(ctx, j)
	case stepCreating:
		return s.lookForDraft(ctx, j)
	case stepDrafted:
		return s.sendDraft(ctx, j)
	case stepSending:
		return s.lookForSent(ctx, j)
	}
	return fmt.Errorf("%w: at an unknown step", errUnreadable)
}

func (s *Service) makeDraft(ctx context.Context, j *job) error {
	if err := s.reach(ctx, j, stepCreating); err != nil {
		return err
	}
	atStep("creating")
	d, err := s.createDraft(ctx, j.visit(), assembled{raw: j.raw, thread: j.thread})
	if err != nil {
		if certain(err) {
			j.step = stepStart
		}
		return err
	}
	atStep("created")
	return s.keepDraft(ctx, j, d)
}

// keepDraft gives the row its draft: once, or not at all.
func (s *Service) keepDraft(ctx context.Context, j *job, d *gmail.Draft) error {
	if err := s.write(ctx, j, nil, `step = 'drafted', looks = 0, draft = $3`, d.Id); err != nil {
		return err
	}
	j.step, j.looks, j.draft = stepDrafted, 0, d.Id
	atStep("drafted")
	return nil
}

// lookForDraft finds out whether a draft was made whose answer got lost.
func (s *Service) lookForDraft(ctx context.Context, j *job) error {
	d, err := s.draftWithToken(ctx, j.visit(), j.details.Token)
	switch {
	case err != nil:
		return err
	case d != nil:
		return s.keepDraft(ctx, j, d)
	case j.looks+1 < draftLooks:
		return errAbsent
	}
	// None was made, or Gmail hides it: then another one does no harm, for only that one will be sent.
	return s.reach(ctx, j, stepStart)
}

func (s *Service) sendDraft(ctx context.Context, j *job) error {
	if err := s.reach(ctx, j, stepSending); err != nil {
		return err
	}
	atStep("sending")
	f, err := fetch(ctx, s, j.visit(), gmail.SendDraft(j.draft, j.raw, j.thread))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil // the draft is gone, or the conversation: look
	case err != nil:
		if certain(err) {
			j.step = stepDrafted
		}
		return err
	}
	f.grant.Finish(nil, 1, int64(len(j.raw)))
	atStep("left")
	return s.sent(ctx, j, f.value)
}

// lookForSent finds out whether the message left: its draft is there, or it is in Sent.
func (s *Service) lookForSent(ctx context.Context, j *job) error {
	f, err := fetch(ctx, s, j.visit(), gmail.GetDraft(j.draft))
	if err == nil {
		f.grant.Finish(nil, 1, 0)
		return s.stillThere(ctx, j, f.value)
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	m, err := s.sentWithToken(ctx, j)
	if err != nil {
		return err
	}
	if m == nil {
		return errAbsent
	}
	return s.sent(ctx, j, m)
}

// stillThere: the draft was not sent. A conversation that is gone would refuse it for ever, so it leaves that.
func (s *Service) stillThere(ctx context.Context, j *job, d *gmail.Draft) error {
	thread := j.thread
	if d.Message != nil && j.thread != d.Message.ThreadId {
		thread = ""
	}
	if err := s.write(ctx, j, nil, `step = 'drafted', thread = $3`, thread); err != nil {
		return err
	}
	j.step, j.thread = stepDrafted, thread
	return nil
}

// sentWithToken looks for the message among the latest in Sent, back to when it was given to be sent.
func (s *Service) sentWithToken(ctx context.Context, j *job) (*gmail.Message, error) {
	page, since := "", time.UnixMicro(j.created).Add(-time.Hour).UnixMilli()
	for range sentPages {
		list, err := fetch(ctx, s, j.visit(), gmail.ListMessages(gmail.Query{Label: "SENT", Max: sentPageSize, Page: page, SpamOrTrash: true}))
		if err != nil {
			return nil, err
		}
		ids := make([]string, len(list.value.Messages))
		for i, m := range list.value.Messages {
			ids[i] = m.Id
		}
		if err := list.grant.Release(ctx, policy.Messages, ids, 0); err != nil {
			return nil, err
		}
		m, oldest, err := s.messageWithToken(ctx, j.visit(), ids, j.details.Token)
		if m != nil || err != nil {
			return m, err
		}
		if page = list.value.NextPageToken; page == "" || oldest < since {
			return nil, nil
		}
	}
	return nil, nil
}

// certain says that a call with this error did nothing at Gmail.
func certain(err error) bool {
	var throttled *Throttled
	var invalid *InvalidError
	var refused *policy.Refused
	var closed *policy.Closed
	var notCovered *policy.NotCovered
	return errors.As(err, &throttled) || errors.As(err, &invalid) || errors.As(err, &refused) || errors.As(err, &closed) || errors.As(err, &notCovered) ||
		errors.Is(err, ErrNotFound) || errors.Is(err, ErrForbidden) || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrReconnect)
}

// setBack decides what an error means for a message: later, or never.
func (s *Service) setBack(ctx context.Context, j *job, err error) error {
	if errors.Is(err, errLost) {
		return errLost
	}
	if why := final(j, err); why != "" {
		return s.fail(ctx, j, why)
	}
	now := s.now()
	wait := min(time.Second<<min(j.attempts, 10), longestWait)
	if errors.Is(err, errAbsent) {
		j.looks++
		wait = min(time.Second<<min(j.looks, 10), longestWait)
	}
	next := now.Add(wait)
	var throttled *Throttled
	if errors.As(err, &throttled) && throttled.Until.After(next) {
		next = throttled.Until
	}
	if next.After(time.UnixMicro(j.due).Add(patience)) {
		if j.step == stepSending {
			return s.fail(ctx, j, failedUnknown)
		}
		return s.fail(ctx, j, failedUnreachable)
	}
	return s.write(ctx, j, nil, `step = $3, looks = $4, next = $5, lease = 0`, string(j.step), j.looks, next.UnixMicro())
}

// final returns why a message has failed, or "" when it may still leave.
func final(j *job, err error) failure {
	var refused *policy.Refused
	var invalid *InvalidError
	switch {
	case errors.As(err, &refused):
		return failedRefused
	case errors.Is(err, ErrReconnect):
		return failedReconnect
	case errors.Is(err, ErrForbidden):
		return failedForbidden
	case errors.Is(err, ErrTooLarge):
		return failedTooLarge
	case errors.As(err, &invalid) && j.attempts > 1: // Gmail's 400 may be gone at the second try (GMAIL.md 2.4)
		return failedInvalid
	case errors.Is(err, errAbsent) && j.step == stepSending && j.looks+1 >= sentLooks:
		return failedUnknown
	case errors.Is(err, errUnreadable) && j.attempts > 3:
		return failedUnreadable
	}
	return ""
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

// releaseLeases ends the leases of a process that is gone. Should it not be gone after all, the fence keeps it from writing.
func (s *Service) releaseLeases(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE outbox SET lease = 0 WHERE ended = 0 AND lease > 0`); err != nil {
			return fmt.Errorf("inbox: taking over the outbox: %w", err)
		}
		return nil
	})
}

// atStep lets tests end the program between any two steps of a send.
var atStep = func(string) {}
