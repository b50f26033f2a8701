package platform

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// Prefix is where everything of this package is.
const Prefix = "/platform/v1"

// recipient is what the register of recipients calls the company's other services.
const recipient = "platform_service"

// maxBody bounds a request, in bytes.
const maxBody = 256 << 10

// Config is what a Platform is made of.
type Config struct {
	Callers     *Callers // nil registers nobody
	Gate        *policy.Gate
	Inbox       *inbox.Service
	Permissions *consent.Permissions
	Database    *database.DB
	PublicURL   string           // origin, without a path
	Now         func() time.Time // nil is time.Now
}

// Platform answers other services of the company. It is safe for concurrent use.
type Platform struct {
	Config
	verify     verifier
	once       *once
	limits     map[string]*rate.Limiter // by caller; never changes
	rejections *rejections
}

// New makes a platform and brings its table up to date.
func New(ctx context.Context, c Config) (*Platform, error) {
	if c.Callers == nil {
		c.Callers = &Callers{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	used, err := openOnce(ctx, c.Database, c.Now)
	if err != nil {
		return nil, err
	}
	p := &Platform{
		Config: c, verify: verifier{c.Callers, c.PublicURL + Prefix, c.Now}, once: used,
		limits: map[string]*rate.Limiter{}, rejections: newRejections(c.Gate, c.Now),
	}
	for _, caller := range c.Callers.list {
		p.limits[caller.ID] = rate.NewLimiter(rate.Limit(float64(caller.PerMinute)/60), max(1, caller.PerMinute/10))
	}
	return p, nil
}

// Sweep deletes what has expired. Run it every minute or so.
func (p *Platform) Sweep(ctx context.Context) error { return p.once.sweep(ctx) }

// Route is one address. Serve answers the request, or returns the error to answer with: [*Unauthorized],
// [*TooMany], [ErrNoSuchRoute], or one of the gate's or the inbox's.
type Route struct {
	Method, Path string
	Serve        func(http.ResponseWriter, *http.Request) error
}

// Routes lists the addresses.
func (p *Platform) Routes() []Route {
	list := make([]Route, len(uses))
	for i, u := range uses {
		list[i] = Route{u.method, Prefix + u.path, func(w http.ResponseWriter, r *http.Request) error {
			err := p.serve(u, w, r)
			var refused *Unauthorized
			if errors.As(err, &refused) {
				w.Header().Set("WWW-Authenticate", refused.Challenge())
			}
			return err
		}}
	}
	return list
}

// NoRoute answers every other address under Prefix.
func (p *Platform) NoRoute(http.ResponseWriter, *http.Request) error { return ErrNoSuchRoute }

// serve lets a caller in and does what its use is.
func (p *Platform) serve(u use, w http.ResponseWriter, r *http.Request) error {
	a, body, err := p.authenticate(r)
	if err != nil {
		p.rejections.record(r.Context(), a.caller.ID, err)
		return err
	}
	v, err := p.visit(r.Context(), a, u)
	if err != nil {
		return err
	}
	if u.do == nil || !a.caller.May(u.purpose) {
		return p.refuse(r.Context(), v, u.target)
	}
	return u.do(p, w, r, v, body)
}

// authenticate returns the assertion of a request and its body, once everything about them holds. With an error
// it returns the assertion as far as its signature holds.
func (p *Platform) authenticate(r *http.Request) (assertion, []byte, error) {
	token, err := bearer(r)
	if err != nil {
		return assertion{}, nil, err
	}
	a, err := p.verify.verify(token)
	if err != nil {
		return a, nil, err
	}
	if reason := a.fits(r, p.PublicURL); reason != "" {
		return a, nil, &Unauthorized{reason}
	}
	if err := p.limit(a.caller.ID); err != nil {
		return a, nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return a, nil, &inbox.InvalidError{Field: "body", Why: "longer than 256 KiB, or cut short"}
	}
	if !a.binds(body) {
		return a, nil, &Unauthorized{Body}
	}
	first, err := p.once.redeem(r.Context(), a)
	if err == nil && !first {
		err = &Unauthorized{Replayed}
	}
	return a, body, err
}

// limit counts a call. One that comes too early leaves its assertion unused, so that it can be repeated.
func (p *Platform) limit(caller string) error {
	now := p.Now()
	r := p.limits[caller].ReserveN(now, 1)
	if wait := r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return &TooMany{Wait: wait}
	}
	return nil
}

// visit is what the policy is asked about: this caller in this mailbox, for what it is registered for, at the
// word of the owner, if there is one.
func (p *Platform) visit(ctx context.Context, a assertion, u use) (inbox.Visit, error) {
	v := inbox.Visit{
		Actor: policy.Actor{Kind: policy.Service}, Account: policy.AccountID(a.claims.Mailbox), Purpose: a.caller.purposeOf(u.purpose), Feature: u.feature,
		Caller: a.caller.ID, Subject: a.caller.ID, Recipient: recipient,
	}
	consented, err := p.Permissions.Find(ctx, v.Account, u.feature, recipient, a.caller.ID)
	if err != nil && !errors.Is(err, policy.ErrUnknown) {
		return v, err
	}
	v.Instruction = consented.ID
	return v, nil
}

// refuse has an access decided that is not going to happen, for the decision's sake: what the caller asked is on
// record, and it learns which clauses refuse it. Should the policy allow it, there is still nothing to give.
func (p *Platform) refuse(ctx context.Context, v inbox.Visit, target policy.Target) error {
	grant, err := p.Gate.Authorize(ctx, v.Access(target))
	if err != nil {
		return err
	}
	grant.Finish(ErrNoSuchRoute, 0, 0)
	return ErrNoSuchRoute
}
