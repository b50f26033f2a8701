package agreement

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/policy"
)

// Acknowledged implements the policy's facts: when a member of staff last acknowledged the rules in force
// (LU-HUM-5). What was acknowledged under an older text no longer counts.
func (s *Store) Acknowledged(ctx context.Context, person policy.PersonID) (time.Time, error) {
	var at int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT coalesce(max(at), 0) FROM acknowledgements WHERE person = $1 AND version = $2`,
		string(person), int64(CurrentRules)).Scan(&at)
	if err != nil {
		return time.Time{}, fmt.Errorf("agreement: reading acknowledgements: %w", err)
	}
	return timeOf(at), nil
}

// Acknowledge records that a member of staff acknowledged the rules as they were shown: version and digest
// are what the page had. It holds for a year; [Due] tells when it has to be done again.
func (d *Desk) Acknowledge(ctx context.Context, by Staff, version int, digest string) (time.Time, error) {
	if by.Kind == policy.Owner || by.Person == "" {
		return time.Time{}, ErrRole
	}
	rules, err := d.company.Rules()
	if err != nil {
		return time.Time{}, err
	}
	if version != rules.Version || subtle.ConstantTimeCompare([]byte(digest), []byte(rules.SHA256)) != 1 {
		return time.Time{}, ErrText
	}
	sum, err := hex.DecodeString(rules.SHA256)
	if err != nil {
		return time.Time{}, fmt.Errorf("agreement: a digest that is none: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return time.Time{}, fmt.Errorf("agreement: %w", err)
	}
	err = d.gate.Record(ctx, policy.Lifecycle{Event: EventAcknowledged, Actor: by.Actor, Details: map[string]string{"version": strconv.Itoa(version)}})
	if err != nil {
		return time.Time{}, err
	}
	at := d.moment()
	return at, d.write(context.WithoutCancel(ctx), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO acknowledgements (id, person, version, text_sha256, at) VALUES ($1, $2, $3, $4, $5)`,
			id.String(), string(by.Person), int64(version), sum, micros(at))
		return err
	})
}

// Due says until when an acknowledgement holds, and whether it has to be done now.
func (s *Store) Due(acknowledged time.Time) (until time.Time, due bool) {
	if acknowledged.IsZero() {
		return time.Time{}, true
	}
	until = acknowledged.Add(yearly)
	return until, !s.now().Before(until)
}

// Rules is the text to acknowledge.
func (d *Desk) Rules() (Text, error) { return d.company.Rules() }
