package frontend

import (
	"errors"
	"io"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/inbox"
)

// maxUpload bounds any request: Gmail's 35 MiB for a message and its envelope.
const maxUpload = 36 << 20

// upload takes one attachment. It is read as a stream, never as a whole form.
func (s *Server) upload(v *visit) error {
	form, err := v.r.MultipartReader()
	if err != nil {
		return &inbox.InvalidError{Field: "body", Why: "must be multipart/form-data with one part named file"}
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return &inbox.InvalidError{Field: "file", Why: "is missing"}
		}
		if err != nil {
			if isTooLarge(err) {
				return err
			}
			return &inbox.InvalidError{Field: "body", Why: "was cut short"}
		}
		if part.FormName() != "file" {
			continue
		}
		u, err := s.Inbox.PutUpload(v.r.Context(), v.inbox, part.FileName(), part.Header.Get("Content-Type"), part)
		if err != nil {
			return err
		}
		return send(v, 201, api.Upload{Id: u.ID, Name: u.Name, Type: u.Type, Size: u.Size})
	}
}

func (s *Server) createDraft(v *visit) error {
	var body api.Compose
	if err := read(v, &body); err != nil {
		return err
	}
	d, err := s.Inbox.CreateDraft(v.r.Context(), v.inbox, composeOf(body))
	if err != nil {
		return err
	}
	return send(v, 201, draftJSON(d))
}

func (s *Server) getDraft(v *visit) error {
	d, err := s.Inbox.GetDraft(v.r.Context(), v.inbox, v.param("draft"))
	if err != nil {
		return err
	}
	return send(v, 200, draftJSON(d))
}

func (s *Server) updateDraft(v *visit) error {
	var body api.Compose
	if err := read(v, &body); err != nil {
		return err
	}
	d, err := s.Inbox.UpdateDraft(v.r.Context(), v.inbox, v.param("draft"), composeOf(body))
	if err != nil {
		return err
	}
	return send(v, 200, draftJSON(d))
}

func (s *Server) deleteDraft(v *visit) error {
	if err := s.Inbox.DeleteDraft(v.r.Context(), v.inbox, v.param("draft")); err != nil {
		return err
	}
	return done(v)
}

func (s *Server) send(v *visit) error {
	var body api.SendRequest
	if err := read(v, &body); err != nil {
		return err
	}
	request := inbox.SendRequest{Compose: composeOf(body.Compose), DraftID: body.DraftId, IdempotencyKey: body.IdempotencyKey}
	if body.SendAt > 0 {
		request.SendAt = time.UnixMilli(body.SendAt)
	}
	item, err := s.Inbox.Send(v.r.Context(), v.inbox, request)
	if err != nil {
		return err
	}
	return send(v, 202, outboxJSON(item))
}

func (s *Server) listOutbox(v *visit) error {
	items, err := s.Inbox.Outbox(v.r.Context(), v.inbox)
	if err != nil {
		return err
	}
	out := api.OutboxList{Items: make([]api.OutboxItem, len(items))}
	for i, item := range items {
		out.Items[i] = outboxJSON(item)
	}
	return send(v, 200, out)
}

func (s *Server) undoSend(v *visit) error {
	c, err := s.Inbox.Undo(v.r.Context(), v.inbox, v.param("item"))
	if err != nil {
		return err
	}
	return send(v, 200, composeJSON(c))
}

func composeOf(c api.Compose) inbox.Compose {
	out := inbox.Compose{
		Kind: inbox.ComposeKind(c.Kind), InReplyTo: c.InReplyTo, ThreadID: c.ThreadId, To: addressesOf(c.To), Cc: addressesOf(c.Cc), Bcc: addressesOf(c.Bcc),
		Subject: c.Subject, HTML: c.Html, Quote: c.Quote == nil || *c.Quote, IfMessageID: c.IfMessageId, DraftID: c.DraftId,
	}
	for _, a := range c.Attachments {
		out.Attachments = append(out.Attachments, inbox.ComposeAttachment{
			UploadID: a.UploadId, MessageID: a.MessageId, PartID: a.PartId, Name: a.Name, Type: a.Type, Size: a.Size,
		})
	}
	return out
}

func composeJSON(c inbox.Compose) api.Compose {
	out := api.Compose{
		Kind: api.ComposeKind(c.Kind), InReplyTo: c.InReplyTo, ThreadId: c.ThreadID, To: addressesJSON(c.To), Cc: addressesJSON(c.Cc), Bcc: addressesJSON(c.Bcc),
		Subject: c.Subject, Html: c.HTML, Quote: &c.Quote, IfMessageId: c.IfMessageID, DraftId: c.DraftID, Attachments: []api.ComposeAttachment{},
	}
	if out.Kind == "" {
		out.Kind = api.ComposeKind(inbox.ComposeNew)
	}
	for _, a := range c.Attachments {
		out.Attachments = append(out.Attachments, api.ComposeAttachment{
			UploadId: a.UploadID, MessageId: a.MessageID, PartId: a.PartID, Name: a.Name, Type: a.Type, Size: a.Size,
		})
	}
	return out
}

func draftJSON(d inbox.Draft) api.Draft {
	return api.Draft{Id: d.ID, MessageId: d.MessageID, ThreadId: d.ThreadID, Compose: composeJSON(d.Compose)}
}

func outboxJSON(i inbox.OutboxItem) api.OutboxItem {
	out := api.OutboxItem{
		Id: i.ID, State: api.OutboxItemState(i.State), UndoUntil: i.UndoUntil.UnixMilli(), ThreadId: i.ThreadID, MessageId: i.MessageID, Subject: i.Subject, Error: i.Error,
	}
	if !i.SendAt.IsZero() {
		out.SendAt = i.SendAt.UnixMilli()
	}
	return out
}

func addressesOf(list []api.Address) []inbox.Address {
	out := make([]inbox.Address, len(list))
	for i, a := range list {
		out[i] = inbox.Address{Name: a.Name, Email: a.Email}
	}
	return out
}
