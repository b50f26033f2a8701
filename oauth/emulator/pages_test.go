package emulator_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/totalengage/webmail/oauth/emulator"
)

// authorize is the address of an authorization request with changes to one that
// is right; an empty value takes a parameter out.
func (w *world) authorize(changes ...string) string {
	query := url.Values{"client_id": {"web"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}}
	for i := 0; i < len(changes); i += 2 {
		query.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			query.Del(changes[i])
		}
	}
	return w.issuer + "/o/oauth2/v2/auth?" + query.Encode()
}

// As at Google, a request that is wrong is answered by a page: the person must
// not be sent on, least of all to an address that nobody registered.
func TestWrongRequestGetsAPage(t *testing.T) {
	w := startGoogle(t)
	challenge := oauth2.S256ChallengeFromVerifier("v")
	for _, test := range []struct {
		name    string
		address string
		status  int
		code    string
	}{
		{"no client", w.authorize("client_id", ""), 400, "invalid_request"},
		{"unknown client", w.authorize("client_id", "x"), 401, "invalid_client"},
		{"no redirect URI", w.authorize("redirect_uri", ""), 400, "invalid_request"},
		{"foreign redirect URI", w.authorize("redirect_uri", "http://evil.test/callback"), 400, "redirect_uri_mismatch"},
		{"longer redirect URI", w.authorize("redirect_uri", callback+"/x"), 400, "redirect_uri_mismatch"},
		{"redirect URI with query", w.authorize("redirect_uri", callback+"?x=1"), 400, "redirect_uri_mismatch"},
		{"redirect URI in capitals", w.authorize("redirect_uri", "HTTP://client.test/callback"), 400, "redirect_uri_mismatch"},
		{"loopback port of a web client", w.authorize("client_id", "web", "redirect_uri", "http://127.0.0.1:1/cb"), 400, "redirect_uri_mismatch"},
		{"redirect URI given twice", w.authorize() + "&redirect_uri=http://evil.test", 400, "invalid_request"},
		{"no response type", w.authorize("response_type", ""), 400, "invalid_request"},
		{"implicit flow", w.authorize("response_type", "id_token token"), 400, "unsupported_response_type"},
		{"fragment", w.authorize("response_mode", "fragment"), 400, "invalid_request"},
		{"request object", w.authorize("request", "e30.e30."), 400, "request_not_supported"},
		{"no scope", w.authorize("scope", " "), 400, "invalid_request"},
		{"unknown scope", w.authorize("scope", "openid https://example.com/all"), 400, "invalid_scope"},
		{"access type", w.authorize("access_type", "always"), 400, "invalid_request"},
		{"prompt", w.authorize("prompt", "login"), 400, "invalid_request"},
		{"prompt none and more", w.authorize("prompt", "none consent"), 400, "invalid_request"},
		{"negative max_age", w.authorize("max_age", "-1"), 400, "invalid_request"},
		{"plain challenge", w.authorize("code_challenge", challenge, "code_challenge_method", "plain"), 400, "invalid_request"},
		{"challenge of no method", w.authorize("code_challenge", challenge), 400, "invalid_request"},
		{"method of no challenge", w.authorize("code_challenge_method", "S256"), 400, "invalid_request"},
		{"short challenge", w.authorize("code_challenge", "abc", "code_challenge_method", "S256"), 400, "invalid_request"},
		{"long query", w.authorize("state", strings.Repeat("x", 17<<10)), 400, "invalid_request"},
		{"broken query", w.authorize() + "&state=%zz", 400, "invalid_request"},
	} {
		v := newBrowser(t).open(test.address)
		if v.status != test.status || v.reply != nil || !strings.Contains(v.body, ": "+test.code+"<") {
			t.Errorf("%s: got status %d, reply %v; want a page with %d %s", test.name, v.status, v.reply, test.status, test.code)
		}
		if strings.Contains(v.body, "evil.test") {
			t.Errorf("%s: the page repeats the request", test.name)
		}
	}
}

func TestDesktopClientMayChooseItsPort(t *testing.T) {
	w := startGoogle(t)
	pkce := []string{"code_challenge", oauth2.S256ChallengeFromVerifier("v"), "code_challenge_method", "S256", "client_id", "desktop"}
	for redirect, want := range map[string]int{
		"http://127.0.0.1:51234/cb":          200,
		"http://127.0.0.1/cb":                200,
		"com.example:/cb":                    200,
		"http://127.0.0.1:51234/other":       400,
		"http://localhost:51234/cb":          400,
		"http://127.0.0.1.evil.test:80/cb":   400,
		"http://user@127.0.0.1:51234/cb":     400,
		"http://127.0.0.1:51234/cb#fragment": 400,
		"https://127.0.0.1:51234/cb":         400,
		"com.example:/other":                 400,
	} {
		if got := newBrowser(t).open(w.authorize(append(pkce, "redirect_uri", redirect)...)).status; got != want {
			t.Errorf("%s: got status %d, want %d", redirect, got, want)
		}
	}
}

func TestPostedRequestIsTheSameRequest(t *testing.T) {
	w := startGoogle(t)
	b := newBrowser(t)
	target, query, _ := strings.Cut(w.authorize("state", "s"), "?")
	request, err := http.NewRequest("POST", target, strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "cross-site") // as from the client's own page
	if got := b.do(request).agree(ada).Get("state"); got != "s" {
		t.Errorf("state: got %q, want s", got)
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	w := startGoogle(t)
	b := newBrowser(t)
	consent := b.open(w.authorize()).choose(ada)
	agree := func() *http.Request { return consent.post(url.Values{"continue": {"1"}}) }
	for name, header := range map[string][2]string{
		"cross-site":   {"Sec-Fetch-Site", "cross-site"},
		"same-site":    {"Sec-Fetch-Site", "same-site"},
		"other origin": {"Origin", "http://evil.test"},
		"null origin":  {"Origin", "null"},
	} {
		request := agree()
		request.Header.Set(header[0], header[1])
		if v := b.do(request); v.status != http.StatusForbidden || v.reply != nil {
			t.Errorf("consent, %s: got status %d, want 403", name, v.status)
		}
		request = b.open(w.authorize("prompt", "select_account")).post(url.Values{"account": {ada}})
		request.Header.Set(header[0], header[1])
		if v := b.do(request); v.status != http.StatusForbidden || v.reply != nil {
			t.Errorf("chooser, %s: got status %d, want 403", name, v.status)
		}
	}
	request := agree()
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	if v := b.do(request); v.reply.Get("code") == "" {
		t.Errorf("own form: got status %d, want a code", v.status)
	}
}

func TestAPageIsAnsweredOnceByItsOwnBrowser(t *testing.T) {
	w := startGoogle(t)
	b := newBrowser(t)
	consent := b.open(w.authorize()).choose(ada)
	agree := url.Values{"continue": {"1"}}

	if v := newBrowser(t).do(consent.post(agree)); v.status != 400 || v.reply != nil {
		t.Errorf("another browser: got status %d, want 400", v.status)
	}
	if v := newBrowser(t).open(consent.url.String()); v.status != 400 || strings.Contains(v.body, ada) {
		t.Errorf("another browser is shown the page: status %d", v.status)
	}
	if v := b.open(consent.url.String()); !v.isConsent() {
		t.Error("reloading the consent page does not show it again")
	}
	if v := consent.submit(agree); v.reply.Get("code") == "" {
		t.Fatalf("first answer: got status %d, want a code", v.status)
	}
	if v := consent.submit(agree); v.status != 400 || v.reply != nil {
		t.Errorf("second answer: got status %d, want 400", v.status)
	}

	late := b.open(w.authorize("prompt", "select_account"))
	w.advance(11 * time.Minute)
	if v := late.choose(ada); v.status != 400 || v.reply != nil {
		t.Errorf("after eleven minutes: got status %d, want 400", v.status)
	}
}

// The chooser's page must not pass for a consent page, which would skip the
// choice of account.
func TestChooserCannotBeAnsweredAsConsent(t *testing.T) {
	w := startGoogle(t)
	b := newBrowser(t)
	request := b.open(w.authorize()).post(url.Values{"continue": {"1"}})
	request.URL.Path = "/signin/consent"
	if v := b.do(request); v.status != 400 || v.reply != nil {
		t.Errorf("got status %d, reply %v; want 400", v.status, v.reply)
	}
	if v := b.open(w.authorize()).choose("nobody@example.com"); v.status != 400 || v.reply != nil {
		t.Errorf("unknown account: got status %d, want 400", v.status)
	}
}

func TestPagesRunNoScript(t *testing.T) {
	w := startGoogle(t)
	if err := w.server.AddUser(emulator.User{Email: "eve@example.com", Name: `<script>alert(1)</script>`}); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	chooser := b.open(w.authorize())
	for name, v := range map[string]*view{
		"chooser": chooser,
		"consent": b.open(w.authorize()).choose("eve@example.com"),
		"error":   b.open(w.authorize("scope", "")),
	} {
		if strings.Contains(v.body, "<script") || strings.Contains(v.body, "style=") {
			t.Errorf("%s: script or inline style in the page", name)
		}
		policy := v.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: policy %q lacks %q", name, policy, want)
			}
		}
		if got := v.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q, want no-store", name, got)
		}
	}
	// Chromium would otherwise stop the form's redirect to the client.
	if policy := chooser.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "form-action 'self' http://client.test") {
		t.Errorf("policy %q does not let the form lead to the client", policy)
	}
	if v := b.open(w.issuer + "/signin/style.css"); v.status != 200 || !strings.HasPrefix(v.header.Get("Content-Type"), "text/css") {
		t.Errorf("style sheet: got status %d, type %q", v.status, v.header.Get("Content-Type"))
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := emulator.Client{ID: "c", RedirectURIs: []string{callback}}
	for name, o := range map[string]emulator.Options{
		"no name":               {},
		"issuer with a path":    {Name: "x", Issuer: "http://localhost/idp"},
		"issuer with a slash":   {Name: "x", Issuer: "http://localhost/"},
		"issuer of no scheme":   {Name: "x", Issuer: "localhost:80"},
		"client without id":     {Name: "x", Clients: []emulator.Client{{RedirectURIs: good.RedirectURIs}}},
		"client without URI":    {Name: "x", Clients: []emulator.Client{{ID: "c"}}},
		"relative redirect URI": {Name: "x", Clients: []emulator.Client{good, {ID: "d", RedirectURIs: []string{"/cb"}}}},
		"redirect URI fragment": {Name: "x", Clients: []emulator.Client{{ID: "c", RedirectURIs: []string{callback + "#x"}}}},
		"user without address":  {Name: "x", Users: []emulator.User{{Name: "Ada"}}},
		"user of a list":        {Name: "x", Users: []emulator.User{{Email: "Ada <ada@example.com>"}}},
	} {
		if _, err := emulator.New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestNothingIsServedWithoutIssuer(t *testing.T) {
	server, err := emulator.New(emulator.Staff())
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	server.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/.well-known/openid-configuration", nil))
	if recorder.Code != http.StatusServiceUnavailable {
		t.Errorf("got status %d, want 503", recorder.Code)
	}
}
