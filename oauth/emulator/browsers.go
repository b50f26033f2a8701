package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// browserLife is how long a browser stays signed in without a visit.
	browserLife = 14 * 24 * time.Hour
	// pageLife is how long a page waits for its answer.
	pageLife = 10 * time.Minute
)

// page is a sign-in in progress: what a person was shown and may answer once.
// Its id travels in the form; only the browser it was made for may use it.
type page struct {
	request  authRequest
	browser  digest
	account  string    // account key, once chosen
	authTime time.Time // when the account signed in, once chosen
	made     time.Time
}

// browser is who is signed in where.
type browser struct {
	signedIn map[string]time.Time // account key -> when they signed in
	seen     time.Time
}

// browsers remembers browsers by their cookie, and the pages open in them.
type browsers struct {
	now func() time.Time

	mu    sync.Mutex // guards what follows
	known map[digest]*browser
	pages map[digest]page
	swept time.Time
}

func newBrowsers(now func() time.Time) *browsers {
	return &browsers{now: now, known: map[digest]*browser{}, pages: map[digest]page{}}
}

// identify finds the browser of a request by its cookie, or gives it one. The
// value of the cookie is never taken from the browser.
func (s *Server) identify(w http.ResponseWriter, r *http.Request) digest {
	name := cookieName(s.origin())
	if cookie, err := r.Cookie(name); err == nil {
		if id := digestOf(cookie.Value); s.browsers.knows(id) {
			return id
		}
	}
	secret := newSecret("")
	http.SetCookie(w, &http.Cookie{
		Name:     name,
		Value:    secret,
		Path:     "/",
		HttpOnly: true,
		Secure:   strings.HasPrefix(s.origin(), "https:"),
		SameSite: http.SameSiteLaxMode, // clients on other sites send people here by link
	})
	return s.browsers.add(secret)
}

// cookieName differs between providers on one host, since cookies ignore ports.
func cookieName(issuer string) string {
	sum := sha256.Sum256([]byte(issuer))
	return "signin_" + hex.EncodeToString(sum[:4])
}

func (b *browsers) knows(id digest) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	known, ok := b.known[id]
	if ok {
		known.seen = b.now()
	}
	return ok
}

func (b *browsers) add(secret string) digest {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	id := digestOf(secret)
	b.known[id] = &browser{signedIn: map[string]time.Time{}, seen: b.now()}
	return id
}

// signedIn lists the accounts of a browser and when each signed in.
func (b *browsers) signedIn(id digest) map[string]time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known, ok := b.known[id]; ok {
		return maps.Clone(known.signedIn)
	}
	return nil
}

// signIn records a choice of account and returns when the person
// authenticated: now, unless they already had and that is fresh enough.
func (b *browsers) signIn(id digest, account string, maxAge *time.Duration) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	known, ok := b.known[id]
	if !ok { // swept while the page was open
		return now
	}
	if at, ok := known.signedIn[account]; ok && fresh(at, now, maxAge) {
		return at
	}
	known.signedIn[account] = now
	return now
}

// fresh reports whether a sign-in is recent enough for the client. A limit of
// zero asks for a new one always (OIDC Core 3.1.2.1).
func fresh(at, now time.Time, maxAge *time.Duration) bool {
	return maxAge == nil || *maxAge > 0 && now.Sub(at) <= *maxAge
}

// open remembers a page and returns the id that its form carries.
func (b *browsers) open(p page) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	p.made = b.now()
	secret := newSecret("")
	b.pages[digestOf(secret)] = p
	return secret
}

// show finds an open page, for the browser it belongs to.
func (b *browsers) show(secret string, id digest) (page, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.find(secret, id)
}

// answer finds an open page and closes it: its form counts once.
func (b *browsers) answer(secret string, id digest) (page, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.find(secret, id)
	if ok {
		delete(b.pages, digestOf(secret))
	}
	return p, ok
}

func (b *browsers) find(secret string, id digest) (page, bool) {
	p, ok := b.pages[digestOf(secret)]
	if !ok || p.browser != id || b.now().Sub(p.made) > pageLife {
		return page{}, false
	}
	return p, true
}

// sweep drops what has run out, at most once a minute.
func (b *browsers) sweep() {
	now := b.now()
	if now.Sub(b.swept) < sweepInterval {
		return
	}
	b.swept = now
	maps.DeleteFunc(b.pages, func(_ digest, p page) bool { return now.Sub(p.made) > pageLife })
	maps.DeleteFunc(b.known, func(_ digest, k *browser) bool { return now.Sub(k.seen) > browserLife })
}
