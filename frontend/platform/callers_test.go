package platform_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"crypto/rand"
	"crypto/rsa"

	"github.com/go-jose/go-jose/v4"

	"github.com/totalengage/webmail/frontend/platform"
	"github.com/totalengage/webmail/policy"
)

func TestCallers(t *testing.T) {
	_, public, err := platform.NewKey("2026-11")
	must(t, err)
	callers, err := platform.ParseCallers([]byte(`
callers:
  - id: northwind-crm
    name: Northwind CRM
    use: Shows how much is unread.
    purposes: [inbox.sync, marketing.audience]
    returnURL: https://crm.example.com/connected
    keys: [` + string(public) + `]
`))
	must(t, err)
	got, err := callers.Caller(t.Context(), "northwind-crm")
	if err != nil || !slices.Equal(got.Purposes, []policy.Purpose{"inbox.sync", "marketing.audience"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := callers.Caller(t.Context(), "northwind"); !errors.Is(err, policy.ErrUnknown) {
		t.Errorf("a caller that is not there: got %v", err)
	}
	if none, err := platform.ParseCallers(nil); err != nil || len(none.All()) != 0 {
		t.Errorf("an empty file: got %v, %v", none, err)
	}
}

func TestCallersRefuses(t *testing.T) {
	private, public, err := platform.NewKey("k")
	must(t, err)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	small, err := json.Marshal(jose.JSONWebKey{Key: &weak.PublicKey, KeyID: "k", Algorithm: "RS256"})
	must(t, err)
	secret := `{"kty":"oct","kid":"k","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}`
	entry := func(changes ...string) string {
		text := `{id: one, name: One, use: Tests., purposes: [inbox.sync], keys: [KEY]}`
		for i := 0; i < len(changes); i += 2 {
			if !strings.Contains(text, changes[i]) {
				t.Fatalf("there is no %q in the entry", changes[i])
			}
			text = strings.Replace(text, changes[i], changes[i+1], 1)
		}
		return strings.ReplaceAll(text, "KEY", string(public))
	}
	for name, entries := range map[string]string{
		"a private key":        entry("KEY", string(private)),
		"a weak key":           entry("KEY", string(small)),
		"a shared secret":      entry("KEY", secret),
		"a key without kid":    entry("KEY", strings.Replace(string(public), `"kid":"k",`, "", 1)),
		"a key twice":          entry("KEY", "KEY, KEY"),
		"another alg":          entry("KEY", strings.Replace(string(public), `"EdDSA"`, `"ES256"`, 1)),
		"a key to encrypt":     entry("KEY", strings.Replace(string(public), `"sig"`, `"enc"`, 1)),
		"no key":               entry("[KEY]", "[]"),
		"no purpose":           entry("[inbox.sync]", "[]"),
		"a purpose of no name": entry("inbox.sync", "'All of it'"),
		"an id with a space":   entry("one", "'o ne'"),
		"no name":              entry("One", "''"),
		"two lines":            entry("Tests.", `"a\nb"`),
		"an unknown key":       entry("name:", "scopes: [], name:"),
		"plain HTTP":           entry("name:", "returnURL: 'http://crm.example.com/', name:"),
		"a script":             entry("name:", "returnURL: 'javascript:alert(1)', name:"),
		"a query":              entry("name:", "returnURL: 'https://crm.example.com/?mailbox=x', name:"),
		"a negative rate":      entry("name:", "perMinute: -1, name:"),
		"the same id twice":    entry() + ", " + entry(),
	} {
		if _, err := platform.ParseCallers([]byte("callers: [" + entries + "]")); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := platform.ParseCallers([]byte("callers: [" + entry() + "]")); err != nil {
		t.Errorf("the entry itself: %v", err)
	}
}

// FuzzCallers: a file that is accepted registers callers that have an id, a purpose and a key each.
func FuzzCallers(f *testing.F) {
	_, public, err := platform.NewKey("k")
	must(f, err)
	f.Add([]byte("callers: [{id: one, name: One, use: Tests., purposes: [inbox.sync], keys: [" + string(public) + "]}]"))
	f.Add([]byte("callers: []"))
	f.Add([]byte("callers: [{id: one, keys: [{kty: RSA, n: AQAB, e: AQAB, kid: k}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		callers, err := platform.ParseCallers(data)
		if err != nil {
			return
		}
		for _, c := range callers.All() {
			if c.ID == "" || c.Name == "" || len(c.Purposes) == 0 || c.PerMinute < 1 {
				t.Errorf("registered %+v", c)
			}
		}
	})
}
