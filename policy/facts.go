package policy

import (
	"context"
	"errors"
	"time"
)

// ErrUnknown is what Facts return for something that does not exist (or no longer does).
var ErrUnknown = errors.New("not known to this server")

// Facts are the attributes of a decision that the server's own stores know (I4). The packages that own
// the stores implement it; an error other than ErrUnknown closes the gate for that access.
type Facts interface {
	// Account returns what is known of a mailbox, or ErrUnknown.
	Account(ctx context.Context, id AccountID) (AccountFacts, error)
	// Epoch returns the account's current epoch alone: it is asked at every use of a grant.
	Epoch(ctx context.Context, id AccountID) (int64, error)
	// Instruction returns a standing instruction of the owner, or ErrUnknown.
	Instruction(ctx context.Context, id string) (Instruction, error)
}

// AccountFacts are the facts of one mailbox.
type AccountFacts struct {
	Owner   PersonID
	State   string   // "connected", "disconnected"
	Scopes  []string // OAuth scopes that the owner granted
	Consent Consent  // latest consent of the owner
	Epoch   int64    // raised by disconnect, withdrawn consent, revoked agreement or new policy
	LogKey  []byte   // HMAC key of this account's pseudonyms; deleting it unlinks the log
}

// Consent is the owner's latest affirmative act on a disclosure (DISC-2).
type Consent struct {
	Version int // of the disclosure text; 0 = none
	Given   time.Time
}

// Instruction is the owner's standing instruction: the only basis for work without the owner at the page.
type Instruction struct {
	ID       string
	Account  AccountID
	Feature  Feature
	Resource string // kind-specific id the instruction is about, such as an outbox row
	Given    time.Time
	Expires  time.Time
}
