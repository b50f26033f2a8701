package emulator_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// What discovery names must be what the server does: a client configures
// itself by it.
func TestDiscovery(t *testing.T) {
	w := startGoogle(t)
	response, err := http.Get(w.issuer + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	_, document := decode(t, response)
	for name, want := range map[string]any{
		"issuer":                                w.issuer,
		"response_types_supported":              []any{"code"},
		"id_token_signing_alg_values_supported": []any{"RS256"},
		"code_challenge_methods_supported":      []any{"S256"},
	} {
		if got := document[name]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	for name, value := range document {
		if !strings.HasSuffix(name, "_endpoint") && name != "jwks_uri" {
			continue
		}
		address, _ := value.(string)
		response, err := http.Get(address)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		response.Body.Close()
		if response.StatusCode == http.StatusNotFound {
			t.Errorf("%s: nothing is there", name)
		}
	}
	for _, scope := range document["scopes_supported"].([]any) {
		if v := newBrowser(t).open(w.authorize("scope", scope.(string))); !v.isChooser() {
			t.Errorf("scope %v is named and refused: status %d", scope, v.status)
		}
	}
}
