package oauth

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/totalengage/webmail/policy"
)

// FreshFor is how long a step-up sign-in counts.
const FreshFor = 5 * time.Minute

// StepUpReasons are what a person may be asked to sign in once more for.
var StepUpReasons = []string{"download", "delete"}

// Fresh tells whether the person signed in once more just now: what cannot be undone must not be done from a
// page that somebody left open.
func (s Session) Fresh(now time.Time) bool {
	return !s.SteppedUp.IsZero() && !now.Before(s.SteppedUp) && now.Sub(s.SteppedUp) < FreshFor
}

// StartStepUp returns where to send the browser for the session's person to sign in once more, before doing
// what. It fails with ErrFlow for anything but one of StepUpReasons.
func (o *Owners) StartStepUp(ctx context.Context, browser string, session Session, what string) (string, error) {
	if session.Kind != policy.Owner || session.hash == nil {
		return "", ErrNoSession
	}
	if !slices.Contains(StepUpReasons, what) {
		return "", ErrFlow
	}
	return o.startAgain(ctx, flowStepUp, browser, flow{Session: session.hash, For: what}, o.config.StepUpRedirect, "select_account", session)
}

// FinishStepUp takes the provider's reply and notes it in the session. It returns what the person was about to
// do.
func (o *Owners) FinishStepUp(ctx context.Context, browser string, session Session, query url.Values) (string, error) {
	f, who, err := o.finishAgain(ctx, flowStepUp, browser, o.config.StepUpRedirect, session, query)
	if err != nil {
		o.failures.record(ctx, flowStepUp, err)
		return "", err
	}
	err = o.gate.Record(ctx, policy.Lifecycle{Event: EventSessionSteppedUp, Actor: session.Actor(), Details: map[string]string{
		"for": f.For, "auth_time": strconv.FormatBool(!who.authTime.IsZero()),
	}})
	if err != nil {
		return "", err
	}
	session.SteppedUp, session.AuthTime = o.store.now().UTC(), who.authTime
	return f.For, o.store.refresh(ctx, session)
}

// refresh replaces the sealed part of a session's row.
func (s *Store) refresh(ctx context.Context, session Session) error {
	plain, err := json.Marshal(sessionData{
		Roles: session.Roles, MFA: session.MFA, Name: session.Name, Email: session.Email,
		SteppedUp: toMicros(session.SteppedUp), AuthTime: toMicros(session.AuthTime),
	})
	if err != nil {
		return fmt.Errorf("oauth: encoding a session: %w", err)
	}
	data, err := s.keys.seal(session.place(), plain)
	if err != nil {
		return fmt.Errorf("oauth: sealing a session: %w", err)
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE sessions SET data = $1 WHERE token_hash = $2`, data, session.hash)
		if err != nil {
			return fmt.Errorf("oauth: storing a session: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return ErrNoSession // it has ended meanwhile
		}
		return nil
	})
}

// toMicros keeps the zero time zero.
func toMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
