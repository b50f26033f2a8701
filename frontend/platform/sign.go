package platform

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Call is one request that a caller is about to make.
type Call struct {
	Caller  string
	Mailbox string // handle from the owner's consent
	Method  string
	URL     string
	Body    []byte
	At      time.Time // zero is now
}

// Sign makes the assertion for a call with a private JWK: what a caller does, in whatever language it is
// written. It is here for the command line and for tests.
func Sign(privateJWK []byte, c Call) (string, error) {
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(privateJWK, &jwk); err != nil || !jwk.Valid() || jwk.IsPublic() {
		return "", errors.New("platform: not a private JWK")
	}
	algorithm, err := algorithmOf(jwk)
	if err != nil {
		return "", fmt.Errorf("platform: the key: %w", err)
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" {
		return "", errors.New("platform: the URL must be the whole address of the call")
	}
	if c.At.IsZero() {
		c.At = time.Now()
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jwk}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("platform: the key: %w", err)
	}
	signed := claims{
		Claims: jwt.Claims{
			Issuer: c.Caller, Subject: c.Caller, Audience: jwt.Audience{u.Scheme + "://" + u.Host + Prefix}, ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(c.At), Expiry: jwt.NewNumericDate(c.At.Add(longestLife)),
		},
		Mailbox: c.Mailbox, Method: c.Method, URL: c.URL, Body: digestOf(c.Body),
	}
	return jwt.Signed(signer).Claims(signed).Serialize()
}

// digestOf is the claim that binds a body, "" for none.
func digestOf(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
