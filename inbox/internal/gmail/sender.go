package gmail

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/totalengage/webmail/policy"
)

// Retries of GMAIL.md 2.4. A person is waiting: what would take longer than maxWait comes back as an
// error that names the time.
const (
	maxRetries = 3
	firstWait  = time.Second
	maxWait    = 8 * time.Second
)

const (
	// DefaultUnitsPerMinute is the quota for one user of projects made since May 2026 (GMAIL.md 2.1).
	DefaultUnitsPerMinute = 6000

	concurrent = 6 // requests at a time and account
)

// sender is the way out below the guard: quota, concurrency and retries, for each account by itself.
type sender struct {
	next  http.RoundTripper
	units int // a minute and account; negative for no limit

	mu       sync.Mutex
	accounts map[policy.AccountID]*allowance // guarded by mu
}

// allowance is what one account may use.
type allowance struct {
	units *rate.Limiter
	slots chan struct{}
}

func newSender(next http.RoundTripper, unitsPerMinute int) *sender {
	if unitsPerMinute == 0 {
		unitsPerMinute = DefaultUnitsPerMinute
	}
	return &sender{next: next, units: unitsPerMinute, accounts: map[policy.AccountID]*allowance{}}
}

// newAllowance makes a bucket of which half may be spent at once and which refills with the other half, so
// that no minute ever holds more than the quota.
func newAllowance(unitsPerMinute int) *allowance {
	half := unitsPerMinute / 2
	a := &allowance{units: rate.NewLimiter(rate.Limit(float64(unitsPerMinute-half)/60), half), slots: make(chan struct{}, concurrent)}
	if unitsPerMinute < 0 {
		a.units = rate.NewLimiter(rate.Inf, 0)
	}
	return a
}

// forAccount is the way out of one account for requests that valid still permits when they leave: they may
// have waited for quota or for a repetition, and the account may have been disconnected meanwhile.
func (s *sender) forAccount(id policy.AccountID, valid func(context.Context) error) http.RoundTripper {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[id]
	if a == nil {
		a = newAllowance(s.units)
		s.accounts[id] = a
	}
	return &accountSender{next: s.next, allowance: a, valid: valid}
}

// wait takes units from the bucket, or as many as it can ever hold.
func (a *allowance) wait(ctx context.Context, units int) error {
	if a.units.Limit() == rate.Inf {
		return ctx.Err()
	}
	return a.units.WaitN(ctx, min(units, a.units.Burst()))
}

func (s *sender) forget(id policy.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, id)
}

type accountSender struct {
	next      http.RoundTripper
	allowance *allowance
	valid     func(context.Context) error
}

func (s *accountSender) RoundTrip(req *http.Request) (*http.Response, error) {
	units, idempotent, err := costOf(req)
	if err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		res, err := s.once(req, units)
		fault := failure(req, res, err)
		if fault == nil || !idempotent || attempt >= maxRetries || !fault.worthRepeating() {
			return res, asError(err)
		}
		wait := max(backoff(attempt), time.Until(fault.RetryAt))
		if wait > maxWait {
			return res, asError(err)
		}
		if res != nil {
			drain(res)
		}
		if err := sleep(req.Context(), wait); err != nil {
			return nil, err
		}
		if req.GetBody != nil {
			req.Body, _ = req.GetBody() // over bytes in memory
		}
	}
}

// once waits for quota and a slot, and sends if that is still permitted.
func (s *accountSender) once(req *http.Request, units int) (*http.Response, error) {
	ctx := req.Context()
	if err := s.allowance.wait(ctx, units); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &Error{Kind: RateLimited, RetryAt: time.Now().Add(time.Minute)}
	}
	select {
	case s.allowance.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.allowance.slots }()
	if err := s.valid(ctx); err != nil {
		return nil, ours{err}
	}
	res, err := s.next.RoundTrip(req)
	if err == nil {
		res.Body = &bounded{body: res.Body, left: maxAnswer}
	}
	return res, err
}

// failure looks at an answer and says what is wrong with it, leaving it readable.
func failure(req *http.Request, res *http.Response, err error) *Error {
	if err != nil {
		var own ours
		if req.Context().Err() != nil || errors.As(err, &own) {
			return nil
		}
		var e *Error
		if errors.As(err, &e) {
			return e
		}
		return &Error{Kind: Upstream, Err: err}
	}
	if res.StatusCode < 400 {
		return nil
	}
	return peekError(res)
}

// asError makes a failed round trip an *Error, without the address and URL that net/http puts into its text.
func asError(err error) error {
	var e *Error
	var own ours
	if err == nil || errors.As(err, &e) || errors.As(err, &own) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &Error{Kind: Upstream, Err: err}
}

func (e *Error) worthRepeating() bool {
	return e.Kind == RateLimited || e.Kind == Upstream
}

// backoff is min(2^n s + at most 1 s, maxWait), as Google asks.
func backoff(attempt int) time.Duration {
	return min(firstWait<<attempt+rand.N(time.Second), maxWait)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// maxAnswer bounds what one answer may bring into memory: the largest message Gmail takes, as base64 in JSON,
// and some more. What a stranger mails must not exhaust the server.
const maxAnswer = 96 << 20

// bounded is a body that fails when it is larger than it may be, rather than ending early.
type bounded struct {
	body io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &Error{Kind: TooLarge}
	}
	n, err := b.body.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (b *bounded) Close() error { return b.body.Close() }
