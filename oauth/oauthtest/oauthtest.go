// Package oauthtest builds the whole of package oauth for a test: a database, a decision log, a policy gate, and
// emulators of Google and of a staff directory on loopback, all on one clock that the test moves.
package oauthtest

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/oauth/emulator"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/agreement"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// The people of every test.
const (
	Ada = "ada.lovelace@example.com"
	Bob = "bob.kahn@example.com"

	Sam = "sam.support@staff.example"  // support and approver, with a second factor
	Ann = "ann.auditor@staff.example"  // auditor, with a password only
	Eve = "eve.nobody@staff.example"   // no role
	Pat = "pat.approver@staff.example" // approver, with a second factor
)

// Callbacks where nothing listens: a [Browser] stops there.
const (
	SignInCallback  = "https://product.test/auth/google/callback"
	ConnectCallback = "https://product.test/connect/callback"
	StaffCallback   = "https://product.test/auth/staff/callback"
	ProofCallback   = "https://product.test/access/callback"
	StepUpCallback  = "https://product.test/auth/google/step-up"
)

// World is everything that a test of this package needs.
type World struct {
	T          *testing.T
	DB         *database.DB
	Keys       *oauth.Keys
	Consents   *consent.Store
	Store      *oauth.Store
	Agreements *agreement.Store
	Desk       *agreement.Desk
	Log        *decisionlog.Log
	Gate       *policy.Gate
	Provider   *oauth.Provider
	Vault      *oauth.Vault
	Owners     *oauth.Owners
	Staff      *oauth.Staff
	Sessions   *oauth.Sessions
	Google     *emulator.Server
	Directory  *emulator.Server
	GoogleURL  string
	Disclosure consent.Text
	ServerLog  *Buffer // what the server logged

	offset    atomic.Int64
	mu        sync.Mutex
	intercept func(*http.Request) *http.Response
}

// Product is who runs the server in tests.
var Product = consent.Product{Name: "Webmail", Operator: "Example Ltd", Contact: "privacy@example.com", HelpURL: "https://product.test/help/data"}

// Company is whose staff ask in tests.
var Company = agreement.Company{Product: "Webmail", Operator: "Example Ltd", Country: "Ireland"}

// Redirects says where the providers send browsers back to.
type Redirects struct{ SignIn, Connect, Staff, Proof, StepUp string }

// New builds a world over a database.
func New(t *testing.T, db *database.DB) *World {
	return NewAt(t, db, Redirects{SignInCallback, ConnectCallback, StaffCallback, ProofCallback, StepUpCallback})
}

// NewAt is New for a product with other callbacks.
func NewAt(t *testing.T, db *database.DB, to Redirects) *World {
	t.Helper()
	w := &World{T: t, DB: db, ServerLog: &Buffer{}}
	ctx := t.Context()
	w.startEmulators(to)

	var err error
	w.Keys, err = oauth.OpenKeys(filepath.Join(t.TempDir(), "keys"))
	w.must(err)
	w.Consents, err = consent.Open(ctx, db, w.Now)
	w.must(err)
	w.Disclosure, err = consent.Render(consent.Current, Product)
	w.must(err)
	w.Store, err = oauth.Open(ctx, db, w.Keys, w.Consents, oauth.Options{Now: w.Now, Log: slog.New(slog.NewTextHandler(w.ServerLog, nil))})
	w.must(err)

	const origin = "product.test/decisions"
	signer, verifier, err := decisionlog.LoadOrCreateKey(filepath.Join(t.TempDir(), "log.key"), origin)
	w.must(err)
	w.Log, err = decisionlog.Open(ctx, db, decisionlog.Config{Origin: origin, Signer: signer, Verifier: verifier, Now: w.Now})
	w.must(err)
	t.Cleanup(func() { w.Log.Close() })
	w.Agreements, err = agreement.Open(ctx, db, w.Store, w.Now)
	w.must(err)
	w.Provider = w.NewProvider()
	w.Gate = w.NewGate()
	w.Desk, err = w.Agreements.Desk(w.Gate, w.Log, w.Store.Prover(w.Provider), Company)
	w.must(err)
	w.Vault = w.Store.Vault(w.Gate, w.Provider)
	w.Owners = w.Store.Owners(w.Gate, w.Vault, w.Provider, oauth.OwnersConfig{
		SignInRedirect: to.SignIn, ConnectRedirect: to.Connect, ProofRedirect: to.Proof, StepUpRedirect: to.StepUp,
	})
	w.Sessions = w.Store.Sessions(w.Gate, oauth.SessionConfig{})
	w.startStaff(to)
	return w
}

// NewProvider makes another client of the emulated Google, with no keys fetched yet.
func (w *World) NewProvider() *oauth.Provider {
	w.T.Helper()
	p, err := oauth.NewProvider(oauth.ProviderConfig{Issuer: w.GoogleURL, ClientID: "web", ClientSecret: "web-secret", Now: w.Now}, &http.Client{Transport: w})
	w.must(err)
	return p
}

// NewGate makes another gate over the same log and facts.
func (w *World) NewGate() *policy.Gate {
	w.T.Helper()
	gate, err := policy.NewGate(w.T.Context(), policy.Config{
		Log: w.Log, Facts: facts{Store: w.Store, agreements: w.Agreements}, Prover: w.Store.Prover(w.Provider), PseudonymKey: w.Keys.Pseudonym(),
	})
	w.must(err)
	w.T.Cleanup(gate.Close)
	return gate
}

// facts is the store with the facts that belong to other packages.
type facts struct {
	policy.OwnersAlone
	*oauth.Store
	agreements *agreement.Store
}

func (f facts) Agreement(ctx context.Context, id string) (policy.Agreement, error) {
	return f.agreements.Agreement(ctx, id)
}

func (f facts) Acknowledged(ctx context.Context, person policy.PersonID) (time.Time, error) {
	return f.agreements.Acknowledged(ctx, person)
}

func (facts) Instruction(context.Context, string) (policy.Instruction, error) {
	return policy.Instruction{}, policy.ErrUnknown
}

func (w *World) startEmulators(to Redirects) {
	google := emulator.Google()
	google.Now = w.Now
	google.Users = []emulator.User{{Email: Ada, Name: "Ada Lovelace"}, {Email: Bob, Name: "Bob Kahn"}}
	google.Clients = []emulator.Client{{ID: "web", Secret: "web-secret", Name: "Webmail", RedirectURIs: []string{to.SignIn, to.Connect, to.Proof, to.StepUp}}}
	w.Google, w.GoogleURL = w.serve(google)
}

func (w *World) startStaff(to Redirects) {
	staff := emulator.Staff()
	staff.Now = w.Now
	staff.Users = []emulator.User{
		{Email: Sam, Name: "Sam", Groups: []string{"mail-support", "mail-approvers", "everyone"}, AMR: []string{"pwd", "mfa"}},
		{Email: Pat, Name: "Pat", Groups: []string{"mail-approvers"}, AMR: []string{"pwd", "mfa"}},
		{Email: Ann, Name: "Ann", Groups: []string{"mail-audit"}, AMR: []string{"pwd"}},
		{Email: Eve, Name: "Eve", Groups: []string{"everyone"}, AMR: []string{"pwd", "mfa"}},
	}
	staff.Clients = []emulator.Client{{ID: "staff-web", Secret: "staff-secret", RedirectURIs: []string{to.Staff}}}
	directory, issuer := w.serve(staff)
	w.Directory = directory
	provider, err := oauth.NewProvider(oauth.ProviderConfig{Issuer: issuer, ClientID: "staff-web", ClientSecret: "staff-secret", Now: w.Now}, &http.Client{Transport: w})
	w.must(err)
	w.Staff, err = w.Store.Staff(w.Gate, provider, oauth.StaffConfig{Redirect: to.Staff, Roles: map[string]string{
		"mail-support": oauth.RoleSupport, "mail-approvers": oauth.RoleApprover, "mail-audit": oauth.RoleAuditor,
		"support": oauth.RoleSupport, "auditor": oauth.RoleAuditor, "reviewer": oauth.RoleReviewer,
	}})
	w.must(err)
}

func (w *World) serve(o emulator.Options) (*emulator.Server, string) {
	server, err := emulator.New(o)
	w.must(err)
	listening := httptest.NewServer(server.Handler())
	w.T.Cleanup(listening.Close)
	w.must(server.SetIssuer(listening.URL))
	return server, listening.URL
}

// Now is the clock of everything in the world, in the microseconds that the database keeps.
func (w *World) Now() time.Time {
	return time.Now().Add(time.Duration(w.offset.Load())).Truncate(time.Microsecond)
}

// Advance moves the clock.
func (w *World) Advance(d time.Duration) { w.offset.Add(int64(d)) }

// Intercept lets a test answer the server's own requests to the providers; a nil answer lets one through.
// A nil function ends it.
func (w *World) Intercept(f func(*http.Request) *http.Response) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.intercept = f
}

// RoundTrip makes the World the transport of the providers.
func (w *World) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	intercept := w.intercept
	w.mu.Unlock()
	if intercept != nil {
		if answer := intercept(r); answer != nil {
			answer.Request = r
			return answer, nil
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// Answer makes a response for Intercept.
func Answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte(body))),
	}
}

// Buffer is a bytes.Buffer that several goroutines may write.
type Buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (w *World) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// SetGroups gives a member of staff other groups; each is mapped to the role of the same name too.
func (w *World) SetGroups(email string, groups []string) {
	w.T.Helper()
	w.must(w.Directory.AddUser(emulator.User{Email: email, Groups: groups, AMR: []string{"pwd", "mfa"}}))
}

// Exec changes the database behind everyone's back.
func (w *World) Exec(statement string, args ...any) {
	w.T.Helper()
	w.must(w.DB.Write(w.T.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(w.T.Context(), statement, args...)
		return err
	}))
}
