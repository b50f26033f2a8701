package emulator

import (
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a Server. The zero value serves nobody: Auth is needed.
type Options struct {
	// Auth knows the access tokens; nil refuses them all.
	Auth Authenticator
	// Quota is the table of unit costs and limits: "old" (until April 2026), "new"
	// (projects since May 2026; the default) or "off" (units are counted, nothing refused).
	Quota string
	// Concurrency is the number of calls of one user served at once before Gmail's
	// "Too many concurrent requests for user"; 0 = no limit. Google publishes none.
	Concurrency int
	// Now is the clock; nil is time.Now. It must be safe for concurrent use.
	Now func() time.Time
	// Control mounts /emulator/, by which anybody who reaches the port may switch faults
	// and latency, read the counters and verify addresses.
	Control bool
	// HistoryRetention is how long history.list looks back; 0 is a week.
	HistoryRetention time.Duration
	// Push is where the notifications of watched mailboxes go.
	Push Push
	// Logf receives one line for each call: method id, status, units; never
	// content, addresses or tokens. nil is the default slog logger at debug level.
	Logf func(format string, args ...any)
}

// Server is the emulated Gmail: mailboxes and the API over them. All its methods
// are safe for concurrent use.
type Server struct {
	auth        Authenticator
	now         func() time.Time
	logf        func(string, ...any)
	controlled  bool
	concurrency int
	retention   time.Duration
	latency     atomic.Int64 // nanoseconds
	ids         *idSource
	attachments attachmentIDs
	quota       *quota
	faults      faults
	stats       counters
	uploads     uploads
	inFlight    inFlight
	pusher      *pusher
	journal     *journal // nil keeps nothing; immutable once served

	mu    sync.RWMutex
	users map[string]*mailbox // by lower-case address; owned by mu
	order []string            // addresses as added; owned by mu
}

// User is one account.
type User struct{ Email, Name string }

// New makes an empty server.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logf == nil {
		o.Logf = func(format string, args ...any) { slog.Debug(fmt.Sprintf(format, args...)) }
	}
	if o.Auth == nil {
		o.Auth = StaticTokens{}
	}
	s := &Server{
		auth: o.Auth, now: o.Now, logf: o.Logf, controlled: o.Control,
		concurrency: o.Concurrency, retention: o.HistoryRetention,
		ids: &idSource{now: o.Now}, attachments: newAttachmentIDs(),
		quota: newQuota(o.Quota, o.Now), users: map[string]*mailbox{},
	}
	s.pusher = newPusher(o.Push, s.now, s.logf, &s.faults)
	return s
}

// Close ends the notifications still under way and closes what Keep opened. Call it
// after the last request; without Keep and Push there is nothing to close.
func (s *Server) Close() error {
	s.pusher.close()
	return s.journal.close()
}

// AddUser opens an empty mailbox. The address must be a plain one (no display
// name) and new; letter case does not matter.
func (s *Server) AddUser(email, name string) error {
	key := strings.ToLower(email)
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email {
		return fmt.Errorf("emulator: not an address: user %d", len(s.Users())+1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[key] != nil {
		return fmt.Errorf("emulator: user exists already")
	}
	b := newMailbox(key, name, s)
	s.users[key] = b
	s.order = append(s.order, key)
	s.journal.append(key, []entry{{Name: &name}, {History: &storedHistory{b.history.floor, b.history.head}}})
	return nil
}

// HasUser reports whether the address has a mailbox.
func (s *Server) HasUser(email string) bool { return s.mailbox(email) != nil }

// Users lists the accounts in the order in which they were added.
func (s *Server) Users() []User {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]User, len(s.order))
	for i, email := range s.order {
		out[i] = User{email, s.users[email].name}
	}
	return out
}

func (s *Server) mailbox(email string) *mailbox {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.users[strings.ToLower(email)]
}

// SetLatency makes every HTTP request (a batch is one) wait before it is served.
func (s *Server) SetLatency(d time.Duration) { s.latency.Store(int64(d)) }

// Insert puts a message into a mailbox without sending it. Labels are names:
// system labels in capitals, others are made when absent, with those above them
// ("Ops" for "Ops/Review"). A zero time takes the message's own Date or Received
// header. The thread is found by References and In-Reply-To. raw must not be
// changed afterwards.
func (s *Server) Insert(email string, raw []byte, labels []string, at time.Time) (id string, err error) {
	b := s.mailbox(email)
	if b == nil {
		return "", fmt.Errorf("emulator: no such user")
	}
	content, err := newMail(raw)
	if err != nil {
		return "", fmt.Errorf("emulator: %w", err)
	}
	if at.IsZero() {
		at = s.dateOf(content)
	}
	b.mu.Lock()
	defer b.unlock()
	n := newMessage{content: content, date: at}
	for _, name := range labels {
		id, err := b.labels.ensure(name)
		if err != nil {
			return "", fmt.Errorf("emulator: label %q: %w", name, err)
		}
		if n.labels = append(n.labels, id); id == "DRAFT" {
			n.draftID = newDraftID()
		}
	}
	n.threadID = b.threadByHeadersLocked(content)
	return b.storeLocked(n).id, nil
}

// dateOf is the internalDate of imported mail: its own date, else now.
func (s *Server) dateOf(c *mailContent) time.Time {
	if t, ok := c.sentAt(); ok {
		return t
	}
	return s.now()
}
