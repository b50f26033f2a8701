package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// flights are the reads that are under way at Gmail, so that equal ones travel once: two pages of one mailbox, or
// a person who opens what was about to be fetched ahead. Every visitor has a decision and a grant of its own, and
// the grant is checked for the one who joins as the guard checks it for the one who asks.
type flights struct {
	mu    sync.Mutex
	under map[string]*flight // guarded by mu, as is waiting of each
}

type flight struct {
	done    chan struct{} // closed when value and err are there
	value   any
	err     error
	waiting int
	cancel  context.CancelFunc
	ahead   bool // asked for by nobody: its failure is nobody else's
}

// together makes a read, or joins the equal one under way. The read ends when nobody waits for it any more.
func together[T any](ctx context.Context, s *Service, grant *policy.Grant, target policy.Target, ahead bool, call gmail.Call[T]) (T, error) {
	key := fmt.Sprintf("%s %+v", grant.Account(), target)
	f, first := s.flights.join(ctx, key, ahead, func(ctx context.Context) (any, error) { return gmail.Do(ctx, s.gmail, grant, call) })
	var none T
	if !first {
		if err := s.gate.Use(ctx, grant, target); err != nil {
			s.flights.leave(key, f)
			return none, err
		}
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		s.flights.leave(key, f)
		return none, ctx.Err()
	}
	if f.err == nil {
		return f.value.(T), nil
	}
	var answered *gmail.Error
	if first || errors.As(f.err, &answered) && !f.ahead {
		return none, f.err
	}
	return gmail.Do(ctx, s.gmail, grant, call) // it failed for a reason of the first one's own, such as its grant
}

func (fs *flights) join(ctx context.Context, key string, ahead bool, read func(context.Context) (any, error)) (f *flight, first bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f := fs.under[key]; f != nil {
		f.waiting++
		return f, false
	}
	shared, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f = &flight{done: make(chan struct{}), waiting: 1, cancel: cancel, ahead: ahead}
	if fs.under == nil {
		fs.under = map[string]*flight{}
	}
	fs.under[key] = f
	go func() {
		defer cancel()
		f.value, f.err = read(shared)
		fs.mu.Lock()
		defer fs.mu.Unlock()
		fs.forget(key, f)
		close(f.done)
	}()
	return f, true
}

// leave is for a visitor who waits no longer; the last one ends the read.
func (fs *flights) leave(key string, f *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		fs.forget(key, f)
	}
}

// forget lets the next visitor begin a flight of its own. The caller holds mu.
func (fs *flights) forget(key string, f *flight) {
	if fs.under[key] == f {
		delete(fs.under, key)
	}
}
