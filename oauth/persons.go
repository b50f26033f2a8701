package oauth

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/policy"
)

// The kinds of person. The same human who signs in at Google and at the staff directory is two persons: an
// owner never has a role, and a member of staff never has a mailbox.
const (
	personOwner = "owner"
	personStaff = "staff"
)

// person finds the human whom a provider calls subject, or makes one, and notes that they were here.
func (s *Store) person(ctx context.Context, kind, issuer, subject string) (policy.PersonID, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fmt.Errorf("oauth: %w", err)
	}
	hmac := s.keys.digest("person "+kind, issuer+"\x00"+subject)
	var found string
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO persons (id, kind, subject_hmac, created, seen) VALUES ($1, $2, $3, $4, $4) ON CONFLICT (subject_hmac) DO UPDATE SET seen = excluded.seen`,
			id.String(), kind, hmac, micros(s.now()))
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT id FROM persons WHERE subject_hmac = $1`, hmac).Scan(&found)
	})
	if err != nil {
		return "", fmt.Errorf("oauth: finding a person: %w", err)
	}
	return policy.PersonID(found), nil
}
