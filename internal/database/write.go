package database

import (
	"context"
	"database/sql"
	"fmt"
)

// CommitError says that everything in a [DB.Write] succeeded except hearing that it was committed. The outcome
// is unknown: the connection may have broken before the commit or just after it. Whoever must not do a
// thing twice looks at the data before trying again.
type CommitError struct{ Err error }

func (e *CommitError) Error() string { return fmt.Sprintf("database: commit: %v", e.Err) }
func (e *CommitError) Unwrap() error { return e.Err }

// Write runs do in one write transaction. The transaction is committed when do returns nil; when do
// returns an error (passed on as it is) or panics, or ctx ends, nothing of it remains. A failed commit is a
// [*CommitError].
//
// On SQLite write transactions run one after the other; do must therefore not call Write again, which would
// wait for itself. On PostgreSQL they run at once, at isolation READ COMMITTED: put invariants into the
// statement (UPDATE ... WHERE version = $1, then look at the rows affected) rather than reading before writing.
func (d *DB) Write(ctx context.Context, do func(*sql.Tx) error) error {
	if d.readOnly {
		return ErrReadOnly
	}
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("database: begin: %w", err)
	}
	defer tx.Rollback() // after a commit this does nothing; on error or panic it undoes all

	if err := do(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return &CommitError{err}
	}
	return nil
}

// Prepare compiles a statement once for use in many writes, through tx.StmtContext in the function given to
// [DB.Write]. Not to be called inside such a function: on SQLite it needs the one writing connection. The
// caller closes the statement. SQLite spends about 10 µs on compiling a small one, PostgreSQL's driver caches
// them by itself.
func (d *DB) Prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if d.readOnly {
		return nil, ErrReadOnly
	}
	stmt, err := d.write.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("database: prepare: %w", err)
	}
	return stmt, nil
}
