package emulator_test

import (
	"sync"
	"testing"

	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
)

// TestConcurrentUse lets two users write to each other, read, search and relabel
// at once; run with -race it also checks the locks. Every message must arrive once.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t, emulator.Options{Logf: func(string, ...any) {}})
	const n = 20
	var wg sync.WaitGroup
	for _, pair := range [][2]string{{"alice", "bob"}, {"bob", "alice"}} {
		c := w.client(pair[0])
		raw := encode("To: " + pair[1] + "@example.com\r\nSubject: from " + pair[0] + "\r\n\r\nwords to find\r\n")
		run := func(name string, f func() error) {
			wg.Go(func() {
				for range n {
					if err := f(); err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
				}
			})
		}
		run("send", func() error { return errOf(c.Messages.Send("me", &gmail.Message{Raw: raw}).Do()) })
		run("search", func() error { return errOf(c.Messages.List("me").Q("words find").Do()) })
		run("counts", func() error { return errOf(c.Labels.Get("me", "INBOX").Do()) })
		run("star", func() error {
			l, err := c.Messages.List("me").Do()
			for _, m := range l.Messages {
				_, err = c.Messages.Modify("me", m.Id, &gmail.ModifyMessageRequest{AddLabelIds: []string{"STARRED"}}).Do()
			}
			return err
		})
		run("threads", func() error {
			l, err := c.Threads.List("me").MaxResults(5).Do()
			for _, th := range l.Threads {
				_, err = c.Threads.Get("me", th.Id).Do()
			}
			return err
		})
	}
	wg.Wait()
	for _, name := range []string{"alice", "bob"} {
		l := must[*gmail.ListMessagesResponse](t)(w.client(name).Messages.List("me").LabelIds("INBOX").MaxResults(500).Do())
		if len(l.Messages) != n {
			t.Errorf("%s got %d messages, want %d", name, len(l.Messages), n)
		}
	}
}

// TestOneDraftIsSentOnce sends the same draft from many goroutines.
func TestOneDraftIsSentOnce(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	d := must[*gmail.Draft](t)(alice.Drafts.Create("me", &gmail.Draft{Message: &gmail.Message{Raw: encode("To: bob@example.com\r\n\r\nx")}}).Do())
	results := make(chan error, 8)
	for range cap(results) {
		go func() { results <- errOf(alice.Drafts.Send("me", &gmail.Draft{Id: d.Id}).Do()) }()
	}
	var sent int
	for range cap(results) {
		if err := <-results; err == nil {
			sent++
		} else {
			wantError(t, err, 404, "notFound", "")
		}
	}
	l := must[*gmail.ListMessagesResponse](t)(w.client("bob").Messages.List("me").Do())
	if sent != 1 || len(l.Messages) != 1 {
		t.Errorf("%d sends went through, %d messages arrived, want 1", sent, len(l.Messages))
	}
}
