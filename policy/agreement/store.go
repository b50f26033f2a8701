package agreement

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Accounts is what this package must know of mailboxes, and the keys it seals under.
type Accounts interface {
	Account(ctx context.Context, id policy.AccountID) (policy.AccountFacts, error)
	// RaiseEpoch makes every grant for the account void, on every node.
	RaiseEpoch(ctx context.Context, id policy.AccountID) error
	Seal(ctx context.Context, account policy.AccountID, column string, plaintext []byte) ([]byte, error)
	Unseal(ctx context.Context, account policy.AccountID, column string, ciphertext []byte) ([]byte, error)
}

// Store keeps requests, views and acknowledgements. It is safe for concurrent use, by several nodes too.
type Store struct {
	db       *database.DB
	accounts Accounts
	now      func() time.Time

	covers func(time.Time) bool                         // see Await
	ended  func(context.Context, Request) (bool, error) // asks the log whether an agreement was ended early; see Desk
}

// Open brings the tables up to date and returns the store. now is the clock; nil means time.Now.
func Open(ctx context.Context, db *database.DB, accounts Accounts, now func() time.Time) (*Store, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("agreement: %w", err)
	}
	if err := db.Migrate(ctx, "agreement", sub); err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	return &Store{db: db, accounts: accounts, now: now}, nil
}

// Await makes views wait until a witness has signed for what the log held when the owner's agreement was recorded:
// from then on nobody can take the agreement out of the log again. covers tells whether it has, for a time. Call it
// before the first request; without it nothing waits.
func (s *Store) Await(covers func(time.Time) bool) { s.covers = covers }

// witnessed says whether a request's last step is beyond being taken back out of the log.
func (s *Store) witnessed(r Request) bool {
	return r.recorded && (s.covers == nil || s.covers(r.noted))
}

// Agreement implements the policy's facts: what the rules and the gate judge. A row that does not open under
// the mailbox's key, as after a change behind our back, is no agreement.
func (s *Store) Agreement(ctx context.Context, id string) (policy.Agreement, error) {
	r, err := s.one(ctx, id)
	if errors.Is(err, errDamaged) {
		err = policy.ErrUnknown
	}
	if err != nil {
		return policy.Agreement{}, err
	}
	a := r.agreement(r.Messages)
	a.State = string(r.at(s.now()))
	if r.State == Active && !s.witnessed(r) {
		a.State = string(Pending) // it opens nothing before its event is durable, and witnessed where there is a witness
	}
	if s.ended == nil || a.State != string(Active) {
		return a, nil
	}
	ended, err := s.ended(ctx, r)
	if ended {
		a.State = string(Revoked)
	}
	return a, err
}

// errDamaged: the sealed part of a row does not belong to it.
var errDamaged = errors.New("agreement: a row is damaged")

const columns = `id, account, state, created, asked, agreed, ends, changed, version, event, actor_kind, actor, recorded, noted, details, proof`

func (s *Store) one(ctx context.Context, id string) (Request, error) {
	list, err := s.list(ctx, `WHERE id = $1`, id)
	switch {
	case err != nil:
		return Request{}, err
	case len(list) == 0:
		return Request{}, policy.ErrUnknown
	}
	return list[0].open(ctx, s)
}

// row is a request with its sealed parts closed.
type row struct {
	Request
	details, proof []byte
}

// list reads rows. They are opened after the query has ended, because opening one asks the database again.
func (s *Store) list(ctx context.Context, where string, args ...any) ([]row, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+columns+` FROM agreements `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("agreement: reading: %w", err)
	}
	defer rows.Close()
	var list []row
	for rows.Next() {
		var (
			r                                     row
			account, state, actorKind, actor      string
			created, asked, agreed, ends, changed int64
			noted                                 int64
		)
		err := rows.Scan(&r.ID, &account, &state, &created, &asked, &agreed, &ends, &changed, &r.version, &r.event, &actorKind, &actor, &r.recorded, &noted, &r.details, &r.proof)
		if err != nil {
			return nil, fmt.Errorf("agreement: reading: %w", err)
		}
		r.Account, r.State = policy.AccountID(account), State(state)
		r.Created, r.Asked, r.Agreed, r.Ends, r.changed = timeOf(created), timeOf(asked), timeOf(agreed), timeOf(ends), timeOf(changed)
		r.noted = timeOf(noted)
		r.actor = policy.Actor{Kind: policy.ActorKind(actorKind), Person: policy.PersonID(actor)}
		list = append(list, r)
	}
	return list, rows.Err()
}

// open unseals what people wrote.
func (r row) open(ctx context.Context, s *Store) (Request, error) {
	plain, err := s.accounts.Unseal(ctx, r.Account, detailsPlace(r.ID), r.details)
	if err != nil {
		return Request{}, errors.Join(errDamaged, err)
	}
	if err := json.Unmarshal(plain, &r.Request.details); err != nil {
		return Request{}, errors.Join(errDamaged, err)
	}
	if len(r.proof) > 0 {
		token, err := s.accounts.Unseal(ctx, r.Account, proofPlace(r.ID), r.proof)
		if err != nil {
			return Request{}, errors.Join(errDamaged, err)
		}
		r.Request.proof = string(token)
	}
	return r.Request, nil
}

func detailsPlace(id string) string { return "agreements.details " + id }
func proofPlace(id string) string   { return "agreements.proof " + id }

// insert stores a new request, not yet recorded.
func (s *Store) insert(ctx context.Context, r *Request) error {
	sealed, _, err := s.close(ctx, *r)
	if err != nil {
		return err
	}
	r.version = 1
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO agreements (id, account, state, created, changed, version, event, actor_kind, actor, recorded, details)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, FALSE, $10)`,
			r.ID, string(r.Account), string(r.State), micros(r.Created), micros(r.changed), r.version, r.event, string(r.actor.Kind), string(r.actor.Person), sealed)
		return err
	})
}

// replace stores a changed request if it is still the version that was read, and says whether it was.
func (s *Store) replace(ctx context.Context, r *Request) (won bool, err error) {
	sealed, proof, err := s.close(ctx, *r)
	if err != nil {
		return false, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			UPDATE agreements SET state = $1, asked = $2, agreed = $3, ends = $4, changed = $5, version = version + 1, event = $6,
				actor_kind = $7, actor = $8, recorded = FALSE, details = $9, proof = $10
			WHERE id = $11 AND version = $12`,
			string(r.State), micros(r.Asked), micros(r.Agreed), micros(r.Ends), micros(r.changed), r.event,
			string(r.actor.Kind), string(r.actor.Person), sealed, proof, r.ID, r.version)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		won = n == 1
		return err
	})
	r.version++
	r.recorded = false
	return won, err
}

// noteRecorded says that the event of the row's last change is in the log.
func (s *Store) noteRecorded(ctx context.Context, r *Request) error {
	r.recorded, r.noted = true, s.now().UTC()
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE agreements SET recorded = TRUE, noted = $1 WHERE id = $2 AND version = $3`, micros(r.noted), r.ID, r.version)
		return err
	})
}

// close seals what people wrote.
func (s *Store) close(ctx context.Context, r Request) (sealed, proof []byte, err error) {
	plain, err := json.Marshal(r.details)
	if err != nil {
		return nil, nil, fmt.Errorf("agreement: encoding: %w", err)
	}
	if sealed, err = s.accounts.Seal(ctx, r.Account, detailsPlace(r.ID), plain); err != nil {
		return nil, nil, err
	}
	if r.proof != "" {
		proof, err = s.accounts.Seal(ctx, r.Account, proofPlace(r.ID), []byte(r.proof))
	}
	return sealed, proof, err
}

func (s *Store) write(ctx context.Context, f func(*sql.Tx) error) error {
	if err := s.db.Write(ctx, f); err != nil {
		return fmt.Errorf("agreement: writing: %w", err)
	}
	return nil
}

// purge deletes all that is kept of a mailbox and returns how many requests it had.
func (s *Store) purge(ctx context.Context, account policy.AccountID) (n int64, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM agreement_views WHERE account = $1`, string(account)); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM agreements WHERE account = $1`, string(account))
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func timeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
