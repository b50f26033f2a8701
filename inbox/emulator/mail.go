package emulator

import (
	"bytes"
	"errors"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/emulator/internal/mimetree"
)

// mailContent is a message as it was sent: immutable, and shared between
// goroutines without a lock. It keeps what lists need and the bytes; headers, parts
// and text are read from them again when they are asked for.
type mailContent struct {
	raw           []byte
	mediaType     string
	snippet       string
	messageID     string   // without angle brackets
	references    []string // In-Reply-To and References, nearest first
	subject       string   // without Re: and Fwd:, for threading
	filenames     []string
	hasAttachment bool
	pairs         pairs
	// terms are for the index of the mailbox that stores the message, which takes
	// them: the one field that changes, before anybody else sees the message.
	terms []term
}

// maxMessage is the largest message a mailbox takes, by any way.
const maxMessage = 150 << 20

var (
	errEmpty    = errors.New("the message is empty")
	errTooLarge = errors.New("the message is larger than 150 MiB")
	errNoHeader = errors.New("the message has no header field")
)

// newMail reads a message. It refuses what no mailbox can hold and nothing else.
func newMail(raw []byte) (*mailContent, error) {
	switch {
	case len(bytes.TrimSpace(raw)) == 0:
		return nil, errEmpty
	case len(raw) > maxMessage:
		return nil, errTooLarge
	}
	if cap(raw) > len(raw)+len(raw)/16 {
		raw = bytes.Clone(raw) // it is kept for long
	}
	root := mimetree.Parse(raw)
	m := &mailContent{raw: raw, mediaType: root.MediaType, snippet: strings.Clone(root.Snippet())}
	m.messageID = firstOr(messageIDs(mimetree.Get(root.Headers, "Message-ID")), "")
	m.references = parents(root.Headers)
	m.subject = baseSubject(mimetree.Get(root.Headers, "Subject"))
	root.Walk(func(p *mimetree.Part) bool {
		if p.Attachment {
			m.hasAttachment = m.hasAttachment || p.Filename != ""
			if p.Filename != "" {
				m.filenames = append(m.filenames, p.Filename)
			}
		}
		return true
	})
	text := newSearchText(root, m.filenames)
	m.terms, m.pairs = text.terms(), newPairs(text)
	return m, nil
}

func (m *mailContent) headers() []mimetree.Header { return mimetree.ParseHeaders(m.raw) }

func (m *mailContent) get(name string) string { return mimetree.Get(m.headers(), name) }

// parents are the messages this one answers, the nearest first.
func parents(headers []mimetree.Header) []string {
	ids := messageIDs(mimetree.Get(headers, "In-Reply-To"))
	refs := messageIDs(mimetree.Get(headers, "References"))
	for i := len(refs) - 1; i >= 0; i-- {
		ids = append(ids, refs[i])
	}
	return ids
}

var bracketed = regexp.MustCompile(`<([^<>\s]+)>`)

// messageIDs reads <id> <id>; a bare id without brackets counts as one.
func messageIDs(s string) []string {
	var out []string
	for _, m := range bracketed.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	if s = strings.TrimSpace(s); len(out) == 0 && strings.Contains(s, "@") && !strings.ContainsAny(s, " <>") {
		out = append(out, s)
	}
	return out
}

var replyPrefix = regexp.MustCompile(`(?i)^\s*(re|fwd?|aw|wg|sv|vs|antw|tr|rif|ynt)\s*(\[\d+\])?\s*[:：]\s*`)

// baseSubject is the subject that replies share: without prefixes, blanks collapsed, lower case.
func baseSubject(s string) string {
	for {
		rest := replyPrefix.ReplaceAllString(s, "")
		if rest == s {
			return strings.ToLower(strings.Join(strings.Fields(s), " "))
		}
		s = rest
	}
}

// sentAt is the time the message claims: its Date header, else its newest
// Received header; false when neither can be read.
func (m *mailContent) sentAt() (time.Time, bool) {
	headers := m.headers()
	if t, ok := parseDate(mimetree.Get(headers, "Date")); ok {
		return t, true
	}
	received := mimetree.Get(headers, "Received")
	return parseDate(received[strings.LastIndexByte(received, ';')+1:])
}

// dateLayouts are forms that net/mail does not read but real mail has.
var dateLayouts = []string{
	"Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05", "2 Jan 06 15:04:05 MST",
	"Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 2006 -0700", "Mon Jan 2 15:04:05 MST 2006", "Mon, 2 January 2006 15:04:05 -0700", time.RFC3339,
}

func parseDate(s string) (time.Time, bool) {
	s = strings.Join(strings.Fields(s), " ")
	if t, err := mail.ParseDate(s); err == nil {
		return t, plausible(t)
	}
	if i := strings.IndexByte(s, '('); i > 0 {
		s = strings.TrimSpace(s[:i])
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, plausible(t)
		}
	}
	return time.Time{}, false
}

// plausible keeps internalDate within what a page token can carry.
func plausible(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 2090 }

func firstOr(list []string, otherwise string) string {
	if len(list) == 0 {
		return otherwise
	}
	return list[0]
}
