package emulator_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/totalengage/webmail/oauth/emulator"
)

// claims are those of an ID token that the tests look at.
type claims struct {
	Email         string   `json:"email"`
	EmailVerified bool     `json:"email_verified"`
	Name          string   `json:"name"`
	AZP           string   `json:"azp"`
	AuthTime      int64    `json:"auth_time"`
	Groups        []string `json:"groups"`
	AMR           []string `json:"amr"`
}

// verify checks the ID token as an unmodified client does.
func verify(t *testing.T, provider *oidc.Provider, token *oauth2.Token) (*oidc.IDToken, claims) {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: "web"}).Verify(context.Background(), raw)
	if err != nil {
		t.Fatalf("verify ID token: %v", err)
	}
	var c claims
	if err := id.Claims(&c); err != nil {
		t.Fatal(err)
	}
	return id, c
}

func TestSignInTellsWhoThePersonIs(t *testing.T) {
	w := startGoogle(t)
	config, provider := w.config("openid", "email", "profile", modify)
	verifier := oauth2.GenerateVerifier()
	page := newBrowser(t).open(config.AuthCodeURL("a&b c", oidc.Nonce("n-1"), oauth2.AccessTypeOffline, oauth2.S256ChallengeOption(verifier)))
	for _, want := range []string{ada, bob, "Ada Lovelace", "Inbox"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("account chooser lacks %q", want)
		}
	}
	reply := page.agree(ada)
	if got := reply.Get("state"); got != "a&b c" {
		t.Errorf("state: got %q, want it as sent", got)
	}
	if got := reply.Get("iss"); got != w.issuer {
		t.Errorf("iss: got %q, want %q", got, w.issuer)
	}

	token, err := config.Exchange(context.Background(), reply.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(token.AccessToken, "ya29.") || !strings.HasPrefix(token.RefreshToken, "1//") || token.ExpiresIn != 3599 {
		t.Errorf("token response has not Google's shape: expires_in %d", token.ExpiresIn)
	}
	wantScope := "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile " + modify
	if got := token.Extra("scope"); got != wantScope {
		t.Errorf("scope: got %q, want %q", got, wantScope)
	}

	id, c := verify(t, provider, token)
	if c.Email != ada || !c.EmailVerified || c.Name != "Ada Lovelace" || c.AZP != "web" {
		t.Errorf("claims: got %+v", c)
	}
	if id.Nonce != "n-1" {
		t.Errorf("nonce: got %q, want n-1", id.Nonce)
	}
	if !regexp.MustCompile(`^1[0-9]{20}$`).MatchString(id.Subject) {
		t.Errorf("sub: got %q, want 21 digits", id.Subject)
	}
	if got := id.Expiry.Sub(id.IssuedAt); got != time.Hour {
		t.Errorf("ID token lives %v, want 1h", got)
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		t.Errorf("at_hash: %v", err)
	}
	if err := id.VerifyAccessToken(token.AccessToken + "x"); err == nil {
		t.Error("at_hash fits another access token")
	}

	info, err := provider.UserInfo(context.Background(), oauth2.StaticTokenSource(token))
	if err != nil {
		t.Fatal(err)
	}
	if info.Subject != id.Subject || info.Email != ada || !info.EmailVerified {
		t.Errorf("userinfo: got %+v", info)
	}
	live, ok := w.server.Lookup(token.AccessToken)
	if !ok || live.Email != ada || live.ClientID != "web" || strings.Join(live.Scopes, " ") != wantScope {
		t.Errorf("Lookup: got %+v, %v", live, ok)
	}
	if _, ok := w.server.Lookup("ya29.unknown"); ok {
		t.Error("Lookup knows a token that was never given out")
	}
}

// The subject is what a product keys its accounts by: it must outlive a restart
// and tell providers apart.
func TestSubjectIsStable(t *testing.T) {
	subject := func(name string) string {
		o := emulator.Google()
		o.Name = name
		o.Users = []emulator.User{{Email: ada}}
		w := start(t, o)
		config, provider := w.config("openid")
		id, _ := verify(t, provider, w.signIn(newBrowser(t), ada, config))
		return id.Subject
	}
	first, second, elsewhere := subject("Google"), subject("Google"), subject("Elsewhere")
	if first != second {
		t.Errorf("two runs: %s and %s", first, second)
	}
	if first == elsewhere {
		t.Error("two providers give one address the same subject")
	}
}

func TestClaimsFollowScopes(t *testing.T) {
	w := startGoogle(t)
	config, provider := w.config("openid")
	_, c := verify(t, provider, w.signIn(newBrowser(t), ada, config))
	if c.Email != "" || c.EmailVerified || c.Name != "" {
		t.Errorf("openid alone: got %+v, want neither address nor name", c)
	}
	config.Scopes = []string{modify}
	if raw := w.signIn(newBrowser(t), ada, config).Extra("id_token"); raw != nil {
		t.Error("an ID token without openid")
	}
}

func TestRefreshTokenComesOnlyWithConsent(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config("openid", modify)
	b := newBrowser(t)
	for _, test := range []struct {
		name    string
		options []oauth2.AuthCodeOption
		want    bool
	}{
		{"online", nil, false},
		{"first offline", []oauth2.AuthCodeOption{oauth2.AccessTypeOffline}, true},
		{"offline again", []oauth2.AuthCodeOption{oauth2.AccessTypeOffline}, false},
		{"offline with prompt=consent", []oauth2.AuthCodeOption{oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent")}, true},
		{"offline with prompt=consent select_account", []oauth2.AuthCodeOption{oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent select_account")}, true},
		{"online with prompt=consent", []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("prompt", "consent")}, false},
	} {
		token := w.signIn(b, ada, config, test.options...)
		if got := token.RefreshToken != ""; got != test.want {
			t.Errorf("%s: refresh token %v, want %v", test.name, got, test.want)
		}
	}
}

func TestPersonMayGrantPartOfWhatIsAsked(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config("openid", modify, send, labels)
	b := newBrowser(t)
	verifier := oauth2.GenerateVerifier()
	consent := b.open(config.AuthCodeURL("", oauth2.S256ChallengeOption(verifier))).choose(ada)
	if got, want := consent.ticks(), []string{modify, send, labels}; !slices.Equal(got, want) {
		t.Fatalf("boxes: got %v, want %v", got, want)
	}
	// A tick for what was not asked for must not count.
	reply := consent.submit(url.Values{"scope": {send, "https://mail.google.com/"}, "continue": {"1"}}).reply
	token, err := config.Exchange(context.Background(), reply.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := token.Extra("scope"), "openid "+send; got != want {
		t.Errorf("scope: got %q, want %q", got, want)
	}

	// What is held already has no box; what was left out is asked again.
	again := b.open(config.AuthCodeURL("", oauth2.SetAuthURLParam("login_hint", ada)))
	if got, want := again.ticks(), []string{modify, labels}; !slices.Equal(got, want) {
		t.Errorf("boxes the second time: got %v, want %v", got, want)
	}
}

func TestGrantingNothingIsAccessDenied(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config(modify)
	reply := newBrowser(t).open(config.AuthCodeURL("s")).choose(ada).submit(url.Values{"continue": {"1"}}).reply
	if got := reply.Get("error"); got != "access_denied" || reply.Has("code") {
		t.Errorf("reply: got %v, want access_denied", reply)
	}
}

func TestIncludeGrantedScopes(t *testing.T) {
	w := startGoogle(t)
	b := newBrowser(t)
	config, _ := w.config("openid", modify)
	w.signIn(b, ada, config)
	config.Scopes = []string{send}
	if got := w.signIn(b, ada, config).Extra("scope"); got != send {
		t.Errorf("without include_granted_scopes: got %q, want %q", got, send)
	}
	all := w.signIn(b, ada, config, oauth2.SetAuthURLParam("include_granted_scopes", "true")).Extra("scope")
	if want := send + " openid " + modify; all != want {
		t.Errorf("with include_granted_scopes: got %q, want %q", all, want)
	}
}

func TestCancel(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config("openid", modify)
	chooser := newBrowser(t).open(config.AuthCodeURL("s"))
	cancel := url.Values{"cancel": {"1"}}
	for name, reply := range map[string]url.Values{
		"chooser": chooser.submit(cancel).reply,
		"consent": newBrowser(t).open(config.AuthCodeURL("s")).choose(ada).submit(cancel).reply,
	} {
		if reply.Get("error") != "access_denied" || reply.Get("state") != "s" || reply.Has("code") {
			t.Errorf("%s: got %v, want access_denied with the state", name, reply)
		}
	}
}

func TestPrompt(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config("openid", modify)
	address := func(prompt, hint string) string {
		return config.AuthCodeURL("s", oauth2.SetAuthURLParam("prompt", prompt), oauth2.SetAuthURLParam("login_hint", hint))
	}
	b := newBrowser(t)
	none := func() string { b.t.Helper(); return b.open(address("none", "")).reply.Get("error") }

	if got := none(); got != "interaction_required" {
		t.Errorf("none, nobody signed in: got %q, want interaction_required", got)
	}
	consent := b.open(address("", "")).choose(ada)
	if got := none(); got != "interaction_required" {
		t.Errorf("none, signed in without consent: got %q, want interaction_required", got)
	}
	consent.agree(ada)
	if got := none(); got != "" {
		t.Errorf("none, signed in with consent: got error %q", got)
	}
	if got := b.open(address("none", bob)).reply.Get("error"); got != "interaction_required" {
		t.Errorf("none, another account hinted: got %q, want interaction_required", got)
	}
	if v := b.open(address("", "")); v.reply.Get("code") == "" {
		t.Error("nothing to ask, and yet a page")
	}
	if v := b.open(address("select_account", ada)); !v.isChooser() {
		t.Error("select_account: no chooser")
	}
	if v := b.open(address("consent", "")); !v.isConsent() {
		t.Error("consent: no consent page")
	}
	v := b.open(address("", bob))
	if !v.isChooser() {
		t.Fatal("an account that is not signed in was hinted: no chooser")
	}
	if strings.Index(v.body, bob) > strings.Index(v.body, ada) {
		t.Error("the hinted account is not the first")
	}
	if v := b.open(address("", "stranger@example.com")); !v.isChooser() {
		t.Error("an unknown account was hinted, and another was used without asking")
	}
	v.choose(bob)
	if v := b.open(address("", "")); !v.isChooser() {
		t.Error("two accounts are signed in: no chooser")
	}
}

func TestMaxAge(t *testing.T) {
	w := startGoogle(t)
	config, provider := w.config("openid")
	b := newBrowser(t)
	authTime := func(options ...oauth2.AuthCodeOption) int64 {
		t.Helper()
		_, c := verify(t, provider, w.signIn(b, ada, config, options...))
		return c.AuthTime
	}
	first := authTime()
	w.advance(10 * time.Minute)
	if got := authTime(); got != first {
		t.Errorf("a session of ten minutes: auth_time moved by %d s", got-first)
	}
	if got := authTime(oauth2.SetAuthURLParam("prompt", "select_account")); got != first {
		t.Errorf("choosing is not signing in again: auth_time moved by %d s", got-first)
	}
	maxAge := func(s string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam("max_age", s) }
	if got := authTime(maxAge("3600")); got != first {
		t.Errorf("max_age above the session's: auth_time moved by %d s", got-first)
	}
	silent := b.open(config.AuthCodeURL("", maxAge("60"), oauth2.SetAuthURLParam("prompt", "none")))
	if got := silent.reply.Get("error"); got != "interaction_required" {
		t.Errorf("too old with prompt=none: got %q, want interaction_required", got)
	}
	if got := authTime(maxAge("60")) - first; got < 600 {
		t.Errorf("max_age below the session's: auth_time moved by %d s, want 600", got)
	}
	if v := b.open(config.AuthCodeURL("", maxAge("0"))); !v.isChooser() {
		t.Error("max_age=0: no new sign-in")
	}
}

func TestStaffDirectory(t *testing.T) {
	o := emulator.Staff()
	o.Users = []emulator.User{
		{Email: "sam@corp.example", Name: "Sam", Groups: []string{"support", "approver"}, AMR: []string{"pwd", "mfa"}},
		{Email: "kim@corp.example", Name: "Kim", AMR: []string{"pwd"}},
	}
	w := start(t, o)
	config, provider := w.config("openid", "email", "profile")
	b := newBrowser(t)
	chooser := b.open(config.AuthCodeURL("s"))
	if v := chooser.choose("sam@corp.example"); v.reply.Get("code") == "" {
		t.Error("a staff directory asks for consent")
	}
	token := w.signIn(newBrowser(t), "sam@corp.example", config)
	if got := token.Extra("scope"); got != "openid email profile" {
		t.Errorf("scope: got %q, want the names as asked", got)
	}
	_, c := verify(t, provider, token)
	if !slices.Equal(c.Groups, []string{"support", "approver"}) || !slices.Equal(c.AMR, []string{"pwd", "mfa"}) {
		t.Errorf("sam: got groups %v, amr %v", c.Groups, c.AMR)
	}
	_, c = verify(t, provider, w.signIn(newBrowser(t), "kim@corp.example", config))
	if c.Groups != nil || !slices.Equal(c.AMR, []string{"pwd"}) {
		t.Errorf("kim: got groups %v, amr %v", c.Groups, c.AMR)
	}

	// A change of role is in the next token.
	if err := w.server.AddUser(emulator.User{Email: "SAM@corp.example", Groups: []string{"auditor"}}); err != nil {
		t.Fatal(err)
	}
	if _, c = verify(t, provider, w.signIn(b, "sam@corp.example", config)); !slices.Equal(c.Groups, []string{"auditor"}) {
		t.Errorf("after the change: got groups %v, want [auditor]", c.Groups)
	}
}

func TestPublicClientNeedsPKCE(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config("openid")
	config.ClientID, config.ClientSecret = "public", ""
	if v := newBrowser(t).open(config.AuthCodeURL("s")); v.status != http.StatusBadRequest || !strings.Contains(v.body, "code_challenge") {
		t.Errorf("without a challenge: got status %d", v.status)
	}
	w.signIn(newBrowser(t), ada, config)
}

// retrieveError is the token endpoint's refusal as golang.org/x/oauth2 reads it.
func retrieveError(t *testing.T, err error) (status int, code string) {
	t.Helper()
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal of the token endpoint", err)
	}
	return refusal.Response.StatusCode, refusal.ErrorCode
}
