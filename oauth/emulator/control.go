package emulator

import (
	"fmt"
	"slices"
)

// TokenInfo says what a live access token is good for.
type TokenInfo struct {
	Email    string
	Scopes   []string
	ClientID string
}

// Lookup tells what a live access token is good for; false for one that is
// unknown, expired or revoked. An API emulator authenticates its callers by it.
func (s *Server) Lookup(token string) (TokenInfo, bool) {
	t, ok := s.ledger.lookup(token)
	if !ok {
		return TokenInfo{}, false
	}
	user, ok := s.user(t.from.grant.account)
	if !ok {
		return TokenInfo{}, false
	}
	return TokenInfo{Email: user.Email, Scopes: slices.Clone(t.scopes), ClientID: t.from.grant.clientID}, true
}

// Revoked reports whether refreshToken was given out by this server and works
// no longer. It is false for a token the server has never seen.
func (s *Server) Revoked(refreshToken string) bool { return s.ledger.revoked(refreshToken) }

// RevokeUser removes every application's access to the account, as the person
// does on the provider's own account page. Browsers stay signed in.
func (s *Server) RevokeUser(email string) { s.ledger.revokeAccount(accountKey(email)) }

// ExpireAccessTokens ends all access tokens at once, an hour early. Refresh
// tokens stay good.
func (s *Server) ExpireAccessTokens() { s.ledger.expireAccessTokens() }

// RotateKey signs with a new key from now on and keeps publishing the one
// before it, as Google does every few weeks. Older keys disappear.
func (s *Server) RotateKey() error {
	if err := s.keys.rotate(); err != nil {
		return fmt.Errorf("emulator: rotate signing key: %w", err)
	}
	return nil
}
