package oauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/totalengage/webmail/policy"
)

// Disconnecting ends a mailbox for good, in steps of which each may fail and is then repeated by Maintain:
//
//  1. in one transaction: the state becomes disconnected and the epoch rises, so that every grant is void on
//     every node; the consent is withdrawn; the permission leaves the account and waits, sealed, to be
//     revoked. From here on nothing of the mailbox can be used.
//  2. it is recorded. This record is also the journal of deletions: see Replay.
//  3. the permission is revoked at Google, now or, if Google cannot be reached, later.
//  4. other packages delete what they keep (OnPurge).
//  5. the account's row and keys are deleted: whatever was sealed for it is unreadable, the address is gone,
//     and its pseudonyms in the log lead nowhere.
//  6. ten minutes later, longer than any request lasts, 4 is done once more: a request that was under way may
//     have written a row (unreadable, for the key is gone) after the first time.

// Reason is why a mailbox left. It stands in the log.
type Reason string

// The reasons.
const (
	ByOwner          Reason = "disconnected"      // its owner disconnected it
	ConsentWithdrawn Reason = "consent_withdrawn" // its owner took the agreement back
	AccountDeleted   Reason = "account_deleted"   // its owner deleted the account with all mailboxes
	AccessWithdrawn  Reason = "access_withdrawn"  // Google no longer accepts the permission
	NotUsed          Reason = "not_used"          // its owner has not signed in for the term of unused accounts
	DeletedBefore    Reason = "deleted_before"    // a restored copy brought back what had been deleted
)

// againAfter is when what an erased mailbox may still have been given is purged once more.
const againAfter = 10 * time.Minute

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
// purge is step 4.
func (v *Vault) purge(ctx context.Context, account policy.AccountID) error {
	v.mu.Lock()
	purges := v.purges
	v.mu.Unlock()
	for _, purge := range purges {
		if err := purge(ctx, account); err != nil {
			return fmt.Errorf("oauth: purging a mailbox: %w", err)
		}
	}
	return nil
}

// purgeAgain is step 6.
func (v *Vault) purgeAgain(ctx context.Context, account policy.AccountID) error {
	if err := v.purge(ctx, account); err != nil {
		return err
	}
	err := v.store.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM erased WHERE account = $1`, string(account)); err != nil {
			return fmt.Errorf("oauth: forgetting an erased mailbox: %w", err)
		}
		return nil
	})
	return errors.Join(err, v.store.db.Settle(ctx)) // Retain settles as well, should a reader be in the way
}

// Maintain completes the deletion. That Google cannot be reached is no error.
func (v *Vault) Disconnect(ctx context.Context, actor policy.Actor, account policy.AccountID) error {
	return v.byOwner(ctx, actor, account, ByOwner)
}

// Withdraw takes back the agreement to the disclosure, as one act (GDPR Art. 7(3)). Nothing may be kept or
// done without it, so the mailbox ends as by Disconnect.
func (v *Vault) Withdraw(ctx context.Context, actor policy.Actor, account policy.AccountID) error {
	return v.byOwner(ctx, actor, account, ConsentWithdrawn)
}

func (v *Vault) byOwner(ctx context.Context, actor policy.Actor, account policy.AccountID, why Reason) error {
	facts, err := v.store.Account(ctx, account)
	if err != nil {
		return err
	}
	if actor.Kind != policy.Owner || actor.Person != facts.Owner {
		return policy.ErrUnknown
	}
	return v.leave(ctx, departure{account: account, facts: facts, actor: actor, why: why})
}

// departure is a mailbox on its way out.
type departure struct {
	account  policy.AccountID
	facts    policy.AccountFacts
	actor    policy.Actor // zero when nobody in particular
	why      Reason
	rejected []byte // sealed permission that Google rejected: only while the account still has it
}

// leave does all steps for a connected mailbox.
func (v *Vault) leave(ctx context.Context, d departure) error {
	ctx = context.WithoutCancel(ctx) // a closed browser tab does not stop half way
	revocation, err := v.close(ctx, d)
	if err != nil {
		return err
	}
	details := map[string]string{"reason": string(d.why)}
	if revocation != "" {
		details["revocation"] = revocation
	}
	err = v.gate.Record(ctx, policy.Lifecycle{Event: EventAccountDisconnected, Actor: d.actor, Account: d.account, LogKey: d.facts.LogKey, Details: details})
	if err != nil {
		return err
	}
	if revocation != "" {
		if err := v.revoke(ctx, revocation); err != nil {
			v.store.log.WarnContext(ctx, "a permission could not be revoked yet and will be tried again", "revocation", revocation, "error", err)
		}
	}
	return v.erase(ctx, d.account)
}

// close is step 1. It returns the number of the pending revocation, "" when there was no permission left.
func (v *Vault) close(ctx context.Context, d departure) (revocation string, err error) {
	err = v.store.db.Write(ctx, func(tx *sql.Tx) error {
		if d.rejected != nil { // there is nothing left to revoke
			res, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE account = $1 AND refresh = $2`, string(d.account), d.rejected)
			if err := oneRow(res, err); err != nil {
				return err
			}
		}
		res, err := tx.ExecContext(ctx, `UPDATE accounts SET state = 'disconnected', epoch = epoch + 1 WHERE id = $1 AND person = $2 AND state = 'connected'`,
			string(d.account), string(d.facts.Owner))
		if err := oneRow(res, err); err != nil {
			return err
		}
		if err := v.store.consents.Withdraw(ctx, tx, d.facts.Owner, d.account); err != nil {
			return err
		}
		revocation, err = v.detach(ctx, tx, d.account, d.facts.Owner)
		return err
	})
	v.tokens.Remove(d.account)
	if err != nil {
		return "", fmt.Errorf("oauth: closing a mailbox: %w", err)
	}
	return revocation, nil
}

// oneRow fails with policy.ErrUnknown unless a statement met exactly one row: somebody else was quicker.
func oneRow(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(policy.ErrUnknown, err)
	}
	return nil
}

// detach moves the account's permission to the pending revocations.
func (v *Vault) detach(ctx context.Context, tx *sql.Tx, account policy.AccountID, owner policy.PersonID) (string, error) {
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
	key, err := v.store.unwrap(account, owner, wrapped)
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
	if err := v.purge(ctx, account); err != nil {
		return err
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
		_, err := tx.ExecContext(ctx, `INSERT INTO erased (account, again) VALUES ($1, $2) ON CONFLICT (account) DO NOTHING`,
			string(account), micros(v.store.now().Add(againAfter)))
		return err
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
	now := micros(v.store.now())
	var errs []error
	for _, work := range []struct {
		query string
		args  []any
		do    func(ctx context.Context, id string) error
	}{
		{`SELECT id FROM accounts WHERE state = 'disconnected'`, nil,
			func(ctx context.Context, id string) error { return v.resume(ctx, policy.AccountID(id)) }},
		{`SELECT a.id FROM accounts a LEFT JOIN tokens t ON t.account = a.id WHERE a.state = 'connected' AND t.account IS NULL`, nil,
			func(ctx context.Context, id string) error {
				return v.leaveUnattended(ctx, policy.AccountID(id), AccessWithdrawn)
			}},
		{`SELECT account FROM erased WHERE again <= $1`, []any{now},
			func(ctx context.Context, id string) error { return v.purgeAgain(ctx, policy.AccountID(id)) }},
		{`SELECT id FROM persons WHERE leaving > 0`, nil,
			func(ctx context.Context, id string) error {
				return v.finishDeletion(ctx, policy.PersonID(id), AccountDeleted)
			}},
		{`SELECT id FROM pending_revocations WHERE due <= $1 ORDER BY due LIMIT 100`, []any{now}, v.revoke},
	} {
		ids, err := v.column(ctx, work.query, work.args...)
		errs = append(errs, err)
		for _, id := range ids {
			errs = append(errs, work.do(ctx, id))
		}
	}
	return errors.Join(errs...)
}

// leaveUnattended ends a connected mailbox without its owner at the page. One that is gone is no error.
func (v *Vault) leaveUnattended(ctx context.Context, account policy.AccountID, why Reason) error {
	facts, err := v.store.Account(ctx, account)
	if err == nil {
		err = v.leave(ctx, departure{account: account, facts: facts, why: why})
	}
	if errors.Is(err, policy.ErrUnknown) {
		return nil
	}
	return err
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
