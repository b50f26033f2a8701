package emulator_test

import (
	"encoding/base64"
	"testing"

	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
)

func encode(raw string) string { return base64.URLEncoding.EncodeToString([]byte(raw)) }

func TestSendAndRead(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice, bob := w.client("alice"), w.client("bob")
	raw := "To: Bob <bob@example.com>\r\nBcc: carol@nowhere.example\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\nMessage-ID: <own@x>\r\n\r\nHello & welcome\r\n"
	sent, err := alice.Messages.Send("me", &gmail.Message{Raw: encode(raw)}).Do()
	if err != nil {
		t.Fatal(err)
	}
	if len(sent.LabelIds) != 1 || sent.LabelIds[0] != "SENT" || sent.ThreadId != sent.Id {
		t.Errorf("sent = %+v", sent)
	}
	list, err := bob.Messages.List("me").LabelIds("INBOX").Do()
	if err != nil || len(list.Messages) != 1 {
		t.Fatalf("bob has %d messages, %v", len(list.Messages), err)
	}
	got, err := bob.Messages.Get("me", list.Messages[0].Id).Do()
	if err != nil {
		t.Fatal(err)
	}
	if got.Snippet != "Hello &amp; welcome" {
		t.Errorf("snippet %q", got.Snippet)
	}
	for _, h := range got.Payload.Headers {
		if h.Name == "Bcc" {
			t.Error("Bcc reached the recipient")
		}
		if h.Name == "Subject" && h.Value != "café" {
			t.Errorf("subject %q", h.Value)
		}
	}
	// the bounce for carol
	list, err = alice.Messages.List("me").Q("from:mailer-daemon@googlemail.com").Do()
	if err != nil || len(list.Messages) != 1 || list.Messages[0].ThreadId != sent.ThreadId {
		t.Errorf("bounce: %+v, %v", list.Messages, err)
	}
}
