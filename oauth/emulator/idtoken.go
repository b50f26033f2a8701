package emulator

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// identity is what the provider says about a person, as far as the scopes go.
type identity struct {
	Subject       string   `json:"sub"`
	Email         string   `json:"email,omitempty"`
	EmailVerified bool     `json:"email_verified,omitempty"`
	Name          string   `json:"name,omitempty"`
	Groups        []string `json:"groups,omitempty"`
}

// idToken holds the claims of OIDC Core 2 in the shape Google gives them.
type idToken struct {
	identity
	Issuer          string   `json:"iss"`
	Audience        string   `json:"aud"` // a string, as Google has one audience only
	AuthorizedParty string   `json:"azp"`
	Nonce           string   `json:"nonce,omitempty"`
	AuthTime        int64    `json:"auth_time"` // Unix seconds, as the next two
	IssuedAt        int64    `json:"iat"`
	Expires         int64    `json:"exp"`
	AccessTokenHash string   `json:"at_hash"`
	AMR             []string `json:"amr,omitempty"`
}

// describe tells about the user what the scopes allow. Groups need no scope:
// only a staff directory has them, and there they are what it is asked for.
func (s *Server) describe(u User, scopes []string) identity {
	id := identity{Subject: s.subject(u), Groups: u.Groups}
	if slices.Contains(scopes, s.canonical("email")) {
		id.Email, id.EmailVerified = u.Email, true
	}
	if slices.Contains(scopes, s.canonical("profile")) {
		id.Name = u.Name
	}
	return id
}

// subject numbers an account: 21 digits as at Google, the same in every run and
// different at each provider, and not to be guessed back into an address by eye.
func (s *Server) subject(u User) string {
	sum := sha256.Sum256([]byte(s.name + "\x00" + accountKey(u.Email)))
	const twentyDigits = 1e10
	high := binary.BigEndian.Uint64(sum[0:8]) % twentyDigits
	low := binary.BigEndian.Uint64(sum[8:16]) % twentyDigits
	return fmt.Sprintf("1%010d%010d", high, low)
}

// sign makes the ID token that accompanies an access token.
func (s *Server) sign(u User, clientID, nonce, access string, scopes []string, authTime time.Time) (string, error) {
	now := s.now()
	signer, err := s.keys.signer()
	if err != nil {
		return "", fmt.Errorf("emulator: prepare signer: %w", err)
	}
	return jwt.Signed(signer).Claims(idToken{
		identity:        s.describe(u, scopes),
		Issuer:          s.origin(),
		Audience:        clientID,
		AuthorizedParty: clientID,
		Nonce:           nonce,
		AuthTime:        authTime.Unix(),
		IssuedAt:        now.Unix(),
		Expires:         now.Add(accessTokenLife + time.Second).Unix(),
		AccessTokenHash: tokenHash(access),
		AMR:             u.AMR,
	}).Serialize()
}

// serviceToken holds the claims of the token that Pub/Sub puts on an authenticated push.
type serviceToken struct {
	Issuer          string `json:"iss"`
	Audience        string `json:"aud"`
	Subject         string `json:"sub"`
	AuthorizedParty string `json:"azp"`
	Email           string `json:"email"`
	EmailVerified   bool   `json:"email_verified"`
	IssuedAt        int64  `json:"iat"` // Unix seconds, as the next
	Expires         int64  `json:"exp"`
}

// ServiceToken signs an ID token of a service account for an audience, good for an
// hour: what Google's own services show when they call somebody. The account needs to
// be no user here.
func (s *Server) ServiceToken(account, audience string) (string, error) {
	signer, err := s.keys.signer()
	if err != nil {
		return "", fmt.Errorf("emulator: prepare signer: %w", err)
	}
	now, number := s.now(), s.subject(User{Email: account})
	return jwt.Signed(signer).Claims(serviceToken{
		Issuer: s.origin(), Audience: audience, Subject: number, AuthorizedParty: number, Email: account, EmailVerified: true,
		IssuedAt: now.Unix(), Expires: now.Add(time.Hour).Unix(),
	}).Serialize()
}

// tokenHash binds an access token to its ID token (OIDC Core 3.1.3.6, RS256).
func tokenHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
