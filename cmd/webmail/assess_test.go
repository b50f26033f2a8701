//go:build !release

package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/assess"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// drill is the record that a test keeps of what it did, for the evidence pack. make assess says where to put it
// (WEBMAIL_EVIDENCE); how the test ended is for the results of the run to say.
type drill struct {
	t *testing.T
	assess.Drill
}

func newDrill(t *testing.T, id, title, says string, columns ...string) *drill {
	d := &drill{t, assess.Drill{ID: id, Title: title, Test: "cmd/webmail: " + t.Name(), At: time.Now().UTC(), Says: says, Columns: columns}}
	t.Cleanup(d.write)
	return d
}

func (d *drill) step(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
	}
	d.Rows = append(d.Rows, row)
}

func (d *drill) write() {
	dir := os.Getenv("WEBMAIL_EVIDENCE")
	if dir == "" {
		return
	}
	text, err := json.MarshalIndent(d.Drill, "", " ")
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, "drills"), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "drills", d.ID+".json"), text, 0o644)
	}
	if err != nil {
		d.t.Errorf("the drill's record: %v", err)
	}
}

// TestDrillFailClosed: while the log's database refuses to write, every way to mail is refused and the emulated Gmail
// gets no call; when the cause is gone, it opens by itself (CASA 3.1.3).
func TestDrillFailClosed(t *testing.T) {
	record := newDrill(t, "fail-closed", "The log cannot be written", "A whole product over an emulated Gmail that counts its calls. The log's database is made to refuse every write, and mail is asked for in every way.",
		"Asked for", "While", "Answer", "Calls that Gmail got")
	d := newDeployment(t, "")
	id := d.put(adaAddress, "closed", "gate")
	ada := newBrowser(t, d.base)
	ada.signIn(adaAddress)
	at := "/api/accounts/" + ada.account
	compose := map[string]any{"to": []any{map[string]any{"email": "x@example.net"}}, "cc": []any{}, "bcc": []any{}, "subject": "x", "html": "x", "attachments": []any{}}
	ways := []struct {
		method, path string
		body         any
	}{
		{"GET", at + "/labels", nil}, {"GET", at + "/threads?label=INBOX", nil}, {"GET", at + "/threads/" + id, nil}, {"GET", at + "/messages/" + id, nil},
		{"GET", "/body/" + ada.account + "/" + id, nil}, {"POST", at + "/search", map[string]any{"query": "gate"}},
		{"POST", at + "/threads/modify", map[string]any{"threads": []string{id}, "add": []string{"STARRED"}}}, {"POST", at + "/threads/trash", map[string]any{"threads": []string{id}}},
		{"POST", at + "/drafts", compose},
	}
	ask := func(method, path string, body any) (int, int64) {
		before := d.google.mail.Stats().Requests
		res, _ := ada.fetch(method, path, body)
		return res.StatusCode, d.google.mail.Stats().Requests - before
	}
	status, calls := ask("GET", at+"/threads?label=INBOX", nil)
	record.step("GET the list", "all is well", status, calls)
	if status != 200 || calls == 0 {
		t.Fatalf("while all is well: %d with %d calls: the drill would prove nothing", status, calls)
	}

	d.logExec(`CREATE TRIGGER full_disk BEFORE INSERT ON decisionlog_events BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
	for _, w := range ways {
		status, calls := ask(w.method, w.path, w.body)
		record.step(w.method+" "+strings.NewReplacer(ada.account, "{account}", id, "{id}").Replace(w.path), "the log refuses writes", status, calls)
		if status != http.StatusServiceUnavailable || calls != 0 {
			t.Errorf("%s %s while the log cannot be written: %d with %d calls, want 503 with none", w.method, w.path, status, calls)
		}
	}
	status, calls = ask("GET", "/readyz", nil)
	record.step("GET /readyz", "the log refuses writes", status, calls)
	if status != http.StatusServiceUnavailable {
		t.Errorf("/readyz says %d, want 503", status)
	}

	d.logExec(`DROP TRIGGER full_disk`)
	status, calls = ask("GET", at+"/threads/"+id, nil)
	record.step("GET a conversation", "the cause is gone; nothing was restarted", status, calls)
	if status != 200 || calls == 0 {
		t.Errorf("after the cause is gone: %d with %d calls, want mail", status, calls)
	}
	d.stop()
	out, code := once(t, "audit", "verify", "--data", d.options.Data, "--log-origin", "test/decisions")
	record.step("webmail audit verify", "afterwards", fmt.Sprintf("exit status %d", code), "")
	if code != 0 {
		t.Errorf("the log afterwards: %s", out)
	}
}

// logExec changes the log's database, as whoever holds its file can.
func (d *deployment) logExec(statement string) {
	d.t.Helper()
	err := d.system.logDB.Write(d.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(d.t.Context(), statement)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// TestDrillDeletion: an owner uses what stores something, and deletes the account. Each store then has the rows that it
// had before this owner came; what is kept as evidence is named (DEL-1).
func TestDrillDeletion(t *testing.T) {
	record := newDrill(t, "deletion", "An account is deleted", "One owner is there all the time. Another one connects, uses what stores something, and deletes the account. The numbers are rows of each table.",
		"Table", "Before the owner came", "In use", "After the deletion", "Why any more than before")
	d := newDeployment(t, "")
	d.put(adaAddress, "to be deleted", "soon")
	ada, ben := newBrowser(t, d.base), newBrowser(t, d.base)
	ben.signIn(benAddress)
	count := func() map[string]int {
		t.Helper()
		counts, err := storeCounts(t.Context(), d.system.product)
		if err != nil {
			t.Fatal(err)
		}
		return counts
	}
	before := count()
	ada.signIn(adaAddress)
	file := ada.upload("a.txt", "a file")
	ada.upload("b.txt", "never sent")
	ada.post("/api/accounts/"+ada.account+"/send", map[string]any{"idempotencyKey": "key-of-the-deletion-drill", "compose": map[string]any{
		"to": []any{map[string]any{"email": "x@example.net"}}, "cc": []any{}, "bcc": []any{}, "subject": "x", "html": "x", "attachments": []any{map[string]any{"uploadId": file}},
	}}, nil)
	inUse := count()
	ada.stepUp("delete", adaAddress)
	ada.post("/api/me/delete", nil, nil)
	d.exec(`UPDATE erased SET again = 0`) // what a request under way may have written is deleted ten minutes later
	if err := d.system.vault.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := count()
	evidence := map[string]string{
		"consents": "that somebody agreed, without who it was", "rights_requests": "that a deletion was asked for and made, without who asked",
	}
	grew := 0
	for _, table := range slices.Sorted(maps.Keys(before)) {
		why := ""
		if after[table] > before[table] {
			if why = evidence[table]; why == "" {
				t.Errorf("%s has %d rows after the deletion and had %d before the owner came", table, after[table], before[table])
			}
		}
		if inUse[table] > before[table] {
			grew++
		}
		record.step(table, before[table], inUse[table], after[table], why)
	}
	if grew < 6 {
		t.Errorf("only %d tables grew while the mailbox was in use: the drill proves little", grew)
	}
	if _, page := ben.fetch("GET", "/api/accounts/"+ben.account+"/labels", nil); !strings.Contains(page, "INBOX") {
		t.Error("the other owner's mailbox is gone, too")
	}
}

// TestDrillIncident: a member of staff's session may have been taken over. What the product can do is done and
// timed, and what only people can do is a form (SEC-4).
func TestDrillIncident(t *testing.T) {
	record := newDrill(t, "incident", "Incident drill", "Supposed: the session of a member of support was taken over while an owner's agreement was open. What the program does was done by this run; the rest is a form.",
		"Time (UTC)", "Step", "Who or what did it", "What came of it")
	record.Form = incidentForm
	d := newHelpdesk(t)
	message := d.put(adaAddress, "helpdesk", "It does not open.")
	ada, sam, pat := newBrowser(t, d.base), newBrowser(t, d.base), newBrowser(t, d.base)
	ada.signIn(adaAddress)
	sam.signInStaff("sam@staff.example")
	pat.signInStaff("pat@staff.example")
	sam.acknowledge()
	pat.acknowledge()
	request := agreeTo(t, ada, sam, pat, message)
	look := "/api/staff/requests/" + request + "/messages/" + message
	sam.get(look, nil)
	done := func(step, who, what string) { record.step(time.Now().UTC().Format(time.TimeOnly), step, who, what) }
	done("The session under suspicion looks at a message", "the drill", "allowed: the agreement is open")

	page, err := d.system.decided.Query(t.Context(), decisionlog.Filter{Kind: decisionlog.Decision, Feature: "agreed_view", Limit: 100})
	if err != nil || len(page.Records) == 0 {
		t.Fatalf("the log shows no look: %v", err)
	}
	actor := page.Records[0].Actor
	page, err = d.system.decided.Query(t.Context(), decisionlog.Filter{Kind: decisionlog.Decision, Actor: actor, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	mailboxes := map[string]bool{}
	for _, r := range page.Records {
		mailboxes[r.Account] = true
	}
	done("Everything that this actor did, in all mailboxes", "webmail audit query --actor", fmt.Sprintf("%d decisions, %d mailboxes", len(page.Records), len(mailboxes)))
	if len(mailboxes) != 1 {
		t.Errorf("the actor was in %d mailboxes, want one", len(mailboxes))
	}

	ada.post("/api/access/requests/"+request+"/revoke", map[string]any{}, nil)
	before := d.google.mail.Stats().Requests
	status := sam.status("GET", look, nil, nil)
	calls := d.google.mail.Stats().Requests - before
	done("The owner takes the agreement back; the next look", "the owner, then the policy", fmt.Sprintf("refused with %d, %d calls of Gmail", status, calls))
	if status != 403 || calls != 0 {
		t.Errorf("after the agreement was taken back: %d with %d calls", status, calls)
	}
	sam.post("/api/session/sign-out?everywhere=true", nil, nil)
	status = sam.status("GET", "/api/staff/requests", nil, nil)
	done("All sessions of the member of staff are ended", "signing out everywhere", fmt.Sprintf("the next request: %d", status))
	if status != 401 {
		t.Errorf("after signing out everywhere: %d", status)
	}
	var list struct {
		Requests []struct{ Views []struct{ Message string } }
	}
	ada.get("/api/access/requests", &list)
	if len(list.Requests) != 1 || len(list.Requests[0].Views) == 0 {
		t.Fatalf("the owner sees %+v", list.Requests)
	}
	done("Who was affected, and by which message", "the owner's own page lists each look", fmt.Sprintf("%d owner, %d looks", len(list.Requests), len(list.Requests[0].Views)))
	report, err := d.system.decided.Verify(t.Context(), decisionlog.VerifyOptions{Index: policy.Index})
	if err != nil {
		t.Fatal(err)
	}
	done("The log is verified and its checkpoint kept", "webmail audit verify --save", fmt.Sprintf("%d events, root %s", report.Tree.N, report.Tree.Hash))
}

const incidentForm = `Incident                  ________________________________
Found by, at (UTC)        ________________________________
Mailboxes affected        ________________________________  (webmail audit query --actor ... --format csv)
Checkpoint kept where     ________________________________  (webmail audit verify --save ...)
Google told               ________________________________  security@google.com, before any public statement (SEC-4)
Authority told, at        ________________________________  within 72 hours of learning of it (GDPR 33)
Owners told, at           ________________________________
Keys and secrets changed  ________________________________  OAuth client secret, staff accounts
Public statement          ________________________________  not before Google was told
Closed by, at             ________________________________
`

// agreeTo leads one request through all hands and returns it.
func agreeTo(t *testing.T, ada, sam, pat *browser, message string) string {
	t.Helper()
	var request struct{ ID string }
	sam.post("/api/staff/requests", map[string]any{"mailbox": adaAddress, "case": "7", "reason": "x", "messages": []string{message}, "minutes": 5}, &request)
	pat.post("/api/staff/requests/"+request.ID+"/approve", nil, &request)
	var to struct{ Redirect string }
	ada.post("/api/access/requests/"+request.ID+"/agree", map[string]any{"messages": []any{map[string]any{"id": message, "attachments": false}}}, &to)
	res, page := ada.fetch("GET", to.Redirect, nil)
	for range 3 {
		if res.Request.URL.Path == "/settings/access" {
			break
		}
		res, page = ada.press(res, page, adaAddress, "Continue")
	}
	return request.ID
}

// TestNoListingsNoDebugNoOrigin: what a scanner tries first (CASA 3.1.6, 5.1.10, 6.2.1, 6.3.1). The page itself
// answers every address that is nobody's, so what counts is that nothing else does.
func TestNoListingsNoDebugNoOrigin(t *testing.T) {
	d := newDeployment(t, "")
	stranger := newBrowser(t, d.base)
	for _, path := range []string{
		"/assets/", "/assets/../../etc/passwd", "/assets/..%2f..%2fetc%2fpasswd", "/debug/pprof/", "/debug/vars", "/metrics", "/.git/config", "/.env", "/api/", "/api/../api/session/", "/body/..%2f..%2fetc%2fpasswd/1",
	} {
		res, body := stranger.fetch("GET", path, nil)
		for _, leak := range []string{"root:", "<pre>\n<a href", "goroutine", "cmdline", "memstats", "[core]", "secret"} {
			if strings.Contains(body, leak) {
				t.Errorf("%s answers %d with %q", path, res.StatusCode, leak)
			}
		}
		if strings.HasPrefix(path, "/assets") && res.StatusCode == 200 && !strings.Contains(body, "<!doctype html>") {
			t.Errorf("%s answers 200 with something that is not the page", path)
		}
	}
	for _, origin := range []string{d.base, "null", "https://evil.example"} {
		stranger.header = [2]string{"Origin", origin}
		res, _ := stranger.fetch("GET", "/api/me/consents", nil)
		if res.StatusCode != 401 || res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("with Origin %s: %d, allowing %q", origin, res.StatusCode, res.Header.Get("Access-Control-Allow-Origin"))
		}
	}
}

// TestAssess is the command over a system that was used: the pack verifies, holds nothing of the mail, and once it was
// touched, or is checked with another key, the exit status says so.
func TestAssess(t *testing.T) {
	d := newDeployment(t, "")
	id := d.put(adaAddress, "SubjectCanary9e1", "BodyCanary9e1")
	ada := newBrowser(t, d.base)
	ada.signIn(adaAddress)
	at := "/api/accounts/" + ada.account
	ada.get(at+"/threads?label=INBOX", nil)
	ada.get(at+"/threads/"+id, nil)
	ada.post(at+"/search", map[string]any{"query": "SearchCanary9e1"}, nil)
	ada.upload("UploadCanary9e1.txt", "ContentCanary9e1")

	out := filepath.Join(t.TempDir(), "pack")
	args := []string{"assess", "--data", d.options.Data, "--log-origin", "test/decisions", "--out", out, "--operator", "Example Ltd", "--contact", "privacy@example.com", "--public-url", d.base}
	if text, status := once(t, args...); status != 0 { // of the running system
		t.Fatalf("status %d\n%s", status, text)
	}
	if text, status := once(t, args...); status != 1 || !strings.Contains(text, "new one") {
		t.Errorf("over a pack that is there: status %d\n%s", status, text)
	}
	key := filepath.Join(d.options.Data, "keys", "log.key.pub")
	for _, pack := range []string{out, out + ".zip"} {
		if text, status := once(t, "assess", "verify", pack, "--key", key); status != 0 || !strings.Contains(text, "as it was signed by test/decisions") {
			t.Errorf("%s: status %d\n%s", filepath.Base(pack), status, text)
		}
	}
	var whole bytes.Buffer
	err := filepath.WalkDir(out, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		whole.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	canaries := []string{"SubjectCanary9e1", "BodyCanary9e1", "SearchCanary9e1", "UploadCanary9e1", "ContentCanary9e1", adaAddress, "Canaryname", ada.account, id, ada.base + at, "not so secret"}
	for what, secret := range d.secrets(adaAddress) {
		if holds(whole.String(), secret) {
			t.Errorf("the pack holds %s", what)
		}
	}
	for _, canary := range canaries {
		if holds(whole.String(), canary) {
			t.Errorf("the pack holds %q", canary)
		}
	}
	for _, want := range []string{"thread_view", "owner_at_page", "LU-HUM-1", "cleartext-keyset", "Example Ltd", "c2sp.org/tlog-proof"} {
		if !strings.Contains(whole.String(), want) {
			t.Errorf("the pack does not hold %q", want)
		}
	}
	assessment := readPack(t, out)
	for id, want := range map[string]assess.Status{"verification": assess.Passed, "texts": assess.Passed, "runs": assess.Human, "clauses": assess.NotRun, "routes": assess.Passed, "scopes": assess.Passed, "retention-runs": assess.Passed, "rules": assess.Shown} {
		if got := assessment[id]; got.Status != want {
			t.Errorf("%s is %s: %s; want %s", id, got.Status, got.Says, want)
		}
	}
	if sum, err := programSum(); err != nil || !slices.ContainsFunc(assessment["runs"].Rows, func(row []string) bool { return row[2] == "binary" && row[3] == sum }) {
		t.Errorf("the start does not name the program's hash %s: %v", sum, err)
	}

	if err := os.WriteFile(filepath.Join(out, "proofs", "x.proof"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if text, status := once(t, "assess", "verify", out, "--key", key); status != exitVerify || !strings.Contains(text, "x.proof is not in the manifest") {
		t.Errorf("with a file put in: status %d\n%s", status, text)
	}
	other := filepath.Join(t.TempDir(), "other")
	if _, _, err := decisionlog.LoadOrCreateKey(other, "test/decisions"); err != nil {
		t.Fatal(err)
	}
	if text, status := once(t, "assess", "verify", out+".zip", "--key", other+".pub"); status != exitVerify || !strings.Contains(text, "none of the keys") {
		t.Errorf("with another key: status %d\n%s", status, text)
	}
	archive, err := os.ReadFile(out + ".zip")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(out+".zip", archive[:len(archive)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if text, status := once(t, "assess", "verify", out+".zip"); status != exitVerify {
		t.Errorf("a cut archive: status %d\n%s", status, text)
	}
}

// readPack reads the items of a pack by their ids.
func readPack(t *testing.T, dir string) map[string]assess.Item {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, assess.DataFile))
	if err != nil {
		t.Fatal(err)
	}
	var p assess.Pack
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	items := map[string]assess.Item{}
	for _, s := range p.Sections {
		for _, i := range s.Items {
			if _, twice := items[i.ID]; twice {
				t.Errorf("two items are called %s", i.ID)
			}
			items[i.ID] = i
		}
	}
	return items
}

// TestAssessWithoutADatabase: a log that came without the product's database is assessed as far as it goes.
func TestAssessWithoutADatabase(t *testing.T) {
	d := newDeployment(t, "")
	d.stop()
	for _, name := range []string{"webmail.db", "webmail.db-wal", "webmail.db-shm"} {
		if err := os.Remove(filepath.Join(d.options.Data, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	out := filepath.Join(t.TempDir(), "pack")
	text, status := once(t, "assess", "--data", d.options.Data, "--log-origin", "test/decisions", "--out", out, "--operator", "Example Ltd", "--contact", "privacy@example.com", "--key", filepath.Join(t.TempDir(), "own.key"))
	if status != 0 {
		t.Fatalf("status %d\n%s", status, text)
	}
	if i := readPack(t, out)["rows"]; i.Status != assess.NotRun {
		t.Errorf("rows of no database are %s", i.Status)
	}
	if text, status := once(t, "assess", "verify", out); status != 0 || !strings.Contains(text, "test/decisions/assessments") || !strings.Contains(text, "no key was given") {
		t.Errorf("status %d\n%s", status, text)
	}
}

// TestLiveAssessment: auditors and reviewers see the evidence about the running system and nobody else does; it holds
// nothing of the mail; looking is an event of the log.
func TestLiveAssessment(t *testing.T) {
	p := startDemo(t, t.TempDir())
	alice, reviewer, support := newBrowser(t, p.url), newBrowser(t, p.url), newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	var page threadPage
	alice.get("/api/accounts/"+alice.account+"/threads?label=INBOX", &page)
	reviewer.signInStaff("review@staff.example.com")
	support.signInStaff("support@staff.example.com")
	for name, b := range map[string]*browser{"an owner": alice, "support": support} {
		if status := b.status("GET", "/api/assessment", nil, nil); status != 403 {
			t.Errorf("%s gets %d, want 403", name, status)
		}
	}
	if status := newBrowser(t, p.url).status("GET", "/api/assessment", nil, nil); status != 401 {
		t.Errorf("a stranger gets %d, want 401", status)
	}
	if res, document := reviewer.fetch("GET", "/assessment", nil); res.StatusCode != 200 || !strings.Contains(document, "<!doctype html>") {
		t.Errorf("its page is not there: %d", res.StatusCode)
	}
	res, text := reviewer.fetch("GET", "/api/assessment", nil)
	if res.StatusCode != 200 {
		t.Fatalf("a reviewer gets %d: %s", res.StatusCode, text)
	}
	for _, want := range []string{`"runs"`, "cleartext-keyset", "LU-HUM-1", "thread_list", `"recipients"`, `"texts"`} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not tell of %s", want)
		}
	}
	for _, canary := range append([]string{"alice@example.com", alice.account, page.Threads[0].ID}, page.Threads[0].Subject) {
		if strings.Contains(text, canary) {
			t.Errorf("it holds %q", canary)
		}
	}
	var events decisionPage
	reviewer.get("/api/audit/decisions?kind=decision&feature=audit_log&limit=10", &events)
	if !events.has("log.query", "audit") {
		t.Error("looking at it is not in the log")
	}
}
