// Package searches keeps the filters of the decision log that auditors save under names of their own, in the product's
// database. Each auditor sees and changes their own only. A filter holds pseudonyms and names of rules, no mail.
//
// Every call is one statement.
package searches

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Most is how many searches one auditor can keep.
const Most = 50

// The errors that are the caller's.
var (
	ErrFull = errors.New("searches: no more can be kept")
	ErrNone = errors.New("searches: there is no such search")
)

// Search is a filter with a name.
type Search struct {
	ID    string
	Name  string
	Query string // the filters, as in the address of the page
}

// Store is safe for concurrent use.
type Store struct {
	db  *database.DB
	now func() time.Time
}

// Open brings the table up to date. now is the clock; nil means time.Now.
func Open(ctx context.Context, db *database.DB, now func() time.Time) (*Store, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("searches: %w", err)
	}
	if err := db.Migrate(ctx, "searches", sub); err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	return &Store{db, now}, nil
}

// List returns the searches of one person, oldest first.
func (s *Store) List(ctx context.Context, person policy.PersonID) ([]Search, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, name, query FROM audit_searches WHERE person = $1 ORDER BY id`, string(person))
	if err != nil {
		return nil, fmt.Errorf("searches: reading: %w", err)
	}
	defer rows.Close()
	list := []Search{}
	for rows.Next() {
		var one Search
		if err := rows.Scan(&one.ID, &one.Name, &one.Query); err != nil {
			return nil, fmt.Errorf("searches: reading: %w", err)
		}
		list = append(list, one)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("searches: reading: %w", err)
	}
	return list, nil
}

// Save keeps a search. It fails with ErrFull when the person has as many as are allowed.
func (s *Store) Save(ctx context.Context, person policy.PersonID, name, query string) (Search, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Search{}, fmt.Errorf("searches: %w", err)
	}
	saved := Search{ID: id.String(), Name: name, Query: query}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		var have int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM audit_searches WHERE person = $1`, string(person)).Scan(&have); err != nil {
			return fmt.Errorf("searches: counting: %w", err)
		}
		if have >= Most {
			return ErrFull
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO audit_searches (id, person, name, query, created) VALUES ($1, $2, $3, $4, $5)`,
			saved.ID, string(person), name, query, s.now().UnixMicro()); err != nil {
			return fmt.Errorf("searches: saving: %w", err)
		}
		return nil
	})
	return saved, err
}

// Drop removes a search of the person, or fails with ErrNone.
func (s *Store) Drop(ctx context.Context, person policy.PersonID, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM audit_searches WHERE person = $1 AND id = $2`, string(person), id)
		if err != nil {
			return fmt.Errorf("searches: removing: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNone)
		}
		return nil
	})
}
