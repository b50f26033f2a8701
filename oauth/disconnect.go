package oauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/totalengage/webmail/policy"
)

// Disconnecting ends a mailbox for good, in steps of which each may fail and is then repeated by Maintain:
//
//  1. in one transaction: the state becomes disconnected and the epoch rises, so that every grant is void on
//     every node; the consent is withdrawn; the permission leaves the account and waits, sealed, to be
//     revoked. From here on nothing of the mailbox can be used.
//  2. it is recorded.
//  3. the permission is revoked at Google, now or, if Google cannot be reached, later.
//  4. other packages delete what they keep (OnPurge).
//  5. the account's row and keys are deleted: whatever was sealed for it is unreadable, the address is gone,
//     and its pseudonyms in the log lead nowhere.

// PurgeFunc deletes what a package keeps of a mailbox. It may be called again for the same one.
type PurgeFunc func(ctx context.Context, account policy.AccountID) error

// OnPurge registers what else to delete when a mailbox is disconnected. Call it before the first request.
func (v *Vault) OnPurge(f PurgeFunc) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.purges = append(v.purges, f)
}

// Disconnect ends a mailbox at its owner's wish; for anyone else there is no such account
// (policy.ErrUnknown). When it returns an error of a later step, the mailbox is closed all the same and
// Maintain completes the deletion. That Google cannot be reached is no error.
func (v *Vault) Disconnect(ctx context.Context, actor policy.Actor, account policy.AccountID) error {
	facts, err := v.store.Account(ctx, account)
	if err != nil {
		return err
	}
	if actor.Kind != policy.Owner || actor.Person != facts.Owner {
		return policy.ErrUnknown
	}
	ctx = context.WithoutCancel(ctx) // a closed browser tab does not stop half way
	revocation, err := v.close(ctx, account, facts.Owner)
	if err != nil {
		return err
	}
	details := map[string]string{}
	if revocation != "" {
		details["revocation"] = revocation
	}
	err = v.gate.Record(ctx, policy.Lifecycle{Event: EventAccountDisconnected, Actor: actor, Account: account, LogKey: facts.LogKey, Details: details})
	if err != nil {
		return err
	}
	if revocation != "" {
		if err := v.revoke(ctx, revocation); err != nil {
			v.store.log.WarnContext(ctx, "a permission could not be revoked yet and will be tried again", "revocation", revocation, "error", err)
		}
	}
	return v.erase(ctx, account)
}

// close is step 1. It returns the number of the pending revocation, "" when there was no permission left.
func (v *Vault) close(ctx context.Context, account policy.AccountID, owner policy.PersonID) (revocation string, err error) {
	err = v.store.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE accounts SET state = 'disconnected', epoch = epoch + 1 WHERE id = $1 AND person = $2 AND state = 'connected'`,
			string(account), string(owner))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(policy.ErrUnknown, err) // somebody else was quicker
		}
		if err := v.store.consents.Withdraw(ctx, tx, owner, account); err != nil {
			return err
		}
		revocation, err = v.detach(ctx, tx, account)
		return err
	})
	v.tokens.Remove(account)
	if err != nil {
		return "", fmt.Errorf("oauth: closing a mailbox: %w", err)
	}
	return revocation, nil
}

// detach moves the account's permission to the pending revocations.
func (v *Vault) detach(ctx context.Context, tx *sql.Tx, account policy.AccountID) (string, error) {
	var refresh, wrapped []byte
	err := tx.QueryRowContext(ctx, `SELECT wrapped FROM data_keys WHERE account = $1`, string(account)).Scan(&wrapped)
	if err != nil {
		return "", err
	}
	err = tx.QueryRowContext(ctx, `DELETE FROM tokens WHERE account = $1 RETURNING refresh`, string(account)).Scan(&refresh)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil // it was rejected before
	}
	if err != nil {
		return "", err
	}
	key, err := v.store.unwrap(account, wrapped)
	if err != nil {
		return "", err
	}
	permission, err := unsealColumn(key, account, "tokens.refresh", refresh)
	if err != nil {
		return "", err
	}
	return v.store.addRevocation(ctx, tx, permission)
}

// erase is steps 4 and 5 for a mailbox that is closed.
func (v *Vault) erase(ctx context.Context, account policy.AccountID) error {
	facts, err := v.store.Account(ctx, account)
	if errors.Is(err, policy.ErrUnknown) {
		return nil // another node did it
	}
	if err != nil {
		return err
	}
	v.mu.Lock()
	purges := v.purges
	v.mu.Unlock()
	for _, purge := range purges {
		if err := purge(ctx, account); err != nil {
			return fmt.Errorf("oauth: purging a mailbox: %w", err)
		}
	}
	err = v.store.db.Write(ctx, func(tx *sql.Tx) error {
		for _, statement := range []string{
			`DELETE FROM tokens WHERE account = $1`,
			`DELETE FROM data_keys WHERE account = $1`,
			`DELETE FROM accounts WHERE id = $1 AND state = 'disconnected'`,
		} {
			if _, err := tx.ExecContext(ctx, statement, string(account)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("oauth: deleting a mailbox: %w", err)
	}
	v.store.dataKeys.Remove(account)
	v.store.logKeys.Remove(account)
	return v.gate.Record(ctx, policy.Lifecycle{Event: EventAccountErased, Account: account, LogKey: facts.LogKey})
}

// Maintain completes what was interrupted: deletions, and revocations that are due. Run it at start and
// every minute or so.
func (v *Vault) Maintain(ctx context.Context) error {
	closed, err := v.column(ctx, `SELECT id FROM accounts WHERE state = 'disconnected'`)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range closed {
		errs = append(errs, v.resume(ctx, policy.AccountID(id)))
	}
	due, err := v.column(ctx, `SELECT id FROM pending_revocations WHERE due <= $1 ORDER BY due LIMIT 100`, micros(v.store.now()))
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, id := range due {
		errs = append(errs, v.revoke(ctx, id))
	}
	return errors.Join(errs...)
}

// resume repeats what may have been left out after a mailbox was closed. Its end may be recorded twice,
// but never not at all.
func (v *Vault) resume(ctx context.Context, account policy.AccountID) error {
	err := v.gate.Record(ctx, policy.Lifecycle{Event: EventAccountDisconnected, Account: account, Details: map[string]string{"resumed": "true"}})
	if err != nil {
		return err
	}
	return v.erase(ctx, account)
}

// column reads a list of texts.
func (v *Vault) column(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := v.store.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("oauth: looking for work: %w", err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, fmt.Errorf("oauth: looking for work: %w", err)
		}
		list = append(list, s)
	}
	return list, rows.Err()
}
