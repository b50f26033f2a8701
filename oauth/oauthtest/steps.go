package oauthtest

import (
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// Visitor is a person at a browser of the product, without the product's pages in between.
type Visitor struct {
	*Browser
	world   *World
	Secret  string // the flow cookie
	Request *http.Request
	Session oauth.Session
}

// NewVisitor returns a visitor who has not signed in.
func (w *World) NewVisitor(secret string) *Visitor {
	return &Visitor{Browser: NewBrowser(w.T, nil), world: w, Secret: secret, Request: httptest.NewRequest("GET", "/", nil)}
}

// SignIn signs an owner in and begins the session.
func (v *Visitor) SignIn(email string) *Visitor {
	w := v.world
	w.T.Helper()
	address, err := w.Owners.StartSignIn(w.T.Context(), v.Secret)
	w.must(err)
	who, err := w.Owners.FinishSignIn(w.T.Context(), v.Secret, v.Agree(address, email).URL.Query())
	w.must(err)
	return v.begin(who)
}

// SignInStaff signs a member of staff in and begins the session.
func (v *Visitor) SignInStaff(email string) *Visitor {
	w := v.world
	w.T.Helper()
	address, err := w.Staff.StartSignIn(w.T.Context(), v.Secret)
	w.must(err)
	who, err := w.Staff.FinishSignIn(w.T.Context(), v.Secret, v.Agree(address, email).URL.Query())
	w.must(err)
	return v.begin(who)
}

// begin starts the session and gives the visitor's next request its cookie.
func (v *Visitor) begin(who oauth.SignedIn) *Visitor {
	v.world.T.Helper()
	answer := httptest.NewRecorder()
	var err error
	v.Session, err = v.world.Sessions.Begin(answer, v.Next(), who)
	v.world.must(err)
	v.Request = httptest.NewRequest("GET", "/", nil)
	for _, c := range answer.Result().Cookies() {
		v.Request.AddCookie(c)
	}
	return v
}

// Next is another request with the same cookies.
func (v *Visitor) Next() *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	for _, c := range v.Request.Cookies() {
		r.AddCookie(c)
	}
	return r
}

// Consent agrees to the disclosure and returns the record's id.
func (v *Visitor) Consent() string {
	v.world.T.Helper()
	id, err := v.world.Owners.Agree(v.world.T.Context(), v.Session, v.world.Disclosure)
	v.world.must(err)
	return id
}

// StartConnect goes as far as Google's answer and returns what the browser brings back.
func (v *Visitor) StartConnect(consentID, mailbox string, without ...string) Page {
	v.world.T.Helper()
	address, err := v.world.Owners.StartConnect(v.world.T.Context(), v.Secret, v.Session, consentID, mailbox)
	v.world.must(err)
	return v.Agree(address, mailbox, without...)
}

// Connect connects a mailbox.
func (v *Visitor) Connect(mailbox string) policy.AccountID {
	v.world.T.Helper()
	page := v.StartConnect(v.Consent(), mailbox)
	id, err := v.world.Owners.FinishConnect(v.world.T.Context(), v.Secret, v.Session, page.URL.Query())
	v.world.must(err)
	return id
}

// Grant asks the gate for a listing of the mailbox's labels.
func (v *Visitor) Grant(account policy.AccountID) *policy.Grant {
	v.world.T.Helper()
	grant, err := v.world.Authorize(v.world.Gate, v.Session, account)
	v.world.must(err)
	return grant
}

// Authorize asks a gate for a listing of the mailbox's labels.
func (w *World) Authorize(gate *policy.Gate, session oauth.Session, account policy.AccountID) (*policy.Grant, error) {
	return gate.Authorize(w.T.Context(), policy.Access{
		Actor: session.Actor(), Account: account, Purpose: "inbox.read", Feature: "label_list",
		Target: policy.Target{Operation: "labels.list", Resource: policy.Collection(policy.Labels, "", 100), Classes: []policy.DataClass{policy.Label}},
	})
}

// Events lists the lifecycle events in the log, oldest first.
func (w *World) Events() []string {
	w.T.Helper()
	var names []string
	for _, record := range w.records() {
		if record.Kind == decisionlog.Lifecycle {
			names = append(names, record.Operation)
		}
	}
	return names
}

// LogBytes is all that the decision log holds.
func (w *World) LogBytes() string {
	w.T.Helper()
	var all []byte
	for _, record := range w.records() {
		all = append(all, record.Body...)
	}
	return string(all)
}

// records reads the whole log, oldest first.
func (w *World) records() []decisionlog.Record {
	page, err := w.Log.Query(w.T.Context(), decisionlog.Filter{Limit: decisionlog.MaxPage})
	w.must(err)
	slices.Reverse(page.Records)
	return page.Records
}
