package platform_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/totalengage/webmail/frontend/platform"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// forge signs any claims with any key and header.
func forge(t testing.TB, key any, algorithm jose.SignatureAlgorithm, header map[jose.HeaderKey]any, claims map[string]any) string {
	t.Helper()
	o := &jose.SignerOptions{}
	for name, value := range header {
		o.WithHeader(name, value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, o)
	must(t, err)
	payload, err := json.Marshal(claims)
	must(t, err)
	signed, err := signer.Sign(payload)
	must(t, err)
	token, err := signed.CompactSerialize()
	must(t, err)
	return token
}

func keyOf(t testing.TB, private []byte) jose.JSONWebKey {
	t.Helper()
	var jwk jose.JSONWebKey
	must(t, json.Unmarshal(private, &jwk))
	return jwk
}

// terms are the claims of a good assertion for GET /platform/v1/unread.
func (w *world) terms() map[string]any {
	now := w.Now().Unix()
	return map[string]any{
		"iss": "crm", "sub": "crm", "aud": w.url + platform.Prefix, "iat": now, "exp": now + 300, "jti": rand.Text(),
		"mailbox": string(w.adas), "htm": "GET", "htu": w.url + platform.Prefix + "/unread",
	}
}

// TestBadAssertions changes one thing of a good assertion at a time. None opens anything, none makes a decision, and each says
// what to mend.
func TestBadAssertions(t *testing.T) {
	w := onSQLite(t)
	w.connect("crm")
	key := keyOf(t, w.keys["crm"])
	good := func() string { return forge(t, key, jose.EdDSA, nil, w.terms()) }
	if a := w.send(good(), "GET", platform.Prefix+"/unread", ""); a.status != 200 {
		t.Fatalf("the good one: %d %s", a.status, a.body)
	}
	with := func(changes map[string]any) string {
		claims := w.terms()
		maps.Copy(claims, changes)
		maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
		return forge(t, key, jose.EdDSA, nil, claims)
	}
	now := w.Now().Unix()
	for _, c := range []struct {
		name   string
		token  string
		reason platform.Reason
	}{
		{"another caller's key", forge(t, renamed(keyOf(t, w.keys["badge"])), jose.EdDSA, nil, w.terms()), platform.Signature},
		{"a key that nobody registered", forge(t, stranger(t), jose.ES256, nil, w.terms()), platform.Signature},
		{"an unknown kid", forge(t, kid(key, "k2"), jose.EdDSA, nil, w.terms()), platform.Signature},
		{"no kid", forge(t, kid(key, ""), jose.EdDSA, nil, w.terms()), platform.Signature},
		{"its own key in the header", forge(t, stranger(t), jose.ES256, map[jose.HeaderKey]any{"jwk": stranger(t).Public()}, w.terms()), platform.Signature},
		{"an unknown caller", with(map[string]any{"iss": "nobody", "sub": "nobody"}), platform.Signature},
		{"alg none", unsigned(t, w.terms()), platform.Malformed},
		{"a shared secret", forge(t, []byte(strings.Repeat("k", 32)), jose.HS256, map[jose.HeaderKey]any{"kid": "k1"}, w.terms()), platform.Malformed},
		{"no JWT", "abc", platform.Malformed},
		{"a very long one", strings.Repeat("a", 10_000), platform.Malformed},
		{"a changed payload", tampered(good()), platform.Signature},
		{"somebody else as subject", with(map[string]any{"sub": "badge"}), platform.Subject},
		{"another audience", with(map[string]any{"aud": "https://other.example/platform/v1"}), platform.Audience},
		{"two audiences", with(map[string]any{"aud": []string{w.url + platform.Prefix, "https://other.example"}}), platform.Audience},
		{"no audience", with(map[string]any{"aud": nil}), platform.Audience},
		{"expired", with(map[string]any{"iat": now - 300, "exp": now}), platform.Expired},
		{"no end", with(map[string]any{"exp": nil}), platform.Lifetime},
		{"no beginning", with(map[string]any{"iat": nil}), platform.Lifetime},
		{"longer than five minutes", with(map[string]any{"exp": now + 301}), platform.Lifetime},
		{"a beginning before all time", with(map[string]any{"iat": -9.3e18}), platform.Lifetime},
		{"an end after all time", with(map[string]any{"exp": 9.2e18}), platform.Lifetime},
		{"from the future", with(map[string]any{"iat": now + 40, "exp": now + 300}), platform.TooEarly},
		{"not yet", with(map[string]any{"nbf": now + 40}), platform.TooEarly},
		{"no jti", with(map[string]any{"jti": nil}), platform.ID},
		{"a jti of anything", with(map[string]any{"jti": "ada.lovelace@example.com"}), platform.ID},
		{"no mailbox", with(map[string]any{"mailbox": nil}), platform.Mailbox},
		{"another method", with(map[string]any{"htm": "POST"}), platform.Method},
		{"another address", with(map[string]any{"htu": w.url + platform.Prefix + "/drafts"}), platform.Address},
		{"another host", with(map[string]any{"htu": "https://other.example" + platform.Prefix + "/unread"}), platform.Address},
		{"a body that is not there", with(map[string]any{"body_sha256": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}), platform.Body},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := w.decisions()
			a := w.send(c.token, "GET", platform.Prefix+"/unread", "")
			want := (&platform.Unauthorized{Reason: c.reason}).Error()
			if a.status != 401 || a.problem.Code != "assertion_refused" || a.problem.Detail != want {
				t.Errorf("got %d %s, want 401: %s", a.status, a.body, want)
			}
			if challenge := a.header.Get("WWW-Authenticate"); challenge != `Bearer realm="platform", error="invalid_token", error_description="`+want+`"` {
				t.Errorf("WWW-Authenticate: %s", challenge)
			}
			if after := w.decisions(); after != before {
				t.Errorf("%d decisions were made", after-before)
			}
			silent(t, a)
		})
	}
}

// TestBoundToItsRequest: an assertion for one body, and used once.
func TestBoundToItsRequest(t *testing.T) {
	w := onSQLite(t)
	w.connect("crm")
	refused := func(a answer, reason platform.Reason) {
		t.Helper()
		if a.status != 401 || a.problem.Detail != (&platform.Unauthorized{Reason: reason}).Error() {
			t.Errorf("got %d %s, want %s", a.status, a.body, reason)
		}
	}
	token := w.sign("crm", w.adas, "POST", platform.Prefix+"/drafts", draft)
	refused(w.send(token, "POST", platform.Prefix+"/drafts", strings.Replace(draft, "17", "18", 1)), platform.Body)
	refused(w.send(token, "POST", platform.Prefix+"/drafts", ""), platform.Body)
	refused(w.send(token, "GET", platform.Prefix+"/unread", ""), platform.Method)
	refused(w.send(token, "POST", platform.Prefix+"/drafts?send=1", draft), platform.Address)
	if a := w.send(token, "POST", platform.Prefix+"/drafts", draft); a.status != 201 {
		t.Fatalf("its own request: %d %s", a.status, a.body)
	}
	refused(w.send(token, "POST", platform.Prefix+"/drafts", draft), platform.Replayed)
	w.Advance(6 * time.Minute)
	refused(w.send(token, "POST", platform.Prefix+"/drafts", draft), platform.Expired)
}

// TestBadAssertionsAreRecorded, a bounded number of them, with the number of those left out.
func TestBadAssertionsAreRecorded(t *testing.T) {
	w := onSQLite(t)
	const sent = platform.RecordedBurst + 7
	for range sent {
		w.send("no.token", "GET", platform.Prefix+"/unread", "")
	}
	w.Advance(2 * platform.RecordedEvery)
	w.send(w.sign("crm", w.adas, "GET", platform.Prefix+"/unread", "for a body"), "GET", platform.Prefix+"/unread", "")

	page, err := w.Log.Query(t.Context(), decisionlog.Filter{Operation: platform.EventAssertionRefused, Limit: 100})
	must(t, err)
	if n := len(page.Records); n <= platform.RecordedBurst || n > platform.RecordedBurst+3 { // a token or two may come back while the test runs
		t.Fatalf("%d events of %d refusals, want about %d", n, sent+1, platform.RecordedBurst+1)
	}
	newest := string(page.Records[0].Body)
	if !strings.Contains(newest, `"caller":"crm"`) || !strings.Contains(newest, `"reason":"body"`) || !strings.Contains(newest, `"unrecorded":"`) {
		t.Errorf("the newest event is %s", newest)
	}
	if oldest := string(page.Records[len(page.Records)-1].Body); strings.Contains(oldest, `"caller"`) || !strings.Contains(oldest, `"reason":"malformed"`) {
		t.Errorf("the oldest event is %s", oldest)
	}
}

// TestAlgorithms signs with each kind of key that can be registered, and with the same key by another algorithm.
func TestAlgorithms(t *testing.T) {
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	now := time.Now()
	for _, c := range []struct {
		key        any
		registered jose.SignatureAlgorithm
		signed     jose.SignatureAlgorithm
		ok         bool
	}{
		{elliptical, jose.ES256, jose.ES256, true},
		{big, jose.PS256, jose.PS256, true},
		{big, jose.RS256, jose.RS256, true},
		{big, jose.PS256, jose.RS256, false},
		{big, jose.RS256, jose.PS256, false},
		{big, jose.RS256, jose.RS512, false},
	} {
		jwk := jose.JSONWebKey{Key: c.key, KeyID: "k", Algorithm: string(c.registered)}
		public, err := json.Marshal(jwk.Public())
		must(t, err)
		callers, err := platform.ParseCallers(fmt.Appendf(nil, "callers: [{id: one, name: One, use: Tests., purposes: [inbox.sync], keys: [%s]}]", public))
		must(t, err)
		jwk.Algorithm = string(c.signed)
		token := forge(t, jwk, c.signed, nil, map[string]any{
			"iss": "one", "sub": "one", "aud": "a", "iat": now.Unix(), "exp": now.Unix() + 60, "jti": "12345678", "mailbox": "m",
		})
		caller, mailbox, err := platform.Verify(callers, "a", func() time.Time { return now }, token)
		if (err == nil) != c.ok || c.ok && (caller != "one" || mailbox != "m") {
			t.Errorf("a key for %s, signed with %s: got %s, %s, %v", c.registered, c.signed, caller, mailbox, err)
		}
	}
}

// FuzzAssertion: whatever comes as a token, nothing is accepted but what the registered key signed.
func FuzzAssertion(f *testing.F) {
	private, public, err := platform.NewKey("k")
	must(f, err)
	callers, err := platform.ParseCallers(fmt.Appendf(nil, "callers: [{id: one, name: One, use: Tests., purposes: [inbox.sync], keys: [%s]}]", public))
	must(f, err)
	now := time.Unix(1_800_000_000, 0)
	good, err := platform.Sign(private, platform.Call{Caller: "one", Mailbox: "m", Method: "GET", URL: "https://a.example/x", At: now})
	must(f, err)
	const audience = "https://a.example" + platform.Prefix
	if caller, _, err := platform.Verify(callers, audience, func() time.Time { return now }, good); err != nil || caller != "one" {
		f.Fatalf("the good one: %s, %v", caller, err)
	}
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	for _, seed := range []string{"", good, header + "..", "." + payload + ".", header + "." + payload + ".", good + "A", `{"payload":"` + payload + `"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		caller, _, err := platform.Verify(callers, audience, func() time.Time { return now }, token)
		var refused *platform.Unauthorized
		switch {
		case err != nil && !errors.As(err, &refused):
			t.Errorf("an error that is not about the assertion: %v", err)
		case err == nil && (caller != "one" || !strings.HasPrefix(token, header+"."+payload+".") || len(token) != len(header+payload+signature)+2):
			t.Errorf("accepted %q", token)
		}
	})
}

func renamed(jwk jose.JSONWebKey) jose.JSONWebKey { return kid(jwk, "k1") }

func kid(jwk jose.JSONWebKey, id string) jose.JSONWebKey {
	jwk.KeyID = id
	return jwk
}

func stranger(t *testing.T) *jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return &jose.JSONWebKey{Key: key, KeyID: "k1"}
}

// unsigned is a token whose header says that it needs no signature.
func unsigned(t *testing.T, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	must(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none","kid":"k1"}`)) + "." + encode(payload) + "."
}

// tampered names another mailbox under the same signature.
func tampered(token string) string {
	parts := strings.Split(token, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), `"mailbox":"`, `"mailbox":"0`, 1)))
	return strings.Join(parts, ".")
}
