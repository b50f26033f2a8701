package policy

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/totalengage/webmail/internal/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Sources keeps every policy that was in force, beside the decisions that were made under it. It lies in the
// decision log's database, so that whoever can read the log can replay it. A source is believed only if it has
// the hash that a decision, which is signed for, names.
type Sources struct{ db *database.DB }

// OpenSources brings the tables up to date.
func OpenSources(ctx context.Context, db *database.DB) (*Sources, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if err := db.Migrate(ctx, "policy", sub); err != nil {
		return nil, err
	}
	return &Sources{db}, nil
}

// OpenSourcesReadOnly is for who only replays.
func OpenSourcesReadOnly(db *database.DB) *Sources { return &Sources{db} }

// Source returns the policy with this revision, or ErrUnknown.
func (s *Sources) Source(ctx context.Context, revision string) (Source, error) {
	if own := Embedded(); own.Revision() == revision {
		return own, nil
	}
	var packed []byte
	err := s.db.Read().QueryRowContext(ctx, `SELECT source FROM policy_sources WHERE revision = $1`, revision).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("policy: reading a source: %w", err)
	}
	source, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("policy: the stored source of %s: %w", revision, err)
	}
	if got := source.Revision(); got != revision {
		return nil, fmt.Errorf("policy: the stored source of %s was changed: it is %s", revision, got)
	}
	return source, nil
}

// keep stores a source before it comes into force, and the bundle that brought it; nil for the embedded policy.
func (s *Sources) keep(ctx context.Context, source Source, b *Bundle, at time.Time) error {
	packed, err := pack(source)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO policy_sources (revision, at, source) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			source.Revision(), at.UnixMicro(), packed); err != nil {
			return fmt.Errorf("policy: keeping a source: %w", err)
		}
		if b == nil {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO policy_bundles (number, sha256, bundle) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, b.Number, b.Hash, b.raw); err != nil {
			return fmt.Errorf("policy: keeping a bundle: %w", err)
		}
		return nil
	})
}

// kept is a bundle that was put in force.
type kept struct {
	number int64
	hash   string
	raw    []byte
}

// newest returns the kept bundle with the highest number; the zero value when there is none.
func (s *Sources) newest(ctx context.Context) (kept, error) {
	var k kept
	err := s.db.Read().QueryRowContext(ctx, `SELECT number, sha256, bundle FROM policy_bundles ORDER BY number DESC LIMIT 1`).Scan(&k.number, &k.hash, &k.raw)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return k, fmt.Errorf("policy: reading the newest bundle: %w", err)
	}
	return k, nil
}

func pack(source Source) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	if err := json.NewEncoder(zip).Encode(source); err != nil {
		return nil, fmt.Errorf("policy: packing a source: %w", err)
	}
	if err := zip.Close(); err != nil {
		return nil, fmt.Errorf("policy: packing a source: %w", err)
	}
	return out.Bytes(), nil
}

// unpack reads no more than a bundle could hold.
func unpack(packed []byte) (Source, error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var source Source
	if err := json.NewDecoder(io.LimitReader(zip, 8*maxBundle)).Decode(&source); err != nil {
		return nil, err
	}
	return source, nil
}
