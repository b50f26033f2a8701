package emulator_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
)

func header(m *gmail.Message, name string) string {
	for _, h := range m.Payload.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// send sends a raw message and reads the sender's copy back.
func (w *world) send(c *gmail.UsersService, raw, threadID string) *gmail.Message {
	w.t.Helper()
	sent, err := c.Messages.Send("me", &gmail.Message{Raw: encode(raw), ThreadId: threadID}).Do()
	if err != nil {
		w.t.Fatal(err)
	}
	return must[*gmail.Message](w.t)(c.Messages.Get("me", sent.Id).Do())
}

// only is the single message a query finds.
func (w *world) only(c *gmail.UsersService, q string) *gmail.Message {
	w.t.Helper()
	l := must[*gmail.ListMessagesResponse](w.t)(c.Messages.List("me").Q(q).Do())
	if len(l.Messages) != 1 {
		w.t.Fatalf("%q finds %d messages, want 1", q, len(l.Messages))
	}
	return must[*gmail.Message](w.t)(c.Messages.Get("me", l.Messages[0].Id).Do())
}

func TestDelivery(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice, bob := w.client("alice"), w.client("bob")
	sent := w.send(alice, "From: Somebody Else <evil@elsewhere.example>\r\nTo: carol@example.com\r\nBCC: Bob <BOB@example.com>\r\nMessage-ID: <mine@x>\r\nX-Client-Token: t1\r\nSubject: hi\r\n\r\nbody\r\n", "")
	if from := header(sent, "From"); from != `"Alice Example" <alice@example.com>` {
		t.Errorf("From %q", from)
	}
	if id := header(sent, "Message-ID"); !strings.HasPrefix(id, "<CA") || !strings.HasSuffix(id, "@mail.gmail.com>") {
		t.Errorf("Message-ID %q", id)
	}
	if header(sent, "Bcc") == "" || header(sent, "Date") == "" || header(sent, "X-Client-Token") != "t1" || !strings.Contains(header(sent, "Received"), "gmailapi.google.com with HTTPREST") {
		t.Errorf("sender's copy: %+v", sent.Payload.Headers)
	}
	got := w.only(bob, "in:inbox is:unread")
	if got.Id == sent.Id || header(got, "Bcc") != "" || header(got, "Message-ID") != header(sent, "Message-ID") || header(got, "Delivered-To") != "bob@example.com" {
		t.Errorf("recipient's copy: %+v", got.Payload.Headers)
	}
	bounce := w.only(alice, "from:mailer-daemon@googlemail.com")
	if bounce.ThreadId != sent.ThreadId || header(bounce, "In-Reply-To") != header(sent, "Message-ID") || !strings.Contains(bounce.Snippet, "carol@example.com") {
		t.Errorf("bounce in thread %s, want %s: %s", bounce.ThreadId, sent.ThreadId, bounce.Snippet)
	}
}

func TestMailToOneself(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	sent := w.send(alice, "To: alice+notes@example.com\r\nSubject: note\r\n\r\nx", "")
	if want := []string{"INBOX", "SENT", "UNREAD"}; !slices.Equal(sent.LabelIds, want) {
		t.Errorf("labels %v, want %v", sent.LabelIds, want)
	}
	if l := must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").Do()); len(l.Messages) != 1 {
		t.Errorf("%d messages, want one", len(l.Messages))
	}
}

func TestThreadingOfReplies(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice, bob := w.client("alice"), w.client("bob")
	first := w.send(alice, "To: bob@example.com\r\nSubject: Plan\r\n\r\none", "")
	atBob := w.only(bob, "subject:plan")
	ref := "In-Reply-To: " + header(atBob, "Message-ID") + "\r\nReferences: " + header(atBob, "Message-ID") + "\r\n"
	for _, c := range []struct {
		name, raw string
		joins     bool
	}{
		{"all three", "To: alice@example.com\r\nSubject: RE: Fwd: plan\r\n" + ref + "\r\nx", true},
		{"no references", "To: alice@example.com\r\nSubject: Re: Plan\r\n\r\nx", false},
		{"other subject", "To: alice@example.com\r\nSubject: Other\r\n" + ref + "\r\nx", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := w.send(bob, c.raw, atBob.ThreadId); (got.ThreadId == atBob.ThreadId) != c.joins {
				t.Errorf("thread %s, the first is %s", got.ThreadId, atBob.ThreadId)
			}
		})
	}
	// The recipient's threads depend on the headers alone: two replies carried them.
	if th := must[*gmail.Thread](t)(alice.Threads.Get("me", first.ThreadId).Do()); len(th.Messages) != 3 {
		t.Errorf("alice's thread has %d messages, want 3", len(th.Messages))
	}
	wantError(t, errOf(alice.Messages.Send("me", &gmail.Message{ThreadId: "00000000000000aa", Raw: encode("To: bob@example.com\r\n\r\nx")}).Do()), 404, "notFound", "")
}
