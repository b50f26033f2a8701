package emulator

import (
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// mailbox is one user's mail. Methods whose names end in Locked, and those of
// history and labels, are called with mu held: for reading when they only read. A
// change begins with mu.Lock and ends with unlock, which keeps and announces it.
// A goroutine never holds the locks of two mailboxes: delivery goes through
// Server.deliver after the sender's lock is released.
type mailbox struct {
	email string // lower case; immutable
	name  string // immutable
	ids   *idSource
	now   func() time.Time

	mu       sync.RWMutex
	messages map[string]*message // by id
	byDate   []*message          // newest first: (date, seq) falling
	threads  map[string]*thread
	// byReference maps Message-IDs, those of messages here and those they answer,
	// to the thread that took them last. Entries of deleted threads stay behind and are ignored.
	byReference map[string]string
	drafts      map[string]*message // by draft id
	seq         uint64              // of the newest message ever stored
	bySeq       map[uint64]*message
	index       searchIndex
	labels      labelSet
	history     history
	settings    settings

	journal         *journal             // nil keeps nothing; immutable once served
	pusher          *pusher              // immutable
	entries         []entry              // for the journal, of the change in progress; owned by mu
	settingsChanged bool                 // by the change in progress; owned by mu
	noticed         uint64               // history up to here was considered for notifications; owned by mu
	pushed          map[string]time.Time // when each project was last notified; owned by mu
}

// message is a stored message: what can change about it, and its content. The
// fields are owned by the mailbox's lock; content is immutable.
type message struct {
	id        string
	seq       uint64
	thread    *thread
	date      int64 // internalDate: ms since 1970
	labels    []string
	historyID uint64
	draftID   string // "" when it is no draft
	content   *mailContent
}

// thread is a conversation; its id is that of its first message. Owned by the mailbox's lock.
type thread struct {
	id       string
	messages []*message // oldest first
}

// maxThread is where Gmail cuts a conversation and begins another.
const maxThread = 100

func newMailbox(email, name string, s *Server) *mailbox {
	b := &mailbox{
		email: email, name: name, ids: s.ids, now: s.now, journal: s.journal, pusher: s.pusher,
		messages: map[string]*message{}, threads: map[string]*thread{},
		byReference: map[string]string{}, drafts: map[string]*message{}, bySeq: map[uint64]*message{}, index: searchIndex{},
		labels: newLabelSet(), history: newHistory(s.retention), settings: newSettings(email), pushed: map[string]time.Time{},
	}
	b.noticed = b.history.head
	return b
}

func (m *message) has(label string) bool { return slices.Contains(m.labels, label) }

// newMessage is what a mailbox is asked to store.
type newMessage struct {
	content *mailContent
	labels  []string // ids, already checked
	date    time.Time
	// threadID is the existing thread it joins; "" begins one.
	threadID string
	draftID  string
}

// storeLocked adds a message and writes the history.
func (b *mailbox) storeLocked(n newMessage) *message {
	b.seq++
	m := &message{
		id: b.ids.next(), seq: b.seq, date: n.date.UnixMilli(), labels: slices.Clone(n.labels),
		draftID: n.draftID, content: n.content,
	}
	slices.Sort(m.labels)
	m.labels = slices.Compact(m.labels)
	threadID := n.threadID
	if b.threads[threadID] == nil {
		threadID = m.id
	}
	b.placeLocked(m, threadID)
	m.historyID = b.recordLocked(historyRecord{Message: m.ref(), Added: true})
	if b.journal != nil {
		b.note(entry{Message: m.stored()})
	}
	return m
}

// placeLocked puts a message where it belongs, in a thread that is made when absent.
func (b *mailbox) placeLocked(m *message, threadID string) {
	b.seq = max(b.seq, m.seq)
	if m.thread = b.threads[threadID]; m.thread == nil {
		m.thread = &thread{id: threadID}
		b.threads[threadID] = m.thread
	}
	at := sort.Search(len(m.thread.messages), func(i int) bool { return m.thread.messages[i].date > m.date })
	m.thread.messages = slices.Insert(m.thread.messages, at, m)
	b.messages[m.id] = m
	b.bySeq[m.seq] = m
	at = position(b.byDate, cursor{m.date, m.seq})
	b.byDate = slices.Insert(b.byDate, at, m)
	b.referLocked(m)
	b.index.add(m.seq, m.content.terms)
	m.content.terms = nil
	if m.draftID != "" {
		b.drafts[m.draftID] = m
	}
}

func (b *mailbox) referLocked(m *message) {
	for _, id := range m.content.references {
		if t := b.threads[b.byReference[id]]; t == nil || len(t.messages) >= maxThread {
			b.byReference[id] = m.thread.id
		}
	}
	if id := m.content.messageID; id != "" {
		b.byReference[id] = m.thread.id
	}
}

// position is where a cursor stands among messages, newest first: the first one not
// newer than it.
func position(list []*message, c cursor) int {
	return sort.Search(len(list), func(i int) bool {
		m := list[i]
		return m.date < c.date || m.date == c.date && m.seq%seqRange <= c.seq%seqRange
	})
}

// removeLocked deletes a message for good.
func (b *mailbox) removeLocked(m *message) {
	b.dropLocked(m)
	b.recordLocked(historyRecord{Message: m.ref(), Deleted: true})
	b.note(entry{Gone: m.id})
}

// dropLocked takes a message out of its places.
func (b *mailbox) dropLocked(m *message) {
	delete(b.messages, m.id)
	delete(b.bySeq, m.seq)
	if at := position(b.byDate, cursor{m.date, m.seq}); at < len(b.byDate) && b.byDate[at] == m {
		b.byDate = slices.Delete(b.byDate, at, at+1)
	}
	t := m.thread
	t.messages = slices.DeleteFunc(t.messages, func(o *message) bool { return o == m })
	if len(t.messages) == 0 {
		delete(b.threads, t.id)
	}
	if m.draftID != "" && b.drafts[m.draftID] == m {
		delete(b.drafts, m.draftID)
	}
}

// relabelLocked changes a message's labels and writes one history record if
// anything changed. A draft keeps its labels except for TRASH.
func (b *mailbox) relabelLocked(m *message, add, remove []string) {
	var added, removed []string
	for _, id := range add {
		if !m.has(id) && (m.draftID == "" || id == "TRASH") {
			m.labels = append(m.labels, id)
			added = append(added, id)
		}
	}
	for _, id := range remove {
		if m.has(id) && (m.draftID == "" || id == "TRASH") {
			m.labels = slices.DeleteFunc(slices.Clone(m.labels), func(l string) bool { return l == id })
			removed = append(removed, id)
		}
	}
	if len(added)+len(removed) == 0 {
		return
	}
	m.labels = slices.Clone(m.labels) // snapshots handed out keep the old slice
	slices.Sort(m.labels)
	m.historyID = b.recordLocked(historyRecord{Message: m.ref(), LabelsAdded: added, LabelsRemoved: removed})
	stored := m.storedLabels()
	b.note(entry{Relabel: &stored})
}

// threadByHeadersLocked finds the thread that a delivered or imported message
// joins: by what it answers, or by what is there already and answers it.
func (b *mailbox) threadByHeadersLocked(c *mailContent) string {
	ids := c.references
	if c.messageID != "" {
		ids = append(ids[:len(ids):len(ids)], c.messageID)
	}
	for _, id := range ids {
		if t := b.threads[b.byReference[id]]; t != nil && len(t.messages) < maxThread {
			return t.id
		}
	}
	return ""
}

// threadForSenderLocked applies Gmail's three conditions for joining a thread by
// its id: it exists, the message answers one of its messages, the subject matches.
// When the last two fail the message begins a thread of its own, without an error.
func (b *mailbox) threadForSenderLocked(threadID string, c *mailContent) (string, error) {
	if threadID == "" {
		return "", nil
	}
	if !validID(threadID) {
		return "", badRequest("Invalid thread_id value")
	}
	t := b.threads[threadID]
	if t == nil {
		return "", notFound()
	}
	if len(t.messages) >= maxThread {
		return "", nil
	}
	answers := slices.ContainsFunc(t.messages, func(m *message) bool {
		return m.content.messageID != "" && slices.Contains(c.references, m.content.messageID)
	})
	sameSubject := slices.ContainsFunc(t.messages, func(m *message) bool { return m.content.subject == c.subject })
	if answers && sameSubject {
		return t.id, nil
	}
	return "", nil
}

// isMine reports whether an address is the user's: the account, with or without
// a +tag, or a verified alias.
func (b *mailbox) isMineLocked(address string) bool {
	return canonicalAddress(address) == b.email || b.settings.verifiedAlias(address)
}

// canonicalAddress is the address that mail to it is delivered to: lower case, without +tag.
func canonicalAddress(address string) string {
	address = strings.ToLower(strings.TrimSpace(address))
	local, domain, _ := strings.Cut(address, "@")
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}
