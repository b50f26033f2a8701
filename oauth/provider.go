package oauth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// ProviderConfig describes an OpenID provider and this server's registration with it. Endpoints that are
// left empty are taken from the issuer's discovery document when first needed.
type ProviderConfig struct {
	Issuer    string // as its ID tokens name it
	AuthURL   string
	TokenURL  string
	RevokeURL string
	KeysURL   string

	ClientID     string
	ClientSecret string
	AuthStyle    oauth2.AuthStyle // how the client authenticates; zero is the header, which all providers know

	Now func() time.Time // the clock for expiry; nil means time.Now
}

// Google returns the settings of Google's authorization server
// (https://accounts.google.com/.well-known/openid-configuration).
func Google(clientID, clientSecret string) ProviderConfig {
	return ProviderConfig{
		Issuer:    "https://accounts.google.com",
		AuthURL:   "https://accounts.google.com/o/oauth2/v2/auth",
		TokenURL:  "https://oauth2.googleapis.com/token",
		RevokeURL: "https://oauth2.googleapis.com/revoke",
		KeysURL:   "https://www.googleapis.com/oauth2/v3/certs",
		ClientID:  clientID, ClientSecret: clientSecret, AuthStyle: oauth2.AuthStyleInParams,
	}
}

// Provider is an OpenID provider as a client of it sees it. It is safe for concurrent use.
type Provider struct {
	issuer string // what the provider calls itself
	http   *http.Client
	now    func() time.Time

	mu       sync.Mutex     // guards what follows
	config   ProviderConfig // completed by discovery
	keys     oidc.KeySet    // nil until ready
	verifier *oidc.IDTokenVerifier
	lasting  *oidc.IDTokenVerifier // the same, but for when a token runs out
}

// providerTimeout bounds one request to a provider.
const providerTimeout = 15 * time.Second

// NewProvider returns the provider without contacting it. client makes the requests; nil means a plain one.
// Redirects are never followed: they would carry the client's secret elsewhere.
func NewProvider(c ProviderConfig, client *http.Client) (*Provider, error) {
	if u, err := url.Parse(c.Issuer); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("oauth: the issuer is not an http or https URL")
	}
	if c.ClientID == "" {
		return nil, errors.New("oauth: a provider needs a client id")
	}
	if c.AuthStyle == oauth2.AuthStyleAutoDetect {
		c.AuthStyle = oauth2.AuthStyleInHeader // detecting would send each failing request twice
	}
	own := http.Client{Timeout: providerTimeout}
	if client != nil {
		own.Transport = client.Transport
		if client.Timeout > 0 {
			own.Timeout = client.Timeout
		}
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p := &Provider{issuer: c.Issuer, http: &own, now: c.Now, config: c}
	if p.now == nil {
		p.now = time.Now
	}
	return p, nil
}

// AuthOrigin is the origin that a browser is sent to, for a form-action directive: Chromium applies it to
// redirects that answer a form.
func (p *Provider) AuthOrigin() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	address := p.config.AuthURL
	if address == "" {
		address = p.config.Issuer
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// ready returns the completed settings and the verifier of ID tokens. Several callers may discover at once
// at the start; the first result stays.
func (p *Provider) ready(ctx context.Context) (ProviderConfig, *oidc.IDTokenVerifier, error) {
	p.mu.Lock()
	c, verifier := p.config, p.verifier
	p.mu.Unlock()
	if verifier != nil {
		return c, verifier, nil
	}
	if c.AuthURL == "" || c.TokenURL == "" || c.KeysURL == "" {
		found, err := p.discover(ctx)
		if err != nil {
			return c, nil, err
		}
		c.AuthURL, c.TokenURL, c.KeysURL = or(c.AuthURL, found.AuthURL), or(c.TokenURL, found.TokenURL), or(c.KeysURL, found.KeysURL)
		c.RevokeURL = or(c.RevokeURL, found.RevokeURL)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.verifier == nil {
		// The key set is fetched when first needed and again when a token names an unknown key. The algorithms
		// are fixed here, so that no token chooses its own.
		keys := oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), p.http), c.KeysURL)
		p.config, p.keys = c, keys
		checks := oidc.Config{ClientID: c.ClientID, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256, oidc.PS256}, Now: p.now}
		p.verifier = oidc.NewVerifier(c.Issuer, keys, &checks)
		kept := checks
		kept.SkipExpiryCheck = true
		p.lasting = oidc.NewVerifier(c.Issuer, keys, &kept)
	}
	return p.config, p.verifier, nil
}

// keySet is the provider's keys, once it is ready.
func (p *Provider) keySet() oidc.KeySet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys
}

func (p *Provider) discover(ctx context.Context) (ProviderConfig, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, p.http), p.issuer)
	if err != nil {
		return ProviderConfig{}, &ProviderError{Op: "discover"}
	}
	var more struct {
		RevokeURL string `json:"revocation_endpoint"`
		KeysURL   string `json:"jwks_uri"`
	}
	if err := provider.Claims(&more); err != nil {
		return ProviderConfig{}, &ProviderError{Op: "discover"}
	}
	endpoint := provider.Endpoint()
	return ProviderConfig{AuthURL: endpoint.AuthURL, TokenURL: endpoint.TokenURL, RevokeURL: more.RevokeURL, KeysURL: more.KeysURL}, nil
}

func (c ProviderConfig) client(redirect string, scopes []string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, RedirectURL: redirect, Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: c.AuthURL, TokenURL: c.TokenURL, AuthStyle: c.AuthStyle},
	}
}

// authURL is where a browser goes to begin the flow.
func (p *Provider) authURL(ctx context.Context, state string, f flow, redirect string, scopes []string, options ...oauth2.AuthCodeOption) (string, error) {
	c, _, err := p.ready(ctx)
	if err != nil {
		return "", err
	}
	options = append(options, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier))
	return c.client(redirect, scopes).AuthCodeURL(state, options...), nil
}

// identity is what a verified ID token says.
type identity struct {
	subject string
	email   string
	name    string
	amr     []string
	claims  map[string]any

	raw      string    // the token itself
	issued   time.Time // when the provider signed it
	authTime time.Time // when the provider last saw the person authenticate; zero where it does not say
}

// exchange redeems a code and verifies the ID token that comes with it: signature, issuer, audience, time,
// nonce, and that it belongs to the access token.
func (p *Provider) exchange(ctx context.Context, f flow, redirect, code string) (*oauth2.Token, identity, error) {
	c, verifier, err := p.ready(ctx)
	if err != nil {
		return nil, identity{}, err
	}
	ctx = oidc.ClientContext(ctx, p.http)
	token, err := c.client(redirect, nil).Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		if e := providerError("exchange", err); e.Code == "invalid_grant" {
			return nil, identity{}, ErrFlow // the code is used, old, or was not made for this flow
		} else {
			return nil, identity{}, e
		}
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := verifier.Verify(ctx, raw)
	if err != nil {
		return token, identity{}, ErrIdentity // the cause quotes the token's claims
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.Nonce)) != 1 {
		return token, identity{}, ErrIdentity
	}
	if id.AccessTokenHash != "" && id.VerifyAccessToken(token.AccessToken) != nil {
		return token, identity{}, ErrIdentity
	}
	who, err := readIdentity(id, c.ClientID)
	who.raw = raw
	return token, who, err
}

func readIdentity(id *oidc.IDToken, clientID string) (identity, error) {
	var c struct {
		Email         string   `json:"email"`
		EmailVerified bool     `json:"email_verified"`
		Name          string   `json:"name"`
		Party         string   `json:"azp"`
		AMR           []string `json:"amr"`
		AuthTime      int64    `json:"auth_time"`
	}
	who := identity{subject: id.Subject, issued: id.IssuedAt}
	if id.Claims(&c) != nil || id.Claims(&who.claims) != nil {
		return who, ErrIdentity
	}
	if id.Subject == "" || c.Email == "" || !c.EmailVerified {
		return who, ErrIdentity
	}
	if c.Party != "" && c.Party != clientID || len(id.Audience) > 1 && c.Party == "" {
		return who, ErrIdentity // made for another application (OIDC Core 3.1.3.7)
	}
	who.email, who.name, who.amr = c.Email, c.Name, c.AMR
	if c.AuthTime > 0 {
		who.authTime = time.Unix(c.AuthTime, 0).UTC()
	}
	return who, nil
}

// refresh gets a new access token. Errors are *ProviderError; invalid_grant is final.
func (p *Provider) refresh(ctx context.Context, refreshToken string) (*oauth2.Token, error) {
	c, _, err := p.ready(ctx)
	if err != nil {
		return nil, err
	}
	token, err := c.client("", nil).TokenSource(oidc.ClientContext(ctx, p.http), &oauth2.Token{RefreshToken: refreshToken}).Token()
	if err != nil {
		return nil, providerError("refresh", err)
	}
	return token, nil
}

// revoke gives a permission back (RFC 7009). A token that the provider no longer knows is revoked.
func (p *Provider) revoke(ctx context.Context, token string) error {
	c, _, err := p.ready(ctx)
	if err != nil {
		return err
	}
	if c.RevokeURL == "" {
		return nil // the provider has no such thing
	}
	form := url.Values{"token": {token}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.RevokeURL, strings.NewReader(form.Encode()))
	if err != nil {
		return &ProviderError{Op: "revoke"}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.http.Do(req)
	if err != nil {
		return &ProviderError{Op: "revoke"}
	}
	defer resp.Body.Close()
	var answer struct {
		Error string `json:"error"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&answer) // an answer without JSON has no code
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusBadRequest && answer.Error == "invalid_token" {
		return nil
	}
	return &ProviderError{Op: "revoke", Status: resp.StatusCode, Code: knownCode(answer.Error)}
}

// providerError keeps of a provider's failure what cannot hold a secret: oauth2's own error quotes the answer.
func providerError(op string, err error) *ProviderError {
	e := &ProviderError{Op: op}
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) {
		e.Code = knownCode(answer.ErrorCode)
		if answer.Response != nil {
			e.Status = answer.Response.StatusCode
		}
	}
	return e
}

// knownCode passes on the codes of RFC 6749, 5.2, and hides other words.
func knownCode(code string) string {
	if slices.Contains([]string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}, code) {
		return code
	}
	return ""
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
