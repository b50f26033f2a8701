package platform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend"
	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/frontend/mailhtml"
	"github.com/totalengage/webmail/frontend/platform"
	"github.com/totalengage/webmail/frontend/signin"
	"github.com/totalengage/webmail/inbox"
	gmail "github.com/totalengage/webmail/inbox/emulator"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/oauth"
	signon "github.com/totalengage/webmail/oauth/emulator"
	"github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// The services of every test, with the purposes that are listed with their keys.
var services = map[string][]string{
	"crm":      {"inbox.sync", "inbox.compose"},
	"badge":    {"inbox.sync"},
	"growth":   {"marketing.audience"},
	"ads":      {"ads.personalized"},
	"trainer":  {"ai.train"},
	"scorer":   {"lead_scoring"},
	"exporter": {"export.bulk"},
	"slow":     {"inbox.sync"}, // registered for ten calls a minute
}

// world is the whole product over both emulators, with Ada's and Bob's mailboxes connected.
type world struct {
	*oauthtest.World
	url      string
	gmail    *gmail.Server
	gate     *policy.Gate
	inbox    *inbox.Service
	callers  *platform.Callers
	permits  *consent.Permissions
	platform *platform.Platform
	logged   *oauthtest.Buffer
	keys     map[string][]byte // private JWKs by caller
	ada, bob *oauthtest.Visitor
	adas     policy.AccountID
	bobs     policy.AccountID
}

func newWorld(t *testing.T, db *database.DB) *world {
	t.Helper()
	w := &world{World: oauthtest.New(t, db), keys: map[string][]byte{}, logged: &oauthtest.Buffer{}}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(a http.ResponseWriter, r *http.Request) { handler.ServeHTTP(a, r) }))
	t.Cleanup(server.Close)
	w.url = server.URL

	w.gmail = gmail.New(gmail.Options{Auth: signedIn{w.Google}, Quota: "off"})
	mail := httptest.NewServer(w.gmail.Handler())
	t.Cleanup(mail.Close)
	for _, address := range []string{oauthtest.Ada, oauthtest.Bob} {
		must(t, w.gmail.AddUser(address, "Somebody"))
	}

	w.callers = w.register(t)
	w.permits = consent.OpenPermissions(db, w.Store, w.Store, w.Now)
	must(t, inbox.Migrate(t.Context(), db))
	var err error
	w.gate, err = policy.NewGate(t.Context(), policy.Config{Log: w.Log, Facts: facts{Store: w.Store, w: w}, PseudonymKey: w.Keys.Pseudonym()})
	must(t, err)
	t.Cleanup(w.gate.Close)
	w.inbox, err = inbox.New(inbox.Config{
		Gate: w.gate, Tokens: w.Store.Vault(w.gate, w.Provider), Sealer: w.Store, Identity: w.Store, HTML: cleaned{}, Database: db, Endpoint: mail.URL + "/", Transport: http.DefaultTransport,
		Units: -1, Now: w.Now,
	})
	must(t, err)
	t.Cleanup(w.inbox.Close)
	w.Vault.OnPurge(w.permits.PurgeAccount)

	w.platform = w.node(t)
	front, err := frontend.New(frontend.Config{
		PublicURL: w.url, Product: frontend.Product{Name: "Webmail"}, Gate: w.gate, Log: w.Log, Inbox: w.inbox, Sessions: w.Sessions, Owners: w.Owners, Vault: w.Vault,
		Platform: w.platform, SignIn: signin.Deps{Owners: w.Owners, Sessions: w.Sessions, Disclosure: w.Disclosure, Product: oauthtest.Product},
		LinkKey: make([]byte, 32), Logger: slog.New(slog.NewTextHandler(w.logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	must(t, err)
	handler, err = front.Handler()
	must(t, err)

	w.ada, w.bob = w.NewVisitor("ada").SignIn(oauthtest.Ada), w.NewVisitor("bob").SignIn(oauthtest.Bob)
	w.adas, w.bobs = w.ada.Connect(oauthtest.Ada), w.bob.Connect(oauthtest.Bob)
	return w
}

// onSQLite is a world for tests in which the database plays no part.
func onSQLite(t *testing.T) *world {
	t.Helper()
	return newWorld(t, databasetest.Open(t, databasetest.SQLite(t)))
}

// node makes another process of the same product.
func (w *world) node(t *testing.T) *platform.Platform {
	t.Helper()
	p, err := platform.New(t.Context(), platform.Config{
		Callers: w.callers, Gate: w.gate, Inbox: w.inbox, Permissions: w.permits, Database: w.DB, PublicURL: w.url, Now: w.Now,
	})
	must(t, err)
	return p
}

// register makes keys for the services and reads them back as the operator's file.
func (w *world) register(t *testing.T) *platform.Callers {
	t.Helper()
	var file strings.Builder
	file.WriteString("callers:\n")
	for id, purposes := range services {
		private, public, err := platform.NewKey("k1")
		must(t, err)
		w.keys[id] = private
		fmt.Fprintf(&file, "  - {id: %s, name: Service %s, use: It is for tests., purposes: [%s], keys: [%s]", id, id, strings.Join(purposes, ", "), public)
		switch id {
		case "slow":
			file.WriteString(", perMinute: 10")
		case "badge":
			file.WriteString(", returnURL: 'https://badge.example/connected'")
		}
		file.WriteString("}\n")
	}
	callers, err := platform.ParseCallers([]byte(file.String()))
	must(t, err)
	return callers
}

// facts is what the server's stores know.
type facts struct {
	policy.OwnersAlone
	*oauth.Store
	w *world
}

func (f facts) Instruction(ctx context.Context, id string) (policy.Instruction, error) {
	return f.w.permits.Instruction(ctx, id)
}

func (f facts) Caller(ctx context.Context, id string) (policy.Caller, error) {
	return f.w.callers.Caller(ctx, id)
}

// signedIn lets the emulated Gmail accept the tokens of the emulated sign-in.
type signedIn struct{ server *signon.Server }

func (s signedIn) Lookup(token string) (gmail.TokenInfo, bool) {
	info, ok := s.server.Lookup(token)
	return gmail.TokenInfo{Email: info.Email, Scopes: info.Scopes, ClientID: info.ClientID}, ok
}

type cleaned struct{}

func (cleaned) Outgoing(html string) (string, error) { return mailhtml.SanitizeOutgoing(html) }
func (cleaned) Text(html string) string              { return mailhtml.TextOf(html) }

// answer is what came back.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	problem api.Problem
}

// call makes a call as a service would: signed for this very request.
func (w *world) call(caller string, mailbox policy.AccountID, method, path, body string) answer {
	w.T.Helper()
	return w.send(w.sign(caller, mailbox, method, path, body), method, path, body)
}

func (w *world) sign(caller string, mailbox policy.AccountID, method, path, body string) string {
	w.T.Helper()
	token, err := platform.Sign(w.keys[caller], platform.Call{
		Caller: caller, Mailbox: string(mailbox), Method: method, URL: w.url + path, Body: []byte(body), At: w.Now(),
	})
	must(w.T, err)
	return token
}

// send makes a call with whatever token; "" is none.
func (w *world) send(token, method, path, body string) answer {
	w.T.Helper()
	req, err := http.NewRequestWithContext(w.T.Context(), method, w.url+path, strings.NewReader(body))
	must(w.T, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return w.do(req)
}

// owner makes a call of the page.
func (w *world) owner(v *oauthtest.Visitor, method, path, body string) answer {
	w.T.Helper()
	req, err := http.NewRequestWithContext(w.T.Context(), method, w.url+path, strings.NewReader(body))
	must(w.T, err)
	for _, c := range v.Request.Cookies() {
		req.AddCookie(c)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return w.do(req)
}

func (w *world) do(req *http.Request) answer {
	w.T.Helper()
	res, err := http.DefaultClient.Do(req)
	must(w.T, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	must(w.T, err)
	a := answer{status: res.StatusCode, header: res.Header, body: data}
	if res.Header.Get("Content-Type") == "application/problem+json" {
		must(w.T, json.Unmarshal(data, &a.problem))
	}
	return a
}

// connect has Ada connect a service to her mailbox.
func (w *world) connect(service string) {
	w.T.Helper()
	if a := w.owner(w.ada, "POST", "/api/accounts/"+string(w.adas)+"/services/"+service, "{}"); a.status != 200 {
		w.T.Fatalf("connecting %s: %d %s", service, a.status, a.body)
	}
}

// decision finds the recorded decision of a refusal.
func (w *world) decision(id string) decisionlog.Record {
	w.T.Helper()
	page, err := w.Log.Query(w.T.Context(), decisionlog.Filter{Kind: decisionlog.Decision, DecisionID: id})
	must(w.T, err)
	if len(page.Records) != 1 {
		w.T.Fatalf("the log has %d decisions of this id, want 1", len(page.Records))
	}
	return page.Records[0]
}

// decisions counts the decisions in the log.
func (w *world) decisions() int {
	w.T.Helper()
	page, err := w.Log.Query(w.T.Context(), decisionlog.Filter{Kind: decisionlog.Decision, Limit: decisionlog.MaxPage})
	must(w.T, err)
	return len(page.Records)
}

// refused checks a refusal by the policy: its clauses, and that it is recorded just so.
func (w *world) refused(a answer, status int, clauses ...string) decisionlog.Record {
	w.T.Helper()
	if a.status != status || a.header.Get("Content-Type") != "application/problem+json" {
		w.T.Fatalf("got %d %s, want a problem with %d", a.status, a.body, status)
	}
	for _, c := range clauses {
		if !slices.Contains(a.problem.Clauses, c) {
			w.T.Errorf("the clauses are %v, want %s among them", a.problem.Clauses, c)
		}
	}
	record := w.decision(a.problem.DecisionId)
	if record.Allowed || !slices.Equal(record.Clauses, a.problem.Clauses) {
		w.T.Errorf("recorded as allowed=%v with %v, want refused with %v", record.Allowed, record.Clauses, a.problem.Clauses)
	}
	return record
}

// deliver puts unread mail into Ada's inbox.
func (w *world) deliver(n int) {
	w.T.Helper()
	for i := range n {
		raw := fmt.Sprintf("From: Cy <cy@example.com>\r\nTo: %s\r\nSubject: Secret plan %d\r\nMessage-ID: <%d@example.com>\r\n\r\nThe canary sings.\r\n", oauthtest.Ada, i, i)
		_, err := w.gmail.Insert(oauthtest.Ada, []byte(raw), []string{"INBOX", "UNREAD"}, w.Now())
		must(w.T, err)
	}
}

// silent checks that nothing of mail or of who is who is in an answer.
func silent(t *testing.T, a answer) {
	t.Helper()
	for _, s := range []string{"canary", "Secret", oauthtest.Ada, "cy@example.com"} {
		if bytes.Contains(a.body, []byte(s)) {
			t.Errorf("the answer holds %q: %s", s, a.body)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
