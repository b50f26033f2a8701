package emulator

import (
	"bytes"
	"errors"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/totalengage/webmail/inbox/emulator/internal/mimetree"
	"github.com/totalengage/webmail/inbox/emulator/internal/query"
)

// mailContent is a message as it was sent: immutable, and shared between
// goroutines without a lock (the search text is made once, under its own).
type mailContent struct {
	raw           []byte
	headers       []mimetree.Header
	mediaType     string
	snippet       string
	messageID     string   // without angle brackets
	references    []string // In-Reply-To and References, nearest first
	subject       string   // without Re: and Fwd:, for threading
	filenames     []string
	hasAttachment bool

	index sync.Once
	words [query.Filenames + 1]string // owned by index
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
	root := mimetree.Parse(raw)
	m := &mailContent{raw: raw, headers: root.Headers, mediaType: root.MediaType, snippet: root.Snippet()}
	m.messageID = firstOr(messageIDs(m.get("Message-ID")), "")
	m.references = m.parents()
	m.subject = baseSubject(m.get("Subject"))
	root.Walk(func(p *mimetree.Part) bool {
		if p.Attachment {
			m.hasAttachment = m.hasAttachment || p.Filename != ""
			if p.Filename != "" {
				m.filenames = append(m.filenames, p.Filename)
			}
		}
		return true
	})
	return m, nil
}

func (m *mailContent) get(name string) string { return mimetree.Get(m.headers, name) }

// parents are the messages this one answers, the nearest first.
func (m *mailContent) parents() []string {
	ids := messageIDs(m.get("In-Reply-To"))
	refs := messageIDs(m.get("References"))
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
	if t, ok := parseDate(m.get("Date")); ok {
		return t, true
	}
	received := m.get("Received")
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

// Words implements query.Message for the part that does not depend on the mailbox.
func (m *mailContent) Words(f query.Field) string {
	m.index.Do(m.buildIndex)
	return m.words[f]
}

func (m *mailContent) buildIndex() {
	m.words[query.From] = m.addressWords("From")
	m.words[query.To] = m.addressWords("To", "Cc", "Bcc")
	m.words[query.Cc] = m.addressWords("Cc")
	m.words[query.Bcc] = m.addressWords("Bcc")
	m.words[query.Subject] = query.Words(m.get("Subject"))
	m.words[query.DeliveredTo] = m.addressWords("Delivered-To")
	m.words[query.List] = query.Words(m.get("List-ID") + " " + m.get("List-Post"))
	m.words[query.Filenames] = joinWords(m.filenames)
	var body strings.Builder
	mimetree.Parse(m.raw).Walk(func(p *mimetree.Part) bool {
		if p.Attachment || p.Body == nil {
			return true
		}
		text := string(p.Body)
		if p.MediaType == "text/html" {
			text = mimetree.StripHTML(p.Body, 0)
		}
		body.WriteString(query.Words(text))
		return true
	})
	m.words[query.Body] = body.String()
}

func (m *mailContent) addressWords(names ...string) string {
	var values []string
	for _, h := range m.headers {
		for _, name := range names {
			if strings.EqualFold(h.Name, name) {
				values = append(values, strings.Split(h.Value, ",")...)
			}
		}
	}
	return joinWords(values)
}

// joinWords keeps phrases from reaching across items.
func joinWords(items []string) string {
	var out strings.Builder
	for _, s := range items {
		out.WriteString(query.Words(s))
		out.WriteByte('|')
	}
	return out.String()
}

func firstOr(list []string, otherwise string) string {
	if len(list) == 0 {
		return otherwise
	}
	return list[0]
}
