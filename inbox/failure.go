package inbox

import (
	"context"
	"errors"
	"time"

	"github.com/totalengage/webmail/policy"
)

const (
	longestWait = 5 * time.Minute // between two attempts
	patience    = 24 * time.Hour  // after which a message that cannot leave has failed: later would surprise
)

// ErrReconnect is wrapped by the token vault's error when the owner must connect the mailbox again. The
// vault knows nothing of this package: whoever wires the two together translates.
var ErrReconnect = errors.New("the mailbox must be connected again")

// failure names why a message could not be sent; advice says it to its owner.
type failure string

const (
	failedRefused     failure = "refused"
	failedReconnect   failure = "reconnect"
	failedForbidden   failure = "forbidden"
	failedInvalid     failure = "invalid"
	failedTooLarge    failure = "too_large"
	failedUnknown     failure = "unknown"
	failedUnreachable failure = "unreachable"
	failedUnreadable  failure = "unreadable"
)

var advice = map[failure]string{
	failedRefused:     "Sending is not permitted at the moment. The message is kept: check the mailbox's connection and your consent, take the message back and send it again.",
	failedReconnect:   "The mailbox must be connected again. The message is kept: connect, take the message back and send it again.",
	failedForbidden:   "Gmail does not let this account send. The message is kept: take it back, and check the account at Gmail.",
	failedInvalid:     "Gmail does not accept the message as it is. Take it back, check recipients and attachments, and send it again.",
	failedTooLarge:    "The message is larger than Gmail accepts. Take it back and remove attachments.",
	failedUnknown:     "It is not certain whether the message left. Look into Sent; only if it is not there, take it back and send it again.",
	failedUnreachable: "Gmail could not be reached for a day. The message is kept: take it back and send it again.",
	failedUnreadable:  "The message can no longer be opened here. Look into Drafts.",
}

// errAbsent: what was looked for is not there, yet.
var errAbsent = errors.New("inbox: looked for and not found")

// certain says that a call with this error did nothing at Gmail.
func certain(err error) bool {
	var throttled *Throttled
	var invalid *InvalidError
	var refused *policy.Refused
	var closed *policy.Closed
	var notCovered *policy.NotCovered
	return errors.As(err, &throttled) || errors.As(err, &invalid) || errors.As(err, &refused) || errors.As(err, &closed) || errors.As(err, &notCovered) ||
		errors.Is(err, ErrNotFound) || errors.Is(err, ErrForbidden) || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrReconnect)
}

// setBack decides what an error means for a message: later, or never.
func (s *Service) setBack(ctx context.Context, j *job, err error) error {
	if errors.Is(err, errLost) {
		return errLost
	}
	if why := final(j, err); why != "" {
		return s.fail(ctx, j, why)
	}
	now := s.now()
	wait := min(time.Second<<min(j.attempts, 10), longestWait)
	if errors.Is(err, errAbsent) {
		j.looks++
		wait = min(time.Second<<min(j.looks, 10), longestWait)
	}
	next := now.Add(wait)
	var throttled *Throttled
	if errors.As(err, &throttled) && throttled.Until.After(next) {
		next = throttled.Until
	}
	if next.After(time.UnixMicro(j.due).Add(patience)) {
		if j.step == stepSending {
			return s.fail(ctx, j, failedUnknown)
		}
		return s.fail(ctx, j, failedUnreachable)
	}
	return s.write(ctx, j, nil, `step = $3, looks = $4, next = $5, lease = 0`, string(j.step), j.looks, next.UnixMicro())
}

// final returns why a message has failed, or "" when it may still leave.
func final(j *job, err error) failure {
	var refused *policy.Refused
	var invalid *InvalidError
	switch {
	case errors.As(err, &refused):
		return failedRefused
	case errors.Is(err, ErrReconnect):
		return failedReconnect
	case errors.Is(err, ErrForbidden):
		return failedForbidden
	case errors.Is(err, ErrTooLarge):
		return failedTooLarge
	case errors.As(err, &invalid) && j.attempts > 1: // Gmail's 400 may be gone at the second try (GMAIL.md 2.4)
		return failedInvalid
	case errors.Is(err, errAbsent) && j.step == stepSending && j.looks+1 >= sentLooks:
		return failedUnknown
	case errors.Is(err, errUnreadable) && j.attempts > 3:
		return failedUnreadable
	}
	return ""
}
