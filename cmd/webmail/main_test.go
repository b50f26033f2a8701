package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests run the real program: the test binary starts itself again as webmail.
func TestMain(m *testing.M) {
	if os.Getenv("WEBMAIL_TEST_AS_PROGRAM") == "1" {
		os.Unsetenv("WEBMAIL_TEST_AS_PROGRAM")
		main()
	}
	os.Exit(m.Run())
}

// program is a running webmail.
type program struct {
	cmd    *exec.Cmd
	url    string // what it announced, without a path
	output *lockedBuffer
	ended  chan error
}

// lockedBuffer collects what a program prints while it runs.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "WEBMAIL_TEST_AS_PROGRAM=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// start runs a server and waits for the first URL that it prints.
func start(t testing.TB, args ...string) *program {
	t.Helper()
	p := &program{cmd: command(args...), output: &lockedBuffer{}, ended: make(chan error, 1)}
	out, in := io.Pipe()
	p.cmd.Stdout = io.MultiWriter(in, p.output)
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.ended <- p.cmd.Wait()
		in.Close()
	}()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	ready := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if i := strings.Index(lines.Text(), "http://"); i >= 0 {
				select {
				case ready <- strings.Trim(strings.Fields(lines.Text()[i:])[0], `"},/`):
				default:
				}
			}
		}
	}()
	select {
	case p.url = <-ready:
	case err := <-p.ended:
		t.Fatalf("webmail %s ended before it was ready: %v\n%s", args[0], err, p.output)
	case <-time.After(2 * time.Minute):
		t.Fatalf("webmail %s is not ready after two minutes\n%s", args[0], p.output)
	}
	return p
}

// stop asks the program to end and returns how it did.
func (p *program) stop(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			t.Fatalf("after SIGTERM: %v\n%s", err, p.output)
		}
	case <-time.After(time.Minute):
		t.Fatalf("still running a minute after SIGTERM\n%s", p.output)
	}
}

// once runs a command to its end and returns what it printed and its exit status.
func once(t testing.TB, args ...string) (output string, status int) {
	t.Helper()
	out, err := command(args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		status = exit.ExitCode()
	}
	return string(out), status
}

func startDemo(t testing.TB, data string, args ...string) *program {
	t.Helper()
	return start(t, append([]string{"demo", "--addr", "127.0.0.1:0", "--data", data, "--poll", "100ms", "--hold", "200ms", "--quota", "off"}, args...)...)
}

// TestMainJob is what the product is for, over HTTP with the real program: alice signs in, reads, answers
// with an attachment; bob has it without asking; an auditor sees the decisions; the log verifies; one byte
// changed and it does not.
func TestMainJob(t *testing.T) {
	data := t.TempDir()
	p := startDemo(t, data)

	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	bob := newBrowser(t, p.url)
	bob.signIn("bob@example.com")
	arrivals := bob.listen()

	var page threadPage
	alice.get("/api/accounts/"+alice.account+"/threads?label=INBOX", &page)
	if len(page.Threads) < 20 {
		t.Fatalf("alice's inbox shows %d conversations, want the demo's", len(page.Threads))
	}
	thread := page.find(t, "Re: Lunch on Thursday?")
	var conversation conversation
	alice.get("/api/accounts/"+alice.account+"/threads/"+thread.ID, &conversation)
	newest := conversation.Messages[len(conversation.Messages)-1]
	if body := alice.document(newest.BodyURL); !strings.Contains(body, "dumplings") {
		t.Errorf("the body of the newest message is %q", body)
	}
	file := alice.upload("map.txt", "a map")
	alice.post("/api/accounts/"+alice.account+"/send", map[string]any{
		"idempotencyKey": "key-of-the-main-job-test",
		"compose": map[string]any{
			"kind": "reply", "inReplyTo": newest.ID, "threadId": thread.ID, "to": []any{map[string]any{"email": "bob@example.com"}}, "cc": []any{}, "bcc": []any{},
			"subject": thread.Subject, "html": "<p>Thursday it is. <b>Map attached.</b></p>", "attachments": []any{map[string]any{"uploadId": file}},
		},
	}, nil)
	arrivals.next(t)

	bob.get("/api/accounts/"+bob.account+"/threads?label=INBOX", &page)
	got := page.Threads[0]
	if !strings.HasPrefix(got.Snippet, "Thursday it is.") || !got.Unread {
		t.Fatalf("bob's newest conversation is %+v, want alice's answer, unread", got)
	}
	bob.get("/api/accounts/"+bob.account+"/threads/"+got.ID, &conversation)
	answer := conversation.Messages[len(conversation.Messages)-1]
	if len(answer.Attachments) != 1 || bob.document(answer.Attachments[0].URL) != "a map" {
		t.Errorf("bob's attachments are %+v, want map.txt with its content", answer.Attachments)
	}

	auditor := newBrowser(t, p.url)
	auditor.signInStaff("audit@staff.example.com")
	var decisions decisionPage
	auditor.get("/api/audit/decisions?kind=decision&limit=500", &decisions)
	if !decisions.has("drafts.send", "standing_instruction") || !decisions.has("threads.get", "owner_at_page") {
		t.Error("the auditor does not see the send and the reading")
	}
	var refused problem
	if status := auditor.status("GET", "/api/accounts/"+alice.account+"/threads?label=INBOX", nil, &refused); status != 403 {
		t.Errorf("an auditor asking for mail got %d %+v, want 403", status, refused)
	}
	p.stop(t)
	tamper(t, data)
}

// tamper verifies the log, changes one byte of one event in the database, and verifies again.
func tamper(t *testing.T, data string) {
	kept := filepath.Join(data, "kept.checkpoint")
	if out, status := once(t, "audit", "verify", "--data", data, "--save", kept); status != 0 {
		t.Fatalf("the untouched log: status %d\n%s", status, out)
	}
	if out, status := once(t, "audit", "verify", "--data", data, "--checkpoint", kept); status != 0 || !strings.Contains(out, "consistent with the kept checkpoint") {
		t.Fatalf("against its own checkpoint: status %d\n%s", status, out)
	}
	changeOneByte(t, filepath.Join(data, "decisions.db"), 7)
	out, status := once(t, "audit", "verify", "--data", data)
	if status != exitVerify || !strings.Contains(out, "7") || !strings.Contains(out, "leaf") && !strings.Contains(out, "event") {
		t.Errorf("after a change to leaf 7: status %d, want %d and the leaf named\n%s", status, exitVerify, out)
	}
}

func TestQueryFindsWhatHappened(t *testing.T) {
	data := t.TempDir()
	p := startDemo(t, data)
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	alice.get("/api/accounts/"+alice.account+"/labels", nil)
	p.stop(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--feature", "label_list"}, "labels.list"},
		{[]string{"--kind", "lifecycle", "--format", "jsonl"}, `"event":"system.stopped"`},
		{[]string{"--operation", "account.connected"}, "account.connected"},
		{[]string{"--allowed", "--purpose", "inbox.read"}, "owner_at_page"},
	} {
		out, status := once(t, append([]string{"audit", "query", "--data", data}, c.args...)...)
		if status != 0 || !strings.Contains(out, c.want) {
			t.Errorf("audit query %v: status %d, want %q in\n%s", c.args, status, c.want, out)
		}
	}
	if out, _ := once(t, "audit", "query", "--data", data, "--limit", "1000", "--format", "jsonl"); strings.Contains(out, "alice") || strings.Contains(out, alice.account) {
		t.Error("the log names alice")
	}
	exports(t, data)
}

// exports takes the log along in every form and checks what came out, with nothing but the public key.
func exports(t *testing.T, data string) {
	dir := t.TempDir()
	events := filepath.Join(dir, "lists.csv")
	if out, status := once(t, "audit", "export", "--data", data, "--events", events, "--format", "csv", "--operation", "labels.list"); status != 0 {
		t.Fatalf("export of events: status %d\n%s", status, out)
	}
	lines, err := os.ReadFile(events)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(lines)).ReadAll()
	if err != nil || len(rows) < 2 || rows[1][8] != "labels.list" {
		t.Fatalf("the exported rows are %v, %v", rows, err)
	}
	var said struct {
		SHA256 string `json:"sha256"`
		Count  int    `json:"count"`
		Size   int64  `json:"tree_size"`
		Filter struct {
			Operation string `json:"operation"`
		} `json:"filter"`
	}
	text, err := os.ReadFile(events + ".manifest.json")
	if err != nil || json.Unmarshal(text, &said) != nil {
		t.Fatalf("the manifest: %v\n%s", err, text)
	}
	if sum := sha256.Sum256(lines); said.SHA256 != hex.EncodeToString(sum[:]) || said.Count != len(rows)-1 || said.Size == 0 || said.Filter.Operation != "labels.list" {
		t.Errorf("the manifest says %+v of %d rows", said, len(rows)-1)
	}
	if out, status := once(t, "audit", "export", "--data", data, "--events", events); status == 0 {
		t.Errorf("an export overwrites another\n%s", out)
	}
	tiles := filepath.Join(dir, "tiles")
	if out, status := once(t, "audit", "export", "--data", data, "--tiles", tiles); status != 0 || !strings.Contains(out, "root ") {
		t.Fatalf("export of tiles: status %d\n%s", status, out)
	}
	if _, err := os.Stat(filepath.Join(tiles, "checkpoint")); err != nil {
		t.Error(err)
	}
	proof, key := filepath.Join(dir, "one.proof"), filepath.Join(data, "keys", "log.key.pub")
	if out, status := once(t, "audit", "proof", "--data", data, rows[1][3], "--out", proof); status != 0 {
		t.Fatalf("proof: status %d\n%s", status, out)
	}
	if out, status := once(t, "audit", "check-proof", "--key", key, proof); status != 0 || !strings.Contains(out, rows[1][3]) {
		t.Errorf("check-proof: status %d\n%s", status, out)
	}
	forged, err := os.ReadFile(proof)
	if err != nil {
		t.Fatal(err)
	}
	forged[len("c2sp.org/tlog-proof@v1\nextra ")+40] ^= 1
	if err := os.WriteFile(proof, forged, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, status := once(t, "audit", "check-proof", "--key", key, proof); status != exitVerify {
		t.Errorf("check-proof of a changed proof: status %d, want %d\n%s", status, exitVerify, out)
	}
}

func TestEveryRouteKeepsStrangersOut(t *testing.T) {
	p := startDemo(t, t.TempDir())
	alice, bob, nobody := newBrowser(t, p.url), newBrowser(t, p.url), newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	bob.signIn("bob@example.com")
	id := "0123456789abcdef"
	thread := map[string]any{"threads": []string{id}, "add": []string{"STARRED"}}
	compose := map[string]any{"to": []any{}, "cc": []any{}, "bcc": []any{}, "subject": "x", "html": "x", "attachments": []any{}}
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/labels", nil}, {"GET", "/threads", nil}, {"POST", "/search", map[string]any{"query": "x"}}, {"GET", "/threads/" + id, nil},
		{"POST", "/threads/modify", thread}, {"POST", "/threads/trash", map[string]any{"threads": []string{id}}},
		{"POST", "/threads/untrash", map[string]any{"threads": []string{id}}},
		{"POST", "/messages/modify", map[string]any{"messages": []string{id}, "add": []string{"STARRED"}}}, {"GET", "/messages/" + id, nil}, {"GET", "/events", nil},
		{"POST", "/drafts", compose}, {"GET", "/drafts/r1", nil}, {"PUT", "/drafts/r1", compose}, {"DELETE", "/drafts/r1", nil},
		{"POST", "/send", map[string]any{"idempotencyKey": "0123456789abcdef", "compose": compose}}, {"GET", "/outbox", nil}, {"POST", "/outbox/x/undo", nil},
		{"POST", "/disconnect", nil}, {"POST", "/withdraw", nil},
	} {
		path := "/api/accounts/" + alice.account + c.path
		if got := nobody.status(c.method, path, c.body, nil); got != 401 {
			t.Errorf("%s %s without a session: %d, want 401", c.method, c.path, got)
		}
		if got := bob.status(c.method, path, c.body, nil); got != 403 && got != 404 && got != 400 {
			t.Errorf("%s %s of another owner's mailbox: %d, want a refusal", c.method, c.path, got)
		}
	}
	for _, path := range []string{"/body/" + alice.account + "/" + id, "/attachment/" + alice.account + "/" + id + "/1", "/api/audit/decisions", "/api/audit/checkpoint"} {
		if got := bob.status("GET", path, nil, nil); got != 403 && got != 404 {
			t.Errorf("GET %s for bob: %d, want a refusal", path, got)
		}
	}
	alice.get("/api/accounts/"+alice.account+"/labels", nil) // still connected: bob's disconnect did nothing
}

func TestBadInputIsAClearError(t *testing.T) {
	p := startDemo(t, t.TempDir())
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	at := "/api/accounts/" + alice.account
	long := strings.Repeat("x", 3000)
	for name, c := range map[string]struct {
		method, path string
		body         any
		status       int
		code         string
	}{
		"thread id":         {"GET", at + "/threads/zzz", nil, 400, "invalid"},
		"message id":        {"GET", at + "/messages/zzz", nil, 400, "invalid"},
		"no such message":   {"GET", at + "/messages/00000000deadbeef", nil, 404, "not_found"},
		"no such thread":    {"GET", at + "/threads/00000000deadbeef", nil, 404, "not_found"},
		"page token":        {"GET", at + "/threads?page=%21%21", nil, 400, "invalid"},
		"foreign page":      {"GET", at + "/threads?page=MDphYmM", nil, 400, "invalid"},
		"no such label":     {"GET", at + "/threads?label=Label_999", nil, 200, ""},
		"not JSON":          {"POST", at + "/search", rawBody("{"), 400, "invalid"},
		"unknown field":     {"POST", at + "/search", map[string]any{"query": "x", "purpose": "marketing"}, 400, "invalid"},
		"search too long":   {"POST", at + "/search", map[string]any{"query": long}, 400, "invalid"},
		"fixed label":       {"POST", at + "/threads/modify", map[string]any{"threads": []string{"0123456789abcdef"}, "add": []string{"SENT"}}, 400, "invalid"},
		"no recipient":      {"POST", at + "/send", sendTo(), 400, "invalid"},
		"bad recipient":     {"POST", at + "/send", sendTo("not an address"), 400, "invalid"},
		"header injection":  {"POST", at + "/send", sendTo("a@example.com\r\nBcc: b@example.com"), 400, "invalid"},
		"upload not a form": {"POST", at + "/uploads", map[string]any{}, 400, "invalid"},
		"no such route":     {"GET", "/api/nothing", nil, 404, "not_found"},
		"no such account":   {"GET", "/api/accounts/nobody/labels", nil, 404, "not_connected"},
	} {
		var got problem
		if status := alice.status(c.method, c.path, c.body, &got); status != c.status || got.Code != c.code {
			t.Errorf("%s: %d %+v, want %d %s", name, status, got, c.status, c.code)
		}
		if strings.Contains(got.Detail, "xxx") || strings.Contains(got.Detail, "example.com") {
			t.Errorf("%s: the problem repeats what was sent: %s", name, got.Detail)
		}
	}
	if status, got := alice.uploadSize(26 << 20); status != 413 || got.Code != "too_large" {
		t.Errorf("an upload of 26 MiB: %d %+v, want 413 too_large", status, got)
	}
	if status, got := alice.uploadSize(37 << 20); status != 413 || got.Code != "too_large" {
		t.Errorf("a request of 37 MiB: %d %+v, want 413 too_large", status, got)
	}
}

func TestCrossSiteRequestsAreRefused(t *testing.T) {
	p := startDemo(t, t.TempDir())
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	for name, header := range map[string][2]string{"another site": {"Sec-Fetch-Site", "cross-site"}, "another origin": {"Origin", "https://evil.example"}} {
		alice.header = header
		var got problem
		if status := alice.status("POST", "/api/session/sign-out", nil, &got); status != 403 || got.Code != "cross_site" {
			t.Errorf("%s: %d %+v, want 403 cross_site", name, status, got)
		}
	}
	alice.header = [2]string{}
	alice.get("/api/accounts/"+alice.account+"/labels", nil)
}

func TestSignOutEndsTheSession(t *testing.T) {
	p := startDemo(t, t.TempDir())
	alice, phone := newBrowser(t, p.url), newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	phone.signIn("alice@example.com")
	alice.post("/api/session/sign-out?everywhere=true", nil, nil)
	for name, b := range map[string]*browser{"this device": alice, "the other device": phone} {
		if status := b.status("GET", "/api/accounts/"+alice.account+"/labels", nil, nil); status != 401 {
			t.Errorf("%s after signing out everywhere: %d, want 401", name, status)
		}
	}
}

func TestDisconnectForgetsTheMailbox(t *testing.T) {
	data := t.TempDir()
	p := startDemo(t, data)
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	alice.get("/api/accounts/"+alice.account+"/threads?label=INBOX", nil)
	alice.post("/api/accounts/"+alice.account+"/disconnect", nil, nil)
	if status := alice.status("GET", "/api/accounts/"+alice.account+"/threads?label=INBOX", nil, nil); status != 404 {
		t.Errorf("a disconnected mailbox answers %d, want 404", status)
	}
	p.stop(t)
	if out, status := once(t, "audit", "verify", "--data", data); status != 0 {
		t.Errorf("the log after erasure: status %d\n%s", status, out)
	}
}

func TestBodiesAreDocumentsForFramesAlone(t *testing.T) {
	p := startDemo(t, t.TempDir())
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	var page threadPage
	alice.get("/api/accounts/"+alice.account+"/threads?label=INBOX", &page)
	thread := page.find(t, "Sales by quarter, with a picture this time")
	var c conversation
	alice.get("/api/accounts/"+alice.account+"/threads/"+thread.ID, &c)
	m := c.Messages[len(c.Messages)-1]
	res, body := alice.fetch("GET", m.BodyURL, nil)
	csp := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "sandbox allow-same-origin allow-popups", "frame-ancestors 'self'", "/inline/" + alice.account + "/" + m.ID + "/"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the body's policy %q lacks %q", csp, want)
		}
	}
	if strings.Contains(csp, "allow-scripts") {
		t.Error("the body's sandbox allows scripts")
	}
	start := strings.Index(body, "/inline/")
	if start < 0 {
		t.Fatal("the body shows no inline image")
	}
	image := strings.ReplaceAll(body[start:start+strings.IndexAny(body[start:], `"' >`)], "&amp;", "&")
	if res, _ := alice.fetch("GET", image, nil); res.StatusCode != 200 || res.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the signed image link: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	u, err := url.Parse(image)
	if err != nil {
		t.Fatal(err)
	}
	if status := alice.status("GET", u.Path, nil, nil); status != 403 {
		t.Errorf("the image without its signature: %d, want 403", status)
	}
	phone := newBrowser(t, p.url)
	phone.signIn("alice@example.com")
	if status := phone.status("GET", image, nil, nil); status != 403 {
		t.Errorf("the image link in another session: %d, want 403", status)
	}
	alice.header = [2]string{"Sec-Fetch-Dest", "document"}
	if status := alice.status("GET", m.BodyURL, nil, nil); status != 403 {
		t.Errorf("a body navigated to: %d, want 403", status)
	}
}
