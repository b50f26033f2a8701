package agreement

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/totalengage/webmail/policy"
)

// viewed is the sealed part of a view.
type viewed struct {
	Message    string
	Attachment bool `json:",omitempty"`
}

// Viewed notes a look under a request, before what was looked at leaves: the owner's list is never short of one.
func (s *Store) Viewed(ctx context.Context, r Request, v View) error {
	plain, err := json.Marshal(viewed{v.Message, v.Attachment})
	if err != nil {
		return fmt.Errorf("agreement: encoding: %w", err)
	}
	sealed, err := s.accounts.Seal(ctx, r.Account, viewPlace(v.Decision), plain)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO agreement_views (decision, agreement, account, at, what) VALUES ($1, $2, $3, $4, $5)`,
			v.Decision, r.ID, string(r.Account), micros(s.now()), sealed)
		return err
	})
}

func viewPlace(decision string) string { return "agreement_views.what " + decision }

// addViews completes a request with the looks under it, oldest first.
func (s *Store) addViews(ctx context.Context, r *Request) error {
	sealed, err := s.sealedViews(ctx, r.ID)
	if err != nil {
		return err
	}
	for _, v := range sealed {
		plain, err := s.accounts.Unseal(ctx, r.Account, viewPlace(v.Decision), v.what)
		if err != nil {
			return err
		}
		var what viewed
		if err := json.Unmarshal(plain, &what); err != nil {
			return fmt.Errorf("agreement: a view is damaged: %w", err)
		}
		v.Message, v.Attachment = what.Message, what.Attachment
		r.Views = append(r.Views, v.View)
	}
	return nil
}

type sealedView struct {
	View
	what []byte
}

func (s *Store) sealedViews(ctx context.Context, agreement string) ([]sealedView, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT decision, at, what FROM agreement_views WHERE agreement = $1 ORDER BY at, decision`, agreement)
	if err != nil {
		return nil, fmt.Errorf("agreement: reading views: %w", err)
	}
	defer rows.Close()
	var list []sealedView
	for rows.Next() {
		var v sealedView
		var at int64
		if err := rows.Scan(&v.Decision, &at, &v.what); err != nil {
			return nil, fmt.Errorf("agreement: reading views: %w", err)
		}
		v.At = timeOf(at)
		list = append(list, v)
	}
	return list, rows.Err()
}

// listed opens the rows to keep, with their views, in the state that they are in now. A row that does not open is
// left out: its mailbox is being deleted, or it is nobody's agreement.
func (s *Store) listed(ctx context.Context, rows []row, keep func(Request) bool) ([]Request, error) {
	list := []Request{}
	for _, row := range rows {
		r, err := row.open(ctx, s)
		if err != nil {
			continue
		}
		if r.State = r.at(s.now()); !keep(r) {
			continue
		}
		if err := s.addViews(ctx, &r); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// listedAtMost bounds a list of requests.
const listedAtMost = 500

// OfAccount lists the requests about a mailbox that concern its owner, newest first: what the owner was asked and
// what the owner offered. What a second member of staff stopped never reached the owner.
func (s *Store) OfAccount(ctx context.Context, account policy.AccountID) ([]Request, error) {
	rows, err := s.list(ctx, `WHERE account = $1 ORDER BY created DESC, id DESC LIMIT $2`, string(account), listedAtMost)
	if err != nil {
		return nil, err
	}
	return s.listed(ctx, rows, func(r Request) bool { return !r.Asked.IsZero() || r.byOwner() })
}

// byOwner says whether the owner began it.
func (r Request) byOwner() bool {
	for _, m := range r.Messages {
		if m.Offered {
			return true
		}
	}
	return false
}
