package database

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"regexp"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// ErrNewerSchema says that the database was last migrated by a newer program than this one.
var ErrNewerSchema = errors.New("the database belongs to a newer version of this program")

var setName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

// Migrate brings the tables of one migration set up to date. The set is a folder of goose files
// (00001_what.sql, ...) written in the shared SQL subset; its progress is kept in a table of its own, so that
// several sets live in one database without knowing of each other.
//
// Nodes may migrate the same PostgreSQL database at once: all but one wait. A set that the database has seen
// in a newer version than fsys holds is refused with [ErrNewerSchema].
func (d *DB) Migrate(ctx context.Context, set string, fsys fs.FS) error {
	if d.readOnly {
		return ErrReadOnly
	}
	if !setName.MatchString(set) {
		return fmt.Errorf("database: migration set %q: want lower-case letters, digits and _", set)
	}
	if err := d.migrate(ctx, set, fsys); err != nil {
		return fmt.Errorf("database: migrate %s: %w", set, err)
	}
	return nil
}

func (d *DB) migrate(ctx context.Context, set string, fsys fs.FS) error {
	options := []goose.ProviderOption{
		goose.WithTableName("migrations_" + set),
		goose.WithDisableGlobalRegistry(true),
	}
	dialect := goose.DialectSQLite3
	if d.dialect == PostgreSQL {
		dialect = goose.DialectPostgres
		locker, err := migrationLock(set)
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, d.write, fsys, options...)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	have, known, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > known {
		return fmt.Errorf("%w: it is at %d, this program knows %d", ErrNewerSchema, have, known)
	}
	return nil
}

// migrationLock is the advisory lock that nodes migrating the same set take turns on. It is asked for every
// second, five minutes long; goose's default of every five seconds makes four nodes starting at once wait 15.
func migrationLock(set string) (lock.SessionLocker, error) {
	id := fnv.New64a()
	id.Write([]byte("webmail migrations " + set))
	return lock.NewPostgresSessionLocker(
		lock.WithLockID(int64(id.Sum64())),
		lock.WithLockTimeout(1, 300),
		lock.WithUnlockTimeout(1, 60),
	)
}
