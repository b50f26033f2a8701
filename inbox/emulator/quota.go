package emulator

import (
	"sync"
	"time"
)

// quota counts units per user and project and per project, each as a bucket that
// holds one minute's limit and fills steadily. Gmail's real window is unpublished.
type quota struct {
	table string // old, new or off
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket // owned by mu
}

type bucket struct {
	left    float64
	at      time.Time
	blocked time.Time // refused until then
}

const (
	userUnitsOld = 15_000
	userUnitsNew = 6_000
	projectUnits = 1_200_000
)

func newQuota(table string, now func() time.Time) *quota {
	if table != "old" && table != "off" {
		table = "new"
	}
	return &quota{table: table, now: now, buckets: map[string]*bucket{}}
}

// take charges a call, or says why not. Calls made while refused push the end of
// the refusal further away, as Gmail's do.
func (q *quota) take(project, user string, units int64) *apiError {
	if q.table == "off" {
		return nil
	}
	limit := userUnitsNew
	if q.table == "old" {
		limit = userUnitsOld
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	if until, ok := q.bucket(project+"\x00"+user, limit, now).take(now, units, limit); !ok {
		return userRateExceeded(until)
	}
	if _, ok := q.bucket(project, projectUnits, now).take(now, units, projectUnits); !ok {
		return projectRateExceeded()
	}
	return nil
}

func (q *quota) bucket(key string, limit int, now time.Time) *bucket {
	b := q.buckets[key]
	if b == nil {
		b = &bucket{left: float64(limit), at: now}
		q.buckets[key] = b
	}
	return b
}

func (b *bucket) take(now time.Time, units int64, limit int) (until time.Time, ok bool) {
	perSecond := float64(limit) / 60
	if d := now.Sub(b.at).Seconds(); d > 0 {
		b.left, b.at = min(float64(limit), b.left+d*perSecond), now
	}
	price := time.Duration(float64(units) / perSecond * float64(time.Second))
	if now.Before(b.blocked) {
		b.blocked = b.blocked.Add(price)
		return b.blocked, false
	}
	if b.left < float64(units) {
		missing := (float64(units) - b.left) / perSecond
		b.blocked = now.Add(time.Duration(missing*float64(time.Second)) + time.Millisecond)
		return b.blocked, false
	}
	b.left -= float64(units)
	return time.Time{}, true
}

// userRateExceeded is the refusal seen live in 2026: a 403 that says only in its
// text when to come back, with two blanks.
func userRateExceeded(until time.Time) *apiError {
	until = until.UTC().Truncate(time.Millisecond).Add(time.Millisecond)
	return &apiError{
		code: 403, status: "PERMISSION_DENIED",
		message: "User-rate limit exceeded.  Retry after " + until.Format("2006-01-02T15:04:05.000Z"),
		entry:   errorEntry{Message: "User-rate limit exceeded.", Domain: "usageLimits", Reason: "rateLimitExceeded"},
	}
}

func projectRateExceeded() *apiError {
	return &apiError{
		code: 429, status: "RESOURCE_EXHAUSTED",
		message: "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service 'gmail.googleapis.com' for consumer 'project_number:1'.",
		entry:   errorEntry{Domain: "usageLimits", Reason: "rateLimitExceeded"},
	}
}

func tooConcurrent() *apiError {
	return &apiError{
		code: 429, status: "RESOURCE_EXHAUSTED", message: "Too many concurrent requests for user",
		entry: errorEntry{Domain: "usageLimits", Reason: "rateLimitExceeded"},
	}
}

// inFlight counts the calls of each user that are being served.
type inFlight struct {
	mu    sync.Mutex
	calls map[string]int // by user; owned by mu
}

// enter counts n calls and returns how many there are now with them.
func (f *inFlight) enter(user string, n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[user] += n
	return f.calls[user]
}
