package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/totalengage/webmail/internal/database/databasetest"
)

// TestServeOverEmulatedGoogle runs serve as one would against real Google, except that the endpoints are
// those of `webmail emulate`, on both databases: it is the same code path.
func TestServeOverEmulatedGoogle(t *testing.T) {
	databasetest.EachURL(t, func(t *testing.T, url string) {
		addr := freeAddress(t)
		google := start(t, "emulate", "--addr", "127.0.0.1:0", "--seed", seedFile(t, addr))
		args := []string{"--addr", addr, "--data", t.TempDir(), "--database", url, "--google-issuer", google.url, "--gmail-endpoint", google.url + "/",
			"--google-client-id", "webmail", "--google-client-secret", "not so secret", "--operator", "Test", "--contact", "privacy@example.com", "--poll", "100ms"}
		out, status := once(t, append([]string{"serve"}, args...)...)
		if status != exitFailure || !strings.Contains(out, "no-witness") || !strings.Contains(out, "other-google") {
			t.Fatalf("serve with unnamed weaknesses: status %d, want them listed\n%s", status, out)
		}
		p := start(t, append([]string{"serve", "--accept", "cleartext-keyset,no-witness,other-google"}, args...)...)
		ann := newBrowser(t, p.url)
		ann.signIn("ann@example.com")
		var page threadPage
		ann.get("/api/accounts/"+ann.account+"/threads?label=INBOX", &page)
		if len(page.Threads) != 1 || page.Threads[0].Subject != "Seeded" {
			t.Errorf("the mailbox shows %+v, want the seeded message", page.Threads)
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if status := ann.status("GET", path, nil, nil); status != 200 {
				t.Errorf("%s: %d, want 200", path, status)
			}
		}
		p.stop(t)
		for _, secret := range []string{"ann@example.com", "Seeded", "not so secret", ann.account} {
			if strings.Contains(p.output.String(), secret) {
				t.Errorf("the server's log holds %q", secret)
			}
		}
	})
}

// freeAddress finds a port before the server starts, because its callback URLs must be registered first.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func seedFile(t *testing.T, addr string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seed.yaml")
	seed := fmt.Sprintf(`
users:
  - email: ann@example.com
    name: Ann Example
    tokens: {ann-token: ["https://mail.google.com/"]}
    messages:
      - raw: "From: Ben <ben@example.com>\r\nTo: ann@example.com\r\nSubject: Seeded\r\nDate: Mon, 02 Nov 2026 09:00:00 +0000\r\nMessage-ID: <s@example.com>\r\n\r\nHello\r\n"
        labels: [INBOX, UNREAD]
clients:
  - id: webmail
    secret: not so secret
    redirect_uris: ["http://%s/auth/google/callback", "http://%s/connect/callback"]
`, addr, addr)
	if err := os.WriteFile(path, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUsageErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown command":        {[]string{"fly"}, "fly"},
		"unknown flag":           {[]string{"serve", "--nothing"}, "--nothing"},
		"missing client id":      {[]string{"serve", "--data", dir}, "is missing"},
		"config: unknown key":    {[]string{"serve", "--config", write("a.yaml", "adress: 127.0.0.1:1\n")}, `line 1: there is no option "adress"`},
		"config: not YAML":       {[]string{"serve", "--config", write("b.yaml", "a: [\n")}, "not YAML"},
		"config: key twice":      {[]string{"serve", "--config", write("c.yaml", "addr: a\naddr: b\n")}, `line 2: "addr" is there twice`},
		"config: a list":         {[]string{"serve", "--config", write("d.yaml", "- addr\n")}, "named like the flags"},
		"config: absent":         {[]string{"serve", "--config", filepath.Join(dir, "none.yaml")}, "none.yaml"},
		"unknown weakness":       {[]string{"serve", "--accept", "everything", "--google-client-id", "a", "--google-client-secret", "b", "--operator", "c", "--contact", "d", "--data", dir}, `no weakness "everything"`},
		"public URL with a path": {[]string{"serve", "--public-url", "https://a.example/mail", "--data", dir}, "without a path"},
		"seed: unknown key":      {[]string{"emulate", "--addr", "127.0.0.1:0", "--seed", write("s.yaml", "users:\n  - emial: x@example.com\n")}, "emial"},
		"seed: bad message":      {[]string{"emulate", "--addr", "127.0.0.1:0", "--seed", write("m.yaml", "users:\n  - email: x@example.com\n    messages: [{raw: \"\"}]\n")}, "user 1, message 1"},
		"import: no such file":   {[]string{"emulate", "--addr", "127.0.0.1:0", "--import", "x@example.com=" + filepath.Join(dir, "none.mbox")}, "none.mbox"},
		"import: nobody":         {[]string{"emulate", "--addr", "127.0.0.1:0", "--import", dir}, "needs a user"},
		"audit: no log":          {[]string{"audit", "verify", "--data", filepath.Join(dir, "none")}, "is --data right?"},
		"audit: bad time":        {[]string{"audit", "query", "--since", "yesterday"}, "--since must be a time"},
	} {
		out, status := once(t, c.args...)
		if status == 0 || !strings.Contains(out, c.want) {
			t.Errorf("%s: status %d, want an error with %q, got\n%s", name, status, c.want, out)
		}
	}
}

func TestFlagsVariablesAndFileSayTheSame(t *testing.T) {
	config := filepath.Join(t.TempDir(), "webmail.yaml")
	if err := os.WriteFile(config, []byte("public-url: https://mail.example.com/mail\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "--public-url must be"
	if out, _ := once(t, "serve", "--public-url", "https://mail.example.com/mail"); !strings.Contains(out, want) {
		t.Errorf("as a flag:\n%s", out)
	}
	if out, _ := once(t, "serve", "--config", config); !strings.Contains(out, want) {
		t.Errorf("in the file:\n%s", out)
	}
	t.Setenv("WEBMAIL_PUBLIC_URL", "https://mail.example.com/mail")
	if out, _ := once(t, "serve"); !strings.Contains(out, want) {
		t.Errorf("as a variable:\n%s", out)
	}
}

func TestHelpIsComplete(t *testing.T) {
	for _, c := range [][]string{{}, {"serve"}, {"demo"}, {"emulate"}, {"audit", "tail"}, {"audit", "query"}, {"audit", "verify"}, {"policy", "simulate"}, {"policy", "sign"}} {
		out, status := once(t, append(c, "--help")...)
		if status != 0 || !strings.Contains(out, "Usage: webmail") || !strings.Contains(out, "--config") {
			t.Errorf("webmail %v --help: status %d\n%s", c, status, out)
		}
	}
}
