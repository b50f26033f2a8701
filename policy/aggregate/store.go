package aggregate

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store keeps the ledger and the releases. It is safe for concurrent use, also by several nodes.
type Store struct{ db *database.DB }

// Open brings the tables up to date and returns the store.
func Open(ctx context.Context, db *database.DB) (*Store, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	if err := db.Migrate(ctx, "aggregate", sub); err != nil {
		return nil, err
	}
	return &Store{db}, nil
}

// Release implements part of policy.Facts. Owners is the k that every cell of the release was held to, not how
// many there really were: an exact number in the policy's input, and so in the log, would be one that no noise covers.
func (s *Store) Release(ctx context.Context, id string) (policy.Release, error) {
	r := policy.Release{ID: id}
	var released int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT owners, released FROM aggregate_releases WHERE id = $1`, id).Scan(&r.Owners, &released)
	if errors.Is(err, sql.ErrNoRows) {
		return policy.Release{}, policy.ErrUnknown
	}
	if err != nil {
		return policy.Release{}, fmt.Errorf("aggregate: reading a release: %w", err)
	}
	r.Released = time.UnixMicro(released).UTC()
	return r, nil
}

// Entry is one month of the ledger that is closed.
type Entry struct {
	Month   Month
	Release string // "" when no number passed
}

// Months returns the latest closed months, newest first. They tell when there was a release, and nothing of it.
func (s *Store) Months(ctx context.Context, most int) ([]Entry, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT month, release FROM aggregate_ledger WHERE closed > 0 ORDER BY month DESC LIMIT $1`, most)
	if err != nil {
		return nil, fmt.Errorf("aggregate: reading the ledger: %w", err)
	}
	defer rows.Close()
	var list []Entry
	for rows.Next() {
		var month string
		var e Entry
		if err := rows.Scan(&month, &e.Release); err != nil {
			return nil, fmt.Errorf("aggregate: reading the ledger: %w", err)
		}
		if e.Month, err = ParseMonth(month); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

// body returns a release as it was published, or policy.ErrUnknown.
func (s *Store) body(ctx context.Context, id string) ([]byte, error) {
	var body []byte
	err := s.db.Read().QueryRowContext(ctx, `SELECT body FROM aggregate_releases WHERE id = $1`, id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, policy.ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("aggregate: reading a release: %w", err)
	}
	return body, nil
}

// abandoned is how long a computation may take before it counts as crashed and another may take its claim over.
// It has published nothing: what it drew is lost with it.
const abandoned = 6 * time.Hour

// free says whether a month's budget can be claimed.
func (s *Store) free(ctx context.Context, m Month, now time.Time) (bool, error) {
	var taken bool
	err := s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM aggregate_ledger WHERE month = $1 AND (closed > 0 OR claimed > $2))`,
		m.String(), now.Add(-abandoned).UnixMicro()).Scan(&taken)
	if err != nil {
		return false, fmt.Errorf("aggregate: reading the ledger: %w", err)
	}
	return !taken, nil
}

// spend gives a month's whole budget to a claim, or fails with ErrSpent. The statement itself sees to it that
// this happens once, on however many nodes.
func (s *Store) spend(ctx context.Context, m Month, claim string, now time.Time) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			INSERT INTO aggregate_ledger (month, epsilon, delta, claim, claimed) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (month) DO UPDATE SET claim = excluded.claim, claimed = excluded.claimed
			WHERE aggregate_ledger.closed = 0 AND aggregate_ledger.claimed <= $6`,
			m.String(), int64(Epsilon*1e6), int64(Delta*1e12), claim, now.UnixMicro(), now.Add(-abandoned).UnixMicro())
		return one(res, err)
	})
}

// close ends a claim with a release, or with none when its id is "". Ledger and release change together.
func (s *Store) close(ctx context.Context, m Month, claim string, r Release, body []byte, now time.Time) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE aggregate_ledger SET closed = $1, release = $2 WHERE month = $3 AND claim = $4 AND closed = 0`,
			now.UnixMicro(), r.ID, m.String(), claim)
		if err := one(res, err); err != nil || r.ID == "" {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO aggregate_releases (id, month, owners, body, released) VALUES ($1, $2, $3, $4, $5)`,
			r.ID, m.String(), int64(r.MinOwners), body, now.UnixMicro())
		return err
	})
}

// one expects a statement to have changed one row. None means that the month belongs to somebody else.
func one(res sql.Result, err error) error {
	if err != nil {
		return fmt.Errorf("aggregate: writing the ledger: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("aggregate: writing the ledger: %w", err)
	}
	if n != 1 {
		return ErrSpent
	}
	return nil
}
