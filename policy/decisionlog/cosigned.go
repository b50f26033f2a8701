package decisionlog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// KeepCosigned keeps a checkpoint of this log that a witness has signed as well, for auditors. An older one
// than what is kept changes nothing.
func (l *Log) KeepCosigned(ctx context.Context, checkpoint []byte, tree tlog.Tree) error {
	if got, err := OpenCheckpoint(checkpoint, l.cfg.Origin, l.cfg.Verifier); err != nil || got != tree {
		return errors.Join(err, errors.New("decisionlog: the cosigned checkpoint is not of this tree"))
	}
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO decisionlog_cosigned (id, size, checkpoint) VALUES (0, $1, $2)
			ON CONFLICT (id) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint WHERE decisionlog_cosigned.size <= excluded.size`,
			tree.N, string(checkpoint))
		return err
	})
	if err != nil {
		return fmt.Errorf("decisionlog: keep the cosigned checkpoint: %w", err)
	}
	return nil
}

// Cosigned returns the newest checkpoint that a witness has signed, or [ErrNoRecord].
func (l *Log) Cosigned(ctx context.Context) (checkpoint []byte, err error) {
	var text string
	err = l.db.Read().QueryRowContext(ctx, `SELECT checkpoint FROM decisionlog_cosigned WHERE id = 0`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoRecord
	}
	if err != nil {
		return nil, fmt.Errorf("decisionlog: read the cosigned checkpoint: %w", err)
	}
	return []byte(text), nil
}
