package inbox

import (
	"context"
	"errors"
	"strings"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// Draft is a message being written, as Gmail keeps it. Its message id changes with every save.
type Draft struct {
	ID, MessageID, ThreadID string
	Compose                 Compose
}

// CreateDraft saves a new draft in Gmail (10 units, and what assembling costs).
func (s *Service) CreateDraft(ctx context.Context, v Visit, c Compose) (Draft, error) {
	c, err := c.checked()
	if err != nil {
		return Draft{}, err
	}
	a, err := s.assemble(ctx, v, c, nil, true)
	if err != nil {
		return Draft{}, err
	}
	saved, err := s.createDraft(ctx, v, a)
	if errors.Is(err, ErrUpstream) {
		saved, err = s.draftWithToken(ctx, v, a.token) // it may be there nevertheless
		if err == nil && saved == nil {
			err = ErrUpstream
		}
	}
	if err != nil {
		return Draft{}, err
	}
	return s.saved(v, saved, a), nil
}

// createDraft makes the draft; a conversation that is gone is left.
func (s *Service) createDraft(ctx context.Context, v Visit, a assembled) (*gmail.Draft, error) {
	f, err := fetch(ctx, s, v, a.create())
	if errors.Is(err, ErrNotFound) && a.thread != "" {
		a.thread = ""
		f, err = fetch(ctx, s, v, a.create())
	}
	if err != nil {
		return nil, err
	}
	f.grant.Finish(nil, 1, a.size())
	return f.value, nil
}

// saved says what was saved, with attachments named by where they are now.
func (s *Service) saved(v Visit, d *gmail.Draft, a assembled) Draft {
	s.boxes.of(v.Account).changed()
	out := Draft{ID: d.Id, Compose: a.compose}
	if d.Message != nil {
		out.MessageID, out.ThreadID = d.Message.Id, d.Message.ThreadId
		s.boxes.of(v.Account).forgetThread(d.Message.ThreadId)
	}
	out.Compose.Attachments = a.kept(out.MessageID)
	out.Compose.DraftID, out.Compose.IfMessageID, out.Compose.ThreadID = out.ID, out.MessageID, out.ThreadID
	return out
}

// GetDraft opens a draft (20 units).
func (s *Service) GetDraft(ctx context.Context, v Visit, id string) (Draft, error) {
	d, err := s.draft(ctx, v, id)
	if err != nil {
		return Draft{}, err
	}
	return draftOf(d), nil
}

func (s *Service) draft(ctx context.Context, v Visit, id string) (*gmail.Draft, error) {
	if !draftName.MatchString(id) {
		return nil, ErrNotFound
	}
	b := s.boxes.of(v.Account)
	f, err := fetch(ctx, s, v, gmail.GetDraft(id))
	if err != nil {
		return nil, err
	}
	if f.value.Message == nil || f.value.Message.Payload == nil {
		f.grant.Finish(ErrUpstream, 0, 0)
		return nil, ErrUpstream
	}
	f.grant.Finish(nil, 1, f.value.Message.SizeEstimate)
	b.open("", []*gmail.Message{f.value.Message}) // its attachments are read from it
	return f.value, nil
}

// draftOf reads a draft back into what the composer holds. The quotation that CreateDraft appended is
// taken off again; drafts of other mail clients are taken as they are.
func draftOf(d *gmail.Draft) Draft {
	m := messageOf(d.Message)
	out := Draft{ID: d.Id, MessageID: m.ID, ThreadID: m.ThreadID}
	c := Compose{
		Kind: ComposeNew, ThreadID: m.ThreadID, To: named(m.To), Cc: named(m.Cc), Bcc: named(m.Bcc), Subject: m.Subject, DraftID: d.Id, IfMessageID: m.ID,
		HTML: strings.ReplaceAll(bodyHTML(d.Message), "\r\n", "\n"), Attachments: []ComposeAttachment{},
	}
	if header(d.Message.Payload, "In-Reply-To") != "" {
		c.Kind = ComposeReply
	}
	if kind, inReplyTo, quote, ok := readComposeNote(header(d.Message.Payload, composeHeader)); ok {
		c.Kind, c.InReplyTo = kind, inReplyTo
		if own, found := splitQuote(c.HTML, header(d.Message.Payload, tokenHeader)); found && quote && inReplyTo != "" {
			c.HTML, c.Quote = own, true
		}
	}
	if exact, ok := readRecipientsNote(d.Message.Payload); ok {
		c.To, c.Cc, c.Bcc = named(exact.To), named(exact.Cc), named(exact.Bcc)
	}
	for _, a := range m.Attachments {
		c.Attachments = append(c.Attachments, ComposeAttachment{MessageID: m.ID, PartID: a.PartID, Name: fileName(a.Name), Type: mediaType(a.Type), Size: a.Size})
	}
	out.Compose = c
	return out
}

// named drops nothing: an address that another client left unfinished is shown to be finished.
func named(list []Address) []Address {
	if list == nil {
		return []Address{}
	}
	return list
}

// UpdateDraft replaces a draft. With c.IfMessageID that is no longer current it fails with ErrConflict and
// changes nothing; Gmail itself has no such lock, so of two saves at the same moment the later one stays.
func (s *Service) UpdateDraft(ctx context.Context, v Visit, id string, c Compose) (Draft, error) {
	c, err := c.checked()
	if err != nil {
		return Draft{}, err
	}
	current, err := s.draft(ctx, v, id)
	if err != nil {
		return Draft{}, err
	}
	if c.IfMessageID != "" && c.IfMessageID != current.Message.Id {
		return Draft{}, ErrConflict
	}
	a, err := s.assemble(ctx, v, c, current, true)
	if err != nil {
		return Draft{}, err
	}
	f, err := fetch(ctx, s, v, a.update(id))
	switch {
	case err == nil:
		f.grant.Finish(nil, 1, a.size())
	case errors.Is(err, ErrUpstream): // it may have been saved nevertheless
		if f.value, err = s.draft(ctx, v, id); err != nil {
			return Draft{}, err
		}
		if header(f.value.Message.Payload, tokenHeader) != a.token {
			return Draft{}, ErrUpstream
		}
	default:
		return Draft{}, err
	}
	s.boxes.of(v.Account).forgetMessages(current.Message.Id)
	return s.saved(v, f.value, a), nil
}

// DeleteDraft deletes a draft for good. One that is gone already is no error.
func (s *Service) DeleteDraft(ctx context.Context, v Visit, id string) error {
	if !draftName.MatchString(id) {
		return ErrNotFound
	}
	f, err := fetch(ctx, s, v, gmail.DeleteDraft(id))
	s.boxes.of(v.Account).changed()
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil {
		f.grant.Finish(nil, 1, 0)
	}
	return err
}

// draftsSearched is how many of the latest drafts are looked through for a token.
const draftsSearched = 10

// draftWithToken looks for a draft that holds our token, among the latest ones (5 units and 20 a draft). It
// returns nil when there is none.
func (s *Service) draftWithToken(ctx context.Context, v Visit, token string) (*gmail.Draft, error) {
	list, err := fetch(ctx, s, v, gmail.ListDrafts(draftsSearched, ""))
	if err != nil {
		return nil, err
	}
	byMessage, ids := map[string]string{}, []string{}
	var messages []string
	for _, d := range list.value.Drafts {
		ids = append(ids, d.Id)
		if d.Message != nil {
			byMessage[d.Message.Id], messages = d.Id, append(messages, d.Message.Id)
		}
	}
	if err := list.grant.Release(ctx, policy.Drafts, ids, 0); err != nil {
		return nil, err
	}
	m, _, err := s.messageWithToken(ctx, v, messages, token)
	if err != nil || m == nil {
		return nil, err
	}
	return &gmail.Draft{Id: byMessage[m.Id], Message: m}, nil
}

// messageWithToken reads the headers of messages and returns the one that holds our token, or nil; oldest is the
// time, in ms since 1970, of the oldest one read.
func (s *Service) messageWithToken(ctx context.Context, v Visit, ids []string, token string) (found *gmail.Message, oldest int64, err error) {
	if len(ids) == 0 {
		return nil, 0, nil
	}
	f, err := fetch(ctx, s, v, gmail.GetHeaders(ids...))
	if err != nil {
		return nil, 0, err
	}
	var failed error
	read, size := 0, int64(0)
	for _, answer := range f.value {
		switch {
		case gmail.IsNotFound(answer.Err):
		case answer.Err != nil:
			failed = translate(answer.Err)
		default:
			read, size = read+1, size+answer.Value.SizeEstimate
			if header(answer.Value.Payload, tokenHeader) == token {
				found = answer.Value
			}
			if oldest == 0 || answer.Value.InternalDate < oldest {
				oldest = answer.Value.InternalDate
			}
		}
	}
	f.grant.Finish(failed, read, size)
	if found != nil {
		return found, oldest, nil
	}
	return nil, oldest, failed
}
