package agreement

import (
	"context"
	"slices"

	"github.com/totalengage/webmail/policy"
)

// Take takes up what an owner offered, under a case of one's own.
func (d *Desk) Take(ctx context.Context, by Staff, id, number, reason string) (Request, error) {
	if err := d.entitled(ctx, by, roleSupport); err != nil {
		return Request{}, err
	}
	return d.take(ctx, id, step{
		event: EventTaken, by: by.Actor, from: []State{Offered}, to: Requested, check: anybody,
		edit: func(r *Request) error {
			r.Requester = d.person(by, roleSupport)
			return r.fill(number, reason, r.Window)
		},
	})
}

// Approve lets the owner be asked. Whoever asks cannot approve; the owner's twelve hours begin.
func (d *Desk) Approve(ctx context.Context, by Staff, id string) (Request, error) {
	if err := d.entitled(ctx, by, roleApprover); err != nil {
		return Request{}, err
	}
	return d.take(ctx, id, step{
		event: EventApproved, by: by.Actor, from: []State{Requested}, to: Pending, check: another(by),
		edit: func(r *Request) (err error) {
			r.Approver, r.Asked = d.person(by, roleApprover), r.changed
			r.Text, err = textFor(d.company, *r)
			return err
		},
	})
}

// Decline does not let the owner be asked.
func (d *Desk) Decline(ctx context.Context, by Staff, id, note string) (Request, error) {
	if err := d.entitled(ctx, by, roleApprover); err != nil {
		return Request{}, err
	}
	return d.take(ctx, id, step{
		event: EventDeclined, by: by.Actor, from: []State{Requested}, to: Declined, check: another(by),
		edit: func(r *Request) (err error) {
			r.Approver = d.person(by, roleApprover)
			r.Answer, err = checkText("note", note, maxNote, false)
			return err
		},
	})
}

// Withdraw takes one's own request back before the owner has answered.
func (d *Desk) Withdraw(ctx context.Context, by Staff, id string) (Request, error) {
	if err := d.entitled(ctx, by, roleSupport); err != nil {
		return Request{}, err
	}
	return d.take(ctx, id, step{event: EventWithdrawn, by: by.Actor, from: []State{Requested, Pending}, to: Withdrawn, check: own(by)})
}

// Close says that the case is done. An agreement that still runs ends at once.
func (d *Desk) Close(ctx context.Context, by Staff, id string) (Request, error) {
	if err := d.entitled(ctx, by, roleSupport); err != nil {
		return Request{}, err
	}
	return d.take(ctx, id, step{event: EventClosed, by: by.Actor, from: []State{Active, Lapsed, Revoked}, to: Closed, check: own(by)})
}

func anybody(Request) error { return nil }

// another is whoever did not ask.
func another(by Staff) func(Request) error {
	return func(r Request) error {
		if r.Requester.ID == by.Person {
			return ErrOwnRequest
		}
		return nil
	}
}

// own is whoever asked.
func own(by Staff) func(Request) error {
	return func(r Request) error {
		if r.Requester.ID != by.Person {
			return ErrNotMine
		}
		return nil
	}
}

// Running returns the request under which a member of staff wants to look at a message. It opens nothing and
// refuses nobody: the gate decides, from the owner's proof, and records who tried. It only spares whoever may look
// a refusal while the log's witness has not signed yet (ErrUnwitnessed).
func (d *Desk) Running(ctx context.Context, by Staff, id string) (Request, error) {
	if by.Kind != policy.Staff {
		return Request{}, policy.ErrUnknown
	}
	r, err := d.read(ctx, id)
	if err != nil {
		return Request{}, err
	}
	r.State = r.at(d.now())
	if r.State == Active && r.Requester.ID == by.Person && !d.witnessed(r) {
		return Request{}, ErrUnwitnessed
	}
	return r, nil
}

// Names says whether the owner agreed to a message, and to its attachments.
func (r Request) Names(message string) (named, attachments bool) {
	at := slices.IndexFunc(r.Messages, func(m Message) bool { return m.ID == message })
	return at >= 0, at >= 0 && r.Messages[at].Attachments
}

// What a member of staff can do with a request, in words for a page.
const (
	MayTake     = "take"
	MayApprove  = "approve"
	MayDecline  = "decline"
	MayWithdraw = "withdraw"
	MayView     = "view"
	MayClose    = "close"
)

// May lists what somebody can do with a request in its present state. It is for a page to show; each act is
// checked anew.
func (r Request) May(by Staff) []string {
	support, approver, mine := slices.Contains(by.Roles, roleSupport), slices.Contains(by.Roles, roleApprover), r.Requester.ID == by.Person
	may := []string{}
	switch {
	case r.State == Offered && support:
		may = append(may, MayTake)
	case r.State == Requested && approver && !mine:
		may = append(may, MayApprove, MayDecline)
	case (r.State == Requested || r.State == Pending) && mine && support:
		may = append(may, MayWithdraw)
	case r.State == Active && mine && support:
		may = append(may, MayView, MayClose)
	case (r.State == Lapsed || r.State == Revoked) && mine && support:
		may = append(may, MayClose)
	}
	return may
}

// ForStaff lists what concerns a member of staff, newest first: their own requests, what waits for somebody of
// their role, and what they answered. Of what is over, only the newest.
func (d *Desk) ForStaff(ctx context.Context, by Staff) ([]Request, error) {
	if by.Kind != policy.Staff || by.Person == "" {
		return nil, ErrRole
	}
	rows, err := d.list(ctx, `ORDER BY CASE WHEN state IN ('offered', 'requested', 'pending', 'active') THEN 0 ELSE 1 END, created DESC, id DESC LIMIT $1`, listedAtMost)
	if err != nil {
		return nil, err
	}
	list, err := d.listed(ctx, rows, func(r Request) bool {
		return r.Requester.ID == by.Person || r.Approver.ID == by.Person || len(r.May(by)) > 0
	})
	slices.SortStableFunc(list, func(a, b Request) int { return b.Created.Compare(a.Created) })
	return list, err
}
