package main

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDemoServices tries the demo's two services as its printed line says: alice connects the CRM, which sees how much is
// unread; the other one, registered for marketing, is refused and recorded.
func TestDemoServices(t *testing.T) {
	data := t.TempDir()
	p := startDemo(t, data)
	defer p.stop(t)
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	var connected struct{ Service struct{ Mailbox string } }
	alice.post("/api/accounts/"+alice.account+"/services/northwind-crm", map[string]any{}, &connected)

	call := func(service string) (status int, body string) {
		t.Helper()
		address := p.url + "/platform/v1/unread"
		token, exit := once(t, "platform", "token", "--caller", service, "--key", filepath.Join(data, "callers", service+".key"), "--mailbox", connected.Service.Mailbox, "--url", address)
		if exit != 0 {
			t.Fatalf("signing: status %d\n%s", exit, token)
		}
		req, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(answer)
	}
	if status, body := call("northwind-crm"); status != 200 || !strings.HasPrefix(body, `{"unread":`) {
		t.Errorf("the CRM got %d %s", status, body)
	}
	status, body := call("northwind-growth")
	var refused struct {
		DecisionID string
		Clauses    []string
	}
	if err := json.Unmarshal([]byte(body), &refused); err != nil {
		t.Fatal(err)
	}
	if status != 403 || !slices.Contains(refused.Clauses, "LU-PROH-ADS") {
		t.Errorf("the marketing service got %d %s", status, body)
	}
	var history struct {
		Entries []struct {
			Who      struct{ Name string }
			Decision string
			Allowed  bool
		}
	}
	alice.get("/api/accounts/"+alice.account+"/access/history", &history)
	if len(history.Entries) != 2 || history.Entries[0].Who.Name != "Northwind Growth" || history.Entries[0].Decision != refused.DecisionID || history.Entries[0].Allowed ||
		history.Entries[1].Who.Name != "Northwind CRM" || !history.Entries[1].Allowed {
		t.Errorf("alice's access history is %+v, want the refusal and the CRM's reading", history.Entries)
	}
	if out, exit := once(t, "audit", "query", "--data", data, "--decision", refused.DecisionID); exit != 0 || !strings.Contains(out, "marketing.audience") {
		t.Errorf("the refusal in the log: status %d\n%s", exit, out)
	}
}

func TestKeysAreNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "service.key")
	out, exit := once(t, "platform", "key", "--kid", "2026-11", "--out", path)
	var public map[string]string
	if err := json.Unmarshal([]byte(out), &public); err != nil || exit != 0 || public["kid"] != "2026-11" || public["d"] != "" {
		t.Errorf("got status %d %s, want a public key", exit, out)
	}
	if out, exit := once(t, "platform", "key", "--kid", "2026-12", "--out", path); exit == 0 {
		t.Errorf("a key was overwritten: %s", out)
	}
}
