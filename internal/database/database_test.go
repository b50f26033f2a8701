package database_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
)

// notes is a migration set with one table that uses every column type the shared subset has.
var notes = fstest.MapFS{"00001_notes.sql": {Data: []byte(`-- +goose Up
CREATE TABLE notes (id TEXT PRIMARY KEY, at BIGINT NOT NULL, body BYTEA, done BOOLEAN NOT NULL);
-- +goose Down
DROP TABLE notes;
`)}}

// later is the same set after another version of the program.
var later = fstest.MapFS{
	"00001_notes.sql": notes["00001_notes.sql"],
	"00002_author.sql": {Data: []byte(`-- +goose Up
ALTER TABLE notes ADD COLUMN author TEXT;
-- +goose Down
ALTER TABLE notes DROP COLUMN author;
`)},
}

func migrated(t *testing.T, db *database.DB) *database.DB {
	t.Helper()
	if err := db.Migrate(t.Context(), "notes", notes); err != nil {
		t.Fatal(err)
	}
	return db
}

func insert(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO notes (at, id, body, done) VALUES ($2, $1, $3, TRUE)`, id, int64(1), []byte{0, 255})
	return err
}

func count(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	if err := db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM notes`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWriteCommits(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		db := migrated(t, open(t))
		if err := db.Write(t.Context(), func(tx *sql.Tx) error { return insert(t.Context(), tx, "a") }); err != nil {
			t.Fatal(err)
		}
		var (
			at   int64
			body []byte
			done bool
		)
		row := open(t).Read().QueryRowContext(t.Context(), `SELECT at, body, done FROM notes WHERE id = $1`, "a")
		if err := row.Scan(&at, &body, &done); err != nil {
			t.Fatal(err)
		}
		if at != 1 || string(body) != "\x00\xff" || !done {
			t.Errorf("got at=%d body=%x done=%v, want 1, 00ff, true", at, body, done)
		}
	})
}

func TestWriteUndoes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		db := migrated(t, open(t))

		broken := errors.New("broken")
		err := db.Write(t.Context(), func(tx *sql.Tx) error {
			if err := insert(t.Context(), tx, "error"); err != nil {
				return err
			}
			return broken
		})
		if err != broken {
			t.Errorf("got error %v, want the function's own", err)
		}

		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			db.Write(t.Context(), func(tx *sql.Tx) error {
				if err := insert(t.Context(), tx, "panic"); err != nil {
					return err
				}
				panic("as it happens")
			})
		}()

		ctx, cancel := context.WithCancel(t.Context())
		err = db.Write(ctx, func(tx *sql.Tx) error {
			if err := insert(ctx, tx, "cancelled"); err != nil {
				return err
			}
			cancel()
			return nil
		})
		if err == nil {
			t.Error("a cancelled transaction was committed")
		}

		if got := count(t, db); got != 0 {
			t.Errorf("got %d rows after three undone writes, want 0", got)
		}
		if err := db.Write(t.Context(), func(tx *sql.Tx) error { return insert(t.Context(), tx, "next") }); err != nil {
			t.Errorf("the next write: %v", err)
		}
	})
}

func TestConcurrentWrites(t *testing.T) {
	const writers, each = 16, 10
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		nodes := []*database.DB{migrated(t, open(t)), open(t)}
		err := nodes[0].Write(t.Context(), func(tx *sql.Tx) error { return insert(t.Context(), tx, "counter") })
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for range each {
					err := nodes[i%2].Write(t.Context(), func(tx *sql.Tx) error {
						_, err := tx.ExecContext(t.Context(), `UPDATE notes SET at = at + 1 WHERE id = $1`, "counter")
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var at int64
		if err := nodes[0].Read().QueryRowContext(t.Context(), `SELECT at FROM notes`).Scan(&at); err != nil {
			t.Fatal(err)
		}
		if want := int64(1 + writers*each); at != want {
			t.Errorf("got %d after %d increments, want %d", at, writers*each, want)
		}
	})
}

func TestReadRefusesWrites(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		db := migrated(t, open(t))
		if _, err := db.Read().ExecContext(t.Context(), `DELETE FROM notes`); err == nil {
			t.Error("the reading pool carried out a DELETE")
		}
	})
}

func TestMigrate(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		db := migrated(t, open(t))
		migrated(t, db) // again: nothing to do

		other := fstest.MapFS{"00001_other.sql": {Data: []byte("-- +goose Up\nCREATE TABLE other (id BIGINT);\n")}}
		if err := db.Migrate(t.Context(), "other", other); err != nil {
			t.Errorf("a second set with the same version numbers: %v", err)
		}
		if err := db.Migrate(t.Context(), "notes", later); err != nil {
			t.Errorf("upgrade: %v", err)
		}
		if err := db.Migrate(t.Context(), "notes", notes); !errors.Is(err, database.ErrNewerSchema) {
			t.Errorf("an older program: got %v, want ErrNewerSchema", err)
		}
		if err := db.Migrate(t.Context(), `x"; DROP TABLE notes; --`, notes); err == nil {
			t.Error("a set name that is no name was accepted")
		}
		bad := fstest.MapFS{"00001_bad.sql": {Data: []byte("-- +goose Up\nCREATE NONSENSE;\n")}}
		if err := db.Migrate(t.Context(), "bad", bad); err == nil {
			t.Error("a broken migration was accepted")
		}
	})
}

func TestNodesMigrateAtOnce(t *testing.T) {
	if databasetest.WithoutPostgreSQL() {
		t.Log("PostgreSQL left out: WEBMAIL_TEST_NO_POSTGRES is set")
		return
	}
	url := databasetest.PostgreSQL(t)
	var wg sync.WaitGroup
	for range 3 {
		node := databasetest.Open(t, url)
		wg.Go(func() {
			if err := node.Migrate(t.Context(), "notes", later); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestOpenReadOnly(t *testing.T) {
	databasetest.EachURL(t, func(t *testing.T, url string) {
		migrated(t, databasetest.Open(t, url))
		db, err := database.OpenReadOnly(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if got := count(t, db); got != 0 {
			t.Errorf("got %d rows, want 0", got)
		}
		if err := db.Write(t.Context(), func(*sql.Tx) error { return nil }); !errors.Is(err, database.ErrReadOnly) {
			t.Errorf("Write: got %v, want ErrReadOnly", err)
		}
		if err := db.Migrate(t.Context(), "notes", later); !errors.Is(err, database.ErrReadOnly) {
			t.Errorf("Migrate: got %v, want ErrReadOnly", err)
		}
	})
}

// TestPrepare uses one statement in several writes.
func TestPrepare(t *testing.T) {
	databasetest.EachURL(t, func(t *testing.T, url string) {
		db := migrated(t, databasetest.Open(t, url))
		stmt, err := db.Prepare(t.Context(), `INSERT INTO notes (id, at, done) VALUES ($1, 1, FALSE)`)
		if err != nil {
			t.Fatal(err)
		}
		defer stmt.Close()
		for _, id := range []string{"a", "b"} {
			err := db.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.StmtContext(t.Context(), stmt).ExecContext(t.Context(), id)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := count(t, db); got != 2 {
			t.Errorf("got %d rows, want 2", got)
		}
		if _, err := db.Prepare(t.Context(), `NO SQL`); err == nil {
			t.Error("what is no SQL was prepared")
		}
		reader, err := database.OpenReadOnly(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		if _, err := reader.Prepare(t.Context(), `SELECT 1`); !errors.Is(err, database.ErrReadOnly) {
			t.Errorf("read-only: got %v, want ErrReadOnly", err)
		}
	})
}

func TestOpenReadOnlyCreatesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent.db")
	if db, err := database.OpenReadOnly(t.Context(), path); err == nil {
		db.Close()
		t.Error("a file that does not exist was opened")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file was created: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, url := range []string{
		"", "sqlite:", ":memory:", "sqlite::memory:", "mysql://u:hunter2@host/db", "a\x00b",
		"postgres://u:hunter2@host:port/db",
		"postgres://u:hunter2@127.0.0.1:1/db?connect_timeout=5",
		filepath.Join(t.TempDir(), "no", "such", "folder.db"),
	} {
		db, err := database.Open(t.Context(), url)
		if err == nil {
			db.Close()
			t.Errorf("Open(%q) succeeded", url)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// TestSQLiteSettings asks SQLite itself for what the package comment promises.
func TestSQLiteSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?#%41.db")
	db := migrated(t, databasetest.Open(t, path))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("file mode: got %o, want 600", got)
	}
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "foreign_keys": "1", "busy_timeout": "10000", "temp_store": "2",
		} {
			var got string
			if err := tx.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s: got %s, want %s", pragma, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPostgreSQLDurability: a server that acknowledges commits before they are on disk is overruled.
func TestPostgreSQLDurability(t *testing.T) {
	if databasetest.WithoutPostgreSQL() {
		t.Log("PostgreSQL left out: WEBMAIL_TEST_NO_POSTGRES is set")
		return
	}
	server, err := url.Parse(databasetest.PostgreSQL(t))
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{"off": "on", "local": "local", "on": "on"} {
		options := server.Query()
		options.Set("synchronous_commit", setting)
		server.RawQuery = options.Encode()
		db := databasetest.Open(t, server.String())
		err := db.Write(t.Context(), func(tx *sql.Tx) error {
			var got string
			if err := tx.QueryRow("SHOW synchronous_commit").Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("server says %s: got %s, want %s", setting, got, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
