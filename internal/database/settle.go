package database

import (
	"context"
	"errors"
	"fmt"
)

// ErrReaders says that a reader kept the write-ahead log from being emptied. Trying again later helps.
var ErrReaders = errors.New("the write-ahead log is in use")

// Settle empties SQLite's write-ahead log into the file. Until then the log holds pages as they were before a
// deletion; in the file, secure_delete has overwritten them. PostgreSQL does this in its own time (VACUUM), and
// Settle does nothing there.
func (d *DB) Settle(ctx context.Context) error {
	if d.dialect != SQLite || d.readOnly {
		return nil
	}
	var busy, pages, moved int
	if err := d.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
		return fmt.Errorf("database: emptying the write-ahead log: %w", err)
	}
	if busy != 0 {
		return ErrReaders
	}
	return nil
}
