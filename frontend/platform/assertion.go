package platform

import (
	"crypto/subtle"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// claims are what an assertion says; the package comment explains them.
type claims struct {
	jwt.Claims
	Mailbox string `json:"mailbox"`
	Method  string `json:"htm"`
	URL     string `json:"htu"`
	Body    string `json:"body_sha256,omitempty"`
}

const (
	longestLife  = 5 * time.Minute
	clockSkew    = 30 * time.Second // by which a caller's clock may be ahead
	maxAssertion = 8 << 10          // bytes
	maxHandle    = 64
)

var assertionID = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// assertion is one whose signature and terms hold. Whether it is for the request that carries it, and whether
// it comes for the first time, is asked later.
type assertion struct {
	caller Caller
	claims claims
}

// verifier checks assertions.
type verifier struct {
	callers  *Callers
	audience string
	now      func() time.Time
}

// verify returns the assertion in a token, or *Unauthorized. The caller is returned as soon as the signature
// is known to be its own. Nothing a token says is told apart before that, so that nobody learns from the
// answers which callers and keys there are.
func (v verifier) verify(token string) (assertion, error) {
	var a assertion
	if len(token) > maxAssertion {
		return a, &Unauthorized{Malformed}
	}
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil || len(parsed.Headers) != 1 {
		return a, &Unauthorized{Malformed}
	}
	header := parsed.Headers[0]
	var claimed claims
	if err := parsed.UnsafeClaimsWithoutVerification(&claimed); err != nil {
		return a, &Unauthorized{Malformed}
	}
	caller, known := v.callers.find(claimed.Issuer)
	registered, has := caller.keys[header.KeyID]
	if !known || !has || header.Algorithm != string(registered.algorithm) || header.JSONWebKey != nil {
		return a, &Unauthorized{Signature}
	}
	var signed claims
	if err := parsed.Claims(registered.public, &signed); err != nil {
		return a, &Unauthorized{Signature}
	}
	a = assertion{caller, signed}
	if reason := v.terms(signed); reason != "" {
		return a, &Unauthorized{reason}
	}
	return a, nil
}

// terms returns what is wrong with the claims of a signed assertion, or "".
func (v verifier) terms(c claims) Reason {
	now, skew, life := v.now().Unix(), int64(clockSkew/time.Second), int64(longestLife/time.Second)
	switch {
	case c.Subject != c.Issuer:
		return Subject
	case len(c.Audience) != 1 || c.Audience[0] != v.audience:
		return Audience
	case c.Expiry == nil || c.IssuedAt == nil:
		return Lifetime
	case int64(*c.Expiry) <= now:
		return Expired
	case int64(*c.Expiry) > now+skew+life, int64(*c.IssuedAt) < int64(*c.Expiry)-life: // in this order, or the subtraction could overflow
		return Lifetime
	case int64(*c.IssuedAt) > now+skew, c.NotBefore != nil && int64(*c.NotBefore) > now+skew:
		return TooEarly
	case !assertionID.MatchString(c.ID):
		return ID
	case c.Mailbox == "" || len(c.Mailbox) > maxHandle:
		return Mailbox
	}
	return ""
}

// fits returns why an assertion is not for this request, or "". The address is compared with the public one, never
// with what the request claims as its host.
func (a assertion) fits(r *http.Request, publicURL string) Reason {
	switch {
	case a.claims.Method != r.Method:
		return Method
	case r.URL.RawQuery != "" || r.URL.ForceQuery || a.claims.URL != publicURL+r.URL.EscapedPath():
		return Address
	}
	return ""
}

// binds says whether an assertion is for this body.
func (a assertion) binds(body []byte) bool {
	return subtle.ConstantTimeCompare([]byte(a.claims.Body), []byte(digestOf(body))) == 1
}

// bearer returns the token of a request, or *Unauthorized.
func bearer(r *http.Request) (string, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", &Unauthorized{Missing}
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if len(values) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", &Unauthorized{Malformed}
	}
	return token, nil
}
