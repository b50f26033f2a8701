package frontend

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/frontend/mailhtml"
	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/agreement"
)

// by is the signed-in member of staff.
func by(v *visit) agreement.Staff {
	name := v.session.Name
	if name == "" {
		name = v.session.Email
	}
	return agreement.Staff{Actor: v.session.Actor(), Name: name}
}

func (s *Server) listStaffRequests(v *visit) error {
	list, err := s.Desk.ForStaff(v.r.Context(), by(v))
	if err != nil {
		return err
	}
	out := api.StaffRequests{Requests: make([]api.StaffRequest, len(list))}
	for i, r := range list {
		out.Requests[i] = staffRequestJSON(v, r)
	}
	return send(v, 200, out)
}

// errNoMailbox: no mailbox with this address is connected. Staff are told so plainly: they work here.
var errNoMailbox = errors.New("no such mailbox connected")

func (s *Server) askForAccess(v *visit) error {
	var body api.StaffAsk
	if err := read(v, &body); err != nil {
		return err
	}
	if err := s.Desk.MayAsk(v.r.Context(), by(v)); err != nil {
		return err
	}
	account, err := s.Mailboxes.AccountByEmail(v.r.Context(), strings.TrimSpace(body.Mailbox))
	if errors.Is(err, policy.ErrUnknown) {
		err = errNoMailbox
	}
	if err != nil {
		return err
	}
	_, address, err := s.Mailboxes.Identity(v.r.Context(), account)
	if err != nil {
		return err
	}
	r, err := s.Desk.Ask(v.r.Context(), by(v), agreement.Ask{
		Account: account, Mailbox: address, Case: body.Case, Reason: body.Reason, Messages: body.Messages, OwnerChooses: body.OwnerChooses,
		Window: time.Duration(body.Minutes) * time.Minute,
	})
	if err != nil {
		return err
	}
	return send(v, 201, staffRequestJSON(v, r))
}

func (s *Server) approveRequest(v *visit) error {
	return answerStaff(v)(s.Desk.Approve(v.r.Context(), by(v), v.param("request")))
}

func (s *Server) declineRequest(v *visit) error {
	var body api.AccessNote
	if err := read(v, &body); err != nil {
		return err
	}
	return answerStaff(v)(s.Desk.Decline(v.r.Context(), by(v), v.param("request"), body.Note))
}

func (s *Server) takeOffer(v *visit) error {
	var body api.StaffTake
	if err := read(v, &body); err != nil {
		return err
	}
	return answerStaff(v)(s.Desk.Take(v.r.Context(), by(v), v.param("request"), body.Case, body.Reason))
}

func (s *Server) withdrawRequest(v *visit) error {
	return answerStaff(v)(s.Desk.Withdraw(v.r.Context(), by(v), v.param("request")))
}

func (s *Server) closeRequest(v *visit) error {
	return answerStaff(v)(s.Desk.Close(v.r.Context(), by(v), v.param("request")))
}

// answerStaff sends a request as it is after a step.
func answerStaff(v *visit) func(agreement.Request, error) error {
	return func(r agreement.Request, err error) error {
		if err != nil {
			return noSuchRequest(err)
		}
		return send(v, 200, staffRequestJSON(v, r))
	}
}

func staffRequestJSON(v *visit, r agreement.Request) api.StaffRequest {
	who := by(v)
	out := api.StaffRequest{
		Id: r.ID, State: api.AccessState(r.State), Mailbox: r.Mailbox, Case: r.Case, Reason: r.Reason, Requester: personJSON(r.Requester), Approver: personJSON(r.Approver),
		Messages: accessMessagesJSON(r), OwnerChooses: r.OwnerChooses, Minutes: minutes(r), Note: r.Note, Answer: r.Answer, Created: r.Created,
		Asked: moment(r.Asked), AnswerBy: moment(r.AnswerBy()), AgreedAt: moment(r.Agreed), EndsAt: moment(r.Ends),
		Mine: r.Requester.ID == who.Person, May: []api.StaffRequestMay{}, Views: viewsJSON(r),
	}
	for _, act := range r.May(who) {
		out.May = append(out.May, api.StaffRequestMay(act))
	}
	return out
}

// look is one look of staff at a message: the request that it rests on, and the visit that the gate will judge.
func (s *Server) look(v *visit) (agreement.Request, inbox.Visit, error) {
	r, err := s.Desk.Running(v.r.Context(), by(v), v.param("request"))
	if err != nil {
		return r, inbox.Visit{}, noSuchRequest(err)
	}
	visit := v.inbox
	visit.Account, visit.Agreement = r.Account, r.ID
	return r, visit, nil
}

// agreed fetches the message and puts the look on the owner's list, before anything of it leaves.
func (s *Server) agreed(v *visit) (agreement.Request, inbox.AgreedMessage, error) {
	r, visit, err := s.look(v)
	if err != nil {
		return r, inbox.AgreedMessage{}, err
	}
	m, err := s.Inbox.Agreed(v.r.Context(), visit, v.param("message"))
	if err != nil {
		return r, m, err
	}
	return r, m, s.Desk.Viewed(v.r.Context(), r, agreement.View{Message: v.param("message"), Decision: m.Decision})
}

func (s *Server) getAgreedMessage(v *visit) error {
	r, m, err := s.agreed(v)
	if err != nil {
		return err
	}
	_, ticked := r.Names(v.param("message"))
	out := api.StaffMessage{
		From: addressJSON(m.From), To: addressesJSON(m.To), Cc: addressesJSON(m.Cc), Date: m.Date, Subject: m.Subject, Attachments: []api.StaffAttachment{},
		AttachmentsAgreed: ticked, Watermark: mark(v, r), BodyUrl: pathOf("staff", "body", r.ID, v.param("message")), Decision: m.Decision,
	}
	for _, a := range m.Attachments {
		out.Attachments = append(out.Attachments, api.StaffAttachment{Part: a.PartID, Name: a.Name, Type: a.Type, Size: a.Size})
	}
	return send(v, 200, out)
}

// mark is the text of the watermark: which case, who looks, and when.
func mark(v *visit, r agreement.Request) string {
	return strings.Join([]string{r.Case, by(v).Name, time.Now().UTC().Format("2 Jan 2006 15:04 UTC")}, " · ")
}

// staffBody serves an agreed message as a document for the sandboxed frame: watermarked, without links, and
// nothing in it comes from elsewhere. Images are shown where the owner ticked the attachments.
func (s *Server) staffBody(v *visit) error {
	if err := destination(v.r, "iframe", "frame"); err != nil {
		return err
	}
	theme := v.r.URL.Query().Get("theme")
	if !slices.Contains([]string{"", "light", "dark", "auto"}, theme) {
		return &inbox.InvalidError{Field: "theme", Why: "must be light, dark or auto"}
	}
	r, m, err := s.agreed(v)
	if err != nil {
		return err
	}
	at := pathOf("staff", "attachment", r.ID, v.param("message")) + "/"
	image := func(part string) string { return s.links.sign(at+url.PathEscape(part), v.session.Ref(), time.Now()) }
	var below []string
	options := mailhtml.Options{Theme: theme, Flowed: m.Body.Flowed, DelSp: m.Body.DelSp, Link: func(string, string) string { return "" }}
	if _, ticked := r.Names(v.param("message")); ticked {
		options.InlineImage = func(contentID string) (string, bool) {
			part, ok := m.Body.Inline[contentID]
			return image(part), ok
		}
		for _, a := range m.Attachments {
			if !a.Inline && slices.Contains(imageTypes, a.Type) {
				below = append(below, image(a.PartID))
			}
		}
	}
	doc, err := document(m.Body, options)
	if err != nil {
		return err
	}
	for name, values := range mailhtml.Headers(strings.TrimRight(s.origin.String(), "/") + at) {
		v.w.Header()[name] = values
	}
	v.w.Header().Set("Cache-Control", "no-store")
	_, _ = v.w.Write(watermarked(doc.HTML, mark(v, r), below)) // the connection may be gone
	return nil
}

func document(b inbox.Body, o mailhtml.Options) (mailhtml.Document, error) {
	if b.Kind == inbox.HTMLBody {
		return mailhtml.RenderHTML(b.Content, o)
	}
	return mailhtml.RenderText(b.Content, o)
}

// staffImage serves an image of an agreed message into its document, and nothing else anywhere else: there is no
// way to download an attachment here.
func (s *Server) staffImage(v *visit) error {
	if err := destination(v.r, "image"); err != nil {
		return err
	}
	if err := s.links.check(v.r, v.session.Ref(), time.Now()); err != nil {
		return err
	}
	r, visit, err := s.look(v)
	if err != nil {
		return err
	}
	a, decision, err := s.Inbox.AgreedAttachment(v.r.Context(), visit, v.param("message"), v.param("part"))
	if err != nil {
		return err
	}
	if err := s.Desk.Viewed(v.r.Context(), r, agreement.View{Message: v.param("message"), Attachment: true, Decision: decision}); err != nil {
		return err
	}
	kind := http.DetectContentType(a.Content)
	if !slices.Contains(imageTypes, kind) {
		return inbox.ErrNotFound
	}
	inert(v.w.Header())
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Disposition", "inline")
	v.w.Header().Set("Cache-Control", "no-store")
	_, _ = v.w.Write(a.Content)
	return nil
}

func (s *Server) getAcknowledgement(v *visit) error {
	at, err := s.Desk.Acknowledged(v.r.Context(), v.session.Person)
	if err != nil {
		return err
	}
	return s.sendAcknowledgement(v, at)
}

func (s *Server) acknowledge(v *visit) error {
	var body api.Acknowledge
	if err := read(v, &body); err != nil {
		return err
	}
	at, err := s.Desk.Acknowledge(v.r.Context(), by(v), body.Version, body.Sha256)
	if err != nil {
		return err
	}
	return s.sendAcknowledgement(v, at)
}

func (s *Server) sendAcknowledgement(v *visit, at time.Time) error {
	rules, err := s.Desk.Rules()
	if err != nil {
		return err
	}
	until, due := s.Desk.Due(at)
	return send(v, 200, api.Acknowledgement{
		Text: api.AccessText{Version: rules.Version, Sha256: rules.SHA256, Plain: rules.Plain}, AcknowledgedAt: moment(at), Until: moment(until), Due: due,
	})
}
