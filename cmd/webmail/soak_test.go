package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestManyLive has many people signed in on one process, each with an open page and live updates, while mail goes
// between them. Nobody's quota is exceeded, and everybody hears of their mail. It reports what one idle person costs.
// WEBMAIL_SOAK_USERS (8), WEBMAIL_SOAK_TIME (3s) and WEBMAIL_SOAK_POLL (500ms) say how many, how long, and how often
// Gmail is asked.
func TestManyLive(t *testing.T) {
	users, lasts, poll := 8, 3*time.Second, "500ms"
	if n, err := strconv.Atoi(os.Getenv("WEBMAIL_SOAK_USERS")); err == nil {
		users = n
	}
	if d, err := time.ParseDuration(os.Getenv("WEBMAIL_SOAK_TIME")); err == nil {
		lasts = d
	}
	if p := os.Getenv("WEBMAIL_SOAK_POLL"); p != "" {
		poll = p
	}
	t.Setenv("GOGC", "20") // resident memory is then close to what is in use
	addr := freeAddress(t)
	google := start(t, "emulate", "--addr", "127.0.0.1:0", "--control", "--seed", crowdFile(t, addr, users))
	p := start(t, "serve", "--accept", "cleartext-keyset,no-witness,other-google", "--addr", addr, "--data", t.TempDir(),
		"--google-issuer", google.url, "--gmail-endpoint", google.url+"/", "--google-client-id", "webmail", "--google-client-secret", "not so secret",
		"--operator", "Test", "--contact", "privacy@example.com", "--poll", poll)
	empty := resident(t, p)

	crowd := make([]*browser, users)
	first := newBrowser(t, p.url)
	for i := range crowd {
		crowd[i] = &browser{t: t, base: p.url, client: &http.Client{Jar: &jar{cookies: map[string]map[string]*http.Cookie{}}, Transport: first.client.Transport, Timeout: time.Minute}}
		crowd[i].signIn(fmt.Sprintf("user%d@example.com", i))
	}
	signedIn := resident(t, p)
	var heard atomic.Int64
	ctx, leave := context.WithCancel(t.Context())
	var streams sync.WaitGroup
	defer streams.Wait()
	defer leave()
	lines := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	for _, b := range crowd {
		res := b.stream(ctx, lines)
		streams.Go(func() {
			defer res.Body.Close()
			for in := bufio.NewScanner(res.Body); in.Scan(); {
				if in.Text() == "event: change" {
					heard.Add(1)
				}
			}
		})
	}
	live := resident(t, p)
	for _, b := range crowd {
		var page threadPage
		b.get("/api/accounts/"+b.account+"/threads?label=INBOX", &page)
	}
	listed := resident(t, p)

	sent := int64(0)
	for end := time.Now().Add(lasts); time.Now().Before(end); time.Sleep(lasts / 20) {
		sendAs(t, google.url, int(sent)%users, int(sent+1)%users)
		sent++
	}
	for wait := time.Now().Add(time.Minute); heard.Load() < sent && time.Now().Before(wait); {
		time.Sleep(100 * time.Millisecond)
	}
	if heard.Load() < sent {
		t.Errorf("%d messages were sent, and pages heard of %d changes", sent, heard.Load())
	}
	ended := resident(t, p)
	checkUnits(t, google.url)
	each := func(now, before int64) string { return fmt.Sprintf("%.1f kB", float64(now-before)/float64(users)/1000) }
	t.Logf("%d people, resident memory for each: signed in %s, live updates %s more, a page of the inbox %s more; after %v %.0f MB in all",
		users, each(signedIn, empty), each(live, signedIn), each(listed, live), lasts, float64(ended)/1e6)
	leave()
	streams.Wait()
	p.stop(t)
}

// stream opens the live updates of a browser's mailbox.
func (b *browser) stream(ctx context.Context, client *http.Client) *http.Response {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+"/api/accounts/"+b.account+"/events", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	for _, c := range b.client.Jar.Cookies(req.URL) {
		req.AddCookie(c)
	}
	res, err := client.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		b.t.Fatalf("live updates: %v, %v", res, err)
	}
	return res
}

// crowdFile seeds so many people, each with an inbox of 50 messages.
func crowdFile(t *testing.T, addr string, users int) string {
	t.Helper()
	var seed strings.Builder
	fmt.Fprintf(&seed, "clients:\n  - id: webmail\n    secret: not so secret\n    redirect_uris: [\"http://%s/auth/google/callback\", \"http://%s/connect/callback\"]\nusers:\n", addr, addr)
	for u := range users {
		fmt.Fprintf(&seed, "  - email: user%d@example.com\n    name: User %d\n    tokens: {token%d: [\"https://mail.google.com/\"]}\n    messages:\n", u, u, u)
		for m := range 50 {
			fmt.Fprintf(&seed, "      - {raw: \"From: Ben <ben@example.net>\\r\\nTo: user%d@example.com\\r\\nSubject: Subject %d\\r\\nDate: Mon, 02 Nov 2026 09:%02d:00 +0000\\r\\nMessage-ID: <m%d.%d@example.net>\\r\\n\\r\\nHello\\r\\n\", labels: [INBOX]}\n", u, m, m, u, m)
		}
	}
	path := filepath.Join(t.TempDir(), "crowd.yaml")
	if err := os.WriteFile(path, []byte(seed.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sendAs sends mail past the product.
func sendAs(t *testing.T, google string, from, to int) {
	t.Helper()
	raw := base64.URLEncoding.EncodeToString(fmt.Appendf(nil, "To: user%d@example.com\r\nSubject: Hello\r\n\r\nHello\r\n", to))
	body, err := json.Marshal(map[string]string{"raw": raw})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, google+"/gmail/v1/users/me/messages/send", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", fmt.Sprintf("Bearer token%d", from))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("sending past the product: %d", res.StatusCode)
	}
}

// checkUnits compares what was asked with what was let through: a call over quota is refused and costs nothing.
func checkUnits(t *testing.T, google string) {
	t.Helper()
	price := map[string]int64{
		"getProfile": 1, "labels.list": 1, "labels.get": 1, "messages.list": 5, "messages.get": 20, "history.list": 2, "drafts.list": 5, "messages.send": 100,
	}
	res, err := http.Get(google + "/emulator/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var stats struct {
		Units   int64
		Methods map[string]int64
	}
	if err := json.NewDecoder(res.Body).Decode(&stats); err != nil {
		t.Fatal(err)
	}
	asked := int64(0)
	for method, n := range stats.Methods {
		if price[method] == 0 {
			t.Errorf("%d calls of %s were not expected", n, method)
		}
		asked += n * price[method]
	}
	if asked != stats.Units || asked == 0 {
		t.Errorf("%d units were asked for and %d let through: some calls were over quota", asked, stats.Units)
	}
	t.Logf("%d units, none over quota: %v", stats.Units, stats.Methods)
}

// resident is a program's memory, once it has settled, in bytes.
func resident(t *testing.T, p *program) (bytes int64) {
	t.Helper()
	time.Sleep(time.Second)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Logf("memory is not known here: %v", err)
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if kB, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kB), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n * 1024
		}
	}
	return 0
}
