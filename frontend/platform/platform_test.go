package platform_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/frontend/platform"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/decisionlog"
)

const draft = `{"to":[{"email":"cy@example.com","name":"Cy"}],"subject":"Offer 17","text":"Dear Cy,\n\nhere it is.\n"}`

// TestConnectedService is what the API is for: the owner connects a CRM, which then shows how much is unread, and starts a draft.
func TestConnectedService(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		w := newWorld(t, open(t))
		w.deliver(3)
		w.connect("crm")

		a := w.call("crm", w.adas, "GET", "/platform/v1/unread", "")
		if a.status != 200 || string(a.body) != `{"unread":3}` {
			t.Fatalf("unread: got %d %s, want 3", a.status, a.body)
		}
		silent(t, a)
		a = w.call("crm", w.adas, "POST", "/platform/v1/drafts", draft)
		if want := `{"finish":"` + w.url + `/mail/` + string(w.adas) + `/label/DRAFT"}`; a.status != 201 || string(a.body) != want {
			t.Fatalf("draft: got %d %s, want %s", a.status, a.body, want)
		}

		for _, want := range []struct{ operation, purpose, feature string }{{"labels.get", "inbox.sync", "unread_badge"}, {"drafts.create", "inbox.compose", "start_draft"}} {
			page, err := w.Log.Query(t.Context(), decisionlog.Filter{Operation: want.operation, Feature: want.feature})
			must(t, err)
			if len(page.Records) != 1 {
				t.Fatalf("%s: %d decisions, want 1", want.feature, len(page.Records))
			}
			got := page.Records[0]
			if !got.Allowed || got.Basis != "platform_caller" || got.Purpose != want.purpose || got.Actor != "crm" || got.ActorKind != "service" {
				t.Errorf("%s is recorded as %+v", want.feature, got)
			}
		}
		w.ownerFinds(t)
	})
}

// ownerFinds opens the draft as its owner does, and makes sure that nothing was sent.
func (w *world) ownerFinds(t *testing.T) {
	t.Helper()
	var page struct {
		Threads []struct{ ID, Subject string }
	}
	a := w.owner(w.ada, "GET", "/api/accounts/"+string(w.adas)+"/threads?label=DRAFT", "")
	must(t, json.Unmarshal(a.body, &page))
	if len(page.Threads) != 1 || page.Threads[0].Subject != "Offer 17" {
		t.Fatalf("the drafts are %s, want one about offer 17", a.body)
	}
	a = w.owner(w.ada, "GET", "/api/accounts/"+string(w.adas)+"/threads/"+page.Threads[0].ID, "")
	if !strings.Contains(string(a.body), "cy@example.com") {
		t.Errorf("the conversation is %s, want a draft to Cy", a.body)
	}
	a = w.owner(w.ada, "GET", "/api/accounts/"+string(w.adas)+"/threads?label=SENT", "")
	must(t, json.Unmarshal(a.body, &page))
	if len(page.Threads) != 0 {
		t.Errorf("something was sent: %s", a.body)
	}
}

// TestForbiddenPurposes: whatever a service calls that is registered for one of these, it is refused for it, with and
// without the owner's consent.
func TestForbiddenPurposes(t *testing.T) {
	w := onSQLite(t)
	w.deliver(1)
	for _, c := range []struct{ caller, clause string }{
		{"growth", "LU-PROH-ADS"}, {"ads", "LU-PROH-ADS"}, {"trainer", "LU-PROH-AI"}, {"scorer", "LU-USE-1"}, {"exporter", "LU-PROH-DB"},
	} {
		for _, consented := range []bool{false, true} {
			if consented {
				w.permit(c.caller)
			}
			for _, path := range []string{"GET /unread", "POST /drafts", "GET /messages", "GET /contacts", "GET /export"} {
				method, path, _ := strings.Cut(path, " ")
				a := w.call(c.caller, w.adas, method, platform.Prefix+path, "")
				got := w.refused(a, 403, c.clause)
				silent(t, a)
				if a.problem.Code != "policy_denied" || got.Purpose != services[c.caller][0] || got.Actor != c.caller {
					t.Errorf("%s %s: problem %s, recorded as %s by %s", c.caller, path, a.problem.Code, got.Purpose, got.Actor)
				}
				if has := slices.Contains(a.problem.Clauses, "LU-XFER-1"); path != "/messages" && path != "/contacts" && path != "/export" && has == consented {
					t.Errorf("%s %s with consent %v is refused by %v", c.caller, path, consented, a.problem.Clauses)
				}
			}
		}
	}
	if n := w.gmail.Stats().Requests; n != 0 {
		t.Errorf("Gmail was asked %d times for services that are refused", n)
	}
}

// permit writes a consent that no page would ask for, behind everybody's back.
func (w *world) permit(caller string) {
	w.T.Helper()
	for _, feature := range []string{"unread_badge", "start_draft"} {
		_, err := w.permits.Permit(w.T.Context(), consent.Permission{
			Account: w.adas, Feature: policy.Feature(feature), Recipient: "platform_service", Resource: caller, Shown: "anything", Expires: w.Now().Add(time.Hour),
		})
		must(w.T, err)
	}
}

// TestNoDataRoutes: a service with a good purpose and the owner's consent gets no messages either.
func TestNoDataRoutes(t *testing.T) {
	w := onSQLite(t)
	w.deliver(1)
	w.connect("crm")
	for _, path := range []string{"/messages", "/contacts", "/export"} {
		a := w.call("crm", w.adas, "GET", platform.Prefix+path, "")
		w.refused(a, 403, "LU-USE-1", "LU-XFER-1")
		silent(t, a)
	}
	if a := w.call("crm", w.adas, "GET", platform.Prefix+"/threads", ""); a.status != 404 {
		t.Errorf("an address that there is not: got %d, want 404", a.status)
	}
	if a := w.call("badge", w.adas, "POST", platform.Prefix+"/drafts", draft); a.status != 403 || !slices.Contains(a.problem.Clauses, "LU-USE-1") {
		t.Errorf("a draft of a service that is registered for the badge: got %d %s", a.status, a.body)
	}
}

// TestConsent: no consent, one for another mailbox, one taken back, one that has expired, and none any more after disconnecting.
func TestConsent(t *testing.T) {
	w := onSQLite(t)
	unread := func(account string) answer {
		return w.call("crm", policy.AccountID(account), "GET", platform.Prefix+"/unread", "")
	}

	w.refused(unread(string(w.adas)), 403, "LU-XFER-1")
	w.connect("crm")
	if a := unread(string(w.adas)); a.status != 200 {
		t.Fatalf("with consent: %d %s", a.status, a.body)
	}
	w.refused(unread(string(w.bobs)), 403, "LU-XFER-1")
	w.refused(w.call("badge", w.adas, "GET", platform.Prefix+"/unread", ""), 403, "LU-XFER-1")
	w.refused(unread("0b3c5a52-0000-4000-8000-000000000000"), 404, "FAIL-FACTS")

	if a := w.owner(w.ada, "DELETE", "/api/accounts/"+string(w.adas)+"/services/crm", ""); a.status != 204 {
		t.Fatalf("disconnecting the service: %d %s", a.status, a.body)
	}
	w.refused(unread(string(w.adas)), 403, "LU-XFER-1")

	w.connect("crm")
	w.Advance(366 * 24 * time.Hour)
	w.refused(unread(string(w.adas)), 403, "LU-XFER-1")
	for _, event := range []string{platform.EventConnected, platform.EventDisconnected} {
		if !slices.Contains(w.Events(), event) {
			t.Errorf("the log has no event %s", event)
		}
	}
}

func TestDisconnectedMailbox(t *testing.T) {
	w := onSQLite(t)
	w.connect("crm")
	must(t, w.Vault.Disconnect(t.Context(), w.ada.Session.Actor(), w.adas))
	w.refused(w.call("crm", w.adas, "GET", platform.Prefix+"/unread", ""), 404, "FAIL-FACTS")
	list, err := w.permits.List(t.Context(), w.adas)
	if err != nil || len(list) != 0 {
		t.Errorf("after disconnecting there are %d consents (%v), want none", len(list), err)
	}
}

// TestReplayOnEveryNode: of two nodes that get the same assertion at once, one accepts it.
func TestReplayOnEveryNode(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		w := newWorld(t, open(t))
		w.connect("crm")
		token := w.sign("crm", w.adas, "GET", platform.Prefix+"/unread", "")
		nodes := []*platform.Platform{w.platform, w.node(t), w.node(t)}
		results := make(chan error, len(nodes))
		for _, node := range nodes {
			go func() {
				req, err := http.NewRequestWithContext(t.Context(), "GET", w.url+platform.Prefix+"/unread", http.NoBody)
				if err == nil {
					req.Header.Set("Authorization", "Bearer "+token)
					err = node.Routes()[0].Serve(discard{http.Header{}}, req)
				}
				results <- err
			}()
		}
		accepted := 0
		for range nodes {
			err := <-results
			refused, ok := err.(*platform.Unauthorized)
			switch {
			case err == nil:
				accepted++
			case !ok || refused.Reason != platform.Replayed:
				t.Errorf("got %v, want a replay", err)
			}
		}
		if accepted != 1 {
			t.Errorf("%d nodes accepted the assertion, want 1", accepted)
		}
		w.Advance(time.Hour)
		must(t, w.platform.Sweep(t.Context()))
		var kept int
		must(t, w.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM platform_assertions`).Scan(&kept))
		if kept != 0 {
			t.Errorf("%d assertions are kept after they expired", kept)
		}
	})
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func TestRateLimit(t *testing.T) {
	w := onSQLite(t)
	w.connect("slow")
	token := w.sign("slow", w.adas, "GET", platform.Prefix+"/unread", "")
	if a := w.send(token, "GET", platform.Prefix+"/unread", ""); a.status != 200 {
		t.Fatalf("the first call: %d %s", a.status, a.body)
	}
	token = w.sign("slow", w.adas, "GET", platform.Prefix+"/unread", "")
	a := w.send(token, "GET", platform.Prefix+"/unread", "")
	if a.status != 429 || a.problem.Code != "rate_limited" || a.header.Get("Retry-After") == "" {
		t.Fatalf("the second call at once: got %d %s", a.status, a.body)
	}
	w.connect("crm")
	if a := w.call("crm", w.adas, "GET", platform.Prefix+"/unread", ""); a.status != 200 {
		t.Errorf("another service, meanwhile: %d %s", a.status, a.body)
	}
	w.Advance(10 * time.Second)
	if a := w.send(token, "GET", platform.Prefix+"/unread", ""); a.status != 200 {
		t.Errorf("the same assertion a moment later: %d %s", a.status, a.body)
	}
}

// TestNoBrowser: a cookie opens nothing here, and no other origin is let in.
func TestNoBrowser(t *testing.T) {
	w := onSQLite(t)
	w.connect("crm")
	a := w.owner(w.ada, "GET", platform.Prefix+"/unread", "")
	if a.status != 401 || a.header.Get("WWW-Authenticate") != `Bearer realm="platform"` {
		t.Errorf("with the owner's cookie: got %d %q", a.status, a.header.Get("WWW-Authenticate"))
	}
	req, err := http.NewRequestWithContext(t.Context(), "OPTIONS", w.url+platform.Prefix+"/unread", nil)
	must(t, err)
	req.Header.Set("Origin", "https://elsewhere.example")
	req.Header.Set("Access-Control-Request-Method", "GET")
	a = w.do(req)
	for name := range a.header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("the answer has %s", name)
		}
	}
	if a := w.call("crm", w.adas, "GET", platform.Prefix+"/unread", ""); len(a.header.Values("Set-Cookie")) != 0 || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("an answer has the headers %v", a.header)
	}
}

// TestServerLogNamesNobody: neither a mailbox nor an assertion is in the server's own log.
func TestServerLogNamesNobody(t *testing.T) {
	w := onSQLite(t)
	w.connect("crm")
	token := w.sign("crm", w.adas, "GET", platform.Prefix+"/unread", "")
	w.send(token, "GET", platform.Prefix+"/unread", "")
	w.send(token, "GET", platform.Prefix+"/unread", "")
	logged := w.logged.String()
	if !strings.Contains(logged, "route=/platform/v1/unread") {
		t.Fatalf("the server's log has no such request: %s", logged)
	}
	for _, s := range []string{string(w.adas), token, oauthtest.Ada} {
		if strings.Contains(logged, s) || strings.Contains(w.LogBytes(), s) {
			t.Errorf("a log holds %q", s)
		}
	}
}

// TestDraftBody: what is no draft is refused before Gmail hears of it.
func TestDraftBody(t *testing.T) {
	w := onSQLite(t)
	w.connect("crm")
	for name, body := range map[string]string{
		"no JSON":             `to=cy`,
		"an unknown field":    `{"to":[],"subject":"s","text":"t","send":true}`,
		"two documents":       draft + draft,
		"a header in subject": `{"to":[],"subject":"s\r\nBcc: all@example.com","text":"t"}`,
		"no address":          `{"to":[{"email":"everybody"}],"subject":"s","text":"t"}`,
		"a control character": `{"to":[],"subject":"s","text":"\u0000"}`,
		"too long":            `{"to":[],"subject":"s","text":"` + strings.Repeat("a", 50_001) + `"}`,
		"too large":           `{"to":[],"subject":"s","text":"` + strings.Repeat("a", 300_000) + `"}`,
	} {
		if a := w.call("crm", w.adas, "POST", platform.Prefix+"/drafts", body); a.status != 400 || a.problem.Code != "invalid" {
			t.Errorf("%s: got %d %s, want 400", name, a.status, a.body)
		}
	}
	if n := w.gmail.Stats().Requests; n != 0 {
		t.Errorf("Gmail was asked %d times", n)
	}
	if a := w.call("crm", w.adas, "POST", platform.Prefix+"/drafts", `{"to":[],"subject":"","text":"Grüße, 日本\r\n.\r\n"}`); a.status != 201 {
		t.Errorf("a draft without recipient and subject: %d %s", a.status, a.body)
	}
}

func TestOwnersServices(t *testing.T) {
	w := onSQLite(t)
	services := "/api/accounts/" + string(w.adas) + "/services"
	find := func(id string) api.ConnectedService {
		t.Helper()
		var list api.ServiceList
		must(t, json.Unmarshal(w.owner(w.ada, "GET", services, "").body, &list))
		i := slices.IndexFunc(list.Services, func(s api.ConnectedService) bool { return s.Id == id })
		if i < 0 {
			t.Fatalf("%s is not listed", id)
		}
		return list.Services[i]
	}
	if s := find("crm"); len(s.Gets) != 2 || !s.Asks || s.Since != nil || s.Mailbox != "" {
		t.Errorf("before: %+v", s)
	}
	if s := find("growth"); len(s.Gets) != 0 || s.Asks {
		t.Errorf("a service for marketing is shown as %+v", s)
	}
	w.connect("crm")
	if s := find("crm"); s.Asks || s.Since == nil || s.Until == nil || s.Mailbox != string(w.adas) {
		t.Errorf("connected: %+v", s)
	}
	given, err := w.permits.List(t.Context(), w.adas)
	must(t, err)
	if len(given) != 2 || !strings.Contains(given[0].Shown, "Service crm: ") {
		t.Errorf("the consents on record are %+v", given)
	}

	var connected api.ServiceConnected
	must(t, json.Unmarshal(w.owner(w.ada, "POST", services+"/badge", `{"state":"a b&mailbox=x"}`).body, &connected))
	if want := "https://badge.example/connected?mailbox=" + string(w.adas) + "&state=a+b%26mailbox%3Dx"; connected.Redirect != want {
		t.Errorf("the owner goes on to %q, want %q", connected.Redirect, want)
	}
	for _, c := range []struct {
		who          *oauthtest.Visitor
		method, path string
		status       int
	}{
		{w.ada, "POST", services + "/growth", 409},
		{w.ada, "POST", services + "/nobody", 404},
		{w.bob, "GET", services, 404},
		{w.bob, "POST", services + "/crm", 404},
		{w.bob, "DELETE", services + "/crm", 404},
		{w.ada, "DELETE", services + "/nobody", 204},
	} {
		if a := w.owner(c.who, c.method, c.path, "{}"); a.status != c.status {
			t.Errorf("%s %s by %s: got %d %s, want %d", c.method, c.path, c.who.Secret, a.status, a.body, c.status)
		}
	}
	if s := find("crm"); s.Since == nil {
		t.Error("somebody else disconnected the service")
	}

	w.callers = &platform.Callers{} // the operator registers nobody any more
	left, err := w.node(t).Connections(t.Context(), w.adas)
	if err != nil || len(left) != 2 || left[0].Since.IsZero() || len(left[0].Gets) != 0 || !strings.HasPrefix(left[0].Caller.Name, "Service ") {
		t.Errorf("services that are registered no more: %+v, %v", left, err)
	}
	must(t, w.node(t).Disconnect(t.Context(), w.ada.Session.Actor(), w.adas, "crm"))
	if left, err = w.node(t).Connections(t.Context(), w.adas); err != nil || len(left) != 1 || left[0].Caller.ID != "badge" {
		t.Errorf("after taking one back: %+v, %v", left, err)
	}
}
