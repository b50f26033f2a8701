package emulator

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// entry is one change as the journal keeps it; one of its fields is set. Applied in
// order to an empty mailbox, the entries make it what it was.
type entry struct {
	Name      *string        `json:"name,omitempty"` // the mailbox is opened for a person of this name
	Settings  *settings      `json:"settings,omitempty"`
	Label     *storedLabel   `json:"label,omitempty"`
	LabelGone string         `json:"labelGone,omitempty"`
	Message   *storedMessage `json:"message,omitempty"`
	Relabel   *storedLabels  `json:"relabel,omitempty"`
	Gone      string         `json:"gone,omitempty"`    // id of a message that is deleted
	History   *storedHistory `json:"history,omitempty"` // where the history begins
	Record    *historyRecord `json:"record,omitempty"`
}

type storedLabel struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	MessageList string         `json:"messageList"`
	LabelList   string         `json:"labelList"`
	Color       *colorResource `json:"color,omitempty"`
}

type storedMessage struct {
	storedLabels
	Seq     uint64 `json:"seq"`
	Thread  string `json:"thread"`
	Date    int64  `json:"date"` // ms since 1970
	DraftID string `json:"draftId,omitempty"`
	Raw     []byte `json:"raw"`
}

type storedLabels struct {
	ID        string   `json:"id"`
	Labels    []string `json:"labels"`
	HistoryID uint64   `json:"historyId"`
}

type storedHistory struct {
	Floor uint64 `json:"floor"`
	Head  uint64 `json:"head"`
}

func (m *message) storedLabels() storedLabels { return storedLabels{m.id, m.labels, m.historyID} }

func (m *message) stored() *storedMessage {
	return &storedMessage{m.storedLabels(), m.seq, m.thread.id, m.date, m.draftID, m.content.raw}
}

// stateLocked is the mailbox as entries, the shortest that make it.
func (b *mailbox) stateLocked(keep func(entry) error) error {
	list := []entry{{Name: &b.name}, {Settings: &b.settings}, {History: &storedHistory{b.history.floor, b.history.head}}}
	for _, l := range b.labels.list {
		if l.kind == "user" {
			list = append(list, entry{Label: &storedLabel{l.id, l.name, l.messageList, l.labelList, l.color}})
		}
	}
	for i := range b.history.records {
		list = append(list, entry{Record: &b.history.records[i]})
	}
	for _, e := range list {
		if err := keep(e); err != nil {
			return err
		}
	}
	for _, seq := range slices.Sorted(maps.Keys(b.bySeq)) { // the order in which they came, which the index needs
		if err := keep(entry{Message: b.bySeq[seq].stored()}); err != nil {
			return err
		}
	}
	return nil
}

// applyLocked does what an entry says; false when it fits no mailbox.
func (b *mailbox) applyLocked(e entry) bool {
	switch {
	case e.Settings != nil:
		b.settings = *e.Settings
	case e.Label != nil:
		b.labels.restore(*e.Label)
	case e.LabelGone != "":
		if l := b.labels.byID[e.LabelGone]; l != nil {
			b.labels.remove(l)
		}
	case e.Message != nil:
		return b.restoreLocked(*e.Message)
	case e.Relabel != nil:
		m := b.messages[e.Relabel.ID]
		if m == nil {
			return false
		}
		m.labels, m.historyID = b.labels.shared(e.Relabel.Labels), e.Relabel.HistoryID
	case e.Gone != "":
		m := b.messages[e.Gone]
		if m == nil {
			return false
		}
		b.dropLocked(m)
	case e.History != nil:
		b.history.floor, b.history.head = e.History.Floor, e.History.Head
		b.noticed = b.history.head
	case e.Record != nil:
		e.Record.Message.Labels = b.labels.shared(e.Record.Message.Labels)
		b.history.records = append(b.history.records, *e.Record)
		b.history.head, b.noticed = e.Record.ID, e.Record.ID
	}
	return true
}

func (b *mailbox) restoreLocked(s storedMessage) bool {
	content, err := newMail(bytes.Clone(s.Raw)) // encoding/json leaves room behind it
	id, bad := strconv.ParseUint(s.ID, 16, 64)
	if err != nil || bad != nil || s.Seq <= b.seq || s.Seq > b.seq+seqRange {
		return false
	}
	if s.Thread == s.ID {
		s.Thread = s.ID // one string
	}
	b.ids.after(id)
	b.placeLocked(&message{
		id: s.ID, seq: s.Seq, date: s.Date, labels: b.labels.shared(s.Labels), historyID: s.HistoryID, draftID: s.DraftID, content: content,
	}, s.Thread)
	return true
}

// shared replaces ids by the strings that the set holds, of which there is one each.
func (s *labelSet) shared(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		if out[i] = id; s.byID[id] != nil {
			out[i] = s.byID[id].id
		}
	}
	return out
}

// restore puts a user label in, or in the place of the one with the same id.
func (s *labelSet) restore(r storedLabel) {
	l := s.byID[r.ID]
	if l == nil {
		l = &label{id: r.ID, kind: "user"}
		s.put(l)
	}
	l.name, l.messageList, l.labelList, l.color = r.Name, r.MessageList, r.LabelList, r.Color
	if n, err := strconv.Atoi(strings.TrimPrefix(r.ID, "Label_")); err == nil {
		s.last = max(s.last, n)
	}
}
