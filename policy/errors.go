package policy

import (
	"fmt"
	"strings"
	"time"
)

// Refused is the error of an access that policy does not allow. The refusal is in the log under DecisionID.
type Refused struct {
	DecisionID string
	Clauses    []string // clause ids, sorted; never empty
}

func (e *Refused) Error() string {
	return fmt.Sprintf("refused by policy (%s), decision %s", strings.Join(e.Clauses, ", "), e.DecisionID)
}

// Closed is the error while the gate cannot record decisions, or cannot decide at all. Nothing is
// released until the cause is gone; mail itself is safe at Google.
type Closed struct {
	Since time.Time
	Why   string // for operators: names the failing part, never data
	Err   error
}

func (e *Closed) Error() string {
	return fmt.Sprintf("the policy gate is closed since %s: %s", e.Since.UTC().Format(time.RFC3339), e.Why)
}

func (e *Closed) Unwrap() error { return e.Err }

// NotCovered is the error of a use that its grant does not cover: a forged, expired, foreign, spent or
// outdated grant, or a request other than the one decided. It is a fault of the program, not of the user.
type NotCovered struct{ Why string }

func (e *NotCovered) Error() string { return "not covered by the grant: " + e.Why }

// Clause ids of refusals that no rule of the policy states, because the policy was never reached or did
// not answer.
const (
	ClauseIncomplete = "FAIL-INCOMPLETE" // a required field is missing
	ClauseUnknown    = "FAIL-FACTS"      // the server's stores do not know the account or instruction
	ClauseEvaluation = "FAIL-EVALUATION" // the engine failed, timed out or panicked
	ClauseDefault    = "DEFAULT-DENY"    // no rule allows it
)
