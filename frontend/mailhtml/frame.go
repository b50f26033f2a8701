package mailhtml

import (
	"net/http"
	"strings"
)

// FrameSandbox is the sandbox of a mail body: the page writes it into the
// frame's sandbox attribute and [Headers] into the policy of the document, so
// that the document stays boxed when it is opened outside the frame too.
//
// allow-same-origin lets the page measure the document and hear its keys; it is
// safe only as long as allow-scripts is absent, which would let the document
// remove its own sandbox. allow-popups lets links open a tab, and
// allow-popups-to-escape-sandbox lets the site opened there work.
const FrameSandbox = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"

// Headers returns the response headers of a mail body document.
//
// imageSources are the CSP host-sources under which this body's images are
// served, usually one: host and signed path with a closing slash, such as
// "mail.example.com/mail/image/3q2-8w/" (CSP has no path-only form; without a
// scheme the document's own applies). A source holding anything that could
// leave its place in the policy is left out, so its images are not shown.
func Headers(imageSources ...string) http.Header {
	img := "img-src data:"
	for _, source := range imageSources {
		if isHostSource(source) {
			img += " " + source
		}
	}
	policy := []string{
		"default-src 'none'",
		img,
		"style-src 'unsafe-inline'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'self'",
		"sandbox " + FrameSandbox,
	}
	h := http.Header{}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", strings.Join(policy, "; "))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-DNS-Prefetch-Control", "off")
	h.Set("Cache-Control", "private, no-store")
	return h
}

// isHostSource reports whether s can stand in a CSP source list as one host
// with a path. Wildcards are refused: a body may name one place only.
func isHostSource(s string) bool {
	rest := strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
	host, _, ok := strings.Cut(rest, "/")
	if !ok || host == "" {
		return false
	}
	for _, c := range rest {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.ContainsRune("-._~%/:[]=", c):
		default:
			return false
		}
	}
	return true
}
