package database

import (
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // the driver "sqlite", without cgo
)

// sqliteReaders bounds the reading pool: a WAL reader never waits for the writer, so a few connections carry
// many readers, and each costs a page cache.
const sqliteReaders = 8

// openSQLite sets up both pools over the file at path.
func (d *DB) openSQLite(path string) (err error) {
	if d.readOnly {
		d.read, err = sql.Open("sqlite", sqliteDSN(path, url.Values{"mode": {"ro"}}, "query_only(1)"))
		return err
	}
	if err := createPrivate(path); err != nil {
		return err
	}
	if d.write, err = sql.Open("sqlite", sqliteDSN(path, url.Values{"_txlock": {"immediate"}})); err != nil {
		return err
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite", sqliteDSN(path, nil, "query_only(1)")); err != nil {
		return err
	}
	d.read.SetMaxOpenConns(sqliteReaders)
	d.read.SetMaxIdleConns(sqliteReaders)
	return nil
}

// sqliteDSN is the connection string: options and pragmas in the driver's own spelling. Every pragma is a
// constant of this file, because the driver runs them as SQL.
func sqliteDSN(path string, options url.Values, pragmas ...string) string {
	if options == nil {
		options = url.Values{}
	}
	options["_pragma"] = append(pragmas,
		"busy_timeout(10000)",
		"synchronous(FULL)",
		"foreign_keys(1)",
		"secure_delete(1)",
		"temp_store(MEMORY)", // no row is ever left in a temporary file
	)
	if options.Get("mode") != "ro" {
		options["_pragma"] = append(options["_pragma"], "journal_mode(WAL)")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + options.Encode()
}

// createPrivate makes sure the file exists and, if it is new, that only its owner can read it. SQLite gives
// the -wal and -shm files the same mode.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}
