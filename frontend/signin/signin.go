package signin

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy/agreement"
	"github.com/totalengage/webmail/policy/consent"
)

// The paths of this package that others must know: the callbacks are registered at the providers.
const (
	SignInPath          = "/auth/google/start"
	SignInCallbackPath  = "/auth/google/callback"
	ConnectPath         = "/connect"
	ConnectCallbackPath = "/connect/callback"
	StaffPath           = "/auth/staff/start"
	StaffCallbackPath   = "/auth/staff/callback"
	ProofCallbackPath   = "/access/callback"
	StepUpCallbackPath  = "/auth/google/step-up"
	PrivacyPath         = "/privacy"
	LimitedUsePath      = "/limited-use"
	HelpPath            = "/help/data"
	disclosurePath      = "/disclosure/{language}/{version:[0-9]+}"
	stylePath           = "/auth/style.css"
)

// Deps are what the pages stand on.
type Deps struct {
	Owners     *oauth.Owners
	Staff      *oauth.Staff // nil: no staff sign-in
	Sessions   *oauth.Sessions
	Desk       *agreement.Desk
	Disclosure consent.Text    // the current one, as rendered for Product
	Announced  time.Time       // when this deployment announced it
	Product    consent.Product // who runs this server
	Log        *slog.Logger    // nil means slog.Default()
}

// FormActionOrigins lists the origins that a form may lead to by redirect, for the CSP of any page with a
// sign-in button: Chromium applies form-action to the redirect that answers a form.
func FormActionOrigins(d Deps) []string {
	origins := []string{d.Owners.AuthOrigin()}
	if d.Staff != nil {
		origins = append(origins, d.Staff.AuthOrigin())
	}
	return origins
}

// Register adds the routes. This is the whole table; a page is open to anyone unless its handler asks for a
// session.
func Register(r *mux.Router, d Deps) {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	s := &pages{d}
	for _, route := range []struct {
		method, path string
		serve        func(http.ResponseWriter, *http.Request) error
	}{
		{"POST", SignInPath, s.startSignIn},
		{"GET", SignInCallbackPath, s.finishSignIn},
		{"GET", ConnectPath, s.showDisclosure},        // owner
		{"POST", ConnectPath, s.agree},                // owner
		{"GET", ConnectCallbackPath, s.finishConnect}, // owner
		{"GET", ProofCallbackPath, s.finishProof},     // owner
		{"GET", StepUpCallbackPath, s.finishStepUp},   // owner
		{"POST", StaffPath, s.startStaff},
		{"GET", StaffCallbackPath, s.finishStaff},
		{"GET", PrivacyPath, s.showPrivacy},
		{"GET", LimitedUsePath, s.showLimitedUse},
		{"GET", HelpPath, s.showHelp},
		{"GET", disclosurePath, s.showText},
	} {
		r.HandleFunc(route.path, s.page(route.serve)).Methods(route.method)
	}
	r.HandleFunc(stylePath, serveStyle).Methods("GET")
}

// pages serves the routes.
type pages struct{ Deps }

// page turns an error of a handler into a page.
func (s *pages) page(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := serve(w, r); err != nil {
			s.showProblem(w, r, err)
		}
	}
}
