package agreement

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/totalengage/webmail/policy"
)

// Maintain completes steps that were interrupted, notes what has run out and deletes what is old. Run it at
// start and every minute or so; until then what has run out is refused all the same.
func (d *Desk) Maintain(ctx context.Context) error {
	now := d.now()
	due, err := d.list(ctx, `
		WHERE NOT recorded OR state = 'pending' AND asked <= $1 OR state = 'active' AND ends <= $2 OR state IN ('offered', 'requested') AND changed <= $3
		ORDER BY changed LIMIT $4`,
		micros(now.Add(-AnswerWithin)), micros(now), micros(now.Add(-draftLife)), listedAtMost)
	if err != nil {
		return err
	}
	var errs []error
	for _, row := range due {
		r, err := row.open(ctx, d.Store)
		if errors.Is(err, errDamaged) {
			continue // its mailbox is being deleted, or it is nobody's agreement
		}
		if err == nil {
			_, err = d.settle(ctx, r)
		}
		errs = append(errs, err)
	}
	return errors.Join(append(errs, d.forget(ctx))...)
}

// forget deletes what ended longer ago than the log reaches, and acknowledgements that nothing rests on any more.
func (d *Desk) forget(ctx context.Context) error {
	old := micros(d.now().Add(-keptFor))
	return d.write(ctx, func(tx *sql.Tx) error {
		for _, statement := range []string{
			`DELETE FROM agreement_views WHERE agreement IN (SELECT id FROM agreements WHERE state NOT IN ('offered', 'requested', 'pending', 'active') AND changed <= $1)`,
			`DELETE FROM agreements WHERE state NOT IN ('offered', 'requested', 'pending', 'active') AND changed <= $1`,
			`DELETE FROM acknowledgements WHERE at <= $1`,
		} {
			if _, err := tx.ExecContext(ctx, statement, old); err != nil {
				return err
			}
		}
		return nil
	})
}

// Purge deletes all that is kept of a mailbox: with it every agreement about it is void.
func (d *Desk) Purge(ctx context.Context, account policy.AccountID) error {
	n, err := d.purge(ctx, account)
	if err != nil || n == 0 {
		return err
	}
	event := policy.Lifecycle{Event: EventVoid, Account: account, Details: map[string]string{"agreements": strconv.FormatInt(n, 10)}}
	if _, err := d.accounts.Account(ctx, account); errors.Is(err, policy.ErrUnknown) {
		event.Account = "" // its keys are gone already: it has no pseudonym any more
	}
	return d.gate.Record(ctx, event)
}
