package frontend_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/frontend"
	"github.com/totalengage/webmail/frontend/searches"
	"github.com/totalengage/webmail/frontend/signin"
	"github.com/totalengage/webmail/inbox"
	gmail "github.com/totalengage/webmail/inbox/emulator"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/oauth"
	signon "github.com/totalengage/webmail/oauth/emulator"
	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// house is the product behind its handler, over an emulated Google with Ada's mail in it.
type house struct {
	*World
	url       string
	transport http.RoundTripper
	post      *gmail.Server
	account   policy.AccountID // Ada's mailbox
	answering func()           // called once, when Gmail is about to answer; nil for nothing
}

// signedIn lets the emulated Gmail accept the tokens of the emulated sign-in.
type signedIn struct{ *signon.Server }

func (s signedIn) Lookup(token string) (gmail.TokenInfo, bool) {
	info, ok := s.Server.Lookup(token)
	return gmail.TokenInfo{Email: info.Email, Scopes: info.Scopes, ClientID: info.ClientID}, ok
}

type noHTML struct{}

func (noHTML) Outgoing(html string) (string, error) { return html, nil }
func (noHTML) Text(html string) string              { return html }

func eachHouse(t *testing.T, f func(t *testing.T, h *house)) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		var handler http.Handler
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
		t.Cleanup(server.Close)
		db := open(t)
		w := NewAt(t, db, Redirects{
			SignIn: server.URL + signin.SignInCallbackPath, Connect: server.URL + signin.ConnectCallbackPath, Staff: server.URL + signin.StaffCallbackPath,
			Proof: server.URL + signin.ProofCallbackPath, StepUp: server.URL + signin.StepUpCallbackPath,
		})
		h := &house{World: w, url: server.URL, transport: server.Client().Transport}
		h.post = gmail.New(gmail.Options{Auth: signedIn{w.Google}, Quota: "off", Now: w.Now, Logf: func(string, ...any) {}})
		must(t, h.post.AddUser(Ada, "Ada Lovelace"))
		must(t, h.post.AddUser(Bob, "Bob Kahn"))
		postOffice := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if f := h.answering; f != nil {
				h.answering = nil
				f()
			}
			h.post.Handler().ServeHTTP(w, r)
		}))
		t.Cleanup(postOffice.Close)

		must(t, inbox.Migrate(t.Context(), db))
		permits := consent.OpenPermissions(db, w.Store, w.Store, w.Now)
		mail, err := inbox.New(inbox.Config{
			Gate: w.Gate, Tokens: w.Vault, Sealer: w.Store, Database: db, Endpoint: postOffice.URL + "/", Transport: http.DefaultTransport, Units: -1, Now: w.Now,
			Identity: w.Store, HTML: noHTML{}, Permits: permits,
		})
		must(t, err)
		t.Cleanup(mail.Close)
		kept, err := searches.Open(t.Context(), db, w.Now)
		must(t, err)
		front, err := frontend.New(frontend.Config{
			Searches:  kept,
			PublicURL: server.URL, Product: frontend.Product{Name: "Webmail"}, Gate: w.Gate, Log: w.Log, Inbox: mail, Permits: permits, Sessions: w.Sessions, Owners: w.Owners,
			Vault: w.Vault, Desk: w.Desk, Mailboxes: w.Store, Rights: w.Store.Rights(w.Gate), LinkKey: bytes.Repeat([]byte{7}, 32),
			SignIn: signin.Deps{Owners: w.Owners, Staff: w.Staff, Sessions: w.Sessions, Desk: w.Desk, Disclosure: w.Disclosure, Announced: w.Consents.Announced(), Product: Product},
		})
		must(t, err)
		handler, err = front.Handler()
		must(t, err)
		f(t, h)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person is somebody's browser at the product.
type person struct {
	*Browser
	house *house
}

func (h *house) person() *person { return &person{NewBrowser(h.T, h.transport), h} }

// owner signs in and connects the mailbox.
func (h *house) owner(email string) *person {
	h.T.Helper()
	p := h.person()
	p.AgreeOn(p.Post(h.url+signin.SignInPath, nil), email)
	session := h.session(p)
	account, err := h.Owners.Accounts(h.T.Context(), session.Person)
	must(h.T, err)
	if len(account) == 0 {
		record, err := h.Owners.Agree(h.T.Context(), session, h.Disclosure)
		must(h.T, err)
		address, err := h.Owners.StartConnect(h.T.Context(), p.cookie("__Host-flow"), session, record, email)
		must(h.T, err)
		p.Agree(address, email)
		account, err = h.Owners.Accounts(h.T.Context(), session.Person)
		must(h.T, err)
	}
	if len(account) != 1 {
		h.T.Fatalf("%d mailboxes are connected, want 1", len(account))
	}
	h.account = account[0].ID
	return p
}

// staff signs in with whatever groups the directory gives, and acknowledges the rules when the role needs it.
func (h *house) staff(email string) *person {
	h.T.Helper()
	p := h.person()
	p.AgreeOn(p.Post(h.url+signin.StaffPath, nil), email)
	var rules struct {
		Text struct {
			Version int
			SHA256  string
		}
	}
	if p.json("GET", "/api/staff/acknowledgement", nil, &rules) == 200 {
		p.ok("POST", "/api/staff/acknowledgement", map[string]any{"version": rules.Text.Version, "sha256": rules.Text.SHA256}, nil)
	}
	return p
}

func (p *person) cookie(name string) string {
	for _, c := range p.Cookies(p.house.url) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// do makes a request as the product's own page would.
func (p *person) do(method, path string, body any, header ...string) Page {
	p.house.T.Helper()
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		must(p.house.T, err)
		content = bytes.NewReader(data)
	}
	r, err := http.NewRequest(method, p.house.url+path, content)
	must(p.house.T, err)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return p.Do(r)
}

func (p *person) json(method, path string, body, into any) int {
	p.house.T.Helper()
	page := p.do(method, path, body)
	if into != nil && strings.Contains(page.Header.Get("Content-Type"), "json") {
		must(p.house.T, json.Unmarshal([]byte(page.Body), into))
	}
	return page.Status
}

func (p *person) ok(method, path string, body, into any) {
	p.house.T.Helper()
	var text json.RawMessage
	if status := p.json(method, path, body, &text); status >= 300 {
		p.house.T.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	if into != nil {
		must(p.house.T, json.Unmarshal(text, into))
	}
}

// problem is a refusal as the page gets it.
type problem struct {
	Code, DecisionID string
	Clauses          []string
}

// put puts a message into Ada's mailbox and returns its id.
func (h *house) put(raw string) string {
	h.T.Helper()
	id, err := h.post.Insert(Ada, []byte(strings.ReplaceAll(raw, "\n", "\r\n")), []string{"INBOX"}, h.Now().Add(-time.Hour))
	must(h.T, err)
	return id
}

// session is the session behind a browser's cookie.
func (h *house) session(p *person) oauth.Session {
	h.T.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	for _, c := range p.Cookies(h.url) {
		r.AddCookie(c)
	}
	session, err := h.Sessions.Current(r)
	must(h.T, err)
	return session
}
