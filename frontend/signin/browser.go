package signin

import (
	"crypto/rand"
	"net/http"
	"time"

	"github.com/totalengage/webmail/oauth"
)

// flowCookie ties a redirect to the browser that began it. Lax, because the reply comes by a link from the
// provider's site. The prefix keeps other hosts of the domain from planting one.
const flowCookie = "__Host-flow"

// flowBrowser returns the browser's flow secret, giving it one if it has none. An existing one is kept, so
// that two tabs can sign in at once.
func flowBrowser(w http.ResponseWriter, r *http.Request) string {
	secret := knownBrowser(r)
	if secret == "" {
		secret = rand.Text() // 130 bits
	}
	http.SetCookie(w, &http.Cookie{
		Name: flowCookie, Value: secret, Path: "/", MaxAge: int(oauth.FlowLife / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return secret
}

// FlowBrowser is the same for other pages that lead to a provider.
func FlowBrowser(w http.ResponseWriter, r *http.Request) string { return flowBrowser(w, r) }

// knownBrowser returns the flow secret that the browser has, or "".
func knownBrowser(r *http.Request) string {
	cookie, err := r.Cookie(flowCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}
