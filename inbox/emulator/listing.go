package emulator

import (
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/emulator/internal/mimetree"
	"github.com/totalengage/webmail/inbox/emulator/internal/query"
)

// filter is what messages.list, threads.list and drafts.list select by.
type filter struct {
	labelIDs  []string
	text      string       // q
	query     *query.Query // nil matches everything
	spamTrash bool
	drafts    bool // drafts only
	// view shows one message after the other to the query.
	view *searchable
}

// listFilter reads the common parameters of the lists.
func (c *call) listFilter() (filter, error) {
	f := filter{labelIDs: c.query["labelIds"], spamTrash: c.flag("includeSpamTrash")}
	for _, id := range f.labelIDs {
		f.spamTrash = f.spamTrash || id == "SPAM" || id == "TRASH"
	}
	if q := c.param("q"); strings.TrimSpace(q) != "" {
		if c.metadataOnly() {
			return f, forbidden("Metadata scope does not support 'q' parameter")
		}
		f.text = q
	}
	return f, nil
}

// prepareLocked reads the query, whose words are looked up in the mailbox's index.
func (f *filter) prepareLocked(c *call) {
	if f.text == "" {
		return
	}
	f.query = query.Parse(f.text, query.Env{Now: c.srv.now(), Me: c.box.email, Index: c.box.index.find, Pair: findPair})
	f.spamTrash = f.spamTrash || f.query.SpamTrash
	f.view = &searchable{b: c.box}
}

// start is where the page begins in a list, newest first.
func (c *call) start(list []*message) (int, error) {
	token := c.param("pageToken")
	if token == "" {
		return 0, nil
	}
	at, ok := parseCursor(token)
	if !ok {
		return 0, badRequest("Invalid pageToken")
	}
	start := position(list, at)
	if start < len(list) && list[start].date == at.date && list[start].seq%seqRange == at.seq {
		start++ // the cursor names the last message of the page before
	}
	return start, nil
}

func (f filter) matchLocked(b *mailbox, m *message) bool {
	if f.drafts && m.draftID == "" {
		return false
	}
	if !f.spamTrash && (m.has("SPAM") || m.has("TRASH")) {
		return false
	}
	for _, id := range f.labelIDs {
		if !m.has(id) {
			return false
		}
		if id == "INBOX" && m.has("TRASH") && !slices.Contains(f.labelIDs, "TRASH") {
			return false
		}
	}
	if f.query == nil {
		return true
	}
	*f.view = searchable{m: m, b: b}
	return f.query.Match(f.view)
}

// searchable shows a message to the query language. The mailbox's lock is held.
type searchable struct {
	m *message
	b *mailbox

	text *searchText // all fields but the body, once one was asked for
	body string      // "" until asked for
}

// Words implements query.Message: text is made from the message's bytes when it is
// asked for.
func (s *searchable) Words(f query.Field) string {
	c := s.m.content
	if f == query.Body {
		if s.body == "" {
			s.body = bodyWords(mimetree.Parse(c.raw))
		}
		return s.body
	}
	if s.text == nil {
		s.text = newHeaderText(c.headers(), c.filenames)
	}
	return s.text[f]
}

func (s *searchable) Filenames() []string       { return s.m.content.filenames }
func (s *searchable) HasAttachment() bool       { return s.m.content.hasAttachment }
func (s *searchable) HasLabelID(id string) bool { return s.m.has(id) }
func (s *searchable) Date() time.Time           { return time.UnixMilli(s.m.date) }
func (s *searchable) Size() int64               { return int64(len(s.m.content.raw)) }
func (s *searchable) MessageID() string         { return s.m.content.messageID }

func (s *searchable) HasLabel(key string) bool {
	for _, id := range s.m.labels {
		if l := s.b.labels.byID[id]; l != nil && query.LabelKey(l.name) == key {
			return true
		}
	}
	return false
}

func (s *searchable) HasUserLabel() bool {
	for _, id := range s.m.labels {
		if l := s.b.labels.byID[id]; l != nil && l.kind == "user" {
			return true
		}
	}
	return false
}

// estimate is resultSizeEstimate: right for a first page that is also the last,
// otherwise only "more", as Gmail's is not to be paged by either.
func estimate(n int, more bool, pageSize int) int {
	if more {
		return max(201, pageSize+1)
	}
	return n
}

// pageLocked hands the matching messages that make a row to take, newest first,
// until the page is full; the token is "" on the last page.
func (c *call) pageLocked(f filter, row func(*message) bool, take func(*message)) (nextPageToken string, n int, err error) {
	list := f.candidatesLocked(c.box)
	start, err := c.start(list)
	if err != nil {
		return "", 0, err
	}
	size := c.pageSize()
	var last *message
	for _, m := range list[start:] {
		if !f.matchLocked(c.box, m) || !row(m) {
			continue
		}
		if n == size {
			return cursor{last.date, last.seq}.token(), n, nil
		}
		take(m)
		n++
		last = m
	}
	return "", n, nil
}

func everyMessage(*message) bool { return true }

// newestOfThread makes one row a thread: its newest message that matches.
func (f filter) newestOfThread(b *mailbox) func(*message) bool {
	return func(m *message) bool {
		for i := len(m.thread.messages) - 1; i >= 0; i-- {
			if o := m.thread.messages[i]; o == m || f.matchLocked(b, o) {
				return o == m
			}
		}
		return false
	}
}
