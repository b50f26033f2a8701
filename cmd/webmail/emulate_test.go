package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// emulated calls the emulated Gmail of a program with the seed's token.
func (p *program) emulated(t *testing.T, method, path, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer ann-token")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", method, path, res.StatusCode, out, err)
	}
	return string(out)
}

// TestEmulateKeepsItsState: what was answered is there after the program is killed, and
// the seed's mail is not put in twice.
func TestEmulateKeepsItsState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	args := []string{"emulate", "--addr", "127.0.0.1:0", "--data", dir, "--seed", seedFile(t, "127.0.0.1:1")}
	p := start(t, args...)
	p.emulated(t, "POST", "/gmail/v1/users/me/labels", `{"name":"Kept"}`)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	p = start(t, args...)
	if got := p.emulated(t, "GET", "/gmail/v1/users/me/labels", ""); !strings.Contains(got, `"Kept"`) {
		t.Errorf("labels after the kill: %s", got)
	}
	var profile struct{ MessagesTotal int }
	if err := json.Unmarshal([]byte(p.emulated(t, "GET", "/gmail/v1/users/me/profile", "")), &profile); err != nil || profile.MessagesTotal != 1 {
		t.Errorf("%d messages after the kill, want the seed's one (%v)", profile.MessagesTotal, err)
	}
	p.stop(t)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("kept %v, want the journal and its lock (%v)", left, err)
	}
}

// TestEmulatePushes: a notification comes signed by the keys that the sign-in publishes.
func TestEmulatePushes(t *testing.T) {
	type push struct {
		token string
		body  []byte
	}
	received := make(chan push, 10)
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received <- push{strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), body}
	}))
	defer endpoint.Close()
	p := start(t, "emulate", "--addr", "127.0.0.1:0", "--seed", seedFile(t, "127.0.0.1:1"), "--push", endpoint.URL, "--push-account", "push@example.com")
	p.emulated(t, "POST", "/gmail/v1/users/me/watch", `{"topicName":"projects/p/topics/t"}`)
	var got push
	select {
	case got = <-received:
	case <-time.After(10 * time.Second):
		t.Fatal("no notification")
	}
	if !bytes.Contains(got.body, []byte(`"subscription":"projects/p/subscriptions/t"`)) {
		t.Errorf("notification %s", got.body)
	}
	provider, err := oidc.NewProvider(t.Context(), p.url)
	if err != nil {
		t.Fatal(err)
	}
	token, err := provider.Verifier(&oidc.Config{ClientID: endpoint.URL}).Verify(t.Context(), got.token)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Email string }
	if err := token.Claims(&claims); err != nil || claims.Email != "push@example.com" {
		t.Errorf("token of %q (%v)", claims.Email, err)
	}
}
