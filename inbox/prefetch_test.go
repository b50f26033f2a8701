package inbox_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

var fetchingAhead = at("inbox.read", "prefetch")

// TestPrefetch: what was fetched ahead is opened without a trip, is recorded as prefetch alone until then, and is
// opened under a decision like anything else.
func TestPrefetch(t *testing.T) {
	r := newReader(t)
	id := r.put(t, simple(1, "One"), "INBOX")
	for range 2 { // the second time it is there already
		if err := r.service.Prefetch(t.Context(), fetchingAhead, id); err != nil {
			t.Fatal(err)
		}
	}
	count := func(feature string) int {
		page, err := r.log.Query(t.Context(), decisionlog.Filter{Feature: feature, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Records)
	}
	if got := r.mail.Stats().Trips; got != 1 || count("prefetch") != 1 || count("thread_view") != 0 {
		t.Errorf("%d trips, %d prefetches, %d views recorded; want 1, 1, 0", got, count("prefetch"), count("thread_view"))
	}
	c, err := r.service.Conversation(t.Context(), opening, id)
	if err != nil || len(c.Messages) != 1 || r.mail.Stats().Trips != 1 {
		t.Errorf("opened: %d messages, %v, %d trips; want 1 and none more", len(c.Messages), err, r.mail.Stats().Trips)
	}
	if count("thread_view") != 1 {
		t.Errorf("%d views recorded, want 1", count("thread_view"))
	}
	stranger := fetchingAhead
	stranger.Actor.Person = "somebody-else"
	other := r.put(t, simple(2, "Two"), "INBOX")
	var refused *policy.Refused
	if err := r.service.Prefetch(t.Context(), stranger, other); !errors.As(err, &refused) {
		t.Errorf("a stranger: got %v, want *policy.Refused", err)
	}
}

// TestPrefetchSparesUnits: nothing is fetched ahead when it would leave a person with less than half of what may be
// spent at once.
func TestPrefetchSparesUnits(t *testing.T) {
	r := newReader(t)
	s, err := inbox.New(inbox.Config{Gate: r.gate, Tokens: fixedToken("alice-token"), Endpoint: r.endpoint, Units: 240}) // 120 at once
	if err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		if err := s.Prefetch(t.Context(), fetchingAhead, r.put(t, simple(n, fmt.Sprint(n)), "INBOX")); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.mail.Stats().Units; got != 40 {
		t.Errorf("%d units were spent on what nobody asked for, want the 40 of one conversation", got)
	}
}

// TestMemoryIsBounded: what is held of all mailboxes stays within its bound of bytes, and what went is asked for anew.
func TestMemoryIsBounded(t *testing.T) {
	r := newReader(t)
	const most = 1 << 20
	s, err := inbox.New(inbox.Config{Gate: r.gate, Tokens: fixedToken("alice-token"), Endpoint: r.endpoint, Units: -1, Memory: most})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for n := range 30 {
		ids = append(ids, r.put(t, simple(n, fmt.Sprint(n))+strings.Repeat("A line of a long message.\n", 20_000), "INBOX"))
	}
	for _, id := range ids {
		if c, err := s.Conversation(t.Context(), opening, id); err != nil || len(c.Messages) != 1 {
			t.Fatal(err)
		}
	}
	// One mailbox alone may have 8 MB, whatever the bound of all: it is the last that is let go.
	if got := inbox.Weight(s); got <= 0 || got > 9<<20 {
		t.Errorf("%d bytes are held, want some and at most 9 MB", got)
	}
	s.Forget(readerAccount)
	if got := inbox.Weight(s); got != 0 {
		t.Errorf("%d bytes are counted after the only mailbox went, want 0", got)
	}
	box := inbox.NewBoxes(most)
	for n := range 50 {
		box.Put(policy.AccountID(fmt.Sprint("account", n)), 100<<10)
	}
	if got := box.Weight(); got > most || got < most/2 {
		t.Errorf("50 mailboxes of 100 kB: %d bytes are held, want at most %d", got, most)
	}
	if box.Holds("account0") || !box.Holds("account49") {
		t.Error("the mailbox used last went before the one unused longest")
	}
}
