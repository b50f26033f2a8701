package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/totalengage/webmail/internal/database/databasetest"
)

// TestWitnessedServer: serve and an auditor's witness as two programs. The log is cosigned; put back to an earlier
// state it is consistent in itself, and yet it is not served again.
func TestWitnessedServer(t *testing.T) {
	addr, data, database := freeAddress(t), t.TempDir(), databasetest.SQLite(t)
	google := start(t, "emulate", "--addr", "127.0.0.1:0", "--seed", seedFile(t, addr))
	args := []string{"serve", "--addr", addr, "--data", data, "--database", database, "--google-issuer", google.url, "--gmail-endpoint", google.url + "/",
		"--google-client-id", "webmail", "--google-client-secret", "not so secret", "--operator", "Test", "--contact", "privacy@example.com",
		"--accept", "cleartext-keyset,no-witness,other-google"}
	start(t, args...).stop(t) // makes the log and its key

	state := filepath.Join(t.TempDir(), "witness")
	auditor := start(t, "audit", "witness", "--addr", "127.0.0.1:0", "--name", "example.org/witness", "--state", state, "--log", filepath.Join(data, "keys", "log.key.pub"))
	witnessed := append(args[:len(args)-1:len(args)-1], "cleartext-keyset,other-google", "--witness", auditor.url, "--witness-key", state+".key.pub")

	earlier := t.TempDir()
	copyFiles(t, filepath.Join(data, "decisions.db*"), earlier)
	p := start(t, witnessed...)
	ann := newBrowser(t, p.url)
	ann.signIn("ann@example.com")
	var page threadPage
	ann.get("/api/accounts/"+ann.account+"/threads?label=INBOX", &page)
	p.stop(t)
	start(t, witnessed...).stop(t) // so that the witness has seen the sign-in

	later, err := filepath.Glob(filepath.Join(data, "decisions.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range later {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	copyFiles(t, filepath.Join(earlier, "decisions.db*"), data)
	if out, status := once(t, "audit", "verify", "--data", data); status != 0 {
		t.Fatalf("the earlier log is sound in itself: status %d\n%s", status, out)
	}
	if out, status := once(t, witnessed...); status != exitFailure || !strings.Contains(out, "another history") {
		t.Errorf("a log put back is served again: status %d\n%s", status, out)
	}
}

func copyFiles(t *testing.T, pattern, dir string) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	for _, name := range names {
		from, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		to, err := os.Create(filepath.Join(dir, filepath.Base(name)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(to, from)
		from.Close()
		if err != nil || to.Close() != nil {
			t.Fatal(err)
		}
	}
}
