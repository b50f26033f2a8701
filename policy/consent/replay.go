package consent

import (
	"context"
	"database/sql"
	"fmt"
)

// Drop ends permissions again that a restored copy of the database brought back: ids come from the log. What has
// ended already is no error.
func (s *Permissions) Drop(ctx context.Context, ids []string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, `DELETE FROM permissions WHERE id = $1`, id); err != nil {
				return fmt.Errorf("consent: dropping a permission: %w", err)
			}
		}
		return nil
	})
}
