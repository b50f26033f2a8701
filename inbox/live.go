package inbox

import (
	"context"
	"sync"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// liveHub keeps one mailbox's live updates: one poller, however many pages are open.
type liveHub struct {
	advancing sync.Mutex // held while history is read, so that positions never run back

	mu          sync.Mutex // guards everything below
	subscribers map[chan Change]bool
	stop        context.CancelFunc // of the poller; nil when none runs
	nudge       chan struct{}      // wakes the poller; never closed
	polled      time.Time          // last success
	every       time.Duration
}

// watched says whether a poller keeps the mailbox right at the moment.
func (h *liveHub) watched(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stop != nil && now.Sub(h.polled) < 2*h.every
}

// Watch is one page's view of a mailbox's changes. Close it.
type Watch struct {
	Changes <-chan Change // closed when the owner may no longer watch
	close   func()
}

// Close ends the watch.
func (w *Watch) Close() { w.close() }

// Watch follows the changes of a mailbox. All pages of a mailbox share one poller, which asks under a grant
// of at most five minutes at a time, checked at every use (DESIGN 4.1): not a decision for every poll. The
// watch itself is decided here, for this visitor, before anything is shared.
func (s *Service) Watch(ctx context.Context, v Visit) (*Watch, error) {
	b := s.boxes.of(v.Account)
	grant, err := s.watchGrant(ctx, v, b)
	if err != nil {
		return nil, err
	}
	if err := s.instructWatch(ctx, v); err != nil {
		grant.Finish(err, 0, 0)
		return nil, err
	}
	changes := s.subscribe(b, v, grant)
	return &Watch{Changes: changes, close: func() { s.unsubscribe(b, changes) }}, nil
}

// watchGrant asks for the right to follow the history for the next minutes.
func (s *Service) watchGrant(ctx context.Context, v Visit, b *box) (*policy.Grant, error) {
	if history, _ := b.position(); history == 0 {
		if err := s.locate(ctx, v, b); err != nil {
			return nil, err
		}
	}
	target, err := gmail.ListHistory(1, "", historyPage).Target()
	if err != nil {
		return nil, err
	}
	return s.authorize(ctx, v, target)
}

func (s *Service) subscribe(b *box, v Visit, grant *policy.Grant) chan Change {
	h := &b.live
	h.mu.Lock()
	defer h.mu.Unlock()
	changes := make(chan Change, 16)
	if h.subscribers == nil {
		h.subscribers = map[chan Change]bool{}
	}
	h.subscribers[changes] = true
	if h.stop != nil {
		grant.Finish(nil, 0, 0) // another page's poller serves this one too
		return changes
	}
	ctx, cancel := context.WithCancel(s.life)
	h.stop, h.every, h.polled = cancel, s.poll, s.now()
	s.pollers.Go(func() { s.follow(gmail.WithUrgency(ctx, gmail.Background), b, v, grant) })
	return changes
}

func (s *Service) unsubscribe(b *box, changes chan Change) {
	h := &b.live
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subscribers, changes)
	if len(h.subscribers) == 0 && h.stop != nil {
		h.stop()
		h.stop = nil
	}
}

// slowly is how many times less often a mailbox is polled of whose changes Gmail tells.
const slowly = 8

// follow polls until the last page is closed or the owner may no longer see the mailbox.
func (s *Service) follow(ctx context.Context, b *box, v Visit, grant *policy.Grant) {
	seen, asked := 0, time.Time{}
	defer func() { grant.Finish(nil, seen, 0) }()
	defer b.live.end(ctx)
	ticker := time.NewTicker(s.poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.live.nudge:
		case now := <-ticker.C:
			if now.Sub(asked) < slowly*s.poll && s.quiet(ctx, v.Account) {
				continue // Gmail will tell
			}
			asked = now
		}
		if grant == nil {
			renewed, err := s.watchGrant(ctx, v, b)
			if permanent(err) {
				return
			}
			if err != nil {
				continue // the gate is closed or Google does not answer: keep the pages' streams
			}
			grant, seen = renewed, 0
		}
		change, err := s.advance(ctx, b, grant, 0)
		if err == nil {
			seen += len(change.Threads)
			b.live.tell(change, s.now())
		}
		if outdated(err) || grant.Expires().Sub(s.now()) <= s.poll+time.Second {
			grant.Finish(nil, seen, 0)
			grant = nil
		}
	}
}

// tell hands a change to every page. A page that does not keep up is told to read everything anew.
func (h *liveHub) tell(c Change, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.polled = now
	if c.empty() {
		return
	}
	for ch := range h.subscribers {
		select {
		case ch <- c:
		default:
			select {
			case <-ch:
			default:
			}
			ch <- Change{HistoryID: c.HistoryID, Resync: true}
		}
	}
}

// end closes the pages' channels when the poller stops by itself.
func (h *liveHub) end(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return // stopped because no page was left; the pages there are now have another poller
	}
	for ch := range h.subscribers {
		close(ch)
	}
	h.subscribers, h.stop = nil, nil
}
