package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// PushCaller is the service account in whose name Google's Pub/Sub posts notifications.
type PushCaller struct {
	provider *Provider
	audience string // what the subscription's tokens are for
	account  string // the service account's address
}

// PushCaller makes the verifier of a push subscription's tokens. They are signed with the same keys as ID tokens of
// people, so issuer, audience and address must all be the configured ones.
func (p *Provider) PushCaller(audience, account string) PushCaller {
	return PushCaller{p, audience, account}
}

var errPushCaller = errors.New("oauth: not the configured caller of notifications")

// VerifyPush checks a token and returns when it was issued.
func (c PushCaller) VerifyPush(ctx context.Context, token string) (issued time.Time, err error) {
	config, _, err := c.provider.ready(ctx)
	if err != nil {
		return issued, err
	}
	verifier := oidc.NewVerifier(config.Issuer, c.provider.keySet(), &oidc.Config{
		ClientID: c.audience, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256, oidc.PS256}, Now: c.provider.now,
	})
	id, err := verifier.Verify(ctx, token)
	if err != nil {
		return issued, errPushCaller // the cause may quote the token
	}
	var claims struct {
		Email         string `json:"email"`
		EmailVerified bool   `json:"email_verified"`
	}
	if id.Claims(&claims) != nil || claims.Email != c.account || !claims.EmailVerified {
		return issued, errPushCaller
	}
	return id.IssuedAt, nil
}
