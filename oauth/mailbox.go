package oauth

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/policy"
)

// mailbox is an account as connecting needs it.
type mailbox struct {
	id      policy.AccountID
	person  policy.PersonID
	state   string
	subject []byte
	logKey  []byte
	wrapped []byte // data key, for a new one
}

// mailboxRow is what is stored of a connection, in the clear until sealed.
type mailboxRow struct{ email, name, scopes, refresh string }

// mailbox finds the account of a mailbox by the HMAC of its subject.
func (s *Store) mailbox(ctx context.Context, subject []byte) (mailbox, bool, error) {
	m := mailbox{subject: subject}
	var id, person string
	err := s.db.Read().QueryRowContext(ctx, `SELECT id, person, state FROM accounts WHERE subject_hmac = $1`, subject).Scan(&id, &person, &m.state)
	if errors.Is(err, sql.ErrNoRows) {
		return m, false, nil
	}
	if err != nil {
		return m, false, fmt.Errorf("oauth: finding a mailbox: %w", err)
	}
	m.id, m.person = policy.AccountID(id), policy.PersonID(person)
	return m, true, nil
}

// newMailbox makes the number and the keys of an account that is not stored yet.
func (s *Store) newMailbox(person policy.PersonID, subject []byte) (mailbox, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return mailbox{}, fmt.Errorf("oauth: %w", err)
	}
	m := mailbox{id: policy.AccountID(id.String()), person: person, state: stateConnected, subject: subject, logKey: make([]byte, 32)}
	rand.Read(m.logKey) // never fails: crypto/rand ends the process instead
	_, m.wrapped, err = s.newDataKey(m.id, person)
	return m, err
}

// saveMailbox stores a connection, and in the same transaction what also must hold with it. Connecting again
// raises the epoch: what was decided under the old permission is void.
func (s *Store) saveMailbox(ctx context.Context, m mailbox, known bool, row mailboxRow, also func(*sql.Tx) error) error {
	now := micros(s.now())
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if known {
			if err := tx.QueryRowContext(ctx, `SELECT wrapped FROM data_keys WHERE account = $1`, string(m.id)).Scan(&m.wrapped); err != nil {
				return fmt.Errorf("oauth: reading a data key: %w", err)
			}
		}
		sealed, err := s.sealMailbox(m, row)
		if err != nil {
			return err
		}
		if known {
			err = updateMailbox(ctx, tx, m, row, sealed, s.keys.digest("email", strings.ToLower(row.email)), now)
		} else {
			err = insertMailbox(ctx, tx, m, row, sealed, s.keys.digest("email", strings.ToLower(row.email)), now)
		}
		if err != nil {
			return fmt.Errorf("oauth: storing a mailbox: %w", err)
		}
		return also(tx)
	})
}

// sealedMailbox is the ciphertext of a mailboxRow and, of a new mailbox, its log key.
type sealedMailbox struct{ email, name, refresh, logKey []byte }

func (s *Store) sealMailbox(m mailbox, row mailboxRow) (sealed sealedMailbox, err error) {
	key, err := s.unwrap(m.id, m.person, m.wrapped)
	if err != nil {
		return sealed, err
	}
	seal := func(column string, plain []byte) []byte {
		ciphertext, sealErr := sealColumn(key, m.id, column, plain)
		err = errors.Join(err, sealErr)
		return ciphertext
	}
	sealed.email = seal("accounts.email", []byte(row.email))
	sealed.name = seal("accounts.name", []byte(row.name))
	sealed.refresh = seal("tokens.refresh", []byte(row.refresh))
	if m.logKey != nil {
		sealed.logKey = seal("accounts.log_key", m.logKey)
	}
	return sealed, err
}

func insertMailbox(ctx context.Context, tx *sql.Tx, m mailbox, row mailboxRow, sealed sealedMailbox, email []byte, now int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO accounts (id, person, subject_hmac, email_hmac, email, name, scopes, state, epoch, log_key, created)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'connected', 1, $8, $9)`,
		string(m.id), string(m.person), m.subject, email, sealed.email, sealed.name, row.scopes, sealed.logKey, now)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO data_keys (account, wrapped, created) VALUES ($1, $2, $3)`, string(m.id), m.wrapped, now); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO tokens (account, refresh, updated) VALUES ($1, $2, $3)`, string(m.id), sealed.refresh, now)
	return err
}

func updateMailbox(ctx context.Context, tx *sql.Tx, m mailbox, row mailboxRow, sealed sealedMailbox, email []byte, now int64) error {
	res, err := tx.ExecContext(ctx, `
		UPDATE accounts SET email_hmac = $1, email = $2, name = $3, scopes = $4, epoch = epoch + 1
		WHERE id = $5 AND person = $6 AND state = 'connected'`,
		email, sealed.email, sealed.name, row.scopes, string(m.id), string(m.person))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(policy.ErrUnknown, err) // disconnected in this moment
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO tokens (account, refresh, updated) VALUES ($1, $2, $3)
		ON CONFLICT (account) DO UPDATE SET refresh = excluded.refresh, updated = excluded.updated`, string(m.id), sealed.refresh, now)
	return err
}
