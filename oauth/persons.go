package oauth

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
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

// bound is what ties a person's number to how they are recognised: an HMAC that only the program can make. Without
// it, whoever can write into the database could let their own sign-in stand for somebody else.
func (s *Store) bound(kind string, id policy.PersonID, subject []byte) []byte {
	return s.keys.digest("person row", kind+"\x00"+string(id)+"\x00"+string(subject))
}

// errSwapped: the row of a person was not written by the program as it stands now.
var errSwapped = errors.New("oauth: the row of a person was changed from outside")

// person finds the human whom a provider calls subject, or makes one, and notes that they were here.
func (s *Store) person(ctx context.Context, kind, issuer, subject string) (policy.PersonID, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fmt.Errorf("oauth: %w", err)
	}
	recognised := s.keys.digest("person "+kind, issuer+"\x00"+subject)
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO persons (id, kind, subject_hmac, bound, created, seen) VALUES ($1, $2, $3, $4, $5, $5)
			ON CONFLICT (subject_hmac) DO UPDATE SET seen = excluded.seen`,
			id.String(), kind, recognised, s.bound(kind, policy.PersonID(id.String()), recognised), micros(s.now()))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("oauth: noting a person: %w", err)
	}
	return s.knownPerson(ctx, kind, issuer, subject)
}

// knownPerson finds the human whom a provider calls subject, or policy.ErrUnknown.
func (s *Store) knownPerson(ctx context.Context, kind, issuer, subject string) (policy.PersonID, error) {
	var id string
	var bound []byte
	recognised := s.keys.digest("person "+kind, issuer+"\x00"+subject)
	err := s.db.Read().QueryRowContext(ctx, `SELECT id, bound FROM persons WHERE subject_hmac = $1`, recognised).Scan(&id, &bound)
	if errors.Is(err, sql.ErrNoRows) {
		return "", policy.ErrUnknown
	}
	if err != nil {
		return "", fmt.Errorf("oauth: finding a person: %w", err)
	}
	if !hmac.Equal(bound, s.bound(kind, policy.PersonID(id), recognised)) {
		return "", errSwapped
	}
	return policy.PersonID(id), nil
}
