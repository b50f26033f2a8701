package emulator_test

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/totalengage/webmail/oauth/emulator"
)

const (
	callback = "http://client.test/callback"
	modify   = "https://www.googleapis.com/auth/gmail.modify"
	send     = "https://www.googleapis.com/auth/gmail.send"
	labels   = "https://www.googleapis.com/auth/gmail.labels"
	ada      = "ada@example.com"
	bob      = "bob@example.com"
)

// world is a running provider and the application "web" registered with it.
type world struct {
	t       *testing.T
	server  *emulator.Server
	issuer  string
	advance func(time.Duration) // moves the provider's clock
}

func startGoogle(t *testing.T) *world {
	o := emulator.Google()
	o.Users = []emulator.User{{Email: ada, Name: "Ada Lovelace"}, {Email: bob, Name: "Bob"}}
	return start(t, o)
}

func start(t *testing.T, o emulator.Options) *world {
	t.Helper()
	var offset atomic.Int64
	o.Now = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	o.Clients = append(o.Clients,
		emulator.Client{ID: "web", Secret: "web/secret+", Name: "Inbox", RedirectURIs: []string{callback}},
		emulator.Client{ID: "other", Secret: "other-secret", RedirectURIs: []string{callback}},
		emulator.Client{ID: "public", RedirectURIs: []string{callback}},
		emulator.Client{ID: "desktop", Desktop: true, RedirectURIs: []string{"http://127.0.0.1/cb", "com.example:/cb"}},
	)
	server, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(server.Handler())
	t.Cleanup(listening.Close)
	if err := server.SetIssuer(listening.URL); err != nil {
		t.Fatal(err)
	}
	return &world{t, server, listening.URL, func(d time.Duration) { offset.Add(int64(d)) }}
}

// config is the application's own, made as the product makes it: by discovery.
func (w *world) config(scopes ...string) (*oauth2.Config, *oidc.Provider) {
	w.t.Helper()
	provider, err := oidc.NewProvider(context.Background(), w.issuer)
	if err != nil {
		w.t.Fatal(err)
	}
	return &oauth2.Config{
		ClientID: "web", ClientSecret: "web/secret+", RedirectURL: callback,
		Endpoint: provider.Endpoint(), Scopes: scopes,
	}, provider
}

// signIn runs the whole flow for account, agreeing to everything.
func (w *world) signIn(b *browser, account string, config *oauth2.Config, options ...oauth2.AuthCodeOption) *oauth2.Token {
	w.t.Helper()
	verifier := oauth2.GenerateVerifier()
	options = append(options, oauth2.S256ChallengeOption(verifier))
	reply := b.open(config.AuthCodeURL("state", options...)).agree(account)
	token, err := config.Exchange(context.Background(), reply.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		w.t.Fatalf("exchange: %v", err)
	}
	return token
}

// browser is a person's browser: it keeps cookies and stops at the client.
type browser struct {
	t    *testing.T
	http *http.Client
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{
		Jar: jar,
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if r.URL.Host == "client.test" {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

// view is what a browser shows: a page, or the reply it carries to the client.
type view struct {
	browser *browser
	status  int
	header  http.Header
	body    string
	url     *url.URL
	reply   url.Values // nil unless the browser was sent to the client
}

func (b *browser) open(address string) *view {
	b.t.Helper()
	request, err := http.NewRequest("GET", address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(request)
}

func (b *browser) do(request *http.Request) *view {
	b.t.Helper()
	response, err := b.http.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	v := &view{b, response.StatusCode, response.Header, string(body), response.Request.URL, nil}
	if location, err := response.Location(); err == nil {
		v.reply = location.Query()
	}
	return v
}

var (
	actionPattern = regexp.MustCompile(`<form method="post" action="([^"]+)">`)
	pagePattern   = regexp.MustCompile(`name="page" value="([^"]+)"`)
	tickPattern   = regexp.MustCompile(`type="checkbox" name="scope" value="([^"]+)" checked`)
)

// ticks lists the scopes with a box of their own on the consent page.
func (v *view) ticks() []string {
	var scopes []string
	for _, match := range tickPattern.FindAllStringSubmatch(v.body, -1) {
		scopes = append(scopes, html.UnescapeString(match[1]))
	}
	return scopes
}

// post makes the request that sends the page's form with the values added.
func (v *view) post(values url.Values) *http.Request {
	v.browser.t.Helper()
	action, page := actionPattern.FindStringSubmatch(v.body), pagePattern.FindStringSubmatch(v.body)
	if action == nil || page == nil {
		v.browser.t.Fatalf("status %d: no form in the page:\n%s", v.status, v.body)
	}
	values.Set("page", html.UnescapeString(page[1]))
	target := v.url.ResolveReference(&url.URL{Path: action[1]})
	request, err := http.NewRequest("POST", target.String(), strings.NewReader(values.Encode()))
	if err != nil {
		v.browser.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}

func (v *view) submit(values url.Values) *view {
	v.browser.t.Helper()
	return v.browser.do(v.post(values))
}

func (v *view) isChooser() bool { return strings.Contains(v.body, `action="/signin/account"`) }
func (v *view) isConsent() bool { return strings.Contains(v.body, `action="/signin/consent"`) }

// choose presses the button of an account.
func (v *view) choose(account string) *view {
	v.browser.t.Helper()
	return v.submit(url.Values{"account": {account}})
}

// agree passes whichever pages come, ticking all there is, and returns what the
// browser carries to the client.
func (v *view) agree(account string) url.Values {
	v.browser.t.Helper()
	if v.isChooser() {
		v = v.choose(account)
	}
	if v.isConsent() {
		v = v.submit(url.Values{"scope": v.ticks(), "continue": {"1"}})
	}
	if v.reply == nil {
		v.browser.t.Fatalf("not sent to the client: status %d:\n%s", v.status, v.body)
	}
	return v.reply
}
