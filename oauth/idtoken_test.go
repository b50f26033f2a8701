package oauth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
)

// forger is a provider that puts whatever it is told into its ID tokens.
type forger struct {
	url   string
	key   *rsa.PrivateKey
	token string // the next ID token
}

func newForger(t *testing.T) *forger {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f := &forger{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 3600, "id_token": f.token})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// owners signs in at the forger.
func (f *forger) owners(t *testing.T, w *World) *oauth.Owners {
	t.Helper()
	provider, err := oauth.NewProvider(oauth.ProviderConfig{
		Issuer: f.url, AuthURL: f.url + "/auth", TokenURL: f.url + "/token", KeysURL: f.url + "/keys", ClientID: "web", Now: w.Now,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.Store.Owners(w.Gate, w.Store.Vault(w.Gate, provider), provider, oauth.OwnersConfig{SignInRedirect: SignInCallback, ConnectRedirect: ConnectCallback})
}

func (f *forger) sign(t *testing.T, alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// claims of an ID token that is right, for the nonce asked for.
func (f *forger) claims(w *World, nonce string) map[string]any {
	sum := sha256.Sum256([]byte("access"))
	return map[string]any{
		"iss": f.url, "aud": "web", "sub": "1", "email": Ada, "email_verified": true, "nonce": nonce,
		"iat": w.Now().Unix(), "exp": w.Now().Add(time.Hour).Unix(), "azp": "web",
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}
}

// TestForgedIDTokens changes one thing at a time in a token that is accepted.
func TestForgedIDTokens(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		f := newForger(t)
		owners := f.owners(t, w)
		stranger, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		// signIn runs a flow that ends with the token that make returns for its nonce.
		signIn := func(make func(nonce string) string) error {
			address, err := owners.StartSignIn(t.Context(), "b")
			if err != nil {
				t.Fatal(err)
			}
			asked, _ := url.Parse(address)
			f.token = make(asked.Query().Get("nonce"))
			_, err = owners.FinishSignIn(t.Context(), "b", url.Values{"state": {asked.Query().Get("state")}, "code": {"x"}})
			return err
		}
		right := func(nonce string) string { return f.sign(t, jose.RS256, f.key, f.claims(w, nonce)) }
		if err := signIn(right); err != nil {
			t.Fatalf("the token that is right: %v", err)
		}

		for name, change := range map[string]map[string]any{
			"another issuer":       {"iss": "https://evil.example"},
			"another audience":     {"aud": "other"},
			"two audiences":        {"aud": []string{"web", "other"}, "azp": nil},
			"another party":        {"azp": "other"},
			"expired":              {"exp": w.Now().Add(-time.Minute).Unix()},
			"another nonce":        {"nonce": "replayed"},
			"no nonce":             {"nonce": nil},
			"no subject":           {"sub": ""},
			"address not proven":   {"email_verified": false},
			"no word on address":   {"email_verified": nil},
			"no address":           {"email": nil},
			"another access token": {"at_hash": base64.RawURLEncoding.EncodeToString(make([]byte, 16))},
		} {
			err := signIn(func(nonce string) string {
				claims := f.claims(w, nonce)
				maps.Copy(claims, change)
				maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
				return f.sign(t, jose.RS256, f.key, claims)
			})
			if !errors.Is(err, oauth.ErrIdentity) {
				t.Errorf("%s: got %v, want ErrIdentity", name, err)
			}
		}

		public, err := json.Marshal(jose.JSONWebKey{Key: &f.key.PublicKey})
		if err != nil {
			t.Fatal(err)
		}
		for name, forge := range map[string]func(nonce string) string{
			"no token":       func(string) string { return "" },
			"not a token":    func(string) string { return "a.b.c" },
			"a stranger's":   func(nonce string) string { return f.sign(t, jose.RS256, stranger, f.claims(w, nonce)) },
			"weak algorithm": func(nonce string) string { return f.sign(t, jose.HS256, public, f.claims(w, nonce)) },
			"alg none": func(nonce string) string {
				body, _ := json.Marshal(f.claims(w, nonce))
				enc := base64.RawURLEncoding.EncodeToString
				return enc([]byte(`{"alg":"none"}`)) + "." + enc(body) + "."
			},
			"unsigned": func(nonce string) string {
				signed := right(nonce)
				return signed[:len(signed)-342] // an RS256 signature has 342 characters
			},
		} {
			if err := signIn(forge); !errors.Is(err, oauth.ErrIdentity) {
				t.Errorf("%s: got %v, want ErrIdentity", name, err)
			}
		}
	})
}

func TestNewProviderRefuses(t *testing.T) {
	for name, c := range map[string]oauth.ProviderConfig{
		"no issuer": {ClientID: "web"}, "no client": {Issuer: "https://accounts.google.com"}, "not a URL": {Issuer: "accounts", ClientID: "web"},
		"another scheme": {Issuer: "ftp://accounts.google.com", ClientID: "web"},
	} {
		if _, err := oauth.NewProvider(c, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	google, err := oauth.NewProvider(oauth.Google("web", "secret"), nil)
	if err != nil || google.AuthOrigin() != "https://accounts.google.com" {
		t.Errorf("Google: %v, origin %q", err, google.AuthOrigin())
	}
}
