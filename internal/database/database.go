// Package database opens the product's store, which is SQLite in one file or PostgreSQL behind a URL, and
// gives both the same four verbs: [DB.Migrate], [DB.Write], [DB.Read], [DB.Close].
//
// One set of SQL serves both engines. What makes that possible is a discipline, not a layer:
//
//   - placeholders are $1, $2, ... by number;
//   - times are BIGINT microseconds since 1970 UTC, never TIMESTAMP;
//   - ids are made by the program; no SERIAL, no IDENTITY;
//   - blobs are BYTEA, flags are BOOLEAN, texts are TEXT; no LIKE where case matters, no sum() read as an integer;
//   - RETURNING, ON CONFLICT, partial indexes, row values and multi-row VALUES are fine.
//
// Writes and reads go through different pools. SQLite allows one writer at a time, so its writing pool has one
// connection and every write transaction takes the write lock when it begins: no upgrade from reader to
// writer, hence no SQLITE_BUSY between our own goroutines. The reading pool refuses writes on both engines,
// so that a write put in the wrong place fails in the first test that runs it.
//
// What is committed stays: SQLite runs in WAL mode with synchronous=FULL and overwrites deleted content
// (secure_delete); on PostgreSQL a server-side synchronous_commit=off is switched on for our sessions.
//
// Cost on one small machine: a commit of one 1 KB row takes about 0.15 ms on SQLite and 0.2 ms on
// PostgreSQL, nearly all of it the disk's sync; a point read 10 µs and 60 µs.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Dialect is the SQL engine behind a [DB], for the few statements that cannot be shared.
type Dialect string

// The two engines.
const (
	SQLite     Dialect = "sqlite"
	PostgreSQL Dialect = "postgres"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect  Dialect
	readOnly bool
	write    *sql.DB // one connection on SQLite; nil when opened read-only
	read     *sql.DB // refuses writes
}

// Open opens the database at url, creating an SQLite file (mode 0600) that is not there yet:
//
//	sqlite:PATH, or just PATH     one file, with its -wal and -shm files beside it
//	postgres://user@host/name     a PostgreSQL database; every option pgx knows is allowed
//
// It connects before it returns, so a wrong path or an unreachable server is reported here. Errors never
// contain the URL's password.
func Open(ctx context.Context, url string) (*DB, error) { return open(ctx, url, false) }

// OpenReadOnly opens an existing database without the means to change it: [DB.Write] and [DB.Migrate] return
// [ErrReadOnly], and an SQLite file is opened with mode=ro. An SQLite file whose -wal and -shm files are
// missing still needs a directory where SQLite may create the latter.
func OpenReadOnly(ctx context.Context, url string) (*DB, error) { return open(ctx, url, true) }

// ErrReadOnly is returned by the writing methods of a database opened by [OpenReadOnly].
var ErrReadOnly = errors.New("database: opened read-only")

func open(ctx context.Context, url string, readOnly bool) (*DB, error) {
	dialect, place, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	db := &DB{dialect: dialect, readOnly: readOnly}
	switch dialect {
	case SQLite:
		err = db.openSQLite(place)
	case PostgreSQL:
		err = db.openPostgreSQL(place)
	}
	if err == nil {
		err = db.ping(ctx)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("database: open %s: %w", dialect, err)
	}
	return db, nil
}

// parseURL splits url into the engine and what that engine's driver wants: a path or a connection string.
func parseURL(url string) (Dialect, string, error) {
	switch {
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return PostgreSQL, url, nil
	case strings.HasPrefix(url, "sqlite:"):
		return sqlitePath(strings.TrimPrefix(url, "sqlite:"))
	case strings.Contains(url, "://"):
		scheme, _, _ := strings.Cut(url, "://")
		return "", "", fmt.Errorf("database: scheme %q is neither sqlite: nor postgres://", scheme)
	default:
		return sqlitePath(url)
	}
}

func sqlitePath(path string) (Dialect, string, error) {
	if path == "" {
		return "", "", errors.New("database: the URL names no file")
	}
	if strings.HasPrefix(path, ":") {
		// Two pools would see two different in-memory databases.
		return "", "", errors.New("database: SQLite needs a file, not memory")
	}
	if strings.ContainsRune(path, 0) {
		return "", "", errors.New("database: the path holds a NUL byte")
	}
	return SQLite, path, nil
}

// ping connects both pools. The writing pool comes first: it is the one that puts a new SQLite file into WAL mode.
func (d *DB) ping(ctx context.Context) error {
	if d.write != nil {
		if err := d.write.PingContext(ctx); err != nil {
			return err
		}
	}
	return d.read.PingContext(ctx)
}

// Dialect tells which engine this is.
func (d *DB) Dialect() Dialect { return d.dialect }

// Read returns the pool for queries. Writes through it fail on both engines.
func (d *DB) Read() *sql.DB { return d.read }

// Close closes both pools and waits for queries that are still running.
func (d *DB) Close() error {
	var errs []error
	for _, pool := range []*sql.DB{d.read, d.write} { // the writer last: closing it folds the WAL into the file
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}
