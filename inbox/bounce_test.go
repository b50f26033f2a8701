package inbox_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
)

// TestBounceIsShown: a message to an address that does not exist is marked in its conversation, for that address alone.
func TestBounceIsShown(t *testing.T) {
	o, p := openOffice(t, databasetest.Open(t, "sqlite:"+t.TempDir()+"/db"))
	c := letterTo(bob, "Lost", "<p>x</p>")
	c.To = append(c.To, inbox.Address{Email: "nobody@example.com"})
	item := o.send(t, c, newKey())
	o.settle(t)
	sent := o.state(t, item.ID)
	view := writing(alice).For("inbox.read", "thread_view")
	read := func() inbox.Conversation {
		t.Helper()
		o.Forget(alice)
		c, err := o.Conversation(t.Context(), view, sent.ThreadID)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	got := read()
	i := slices.IndexFunc(got.Messages, func(m inbox.Message) bool { return m.ID == sent.MessageID })
	if i < 0 || got.Messages[i].Undelivered == nil {
		t.Fatalf("of %d messages the sent one is not marked", len(got.Messages))
	}
	if u := got.Messages[i].Undelivered; !slices.Equal(u.Addresses, []string{"nobody@example.com"}) || u.Reason != inbox.NoSuchAddress {
		t.Errorf("got %+v, want nobody@example.com because there is no such address", u)
	}
	if len(got.Messages) < 2 {
		t.Errorf("the bounce is not in the conversation")
	}
	// Somebody else's forgery: a report on an address that the message did not go to.
	other := o.send(t, letterTo(bob, "Fine", "<p>x</p>"), newKey())
	o.settle(t)
	sent = o.state(t, other.ID)
	ours, err := o.Message(t.Context(), writing(alice).For("inbox.read", "message_view"), sent.MessageID)
	if err != nil || ours.Undelivered != nil {
		t.Fatalf("%+v, %v", ours.Undelivered, err)
	}
	id := strings.TrimSpace(headerOf(string(p.raw(t, alice, sent.MessageID)), "Message-ID"))
	p.receive(t, alice, "From: mailer-daemon@googlemail.com\nTo: "+alice+"\nSubject: Fine\nIn-Reply-To: "+id+"\nReferences: "+id+"\nX-Failed-Recipients: someone@example.net\n"+
		"Content-Type: multipart/report; boundary=b; report-type=delivery-status\n\n--b\nContent-Type: text/plain\n\n550 5.1.1\n--b--\n")
	for _, m := range read().Messages {
		if m.Undelivered != nil {
			t.Errorf("message %s is marked by a report on somebody it did not go to", m.ID)
		}
	}
}

func headerOf(raw, name string) string {
	for _, line := range strings.Split(raw, "\r\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

func TestDeliveryStatus(t *testing.T) {
	const about = "Reporting-MTA: dns; example.net\r\nArrival-Date: Mon, 02 Nov 2026 09:00:00 +0000\r\n\r\n"
	for _, c := range []struct {
		name, text string
		want       []string
		reason     inbox.UndeliveredReason
	}{
		{"no such address", about + "Final-Recipient: rfc822; Bob@Example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n", []string{"bob@example.com"}, inbox.NoSuchAddress},
		{"full", about + "Final-Recipient: RFC822;bob@example.com\r\nAction: failed\r\nStatus: 5.2.2 (full)\r\n", []string{"bob@example.com"}, inbox.MailboxFull},
		{"too large", about + "Final-Recipient: rfc822;bob@example.com\r\nAction: failed\r\nStatus: 5.3.4\r\n", []string{"bob@example.com"}, inbox.MessageTooLarge},
		{"refused", about + "Final-Recipient: rfc822;bob@example.com\r\nAction: failed\r\nStatus: 5.7.26\r\n", []string{"bob@example.com"}, inbox.RefusedByServer},
		{"delayed", about + "Final-Recipient: rfc822;bob@example.com\r\nAction: delayed\r\nStatus: 4.4.1\r\n", []string{"bob@example.com"}, inbox.StillTrying},
		{"two", about + "Final-Recipient: rfc822;a@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\nFinal-Recipient: rfc822;b@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n", []string{"a@example.com", "b@example.com"}, inbox.NoSuchAddress},
		{"delivered", about + "Final-Recipient: rfc822;bob@example.com\r\nAction: delivered\r\nStatus: 2.0.0\r\n", nil, inbox.OtherwiseFailing},
		{"nothing", "", nil, inbox.OtherwiseFailing},
	} {
		addresses, reason := inbox.ReadDeliveryStatus(c.text)
		if !slices.Equal(addresses, c.want) || reason != c.reason {
			t.Errorf("%s: got %v, %s; want %v, %s", c.name, addresses, reason, c.want, c.reason)
		}
	}
}

func FuzzDeliveryStatus(f *testing.F) {
	f.Add("Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.1.1\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		addresses, reason := inbox.ReadDeliveryStatus(text)
		if reason == "" || len(addresses) > 500 {
			t.Errorf("got %d addresses, reason %q", len(addresses), reason)
		}
	})
}

// TestScheduledSend: a message leaves at the time its owner chose, not before, and can be taken back until then.
func TestScheduledSend(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		o, p := openOffice(t, open(t))
		at := o.now().Add(10 * 24 * time.Hour).Truncate(time.Millisecond) // beyond the week for which an instruction stands otherwise
		schedule := func(subject string) inbox.OutboxItem {
			t.Helper()
			item, err := o.Send(t.Context(), sending(alice), inbox.SendRequest{Compose: letterTo(bob, subject, "<p>x</p>"), IdempotencyKey: newKey(), SendAt: at})
			if err != nil || item.State != inbox.Queued || !item.SendAt.Equal(at) {
				t.Fatalf("got %+v, %v", item, err)
			}
			return item
		}
		item, cancelled := schedule("Later"), schedule("Never")
		due := func() {
			t.Helper()
			if err := o.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := o.SendDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range 9 {
			o.pass(24 * time.Hour)
			due()
		}
		if n := p.copies(t, bob, "INBOX", "Later"); n != 0 || o.state(t, item.ID).State != inbox.Queued {
			t.Errorf("%d copies a day before its time, state %s", n, o.state(t, item.ID).State)
		}
		if c, err := o.Undo(t.Context(), writing(alice), cancelled.ID); err != nil || c.Subject != "Never" {
			t.Errorf("taken back: %q, %v", c.Subject, err)
		}
		o.pass(24*time.Hour + time.Minute)
		due()
		if n := p.copies(t, bob, "INBOX", "Later"); n != 1 || o.state(t, item.ID).State != inbox.Sent {
			t.Errorf("%d copies at its time, state %s; want 1, sent", n, o.state(t, item.ID).State)
		}
		if n := p.copies(t, bob, "INBOX", "Never"); n != 0 {
			t.Errorf("what was taken back arrived %d times", n)
		}
		for _, bad := range []time.Time{o.now().Add(-time.Minute), o.now().Add(400 * 24 * time.Hour)} {
			_, err := o.Send(t.Context(), sending(alice), inbox.SendRequest{Compose: letterTo(bob, "x", "x"), IdempotencyKey: newKey(), SendAt: bad})
			if invalid := new(inbox.InvalidError); !asInvalid(err, &invalid) || invalid.Field != "sendAt" {
				t.Errorf("at %v: got %v, want *InvalidError for sendAt", bad, err)
			}
		}
		o.accountedFor(t)
	})
}

func asInvalid(err error, into **inbox.InvalidError) bool { return errors.As(err, into) }
