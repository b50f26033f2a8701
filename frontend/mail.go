package frontend

import (
	"net/url"
	"regexp"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/inbox"
)

func (s *Server) listLabels(v *visit) error {
	labels, err := s.Inbox.Labels(v.r.Context(), v.inbox)
	if err != nil {
		return err
	}
	out := api.LabelList{Labels: make([]api.Label, len(labels))}
	for i, l := range labels {
		out.Labels[i] = labelJSON(l)
	}
	return send(v, 200, out)
}

func labelJSON(l inbox.Label) api.Label {
	out := api.Label{Id: l.ID, Name: l.Name, Type: "user", Hidden: l.Hidden}
	if l.System {
		out.Type = "system"
	}
	if l.Background != "" {
		out.Color = &api.LabelColor{Background: l.Background, Text: l.Text}
	}
	if l.Counted {
		out.MessagesTotal, out.MessagesUnread = &l.MessagesTotal, &l.MessagesUnread
		out.ThreadsTotal, out.ThreadsUnread = &l.ThreadsTotal, &l.ThreadsUnread
	}
	return out
}

func (s *Server) listThreads(v *visit) error {
	label := v.r.URL.Query().Get("label")
	if label == "" {
		label = "INBOX"
	}
	return s.threads(v, inbox.ListRequest{Label: label, Page: v.r.URL.Query().Get("page")})
}

func (s *Server) searchThreads(v *visit) error {
	var body api.Search
	if err := read(v, &body); err != nil {
		return err
	}
	return s.threads(v, inbox.ListRequest{Label: inbox.AllMail, Search: body.Query, Page: body.Page})
}

func (s *Server) threads(v *visit, req inbox.ListRequest) error {
	page, err := s.Inbox.Threads(v.r.Context(), v.inbox, req)
	if err != nil {
		return err
	}
	out := api.ThreadPage{Threads: make([]api.ThreadRow, len(page.Rows)), NextPage: page.Next, Estimate: page.Estimate}
	for i, r := range page.Rows {
		out.Threads[i] = api.ThreadRow{
			Id: r.ThreadID, MessageId: r.MessageID, Subject: r.Subject, From: addressesJSON(r.From), To: addressesJSON(r.To), Snippet: r.Snippet,
			Date: r.Date, LabelIds: r.LabelIDs, Unread: r.Unread, Starred: r.Starred, Messages: r.Messages, Attachment: r.Attachment, Draft: r.Draft, DraftId: r.DraftID,
		}
	}
	return send(v, 200, out)
}

func addressJSON(a inbox.Address) api.Address { return api.Address{Name: a.Name, Email: a.Email} }

func addressesJSON(list []inbox.Address) []api.Address {
	out := make([]api.Address, len(list))
	for i, a := range list {
		out[i] = addressJSON(a)
	}
	return out
}

func (s *Server) getThread(v *visit) error {
	c, err := s.Inbox.Conversation(v.r.Context(), v.inbox, v.param("thread"))
	if err != nil {
		return err
	}
	out := api.Conversation{Id: c.ID, Subject: c.Subject, LabelIds: c.LabelIDs, Messages: make([]api.Message, len(c.Messages))}
	for i, m := range c.Messages {
		out.Messages[i] = s.messageJSON(v, m)
	}
	return send(v, 200, out)
}

// prefetch is for a page that expects a conversation to be opened next. It answers the same whether anything was
// read or not.
func (s *Server) prefetch(v *visit) error {
	if err := s.Inbox.Prefetch(v.r.Context(), v.inbox, v.param("thread")); err != nil {
		return err
	}
	return done(v)
}

func (s *Server) getMessage(v *visit) error {
	m, err := s.Inbox.Message(v.r.Context(), v.inbox, v.param("message"))
	if err != nil {
		return err
	}
	return send(v, 200, s.messageJSON(v, m))
}

// remoteImage finds what would load from elsewhere: a hint for the page, which then asks for more (getImages).
// The document itself blocks every remote reference that the owner did not permit, whatever this finds.
var (
	remoteImage = regexp.MustCompile(`(?i)<(?:img|table|td|body|div|input|source)[^>]+(?:src|srcset|background)\s*=\s*["']?\s*(?:https?:)?//`)
	quotedHTML  = regexp.MustCompile(`(?i)gmail_quote|<blockquote|yahoo_quoted|divRplyFwdMsg|protonmail_quote|moz-cite-prefix`)
	quotedText  = regexp.MustCompile(`(?m)^>`)
)

func (s *Server) messageJSON(v *visit, m inbox.Message) api.Message {
	account := v.param("account")
	out := api.Message{
		Id: m.ID, ThreadId: m.ThreadID, Subject: m.Subject, From: addressJSON(m.From), To: addressesJSON(m.To), Cc: addressesJSON(m.Cc), Bcc: addressesJSON(m.Bcc),
		ReplyTo: addressesJSON(m.ReplyTo), Date: m.Date, LabelIds: m.LabelIDs, Unread: m.Unread, Starred: m.Starred, Draft: m.Draft, DraftId: m.DraftID,
		Snippet: m.Snippet, BodyUrl: pathOf("body", account, m.ID), BodyKind: api.MessageBodyKind(m.BodyKind),
		RemoteImages: remoteImage.MatchString(m.HTML()), QuotedTail: quotedHTML.MatchString(m.HTML()) || m.HTML() == "" && quotedText.MatchString(m.Text()),
		Attachments: []api.Attachment{}, Unsubscribe: s.unsubscribeJSON(v, m.Unsubscribe), Authenticity: authenticityJSON(m.Authenticity),
	}
	if m.Undelivered != nil {
		out.Undelivered = &api.Undelivered{Addresses: m.Undelivered.Addresses, Reason: api.UndeliveredReason(m.Undelivered.Reason)}
	}
	for _, a := range m.Attachments {
		out.Attachments = append(out.Attachments, api.Attachment{
			PartId: a.PartID, Name: a.Name, Type: a.Type, Size: a.Size, Inline: a.Inline, Url: pathOf("attachment", account, m.ID, a.PartID),
		})
	}
	return out
}

// pathOf joins escaped segments. Ids only: names, addresses and search text never enter a URL (I5).
func pathOf(segments ...string) string {
	path := ""
	for _, s := range segments {
		path += "/" + url.PathEscape(s)
	}
	return path
}

func (s *Server) modifyThreads(v *visit) error {
	var body api.ThreadChange
	if err := read(v, &body); err != nil {
		return err
	}
	if err := s.Inbox.ModifyThreads(v.r.Context(), v.inbox, body.Threads, inbox.LabelChange{Add: body.Add, Remove: body.Remove}); err != nil {
		return err
	}
	return done(v)
}

func (s *Server) trashThreads(v *visit) error {
	var body api.ThreadIDs
	if err := read(v, &body); err != nil {
		return err
	}
	if err := s.Inbox.TrashThreads(v.r.Context(), v.inbox, body.Threads); err != nil {
		return err
	}
	return done(v)
}

func (s *Server) untrashThreads(v *visit) error {
	var body api.ThreadIDs
	if err := read(v, &body); err != nil {
		return err
	}
	if err := s.Inbox.UntrashThreads(v.r.Context(), v.inbox, body.Threads); err != nil {
		return err
	}
	return done(v)
}

func (s *Server) modifyMessages(v *visit) error {
	var body api.MessageChange
	if err := read(v, &body); err != nil {
		return err
	}
	if err := s.Inbox.ModifyMessages(v.r.Context(), v.inbox, body.Messages, inbox.LabelChange{Add: body.Add, Remove: body.Remove}); err != nil {
		return err
	}
	return done(v)
}
