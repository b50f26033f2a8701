package emulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"
)

const (
	codeLife = 10 * time.Minute
	// clockSkew is how far the clock may have been set back between giving a
	// code and taking it.
	clockSkew = time.Minute
	// codeMemory is how long a used code is remembered, to notice its replay:
	// as long as an access token made from it could live.
	codeMemory = codeLife + accessTokenLife
)

// code is an authorization code: a promise of tokens, kept for one exchange.
type code struct {
	from        *lineage
	scopes      []string
	redirectURI string
	challenge   string // PKCE, or empty
	nonce       string
	authTime    time.Time
	offline     bool // a refresh token comes with it
	issued      time.Time
	used        bool
}

// addCode records that the person grants c.scopes, and returns the code for the
// browser to carry and the scopes it covers: with includeGranted also those
// granted before.
func (l *ledger) addCode(account, clientID string, includeGranted bool, c code) (secret string, covered []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	g := l.find(account, clientID)
	if g == nil {
		g = &grant{account: account, clientID: clientID}
		l.grants = append(l.grants, g)
	}
	g.scopes = union(g.scopes, c.scopes)
	g.offline = g.offline || c.offline
	if includeGranted {
		c.scopes = union(c.scopes, g.scopes)
	}
	c.from = &lineage{grant: g}
	c.issued = l.now()
	secret = newSecret("4/0A")
	l.codes[digestOf(secret)] = &c
	return secret, c.scopes
}

// redemption is how a client presents a code.
type redemption struct {
	code        string
	clientID    string
	redirectURI string
	verifier    string // PKCE
}

// redeem checks a code and uses it up. The checks that only the rightful client
// can fail burn the code too: whoever holds it gets one try.
func (l *ledger) redeem(r redemption) (code, *oauthError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.codes[digestOf(r.code)]
	if !ok {
		return code{}, badRequest("invalid_grant", "Malformed auth code.")
	}
	if c.from.grant.clientID != r.clientID {
		return code{}, badRequest("invalid_grant", "Bad Request")
	}
	if c.used {
		// Someone else has it too, and nobody can tell which of the two is the
		// thief (RFC 6749, 4.1.2).
		c.from.revoked = true
		return code{}, badRequest("invalid_grant", "Bad Request")
	}
	c.used = true
	age := l.now().Sub(c.issued)
	switch {
	case age > codeLife, age < -clockSkew, !c.from.live():
		return code{}, badRequest("invalid_grant", "Bad Request")
	case c.redirectURI != r.redirectURI:
		return code{}, badRequest("redirect_uri_mismatch", "Bad Request")
	}
	if err := checkVerifier(c.challenge, r.verifier); err != nil {
		return code{}, err
	}
	return *c, nil
}

// checkVerifier is the server's side of PKCE (RFC 7636, 4.6). A verifier
// without a challenge is refused as well: the challenge may have been stripped
// from the request on its way (RFC 9700, 2.1.1).
func checkVerifier(challenge, verifier string) *oauthError {
	sum := sha256.Sum256([]byte(verifier))
	computed := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case challenge == "" && verifier == "":
		return nil
	case verifier == "":
		return badRequest("invalid_grant", "Missing code verifier.")
	case subtle.ConstantTimeCompare([]byte(challenge), []byte(computed)) != 1:
		return badRequest("invalid_grant", "Invalid code verifier.")
	}
	return nil
}
