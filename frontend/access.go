package frontend

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/frontend/signin"
	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/agreement"
)

// listAccessRequests shows an owner what staff asked to see, in all mailboxes of theirs.
func (s *Server) listAccessRequests(v *visit) error {
	accounts, err := s.Owners.Accounts(v.r.Context(), v.session.Person)
	if err != nil {
		return err
	}
	var all []agreement.Request
	for _, a := range accounts {
		list, err := s.Desk.OfAccount(v.r.Context(), a.ID)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	slices.SortStableFunc(all, func(a, b agreement.Request) int { return b.Created.Compare(a.Created) })
	out := api.AccessRequests{Requests: make([]api.AccessRequest, len(all))}
	for i, r := range all {
		out.Requests[i] = accessRequestJSON(r)
	}
	return send(v, 200, out)
}

// agreeToAccess sends the owner to sign in over exactly what is ticked. Only that sign-in agrees.
func (s *Server) agreeToAccess(v *visit) error {
	var body api.AccessChoice
	if err := read(v, &body); err != nil {
		return err
	}
	proposal, err := s.Desk.Propose(v.r.Context(), v.session.Actor(), v.param("request"), ticked(body.Messages))
	if err != nil {
		return noSuchRequest(err)
	}
	target, err := s.Owners.StartProof(v.r.Context(), signin.FlowBrowser(v.w, v.r), v.session, proposal)
	if err != nil {
		return err
	}
	return send(v, 200, api.Redirect{Redirect: target})
}

func (s *Server) refuseAccess(v *visit) error {
	var body api.AccessNote
	if err := read(v, &body); err != nil {
		return err
	}
	if _, err := s.Desk.Refuse(v.r.Context(), v.session.Actor(), v.param("request"), body.Note); err != nil {
		return noSuchRequest(err)
	}
	return done(v)
}

func (s *Server) revokeAccess(v *visit) error {
	var body api.AccessNote
	if err := read(v, &body); err != nil {
		return err
	}
	if _, err := s.Desk.Revoke(v.r.Context(), v.session.Actor(), v.param("request"), body.Note); err != nil {
		return noSuchRequest(err)
	}
	return done(v)
}

// offerAccess is "let support see this message".
func (s *Server) offerAccess(v *visit) error {
	var body api.AccessOffer
	if err := read(v, &body); err != nil {
		return err
	}
	_, address, err := s.Mailboxes.Identity(v.r.Context(), v.inbox.Account)
	if err != nil {
		return err
	}
	r, err := s.Desk.Offer(v.r.Context(), v.session.Actor(), agreement.Offer{
		Account: v.inbox.Account, Mailbox: address, Messages: ticked(body.Messages), Window: time.Duration(body.Minutes) * time.Minute, Note: body.Note,
	})
	if err != nil {
		return err
	}
	return send(v, 201, accessRequestJSON(r))
}

func ticked(list []api.AccessMessage) []policy.AgreedMessage {
	out := make([]policy.AgreedMessage, len(list))
	for i, m := range list {
		out[i] = policy.AgreedMessage{ID: m.Id, Attachments: m.Attachments}
	}
	return out
}

func accessRequestJSON(r agreement.Request) api.AccessRequest {
	out := api.AccessRequest{
		Id: r.ID, Account: string(r.Account), State: api.AccessState(r.State), Case: r.Case, Reason: r.Reason, Requester: personJSON(r.Requester), Approver: personJSON(r.Approver),
		Messages: accessMessagesJSON(r), OwnerChooses: r.OwnerChooses, Minutes: minutes(r), Note: r.Note, Answer: r.Answer, Created: r.Created,
		Asked: moment(r.Asked), AnswerBy: moment(r.AnswerBy()), AgreedAt: moment(r.Agreed), EndsAt: moment(r.Ends), Views: viewsJSON(r),
	}
	if r.Text.Version != 0 {
		out.Text = &api.AccessText{Version: r.Text.Version, Sha256: r.Text.SHA256, Plain: r.Text.Plain}
	}
	return out
}

// KeptAgreements gives an owner's copy what is kept of the requests about a mailbox.
func KeptAgreements(desk *agreement.Desk) Kept {
	return Kept{Name: "agreements", Read: func(ctx context.Context, account policy.AccountID) (any, error) {
		list, err := desk.OfAccount(ctx, account)
		out := make([]api.AccessRequest, len(list))
		for i, r := range list {
			out[i] = accessRequestJSON(r)
		}
		return out, err
	}}
}

func personJSON(p agreement.Person) *api.AccessPerson {
	if p.ID == "" {
		return nil
	}
	return &api.AccessPerson{Name: p.Name, Role: p.Role, Employer: p.Employer, Country: p.Country}
}

func accessMessagesJSON(r agreement.Request) []api.AccessMessage {
	out := make([]api.AccessMessage, len(r.Messages))
	for i, m := range r.Messages {
		out[i] = api.AccessMessage{Id: m.ID, Attachments: m.Attachments, Offered: m.Offered}
	}
	return out
}

func viewsJSON(r agreement.Request) []api.AccessView {
	out := make([]api.AccessView, len(r.Views))
	for i, look := range r.Views {
		out[i] = api.AccessView{At: look.At, Message: look.Message, Attachment: look.Attachment, Decision: look.Decision}
	}
	return out
}

func minutes(r agreement.Request) int { return int(r.Window / time.Minute) }

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// errNoRequest: there is no such request for whoever asks.
var errNoRequest = errors.New("there is no such request")

// noSuchRequest tells a request that does not exist from a mailbox that does not.
func noSuchRequest(err error) error {
	if errors.Is(err, policy.ErrUnknown) {
		return errNoRequest
	}
	return err
}

// accessProblem is what people may know of the errors of agreements.
func accessProblem(err error) (api.Problem, bool) {
	p := func(status int, code, title, detail string) (api.Problem, bool) {
		return api.Problem{Type: "about:blank", Status: status, Code: code, Title: title, Detail: detail}, true
	}
	var answered *agreement.Answered
	var invalid *agreement.Invalid
	switch {
	case errors.As(err, &answered):
		return p(409, "answered", "Already answered", "Somebody was quicker: it is "+string(answered.State)+" now. Nothing was changed by you.")
	case errors.As(err, &invalid):
		out, ok := p(400, "invalid", "The request cannot be used", invalid.Field+": "+invalid.Why)
		out.Field = invalid.Field
		return out, ok
	case errors.Is(err, agreement.ErrExpired):
		return p(410, "request_expired", "The time to answer is over", "Nobody answered in time, so nobody sees anything. Staff can ask again.")
	case errors.Is(err, agreement.ErrUnwitnessed):
		out, ok := p(409, "not_witnessed", "A moment, please", "The owner agreed. Before anything is shown, the record of it is countersigned outside of this server; that takes a few seconds.")
		out.RetryAfterMs = 5000
		return out, ok
	case errors.Is(err, agreement.ErrOwnRequest):
		return p(403, "own_request", "Somebody else must approve this", "Whoever asks to see a message cannot approve it.")
	case errors.Is(err, agreement.ErrNotMine):
		return p(403, "own_request", "This is a colleague's request", "Only whoever asked can do this.")
	case errors.Is(err, agreement.ErrUnacknowledged):
		return p(403, "acknowledgement_due", "The rules must be acknowledged first", "Read the rules for whoever may see messages and confirm them. That holds for a year.")
	case errors.Is(err, agreement.ErrSecondFactor):
		return p(403, "second_factor", "A second factor is needed", "Sign out, and sign in again with your second factor.")
	case errors.Is(err, agreement.ErrRole):
		return p(403, "wrong_role", "Not for this role", "Sign in with an account that has this role.")
	case errors.Is(err, agreement.ErrText):
		return p(409, "conflict", "The text has changed", "What you confirmed is not the current text. Nothing was recorded. Read it once more.")
	case errors.Is(err, inbox.ErrEnded):
		return p(403, "policy_denied", "No longer agreed to", "It ended while the message was on its way. Nothing of it is shown.")
	case errors.Is(err, errNoMailbox):
		return p(404, "no_mailbox", "No such mailbox connected", "No mailbox with this address is connected here.")
	case errors.Is(err, errNoRequest):
		return p(404, "not_found", "No such request", "It does not exist, or not for you.")
	}
	return api.Problem{}, false
}
