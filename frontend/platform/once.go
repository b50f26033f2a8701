package platform

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/totalengage/webmail/internal/database"
)

//go:embed schema/*.sql
var schema embed.FS

// once remembers which assertions were used. It is in the product's database, so that it holds on every node.
type once struct {
	db  *database.DB
	now func() time.Time
}

func openOnce(ctx context.Context, db *database.DB, now func() time.Time) (*once, error) {
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		return nil, err
	}
	return &once{db, now}, db.Migrate(ctx, "platform", files)
}

// redeem uses an assertion up. Of all that try, on whatever node, one gets true.
func (o *once) redeem(ctx context.Context, a assertion) (first bool, err error) {
	digest := sha256.Sum256([]byte(a.caller.ID + "\x00" + a.claims.ID))
	kept := a.claims.Expiry.Time().Add(time.Minute) // longer than nodes' clocks differ
	err = o.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO platform_assertions (digest, expires) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING`,
			digest[:], kept.UnixMicro())
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		first = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("platform: using an assertion up: %w", err)
	}
	return first, nil
}

// sweep forgets what has expired, and would be refused for that.
func (o *once) sweep(ctx context.Context) error {
	return o.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM platform_assertions WHERE expires <= $1`, o.now().UnixMicro()); err != nil {
			return fmt.Errorf("platform: forgetting expired assertions: %w", err)
		}
		return nil
	})
}
