package oauth

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// SignedInBrowser is one session as its person sees it.
type SignedInBrowser struct {
	Started  time.Time
	LastUsed time.Time
	Current  bool // the session that asks
}

// Browsers lists the sessions of the session's person, the latest first. The last use is known to the minute.
func (s *Sessions) Browsers(ctx context.Context, session Session) ([]SignedInBrowser, error) {
	now := s.store.now()
	rows, err := s.store.db.Read().QueryContext(ctx, `
		SELECT token_hash, created, last_seen FROM sessions WHERE person = $1 AND created > $2 AND last_seen > $3 ORDER BY created DESC`,
		string(session.Person), micros(now.Add(-s.config.Absolute)), micros(now.Add(-s.config.Idle)))
	if err != nil {
		return nil, fmt.Errorf("oauth: listing sessions: %w", err)
	}
	defer rows.Close()
	var list []SignedInBrowser
	for rows.Next() {
		var hash []byte
		var created, seen int64
		if err := rows.Scan(&hash, &created, &seen); err != nil {
			return nil, fmt.Errorf("oauth: listing sessions: %w", err)
		}
		list = append(list, SignedInBrowser{
			Started: time.UnixMicro(created).UTC(), LastUsed: time.UnixMicro(seen).UTC(), Current: bytes.Equal(hash, session.hash),
		})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("oauth: listing sessions: %w", err)
	}
	return list, nil
}

// Consents lists what a person agreed to and took back, oldest first.
func (o *Owners) Consents(ctx context.Context, person policy.PersonID) ([]consent.Record, error) {
	return o.store.consents.Of(ctx, person)
}
