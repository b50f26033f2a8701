package gmail

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Urgency orders the requests of one account where they compete for its quota.
type Urgency int

// The urgencies, most urgent first.
const (
	Page       Urgency = iota // a person waits at the page
	Background                // nobody waits for it: sending, following the history
	Ahead                     // what a person may want next; it never waits, and goes only while units are plentiful
)

type urgencyKey struct{}

// WithUrgency says how urgent the calls made with the context are. Without it they are of urgency Page.
func WithUrgency(ctx context.Context, u Urgency) context.Context {
	return context.WithValue(ctx, urgencyKey{}, u)
}

func urgencyOf(ctx context.Context) Urgency {
	u, _ := ctx.Value(urgencyKey{}).(Urgency)
	return u
}

const (
	// DefaultUnitsPerMinute is the quota for one user of projects made since May 2026 (GMAIL.md 2.1).
	DefaultUnitsPerMinute = 6000

	concurrent = 6 // requests at a time and account

	// Parts in one batch. Inner calls run at once at Gmail's side, and too many of them earn "Too many
	// concurrent requests for user"; how many that are is not published (GMAIL.md 1.5).
	mostParts  = 25
	leastParts = 4
	moreParts  = 2 // by which a batch grows again after one that went well

	batchesAtOnce = 2 // as many batches' parts may be under way: a page's rows travel in two

	// afterwards is waited beyond the time that Gmail names, for clocks differ and coming early makes it longer.
	afterwards = 100 * time.Millisecond
)

// allowance is what one account may use of Gmail: units, requests at a time, parts in a batch, and nothing at
// all until the time that Gmail named. Whoever wants some takes its place in the queue of its urgency.
type allowance struct {
	rate  float64 // units a second; 0 = without limit
	burst float64 // units at once

	mu        sync.Mutex // guards everything below
	level     float64    // units left at the time filled
	filled    time.Time
	requests  int // under way
	parts     int // inner calls under way
	size      int // parts that the next batch may have
	notBefore time.Time
	waiting   [Ahead][]*waiter // Page and Background, first come, first served
	alarm     *time.Timer
}

// need is what one request takes.
type need struct {
	units   int
	parts   int // inner calls: 1 for a request that is no batch
	urgency Urgency
}

type waiter struct {
	need
	ready chan struct{} // closed when it may go, or err says why not
	err   error
}

// newAllowance makes a bucket of which half may be spent at once and which refills with the other half, so
// that no minute ever holds more than the quota. It has no limit of units when unitsPerMinute is negative.
func newAllowance(unitsPerMinute int) *allowance {
	a := &allowance{size: mostParts, filled: time.Now()}
	if unitsPerMinute >= 0 {
		half := unitsPerMinute / 2
		a.rate, a.burst = float64(unitsPerMinute-half)/60, float64(half)
		a.level = a.burst
	}
	return a
}

// enter waits for its turn. It fails with *Error of kind RateLimited when Gmail asked to stay away for longer
// than a person waits, and at once for what must not wait.
func (a *allowance) enter(ctx context.Context, n need) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a.mu.Lock()
	if n.urgency >= Ahead {
		defer a.mu.Unlock()
		if !a.plentiful(n) {
			return &Error{Kind: RateLimited, Reason: "rateLimitExceeded", RetryAt: time.Now().Add(time.Second)}
		}
		a.take(n)
		return nil
	}
	w := &waiter{need: n, ready: make(chan struct{})}
	a.waiting[n.urgency] = append(a.waiting[n.urgency], w)
	a.serve()
	a.mu.Unlock()
	select {
	case <-w.ready:
		return w.err
	case <-ctx.Done():
		a.abandon(w)
		return ctx.Err()
	}
}

// leave gives back what is not used up: the place, not the units.
func (a *allowance) leave(n need) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests--
	a.parts -= n.parts
	a.serve()
}

func (a *allowance) abandon(w *waiter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-w.ready:
		if w.err == nil { // served in the same moment
			a.requests--
			a.parts -= w.parts
		}
	default:
		queue := &a.waiting[w.urgency]
		*queue = slices.DeleteFunc(*queue, func(other *waiter) bool { return other == w })
	}
	a.serve()
}

// serve lets go who may. Nobody overtakes within an urgency, and none goes while a more urgent one waits. The
// caller holds mu.
func (a *allowance) serve() {
	now := time.Now()
	for u := range a.waiting {
		for len(a.waiting[u]) > 0 {
			w := a.waiting[u][0]
			if a.notBefore.Sub(now) > maxWait {
				w.err = &Error{Kind: RateLimited, Reason: "rateLimitExceeded", RetryAt: a.notBefore}
			} else if wait, ok := a.admits(w.need, now); !ok {
				a.wakeIn(wait)
				return
			} else {
				a.take(w.need)
			}
			a.waiting[u] = a.waiting[u][1:]
			close(w.ready)
		}
	}
}

// admits says whether a request may go now, and if not, for how long it is of no use to look again: 0 when
// that depends on another one's end.
func (a *allowance) admits(n need, now time.Time) (wait time.Duration, ok bool) {
	a.refill(now)
	if a.notBefore.After(now) {
		return a.notBefore.Add(afterwards).Sub(now), false
	}
	if a.requests >= concurrent || a.parts > 0 && a.parts+n.parts > batchesAtOnce*a.size {
		return 0, false
	}
	if a.rate == 0 {
		return 0, true
	}
	level := min(float64(n.units), a.burst)
	if n.urgency == Background { // leaves a quarter to the person who may come
		level = min(level+a.burst/4, a.burst)
	}
	if missing := level - a.level; missing > 1e-6 {
		return time.Duration(missing/a.rate*float64(time.Second)) + time.Millisecond, false
	}
	return 0, true
}

func (a *allowance) roomFor(n need) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.plentiful(n)
}

// plentiful says whether so much is left that a request which nobody asked for harms nobody. The
// caller holds mu.
func (a *allowance) plentiful(n need) bool {
	now := time.Now()
	a.refill(now)
	idle := len(a.waiting[Page])+len(a.waiting[Background]) == 0 && a.requests < concurrent/2 && !a.notBefore.After(now)
	return idle && (a.rate == 0 || a.level-float64(n.units) >= a.burst/2)
}

func (a *allowance) refill(now time.Time) {
	if passed := now.Sub(a.filled); passed > 0 {
		a.level = min(a.level+a.rate*passed.Seconds(), a.burst)
		a.filled = now
	}
}

func (a *allowance) take(n need) {
	a.requests++
	a.parts += n.parts
	a.level -= min(float64(n.units), a.burst) // a request above the burst takes all there can be
}

func (a *allowance) wakeIn(wait time.Duration) {
	if a.alarm != nil {
		a.alarm.Stop()
		a.alarm = nil
	}
	if wait > 0 {
		a.alarm = time.AfterFunc(wait, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.serve()
		})
	}
}

// heed takes to heart what Gmail said in refusing a request of this account.
func (a *allowance) heed(e *Error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e.RetryAt.After(a.notBefore) {
		a.notBefore = e.RetryAt
		a.serve()
	}
}

// batchSize is how many parts a batch may have now.
func (a *allowance) batchSize() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.size
}

// learn changes the size of batches after one that was cut at the given size. Of several batches that were under
// way together, one shrinks it.
func (a *allowance) learn(cut int, crowded bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case crowded && cut >= a.size && cut < 2*a.size:
		a.size = max(a.size/2, leastParts)
	case !crowded && cut == a.size:
		a.size = min(a.size+moreParts, mostParts)
	}
	a.serve()
}
