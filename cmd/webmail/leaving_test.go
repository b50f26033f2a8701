//go:build !release

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/frontend/signin"
	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/oauth"
	signon "github.com/totalengage/webmail/oauth/emulator"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// deployment is the whole product in this process, over an emulated Google whose tokens the test sees.
type deployment struct {
	t       *testing.T
	options serverOptions
	google  *emulatedGoogle
	issued  *lockedBuffer // every answer of the token endpoint
	log     *lockedBuffer // the server's log, at its most talkative

	system *system
	base   string
	end    context.CancelFunc
	ended  chan error
}

const (
	adaAddress = "canary.ada@example.com"
	benAddress = "ben.other@example.com"
)

func newDeployment(t *testing.T, database string) *deployment {
	t.Helper()
	d := &deployment{t: t, issued: &lockedBuffer{}, log: &lockedBuffer{}}
	var err error
	if d.google, err = newGoogle("off", false); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			d.google.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		d.google.ServeHTTP(answer, r)
		d.issued.Write(append(answer.Body.Bytes(), '\n'))
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		w.Write(answer.Body.Bytes())
	}))
	t.Cleanup(web.Close)
	url := strings.Replace(web.URL, "127.0.0.1", "localhost", 1)
	addr := freeAddress(t)
	d.base = "http://" + addr
	for email, name := range map[string]string{adaAddress: "Ada Canaryname", benAddress: "Ben Other"} {
		if err := d.google.addUser(email, name); err != nil {
			t.Fatal(err)
		}
	}
	err = d.google.signOn.AddClient(signon.Client{ID: "webmail", Secret: "not so secret", Name: "Webmail", RedirectURIs: []string{
		d.base + signin.SignInCallbackPath, d.base + signin.ConnectCallbackPath, d.base + signin.StepUpCallbackPath, d.base + signin.ProofCallbackPath,
	}})
	if err == nil {
		err = d.google.signOn.SetIssuer(url)
	}
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	if database == "" {
		database = "sqlite:" + filepath.Join(data, "webmail.db")
	}
	d.options = serverOptions{
		Addr: addr, PublicURL: d.base, Units: -1, Poll: time.Minute, UndoShown: time.Second, UndoHeld: time.Hour, LogDays: mostLogDays, UnusedDays: mostUnusedDays,
		Accept:  []string{"cleartext-keyset", "no-witness", "other-google"},
		storage: storage{Data: data, Database: database, LogOrigin: "test/decisions"},
		google:  google{ClientID: "webmail", ClientSecret: "not so secret", Issuer: url, Gmail: url + "/"},
		product: product{Name: "Webmail", Operator: "Example Ltd", Country: "Norway", Contact: "privacy@example.com"},
	}
	d.start()
	t.Cleanup(func() {
		if d.end != nil {
			d.stop()
		}
	})
	return d
}

func (d *deployment) start() {
	d.t.Helper()
	ctx, end := context.WithCancel(context.Background())
	s, err := newSystem(ctx, d.options, slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		d.t.Fatal(err)
	}
	l, err := net.Listen("tcp", d.options.Addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.system, d.end, d.ended = s, end, make(chan error, 1)
	ready := make(chan struct{})
	go func() { d.ended <- s.serve(ctx, l, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-d.ended:
		d.t.Fatalf("serve ended: %v", err)
	}
}

func (d *deployment) stop() {
	d.t.Helper()
	d.end()
	if err := <-d.ended; err != nil {
		d.t.Errorf("serve: %v", err)
	}
	d.system.close()
	d.end = nil
}

// put lays a message into a mailbox at Google.
func (d *deployment) put(email, subject, body string) string {
	d.t.Helper()
	raw := fmt.Sprintf("From: correspondent@example.net\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@example.net>\r\nDate: Mon, 02 Nov 2026 09:00:00 +0000\r\n\r\n%s\r\n", email, subject, subject, body)
	id, err := d.google.mail.Insert(email, []byte(raw), []string{"INBOX", "UNREAD"}, time.Time{})
	if err != nil {
		d.t.Fatal(err)
	}
	return id
}

// stepUp signs in once more, as a download or a deletion asks.
func (b *browser) stepUp(what, address string) {
	b.t.Helper()
	var to struct{ Redirect string }
	b.post("/api/session/step-up", map[string]any{"for": what}, &to)
	res, page := b.fetch("GET", to.Redirect, nil)
	for range 3 {
		if strings.HasPrefix(res.Request.URL.Path, "/settings/") {
			return
		}
		res, page = b.press(res, page, address, "Continue")
	}
	b.t.Fatalf("signing in once more ended at %s", res.Request.URL.Path)
}

// secrets collects what Google gave out for an address: tokens, and the number that it knows the person by.
func (d *deployment) secrets(address string) map[string]string {
	d.t.Helper()
	found := map[string]string{}
	answers := json.NewDecoder(strings.NewReader(d.issued.String()))
	for i := 0; answers.More(); i++ {
		var answer struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
			ID      string `json:"id_token"`
		}
		if err := answers.Decode(&answer); err != nil {
			d.t.Fatal(err)
		}
		parts := strings.Split(answer.ID, ".")
		if len(parts) != 3 {
			continue
		}
		claims, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			d.t.Fatal(err)
		}
		var who struct{ Sub, Email string }
		if err := json.Unmarshal(claims, &who); err != nil {
			d.t.Fatal(err)
		}
		if who.Email != address {
			continue
		}
		found["Google's number"] = who.Sub
		found[fmt.Sprintf("access token %d", i)] = answer.Access
		found[fmt.Sprintf("ID token %d", i)] = parts[2]
		if answer.Refresh != "" {
			found[fmt.Sprintf("refresh token %d", i)] = answer.Refresh
		}
	}
	if len(found) < 4 {
		d.t.Fatalf("only %d secrets of %s were seen", len(found), address)
	}
	return found
}

// remains is every byte that the product has anywhere: databases, keys, log files, and what the server logged.
func (d *deployment) remains() map[string]string {
	d.t.Helper()
	all := map[string]string{"the server's log": d.log.String()}
	err := filepath.WalkDir(d.options.Data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all[filepath.Base(path)] = string(content)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	file, isFile := strings.CutPrefix(d.options.Database, "sqlite:")
	if !isFile {
		all["PostgreSQL"] = everyRow(d.t, d.options.Database)
		return all
	}
	for _, path := range []string{file, file + "-wal"} {
		content, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			d.t.Fatal(err)
		}
		all[filepath.Base(path)] = string(content)
	}
	return all
}

// everyRow is all that the tables of a PostgreSQL database hold; binary columns are in hexadecimal.
func everyRow(t *testing.T, url string) string {
	t.Helper()
	db := databasetest.Open(t, url)
	var all strings.Builder
	for _, table := range rowsOf(t, db, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`) {
		for _, row := range rowsOf(t, db, fmt.Sprintf(`SELECT t::text FROM %q t`, table)) {
			all.WriteString(row + "\n")
		}
	}
	return all.String()
}

func rowsOf(t *testing.T, db *database.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.Read().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// holds tells whether a text is in a place, as it is or in a usual encoding.
func holds(place, text string) bool {
	for _, form := range []string{text, hex.EncodeToString([]byte(text)), base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text))} {
		if strings.Contains(place, form) {
			return true
		}
	}
	return false
}

// TestNothingIsLeft is invariant I9: an owner uses everything that stores something, deletes the account, and
// then no store, key, queue or log has anything of the owner, while the log still verifies and the other owner's
// mailbox goes on.
func TestNothingIsLeft(t *testing.T) {
	databasetest.EachURL(t, func(t *testing.T, url string) {
		d := newDeployment(t, url)
		id := d.put(adaAddress, "SubjectCanary7f3", "BodyCanary7f3")
		d.put(benAddress, "Ben's own", "of Ben")
		ada, ben := newBrowser(t, d.base), newBrowser(t, d.base)
		ada.signIn(adaAddress)
		ben.signIn(benAddress)
		at := "/api/accounts/" + ada.account
		ada.get(at+"/threads?label=INBOX", nil)
		ada.get(at+"/threads/"+id, nil)
		if res, body := ada.fetch("GET", "/body/"+ada.account+"/"+id, nil); res.StatusCode != 200 || !strings.Contains(body, "BodyCanary7f3") {
			t.Fatalf("the canary cannot be read: %d", res.StatusCode)
		}
		file := ada.upload("UploadCanary7f3.txt", "UploadContentCanary7f3")
		ada.upload("LeftoverCanary7f3.txt", "never sent")
		ada.post(at+"/search", map[string]any{"query": "SearchCanary7f3"}, nil)
		ada.post(at+"/send", map[string]any{"idempotencyKey": "key-of-the-erasure-test", "compose": map[string]any{
			"to": []any{map[string]any{"email": "recipient.canary7f3@example.net"}}, "cc": []any{}, "bcc": []any{}, "subject": "OutboxCanary7f3",
			"html": "<p>DraftCanary7f3</p>", "attachments": []any{map[string]any{"uploadId": file}},
		}}, nil)
		ada.post("/api/me/rights-requests", map[string]any{"right": "rectification", "note": "NoteCanary7f3"}, nil)

		// The copy has what is stored, and nothing of Ben's.
		if got := ada.status("POST", "/api/me/download", nil, nil); got != 403 {
			t.Errorf("a copy without signing in once more: %d, want 403", got)
		}
		ada.stepUp("download", adaAddress)
		res, text := ada.fetch("POST", "/api/me/download", nil)
		var copied struct {
			Format string
			Person struct {
				Number, Email string
				Consents      []struct{ Version int }
				Sessions      []any
				Requests      []any
			}
			Mailboxes []struct {
				Email    string
				Kept     map[string]any
				Accesses []struct {
					Kind     string
					Decision string `json:"decision_id"`
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &copied); err != nil || res.StatusCode != 200 {
			t.Fatalf("the copy: %d %v", res.StatusCode, err)
		}
		if p := copied.Person; p.Number == "" || p.Email != adaAddress || len(p.Consents) != 1 || p.Consents[0].Version != consent.Current || len(p.Sessions) != 1 || len(p.Requests) == 0 {
			t.Errorf("the copy's person is %+v", p)
		}
		if len(copied.Mailboxes) != 1 || copied.Mailboxes[0].Email != adaAddress || len(copied.Mailboxes[0].Accesses) < 10 {
			t.Errorf("the copy's mailboxes are %d", len(copied.Mailboxes))
		}
		for _, own := range []string{"OutboxCanary7f3", "DraftCanary7f3", "UploadCanary7f3.txt", "NoteCanary7f3"} {
			if !strings.Contains(text, own) {
				t.Errorf("the copy lacks %s", own)
			}
		}
		for _, other := range []string{benAddress, ben.account, "Ben", "BodyCanary7f3", "SubjectCanary7f3"} { // mail is at Google, not stored
			if strings.Contains(text, other) {
				t.Errorf("the copy holds %s", other)
			}
		}

		secrets := d.secrets(adaAddress)
		secrets["the session"] = ada.cookie(oauth.SessionCookie)
		if got := ada.status("POST", "/api/me/delete", nil, nil); got != 204 {
			// Signing in once more for the copy counts for five minutes, for whatever needs it.
			t.Errorf("deleting: %d, want 204", got)
		}
		if got := ada.status("GET", at+"/labels", nil, nil); got != 401 {
			t.Errorf("after deleting: %d, want 401", got)
		}
		// What a request under way could have written is purged ten minutes later.
		d.exec(`UPDATE erased SET again = 0`)
		if err := d.system.vault.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		ben.get("/api/accounts/"+ben.account+"/threads?label=INBOX", nil)
		for name, place := range d.remains() { // while it runs, too: no write-ahead log has older pages
			if strings.HasPrefix(name, "decisions") {
				continue // it never held the number
			}
			if holds(place, ada.account) {
				t.Errorf("%s of the running server holds the account's number", name)
			}
		}
		d.stop()

		for what, canary := range map[string]string{
			"the address": "canary.ada", "the name": "Canaryname", "a subject": "SubjectCanary7f3", "a body": "BodyCanary7f3", "an upload's name": "UploadCanary7f3",
			"an upload": "UploadContentCanary7f3", "a leftover": "LeftoverCanary7f3", "a search": "SearchCanary7f3", "the outbox": "OutboxCanary7f3",
			"a recipient": "recipient.canary7f3", "a draft": "DraftCanary7f3", "a note": "NoteCanary7f3", "the account's number": ada.account,
			"the person's number": copied.Person.Number, "a message's number": id,
		} {
			secrets[what] = canary
		}
		control := map[string]bool{ben.account: false, "person.deleted": false, "retention.run": false}
		for name, place := range d.remains() {
			for what, secret := range secrets {
				if holds(place, secret) {
					t.Errorf("%s holds %s", name, what)
				}
			}
			for text := range control {
				control[text] = control[text] || holds(place, text)
			}
		}
		for text, found := range control {
			if !found {
				t.Errorf("%q is nowhere: the test looks in the wrong places", text)
			}
		}
		if out, status := once(t, "audit", "verify", "--data", d.options.Data, "--database", url, "--log-origin", "test/decisions"); status != 0 {
			t.Errorf("the log after erasure: status %d\n%s", status, out)
		}
	})
}

func (b *browser) cookie(name string) string {
	for host, cookies := range b.client.Jar.(*jar).cookies {
		if strings.HasSuffix(b.base, host) && cookies[name] != nil {
			return cookies[name].Value
		}
	}
	b.t.Fatalf("there is no cookie %s", name)
	return ""
}

func (d *deployment) exec(statement string, args ...any) {
	d.t.Helper()
	err := d.system.product.Write(d.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(d.t.Context(), statement, args...)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// TestRestoredBackup: the operator puts back a copy of database and keys from before a deletion. Before the
// server answers anybody, the deletion is made again.
func TestRestoredBackup(t *testing.T) {
	d := newDeployment(t, "")
	ada, ben := newBrowser(t, d.base), newBrowser(t, d.base)
	ada.signIn(adaAddress)
	ben.signIn(benAddress)
	id := d.put(benAddress, "Hello", "there")
	other := d.put(benAddress, "Another", "one")
	for _, message := range []string{id, other} {
		ben.post("/api/accounts/"+ben.account+"/messages/"+message+"/images", map[string]any{"for": "message"}, nil)
	}
	d.stop()
	kept := map[string][]byte{}
	for _, name := range []string{"webmail.db", "keys/master-keyset.json", "keys/pseudonym.key", "keys/lookup.key"} {
		content, err := os.ReadFile(filepath.Join(d.options.Data, name))
		if err != nil {
			t.Fatal(err)
		}
		kept[name] = content
	}

	d.start()
	ada.stepUp("delete", adaAddress)
	ada.post("/api/me/delete", nil, nil)
	withdrawn, err := d.system.permits.Find(t.Context(), policy.AccountID(ben.account), "remote_images", "remote_host", id)
	if err != nil {
		t.Fatal(err)
	}
	if status := ben.status("DELETE", "/api/accounts/"+ben.account+"/permissions/"+withdrawn.ID, nil, nil); status != 204 {
		t.Fatalf("withdrawing a permission: %d", status)
	}
	d.stop()
	for name, content := range kept {
		path := filepath.Join(d.options.Data, name)
		for _, beside := range []string{"-wal", "-shm"} {
			if err := os.Remove(path + beside); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if content, err := os.ReadFile(filepath.Join(d.options.Data, "webmail.db")); err != nil || !bytes.Contains(content, []byte(ada.account)) {
		t.Fatalf("the copy does not hold the deleted mailbox: %v", err)
	}

	d.start()
	if got := rowsOf(t, d.system.product, `SELECT id FROM accounts`); !slices.Equal(got, []string{ben.account}) {
		t.Errorf("mailboxes after the start: %v, want Ben's alone", got)
	}
	if got := ada.status("GET", "/api/accounts/"+ada.account+"/labels", nil, nil); got != 401 {
		t.Errorf("Ada after the start: %d, want 401", got)
	}
	if got := rowsOf(t, d.system.product, `SELECT resource FROM permissions`); !slices.Equal(got, []string{other}) {
		t.Errorf("permissions after the start: for %v, want the one alone that Ben did not take back", got)
	}
	ben.signIn(benAddress) // sessions of the copy ended
	ben.get("/api/accounts/"+ben.account+"/labels", nil)
	if out, status := once(t, "audit", "query", "--data", d.options.Data, "--log-origin", "test/decisions", "--operation", oauth.EventDeletionsReplayed); status != 0 || !strings.Contains(out, oauth.EventDeletionsReplayed) {
		t.Errorf("the log does not tell of it: status %d\n%s", status, out)
	}
}

// TestPartialGrant is MIN-2: with the permission to read alone, reading works, and writing asks for the missing
// permission instead of failing.
func TestPartialGrant(t *testing.T) {
	d := newDeployment(t, "")
	id := d.put(adaAddress, "Hello", "there")
	ada := newBrowser(t, d.base)
	ada.signIn(adaAddress)
	d.exec(`UPDATE accounts SET scopes = 'openid https://www.googleapis.com/auth/gmail.readonly'`)
	at := "/api/accounts/" + ada.account
	ada.get(at+"/threads?label=INBOX", nil)
	ada.get(at+"/threads/"+id, nil)
	compose := map[string]any{"to": []any{map[string]any{"email": "x@example.net"}}, "cc": []any{}, "bcc": []any{}, "subject": "x", "html": "x", "attachments": []any{}}
	for path, body := range map[string]any{
		"/threads/modify": map[string]any{"threads": []string{id}, "add": []string{"STARRED"}}, "/drafts": compose,
		"/send": map[string]any{"idempotencyKey": "key-of-the-partial-grant", "compose": compose}, "/threads/trash": map[string]any{"threads": []string{id}},
	} {
		var p problem
		if status := ada.status("POST", at+path, body, &p); status != 403 || p.Code != "reconnect" {
			t.Errorf("%s with the permission to read alone: %d %s, want 403 reconnect", path, status, p.Code)
		}
	}
	// The page that the problem leads to asks Google for what is missing, and nothing more.
	res, page := ada.fetch("GET", "/connect?account="+ada.account, nil)
	if res.StatusCode != 200 || !strings.Contains(page, oauth.GmailModify) || strings.Contains(page, "https://mail.google.com/") {
		t.Errorf("connecting again: %d, want it to name gmail.modify alone", res.StatusCode)
	}
}

// TestRetentionTable: each table of the databases is in the retention table, each row of it exists, and the terms
// are those by which the jobs go.
func TestRetentionTable(t *testing.T) {
	d := newDeployment(t, "")
	tables, err := limiteduse.ReadTables()
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for store, row := range tables.Retention {
		for table := range row.Tables {
			if listed[table] != "" {
				t.Errorf("table %s is in two rows", table)
			}
			listed[table] = store
		}
	}
	const names = `SELECT name FROM sqlite_master WHERE type = 'table'`
	for _, table := range append(rowsOf(t, d.system.product, names), rowsOf(t, d.system.logDB, names)...) {
		if strings.HasPrefix(table, "migrations_") || strings.HasPrefix(table, "sqlite_") {
			continue
		}
		if listed[table] == "" {
			t.Errorf("table %s is in no row of the retention table", table)
		}
		listed[table] = ""
	}
	for table, store := range listed {
		if store != "" {
			t.Errorf("the retention table lists %s in %s, which does not exist", table, store)
		}
	}
	for store, want := range map[string]time.Duration{
		"decision_log": mostLogDays * day, "outbox": inbox.OutboxTerm, "uploads": inbox.UploadTerm, "instructions": inbox.InstructionTerm, "memory": inbox.MemoryTerm,
		"agreements": mostLogDays * day, "sign_ins": oauth.FlowLife, "sessions": oauth.SessionTerm, "revocations": oauth.RevocationTerm, "rights_requests": oauth.RightsKept, "persons": oauth.UnusedTerm,
	} {
		if got := time.Duration(tables.Retention[store].Seconds) * time.Second; got != want {
			t.Errorf("%s: the table says %v, the jobs go by %v", store, got, want)
		}
	}
	if err := d.system.retain(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, status := once(t, "audit", "query", "--data", d.options.Data, "--log-origin", "test/decisions", "--operation", "retention.run", "--format", "jsonl")
	if status != 0 || !strings.Contains(out, `"complete":"true"`) || !strings.Contains(out, `"uploads":"`) {
		t.Errorf("the run is not in the log with its counts: status %d\n%s", status, out)
	}
}

// TestChangeOfDisclosure is CHG-1 and CHG-2 in the whole product: an owner who agreed to the first text goes on as it
// says; what is new waits for the owner's agreement and for 30 days from the announcement.
func TestChangeOfDisclosure(t *testing.T) {
	d := newDeployment(t, "")
	id := d.put(adaAddress, "Hello", "there")
	ada := newBrowser(t, d.base)
	ada.signIn(adaAddress)
	at := "/api/accounts/" + ada.account
	d.exec(`UPDATE consents SET version = 1`) // as an earlier release recorded it
	ada.post(at+"/messages/"+id+"/images", map[string]any{"for": "message"}, nil)

	account := policy.AccountID(ada.account)
	facts, err := d.system.store.Account(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	permission, err := d.system.permits.Find(t.Context(), account, "remote_images", "remote_host", id)
	if err != nil {
		t.Fatal(err)
	}
	something := func(what string, want ...string) { // that the second text is the first to tell of
		t.Helper()
		grant, err := d.system.gate.Authorize(t.Context(), policy.Access{
			Actor: policy.Actor{Kind: policy.Owner, Person: facts.Owner}, Account: account, Purpose: "inbox.read", Feature: "remote_images",
			Target:    policy.Target{Operation: "remote.get", Resource: policy.IDs(policy.Messages, id), Classes: []policy.DataClass{policy.Derived}},
			Recipient: "remote_host", Instruction: permission.ID, Subject: id,
		})
		var refused *policy.Refused
		switch {
		case len(want) == 0 && err != nil:
			t.Errorf("%s: got %v, want it allowed", what, err)
		case len(want) == 0:
			grant.Finish(nil, 0, 0)
		case !errors.As(err, &refused) || !slices.Equal(refused.Clauses, want):
			t.Errorf("%s: got %v, want a refusal by %v", what, err, want)
		}
	}
	session := func() (changes string) {
		var s struct {
			Accounts []struct{ State, Changes string }
		}
		ada.get("/api/session", &s)
		if len(s.Accounts) != 1 || s.Accounts[0].State != "connected" {
			t.Errorf("the session is %+v, want the mailbox to go on", s)
			return ""
		}
		return s.Accounts[0].Changes
	}
	ada.get(at+"/threads?label=INBOX", nil)
	something("before agreeing", "CHG-1", "CHG-2")
	if session() == "" {
		t.Error("the owner is not told of the change")
	}
	res, page := ada.fetch("GET", "/connect?account="+ada.account, nil)
	ada.press(res, page, "Agree and go on")
	something("agreed, before its day", "CHG-2")
	if day := session(); day != "" {
		t.Errorf("who has agreed is still told of a change on %s", day)
	}
	ada.get(at+"/threads?label=INBOX", nil)

	d.exec(`UPDATE disclosures SET announced = announced - $1`, int64(consent.Notice/time.Microsecond))
	d.stop()
	d.start()
	something("agreed, on its day")
	ada.get(at+"/threads?label=INBOX", nil)
}

// TestRequestsAboutData: an owner asks, support sees who asks for what and until when and notes the answer, and
// nobody else does either.
func TestRequestsAboutData(t *testing.T) {
	p := startDemo(t, t.TempDir())
	alice, bob := newBrowser(t, p.url), newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	bob.signIn("bob@example.com")
	support, auditor := newBrowser(t, p.url), newBrowser(t, p.url)
	support.signInStaff("support@staff.example.com")
	auditor.signInStaff("audit@staff.example.com")

	var asked struct{ ID, State string }
	alice.post("/api/me/rights-requests", map[string]any{"right": "objection", "note": "please do not count me"}, &asked)
	if status := alice.status("POST", "/api/me/rights-requests", map[string]any{"right": "objection"}, nil); status != 409 {
		t.Errorf("the same once more: %d, want 409", status)
	}
	if status := alice.status("POST", "/api/me/rights-requests", map[string]any{"right": "everything"}, nil); status != 400 {
		t.Errorf("an unknown right: %d, want 400", status)
	}
	act := "/api/staff/rights-requests/" + asked.ID
	for name, b := range map[string]*browser{"the owner": alice, "another owner": bob, "an auditor": auditor} {
		if status := b.status("GET", "/api/staff/rights-requests", nil, nil); status != 403 {
			t.Errorf("%s listing open requests: %d, want 403", name, status)
		}
		if status := b.status("POST", act+"/answer", nil, nil); status != 403 {
			t.Errorf("%s ending a request: %d, want 403", name, status)
		}
	}
	var open struct {
		Requests []struct {
			ID, Right, Contact, Note string
			MayRefuse                bool
			Received, Due            time.Time
		}
	}
	support.get("/api/staff/rights-requests", &open)
	if len(open.Requests) != 1 || open.Requests[0].Contact != "alice@example.com" || open.Requests[0].Due.Sub(open.Requests[0].Received) != 30*day || open.Requests[0].MayRefuse {
		t.Fatalf("open requests: %+v, want Alice's, due after 30 days", open.Requests)
	}
	if status := support.status("POST", act+"/refuse", nil, nil); status != 409 {
		t.Errorf("refusing what must be answered: %d, want 409", status)
	}
	support.post(act+"/answer", nil, nil)
	if status := support.status("POST", act+"/answer", nil, nil); status != 404 {
		t.Errorf("answering twice: %d, want 404", status)
	}
	var own struct {
		Requests []struct{ ID, State, How string }
	}
	alice.get("/api/me/rights-requests", &own)
	if len(own.Requests) != 1 || own.Requests[0].State != "answered" || own.Requests[0].How != "operator" {
		t.Errorf("Alice sees %+v, want it answered", own.Requests)
	}
	bob.get("/api/me/rights-requests", &own)
	if len(own.Requests) != 0 {
		t.Errorf("Bob sees %+v, want nothing of Alice's", own.Requests)
	}
}

// TestOwnData: the settings page shows the tables, the permissions and what each is for, and what was agreed to.
func TestOwnData(t *testing.T) {
	p := startDemo(t, t.TempDir())
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	var stored struct {
		Stores    []struct{ Store, What string }
		Mailboxes []struct {
			Email  string
			Scopes []struct {
				Scope  string
				Needed bool
				Uses   []string
			}
		}
		Sessions []struct{ Current bool }
	}
	alice.get("/api/me/stored", &stored)
	tables, err := limiteduse.ReadTables()
	if err != nil {
		t.Fatal(err)
	}
	if len(stored.Stores) != len(tables.Retention) || len(stored.Sessions) != 1 || !stored.Sessions[0].Current || len(stored.Mailboxes) != 1 {
		t.Errorf("stored: %d kinds, %+v, %+v", len(stored.Stores), stored.Sessions, stored.Mailboxes)
	}
	for _, s := range stored.Mailboxes[0].Scopes {
		if !s.Needed || s.Scope == oauth.GmailModify && len(s.Uses) < 5 || strings.Contains(s.Scope, "https://mail.google.com/") {
			t.Errorf("a permission is %+v, want each needed, and gmail.modify the only one for mail", s)
		}
	}
	var agreed struct {
		Current  int
		Consents []struct {
			Email, Act, Text string
			Version          int
		}
	}
	alice.get("/api/me/consents", &agreed)
	if len(agreed.Consents) != 1 || agreed.Consents[0].Version != agreed.Current || agreed.Consents[0].Email != "alice@example.com" {
		t.Fatalf("consents: %+v, want one to the current text", agreed)
	}
	if text := alice.document(agreed.Consents[0].Text); !strings.Contains(text, "New in version 2") {
		t.Error("the text that was agreed to is not at its address")
	}
	alice.post("/api/accounts/"+alice.account+"/withdraw", nil, nil) // one act, as agreeing was
	if status := alice.status("GET", "/api/accounts/"+alice.account+"/labels", nil, nil); status != 404 {
		t.Errorf("after taking the agreement back: %d, want 404", status)
	}
	alice.get("/api/me/consents", &agreed)
	if len(agreed.Consents) != 2 || agreed.Consents[0].Act != "withdrawn" {
		t.Errorf("consents: %+v, want the withdrawal first", agreed.Consents)
	}
}
