package inbox

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// Change is what happened in a mailbox, in ids alone.
type Change struct {
	HistoryID uint64
	Threads   []string // with something new or changed
	Labels    []string // whose lists or counts may have changed
	Arrived   int      // new messages in the inbox
	Resync    bool     // history was too old: everything is to be read anew
}

func (c Change) empty() bool { return len(c.Threads) == 0 && !c.Resync }

// historyPage is how many records one question may bring.
const (
	historyPage  = 500
	historyPages = 20 // in one go
)

// catchUp makes what is held of the mailbox right again, by asking Gmail what changed (2 units). It asks
// nothing when nothing is held, or when live updates or a moment ago already did.
func (s *Service) catchUp(ctx context.Context, v Visit, b *box) error {
	history, checked := b.position()
	if history == 0 || s.now().Sub(checked) < historyFresh || b.live.watched(s.now()) {
		return nil
	}
	v = v.For("inbox.sync", "live_updates")
	target, err := gmail.ListHistory(history, "", historyPage).Target()
	if err != nil {
		return err
	}
	grant, err := s.authorize(ctx, v, target)
	if err != nil {
		return err
	}
	change, err := s.advance(ctx, b, grant, historyFresh)
	grant.Finish(err, len(change.Threads), 0)
	return err
}

// advance reads the history from where the box stands and applies it. One box advances once at a time, and not at
// all when another visitor did so within fresh.
func (s *Service) advance(ctx context.Context, b *box, grant *policy.Grant, fresh time.Duration) (Change, error) {
	b.live.advancing.Lock()
	defer b.live.advancing.Unlock()
	start, checked := b.position()
	if start == 0 || s.now().Sub(checked) < fresh {
		return Change{}, nil
	}
	var records []*gmail.History
	for page := ""; ; {
		if len(records) == historyPages { // so much happened that reading everything anew is cheaper
			b.reset()
			return Change{Resync: true}, nil
		}
		h, err := gmail.Do(ctx, s.gmail, grant, gmail.ListHistory(start, page, historyPage))
		if gmail.IsNotFound(err) {
			b.reset()
			return Change{Resync: true}, nil
		}
		if err != nil {
			return Change{}, translate(err)
		}
		records = append(records, h)
		if page = h.NextPageToken; page == "" { // a page may be empty and not be the last (GMAIL.md 3.1)
			break
		}
	}
	change := b.apply(records)
	b.mu.Lock()
	b.history, b.checked = max(records[len(records)-1].HistoryId, start), s.now()
	change.HistoryID = b.history
	b.mu.Unlock()
	return change, nil
}

// apply brings history records into what is held.
func (b *box) apply(pages []*gmail.History) Change {
	var c Change
	labelled := map[string][]string{}
	touch := func(m *gmail.Message, labels ...string) {
		c.Threads = append(c.Threads, m.ThreadId)
		c.Labels = append(c.Labels, labels...)
	}
	var gone, added []string
	for _, page := range pages {
		for _, record := range page.History {
			for _, r := range record.MessagesAdded {
				if r.Message == nil {
					continue
				}
				touch(r.Message, r.Message.LabelIds...)
				added = append(added, r.Message.ThreadId)
				if slices.Contains(r.Message.LabelIds, "INBOX") && slices.Contains(r.Message.LabelIds, "UNREAD") {
					c.Arrived++
				}
			}
			for _, r := range record.MessagesDeleted {
				if r.Message == nil {
					continue
				}
				touch(r.Message, r.Message.LabelIds...)
				gone = append(gone, r.Message.Id)
				added = append(added, r.Message.ThreadId)
			}
			for _, r := range record.LabelsAdded {
				if r.Message == nil {
					continue
				}
				touch(r.Message, r.LabelIds...)
				labelled[r.Message.Id] = r.Message.LabelIds
			}
			for _, r := range record.LabelsRemoved {
				if r.Message == nil {
					continue
				}
				touch(r.Message, r.LabelIds...)
				labelled[r.Message.Id] = r.Message.LabelIds
			}
		}
	}
	if c.empty() {
		return c
	}
	b.forgetMessages(gone...)
	b.forgetThread(added...)
	for id, now := range labelled {
		b.relabel(func(m *gmail.Message) bool { return m.Id == id }, func([]string) []string { return now })
	}
	c.Threads, c.Labels = unique(c.Threads), unique(c.Labels)
	return c
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// permanent says whether an error will not go away by asking again: the stream of live updates ends.
func permanent(err error) bool {
	var refused *policy.Refused
	return errors.As(err, &refused) || errors.Is(err, ErrForbidden)
}

// outdated says whether a grant stopped covering anything: it expired, or the account changed.
func outdated(err error) bool {
	var not *policy.NotCovered
	return errors.As(err, &not)
}
