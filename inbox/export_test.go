package inbox

import (
	"context"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// SendDue lets the sender do, in the caller's goroutine, what is due now, and waits until it is done. It returns how
// many messages it worked at.
func (s *Service) SendDue(ctx context.Context) (int, error) {
	d := dispatcher{service: s, slots: make(chan struct{}, atOnce)}
	due, err := s.due(ctx, atOnce)
	if err != nil {
		return 0, err
	}
	err = d.dispatch(ctx)
	d.running.Wait()
	return len(due), err
}

// ReleaseLeases is what a start does on SQLite.
func (s *Service) ReleaseLeases(ctx context.Context) error { return s.releaseLeases(ctx) }

// Sweep is what the sender does every minute.
func (s *Service) Sweep(ctx context.Context) error { return s.sweep(ctx) }

// Holds tells whether anything of a mailbox is held in memory.
func (s *Service) Holds(account policy.AccountID) bool { return s.boxes.held.Contains(account) }

// AtStep has f called between the steps of a send. It is set before any sender runs.
func AtStep(f func(step string)) { atStep = f }

// NormalAddress is the reading of one recipient's address.
func NormalAddress(email string) (normal, why string) { return normalAddress(email) }

// DraftOf is the reading of a draft.
func DraftOf(d *gmail.Draft) Draft { return draftOf(d) }

// Checked is the check of what a composer sends.
func Checked(c Compose) (Compose, error) { return c.checked() }

// SubjectFor is the subject of an answer.
func SubjectFor(kind ComposeKind, original string) string { return subjectFor(kind, original) }

// Pass lets time pass for a service, before it is used.
func Pass(s *Service, d time.Duration) {
	now := s.now
	s.now = func() time.Time { return now().Add(d) }
}

// Weight is what is counted of all that is held in memory.
func Weight(s *Service) int64 { return s.boxes.bytes.Load() }

// Boxes are the mailboxes in memory, by themselves.
type Boxes struct{ *boxes }

// NewBoxes makes the holder of mailboxes with a bound of bytes.
func NewBoxes(most int64) Boxes { return Boxes{newBoxes(most)} }

// Put holds one message of about so many bytes in a mailbox.
func (b Boxes) Put(account policy.AccountID, bytes int) {
	b.of(account).open("", []*gmail.Message{{Id: "m", Snippet: strings.Repeat("x", bytes)}})
}

// Weight is what is counted.
func (b Boxes) Weight() int64 { return b.bytes.Load() }

// Holds tells whether a mailbox is held.
func (b Boxes) Holds(account policy.AccountID) bool { return b.held.Contains(account) }

// RenewWatches is what the sender does every minute.
func (s *Service) RenewWatches(ctx context.Context) error { return s.renewWatches(ctx) }

// ReadDeliveryStatus reads the machine-readable part of a bounce.
func ReadDeliveryStatus(text string) (addresses []string, reason UndeliveredReason) {
	r := deliveryReport{reason: OtherwiseFailing}
	r.read(text)
	return r.addresses, r.reason
}
