package emulator

import (
	"slices"
	"time"
)

const (
	watchLife = 7 * 24 * time.Hour
	pushEvery = time.Second // Gmail's limit for one mailbox: what comes faster is dropped
)

// watch is a project's wish to hear of a mailbox's changes.
type watch struct {
	Topic   string   `json:"topic"`
	Labels  []string `json:"labels,omitempty"`
	Exclude bool     `json:"exclude,omitempty"`
	Expires int64    `json:"expires"` // ms since 1970
}

// wants reports whether a change is one that the watch asks for.
func (w watch) wants(r historyRecord) bool {
	if len(w.Labels) == 0 {
		return true
	}
	touched := slices.Concat(r.Message.Labels, r.LabelsAdded, r.LabelsRemoved)
	return w.Exclude != slices.ContainsFunc(touched, func(id string) bool { return slices.Contains(w.Labels, id) })
}

// notice is one notification to be sent.
type notice struct {
	email, topic string
	historyID    uint64
}

// noticesLocked are the notifications due for the changes since it was last asked.
func (b *mailbox) noticesLocked() []notice {
	records, now := b.history.records, b.now()
	first := len(records)
	for first > 0 && records[first-1].ID > b.noticed {
		first--
	}
	b.noticed = b.history.head
	var out []notice
	for project, w := range b.settings.Watches {
		due := w.Expires > now.UnixMilli() && now.Sub(b.pushed[project]) >= pushEvery
		if due && slices.ContainsFunc(records[first:], w.wants) {
			b.pushed[project] = now
			out = append(out, notice{b.email, w.Topic, b.history.head})
		}
	}
	return out
}
