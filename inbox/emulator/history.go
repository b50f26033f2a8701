package emulator

import (
	"math/rand/v2"
	"sort"
	"time"
)

// history is the log of a mailbox's changes: ids rise with random gaps, records
// older than the retention are forgotten, and a client that asks for those must
// resync. Owned by the mailbox's lock.
type history struct {
	retention time.Duration
	records   []historyRecord // oldest first
	head      uint64          // id of the newest change
	floor     uint64          // changes up to this id may have been forgotten
}

// historyRecord is one change of one message.
type historyRecord struct {
	ID            uint64     `json:"id"`
	At            time.Time  `json:"at"`
	Message       messageRef `json:"message"`
	Added         bool       `json:"added,omitempty"`
	Deleted       bool       `json:"deleted,omitempty"`
	LabelsAdded   []string   `json:"labelsAdded,omitempty"`
	LabelsRemoved []string   `json:"labelsRemoved,omitempty"`
}

// messageRef is a message as history shows it: its labels at the time.
type messageRef struct {
	ID       string   `json:"id"`
	ThreadID string   `json:"threadId"`
	Labels   []string `json:"labels"`
}

func (m *message) ref() messageRef { return messageRef{m.id, m.thread.id, m.labels} }

// defaultRetention is the week that Google promises.
const defaultRetention = 7 * 24 * time.Hour

func newHistory(retention time.Duration) history {
	if retention <= 0 {
		retention = defaultRetention
	}
	start := 10_000 + rand.Uint64N(90_000)
	return history{retention: retention, head: start, floor: start}
}

func (h *history) add(now time.Time, r historyRecord) uint64 {
	h.head += 1 + rand.Uint64N(40)
	r.ID, r.At = h.head, now
	h.records = append(h.records, r)
	h.prune(now)
	return r.ID
}

func (h *history) prune(now time.Time) {
	n := sort.Search(len(h.records), func(i int) bool { return now.Sub(h.records[i].At) <= h.retention })
	if n > 0 {
		h.floor = h.records[n-1].ID
		h.records = append([]historyRecord(nil), h.records[n:]...)
	}
}

// since returns the records after an id; false when that id is too old or not yet given.
func (h *history) since(now time.Time, id uint64) ([]historyRecord, bool) {
	floor := h.floor
	first := sort.Search(len(h.records), func(i int) bool { return now.Sub(h.records[i].At) <= h.retention })
	if first > 0 {
		floor = h.records[first-1].ID
	}
	if id < floor || id > h.head {
		return nil, false
	}
	n := sort.Search(len(h.records), func(i int) bool { return h.records[i].ID > id })
	return h.records[n:], true
}
