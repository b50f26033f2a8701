package consent

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Act is what an owner did.
type Act string

// The acts. Closing the page is none: it leaves no record.
const (
	Agreed    Act = "agreed"
	Withdrawn Act = "withdrawn"
)

// Record is the evidence of one act.
type Record struct {
	ID      string
	Person  policy.PersonID
	Account policy.AccountID // "" until the mailbox is known
	Version int              // of the disclosure; 0 for a withdrawal
	// Language of the text that was shown; "" for a withdrawal.
	Language string
	SHA256   [sha256.Size]byte
	Act      Act
	At       time.Time
}

// ErrNone says that there is no such record.
var ErrNone = errors.New("consent: no record")

// Store keeps the records. It is safe for concurrent use.
type Store struct {
	db        *database.DB
	now       func() time.Time
	announced time.Time // when Current was
}

// Open brings the tables up to date and returns the store. now is the clock; nil means time.Now.
func Open(ctx context.Context, db *database.DB, now func() time.Time) (*Store, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("consent: %w", err)
	}
	if err := db.Migrate(ctx, "consent", sub); err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	s := &Store{db: db, now: now}
	return s, s.announce(ctx)
}

// announce notes when this deployment first ran with the disclosure in force. From then on its pages say
// that something changes, and when; a use that owners have not agreed to before waits for [Notice] from then.
func (s *Store) announce(ctx context.Context) error {
	var at int64
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO disclosures (version, announced) VALUES ($1, $2) ON CONFLICT (version) DO NOTHING`,
			int64(Current), s.now().UnixMicro())
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT announced FROM disclosures WHERE version = $1`, int64(Current)).Scan(&at)
	})
	if err != nil {
		return fmt.Errorf("consent: announcing a disclosure: %w", err)
	}
	s.announced = time.UnixMicro(at).UTC()
	return nil
}

// Announced is when this deployment announced the disclosure in force.
func (s *Store) Announced() time.Time { return s.announced }

// Agree records that the person agreed to the text as it was shown.
func (s *Store) Agree(ctx context.Context, person policy.PersonID, shown Text) (Record, error) {
	r := Record{Person: person, Version: shown.Version, Language: shown.Language, SHA256: shown.SHA256, Act: Agreed}
	err := s.db.Write(ctx, func(tx *sql.Tx) error { return s.insert(ctx, tx, &r) })
	return r, err
}

// Withdraw records, in the caller's transaction, that nothing may be done with the mailbox any more.
func (s *Store) Withdraw(ctx context.Context, tx *sql.Tx, person policy.PersonID, account policy.AccountID) error {
	return s.insert(ctx, tx, &Record{Person: person, Account: account, Act: Withdrawn})
}

// insert completes r with its id and time and stores it.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, r *Record) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("consent: %w", err)
	}
	r.ID, r.At = id.String(), s.now().UTC().Truncate(time.Microsecond)
	digest := []byte{}
	if r.Act == Agreed {
		digest = r.SHA256[:]
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO consents (id, person, account, version, language, text_sha256, act, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		r.ID, string(r.Person), string(r.Account), int64(r.Version), r.Language, digest, string(r.Act), r.At.UnixMicro())
	if err != nil {
		return fmt.Errorf("consent: record: %w", err)
	}
	return nil
}

// Bind says, in the caller's transaction, which mailbox a consent turned out to be about. A consent is
// about one mailbox: binding it again, or for another person, is ErrNone.
func (s *Store) Bind(ctx context.Context, tx *sql.Tx, id string, person policy.PersonID, account policy.AccountID) error {
	res, err := tx.ExecContext(ctx, `UPDATE consents SET account = $1 WHERE id = $2 AND person = $3 AND account = '' AND act = 'agreed'`,
		string(account), id, string(person))
	if err != nil {
		return fmt.Errorf("consent: bind: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(ErrNone, err)
	}
	return nil
}

// Latest returns the record that holds for a mailbox, or ErrNone.
func (s *Store) Latest(ctx context.Context, account policy.AccountID) (Record, error) {
	return s.one(ctx, `WHERE account = $1 ORDER BY id DESC LIMIT 1`, string(account))
}

// Get returns one record, or ErrNone.
func (s *Store) Get(ctx context.Context, id string) (Record, error) {
	return s.one(ctx, `WHERE id = $1`, id)
}

// Of lists what a person agreed to and took back, oldest first. Acts that led to no mailbox are left out.
func (s *Store) Of(ctx context.Context, person policy.PersonID) ([]Record, error) {
	return s.list(ctx, `WHERE person = $1 AND account <> '' ORDER BY id`, string(person))
}

// Unlink removes, in the caller's transaction, who a person's records were about. They stay as evidence that
// somebody agreed to a text at a time.
func (s *Store) Unlink(ctx context.Context, tx *sql.Tx, person policy.PersonID) error {
	if _, err := tx.ExecContext(ctx, `UPDATE consents SET person = '', account = '' WHERE person = $1`, string(person)); err != nil {
		return fmt.Errorf("consent: unlink: %w", err)
	}
	return nil
}

func (s *Store) one(ctx context.Context, where string, arg string) (Record, error) {
	found, err := s.list(ctx, where, arg)
	if err == nil && len(found) == 0 {
		err = ErrNone
	}
	if err != nil {
		return Record{}, err
	}
	return found[0], nil
}

func (s *Store) list(ctx context.Context, where string, arg string) ([]Record, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, person, account, version, language, text_sha256, act, at FROM consents `+where, arg)
	if err != nil {
		return nil, fmt.Errorf("consent: read: %w", err)
	}
	defer rows.Close()
	var list []Record
	for rows.Next() {
		var (
			r                    Record
			person, account, act string
			digest               []byte
			at                   int64
		)
		if err := rows.Scan(&r.ID, &person, &account, &r.Version, &r.Language, &digest, &act, &at); err != nil {
			return nil, fmt.Errorf("consent: read: %w", err)
		}
		copy(r.SHA256[:], digest)
		r.Person, r.Account, r.Act, r.At = policy.PersonID(person), policy.AccountID(account), Act(act), time.UnixMicro(at).UTC()
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("consent: read: %w", err)
	}
	return list, nil
}
