package emulator_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

func TestCodeIsRefused(t *testing.T) {
	w := startGoogle(t)
	right, _ := w.config("openid")
	right.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	verifier := oauth2.GenerateVerifier()
	ctx := context.Background()

	for _, test := range []struct {
		name      string
		challenge bool
		change    func(*oauth2.Config)
		verifier  string
		after     time.Duration
		status    int
		code      string
	}{
		{name: "wrong verifier", challenge: true, verifier: oauth2.GenerateVerifier(), status: 400, code: "invalid_grant"},
		{name: "no verifier", challenge: true, status: 400, code: "invalid_grant"},
		{name: "verifier without challenge", verifier: verifier, status: 400, code: "invalid_grant"},
		{name: "wrong redirect URI", challenge: true, verifier: verifier, status: 400, code: "redirect_uri_mismatch",
			change: func(c *oauth2.Config) { c.RedirectURL += "/" }},
		{name: "another client", challenge: true, verifier: verifier, status: 400, code: "invalid_grant",
			change: func(c *oauth2.Config) { c.ClientID, c.ClientSecret = "other", "other-secret" }},
		{name: "wrong secret", challenge: true, verifier: verifier, status: 401, code: "invalid_client",
			change: func(c *oauth2.Config) { c.ClientSecret = "guess" }},
		{name: "wrong secret in the header", challenge: true, verifier: verifier, status: 401, code: "invalid_client",
			change: func(c *oauth2.Config) { c.ClientSecret = "guess"; c.Endpoint.AuthStyle = oauth2.AuthStyleInHeader }},
		{name: "no secret", challenge: true, verifier: verifier, status: 401, code: "invalid_client",
			change: func(c *oauth2.Config) { c.ClientSecret = "" }},
		{name: "unknown client", challenge: true, verifier: verifier, status: 401, code: "invalid_client",
			change: func(c *oauth2.Config) { c.ClientID = "nobody" }},
		{name: "too late", challenge: true, verifier: verifier, after: 10*time.Minute + time.Second, status: 400, code: "invalid_grant"},
		{name: "clock set back", challenge: true, verifier: verifier, after: -2 * time.Minute, status: 400, code: "invalid_grant"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var options []oauth2.AuthCodeOption
			if test.challenge {
				options = append(options, oauth2.S256ChallengeOption(verifier))
			}
			code := newBrowser(t).open(right.AuthCodeURL("", options...)).agree(ada).Get("code")
			w.advance(test.after)
			defer w.advance(-test.after)
			config := *right
			if test.change != nil {
				test.change(&config)
			}
			var exchange []oauth2.AuthCodeOption
			if test.verifier != "" {
				exchange = append(exchange, oauth2.VerifierOption(test.verifier))
			}
			_, err := config.Exchange(ctx, code, exchange...)
			if status, got := retrieveError(t, err); got != test.code || status != test.status {
				t.Errorf("got %d %s, want %d %s", status, got, test.status, test.code)
			}
		})
	}
}

// A stranger's wrong secret or client must not cost the rightful client its
// code, while a wrong verifier from the rightful client does.
func TestWhoBurnsACode(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config("openid")
	config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	ctx := context.Background()
	verifier := oauth2.GenerateVerifier()
	code := func() string {
		return newBrowser(t).open(config.AuthCodeURL("", oauth2.S256ChallengeOption(verifier))).agree(ada).Get("code")
	}

	stranger, first := *config, code()
	stranger.ClientSecret = "guess"
	_, err := stranger.Exchange(ctx, first, oauth2.VerifierOption(verifier))
	retrieveError(t, err)
	if _, err := config.Exchange(ctx, first, oauth2.VerifierOption(verifier)); err != nil {
		t.Errorf("after a stranger's try: %v", err)
	}

	second := code()
	_, err = config.Exchange(ctx, second, oauth2.VerifierOption(oauth2.GenerateVerifier()))
	retrieveError(t, err)
	_, err = config.Exchange(ctx, second, oauth2.VerifierOption(verifier))
	if _, got := retrieveError(t, err); got != "invalid_grant" {
		t.Errorf("a second try: got %s, want invalid_grant", got)
	}
}

func TestReplayedCodeEndsItsTokens(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config("openid", modify)
	ctx, b := context.Background(), newBrowser(t)
	verifier := oauth2.GenerateVerifier()
	code := b.open(config.AuthCodeURL("", oauth2.AccessTypeOffline, oauth2.S256ChallengeOption(verifier))).agree(ada).Get("code")
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	unrelated := w.signIn(b, ada, config)
	_, err = config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if _, got := retrieveError(t, err); got != "invalid_grant" {
		t.Errorf("replay: got %s, want invalid_grant", got)
	}
	if _, live := w.server.Lookup(token.AccessToken); live {
		t.Error("the access token outlived the replay of its code")
	}
	if !w.server.Revoked(token.RefreshToken) {
		t.Error("the refresh token outlived the replay of its code")
	}
	if _, live := w.server.Lookup(unrelated.AccessToken); !live {
		t.Error("the replay ended a token of another code")
	}
}

// Of many exchanges at the same moment one may win, and being replayed its
// token must not outlive the others' tries.
func TestConcurrentExchanges(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config("openid")
	config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	code := newBrowser(t).open(config.AuthCodeURL("")).agree(ada).Get("code")
	tokens := make(chan *oauth2.Token)
	const tries = 8
	for range tries {
		go func() {
			token, _ := config.Exchange(context.Background(), code)
			tokens <- token // nil if refused
		}()
	}
	won := 0
	for range tries {
		token := <-tokens
		if token == nil {
			continue
		}
		won++
		defer func() {
			if _, live := w.server.Lookup(token.AccessToken); live {
				t.Error("the token outlived the replays")
			}
		}()
	}
	if won > 1 {
		t.Errorf("%d exchanges of one code succeeded", won)
	}
}

// spent is a token whose access part has run out, so that the client refreshes.
func spent(t *oauth2.Token) *oauth2.Token {
	return &oauth2.Token{RefreshToken: t.RefreshToken, Expiry: time.Now().Add(-time.Hour)}
}

func TestRefresh(t *testing.T) {
	w := startGoogle(t)
	config, provider := w.config("openid", "email", modify)
	ctx := context.Background()
	token := w.signIn(newBrowser(t), ada, config, oauth2.AccessTypeOffline, oidc.Nonce("n"))
	w.server.ExpireAccessTokens()
	if _, live := w.server.Lookup(token.AccessToken); live {
		t.Error("an access token outlived ExpireAccessTokens")
	}
	fresh, err := config.TokenSource(ctx, spent(token)).Token()
	if err != nil {
		t.Fatal(err)
	}
	if fresh.AccessToken == token.AccessToken || fresh.Extra("refresh_token") != nil {
		t.Error("a refresh must bring a new access token and no refresh token")
	}
	if got, want := fresh.Extra("scope"), token.Extra("scope"); got != want {
		t.Errorf("scope: got %q, want %q", got, want)
	}
	if id, c := verify(t, provider, fresh); c.Email != ada || id.Nonce != "" {
		t.Errorf("ID token of a refresh: got address %q, nonce %q", c.Email, id.Nonce)
	}
	if info, live := w.server.Lookup(fresh.AccessToken); !live || info.Email != ada {
		t.Errorf("Lookup: got %+v, %v", info, live)
	}
	w.advance(3599 * time.Second)
	if _, live := w.server.Lookup(fresh.AccessToken); live {
		t.Error("an access token lives longer than it says")
	}

	foreign := *config
	foreign.ClientID, foreign.ClientSecret = "other", "other-secret"
	_, err = foreign.TokenSource(ctx, spent(token)).Token()
	if _, got := retrieveError(t, err); got != "invalid_grant" {
		t.Errorf("another client's refresh: got %s, want invalid_grant", got)
	}
}

func TestRefreshMayNarrowScopes(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config("openid", modify)
	token := w.signIn(newBrowser(t), ada, config, oauth2.AccessTypeOffline)
	form := func(scope string) url.Values {
		return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}, "client_id": {"web"}, "client_secret": {"web/secret+"}, "scope": {scope}}
	}
	if status, answer := w.post("/token", form(modify)); status != 200 || answer["scope"] != modify || answer["id_token"] != nil {
		t.Errorf("narrower: got %d, scope %v", status, answer["scope"])
	}
	if status, answer := w.post("/token", form(send)); status != 400 || answer["error"] != "invalid_scope" {
		t.Errorf("wider: got %d %v, want 400 invalid_scope", status, answer["error"])
	}
}

func TestRevoke(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config("openid", modify)
	ctx := context.Background()
	for _, test := range []struct {
		name   string
		revoke func(*oauth2.Token)
	}{
		{"refresh token", func(token *oauth2.Token) { w.post("/revoke", url.Values{"token": {token.RefreshToken}}) }},
		{"access token", func(token *oauth2.Token) { w.post("/revoke", url.Values{"token": {token.AccessToken}}) }},
		{"token in the query", func(token *oauth2.Token) { w.post("/revoke?token="+url.QueryEscape(token.AccessToken), nil) }},
		{"at Google's side", func(*oauth2.Token) { w.server.RevokeUser("Ada@example.com") }},
	} {
		b := newBrowser(t)
		token := w.signIn(b, ada, config, oauth2.AccessTypeOffline)
		bobs := w.signIn(newBrowser(t), bob, config, oauth2.AccessTypeOffline, oauth2.ApprovalForce)
		if w.server.Revoked(token.RefreshToken) {
			t.Fatalf("%s: revoked before it was", test.name)
		}
		test.revoke(token)
		if _, live := w.server.Lookup(token.AccessToken); live || !w.server.Revoked(token.RefreshToken) {
			t.Errorf("%s: the tokens still work", test.name)
		}
		_, err := config.TokenSource(ctx, spent(token)).Token()
		if status, got := retrieveError(t, err); status != 400 || got != "invalid_grant" {
			t.Errorf("%s: refresh: got %d %s, want 400 invalid_grant", test.name, status, got)
		}
		if _, live := w.server.Lookup(bobs.AccessToken); !live || w.server.Revoked(bobs.RefreshToken) {
			t.Errorf("%s: another person's tokens ended too", test.name)
		}
		if v := b.open(config.AuthCodeURL("")); !v.isConsent() {
			t.Errorf("%s: the consent outlived its grant", test.name)
		}
	}
	if status, answer := w.post("/revoke", url.Values{"token": {"1//unknown"}}); status != 400 || answer["error"] != "invalid_token" {
		t.Errorf("unknown token: got %d %v, want 400 invalid_token", status, answer)
	}
	if w.server.Revoked("1//unknown") {
		t.Error("an unknown token counts as revoked")
	}
}

func TestClientAuthenticatesInOneWayOnly(t *testing.T) {
	w := startGoogle(t)
	for name, change := range map[string]url.Values{
		"secret in header and body": {"client_id": {"web"}, "client_secret": {"web/secret+"}},
		"another id in the body":    {"client_id": {"other"}},
	} {
		change.Set("grant_type", "refresh_token")
		change.Set("refresh_token", "1//x")
		request, err := http.NewRequest("POST", w.issuer+"/token", strings.NewReader(change.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth("web", url.QueryEscape("web/secret+"))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if status, answer := decode(t, response); answer["error"] == "invalid_grant" {
			t.Errorf("%s: the client passed: %d %v", name, status, answer)
		}
	}
}

// post sends a form as an application does and reads the JSON answer.
func (w *world) post(path string, form url.Values) (status int, answer map[string]any) {
	w.t.Helper()
	response, err := http.PostForm(w.issuer+path, form)
	if err != nil {
		w.t.Fatal(err)
	}
	return decode(w.t, response)
}

func decode(t *testing.T, response *http.Response) (status int, answer map[string]any) {
	t.Helper()
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatalf("status %d: %v", response.StatusCode, err)
	}
	return response.StatusCode, answer
}

func TestTokenRequestIsRefused(t *testing.T) {
	w := startGoogle(t)
	web := url.Values{"client_id": {"web"}, "client_secret": {"web/secret+"}}
	with := func(pairs ...string) url.Values {
		form := url.Values{}
		for name, values := range web {
			form[name] = values
		}
		for i := 0; i < len(pairs); i += 2 {
			form.Add(pairs[i], pairs[i+1])
		}
		return form
	}
	for _, test := range []struct {
		name, path string
		form       url.Values
		status     int
		code       string
	}{
		{"no client", "/token", url.Values{"grant_type": {"authorization_code"}}, 400, "invalid_request"},
		{"no grant type", "/token", with(), 400, "invalid_request"},
		{"password grant", "/token", with("grant_type", "password"), 400, "unsupported_grant_type"},
		{"no code", "/token", with("grant_type", "authorization_code"), 400, "invalid_request"},
		{"made-up code", "/token", with("grant_type", "authorization_code", "code", "4/0Ax"), 400, "invalid_grant"},
		{"no refresh token", "/token", with("grant_type", "refresh_token"), 400, "invalid_request"},
		{"made-up refresh token", "/token", with("grant_type", "refresh_token", "refresh_token", "1//x"), 400, "invalid_grant"},
		{"given twice", "/token", with("grant_type", "refresh_token", "grant_type", "refresh_token"), 400, "invalid_request"},
		{"all in the URL", "/token?" + with("grant_type", "refresh_token", "refresh_token", "x").Encode(), nil, 400, "invalid_request"},
		{"too long", "/token", with("code", strings.Repeat("x", 70<<10)), 400, "invalid_request"},
	} {
		status, answer := w.post(test.path, test.form)
		if status != test.status || answer["error"] != test.code {
			t.Errorf("%s: got %d %v, want %d %s", test.name, status, answer["error"], test.status, test.code)
		}
	}
}

func TestTokenInfo(t *testing.T) {
	w := startGoogle(t)
	config, _ := w.config("openid", "email")
	token := w.signIn(newBrowser(t), ada, config, oauth2.AccessTypeOffline)
	get := func(access string) (int, map[string]any) {
		response, err := http.Get(w.issuer + "/tokeninfo?access_token=" + url.QueryEscape(access))
		if err != nil {
			t.Fatal(err)
		}
		return decode(t, response)
	}
	status, info := get(token.AccessToken)
	if status != 200 || info["aud"] != "web" || info["email"] != ada || info["email_verified"] != "true" || info["access_type"] != "offline" {
		t.Errorf("got %d %v", status, info)
	}
	if status, info := get("x"); status != 400 || info["error"] != "invalid_token" {
		t.Errorf("unknown: got %d %v, want 400 invalid_token", status, info)
	}
}

func TestUserInfoNeedsALiveToken(t *testing.T) {
	w := startGoogle(t)
	config, provider := w.config("openid")
	token := w.signIn(newBrowser(t), ada, config)
	w.server.ExpireAccessTokens()
	if _, err := provider.UserInfo(context.Background(), oauth2.StaticTokenSource(token)); err == nil {
		t.Error("userinfo answers an expired token")
	}
}

// An attacker who knows the public key, as everyone does, must not get a client
// to accept a token of their own making. What stops it on this side is that
// discovery and key set name RS256 alone.
func TestForgedIDTokensAreRefused(t *testing.T) {
	w := startGoogle(t)
	config, provider := w.config("openid")
	raw, _ := w.signIn(newBrowser(t), ada, config).Extra("id_token").(string)
	signed, err := jose.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	payload, kid := signed.UnsafePayloadWithoutVerification(), signed.Signatures[0].Header.KeyID
	set := w.keys()
	public := set.Key(kid)
	if len(public) != 1 || public[0].Algorithm != "RS256" || public[0].Use != "sig" || !public[0].IsPublic() {
		t.Fatalf("key set: got %d keys for the token's kid, want one public RS256 key", len(public))
	}
	der, err := x509.MarshalPKIXPublicKey(public[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(algorithm jose.SignatureAlgorithm, key any) string {
		t.Helper()
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		forged, err := signer.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := forged.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"`+kid+`"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
	verifier := provider.Verifier(&oidc.Config{ClientID: "web"})
	for name, forged := range map[string]string{
		"HS256 keyed with the public key (PEM)": sign(jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"HS256 keyed with the public key (DER)": sign(jose.HS256, der),
		"PS256 with another key":                sign(jose.PS256, stranger),
		"RS256 with another key":                sign(jose.RS256, stranger),
		"no signature":                          unsigned,
		"no signature, RS256 header":            raw[:strings.LastIndex(raw, ".")+1],
	} {
		if _, err := verifier.Verify(context.Background(), forged); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := verifier.Verify(context.Background(), raw); err != nil {
		t.Errorf("the real token: %v", err)
	}
}

// keys fetches the published key set.
func (w *world) keys() (set jose.JSONWebKeySet) {
	w.t.Helper()
	response, err := http.Get(w.issuer + "/oauth2/v3/certs")
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		w.t.Fatal(err)
	}
	return set
}

func TestKeyRotation(t *testing.T) {
	w := startGoogle(t)
	config, provider := w.config("openid")
	old := w.signIn(newBrowser(t), ada, config)
	verify(t, provider, old)
	for range 2 {
		if err := w.server.RotateKey(); err != nil {
			t.Fatal(err)
		}
		verify(t, provider, w.signIn(newBrowser(t), ada, config)) // the client fetches the new key
	}
	set := w.keys()
	if len(set.Keys) != 2 {
		t.Errorf("published keys: got %d, want 2", len(set.Keys))
	}
	for _, key := range set.Keys {
		if thumbprint, err := key.Thumbprint(crypto.SHA256); err != nil || base64.RawURLEncoding.EncodeToString(thumbprint) != key.KeyID {
			t.Errorf("kid is not the key's thumbprint: %v", err)
		}
	}
	raw, _ := old.Extra("id_token").(string)
	later, err := oidc.NewProvider(context.Background(), w.issuer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := later.Verifier(&oidc.Config{ClientID: "web"}).Verify(context.Background(), raw); err == nil {
		t.Error("a token of a key two rotations old still verifies")
	}
}

// TestServiceToken verifies the token of a push as a receiver does.
func TestServiceToken(t *testing.T) {
	w := startGoogle(t)
	_, provider := w.config("openid")
	raw, err := w.server.ServiceToken("push@example.iam.gserviceaccount.com", "https://app.example/push")
	if err != nil {
		t.Fatal(err)
	}
	check := func(audience string) (*oidc.IDToken, error) {
		return provider.Verifier(&oidc.Config{ClientID: audience}).Verify(t.Context(), raw)
	}
	token, err := check("https://app.example/push")
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Email    string
		Verified bool `json:"email_verified"`
		Azp      string
	}
	if err := token.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if claims.Email != "push@example.iam.gserviceaccount.com" || !claims.Verified || claims.Azp != token.Subject {
		t.Errorf("claims %+v of %s", claims, token.Subject)
	}
	if _, err := check("https://other.example/"); err == nil {
		t.Error("the token is good for another audience")
	}
}

// TestOlderPaths: clients of earlier years know the endpoints by other names.
func TestOlderPaths(t *testing.T) {
	w := startGoogle(t)
	for _, path := range []string{"/oauth2/v4/token", "/o/oauth2/token", "/o/oauth2/revoke"} {
		res, err := http.PostForm(w.issuer+path, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"none"}, "client_id": {"web"}, "client_secret": {"web/secret+"}, "token": {"none"}})
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Error string }
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil || res.StatusCode != 400 || !strings.HasPrefix(got.Error, "invalid_") {
			t.Errorf("%s: %d %q %v", path, res.StatusCode, got.Error, err)
		}
		res.Body.Close()
	}
}
