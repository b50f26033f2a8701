package inbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-message"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// Another service of the company, which the owner connected, comes with a Visit that names it. What it can do is
// here, and is less than what the owner can: nothing of what the owner's visits hold in memory is used for it.

// Unread counts the conversations of the inbox that are unread (1 unit).
func (s *Service) Unread(ctx context.Context, v Visit) (int64, error) {
	f, err := fetch(ctx, s, v, gmail.GetLabels("INBOX"))
	if err != nil {
		return 0, err
	}
	if len(f.value) != 1 || f.value[0].Err != nil || f.value[0].Value == nil {
		err := ErrUpstream
		if len(f.value) == 1 && f.value[0].Err != nil {
			err = translate(f.value[0].Err)
		}
		f.grant.Finish(err, 0, 0)
		return 0, err
	}
	f.grant.Finish(nil, 1, 0)
	return f.value[0].Value.ThreadsUnread, nil
}

// PlainDraft is what another service may put into a draft: text alone, so that nothing but text can be in it.
type PlainDraft struct {
	To      []Address
	Subject string
	Text    string
}

// StartDraft makes a draft for its owner to finish (10 units). It never sends. With ErrUpstream it is not known
// whether the draft is there: unlike the owner, its caller may not look.
func (s *Service) StartDraft(ctx context.Context, v Visit, d PlainDraft) error {
	c, err := Compose{To: d.To, Subject: d.Subject}.checked()
	if err != nil {
		return err
	}
	name, email, err := s.identity.Identity(ctx, v.Account)
	if err != nil && !errors.Is(err, policy.ErrUnknown) { // a mailbox that is not known is the gate's to refuse, on record
		return err
	}
	l := &letter{from: Address{Name: name, Email: email}, compose: c, date: s.now(), token: strings.ToLower(rand.Text()), draft: true, text: d.Text}
	raw, err := l.encodePlain()
	if err != nil {
		return err
	}
	saved, err := s.createDraft(ctx, v, assembled{raw: raw, token: l.token})
	if err != nil {
		return err
	}
	s.boxes.of(v.Account).changed()
	if saved.Message != nil {
		s.boxes.of(v.Account).forgetThread(saved.Message.ThreadId)
	}
	return nil
}

// encodePlain writes the message as a single text. The Gmail client recognises such a message, and asks the policy for
// no attachment.
func (l *letter) encodePlain() ([]byte, error) {
	root := textEntity("plain", l.text)
	l.head(&root.header)
	var buf bytes.Buffer
	w, err := message.CreateWriter(&buf, root.header)
	if err != nil {
		return nil, fmt.Errorf("inbox: writing a message: %w", err)
	}
	if err := root.write(w); err != nil {
		return nil, fmt.Errorf("inbox: writing a message: %w", err)
	}
	return buf.Bytes(), nil
}
