package emulator

// TokenInfo is what an access token stands for.
type TokenInfo struct {
	Email string
	// Scopes are full scope addresses, as Google's consent screen grants them.
	Scopes []string
	// ClientID is the OAuth client (Google's "project") that quota is counted for.
	ClientID string
}

// Authenticator knows which access tokens are good. Lookup must be safe for
// concurrent use; false means unknown, expired or revoked: Gmail answers 401.
type Authenticator interface {
	Lookup(token string) (TokenInfo, bool)
}

// StaticTokens is a fixed set of tokens that never expire.
type StaticTokens map[string]TokenInfo

// Lookup implements Authenticator.
func (s StaticTokens) Lookup(token string) (TokenInfo, bool) {
	info, ok := s[token]
	return info, ok
}

// Chain asks each Authenticator in turn; the first that knows the token answers.
func Chain(auths ...Authenticator) Authenticator { return chain(auths) }

type chain []Authenticator

func (c chain) Lookup(token string) (TokenInfo, bool) {
	for _, a := range c {
		if a == nil {
			continue
		}
		if info, ok := a.Lookup(token); ok {
			return info, true
		}
	}
	return TokenInfo{}, false
}
