package inbox

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
)

//go:embed schema/*.sql
var schema embed.FS

// Migrate makes or updates the tables of this package.
func Migrate(ctx context.Context, db *database.DB) error {
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		return err
	}
	return db.Migrate(ctx, "inbox", files)
}

// instructionKept is how long the owner's word to send one message stands after its time, whatever keeps it from leaving.
const instructionKept = 7 * 24 * time.Hour

// Instruction returns a standing instruction for the gate (a part of policy.Facts), or policy.ErrUnknown.
func (s *Service) Instruction(ctx context.Context, id string) (policy.Instruction, error) {
	return Instruction(ctx, s.db, id)
}

// Instruction is what Service.Instruction asks, for a gate that must exist before the service does.
func Instruction(ctx context.Context, db *database.DB, id string) (policy.Instruction, error) {
	in := policy.Instruction{ID: id}
	var account, feature string
	var given, expires int64
	row := db.Read().QueryRowContext(ctx, `SELECT account, feature, resource, given, expires FROM instructions WHERE id = $1`, id)
	switch err := row.Scan(&account, &feature, &in.Resource, &given, &expires); {
	case errors.Is(err, sql.ErrNoRows):
		return in, policy.ErrUnknown
	case err != nil:
		return in, fmt.Errorf("inbox: reading an instruction: %w", err)
	}
	in.Account, in.Feature = policy.AccountID(account), policy.Feature(feature)
	in.Given, in.Expires = time.UnixMicro(given), time.UnixMicro(expires)
	return in, nil
}

func giveInstruction(ctx context.Context, tx *sql.Tx, in policy.Instruction) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO instructions (id, account, feature, resource, given, expires) VALUES ($1, $2, $3, $4, $5, $6)`,
		in.ID, string(in.Account), string(in.Feature), in.Resource, in.Given.UnixMicro(), in.Expires.UnixMicro())
	if err != nil {
		return fmt.Errorf("inbox: recording an instruction: %w", err)
	}
	return nil
}

func endInstruction(ctx context.Context, tx *sql.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM instructions WHERE id = $1`, id); err != nil {
		return fmt.Errorf("inbox: ending an instruction: %w", err)
	}
	return nil
}
