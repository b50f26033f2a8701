package agreement

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// The lifecycle events. Their details are the agreement's pseudonym, words of closed sets and counts.
const (
	EventOffered      = "access.offered"
	EventAsked        = "access.asked"
	EventTaken        = "access.taken"
	EventApproved     = "access.approved" // by the second member of staff: the owner is asked
	EventDeclined     = "access.declined"
	EventWithdrawn    = "access.withdrawn"
	EventAgreed       = "access.agreed"
	EventRefused      = "access.refused"
	EventRevoked      = "access.revoked"
	EventExpired      = "access.expired"
	EventLapsed       = "access.lapsed"
	EventClosed       = "access.closed"
	EventVoid         = "access.void" // deleted with the mailbox
	EventAcknowledged = "rules.acknowledged"
)

// The roles that the desk knows, as sign-in gives them.
const (
	roleSupport  = "support"
	roleApprover = "approver"
)

// Desk is where people ask and answer. It is safe for concurrent use.
type Desk struct {
	*Store
	gate    *policy.Gate
	log     *decisionlog.Log
	prover  policy.Prover
	company Company
}

// Desk opens the desk of a company's staff. Call it before the first request: from then on the store compares rows
// with the log.
func (s *Store) Desk(gate *policy.Gate, log *decisionlog.Log, prover policy.Prover, c Company) (*Desk, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if gate == nil || log == nil || prover == nil {
		return nil, errors.New("agreement: a desk needs a gate, a log and a prover")
	}
	d := &Desk{s, gate, log, prover, c}
	s.ended = d.endedInLog
	return d, nil
}

// Staff is a member of staff as their session proves them.
type Staff struct {
	policy.Actor
	Name string
}

// Ask is a request of staff.
type Ask struct {
	Account      policy.AccountID
	Mailbox      string // its address
	Case, Reason string
	Messages     []string // by id
	OwnerChooses bool     // instead of naming them
	Window       time.Duration
}

// MayAsk fails unless somebody may ask owners now: to be asked before they are told which mailboxes there are.
func (d *Desk) MayAsk(ctx context.Context, by Staff) error { return d.entitled(ctx, by, roleSupport) }

// Ask begins a request. The owner hears of it when a second member of staff has approved it.
func (d *Desk) Ask(ctx context.Context, by Staff, a Ask) (Request, error) {
	if err := d.entitled(ctx, by, roleSupport); err != nil {
		return Request{}, err
	}
	if a.OwnerChooses == (len(a.Messages) > 0) {
		return Request{}, &Invalid{"messages", "either named by id, or chosen by the owner"}
	}
	r := Request{Account: a.Account, State: Requested, event: EventAsked, actor: by.Actor}
	r.details = details{Mailbox: a.Mailbox, OwnerChooses: a.OwnerChooses, Requester: d.person(by, roleSupport)}
	for _, id := range a.Messages {
		r.Messages = append(r.Messages, Message{ID: id})
	}
	if err := r.fill(a.Case, a.Reason, a.Window); err != nil {
		return Request{}, err
	}
	return r, d.begin(ctx, &r)
}

// Offer is what an owner lets support ask for.
type Offer struct {
	Account  policy.AccountID
	Mailbox  string
	Messages []policy.AgreedMessage
	Window   time.Duration
	Note     string
}

// Offer begins a request on the owner's own wish. It opens nothing: who would see the messages is not known yet.
func (d *Desk) Offer(ctx context.Context, owner policy.Actor, o Offer) (Request, error) {
	if err := d.owns(ctx, owner, o.Account); err != nil {
		return Request{}, err
	}
	r := Request{Account: o.Account, State: Offered, event: EventOffered, actor: owner, details: details{Mailbox: o.Mailbox}}
	for _, m := range o.Messages {
		r.Messages = append(r.Messages, Message{ID: m.ID, Attachments: m.Attachments, Offered: true})
	}
	if len(r.Messages) == 0 {
		return Request{}, &Invalid{"messages", "none is chosen"}
	}
	var err error
	if r.Note, err = checkText("note", o.Note, maxNote, false); err != nil {
		return Request{}, err
	}
	if r.Window, err = checkWindow(o.Window); err != nil {
		return Request{}, err
	}
	if err := checkMessages(r.Messages); err != nil {
		return Request{}, err
	}
	return r, d.begin(ctx, &r)
}

// fill checks and sets what staff say.
func (r *Request) fill(number, reason string, window time.Duration) (err error) {
	if r.Case, err = checkText("case", number, maxCase, true); err != nil {
		return err
	}
	if r.Reason, err = checkText("reason", reason, maxNote, true); err != nil {
		return err
	}
	if r.Window, err = checkWindow(window); err != nil {
		return err
	}
	return checkMessages(r.Messages)
}

// begin stores a new request and records it. Before its event is in the log nobody can go on with it.
func (d *Desk) begin(ctx context.Context, r *Request) error {
	id, err := uuid.NewRandom()
	if err != nil {
		return fmt.Errorf("agreement: %w", err)
	}
	now := d.moment()
	r.ID, r.Created, r.changed = id.String(), now, now
	if err := d.insert(ctx, r); err != nil {
		return err
	}
	return d.record(ctx, r)
}

// record puts the event of a request's last change into the log.
func (d *Desk) record(ctx context.Context, r *Request) error {
	ctx = context.WithoutCancel(ctx) // a closed browser tab does not stop half way
	names, err := d.gate.Names(ctx, r.Account)
	if err != nil {
		return err
	}
	err = d.gate.Record(ctx, policy.Lifecycle{Event: r.event, Actor: r.actor, Account: r.Account, Details: map[string]string{
		"agreement": names.Agreement(r.ID), "state": string(r.State), "messages": strconv.Itoa(len(r.Messages)), "minutes": strconv.Itoa(int(r.Window / time.Minute)),
	}})
	if err != nil {
		return err
	}
	return d.noteRecorded(ctx, r)
}

// endedInLog says whether the log tells that an agreement was ended early. The log is believed before the row: a row
// can be put back as it was, with its seals and its proof, and what is in the log cannot be taken out.
func (d *Desk) endedInLog(ctx context.Context, r Request) (bool, error) {
	names, err := d.gate.Names(ctx, r.Account)
	if err != nil {
		return false, err
	}
	for _, event := range []string{EventRevoked, EventClosed} {
		filter := decisionlog.Filter{
			Kind: decisionlog.Lifecycle, Account: names.Account(r.Account), Operation: event, Since: r.Asked, Limit: decisionlog.MaxPage,
		}
		for {
			page, err := d.log.Query(ctx, filter)
			if err != nil {
				return false, err
			}
			for _, record := range page.Records {
				var told struct{ Details struct{ Agreement string } }
				if err := json.Unmarshal(record.Body, &told); err != nil || told.Details.Agreement == names.Agreement(r.ID) {
					return true, err
				}
			}
			if filter.Before = page.Next; page.Next == 0 {
				break
			}
		}
	}
	return false, nil
}

// step is one change of a request.
type step struct {
	event string
	by    policy.Actor
	from  []State // states from which it can be made
	to    State
	check func(Request) error // who may, before anything is told of the state
	edit  func(*Request) error
}

// take makes a step. Of several at once one wins; the others learn what became of the request.
func (d *Desk) take(ctx context.Context, id string, s step) (Request, error) {
	r, err := d.read(ctx, id)
	if err != nil {
		return Request{}, err
	}
	if err := s.check(r); err != nil {
		return Request{}, err
	}
	if r, err = d.settle(ctx, r); err != nil {
		return Request{}, err
	}
	if !slices.Contains(s.from, r.State) {
		if r.State == Expired {
			return Request{}, ErrExpired
		}
		return Request{}, &Answered{r.State}
	}
	ran := r.State == Active
	r.State, r.event, r.actor, r.changed = s.to, s.event, s.by, d.moment()
	if s.edit != nil {
		if err := s.edit(&r); err != nil {
			return Request{}, err
		}
	}
	if ran { // what ends early cannot be proven any more
		r.proof, r.Ends = "", r.changed
	}
	won, err := d.replace(ctx, &r)
	if err != nil {
		return Request{}, err
	}
	if !won {
		now, err := d.one(ctx, id)
		return Request{}, errors.Join(&Answered{now.State}, err)
	}
	return r, d.effect(ctx, &r)
}

// effect carries a change out and records it; Maintain repeats it when it was interrupted.
func (d *Desk) effect(ctx context.Context, r *Request) error {
	if r.State == Revoked || r.State == Closed {
		// Grants that were decided before are void from here on, on every node.
		if err := d.accounts.RaiseEpoch(context.WithoutCancel(ctx), r.Account); err != nil {
			return err
		}
	}
	return d.record(ctx, r)
}

// settle brings a request to what is true now: its event is recorded, and a time that has passed is noted.
func (d *Desk) settle(ctx context.Context, r Request) (Request, error) {
	if !r.recorded {
		if err := d.effect(ctx, &r); err != nil {
			return r, err
		}
	}
	now := r.at(d.now())
	if now == r.State {
		return r, nil
	}
	r.State, r.actor, r.changed, r.event = now, policy.Actor{}, d.moment(), EventExpired
	if now == Lapsed {
		r.event, r.proof = EventLapsed, ""
	}
	won, err := d.replace(ctx, &r)
	if err != nil {
		return r, err
	}
	if !won {
		return d.read(ctx, r.ID) // another node noted it, or somebody answered in time
	}
	return r, d.record(ctx, &r)
}

// read is one, where a damaged row is as unknown as none.
func (d *Desk) read(ctx context.Context, id string) (Request, error) {
	r, err := d.one(ctx, id)
	if errors.Is(err, errDamaged) {
		err = policy.ErrUnknown
	}
	return r, err
}

// moment is now, as exactly as it is stored.
func (d *Desk) moment() time.Time { return d.now().UTC().Truncate(time.Microsecond) }

// owns fails with policy.ErrUnknown for anyone but the mailbox's owner.
func (d *Desk) owns(ctx context.Context, actor policy.Actor, account policy.AccountID) error {
	facts, err := d.accounts.Account(ctx, account)
	if err != nil {
		return err
	}
	if actor.Kind != policy.Owner || actor.Person == "" || actor.Person != facts.Owner {
		return policy.ErrUnknown
	}
	return nil
}

// entitled fails unless the member of staff may take part in this role.
func (d *Desk) entitled(ctx context.Context, by Staff, role string) error {
	switch {
	case by.Kind != policy.Staff || by.Person == "" || !slices.Contains(by.Roles, role):
		return ErrRole
	case !by.MFA:
		return ErrSecondFactor
	}
	at, err := d.Acknowledged(ctx, by.Person)
	if err != nil {
		return err
	}
	if at.IsZero() || !d.now().Before(at.Add(yearly)) {
		return ErrUnacknowledged
	}
	return nil
}

// person is what the owner is told of a member of staff.
func (d *Desk) person(by Staff, role string) Person {
	words := map[string]string{roleSupport: "Support", roleApprover: "Approver"}[role]
	return Person{ID: by.Person, Name: by.Name, Role: words, Employer: d.company.Operator, Country: d.company.Country}
}
