package emulator

import (
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// mailbox is one user's mail. Methods whose names end in Locked, and those of
// history and labels, are called with mu held: for reading when they only read.
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
	index       searchIndex
	labels      labelSet
	history     history
	settings    settings
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

func newMailbox(email, name string, ids *idSource, now func() time.Time, retention time.Duration) *mailbox {
	return &mailbox{
		email: email, name: name, ids: ids, now: now,
		messages: map[string]*message{}, threads: map[string]*thread{},
		byReference: map[string]string{}, drafts: map[string]*message{}, index: searchIndex{},
		labels: newLabelSet(), history: newHistory(retention), settings: newSettings(email),
	}
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
	if m.thread = b.threads[n.threadID]; m.thread == nil {
		m.thread = &thread{id: m.id}
		b.threads[m.id] = m.thread
	}
	at := sort.Search(len(m.thread.messages), func(i int) bool { return m.thread.messages[i].date > m.date })
	m.thread.messages = slices.Insert(m.thread.messages, at, m)
	b.messages[m.id] = m
	at = b.position(cursor{m.date, m.seq})
	b.byDate = slices.Insert(b.byDate, at, m)
	b.referLocked(m)
	b.index.add(m.seq, m.content.terms)
	m.content.terms = nil
	if m.draftID != "" {
		b.drafts[m.draftID] = m
	}
	m.historyID = b.history.add(b.now(), historyRecord{message: m.ref(), added: true})
	return m
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

// position is where a cursor stands in byDate: the first message not newer than it.
func (b *mailbox) position(c cursor) int {
	return sort.Search(len(b.byDate), func(i int) bool {
		m := b.byDate[i]
		return m.date < c.date || m.date == c.date && m.seq%seqRange <= c.seq%seqRange
	})
}

// removeLocked deletes a message for good.
func (b *mailbox) removeLocked(m *message) {
	delete(b.messages, m.id)
	if at := b.position(cursor{m.date, m.seq}); at < len(b.byDate) && b.byDate[at] == m {
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
	b.history.add(b.now(), historyRecord{message: m.ref(), deleted: true})
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
	m.historyID = b.history.add(b.now(), historyRecord{message: m.ref(), labelsAdded: added, labelsRemoved: removed})
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
