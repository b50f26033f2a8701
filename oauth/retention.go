package oauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/totalengage/webmail/policy"
)

// The terms of what this package keeps, as the retention table of the policy's data states them. What belongs
// to a mailbox or a person alone has no term of its own: it ends with them.
const (
	RevocationTerm = 30 * 24 * time.Hour  // a permission that Google will not take back
	RightsKept     = 730 * 24 * time.Hour // an ended request about personal data
	UnusedTerm     = 730 * 24 * time.Hour // an account that nobody signs in to; the longest that Retain takes
	LeastUnused    = 180 * 24 * time.Hour // the shortest
	SessionIdle    = 12 * time.Hour
	SessionTerm    = 7 * 24 * time.Hour
)

// Retain deletes what has had its time, beside sessions ([Sessions.Expire]) and what [Vault.Maintain] completes.
// unused is after how long without a sign-in an account is deleted like by its owner. It returns how many rows of
// each store there were.
func (v *Vault) Retain(ctx context.Context, unused time.Duration) (map[string]int, error) {
	if unused < LeastUnused || unused > UnusedTerm {
		return nil, fmt.Errorf("oauth: unused accounts end after %d to %d days", LeastUnused/(24*time.Hour), UnusedTerm/(24*time.Hour))
	}
	now := v.store.now()
	counts := map[string]int{}
	var errs []error
	for _, old := range []struct {
		store, statement string
		before           time.Time
	}{
		{"sign_ins", `DELETE FROM flows WHERE expires < $1`, now.Add(-FlowLife)},
		{"revocations", `DELETE FROM pending_revocations WHERE created < $1`, now.Add(-RevocationTerm)},
		{"rights_requests", `DELETE FROM rights_requests WHERE state <> 'open' AND ended < $1`, now.Add(-RightsKept)},
		{"staff", `DELETE FROM persons WHERE kind = 'staff' AND seen < $1`, now.Add(-unused)},
	} {
		n, err := v.delete(ctx, old.statement, micros(old.before))
		counts[old.store] = n
		errs = append(errs, err)
	}
	idle, err := v.column(ctx, `SELECT id FROM persons WHERE kind = 'owner' AND leaving = 0 AND seen < $1`, micros(now.Add(-unused)))
	errs = append(errs, err)
	counts["accounts"] = 0
	for _, id := range idle {
		if err := v.deletePerson(ctx, policy.PersonID(id), NotUsed); err != nil {
			errs = append(errs, err)
			continue
		}
		counts["accounts"]++
	}
	// A copy may also be put back under a running server. This keeps what a start has to read short, too.
	mailboxes, persons, err := v.Replay(ctx)
	counts["deleted_before"] = mailboxes + persons
	return counts, errors.Join(append(errs, err, v.store.db.Settle(ctx))...)
}

func (v *Vault) delete(ctx context.Context, statement string, arg any) (n int, err error) {
	err = v.store.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, statement, arg)
		if err != nil {
			return err
		}
		rows, err := res.RowsAffected()
		n = int(rows)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("oauth: deleting what is old: %w", err)
	}
	return n, nil
}
