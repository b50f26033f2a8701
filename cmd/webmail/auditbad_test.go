package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// loggedDemo runs the demo for one owner's reading and returns its data directory. The program has ended.
func loggedDemo(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	p := startDemo(t, data)
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	for range 3 {
		alice.get("/api/accounts/"+alice.account+"/labels", nil)
	}
	var page threadPage
	alice.get("/api/accounts/"+alice.account+"/threads?label=INBOX", &page)
	p.stop(t)
	return data
}

// change runs statements on a copy's log, as someone with the database file could.
func change(t *testing.T, data string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "decisions.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		done, err := db.Exec(s)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		if n, err := done.RowsAffected(); err == nil && n == 0 {
			t.Fatalf("%s: changes nothing", s)
		}
	}
}

// TestEveryDamageIsNamed: whatever is done to a log, its key or the auditor's checkpoint, verify says what and where, and
// its status tells a false log from one that cannot be read.
func TestEveryDamageIsNamed(t *testing.T) {
	original, foreign := loggedDemo(t), loggedDemo(t)
	kept := filepath.Join(t.TempDir(), "kept")
	if out, status := once(t, "audit", "verify", "--data", original, "--save", kept); status != 0 {
		t.Fatalf("the untouched log: status %d\n%s", status, out)
	}
	foreignKept := filepath.Join(t.TempDir(), "foreign")
	if out, status := once(t, "audit", "verify", "--data", foreign, "--save", foreignKept); status != 0 {
		t.Fatalf("the other log: status %d\n%s", status, out)
	}
	last := `(SELECT max(idx) FROM decisionlog_events)`
	for _, c := range []struct {
		name   string
		do     func(t *testing.T, data string)
		kept   string
		status int
		want   string
	}{
		{"a byte changed", func(t *testing.T, data string) { changeOneByte(t, filepath.Join(data, "decisions.db"), 3) }, "", exitVerify, "the body of event 3 was changed"},
		{"a column edited", func(t *testing.T, data string) {
			change(t, data, `UPDATE decisionlog_events SET purpose = 'inbox.send' WHERE idx = (SELECT min(idx) FROM decisionlog_events WHERE purpose = 'inbox.read')`)
		}, "", exitVerify, "column purpose of event"},
		{"truncated", func(t *testing.T, data string) {
			change(t, data, `DELETE FROM decisionlog_events WHERE idx = `+last)
		}, "", exitVerify, "of table events is missing"},
		{"an event removed", func(t *testing.T, data string) {
			change(t, data, `DELETE FROM decisionlog_events WHERE idx = 4`)
		}, "", exitVerify, "row 4 of table events is missing"},
		{"the oldest removed", func(t *testing.T, data string) {
			change(t, data, `DELETE FROM decisionlog_events WHERE idx < 2`)
		}, "", exitVerify, "row 0 of table events is missing"},
		{"the oldest removed, and the head told so", func(t *testing.T, data string) {
			change(t, data, `DELETE FROM decisionlog_events WHERE idx < 2`, `UPDATE decisionlog_head SET kept_from = 2`)
		}, "", exitVerify, "the events before 2 are gone and no event says that they were dropped"},
		{"reordered", func(t *testing.T, data string) {
			change(t, data, `UPDATE decisionlog_events SET idx = -1 WHERE idx = 3`, `UPDATE decisionlog_events SET idx = 3 WHERE idx = 4`, `UPDATE decisionlog_events SET idx = 4 WHERE idx = -1`)
		}, "", exitVerify, "the body of event 3 was changed"},
		{"an event added", func(t *testing.T, data string) {
			change(t, data, `INSERT INTO decisionlog_events SELECT `+last+` + 1, at, kind, decision_id, ref, actor_kind, actor, account, operation, purpose, feature, basis, allowed, clauses, outcome, body FROM decisionlog_events WHERE idx = 3`)
		}, "", exitVerify, "beyond the signed size"},
		{"a hash changed", func(t *testing.T, data string) {
			change(t, data, `UPDATE decisionlog_hashes SET hash = zeroblob(32) WHERE idx = 0`)
		}, "", exitVerify, "the stored hash 0 of level 0 was changed"},
		{"no head", func(t *testing.T, data string) { change(t, data, `DELETE FROM decisionlog_head`) }, "", exitVerify, "the head row is bad: it is missing"},
		{"the head put back", func(t *testing.T, data string) {
			change(t, data, `UPDATE decisionlog_head SET size = size - 1`)
		}, "", exitVerify, "size and root are not those of its signed checkpoint"},
		{"another log's database", func(t *testing.T, data string) {
			removeFiles(t, filepath.Join(data, "decisions.db*"))
			copyFiles(t, filepath.Join(foreign, "decisions.db*"), data)
		}, "", exitVerify, "it is not signed by this log's key"},
		{"another log's key", func(t *testing.T, data string) {
			copyFiles(t, filepath.Join(foreign, "keys", "log.key.pub"), filepath.Join(data, "keys"))
		}, "", exitVerify, "it is not signed by this log's key"},
		{"a key that is none", func(t *testing.T, data string) {
			writeFile(t, filepath.Join(data, "keys", "log.key.pub"), "nonsense")
		}, "", exitFailure, "the log's public key"},
		{"no key", func(t *testing.T, data string) { removeFiles(t, filepath.Join(data, "keys", "log.key.pub")) }, "", exitFailure, "is --data right?"},
		{"no database", func(t *testing.T, data string) { removeFiles(t, filepath.Join(data, "decisions.db*")) }, "", exitFailure, "the log's database"},
		{"a database that is none", func(t *testing.T, data string) {
			removeFiles(t, filepath.Join(data, "decisions.db*"))
			writeFile(t, filepath.Join(data, "decisions.db"), strings.Repeat("not a database ", 100))
		}, "", exitFailure, "the log's database"},
		{"an empty database", func(t *testing.T, data string) {
			removeFiles(t, filepath.Join(data, "decisions.db*"))
			writeFile(t, filepath.Join(data, "decisions.db"), "")
		}, "", exitFailure, "no such table"},
		{"rolled back", func(t *testing.T, data string) {
			writeFile(t, kept+".newer", newer(t, data))
		}, kept + ".newer", exitVerify, "rolled back: the log holds"},
		{"another log's checkpoint", func(*testing.T, string) {}, foreignKept, exitVerify, "the kept checkpoint is bad: it is not signed by this log's key"},
		{"a checkpoint that is none", func(t *testing.T, data string) { writeFile(t, kept+".bad", "nonsense") }, kept + ".bad", exitVerify, "the kept checkpoint is bad: it is not a signed note"},
		{"nothing", func(*testing.T, string) {}, kept, 0, "consistent with the kept checkpoint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := t.TempDir()
			if err := os.Mkdir(filepath.Join(data, "keys"), 0o700); err != nil {
				t.Fatal(err)
			}
			copyFiles(t, filepath.Join(original, "decisions.db*"), data)
			copyFiles(t, filepath.Join(original, "keys", "log.key*"), filepath.Join(data, "keys"))
			c.do(t, data)
			args := []string{"audit", "verify", "--data", data}
			if c.kept != "" {
				args = append(args, "--checkpoint", c.kept)
			}
			if out, status := once(t, args...); status != c.status || !strings.Contains(out, c.want) {
				t.Errorf("status %d, want %d and %q in\n%s", status, c.status, c.want, out)
			}
		})
	}
}

// newer lets a copy of the log grow and returns its checkpoint: one that the original, put back, does not reach.
func newer(t *testing.T, data string) string {
	t.Helper()
	grown := t.TempDir()
	if err := os.Mkdir(filepath.Join(grown, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	copyFiles(t, filepath.Join(data, "decisions.db*"), grown)
	copyFiles(t, filepath.Join(data, "keys", "log.key*"), filepath.Join(grown, "keys"))
	if err := os.Chmod(filepath.Join(grown, "keys", "log.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	startDemo(t, grown).stop(t)
	saved := filepath.Join(grown, "newer")
	if out, status := once(t, "audit", "verify", "--data", grown, "--save", saved); status != 0 {
		t.Fatalf("the grown log: status %d\n%s", status, out)
	}
	text, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func removeFiles(t *testing.T, pattern string) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
