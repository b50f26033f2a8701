// Package databasetest runs a test on both engines of package database: on SQLite in a temporary file, and on
// a real PostgreSQL server.
//
// The server is private to the test process. It is started when the first test asks for it (about one second)
// from the programs in /usr/lib/postgresql/*/bin or in PATH, listens on a Unix socket only, and ends with the
// process, however that ends (see server.go). Each test gets a database of its own in it.
//
// Two environment variables change this:
//
//	WEBMAIL_TEST_POSTGRES=postgres://...   use this server; its user must be allowed to create databases
//	WEBMAIL_TEST_NO_POSTGRES=1             leave PostgreSQL out
//
// Without either, a machine that lacks PostgreSQL fails the test: half a test must not look like a whole one.
package databasetest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/totalengage/webmail/internal/database"
)

// Each runs test once an engine, as the subtests "sqlite" and "postgres". Every call of open gives another
// handle on the same fresh database, as another node of the product would have; handles are closed by the
// test's cleanup.
func Each(t *testing.T, test func(t *testing.T, open func(t *testing.T) *database.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) {
		test(t, func(t *testing.T) *database.DB {
			t.Helper()
			return Open(t, url)
		})
	})
}

// EachURL is [Each] for tests that want the database's URL, to open it in another process or in other ways.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	if WithoutPostgreSQL() {
		t.Log("PostgreSQL left out: WEBMAIL_TEST_NO_POSTGRES is set")
		return
	}
	t.Run("postgres", func(t *testing.T) { test(t, PostgreSQL(t)) })
}

// BenchmarkEach runs a benchmark once an engine.
func BenchmarkEach(b *testing.B, bench func(b *testing.B, url string)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, SQLite(b)) })
	if !WithoutPostgreSQL() {
		b.Run("postgres", func(b *testing.B) { bench(b, PostgreSQL(b)) })
	}
}

// Open opens url and closes it when the test ends.
func Open(tb testing.TB, url string) *database.DB {
	tb.Helper()
	db, err := database.Open(context.Background(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close database: %v", err)
		}
	})
	return db
}

// SQLite returns the URL of a database file that does not exist yet.
func SQLite(tb testing.TB) string {
	return "sqlite:" + filepath.Join(tb.TempDir(), "test.db")
}

// WithoutPostgreSQL tells whether the environment asks to leave PostgreSQL out.
func WithoutPostgreSQL() bool { return os.Getenv("WEBMAIL_TEST_NO_POSTGRES") == "1" }
