package database_test

import (
	"bytes"
	"database/sql"
	"os"
	"strings"
	"testing"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
)

// TestSettle: after a deletion and Settle, neither the file nor its write-ahead log holds what was deleted.
func TestSettle(t *testing.T) {
	databasetest.EachURL(t, func(t *testing.T, url string) {
		db := databasetest.Open(t, url)
		const secret = "a secret that is deleted later"
		for _, statement := range []string{
			`CREATE TABLE kept (id BIGINT PRIMARY KEY, what TEXT NOT NULL)`, `INSERT INTO kept (id, what) VALUES (1, '` + secret + `')`, `DELETE FROM kept`,
		} {
			if err := db.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.ExecContext(t.Context(), statement); return err }); err != nil {
				t.Fatal(err)
			}
		}
		holds := func() bool {
			path, isFile := strings.CutPrefix(url, "sqlite:")
			if !isFile {
				return false
			}
			for _, name := range []string{path, path + "-wal"} {
				content, err := os.ReadFile(name)
				if err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
				if bytes.Contains(content, []byte(secret)) {
					return true
				}
			}
			return false
		}
		if db.Dialect() == database.SQLite && !holds() {
			t.Error("the secret is gone without Settle: the test looks in the wrong place")
		}
		if err := db.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if holds() {
			t.Error("what was deleted is still in the files")
		}
	})
}
