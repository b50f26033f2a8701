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
	// Agreement returns an agreement of the owner that staff see specific messages, or ErrUnknown.
	Agreement(ctx context.Context, id string) (Agreement, error)
	// Caller returns another service of the company that is registered as a caller, or ErrUnknown.
	Caller(ctx context.Context, id string) (Caller, error)
	// Release returns a release of aggregates, or ErrUnknown.
	Release(ctx context.Context, id string) (Release, error)
	// Acknowledged is when a member of staff last acknowledged the rules (LU-HUM-5); zero if never.
	Acknowledged(ctx context.Context, person PersonID) (time.Time, error)
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
	Version  int // of the disclosure text; 0 = none
	Given    time.Time
	First    int       // version that the owner agreed to first: what it disclosed was never a change (CHG-2)
	Notified time.Time // when this deployment announced the disclosure in force (CHG-2)
}

// Instruction is what the owner told the product to do: a standing instruction, the only basis for work
// without the owner at the page, or, when it names a recipient, the consent to one kind of transfer (LU-XFER-1).
type Instruction struct {
	ID        string
	Account   AccountID
	Feature   Feature
	Recipient string // id in the register of recipients; "" for work that stays here
	Resource  string // kind-specific id the instruction is about, such as an outbox row
	Given     time.Time
	Expires   time.Time
}

// Caller is another service of the company. What it may use mail for is listed with its key, never
// declared by its requests (DESIGN 4.1, 12).
type Caller struct {
	ID       string
	Purposes []Purpose
}

// Release is one publication of aggregated and anonymized numbers (LU-HUM-2).
type Release struct {
	ID       string
	Owners   int       // the least number of owners behind any number in it (k)
	Released time.Time // zero while it is not released
}

// OwnersAlone are the facts of a deployment without staff access, callers and releases: none are known. A store
// of mailboxes embeds it to be complete.
type OwnersAlone struct{}

// Agreement implements Facts.
func (OwnersAlone) Agreement(context.Context, string) (Agreement, error) {
	return Agreement{}, ErrUnknown
}

// Caller implements Facts.
func (OwnersAlone) Caller(context.Context, string) (Caller, error) { return Caller{}, ErrUnknown }

// Release implements Facts.
func (OwnersAlone) Release(context.Context, string) (Release, error) { return Release{}, ErrUnknown }

// Acknowledged implements Facts.
func (OwnersAlone) Acknowledged(context.Context, PersonID) (time.Time, error) {
	return time.Time{}, nil
}
