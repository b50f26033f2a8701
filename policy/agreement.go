package policy

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// Agreement is what an owner is asked, and what the owner agreed to: one member of staff sees these
// messages for this reason, for so long (LU-HUM-1). The gate does not believe the row that says so: it
// computes what the owner must have agreed to, and verifies the identity provider's signature over that.
type Agreement struct {
	ID        string
	Account   AccountID
	Requester PersonID // who will see the messages
	Approver  PersonID // the second member of staff, who let the owner be asked
	Case      string   // case number and reason, as the owner read them
	Messages  []AgreedMessage
	Window    time.Duration // how long the messages can be seen after the owner agreed
	Text      string        // SHA-256 of the text that the owner read, in hex
	Asked     time.Time     // when the owner was asked
	State     string        // "pending", "active", "refused", "revoked", "expired" or "closed"
	Proof     string        // ID token of the sign-in by which the owner agreed; "" before
}

// AgreedMessage is one message of an agreement. Its attachments are agreed to separately.
type AgreedMessage struct {
	ID          string
	Attachments bool
}

// Nonce is what the owner's sign-in must carry as its nonce: the SHA-256 over all that the agreement says,
// in base64url. Two agreements that differ in anything have different nonces.
func (a Agreement) Nonce() string {
	// An array of strings and numbers in JSON is unambiguous, whatever the strings hold.
	canonical, err := json.Marshal([]any{
		"webmail agreement v1", a.ID, a.Account, a.Requester, a.Approver, a.Case, a.Messages, int64(a.Window / time.Second), a.Text, a.Asked.UnixMicro(),
	})
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	sum := sha256.Sum256(canonical)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Prover verifies the sign-in by which an owner agreed. The room that knows the identity provider implements it.
type Prover interface {
	// Prove verifies the ID token's signature, issuer and audience and returns what it says. Its lifetime
	// is not checked: an agreement ends by its own window. A token that does not verify is an error.
	Prove(ctx context.Context, idToken string) (Proof, error)
}

// Proof is what a verified ID token says about an agreement.
type Proof struct {
	Owner    PersonID
	Nonce    string
	IssuedAt time.Time
	AuthTime time.Time // when the provider last saw the owner authenticate; zero where it does not say
}
