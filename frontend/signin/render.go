package signin

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/totalengage/webmail/policy/consent"
)

//go:embed pages
var files embed.FS

var templates = template.Must(template.ParseFS(files, "pages/*.html"))

// common is what every page shows.
type common struct {
	PageTitle string
	Product   consent.Product
}

func (s *pages) common(title string) common { return common{title, s.Product} }

// disclosureText is a disclosure with its digest in hex, which the form sends back.
type disclosureText struct {
	consent.Text
	Digest string
}

// render writes a page that runs no script, loads nothing but its stylesheet, cannot be framed, and whose
// forms lead here and to the providers only.
func (s *pages) render(w http.ResponseWriter, status int, name string, view any) error {
	// Into memory first: half a page with status 200 would be worse than none.
	var body bytes.Buffer
	if err := templates.ExecuteTemplate(&body, name, view); err != nil {
		return fmt.Errorf("signin: page %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+strings.Join(FormActionOrigins(s.Deps), " "))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	// Not no-referrer: that would make browsers send "Origin: null" with the forms, which older ones need for
	// the proof that a form is ours.
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the reader may be gone
	return nil
}

func serveStyle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=3600")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeFileFS(w, r, files, "pages/style.css")
}
