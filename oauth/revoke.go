package oauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/policy"
)

// addRevocation notes a permission that must be given back, due at once.
func (s *Store) addRevocation(ctx context.Context, tx *sql.Tx, permission []byte) (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", err
	}
	sealed, err := s.keys.seal(revocationPlace(id.String()), permission)
	if err != nil {
		return "", err
	}
	now := micros(s.now())
	_, err = tx.ExecContext(ctx, `INSERT INTO pending_revocations (id, token, attempts, due, created) VALUES ($1, $2, 0, $3, $3)`, id.String(), sealed, now)
	return id.String(), err
}

func revocationPlace(id string) string { return "pending_revocations.token " + id }

// giveBack revokes a permission that belongs to no account, now or later.
func (v *Vault) giveBack(ctx context.Context, permission string) error {
	var id string
	err := v.store.db.Write(ctx, func(tx *sql.Tx) (err error) {
		id, err = v.store.addRevocation(ctx, tx, []byte(permission))
		return err
	})
	if err != nil {
		return fmt.Errorf("oauth: noting a revocation: %w", err)
	}
	if err := v.revoke(ctx, id); err != nil {
		v.store.log.WarnContext(ctx, "a permission could not be revoked yet and will be tried again", "revocation", id, "error", err)
	}
	return nil
}

// revoke tells Google that one permission is given back, and forgets it when Google has heard.
func (v *Vault) revoke(ctx context.Context, id string) error {
	var sealed []byte
	var attempts int64
	err := v.store.db.Read().QueryRowContext(ctx, `SELECT token, attempts FROM pending_revocations WHERE id = $1`, id).Scan(&sealed, &attempts)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // another node did it
	}
	if err != nil {
		return fmt.Errorf("oauth: reading a revocation: %w", err)
	}
	permission, err := v.store.keys.unseal(revocationPlace(id), sealed)
	if err != nil {
		return err
	}
	attempts++
	refused := v.provider.revoke(ctx, string(permission))
	err = v.store.db.Write(ctx, func(tx *sql.Tx) error {
		if refused != nil {
			_, err := tx.ExecContext(ctx, `UPDATE pending_revocations SET attempts = $1, due = $2 WHERE id = $3`,
				attempts, micros(v.store.now().Add(pause(attempts))), id)
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM pending_revocations WHERE id = $1`, id)
		return err
	})
	if refused != nil || err != nil {
		return errors.Join(refused, err)
	}
	return v.gate.Record(ctx, policy.Lifecycle{Event: EventTokenRevoked, Details: map[string]string{
		"revocation": id, "attempts": strconv.FormatInt(attempts, 10),
	}})
}

// pause is how long to wait after so many failed attempts: a minute, doubling up to six hours.
func pause(attempts int64) time.Duration {
	return min(time.Minute<<min(attempts-1, 10), 6*time.Hour)
}
