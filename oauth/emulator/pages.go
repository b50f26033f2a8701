package emulator

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed pages
var pageFiles embed.FS

var templates = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// accountRow is one button of the account chooser.
type accountRow struct {
	Email    string
	Name     string
	Initial  string
	SignedIn bool
}

type chooserPage struct {
	Provider string
	App      string
	Page     string // one-time id of the form
	Accounts []accountRow
}

type consentPage struct {
	Provider string
	App      string
	Page     string // one-time id of the form
	Account  accountRow
	SignIn   []scopeLine // come with signing in
	Tickable []scopeLine // each with its own box
	Held     []scopeLine // given before
	Offline  bool
}

type errorPage struct {
	Provider    string
	Status      int
	Code        string
	Description string
}

// showChooser lists all accounts, the hinted one first.
func (s *Server) showChooser(w http.ResponseWriter, p page, client Client) {
	hinted, _ := s.hinted(p.request.loginHint)
	signedIn := s.browsers.signedIn(p.browser)
	var rows []accountRow
	for _, user := range s.sortedUsers() {
		_, in := signedIn[accountKey(user.Email)]
		row := rowFor(user, in)
		if user.Email == hinted.Email {
			rows = slices.Insert(rows, 0, row)
		} else {
			rows = append(rows, row)
		}
	}
	s.render(w, http.StatusOK, "chooser.html", p.request.redirectURI, chooserPage{
		Provider: s.name,
		App:      displayName(client, p.request),
		Page:     s.browsers.open(p),
		Accounts: rows,
	})
}

func (s *Server) showConsent(w http.ResponseWriter, p page, client Client) {
	s.renderConsent(w, p, client, s.browsers.open(p))
}

// renderConsent shows the consent page under the id that secret opens.
func (s *Server) renderConsent(w http.ResponseWriter, p page, client Client, secret string) {
	user, _ := s.user(p.account)
	held, _ := s.ledger.held(p.account, p.request.clientID)
	lines, err := s.resolveScopes(p.request.scopes, held)
	if err != nil {
		s.refuse(w, err)
		return
	}
	view := consentPage{
		Provider: s.name,
		App:      displayName(client, p.request),
		Page:     secret,
		Account:  rowFor(user, true),
		Offline:  p.request.offline,
	}
	for _, line := range lines {
		_, signIn := s.signInScope(line.Scope)
		switch {
		case signIn:
			view.SignIn = append(view.SignIn, line)
		case line.Held:
			view.Held = append(view.Held, line)
		default:
			view.Tickable = append(view.Tickable, line)
		}
	}
	s.render(w, http.StatusOK, "consent.html", p.request.redirectURI, view)
}

// refuse tells the person what is wrong with the application's request.
func (s *Server) refuse(w http.ResponseWriter, e *oauthError) {
	s.render(w, e.Status, "error.html", "", errorPage{s.name, e.Status, e.Code, e.Description})
}

// refuseStale answers a form that was sent before, is too old, or was made for
// another browser: nobody needs to know which.
func (s *Server) refuseStale(w http.ResponseWriter) {
	s.refuse(w, badRequest("invalid_request", "This page has expired. Go back to the application and start again."))
}

func (s *Server) serveCrossOriginRefusal(w http.ResponseWriter, _ *http.Request) {
	s.refuse(w, &oauthError{http.StatusForbidden, "invalid_request", "This form was sent from another site."})
}

// render writes a page that runs no script and whose forms lead here and, by
// redirect, to redirectURI.
func (s *Server) render(w http.ResponseWriter, status int, name, redirectURI string, view any) {
	// Into memory first: half a page with status 200 would be worse than none.
	var body bytes.Buffer
	if err := templates.ExecuteTemplate(&body, name, view); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"+formTarget(redirectURI))
	// Not no-referrer: that would make browsers send "Origin: null" with the
	// forms, which is no proof of where they come from.
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the reader may be gone
}

// formTarget is the client's part of form-action. Chromium applies that
// directive to the redirect that answers a form, too.
func formTarget(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	if err != nil || u.Scheme == "" {
		return ""
	}
	// An application's own scheme has no host, and CSP cannot write an IPv6
	// address: there the scheme has to do.
	if u.Host == "" || strings.ContainsAny(u.Host, "[;, ") {
		return " " + u.Scheme + ":"
	}
	return " " + u.Scheme + "://" + u.Host
}

func rowFor(u User, signedIn bool) accountRow {
	row := accountRow{Email: u.Email, Name: u.Name, SignedIn: signedIn}
	if row.Name == "" {
		row.Name, _, _ = strings.Cut(u.Email, "@")
	}
	first, _ := utf8.DecodeRuneInString(row.Name)
	row.Initial = string(unicode.ToUpper(first))
	return row
}

// displayName is what a person knows the application by.
func displayName(c Client, req authRequest) string {
	if c.Name != "" {
		return c.Name
	}
	if u, err := url.Parse(req.redirectURI); err == nil && u.Host != "" {
		return u.Host
	}
	return c.ID
}

func serveStyle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=3600")
	http.ServeFileFS(w, r, pageFiles, "pages/style.css")
}
