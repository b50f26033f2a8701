package emulator

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"sync"
	"time"
)

const (
	// accessTokenLife is one second under an hour, as Google reports it.
	accessTokenLife = 3599 * time.Second
	sweepInterval   = time.Minute
)

// grant is what one person gave one application. Every code and token points at
// the grant it came from and dies with it.
type grant struct {
	account  string // account key
	clientID string
	scopes   []string // canonical names
	offline  bool     // the person agreed to access while they are away
	revoked  bool
}

// lineage ties together what was made from one code, so that a replay of the
// code can end it without ending the grant.
type lineage struct {
	grant   *grant
	revoked bool
}

func (l *lineage) live() bool { return !l.revoked && !l.grant.revoked }

type accessToken struct {
	from    *lineage
	scopes  []string
	offline bool
	expires time.Time
}

type refreshToken struct {
	from     *lineage
	scopes   []string
	authTime time.Time
}

// digest stands for a secret the server gave out. The secrets themselves are
// not kept: looking one up by its digest needs no constant-time comparison, and
// no dump of the server shows a token.
type digest [sha256.Size]byte

func digestOf(secret string) digest { return sha256.Sum256([]byte(secret)) }

// newSecret makes a token: a prefix as Google's have and 256 random bits.
func newSecret(prefix string) string {
	var random [32]byte
	rand.Read(random[:]) // never fails (crypto/rand since Go 1.24)
	return prefix + base64.RawURLEncoding.EncodeToString(random[:])
}

// ledger holds everything the server has given out.
type ledger struct {
	now func() time.Time

	mu      sync.Mutex // guards what follows and all that it points at
	grants  []*grant   // the live ones
	codes   map[digest]*code
	access  map[digest]*accessToken
	refresh map[digest]*refreshToken // revoked ones stay, to tell them from unknown ones
	swept   time.Time
}

func newLedger(now func() time.Time) *ledger {
	return &ledger{
		now:     now,
		codes:   map[digest]*code{},
		access:  map[digest]*accessToken{},
		refresh: map[digest]*refreshToken{},
	}
}

// held tells what the person has granted the application so far.
func (l *ledger) held(account, clientID string) (scopes []string, offline bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.find(account, clientID); g != nil {
		return slices.Clone(g.scopes), g.offline
	}
	return nil, false
}

func (l *ledger) find(account, clientID string) *grant {
	for _, g := range l.grants {
		if g.account == account && g.clientID == clientID {
			return g
		}
	}
	return nil
}

// addAccess makes an access token, or false if its grant ended meanwhile.
func (l *ledger) addAccess(from *lineage, scopes []string, offline bool) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	if !from.live() {
		return "", false
	}
	secret := newSecret("ya29.a0")
	l.access[digestOf(secret)] = &accessToken{from, scopes, offline, l.now().Add(accessTokenLife)}
	return secret, true
}

func (l *ledger) addRefresh(c code) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	secret := newSecret("1//0")
	l.refresh[digestOf(secret)] = &refreshToken{c.from, c.scopes, c.authTime}
	return secret
}

// refreshable checks a refresh token for the client that presents it.
func (l *ledger) refreshable(secret, clientID string) (refreshToken, *oauthError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.refresh[digestOf(secret)]
	switch {
	case !ok, t.from.grant.clientID != clientID:
		return refreshToken{}, badRequest("invalid_grant", "Bad Request")
	case !t.from.live():
		return refreshToken{}, badRequest("invalid_grant", "Token has been expired or revoked.")
	}
	return *t, nil
}

// lookup finds a live access token.
func (l *ledger) lookup(secret string) (accessToken, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.access[digestOf(secret)]
	if !ok || !t.from.live() || !l.now().Before(t.expires) {
		return accessToken{}, false
	}
	return *t, true
}

func (l *ledger) revoked(refreshSecret string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.refresh[digestOf(refreshSecret)]
	return ok && !t.from.live()
}

// revokeToken removes the grant that an access or refresh token came from, with
// every other token of it; false if the token is not live.
func (l *ledger) revokeToken(secret string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var from *lineage
	if t, ok := l.refresh[digestOf(secret)]; ok {
		from = t.from
	} else if t, ok := l.access[digestOf(secret)]; ok && l.now().Before(t.expires) {
		from = t.from
	}
	if from == nil || !from.live() {
		return false
	}
	l.end(func(g *grant) bool { return g == from.grant })
	return true
}

func (l *ledger) revokeAccount(account string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(func(g *grant) bool { return g.account == account })
}

func (l *ledger) end(ends func(*grant) bool) {
	l.grants = slices.DeleteFunc(l.grants, func(g *grant) bool {
		if !ends(g) {
			return false
		}
		g.revoked = true
		return true
	})
}

func (l *ledger) expireAccessTokens() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.access)
}

// sweep drops what has run out, at most once a minute.
func (l *ledger) sweep() {
	now := l.now()
	if now.Sub(l.swept) < sweepInterval {
		return
	}
	l.swept = now
	for d, c := range l.codes {
		if now.Sub(c.issued) > codeMemory {
			delete(l.codes, d)
		}
	}
	for d, t := range l.access {
		if !now.Before(t.expires) {
			delete(l.access, d)
		}
	}
}
