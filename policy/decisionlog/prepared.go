package decisionlog

import (
	"context"
	"database/sql"
	"errors"

	"github.com/totalengage/webmail/internal/database"
)

// prepared are the statements of a one-event append, by their text. On SQLite compiling them anew would be a
// sixth of such an append's CPU; larger batches have too many shapes and less to gain.
type prepared map[string]*sql.Stmt

func prepare(ctx context.Context, db *database.DB) (prepared, error) {
	queries := []string{selectHead + fromHead, swapHead, insertEvents(1)}
	for rows := 1; rows <= 4; rows++ { // fifteen of sixteen events complete at most three subtrees
		queries = append(queries, insertHashes(rows))
	}
	p := make(prepared)
	for _, query := range queries {
		stmt, err := db.Prepare(ctx, query)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p[query] = stmt
	}
	return p, nil
}

func (p prepared) close() error {
	var errs []error
	for _, stmt := range p {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}

// transaction is a write transaction that uses prepared statements where there are some.
type transaction struct {
	*sql.Tx
	prepared prepared
}

func (t transaction) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := t.prepared[query]; stmt != nil {
		return t.StmtContext(ctx, stmt).ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, query, args...)
}

func (t transaction) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := t.prepared[query]; stmt != nil {
		return t.StmtContext(ctx, stmt).QueryRowContext(ctx, args...)
	}
	return t.Tx.QueryRowContext(ctx, query, args...)
}

// write runs do in a transaction of the log.
func (l *Log) write(ctx context.Context, do func(transaction) error) error {
	return l.db.Write(ctx, func(tx *sql.Tx) error { return do(transaction{tx, l.prepared}) })
}
