package inbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// Visit is who is in which mailbox, and what for. Purpose and Feature come from the route that was called
// or from a standing instruction, never from a request.
type Visit struct {
	Actor       policy.Actor
	Account     policy.AccountID
	Purpose     policy.Purpose
	Feature     policy.Feature
	Instruction string // for a service: the standing instruction it acts on
	Subject     string // for a service: the outbox row it is at work on, which must be the instruction's
	Agreement   string // for staff: the owner's agreement that they see a message
	Caller      string // platform caller that a service acts for; its consent is the instruction, and it is the subject
	Recipient   string // who gets the data, in the register of recipients; "" is the actor alone
}

// Access is what the gate is asked for when the visit touches a target.
func (v Visit) Access(target policy.Target) policy.Access {
	return policy.Access{
		Actor: v.Actor, Account: v.Account, Target: target, Purpose: v.Purpose, Feature: v.Feature,
		Instruction: v.Instruction, Subject: v.Subject, Agreement: v.Agreement, Caller: v.Caller, Recipient: v.Recipient,
	}
}

// For returns the same visit for another feature, as when opening a draft needs the message it answers.
func (v Visit) For(purpose policy.Purpose, feature policy.Feature) Visit {
	v.Purpose, v.Feature = purpose, feature
	return v
}

// Sealer encrypts under the account's own key; deleting that key makes everything sealed with it unreadable.
type Sealer interface {
	Seal(ctx context.Context, account policy.AccountID, column string, plaintext []byte) ([]byte, error)
	Unseal(ctx context.Context, account policy.AccountID, column string, ciphertext []byte) ([]byte, error)
}

// Config is what a Service is made of.
type Config struct {
	Gate      *policy.Gate
	Tokens    gmail.Tokens
	Sealer    Sealer
	Identity  Identity // who a mailbox writes as
	HTML      HTML     // cleans what leaves
	Database  *database.DB
	Endpoint  string            // root of the Gmail API; "" is Google's
	Transport http.RoundTripper // the way out
	Outside   *http.Client      // the way out to hosts that a mail names; nil: there is none
	Permits   *consent.Permissions
	Units     int              // Gmail quota a minute and account; 0 is that of new projects, negative no limit
	Now       func() time.Time // nil is time.Now
	PollEvery time.Duration    // how often live updates ask Gmail; 0 is 15 s
	Memory    int64            // bytes that mail of all mailboxes may take in memory; 0 is DefaultMemory
	Topic     string           // Pub/Sub topic that Gmail tells of changes; "" is none
	UndoShown time.Duration    // how long the page offers to undo a send; 0 is 10 s
	UndoHeld  time.Duration    // how long the server holds it; 0 is 15 s. A late click still wins
}

// Service serves all mailboxes. It is safe for concurrent use.
type Service struct {
	gate     *policy.Gate
	gmail    *gmail.Client
	seal     Sealer
	identity Identity
	html     HTML
	db       *database.DB
	now      func() time.Time
	poll     time.Duration
	topic    string
	shown    time.Duration
	held     time.Duration
	boxes    *boxes
	flights  flights

	outside     *http.Client
	permissions *consent.Permissions

	pollers sync.WaitGroup  // of live updates
	life    context.Context // of pollers; ended by Close
	end     context.CancelFunc
	awake   chan struct{} // wakes the sender of the outbox
	sender  chan struct{} // closed when the sender has ended
	stop    context.CancelFunc

	sweptMu sync.Mutex
	swept   map[string]int // guarded by sweptMu; see Swept
}

// New makes the service. StartSender begins to send what waits in the outbox.
func New(c Config) (*Service, error) {
	client, err := gmail.New(gmail.Config{Endpoint: c.Endpoint, Gate: c.Gate, Tokens: c.Tokens, Transport: c.Transport, Units: c.Units})
	if err != nil {
		return nil, err
	}
	s := &Service{
		gate: c.Gate, gmail: client, seal: c.Sealer, identity: c.Identity, html: c.HTML, db: c.Database, now: c.Now, poll: c.PollEvery, shown: c.UndoShown, held: c.UndoHeld,
		boxes: newBoxes(orDefault(c.Memory, DefaultMemory)), awake: make(chan struct{}, 1), swept: map[string]int{}, outside: c.Outside, permissions: c.Permits,
	}
	s.topic = c.Topic
	s.life, s.end = context.WithCancel(context.Background())
	if s.outside == nil {
		s.outside = &http.Client{Transport: noWayOut{}}
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.poll, s.shown, s.held = orDefault(s.poll, 15*time.Second), orDefault(s.shown, 10*time.Second), orDefault(s.held, 15*time.Second)
	if s.held < s.shown {
		return nil, fmt.Errorf("inbox: a send must be held at least as long as undoing is offered")
	}
	return s, nil
}

func orDefault[T int64 | time.Duration](d, otherwise T) T {
	if d == 0 {
		return otherwise
	}
	return d
}

// Close ends live updates and waits until their outcomes are on their way to the log.
func (s *Service) Close() {
	s.end()
	s.pollers.Wait()
}

// Forget drops what is held in memory of a mailbox, as at sign-out and disconnect.
func (s *Service) Forget(account policy.AccountID) {
	s.boxes.drop(account)
	s.gmail.Forget(account)
}

// Errors that callers tell apart. Those of the gate (policy.Refused, policy.Closed) and of the token vault pass through unchanged.
var (
	ErrNotFound  = errors.New("there is no such message any more")
	ErrConflict  = errors.New("it was changed elsewhere in the meantime")
	ErrTooLate   = errors.New("the message has already left")
	ErrTooLarge  = errors.New("the message is larger than Gmail accepts (25 MB of attachments)")
	ErrForbidden = errors.New("not allowed by Gmail for the connected account")
	ErrUpstream  = errors.New("no answer from Gmail at the moment")
)

// Throttled says that Gmail asks to wait.
type Throttled struct{ Until time.Time }

func (e *Throttled) Error() string { return "Gmail asks to wait before the next request" }

// InvalidError says which part of what the caller gave cannot be used, and why.
type InvalidError struct{ Field, Why string }

func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Why) }

// fetched is what a call brought, with the grant under which it came. The caller records the outcome:
// grant.Release before a listing leaves, grant.Finish for everything else.
type fetched[T any] struct {
	value T
	grant *policy.Grant
}

// fetch asks the gate for exactly what the call would do, and makes the call.
func fetch[T any](ctx context.Context, s *Service, v Visit, call gmail.Call[T]) (fetched[T], error) {
	return fetchBy(ctx, s, v, call, func(grant *policy.Grant, _ policy.Target) (T, error) { return gmail.Do(ctx, s.gmail, grant, call) })
}

// fetchTogether is fetch for a read of which one is enough, when several visitors ask for it at the same time.
func fetchTogether[T any](ctx context.Context, s *Service, v Visit, call gmail.Call[T]) (fetched[T], error) {
	return fetchBy(ctx, s, v, call, func(grant *policy.Grant, target policy.Target) (T, error) {
		return together(ctx, s, grant, target, false, call)
	})
}

func fetchBy[T any](ctx context.Context, s *Service, v Visit, call gmail.Call[T], do func(*policy.Grant, policy.Target) (T, error)) (fetched[T], error) {
	var f fetched[T]
	target, err := call.Target()
	if err != nil {
		return f, fmt.Errorf("inbox: planning a call: %w", err)
	}
	if f.grant, err = s.authorize(ctx, v, target); err != nil {
		return f, err
	}
	if f.value, err = do(f.grant, target); err != nil {
		f.grant.Finish(err, 0, 0)
		return f, translate(err)
	}
	return f, nil
}

// releaseHeld is what stands before a listing that is held in memory: it is decided as if Gmail were to be asked,
// checked against the grant, and what it names is recorded, before it is handed out.
func (s *Service) releaseHeld(ctx context.Context, v Visit, plan func() (policy.Target, error), kind policy.ResourceKind, ids []string) error {
	target, err := plan()
	if err != nil {
		return fmt.Errorf("inbox: planning a call: %w", err)
	}
	grant, err := s.authorize(ctx, v, target)
	if err != nil {
		return err
	}
	if err := s.gate.Use(ctx, grant, target); err != nil {
		grant.Finish(err, 0, 0)
		return err
	}
	return grant.Release(ctx, kind, ids, 0)
}

func (s *Service) authorize(ctx context.Context, v Visit, target policy.Target) (*policy.Grant, error) {
	return s.gate.Authorize(ctx, v.Access(target))
}

// translate turns the client's kinds of error into the package's.
func translate(err error) error {
	var e *gmail.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case gmail.NotFound:
		return ErrNotFound
	case gmail.RateLimited:
		return &Throttled{Until: e.RetryAt}
	case gmail.Forbidden:
		return ErrForbidden
	case gmail.TooLarge:
		return ErrTooLarge
	case gmail.Invalid:
		return &InvalidError{Field: "request", Why: "Gmail refuses it as it is"}
	default:
		return fmt.Errorf("%w (status %d)", ErrUpstream, e.Status)
	}
}
