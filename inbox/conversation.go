package inbox

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// Conversation is a thread with all its messages, oldest first, those in the trash or spam left out unless
// all are.
type Conversation struct {
	ID       string
	Subject  string
	LabelIDs []string
	Messages []Message
}

// Conversation opens a thread: one trip of 40 units, or none when it is held and nothing changed. Bodies
// are asked for one by one (Body), each a decision of its own.
func (s *Service) Conversation(ctx context.Context, v Visit, id string) (Conversation, error) {
	b := s.boxes.of(v.Account)
	if err := s.catchUp(ctx, v, b); err != nil {
		return Conversation{}, err
	}
	messages, err := s.thread(ctx, v, b, id)
	if err != nil {
		return Conversation{}, err
	}
	c := conversationOf(id, messages)
	return c, s.nameMessageDrafts(ctx, v, b, c.Messages)
}

// thread returns a thread's messages under one decision, from memory or from Gmail.
func (s *Service) thread(ctx context.Context, v Visit, b *box, id string) ([]*gmail.Message, error) {
	call := gmail.GetThread(id)
	target, err := call.Target()
	if err != nil {
		return nil, fmt.Errorf("inbox: planning a thread: %w", err)
	}
	grant, err := s.authorize(ctx, v, target)
	if err != nil {
		return nil, err
	}
	if held, ok := b.conversation(id); ok {
		err := s.gate.Use(ctx, grant, target)
		grant.Finish(err, len(held), 0)
		return held, err
	}
	t, err := together(ctx, s, grant, target, false, call)
	if err != nil {
		grant.Finish(err, 0, 0)
		return nil, translate(err)
	}
	grant.Finish(nil, len(t.Messages), size(t.Messages))
	b.open(id, t.Messages)
	return t.Messages, nil
}

func size(messages []*gmail.Message) (n int64) {
	for _, m := range messages {
		n += m.SizeEstimate
	}
	return n
}

func conversationOf(id string, messages []*gmail.Message) Conversation {
	c := Conversation{ID: id, LabelIDs: []string{}, Messages: []Message{}}
	aside := func(m *gmail.Message) bool {
		return slices.Contains(m.LabelIds, "TRASH") || slices.Contains(m.LabelIds, "SPAM")
	}
	all := !slices.ContainsFunc(messages, func(m *gmail.Message) bool { return !aside(m) })
	for _, m := range messages {
		if aside(m) && !all {
			continue
		}
		c.Messages = append(c.Messages, messageOf(m))
		c.LabelIDs = append(c.LabelIDs, m.LabelIds...)
	}
	c.LabelIDs = unique(c.LabelIDs)
	markUndelivered(c.Messages, messages)
	if len(c.Messages) > 0 {
		c.Subject = c.Messages[0].Subject
	}
	return c
}

// Body returns what is shown of one message.
func (s *Service) Body(ctx context.Context, v Visit, id string) (Body, error) {
	m, err := s.message(ctx, v, id)
	if err != nil {
		return Body{}, err
	}
	return bodyOf(m), nil
}

// Message returns one message.
func (s *Service) Message(ctx context.Context, v Visit, id string) (Message, error) {
	m, err := s.message(ctx, v, id)
	if err != nil {
		return Message{}, err
	}
	return messageOf(m), nil
}

// message returns a full message under one decision, from memory or from Gmail.
func (s *Service) message(ctx context.Context, v Visit, id string) (*gmail.Message, error) {
	b := s.boxes.of(v.Account)
	call := gmail.GetMessage(id)
	target, err := call.Target()
	if err != nil {
		return nil, &InvalidError{Field: "message", Why: "not a message id"}
	}
	grant, err := s.authorize(ctx, v, target)
	if err != nil {
		return nil, err
	}
	if held, ok := b.message(id); ok {
		err := s.gate.Use(ctx, grant, target)
		grant.Finish(err, 1, held.SizeEstimate)
		return held, err
	}
	m, err := together(ctx, s, grant, target, false, call)
	if err != nil {
		grant.Finish(err, 0, 0)
		return nil, translate(err)
	}
	grant.Finish(nil, 1, m.SizeEstimate)
	b.open("", []*gmail.Message{m})
	return m, nil
}

// AttachmentContent is an attachment with its content.
type AttachmentContent struct {
	AttachmentInfo
	Content []byte
}

// Attachment fetches one part of a message into memory, as an image that is shown; OpenAttachment is for files.
func (s *Service) Attachment(ctx context.Context, v Visit, messageID, partID string) (AttachmentContent, error) {
	open, err := s.OpenAttachment(ctx, v, messageID, partID)
	if err != nil {
		return AttachmentContent{}, err
	}
	defer open.Content.Close()
	content, err := io.ReadAll(open.Content)
	return AttachmentContent{AttachmentInfo: open.AttachmentInfo, Content: content}, err
}

// OpenedAttachment is an attachment to be read. Its outcome is recorded when it is closed.
type OpenedAttachment struct {
	AttachmentInfo
	Content io.ReadCloser
}

// OpenAttachment begins to fetch one part of a message, which is never in memory as a whole. Gmail's attachment ids
// change at each reading of the message and go stale, so the part id is what names it here; a stale id costs one
// more reading.
func (s *Service) OpenAttachment(ctx context.Context, v Visit, messageID, partID string) (OpenedAttachment, error) {
	opened, err := s.openAttachment(ctx, v, messageID, partID)
	if errors.Is(err, errStale) {
		s.boxes.of(v.Account).forgetMessages(messageID)
		opened, err = s.openAttachment(ctx, v, messageID, partID)
	}
	if errors.Is(err, errStale) {
		err = ErrNotFound
	}
	return opened, err
}

var errStale = errors.New("inbox: a stale attachment id")

func (s *Service) openAttachment(ctx context.Context, v Visit, messageID, partID string) (OpenedAttachment, error) {
	m, err := s.message(ctx, v, messageID)
	if err != nil {
		return OpenedAttachment{}, err
	}
	parts := anatomy(m.Payload).attachments
	i := slices.IndexFunc(parts, func(a AttachmentInfo) bool { return a.PartID == partID })
	if i < 0 {
		return OpenedAttachment{}, ErrNotFound
	}
	out := OpenedAttachment{AttachmentInfo: parts[i]}
	if out.attachmentID == "" { // Gmail sent it along
		data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(out.data, "="))
		if err != nil {
			return OpenedAttachment{}, ErrUpstream
		}
		out.Content = io.NopCloser(bytes.NewReader(data))
		return out, nil
	}
	out.Content, err = s.stream(ctx, v, gmail.StreamAttachment(messageID, out.attachmentID))
	var invalid *InvalidError
	if errors.Is(err, ErrNotFound) || errors.As(err, &invalid) {
		return OpenedAttachment{}, errStale
	}
	return out, err
}

// stream decides and begins to read an attachment.
func (s *Service) stream(ctx context.Context, v Visit, call gmail.Stream) (io.ReadCloser, error) {
	target, err := call.Target()
	if err != nil {
		return nil, fmt.Errorf("inbox: planning an attachment: %w", err)
	}
	grant, err := s.authorize(ctx, v, target)
	if err != nil {
		return nil, err
	}
	content, err := call.Open(ctx, s.gmail, grant)
	if err != nil {
		grant.Finish(err, 0, 0)
		return nil, translate(err)
	}
	return &recorded{content: content, grant: grant}, nil
}

// recorded counts what is read under a grant, and records it when it is closed.
type recorded struct {
	content io.ReadCloser
	grant   *policy.Grant
	size    int64
	err     error
}

func (r *recorded) Read(p []byte) (int, error) {
	n, err := r.content.Read(p)
	r.size += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
		err = translate(err)
	}
	return n, err
}

func (r *recorded) Close() error {
	r.grant.Finish(r.err, 1, r.size)
	return r.content.Close()
}

// nameDrafts gives rows of drafts the id by which their draft is edited.
func (s *Service) nameDrafts(ctx context.Context, v Visit, b *box, rows []Row) error {
	if !slices.ContainsFunc(rows, func(r Row) bool { return r.Draft }) {
		return nil
	}
	ids, err := s.draftIDs(ctx, v, b)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].DraftID = ids[rows[i].MessageID]
	}
	return nil
}

func (s *Service) nameMessageDrafts(ctx context.Context, v Visit, b *box, messages []Message) error {
	if !slices.ContainsFunc(messages, func(m Message) bool { return m.Draft }) {
		return nil
	}
	ids, err := s.draftIDs(ctx, v, b)
	if err != nil {
		return err
	}
	for i := range messages {
		messages[i].DraftID = ids[messages[i].ID]
	}
	return nil
}

// draftsListed is how many drafts can be edited; older ones are shown but not opened in the composer.
const draftsListed = 500

// draftIDs maps message ids to draft ids (5 units, once after each change).
func (s *Service) draftIDs(ctx context.Context, v Visit, b *box) (map[string]string, error) {
	v = v.For("inbox.compose", "compose")
	if held := b.heldDrafts(); held != nil {
		return held, s.releaseHeld(ctx, v, gmail.ListDrafts(draftsListed, "").Target, policy.Drafts, slices.Collect(maps.Values(held)))
	}
	f, err := fetch(ctx, s, v, gmail.ListDrafts(draftsListed, ""))
	if err != nil {
		return nil, err
	}
	ids, listed := map[string]string{}, make([]string, 0, len(f.value.Drafts))
	for _, d := range f.value.Drafts {
		ids[d.Message.Id] = d.Id
		listed = append(listed, d.Id)
	}
	if err := f.grant.Release(ctx, policy.Drafts, listed, 0); err != nil {
		return nil, err
	}
	b.putDrafts(ids)
	return ids, nil
}
