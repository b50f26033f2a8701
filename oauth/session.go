package oauth

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"github.com/totalengage/webmail/policy"
)

// SessionCookie is the name of the session cookie. The prefix makes browsers refuse it from anything but
// this host over a secure connection, with Path=/ (browsers count loopback as secure).
const SessionCookie = "__Host-sid"

// Session is who is signed in, as a provider proved it. It lives in the database; the browser has only a
// random token.
type Session struct {
	Kind    policy.ActorKind // Owner, or Staff, Auditor, Reviewer
	Person  policy.PersonID
	Roles   []string // of staff, sorted; an owner has none
	MFA     bool     // staff signed in with a second factor
	Name    string   // as the provider calls the person; "" if it does not
	Email   string
	Started time.Time // when the person signed in

	SteppedUp time.Time // when the person last signed in once more within the session; zero for never
	AuthTime  time.Time // when the provider had then seen them authenticate; zero where it does not say

	hash []byte // SHA-256 of the cookie: the row
}

// Actor is the session's person as the policy knows them.
func (s Session) Actor() policy.Actor {
	return policy.Actor{Kind: s.Kind, Person: s.Person, Roles: slices.Clone(s.Roles), MFA: s.MFA}
}

// SignedIn is the proof that a provider vouched for someone just now. Only [Owners.FinishSignIn] and
// [Staff.FinishSignIn] make one, and only it begins a session.
type SignedIn struct{ session Session }

// Kind says in what capacity the person signed in.
func (s SignedIn) Kind() policy.ActorKind { return s.session.Kind }

// Person is who signed in.
func (s SignedIn) Person() policy.PersonID { return s.session.Person }

// SessionConfig bounds sessions. Zero fields mean the defaults.
type SessionConfig struct {
	Idle     time.Duration // without a request; default 12 hours
	Absolute time.Duration // since sign-in; default 7 days
}

// seenInterval is how often a session's last use is written: not a write for every request.
const seenInterval = time.Minute

// Sessions keeps sessions: the store behind gorilla sessions. Handlers use [Sessions.Current],
// [Sessions.Begin] and [Sessions.End].
type Sessions struct {
	store  *Store
	gate   *policy.Gate
	config SessionConfig
}

var _ sessions.Store = (*Sessions)(nil)

// Sessions returns the sessions kept in the store; their beginnings and ends are recorded by the gate.
func (s *Store) Sessions(gate *policy.Gate, c SessionConfig) *Sessions {
	if c.Idle <= 0 {
		c.Idle = 12 * time.Hour
	}
	if c.Absolute <= 0 {
		c.Absolute = 7 * 24 * time.Hour
	}
	return &Sessions{s, gate, c}
}

// Current returns who is signed in, or ErrNoSession. Another error means that it cannot be told now. It reads
// the row each time it is asked, and counts as use of the session.
func (s *Sessions) Current(r *http.Request) (Session, error) { return s.current(r, true) }

// Alive is Current for a request that lasts, such as a stream of updates: it tells when the session has ended
// meanwhile, and does not count as use. An open page alone does not keep anyone signed in.
func (s *Sessions) Alive(r *http.Request) (Session, error) { return s.current(r, false) }

func (s *Sessions) current(r *http.Request, use bool) (Session, error) {
	cookie, err := r.Cookie(SessionCookie)
	if err != nil {
		return Session{}, ErrNoSession
	}
	return s.load(r.Context(), cookie.Value, use)
}

// Begin starts a session for someone who has just signed in. It always gets a token of its own, and the
// session that the browser had before ends: a token that was planted before the sign-in is worth nothing.
func (s *Sessions) Begin(w http.ResponseWriter, r *http.Request, who SignedIn) (Session, error) {
	session := who.session
	if session.Person == "" {
		return Session{}, errors.New("oauth: a session needs a proven person")
	}
	holder, err := s.Get(r, SessionCookie)
	if err != nil {
		return Session{}, err
	}
	err = s.gate.Record(r.Context(), policy.Lifecycle{Event: EventSessionStarted, Actor: session.Actor(), Details: map[string]string{"kind": string(session.Kind)}})
	if err != nil {
		return Session{}, err
	}
	if old, ok := holder.Values[valueKey].(Session); ok {
		if err := s.endOne(r.Context(), old, "replaced"); err != nil {
			return Session{}, err
		}
	}
	holder.ID, holder.Values[valueKey] = "", session
	if err := holder.Save(r, w); err != nil {
		return Session{}, err
	}
	return holder.Values[valueKey].(Session), nil
}

// End signs the browser out and tells it to forget what it kept. Signing out without a session is no error.
func (s *Sessions) End(w http.ResponseWriter, r *http.Request) error {
	return s.end(w, r, func(session Session) error { return s.endOne(r.Context(), session, "signed_out") })
}

// EndEverywhere signs the person out in every browser.
func (s *Sessions) EndEverywhere(w http.ResponseWriter, r *http.Request) error {
	return s.end(w, r, func(session Session) error {
		return s.endWhere(r.Context(), "signed_out_everywhere", `person = $1`, string(session.Person))
	})
}

func (s *Sessions) end(w http.ResponseWriter, r *http.Request, forget func(Session) error) error {
	holder, err := s.Get(r, SessionCookie)
	if err != nil {
		return err
	}
	if session, ok := holder.Values[valueKey].(Session); ok {
		if err := forget(session); err != nil {
			return err
		}
	}
	delete(holder.Values, valueKey)
	holder.IsNew, holder.Options.MaxAge = true, -1
	// Not "cookies": that would also clear those of the company's other sites under the same domain.
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return holder.Save(r, w)
}

// Purge deletes the sessions that have run out. Run it every few minutes; until then they are refused all
// the same.
func (s *Sessions) Purge(ctx context.Context) error {
	_, err := s.Expire(ctx)
	return err
}

// Expire is Purge, and says how many there were.
func (s *Sessions) Expire(ctx context.Context) (int, error) {
	now := s.store.now()
	old, err := s.store.endSessions(ctx, s.gate, "absolute", `created <= $1`, micros(now.Add(-s.config.Absolute)))
	idle, more := s.store.endSessions(ctx, s.gate, "idle", `last_seen <= $1`, micros(now.Add(-s.config.Idle)))
	return old + idle, errors.Join(err, more)
}

func (s *Sessions) endOne(ctx context.Context, session Session, why string) error {
	return s.endWhere(ctx, why, `token_hash = $1`, session.hash)
}

func (s *Sessions) endWhere(ctx context.Context, why, where string, arg any) error {
	_, err := s.store.endSessions(ctx, s.gate, why, where, arg)
	return err
}

// endSessions deletes sessions and records the end of each. They end even when that cannot be recorded: a
// closed gate must not keep anyone signed in.
func (s *Store) endSessions(ctx context.Context, gate *policy.Gate, why, where string, arg any) (int, error) {
	var ended []policy.Actor
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		ended = nil
		rows, err := tx.QueryContext(ctx, `DELETE FROM sessions WHERE `+where+` RETURNING kind, person`, arg)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind, person string
			if err := rows.Scan(&kind, &person); err != nil {
				return err
			}
			ended = append(ended, policy.Actor{Kind: policy.ActorKind(kind), Person: policy.PersonID(person)})
		}
		return rows.Err()
	})
	if err != nil {
		return 0, fmt.Errorf("oauth: ending sessions: %w", err)
	}
	for _, actor := range ended {
		err := gate.Record(ctx, policy.Lifecycle{Event: EventSessionEnded, Actor: actor, Details: map[string]string{"reason": why}})
		if err != nil {
			s.log.ErrorContext(ctx, "the end of a session is not in the log", "reason", why)
		}
	}
	return len(ended), nil
}

// valueKeyType keys the Session among a gorilla session's values.
type valueKeyType struct{}

var valueKey valueKeyType

// Get implements sessions.Store: the session of this request, read once.
func (s *Sessions) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New implements sessions.Store. Without a live session the result has IsNew set and no value.
func (s *Sessions) New(r *http.Request, name string) (*sessions.Session, error) {
	holder := sessions.NewSession(s, name)
	holder.IsNew = true
	holder.Options = &sessions.Options{
		Path: "/", MaxAge: int(s.config.Absolute / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	cookie, err := r.Cookie(name)
	if err != nil {
		return holder, nil
	}
	session, err := s.load(r.Context(), cookie.Value, true)
	switch {
	case errors.Is(err, ErrNoSession):
		return holder, nil
	case err != nil:
		return holder, err
	}
	holder.ID, holder.IsNew, holder.Values[valueKey] = cookie.Value, false, session
	return holder, nil
}

// Save implements sessions.Store. A holder without an ID is given a token and stored; a stored session
// changes only by stepping up. A negative MaxAge removes the cookie.
func (s *Sessions) Save(r *http.Request, w http.ResponseWriter, holder *sessions.Session) error {
	if holder.Options.MaxAge < 0 {
		holder.ID = ""
		http.SetCookie(w, sessions.NewCookie(holder.Name(), "", holder.Options))
		return nil
	}
	session, ok := holder.Values[valueKey].(Session)
	if !ok || holder.ID != "" {
		return nil
	}
	token := newSecret()
	session.hash, session.Started = hashOf(token), s.store.now().UTC().Truncate(time.Microsecond)
	if err := s.insert(r.Context(), session); err != nil {
		return err
	}
	holder.ID, holder.IsNew, holder.Values[valueKey] = token, false, session
	http.SetCookie(w, sessions.NewCookie(holder.Name(), token, holder.Options))
	return nil
}

// sessionData is the sealed part of a session's row.
type sessionData struct {
	Roles []string `json:",omitempty"`
	MFA   bool     `json:",omitempty"`
	Name  string   `json:",omitempty"`
	Email string

	SteppedUp, AuthTime int64 `json:",omitempty"` // microseconds since 1970
}

// place binds the sealed part to the row's other columns: roles cannot be moved to another session.
func (s Session) place() string {
	return strings.Join([]string{"sessions.data", hex.EncodeToString(s.hash), string(s.Kind), string(s.Person)}, " ")
}

func (s *Sessions) insert(ctx context.Context, session Session) error {
	plain, err := json.Marshal(sessionData{Roles: session.Roles, MFA: session.MFA, Name: session.Name, Email: session.Email})
	if err != nil {
		return fmt.Errorf("oauth: encoding a session: %w", err)
	}
	data, err := s.store.keys.seal(session.place(), plain)
	if err != nil {
		return fmt.Errorf("oauth: sealing a session: %w", err)
	}
	at := micros(session.Started)
	err = s.store.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (token_hash, kind, person, data, created, last_seen) VALUES ($1, $2, $3, $4, $5, $6)`,
			session.hash, string(session.Kind), string(session.Person), data, at, at)
		return err
	})
	if err != nil {
		return fmt.Errorf("oauth: storing a session: %w", err)
	}
	return nil
}

// load finds the session of a token, or ErrNoSession for one that is unknown or has run out.
func (s *Sessions) load(ctx context.Context, token string, use bool) (Session, error) {
	session := Session{hash: hashOf(token)}
	var kind, person string
	var data []byte
	var created, seen int64
	err := s.store.db.Read().QueryRowContext(ctx, `SELECT kind, person, data, created, last_seen FROM sessions WHERE token_hash = $1`, session.hash).
		Scan(&kind, &person, &data, &created, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, ErrNoSession
	}
	if err != nil {
		return Session{}, fmt.Errorf("oauth: reading a session: %w", err)
	}
	session.Kind, session.Person, session.Started = policy.ActorKind(kind), policy.PersonID(person), time.UnixMicro(created).UTC()
	now := s.store.now()
	if why := s.expired(now, session.Started, time.UnixMicro(seen)); why != "" {
		return Session{}, errors.Join(ErrNoSession, s.endOne(ctx, session, why))
	}
	plain, err := s.store.keys.unseal(session.place(), data)
	if err != nil {
		return Session{}, err
	}
	var d sessionData
	if err := json.Unmarshal(plain, &d); err != nil {
		return Session{}, fmt.Errorf("oauth: decoding a session: %w", err)
	}
	session.Roles, session.MFA, session.Name, session.Email = d.Roles, d.MFA, d.Name, d.Email
	session.SteppedUp, session.AuthTime = fromMicros(d.SteppedUp), fromMicros(d.AuthTime)
	if !use || now.Sub(time.UnixMicro(seen)) < seenInterval {
		return session, nil
	}
	return session, s.touch(ctx, session.hash, seen, now)
}

// expired names the limit that a session has passed, or "".
func (s *Sessions) expired(now, started, seen time.Time) string {
	switch {
	case now.Sub(started) >= s.config.Absolute:
		return "absolute"
	case now.Sub(seen) >= s.config.Idle:
		return "idle"
	}
	return ""
}

// touch notes the use of a session. The old value in the condition lets one of several requests write.
func (s *Sessions) touch(ctx context.Context, hash []byte, seen int64, now time.Time) error {
	err := s.store.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sessions SET last_seen = $1 WHERE token_hash = $2 AND last_seen = $3`, micros(now), hash, seen)
		return err
	})
	if err != nil {
		return fmt.Errorf("oauth: noting a session's use: %w", err)
	}
	return nil
}
