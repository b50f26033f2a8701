package consent

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
)

// Sealer encrypts under the account's own key; deleting that key makes everything sealed with it unreadable.
type Sealer interface {
	Seal(ctx context.Context, account policy.AccountID, column string, plaintext []byte) ([]byte, error)
	Unseal(ctx context.Context, account policy.AccountID, column string, ciphertext []byte) ([]byte, error)
}

// Accounts knows the log key of an account.
type Accounts interface {
	Account(ctx context.Context, id policy.AccountID) (policy.AccountFacts, error)
}

// Permission is the owner's consent to one kind of transfer: this feature may give this resource to this
// recipient until it expires (LU-XFER-1).
type Permission struct {
	ID        string // given by Permit
	Account   policy.AccountID
	Feature   policy.Feature
	Recipient string // id in the register of recipients
	Resource  string // a message id, a caller's id, or what Named makes of something that must not be read
	Shown     string // what the owner sees of it, such as the sender's address; sealed at rest
	Given     time.Time
	Expires   time.Time
}

// Permissions keeps what owners allow to leave. It is safe for concurrent use.
type Permissions struct {
	db       *database.DB
	seal     Sealer
	accounts Accounts
	now      func() time.Time
}

// columns are those that scan reads.
const columns = `id, account, feature, recipient, resource, shown, given, expires`

// place binds what is sealed to all that the permission says: a row that was written or changed from outside does
// not open, and so permits nothing.
func (p Permission) place() string {
	return fmt.Sprintf("permissions.shown %q %q %q %q %d %d", p.ID, p.Feature, p.Recipient, p.Resource, p.Given.UnixMicro(), p.Expires.UnixMicro())
}

// OpenPermissions returns the store; [Open] has brought its table up to date. now is the clock; nil means time.Now.
func OpenPermissions(db *database.DB, seal Sealer, accounts Accounts, now func() time.Time) *Permissions {
	if now == nil {
		now = time.Now
	}
	return &Permissions{db, seal, accounts, now}
}

// Permit stores a permission from now on, in place of one for the same feature, recipient and resource, and
// returns its id.
func (s *Permissions) Permit(ctx context.Context, p Permission) (string, error) {
	if p.Account == "" || p.Feature == "" || p.Recipient == "" || p.Resource == "" {
		return "", errors.New("consent: a permission names account, feature, recipient and resource")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("consent: %w", err)
	}
	p.ID, p.Given = id.String(), s.now()
	if !p.Expires.After(p.Given) {
		return "", errors.New("consent: a permission that has expired already")
	}
	shown, err := s.seal.Seal(ctx, p.Account, p.place(), []byte(p.Shown))
	if err != nil {
		return "", fmt.Errorf("consent: sealing a permission: %w", err)
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO permissions (`+columns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (account, feature, recipient, resource) DO UPDATE
			SET id = excluded.id, shown = excluded.shown, given = excluded.given, expires = excluded.expires`,
			p.ID, string(p.Account), string(p.Feature), p.Recipient, p.Resource, shown, p.Given.UnixMicro(), p.Expires.UnixMicro())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("consent: recording a permission: %w", err)
	}
	return p.ID, nil
}

// Find returns the permission that holds now for exactly this transfer, or policy.ErrUnknown.
func (s *Permissions) Find(ctx context.Context, account policy.AccountID, feature policy.Feature, recipient, resource string) (policy.Instruction, error) {
	return s.one(ctx, `account = $1 AND feature = $2 AND recipient = $3 AND resource = $4 AND expires > $5`,
		string(account), string(feature), recipient, resource, s.now().UnixMicro())
}

// Instruction returns a permission for the gate (a part of policy.Facts), expired or not: the rules look at
// the clock. It fails with policy.ErrUnknown for one that was withdrawn.
func (s *Permissions) Instruction(ctx context.Context, id string) (policy.Instruction, error) {
	return s.one(ctx, `id = $1`, id)
}

func (s *Permissions) one(ctx context.Context, where string, args ...any) (policy.Instruction, error) {
	p, shown, err := scan(s.db.Read().QueryRowContext(ctx, `SELECT `+columns+` FROM permissions WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return policy.Instruction{}, policy.ErrUnknown
	}
	if err != nil {
		return policy.Instruction{}, fmt.Errorf("consent: reading a permission: %w", err)
	}
	if _, err := s.seal.Unseal(ctx, p.Account, p.place(), shown); err != nil {
		return policy.Instruction{}, errors.Join(policy.ErrUnknown, err)
	}
	return policy.Instruction{
		ID: p.ID, Account: p.Account, Feature: p.Feature, Recipient: p.Recipient, Resource: p.Resource, Given: p.Given, Expires: p.Expires,
	}, nil
}

// scan reads the columns of a row; what the owner sees of it is still sealed.
func scan(row interface{ Scan(...any) error }) (p Permission, shown []byte, err error) {
	var account, feature string
	var given, expires int64
	err = row.Scan(&p.ID, &account, &feature, &p.Recipient, &p.Resource, &shown, &given, &expires)
	p.Account, p.Feature, p.Given, p.Expires = policy.AccountID(account), policy.Feature(feature), time.UnixMicro(given), time.UnixMicro(expires)
	return p, shown, err
}

// Withdraw ends a permission of the account: the next decision does not find it. policy.ErrUnknown when
// there is none.
func (s *Permissions) Withdraw(ctx context.Context, account policy.AccountID, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM permissions WHERE account = $1 AND id = $2`, string(account), id)
		if err != nil {
			return fmt.Errorf("consent: withdrawing a permission: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(policy.ErrUnknown, err)
		}
		return nil
	})
}

// List returns what the owner of an account allows now, newest first. A row that the owner did not make is none.
func (s *Permissions) List(ctx context.Context, account policy.AccountID) ([]Permission, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+columns+` FROM permissions
		WHERE account = $1 AND expires > $2 ORDER BY id DESC`, string(account), s.now().UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("consent: reading permissions: %w", err)
	}
	defer rows.Close()
	list := []Permission{}
	for rows.Next() {
		p, shown, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("consent: reading permissions: %w", err)
		}
		text, err := s.seal.Unseal(ctx, account, p.place(), shown)
		if err != nil {
			continue
		}
		p.Shown = string(text)
		list = append(list, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("consent: reading permissions: %w", err)
	}
	return list, nil
}

// PurgeAccount deletes everything of an account.
func (s *Permissions) PurgeAccount(ctx context.Context, account policy.AccountID) error {
	return s.delete(ctx, `account = $1`, string(account))
}

// Sweep deletes what has expired.
func (s *Permissions) Sweep(ctx context.Context) error {
	return s.delete(ctx, `expires <= $1`, s.now().UnixMicro())
}

func (s *Permissions) delete(ctx context.Context, where string, arg any) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM permissions WHERE `+where, arg); err != nil {
			return fmt.Errorf("consent: deleting permissions: %w", err)
		}
		return nil
	})
}

// Named returns the resource under which something that must not be read, such as a sender's address, is kept:
// its HMAC under the account's log key. Deleting that key leaves nothing to compare with. policy.ErrUnknown
// for an account without a key.
func (s *Permissions) Named(ctx context.Context, account policy.AccountID, kind, content string) (string, error) {
	facts, err := s.accounts.Account(ctx, account)
	if err != nil {
		return "", err
	}
	if len(facts.LogKey) < 16 {
		return "", policy.ErrUnknown // an HMAC under an empty key could be looked up
	}
	mac := hmac.New(sha256.New, facts.LogKey)
	mac.Write([]byte("permission\x00" + kind + "\x00" + content))
	return kind + ":" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16]), nil
}
