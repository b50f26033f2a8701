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
	SHA256  [sha256.Size]byte
	Act     Act
	At      time.Time
}

// ErrNone says that there is no such record.
var ErrNone = errors.New("consent: no record")

// Store keeps the records. It is safe for concurrent use.
type Store struct {
	db  *database.DB
	now func() time.Time
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
	return &Store{db, now}, nil
}

// Agree records that the person agreed to the text as it was shown.
func (s *Store) Agree(ctx context.Context, person policy.PersonID, shown Text) (Record, error) {
	r := Record{Person: person, Version: shown.Version, SHA256: shown.SHA256, Act: Agreed}
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
	_, err = tx.ExecContext(ctx, `INSERT INTO consents (id, person, account, version, text_sha256, act, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.ID, string(r.Person), string(r.Account), int64(r.Version), digest, string(r.Act), r.At.UnixMicro())
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

func (s *Store) one(ctx context.Context, where string, arg string) (Record, error) {
	var (
		r                    Record
		person, account, act string
		digest               []byte
		at                   int64
	)
	row := s.db.Read().QueryRowContext(ctx, `SELECT id, person, account, version, text_sha256, act, at FROM consents `+where, arg)
	err := row.Scan(&r.ID, &person, &account, &r.Version, &digest, &act, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, ErrNone
	}
	if err != nil {
		return Record{}, fmt.Errorf("consent: read: %w", err)
	}
	copy(r.SHA256[:], digest)
	r.Person, r.Account, r.Act, r.At = policy.PersonID(person), policy.AccountID(account), Act(act), time.UnixMicro(at).UTC()
	return r, nil
}
