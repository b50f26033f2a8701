package agreement

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/totalengage/webmail/policy"
)

// Maintain completes steps that were interrupted and notes what has run out. Run it at start and every minute
// or so; until then what has run out is refused all the same.
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
	return errors.Join(errs...)
}

// Expire deletes what ended longer ago than the log reaches, and acknowledgements that nothing rests on any more.
// It returns how many requests and acknowledgements there were.
func (d *Desk) Expire(ctx context.Context) (requests, acknowledgements int, err error) {
	old := micros(d.now().Add(-keptFor))
	err = d.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM agreement_views WHERE agreement IN (SELECT id FROM agreements WHERE state NOT IN ('offered', 'requested', 'pending', 'active') AND changed <= $1)`, old)
		if err != nil {
			return err
		}
		if requests, err = deleted(tx.ExecContext(ctx, `DELETE FROM agreements WHERE state NOT IN ('offered', 'requested', 'pending', 'active') AND changed <= $1`, old)); err != nil {
			return err
		}
		acknowledgements, err = deleted(tx.ExecContext(ctx, `DELETE FROM acknowledgements WHERE at <= $1`, old))
		return err
	})
	return requests, acknowledgements, err
}

func deleted(res sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
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
