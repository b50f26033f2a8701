package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are what a store may be told beyond its necessities.
type Options struct {
	Now func() time.Time // the clock; nil means time.Now
	Log *slog.Logger     // for faults that no caller waits for; nil means slog.Default()
}

// Store keeps persons, accounts, keys, sessions and flows. It answers the policy's questions about accounts
// and seals what other packages keep for one. It is safe for concurrent use.
type Store struct {
	db       *database.DB
	keys     *Keys
	consents *consent.Store
	now      func() time.Time
	log      *slog.Logger

	// Primitives of data keys and unsealed log keys that were used lately. Both are checked against the row
	// at every use, so a deleted or changed key is of no use on any node at once.
	dataKeys *lru.Cache[policy.AccountID, dataKey]
	logKeys  *lru.Cache[policy.AccountID, logKey]
}

type dataKey struct {
	owner     policy.PersonID
	wrapped   []byte // as stored
	primitive tink.AEAD
}

type logKey struct {
	owner policy.PersonID
	epoch int64
	key   []byte
}

// cachedKeys bounds both caches; an entry takes about 2 kB.
const cachedKeys = 4096

// Open brings the tables up to date and returns the store. It fails when the database was written with
// other keys: continuing would make everything sealed in it unreadable without saying so.
func Open(ctx context.Context, db *database.DB, keys *Keys, consents *consent.Store, o Options) (*Store, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	if err := db.Migrate(ctx, "oauth", sub); err != nil {
		return nil, err
	}
	s := &Store{db: db, keys: keys, consents: consents, now: o.Now, log: o.Log}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.dataKeys, err = lru.New[policy.AccountID, dataKey](cachedKeys); err != nil {
		return nil, err
	}
	if s.logKeys, err = lru.New[policy.AccountID, logKey](cachedKeys); err != nil {
		return nil, err
	}
	return s, s.checkKeys(ctx)
}

// checkKeys compares the keys with the database by a text that the first start sealed.
func (s *Store) checkKeys(ctx context.Context) error {
	const place, text = "key_check.sealed", "webmail"
	sealed, err := s.keys.seal(place, []byte(text))
	if err != nil {
		return fmt.Errorf("oauth: %w", err)
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO key_check (id, sealed) VALUES (1, $1) ON CONFLICT (id) DO NOTHING`, sealed); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT sealed FROM key_check WHERE id = 1`).Scan(&sealed)
	})
	if err != nil {
		return fmt.Errorf("oauth: comparing keys and database: %w", err)
	}
	if _, err := s.keys.unseal(place, sealed); err != nil {
		return errors.New("oauth: this database was written with another master keyset: restore that key file")
	}
	return nil
}

// newSecret returns 256 random bits in URL-safe characters.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// hashOf is how a secret that someone presents is found again. A plain hash is enough for 256 random bits.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func micros(t time.Time) int64 { return t.UnixMicro() }
