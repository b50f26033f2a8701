package platform

import (
	"errors"
	"time"
)

// Reason names what is wrong with an assertion. It stands in the log, so the set is closed.
type Reason string

// The reasons.
const (
	Missing   Reason = "missing"
	Malformed Reason = "malformed"
	Signature Reason = "signature"
	Subject   Reason = "subject"
	Audience  Reason = "audience"
	Lifetime  Reason = "lifetime"
	Expired   Reason = "expired"
	TooEarly  Reason = "too_early"
	ID        Reason = "id"
	Mailbox   Reason = "mailbox"
	Method    Reason = "method"
	Address   Reason = "address"
	Body      Reason = "body"
	Replayed  Reason = "replayed"
)

// explanations say to integrators what to mend. None holds a quotation mark: they travel in a header too.
var explanations = map[Reason]string{
	Missing:   "Send a signed assertion: Authorization: Bearer and a JWT (RFC 7523).",
	Malformed: "The bearer token is not a compact JWT that is signed with ES256, EdDSA, PS256 or RS256.",
	Signature: "No key that is registered for the issuer, under this kid and for this alg, made the signature.",
	Subject:   "iss and sub must both be the id of the caller.",
	Audience:  "aud must be the public URL of the product with /platform/v1, and nothing else.",
	Lifetime:  "iat and exp must both be there, at most five minutes apart.",
	Expired:   "The assertion has expired. Sign one for each call, just before it.",
	TooEarly:  "iat or nbf is in the future. Check the clock.",
	ID:        "jti must be 8 to 64 letters, digits, dashes, underscores and dots.",
	Mailbox:   "mailbox must be the handle of one mailbox, which the owner's consent handed over.",
	Method:    "htm must be the method of the request.",
	Address:   "htu must be the public address of the request, and the request must have no query.",
	Body:      "body_sha256 must be the SHA-256 of the body in base64url, and be left out when there is none.",
	Replayed:  "This jti was used before. Sign an assertion for each call.",
}

// Unauthorized is the error of a request whose assertion is missing or not accepted.
type Unauthorized struct{ Reason Reason }

func (e *Unauthorized) Error() string { return explanations[e.Reason] }

// Challenge is the value of WWW-Authenticate (RFC 6750, 3).
func (e *Unauthorized) Challenge() string {
	if e.Reason == Missing {
		return `Bearer realm="platform"`
	}
	return `Bearer realm="platform", error="invalid_token", error_description="` + e.Error() + `"`
}

// TooMany is the error of a caller that calls more often than it is registered for.
type TooMany struct{ Wait time.Duration }

func (e *TooMany) Error() string { return "platform: more calls than the caller is registered for" }

// ErrNoSuchRoute is for addresses under [Prefix] that there are not.
var ErrNoSuchRoute = errors.New("platform: there is no such address")
