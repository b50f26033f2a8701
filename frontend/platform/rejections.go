package platform

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/totalengage/webmail/policy"
)

// EventAssertionRefused is the lifecycle event of an assertion that was not accepted.
const EventAssertionRefused = "platform.assertion_refused"

// Anybody can send a bad assertion, and every event stays in the log. So there are at most recordedBurst events at once, and
// one every recordedEvery after that. What comes in between is counted, and the next event says how many there were.
const (
	recordedBurst = 20
	recordedEvery = 10 * time.Second
)

// rejections records assertions that were not accepted.
type rejections struct {
	gate  *policy.Gate
	now   func() time.Time
	limit *rate.Limiter

	mu         sync.Mutex
	unrecorded int // guarded by mu: since the last event
}

func newRejections(gate *policy.Gate, now func() time.Time) *rejections {
	return &rejections{gate: gate, now: now, limit: rate.NewLimiter(rate.Every(recordedEvery), recordedBurst)}
}

// record notes an error that is about an assertion. caller is "" unless its signature holds. A log that cannot be written
// is no reason to answer otherwise: the request is refused, and nothing of a mailbox was touched.
func (j *rejections) record(ctx context.Context, caller string, err error) {
	var refused *Unauthorized
	if !errors.As(err, &refused) {
		return
	}
	details := map[string]string{"reason": string(refused.Reason)}
	if caller != "" {
		details["caller"] = caller
	}
	j.mu.Lock()
	if !j.limit.AllowN(j.now(), 1) {
		j.unrecorded++
		j.mu.Unlock()
		return
	}
	if j.unrecorded > 0 {
		details["unrecorded"] = strconv.Itoa(j.unrecorded)
		j.unrecorded = 0
	}
	j.mu.Unlock()
	_ = j.gate.Record(ctx, policy.Lifecycle{Event: EventAssertionRefused, Details: details})
}
