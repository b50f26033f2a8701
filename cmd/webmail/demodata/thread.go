package demodata

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/emulator"
)

// thread is a conversation at a point in time: its messages are dated and know
// what they answer.
type thread struct {
	script   *conversation
	messages []*letter
}

// letter is one message before it is turned into bytes for each mailbox it is in.
type letter struct {
	script      scriptMessage
	subject     string
	id          string // Message-ID with its brackets
	date        time.Time
	from        member
	to, cc, bcc []member
	answers     *letter // nil when it begins the conversation
	references  []string
	list        string
	text, html  string // with what is quoted; html "" for text-only mail
	number      int    // of the repetition
	parts       *part  // made by body at the first call
}

// stage dates the k-th repetition of a conversation.
func stage(c *conversation, k int, now time.Time, cast map[string]member) (*thread, error) {
	t := &thread{script: c}
	var previous *letter
	for i, m := range c.message {
		l, err := newLetter(c, m, k, now, cast)
		if err != nil {
			return nil, err
		}
		l.id = fmt.Sprintf("<%s.%d@mail.example.com>", fingerprint(c.subject, c.message[0].age, k), i+1)
		if previous != nil {
			l.answer(previous)
		}
		if err := l.write(); err != nil {
			return nil, err
		}
		t.messages = append(t.messages, l)
		if !m.is("draft") {
			previous = l
		}
	}
	return t, nil
}

func newLetter(c *conversation, m scriptMessage, k int, now time.Time, cast map[string]member) (*letter, error) {
	date, err := before(now, m.age, k*c.every)
	if err != nil {
		return nil, err
	}
	l := &letter{script: m, date: date, list: c.list, number: k}
	l.script.body = fill(m.body, date, k)
	l.subject = fill(c.subject, date, k)
	if other, ok := m.options["subject"]; ok {
		l.subject = fill(other, date, k)
	}
	for _, group := range []struct {
		keys    []string
		members *[]member
	}{{m.to, &l.to}, {m.cc, &l.cc}, {m.bcc, &l.bcc}} {
		for _, key := range group.keys {
			p, ok := cast[key]
			if !ok {
				return nil, fmt.Errorf("nobody is called %q", key)
			}
			*group.members = append(*group.members, p)
		}
	}
	var ok bool
	if l.from, ok = cast[m.from]; !ok {
		return nil, fmt.Errorf("nobody is called %q", m.from)
	}
	return l, nil
}

// answer makes l the reply to another letter.
func (l *letter) answer(previous *letter) {
	l.answers = previous
	l.references = append(slices.Clone(previous.references), previous.id)
	first := strings.TrimPrefix(strings.TrimPrefix(previous.subject, "Re: "), "Fwd: ")
	switch {
	case l.script.is("subject"):
	case l.script.is("forward"):
		l.subject = "Fwd: " + first
	default:
		l.subject = "Re: " + first
	}
}

// fingerprint names a conversation; it does not depend on the day the demo runs.
func fingerprint(subject, age string, k int) string {
	h := fnv.New64a()
	fmt.Fprint(h, subject, "|", age, "|", k)
	return fmt.Sprintf("%012x", h.Sum64()&0xffffffffffff)
}

// deliver puts each message into the mailboxes of its sender and its recipients.
func (t *thread) deliver(boxes map[string][]emulator.SeedMessage) error {
	for _, user := range userKeys {
		for i, l := range t.messages {
			sent := l.script.from == user
			received := t.reaches(user, l)
			if !sent && !received {
				continue
			}
			raw, err := l.encode(user)
			if err != nil {
				return err
			}
			p := placement{user: user, sent: sent, received: received, newest: t.newest(user) == i}
			boxes[user] = append(boxes[user], emulator.SeedMessage{Raw: string(raw), Labels: t.labels(l, p)})
		}
	}
	return nil
}

// reaches reports whether a letter arrives in a user's mailbox. A mailing list
// reaches those users for whom the conversation has labels.
func (t *thread) reaches(user string, l *letter) bool {
	s := l.script
	if s.is("draft") {
		return false
	}
	_, subscribed := t.script.labels[user]
	return slices.Contains(slices.Concat(s.to, s.cc, s.bcc), user) ||
		t.script.list != "" && subscribed && s.from != user
}

// newest is the index of the message that marks of the whole conversation go on:
// the last one the user received, else the last one sent.
func (t *thread) newest(user string) int {
	last := -1
	for i, l := range t.messages {
		if t.reaches(user, l) {
			last = i
		}
	}
	if last < 0 {
		last = len(t.messages) - 1
	}
	return last
}

// placement is where a copy of a message stands.
type placement struct {
	user           string
	sent, received bool
	newest         bool
}

// labels gives a copy its Gmail labels. A script says once for a conversation:
// INBOX, SPAM and TRASH are for what was received (TRASH also for what was sent),
// UNREAD and STARRED for its newest message, IMPORTANT and CATEGORY_... for what was
// received, anything else is a user label and goes on all of it. Without INBOX,
// SPAM and TRASH the conversation is archived.
func (t *thread) labels(l *letter, p placement) []string {
	if l.script.is("draft") {
		return []string{"DRAFT"}
	}
	wish := t.script.labels[p.user]
	var out []string
	if p.sent {
		out = append(out, "SENT")
	}
	for _, label := range wish {
		switch {
		case label == "archive": // says what is so without it
		case label == "UNREAD" || label == "STARRED":
			if p.newest {
				out = append(out, label)
			}
		case label == "INBOX" || label == "SPAM" || label == "IMPORTANT" || strings.HasPrefix(label, "CATEGORY_"):
			if p.received {
				out = append(out, label)
			}
		default:
			out = append(out, label)
		}
	}
	// Gmail sorts all mail that arrives into a category; without this an archived
	// message would have no label at all.
	if p.received && !slices.ContainsFunc(out, func(s string) bool {
		return strings.HasPrefix(s, "CATEGORY_") || s == "SPAM" || s == "TRASH"
	}) {
		out = append(out, "CATEGORY_PERSONAL")
	}
	return out
}
