package oauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/totalengage/webmail/policy"
)

// Identity returns the name and address that a connected mailbox writes as, or policy.ErrUnknown.
func (s *Store) Identity(ctx context.Context, id policy.AccountID) (name, email string, err error) {
	var owner string
	var sealedEmail, sealedName, wrapped []byte
	row := s.db.Read().QueryRowContext(ctx, `
		SELECT a.person, a.email, a.name, k.wrapped FROM accounts a JOIN data_keys k ON k.account = a.id
		WHERE a.id = $1 AND a.state = 'connected'`, string(id))
	switch err := row.Scan(&owner, &sealedEmail, &sealedName, &wrapped); {
	case errors.Is(err, sql.ErrNoRows):
		return "", "", policy.ErrUnknown
	case err != nil:
		return "", "", fmt.Errorf("oauth: reading an identity: %w", err)
	}
	key, err := s.unwrap(id, policy.PersonID(owner), wrapped)
	if err != nil {
		return "", "", err
	}
	plainEmail, err := unsealColumn(key, id, "accounts.email", sealedEmail)
	if err != nil {
		return "", "", err
	}
	plainName, err := unsealColumn(key, id, "accounts.name", sealedName)
	return string(plainName), string(plainEmail), err
}
