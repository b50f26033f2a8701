package oauth

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/totalengage/webmail/policy"
)

// The lifecycle events of this package. Their details are words of closed sets, counts and random numbers;
// never an address, a name or a token.
const (
	EventSessionStarted      = "session.started"      // kind
	EventSessionEnded        = "session.ended"        // reason: signed_out, signed_out_everywhere, replaced, idle, absolute, account_deleted, deleted_before
	EventSessionFailed       = "session.failed"       // step, reason, suppressed
	EventSessionSteppedUp    = "session.stepped_up"   // for, auth_time: whether the provider says when it saw them authenticate
	EventStaffSignedIn       = "staff.signed_in"      // roles, mfa
	EventConsentGiven        = "consent.given"        // version
	EventAccountConnected    = "account.connected"    // again
	EventAccountDisconnected = "account.disconnected" // reason, revocation, resumed
	EventAccountErased       = "account.erased"       //
	EventTokenRevoked        = "token.revoked"        // revocation, attempts
	EventPersonDeleted       = "person.deleted"       // reason; its actor is the person
	EventDeletionsReplayed   = "deletions.replayed"   // accounts, persons
	EventRightsRequested     = "rights.requested"     // request, right
	EventRightsAnswered      = "rights.answered"      // request, right, how
	EventRightsRefused       = "rights.refused"       // request, right
	EventRightsAlarm         = "rights.alarm"         // request, right, days: the answer is nearly due
	EventRightsBreach        = "rights.breach"        // request, right, days: the term has passed
)

// failures records failed sign-ins. Anyone can cause one without signing in, so they are thinned out: what
// could fill the log is counted instead, and the count goes into the next event.
type failures struct {
	gate  *policy.Gate
	limit *rate.Limiter

	mu         sync.Mutex
	suppressed int // guarded by mu
}

func newFailures(gate *policy.Gate) *failures {
	return &failures{gate: gate, limit: rate.NewLimiter(rate.Every(time.Second), 30)}
}

// record notes that a step failed with err. An error of the recording itself does not change the answer:
// the sign-in has failed either way.
func (f *failures) record(ctx context.Context, step string, err error) {
	f.mu.Lock()
	if !f.limit.Allow() {
		f.suppressed++
		f.mu.Unlock()
		return
	}
	details := map[string]string{"step": step, "reason": reason(err)}
	if f.suppressed > 0 {
		details["suppressed"] = strconv.Itoa(f.suppressed)
		f.suppressed = 0
	}
	f.mu.Unlock()
	_ = f.gate.Record(ctx, policy.Lifecycle{Event: EventSessionFailed, Details: details})
}

// reason names an error in one word for the log.
func reason(err error) string {
	for known, word := range map[error]string{
		ErrFlow: "flow_unknown", ErrFlowExpired: "flow_expired", ErrIssuer: "wrong_issuer", ErrCancelled: "declined",
		ErrIdentity: "identity_unproven", ErrNoConsent: "no_consent", ErrScopeRefused: "scope_refused",
		ErrNotOffline: "not_offline", ErrTaken: "mailbox_taken", ErrNoRole: "no_role", ErrAnotherPerson: "another_person",
	} {
		if errors.Is(err, known) {
			return word
		}
	}
	var provider *ProviderError
	if errors.As(err, &provider) {
		return "provider"
	}
	return "internal"
}
