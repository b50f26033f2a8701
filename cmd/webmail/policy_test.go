package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// rulesDir is a policy that a test changes and signs.
type rulesDir struct{ dir, key, bundle string }

func newRules(t *testing.T) rulesDir {
	t.Helper()
	base := t.TempDir()
	r := rulesDir{dir: filepath.Join(base, "rules"), key: filepath.Join(base, "policy.key"), bundle: filepath.Join(base, "policy.tar.gz")}
	r.run(t, 0, "keygen", r.key)
	r.run(t, 0, "export", r.dir)
	return r
}

// run is a policy command that ends with a status.
func (r rulesDir) run(t *testing.T, want int, args ...string) string {
	t.Helper()
	out, status := once(t, append([]string{"policy"}, args...)...)
	if status != want {
		t.Fatalf("policy %v: status %d, want %d\n%s", args, status, want, out)
	}
	return out
}

func (r rulesDir) sign(t *testing.T, revision int) {
	t.Helper()
	r.run(t, 0, "sign", r.dir, "--key", r.key, "--revision", strconv.Itoa(revision), "--out", r.bundle)
}

// edit replaces a text of a file; it must be there.
func (r rulesDir) edit(t *testing.T, name, before, after string) {
	t.Helper()
	path := filepath.Join(r.dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), before) {
		t.Fatalf("%s does not hold %q", name, before)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), before, after, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestPolicyBundleOffline walks the way of a bundle before any server sees it.
func TestPolicyBundleOffline(t *testing.T) {
	r := newRules(t)
	r.sign(t, 1)
	if out := r.run(t, 0, "check", r.bundle, "--policy-key", r.key+".pub"); !strings.Contains(out, "number 1") {
		t.Errorf("check says\n%s", out)
	}
	other := newRules(t)
	if out := r.run(t, exitVerify, "check", r.bundle, "--policy-key", other.key+".pub"); !strings.Contains(out, "signature") {
		t.Errorf("check with another key says\n%s", out)
	}
	r.edit(t, "access.rego", `input.actor.id == input.account.owner`, `input.actor.id != ""`)
	r.sign(t, 2)
	if out := r.run(t, exitVerify, "check", r.bundle, "--policy-key", r.key+".pub"); !strings.Contains(out, "(allows)") {
		t.Errorf("check of rules for everybody says\n%s", out)
	}
	if out, status := once(t, "policy", "keygen", r.key); status != exitFailure {
		t.Errorf("a key is written over: status %d\n%s", status, out)
	}
}

// TestSimulate: who could read a message, and why the others could not.
func TestSimulate(t *testing.T) {
	out, status := once(t, "policy", "simulate", "--json")
	if status != 0 {
		t.Fatalf("status %d\n%s", status, out)
	}
	may := map[string]bool{}
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		may[a.Who] = may[a.Who] || a.Verdict.Allow
		if len(a.Verdict.Clauses) == 0 || len(a.Why) != len(a.Verdict.Clauses) {
			t.Errorf("no reason in %s", lines.Text())
		}
		for i, why := range a.Why {
			if why == a.Verdict.Clauses[i] {
				t.Errorf("%s has no words", why)
			}
		}
	}
	for _, p := range people {
		want := map[string]bool{"owner": true, "owner-consenting": true, "support-agreed": true, "job-instructed": true}[p.name]
		if may[p.name] != want {
			t.Errorf("%s: %v, want %v", p.name, may[p.name], want)
		}
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--who", "owner"}, []string{"the owner, at the page", "allowed", "owner_at_page", "message_view"}},
		{[]string{"--who", "owner", "--purpose", "marketing.audience"}, []string{"refused", "LU-PROH-ADS", "advertis"}},
		{[]string{"--who", "support-agreed", "--what", "threads.get"}, []string{"refused", "LU-HUM-1"}},
		{[]string{"--who", "owner", "--state", "disconnected"}, []string{"refused", "DEL-1"}},
		{[]string{"--who", "owner", "--scopes", "openid"}, []string{"refused", "MIN-2"}},
		{[]string{"--who", "caller-connected", "--what", "labels.get"}, []string{"allowed", "platform_caller", "unread_badge"}},
		{[]string{"--who", "operations", "--what", "aggregates.read"}, []string{"allowed", "aggregate_report"}},
		{[]string{"--who", "owner", "--what", "messages.delete"}, []string{"refused", "LU-USE-1"}},
	} {
		out, status := once(t, append([]string{"policy", "simulate"}, c.args...)...)
		for _, want := range c.want {
			if status != 0 || !strings.Contains(out, want) {
				t.Errorf("%v: status %d, want %q in\n%s", c.args, status, want, out)
			}
		}
	}
	if out, status := once(t, "policy", "simulate", "--who", "the boss"); status != exitFailure || !strings.Contains(out, `no "the boss"`) {
		t.Errorf("nobody: status %d\n%s", status, out)
	}
}

// TestPolicyHotReload: the real server takes a signed policy while it runs, refuses a bad one, and its log replays
// under both policies.
func TestPolicyHotReload(t *testing.T) {
	r := newRules(t)
	r.sign(t, 1)
	addr, data := freeAddress(t), t.TempDir()
	google := start(t, "emulate", "--addr", "127.0.0.1:0", "--seed", seedFile(t, addr))
	p := start(t, "serve", "--accept", "cleartext-keyset,no-witness,other-google", "--addr", addr, "--data", data, "--google-issuer", google.url, "--gmail-endpoint", google.url+"/",
		"--google-client-id", "webmail", "--google-client-secret", "not so secret", "--operator", "Test", "--contact", "privacy@example.com",
		"--policy-bundle", r.bundle, "--policy-key", r.key+".pub", "--policy-poll", "100ms")
	ann := newBrowser(t, p.url)
	ann.signIn("ann@example.com")
	inbox := "/api/accounts/" + ann.account + "/threads?label=INBOX"
	ann.get(inbox, &threadPage{})
	waitForEvent := func(want ...string) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			out, status := once(t, "audit", "query", "--data", data, "--kind", "lifecycle", "--format", "jsonl")
			found := status == 0
			for _, w := range want {
				found = found && strings.Contains(out, w)
			}
			if found {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the log holds no event with %v\n%s", want, out)
			}
		}
	}
	waitForEvent("policy.activated", `"number":"1"`)

	rules, err := os.ReadFile(filepath.Join(r.dir, "access.rego"))
	if err != nil {
		t.Fatal(err)
	}
	r.edit(t, "access.rego", `input.actor.id == input.account.owner`, `input.actor.id != ""`)
	r.sign(t, 2)
	waitForEvent("policy.rejected", `"reason":"allows"`)
	ann.get(inbox, &threadPage{})

	if err := os.WriteFile(filepath.Join(r.dir, "access.rego"), rules, 0o600); err != nil {
		t.Fatal(err)
	}
	r.edit(t, "data.json", `"unsubscribe": {"purpose": "inbox.organise", "actors": {"owner": true}`, `"unsubscribe": {"purpose": "inbox.organise", "actors": {}`)
	r.sign(t, 3)
	waitForEvent(`"number":"3"`)
	ann.get(inbox, &threadPage{})
	p.stop(t)

	if out := r.run(t, 0, "simulate", "--log", "--data", data); !strings.Contains(out, " 0 do not;") || !strings.Contains(out, "of 0 the policy") || strings.HasPrefix(out, "0 decisions") {
		t.Errorf("the log does not replay:\n%s", out)
	}
	r.edit(t, "data.json", `"thread_list": {"purpose": "inbox.read", "actors": {"owner": true}`, `"thread_list": {"purpose": "inbox.read", "actors": {}`)
	if out := r.run(t, exitChanges, "simulate", "--log", "--data", data, "--bundle", r.dir); !strings.Contains(out, "thread_list") || !strings.Contains(out, "LU-USE-1") || !strings.Contains(out, " 0 newly allowed") {
		t.Errorf("a policy without lists changes\n%s", out)
	}
	if out := r.run(t, exitChanges, "simulate", "--log", "--json", "--data", data, "--bundle", r.dir); !strings.Contains(out, `"feature":"thread_list"`) || !strings.Contains(out, `"newly_refused":`) {
		t.Errorf("as JSON\n%s", out)
	}
}
