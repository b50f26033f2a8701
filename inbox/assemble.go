package inbox

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// Identity knows in whose name an account writes: the name and address of its From header.
type Identity interface {
	Identity(ctx context.Context, account policy.AccountID) (name, email string, err error)
}

// assembled is a message made of what the composer held: in memory, or as a large one to be read.
type assembled struct {
	raw     []byte
	large   gmail.Content // in place of raw
	token   string
	thread  string  // the Gmail thread it belongs to, "" for a new one
	compose Compose // as it was taken: checked, with the subject it got
	files   []*file // its attachments, with the parts they became
}

func (a assembled) size() int64 {
	if a.large != nil {
		return a.large.Size()
	}
	return int64(len(a.raw))
}

// create, update and send are the calls for the message, which are the same for policy whatever its size.
func (a assembled) create() gmail.Call[*gmail.Draft] {
	if a.large != nil {
		return gmail.UploadDraft(a.large, a.thread)
	}
	return gmail.CreateDraft(a.raw, a.thread)
}

func (a assembled) update(draft string) gmail.Call[*gmail.Draft] {
	if a.large != nil {
		return gmail.UploadUpdate(draft, a.large, a.thread)
	}
	return gmail.UpdateDraft(draft, a.raw, a.thread)
}

func (a assembled) send(draft string) gmail.Call[*gmail.Message] {
	if a.large != nil {
		return gmail.UploadSend(draft, a.large, a.thread)
	}
	return gmail.SendDraft(draft, a.raw, a.thread)
}

// assemble reads what a compose refers to and writes the message. draft is the Gmail draft it is or will
// replace, nil if none; keep says that the message is to be opened again (a draft), not sent. What is
// read costs 20 units for the original and for each attachment that is not an upload.
func (s *Service) assemble(ctx context.Context, v Visit, c Compose, draft *gmail.Draft, keep bool) (assembled, error) {
	name, email, err := s.identity.Identity(ctx, v.Account)
	if err != nil {
		return assembled{}, err
	}
	l := &letter{from: Address{Name: name, Email: email}, compose: c, date: s.now(), token: strings.ToLower(rand.Text()), draft: keep}
	out := assembled{token: l.token}
	if draft != nil && draft.Message != nil {
		out.thread = draft.Message.ThreadId
		l.inReplyTo, l.references = threadingOf(draft.Message.Payload)
	}
	if l.html, err = s.html.Outgoing(c.HTML); err != nil {
		return out, &InvalidError{"html", "it is too large to be sent"}
	}
	room := int64(MaxAttachments)
	if err := s.attach(ctx, v, l, &room); err != nil {
		return out, err
	}
	if c.InReplyTo != "" {
		if out.thread, err = s.answer(ctx, v, l, &room); err != nil {
			return out, err
		}
	}
	l.text = s.html.Text(l.html)
	out.compose, out.files = l.compose, append(l.attached, l.inline...)
	if l.large() {
		var w *written
		if w, err = l.stream(); err == nil {
			out.large = w
		}
		return out, err
	}
	out.raw, err = l.encode()
	return out, err
}

// answer adds what follows from the message that is answered: thread, subject, threading headers, quotation.
func (s *Service) answer(ctx context.Context, v Visit, l *letter, room *int64) (thread string, err error) {
	original, err := s.message(ctx, v, l.compose.InReplyTo)
	if errors.Is(err, ErrNotFound) {
		return "", &InvalidError{"inReplyTo", "the message that it answers is gone"}
	}
	if err != nil {
		return "", err
	}
	l.inReplyTo, l.references = threading(original.Payload)
	if l.compose.Subject == "" {
		l.compose.Subject = headerText(subjectFor(l.compose.Kind, header(original.Payload, "Subject")))
	}
	if !l.compose.Quote {
		return original.ThreadId, nil
	}
	mark := plainMark
	if l.draft {
		mark = quoteMark(l.token)
	}
	quotation, err := s.quoted(l.compose, original, mark)
	if err != nil {
		return "", err
	}
	l.html += quotation
	if l.draft {
		// A draft is saved every few seconds: its quotation gets its images when it is sent.
		return original.ThreadId, nil
	}
	images, err := s.quotedImages(ctx, v, original, quotation)
	if err != nil {
		return "", err
	}
	for _, image := range images {
		if *room -= image.size(); *room < 0 {
			return "", ErrTooLarge
		}
		if !holds(l.inline, image.contentID) {
			l.inline = append(l.inline, image)
		}
	}
	return original.ThreadId, nil
}

func holds(list []*file, contentID string) bool {
	for _, f := range list {
		if f.contentID == contentID {
			return true
		}
	}
	return false
}

// headerText makes somebody else's text fit for a header of ours.
func headerText(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unsafeText(string(r)) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// attach reads the attachments. One that the editor's HTML shows by its Content-ID stays inline.
func (s *Service) attach(ctx context.Context, v Visit, l *letter, room *int64) error {
	shown := cidsIn(l.html)
	for i, a := range l.compose.Attachments {
		f, err := s.file(ctx, v, a)
		if err != nil {
			return err
		}
		if *room -= f.size(); *room < 0 {
			return ErrTooLarge
		}
		f.source = i
		if f.contentID != "" && shown[f.contentID] && safeContentID(f.contentID) && !holds(l.inline, f.contentID) {
			l.inline = append(l.inline, f)
			continue
		}
		f.contentID = ""
		l.attached = append(l.attached, f)
	}
	return nil
}

// file finds one attachment. A small one is read into memory.
func (s *Service) file(ctx context.Context, v Visit, a ComposeAttachment) (*file, error) {
	if a.UploadID != "" {
		u, content, err := s.upload(ctx, v, a.UploadID)
		if errors.Is(err, ErrNotFound) {
			return nil, &InvalidError{"attachments", "an upload is gone; attach the file again"}
		}
		if err != nil {
			return nil, err
		}
		return (&file{name: fileName(u.Name), kind: mediaType(u.Type), large: content}).settle()
	}
	content, err := s.OpenAttachment(ctx, v, a.MessageID, a.PartID)
	if errors.Is(err, ErrNotFound) {
		return nil, &InvalidError{"attachments", "an attachment is gone from its message"}
	}
	if err != nil {
		return nil, err
	}
	defer content.Content.Close()
	f := &file{name: fileName(content.Name), kind: mediaType(content.Type), contentID: content.ContentID}
	if content.Size <= largest {
		f.body, err = io.ReadAll(content.Content)
		return f, err
	}
	// It will be read several times, and Gmail asked once: it is put aside, sealed, for as long as that takes.
	u, err := s.putAside(ctx, v, Upload{Name: f.name, Type: f.kind}, content.Content, againKept)
	if err != nil {
		return nil, err
	}
	_, f.large, err = s.upload(ctx, v, u.ID)
	return f, err
}

// againKept is how long an attachment of another message is put aside.
const againKept = 10 * time.Minute

// settle takes a small file into memory.
func (f *file) settle() (*file, error) {
	if f.large.Size() > largest {
		return f, nil
	}
	body, err := f.large.Open()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	f.body, err = io.ReadAll(body)
	f.large = nil
	return f, err
}

// kept returns the compose with its attachments as parts of the message that now holds them.
func (a assembled) kept(messageID string) []ComposeAttachment {
	out := make([]ComposeAttachment, len(a.compose.Attachments))
	for _, f := range a.files {
		if f.source >= 0 {
			out[f.source] = ComposeAttachment{MessageID: messageID, PartID: f.partID, Name: f.name, Type: f.kind, Size: f.size()}
		}
	}
	return out
}
