package agreement

import (
	"errors"
	"fmt"
)

// What can stand in the way of a step. Refusals by role are not decisions of the policy: nothing of a mailbox
// is touched by asking.
var (
	// ErrRole: the member of staff lacks the role that the step needs.
	ErrRole = errors.New("agreement: not for this role")
	// ErrSecondFactor: the member of staff signed in without a second factor.
	ErrSecondFactor = errors.New("agreement: a second factor is needed")
	// ErrUnacknowledged: the member of staff has not acknowledged the rules within the last year (LU-HUM-5).
	ErrUnacknowledged = errors.New("agreement: the rules are not acknowledged")
	// ErrOwnRequest: whoever asks cannot approve, and nobody handles another's request as their own.
	ErrOwnRequest = errors.New("agreement: the second member of staff must be another one")
	// ErrNotMine: the request is another member of staff's.
	ErrNotMine = errors.New("agreement: somebody else's request")
	// ErrExpired: nobody answered in time.
	ErrExpired = errors.New("agreement: it was not answered in time")
	// ErrUnproven: the sign-in does not prove that the owner agreed to this.
	ErrUnproven = errors.New("agreement: the sign-in does not prove it")
	// ErrUnwitnessed: the owner agreed, and the log's witness has not signed for it yet.
	ErrUnwitnessed = errors.New("agreement: it waits for the log's witness")
	// ErrText: another text was shown than the one of now.
	ErrText = errors.New("agreement: another text was shown")
)

// Answered says that a step comes too late: the request is already in another state.
type Answered struct{ State State }

func (e *Answered) Error() string { return fmt.Sprintf("agreement: it is already %s", e.State) }

// Invalid says which part of a request cannot be used, and why. It never repeats what was given.
type Invalid struct{ Field, Why string }

func (e *Invalid) Error() string { return "agreement: " + e.Field + ": " + e.Why }
