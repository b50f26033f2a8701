package oauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/totalengage/webmail/policy"
)

// The states of an account that the policy knows.
const (
	stateConnected    = "connected"
	stateDisconnected = "disconnected"
)

// Account returns what the policy must know of a mailbox, or policy.ErrUnknown once its keys are deleted. It
// is one query; the log key is unsealed only when the account's epoch has changed since it was last asked.
func (s *Store) Account(ctx context.Context, id policy.AccountID) (policy.AccountFacts, error) {
	var (
		person, scopes string
		version, given sql.NullInt64
		first          sql.NullInt64
		sealed         []byte
		wrapped        []byte
		f              policy.AccountFacts
	)
	err := s.db.Read().QueryRowContext(ctx, `
		SELECT a.person, a.state, a.scopes, a.epoch, a.log_key, k.wrapped, c.version, c.at, c.first
		FROM accounts a
		JOIN data_keys k ON k.account = a.id
		LEFT JOIN consent_latest c ON c.account = a.id
		WHERE a.id = $1`, string(id)).
		Scan(&person, &f.State, &scopes, &f.Epoch, &sealed, &wrapped, &version, &given, &first)
	if errors.Is(err, sql.ErrNoRows) {
		return f, policy.ErrUnknown
	}
	if err != nil {
		return f, fmt.Errorf("oauth: reading an account: %w", err)
	}
	f.Owner, f.Scopes = policy.PersonID(person), strings.Fields(scopes)
	if version.Int64 > 0 {
		f.Consent = policy.Consent{
			Version: int(version.Int64), Given: time.UnixMicro(given.Int64).UTC(), First: int(first.Int64), Notified: s.consents.Announced(),
		}
	}
	f.LogKey, err = s.logKey(id, f.Owner, f.Epoch, sealed, wrapped)
	return f, err
}

func (s *Store) logKey(id policy.AccountID, owner policy.PersonID, epoch int64, sealed, wrapped []byte) ([]byte, error) {
	if cached, ok := s.logKeys.Get(id); ok && cached.owner == owner && cached.epoch == epoch {
		return cached.key, nil
	}
	primitive, err := s.unwrap(id, owner, wrapped)
	if err != nil {
		return nil, err
	}
	key, err := unsealColumn(primitive, id, "accounts.log_key", sealed)
	if err != nil {
		return nil, err
	}
	s.logKeys.Add(id, logKey{owner, epoch, key})
	return key, nil
}

// Epoch returns the account's current epoch, or policy.ErrUnknown. It is asked at every use of a grant.
func (s *Store) Epoch(ctx context.Context, id policy.AccountID) (int64, error) {
	var epoch int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT epoch FROM accounts WHERE id = $1`, string(id)).Scan(&epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, policy.ErrUnknown
	}
	if err != nil {
		return 0, fmt.Errorf("oauth: reading an epoch: %w", err)
	}
	return epoch, nil
}

// RaiseEpoch makes every grant for the account void at its next use, on every node: for a revoked
// agreement or whatever else changes what was decided.
func (s *Store) RaiseEpoch(ctx context.Context, id policy.AccountID) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE accounts SET epoch = epoch + 1 WHERE id = $1`, string(id))
		if err != nil {
			return fmt.Errorf("oauth: raising an epoch: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(policy.ErrUnknown, err)
		}
		return nil
	})
}
