package oauth

import (
	"context"
	"fmt"
	"time"

	"github.com/totalengage/webmail/policy"
)

// ConnectedMailbox is a mailbox and since when it has been connected. Connecting again does not make it younger.
type ConnectedMailbox struct {
	ID    policy.AccountID
	Since time.Time
}

// Connected lists all connected mailboxes of the deployment, for work that concerns them as a crowd.
func (s *Store) Connected(ctx context.Context) ([]ConnectedMailbox, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, created FROM accounts WHERE state = 'connected' ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("oauth: listing mailboxes: %w", err)
	}
	defer rows.Close()
	var list []ConnectedMailbox
	for rows.Next() {
		var id string
		var created int64
		if err := rows.Scan(&id, &created); err != nil {
			return nil, fmt.Errorf("oauth: listing mailboxes: %w", err)
		}
		list = append(list, ConnectedMailbox{policy.AccountID(id), time.UnixMicro(created).UTC()})
	}
	return list, rows.Err()
}
