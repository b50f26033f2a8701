package gmail

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/totalengage/webmail/policy"
)

// Retries of GMAIL.md 2.4. A person is waiting: what would take longer than maxWait comes back as an
// error that names the time.
const (
	maxRetries = 3
	firstWait  = time.Second
	maxWait    = 8 * time.Second
)

// sender is the way out below the guard: quota, concurrency and retries, for each account by itself.
type sender struct {
	next  http.RoundTripper
	units int // a minute and account; negative for no limit

	mu       sync.Mutex
	accounts map[policy.AccountID]*allowance // guarded by mu
}

func newSender(next http.RoundTripper, unitsPerMinute int) *sender {
	if unitsPerMinute == 0 {
		unitsPerMinute = DefaultUnitsPerMinute
	}
	return &sender{next: next, units: unitsPerMinute, accounts: map[policy.AccountID]*allowance{}}
}

// forAccount is the way out of one account for requests that valid still permits when they leave: they may
// have waited for quota or for a repetition, and the account may have been disconnected meanwhile.
func (s *sender) forAccount(id policy.AccountID, valid func(context.Context) error) *accountSender {
	return &accountSender{next: s.next, allowance: s.of(id), valid: valid}
}

func (s *sender) of(id policy.AccountID) *allowance {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[id]
	if a == nil {
		a = newAllowance(s.units)
		s.accounts[id] = a
	}
	return a
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

// send sends a request that the guard has read and admitted, and repeats what may be repeated.
func (s *accountSender) send(req *http.Request, n need, idempotent bool) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		res, err := s.once(req, n)
		fault := failure(req, res, err)
		if fault != nil {
			s.allowance.heed(fault)
			if fault.Crowded {
				s.allowance.learn(s.allowance.batchSize(), true)
			}
		}
		if fault == nil || !idempotent || n.urgency >= Ahead || !fault.worthRepeating(attempt) {
			return res, asError(err)
		}
		wait := max(backoff(attempt), time.Until(fault.RetryAt)+afterwards)
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

// once waits for the account's allowance, and sends if that is still permitted.
func (s *accountSender) once(req *http.Request, n need) (*http.Response, error) {
	ctx := req.Context()
	if err := s.allowance.enter(ctx, n); err != nil {
		return nil, err
	}
	defer s.allowance.leave(n)
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

// worthRepeating says whether an idempotent request that failed like this may succeed when it is sent again
// (GMAIL.md 2.4).
func (e *Error) worthRepeating(attempt int) bool {
	switch {
	case attempt >= maxRetries:
		return false
	case e.Transient:
		return attempt == 0
	case e.Kind == Upstream:
		return slices.Contains([]int{0, 200, 500, 502, 503, 504}, e.Status) // 200: a batch without this part's answer
	}
	return e.Kind == RateLimited
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
