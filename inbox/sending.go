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

// step says how far a send has come. Beside each stands what a crash in it leaves behind.
type step string

const (
	stepStart    step = "start"    // nothing at Gmail
	stepCreating step = "creating" // perhaps a draft whose id is not known here
	stepDrafted  step = "drafted"  // the draft, not sent
	stepSending  step = "sending"  // the draft, or the sent message
	stepSent     step = "sent"
)

const (
	draftLooks   = 3 // looks for a draft that may have been made, before another one is
	sentLooks    = 6 // looks for a message that may have left
	sentPages    = 4
	sentPageSize = 25
	stepsInARow  = 12 // more, and the sender goes in circles
)

const (
	sendPurpose policy.Purpose = "inbox.send"
	sendFeature policy.Feature = "send"
)

func (j *job) visit() Visit {
	return Visit{
		Actor: policy.Actor{Kind: policy.Service}, Account: j.account, Purpose: sendPurpose, Feature: sendFeature, Instruction: j.instruction, Subject: j.id,
	}
}

// whole is the message with the conversation it goes to now.
func (j *job) whole() assembled {
	a := j.message
	a.thread = j.thread
	return a
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
	d, err := s.createDraft(ctx, j.visit(), j.whole())
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
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE outbox SET step = 'drafted', looks = 0, draft = $3
			WHERE id = $1 AND fence = $2 AND ended = 0 AND draft = ''`, j.id, j.fence, d.Id)
		return one(res, err, errLost)
	})
	if err != nil {
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
	f, err := fetch(ctx, s, j.visit(), j.whole().send(j.draft))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil // the draft is gone, or the conversation: look
	case err != nil:
		if certain(err) {
			j.step = stepDrafted
		}
		return err
	}
	f.grant.Finish(nil, 1, j.message.size())
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

// atStep lets tests end the program between any two steps of a send.
var atStep = func(string) {}
