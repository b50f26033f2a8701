package oauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// AccountState is what an owner has to do about a mailbox.
type AccountState string

// The states that an owner sees.
const (
	Connected       AccountState = "connected"
	ConsentRequired AccountState = "consent_required" // there is no consent to anything
	Reconnect       AccountState = "reconnect"        // Google no longer accepts the permission
)

// Account is a connected mailbox as its owner sees it.
type Account struct {
	ID     policy.AccountID
	Email  string
	Name   string
	State  AccountState
	Scopes []string
	Since  time.Time // when it was connected
	Agreed int       // version of the disclosure that its owner agreed to

	// Changes is when a newer disclosure than the one agreed to may take effect; zero when there is none. Until
	// its owner agrees to it, and then from this time on, the mailbox goes on as the older one says (CHG-1, CHG-2).
	Changes time.Time
}

// NeedsOwner tells whether its owner has something to read or to do.
func (a Account) NeedsOwner() bool { return a.State != Connected || !a.Changes.IsZero() }

// Accounts lists the mailboxes that a person has connected, oldest first.
func (o *Owners) Accounts(ctx context.Context, person policy.PersonID) ([]Account, error) {
	rows, err := o.store.db.Read().QueryContext(ctx, `
		SELECT a.id, a.email, a.name, a.scopes, k.wrapped, t.account IS NOT NULL, coalesce(c.version, 0), a.created
		FROM accounts a
		JOIN data_keys k ON k.account = a.id
		LEFT JOIN tokens t ON t.account = a.id
		LEFT JOIN consent_latest c ON c.account = a.id
		WHERE a.person = $1 AND a.state = 'connected'
		ORDER BY a.created, a.id`, string(person))
	if err != nil {
		return nil, fmt.Errorf("oauth: listing accounts: %w", err)
	}
	defer rows.Close()
	var list []Account
	for rows.Next() {
		a, err := o.scanAccount(rows, person)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

func (o *Owners) scanAccount(rows *sql.Rows, owner policy.PersonID) (Account, error) {
	var (
		id, scopes           string
		email, name, wrapped []byte
		usable               bool
		version              int
		created              int64
	)
	if err := rows.Scan(&id, &email, &name, &scopes, &wrapped, &usable, &version, &created); err != nil {
		return Account{}, fmt.Errorf("oauth: reading an account: %w", err)
	}
	a := Account{ID: policy.AccountID(id), Scopes: strings.Fields(scopes), State: Connected, Agreed: version, Since: time.UnixMicro(created).UTC()}
	switch {
	case !usable:
		a.State = Reconnect
	case version == 0:
		a.State = ConsentRequired
	case version < o.config.Disclosure:
		a.Changes = o.store.consents.Announced().Add(consent.Notice)
	}
	key, err := o.store.unwrap(a.ID, owner, wrapped)
	if err != nil {
		return a, err
	}
	plainEmail, err := unsealColumn(key, a.ID, "accounts.email", email)
	if err != nil {
		return a, err
	}
	plainName, err := unsealColumn(key, a.ID, "accounts.name", name)
	a.Email, a.Name = string(plainEmail), string(plainName)
	return a, err
}

// AccountByEmail finds the connected mailbox with an address, for notices that name one. It fails with
// policy.ErrUnknown.
func (s *Store) AccountByEmail(ctx context.Context, email string) (policy.AccountID, error) {
	var id string
	err := s.db.Read().QueryRowContext(ctx, `SELECT id FROM accounts WHERE email_hmac = $1 AND state = 'connected'`,
		s.keys.digest("email", strings.ToLower(email))).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", policy.ErrUnknown
	}
	if err != nil {
		return "", fmt.Errorf("oauth: finding an account: %w", err)
	}
	return policy.AccountID(id), nil
}
