package oauth

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/policy"
)

// Right is what a person may ask about their data (GDPR Art. 15-21, CCPA 1798.100-130).
type Right string

// The rights. Taking back an agreement is none of them: it is done at once and never waits for anybody.
const (
	RightAccess        Right = "access"
	RightPortability   Right = "portability"
	RightRectification Right = "rectification"
	RightErasure       Right = "erasure"
	RightRestriction   Right = "restriction"
	RightObjection     Right = "objection"
)

var allRights = []Right{RightAccess, RightPortability, RightRectification, RightErasure, RightRestriction, RightObjection}

// California is the one region whose law lets an operator refuse a request for being the third in twelve
// months. It counts only for who says to live there.
const California = "california"

// The clock of a request, from when it was received. 30 days meet the law of the EU (a month) and of
// California (45 days).
const (
	RightsTerm  = 30 * 24 * time.Hour
	rightsAlarm = 25 * 24 * time.Hour
	twiceIn     = 365 * 24 * time.Hour
	maxNote     = 4000 // bytes of what a person may write
)

// What became of a request.
const (
	RightsOpen     = "open"
	RightsAnswered = "answered"
	RightsRefused  = "refused"
	RightsMoot     = "moot" // the person deleted the account meanwhile
)

// RightsRequest is one request.
type RightsRequest struct {
	ID       string
	Person   policy.PersonID
	Right    Right
	Region   string // California, or ""
	Received time.Time
	Due      time.Time
	State    string
	Ended    time.Time // zero while open
	How      string    // answered by the "product" itself or by the "operator"
	Contact  string    // where to answer; "" once ended
	Note     string    // what the person wrote; "" once ended
}

// Errors of the register.
var (
	ErrBadRequest  = errors.New("oauth: there is no such right, or the note is too long")
	ErrNoRequest   = errors.New("oauth: there is no such open request")
	ErrMustAnswer  = errors.New("oauth: this request must be answered")
	ErrManyCopies  = errors.New("oauth: enough copies for today")
	ErrOpenAlready = errors.New("oauth: the same request is already open")
)

// Rights is the register of requests. What is asked and answered in it is recorded in the log.
type Rights struct {
	store *Store
	gate  *policy.Gate
}

// Rights returns the store's register.
func (s *Store) Rights(gate *policy.Gate) *Rights { return &Rights{s, gate} }

// rightsDetails is the sealed part of a request.
type rightsDetails struct{ Contact, Note string }

func rightsPlace(id string) string { return "rights_requests.details " + id }

// Ask registers a request of the signed-in owner for the operator to answer. The clock starts now. A second
// one for the same right while the first is open is ErrOpenAlready.
func (r *Rights) Ask(ctx context.Context, session Session, right Right, region, note string) (RightsRequest, error) {
	if session.Kind != policy.Owner || session.Person == "" {
		return RightsRequest{}, ErrNoSession
	}
	if !slices.Contains(allRights, right) || region != "" && region != California || len(note) > maxNote {
		return RightsRequest{}, ErrBadRequest
	}
	return r.register(ctx, RightsRequest{
		Person: session.Person, Right: right, Region: region, State: RightsOpen, Contact: session.Email, Note: note,
	})
}

// AnsweredAtOnce registers a request that the product itself has just answered.
func (r *Rights) AnsweredAtOnce(ctx context.Context, session Session, right Right) error {
	_, err := r.register(ctx, RightsRequest{Person: session.Person, Right: right, State: RightsAnswered, How: "product"})
	return err
}

func (r *Rights) register(ctx context.Context, q RightsRequest) (RightsRequest, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return q, fmt.Errorf("oauth: %w", err)
	}
	q.ID, q.Received = id.String(), r.store.now().UTC().Truncate(time.Microsecond)
	q.Due = q.Received.Add(RightsTerm)
	var sealed []byte
	var ended int64
	if q.State == RightsOpen {
		plain, err := json.Marshal(rightsDetails{q.Contact, q.Note})
		if err != nil {
			return q, fmt.Errorf("oauth: encoding a request: %w", err)
		}
		if sealed, err = r.store.keys.seal(rightsPlace(q.ID), plain); err != nil {
			return q, fmt.Errorf("oauth: sealing a request: %w", err)
		}
	} else {
		q.Ended, ended = q.Received, micros(q.Received)
	}
	if err := r.record(ctx, EventRightsRequested, q, policy.Actor{Kind: policy.Owner, Person: q.Person}, nil); err != nil {
		return q, err
	}
	err = r.store.db.Write(ctx, func(tx *sql.Tx) error {
		var open int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM rights_requests WHERE person = $1 AND kind = $2 AND state = 'open'`, string(q.Person), string(q.Right)).Scan(&open)
		if err == nil && open > 0 && q.State == RightsOpen {
			err = ErrOpenAlready
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO rights_requests (id, person, kind, region, received, state, ended, how, details) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			q.ID, string(q.Person), string(q.Right), q.Region, micros(q.Received), q.State, ended, q.How, sealed)
		return err
	})
	if err != nil {
		return q, fmt.Errorf("oauth: registering a request: %w", err)
	}
	if q.State == RightsAnswered {
		err = r.record(ctx, EventRightsAnswered, q, policy.Actor{Kind: policy.Owner, Person: q.Person}, map[string]string{"how": q.How})
	}
	return q, err
}

// record names the request by its random number, never what was written.
func (r *Rights) record(ctx context.Context, event string, q RightsRequest, actor policy.Actor, more map[string]string) error {
	details := map[string]string{"request": q.ID, "right": string(q.Right)}
	for k, v := range more {
		details[k] = v
	}
	return r.gate.Record(ctx, policy.Lifecycle{Event: event, Actor: actor, Details: details})
}

// Of lists a person's requests, newest first.
func (r *Rights) Of(ctx context.Context, person policy.PersonID) ([]RightsRequest, error) {
	return r.list(ctx, `WHERE person = $1 ORDER BY id DESC LIMIT 200`, string(person))
}

// Pending lists what the operator has to answer, the most urgent first.
func (r *Rights) Pending(ctx context.Context) ([]RightsRequest, error) {
	return r.list(ctx, `WHERE state = $1 ORDER BY received, id LIMIT 1000`, RightsOpen)
}

// Answer ends an open request: the operator has answered it.
func (r *Rights) Answer(ctx context.Context, staff policy.Actor, id string) error {
	return r.end(ctx, staff, id, RightsAnswered)
}

// Refuse ends an open request without an answer. It is allowed for one kind of request only, see MayRefuse;
// for all others it is ErrMustAnswer.
func (r *Rights) Refuse(ctx context.Context, staff policy.Actor, id string) error {
	return r.end(ctx, staff, id, RightsRefused)
}

func (r *Rights) end(ctx context.Context, staff policy.Actor, id, state string) error {
	found, err := r.list(ctx, `WHERE id = $1`, id)
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].State != RightsOpen {
		return ErrNoRequest
	}
	q, event := found[0], EventRightsAnswered
	if state == RightsRefused {
		event = EventRightsRefused
		if may, err := r.MayRefuse(ctx, q); err != nil || !may {
			return errors.Join(ErrMustAnswer, err)
		}
	}
	if err := r.record(ctx, event, q, staff, map[string]string{"how": "operator"}); err != nil {
		return err
	}
	return r.store.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE rights_requests SET state = $1, ended = $2, how = 'operator', details = NULL WHERE id = $3 AND state = 'open'`,
			state, micros(r.store.now()), q.ID)
		if err != nil {
			return fmt.Errorf("oauth: ending a request: %w", err)
		}
		return nil
	})
}

// MayRefuse tells whether the law lets the operator refuse: only a request to know, of someone who says to live
// in California, that is at least the third such one within 365 days (CCPA 1798.130(b)). Never one for
// deletion or anything else, and never one of anybody elsewhere. What the product answered by itself does
// not count.
func (r *Rights) MayRefuse(ctx context.Context, q RightsRequest) (bool, error) {
	if q.Region != California || q.Right != RightAccess && q.Right != RightPortability {
		return false, nil
	}
	var before int
	err := r.store.db.Read().QueryRowContext(ctx, `
		SELECT count(*) FROM rights_requests
		WHERE person = $1 AND kind IN ('access', 'portability') AND how <> 'product' AND state <> 'refused' AND id <> $2 AND received <= $3 AND received > $4`,
		string(q.Person), q.ID, micros(q.Received), micros(q.Received.Add(-twiceIn))).Scan(&before)
	if err != nil {
		return false, fmt.Errorf("oauth: counting requests: %w", err)
	}
	return before >= 2, nil
}

// copiesADay bounds the downloads of one person: each reads all that is stored.
const copiesADay = 5

// MayCopy fails with ErrManyCopies when the person has taken as many copies in the last 24 hours as make sense.
func (r *Rights) MayCopy(ctx context.Context, person policy.PersonID) error {
	var taken int
	err := r.store.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM rights_requests WHERE person = $1 AND kind = 'portability' AND how = 'product' AND received > $2`,
		string(person), micros(r.store.now().Add(-24*time.Hour))).Scan(&taken)
	if err != nil {
		return fmt.Errorf("oauth: counting copies: %w", err)
	}
	if taken >= copiesADay {
		return ErrManyCopies
	}
	return nil
}

// Watch looks after the clock: an event on day 25 of an open request, and one on day 30, each once. Run it every
// hour or so. It returns how many of each there were.
func (r *Rights) Watch(ctx context.Context) (alarms, breaches int, err error) {
	for _, mark := range []struct {
		column, event string
		after         time.Duration
		count         *int
	}{
		{"alarmed", EventRightsAlarm, rightsAlarm, &alarms}, {"breached", EventRightsBreach, RightsTerm, &breaches},
	} {
		late, err := r.list(ctx, `WHERE state = 'open' AND `+mark.column+` = 0 AND received <= $1 ORDER BY received`, micros(r.store.now().Add(-mark.after)))
		if err != nil {
			return alarms, breaches, err
		}
		for _, q := range late {
			days := strconv.Itoa(int(r.store.now().Sub(q.Received) / (24 * time.Hour)))
			if err := r.record(ctx, mark.event, q, policy.Actor{}, map[string]string{"days": days}); err != nil {
				return alarms, breaches, err
			}
			err := r.store.db.Write(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE rights_requests SET `+mark.column+` = $1 WHERE id = $2`, micros(r.store.now()), q.ID)
				return err
			})
			if err != nil {
				return alarms, breaches, fmt.Errorf("oauth: marking a request: %w", err)
			}
			*mark.count++
			r.store.log.WarnContext(ctx, "a request about personal data waits for its answer", "request", q.ID, "right", string(q.Right), "days", days)
		}
	}
	return alarms, breaches, nil
}

func (r *Rights) list(ctx context.Context, where string, arg any) ([]RightsRequest, error) {
	rows, err := r.store.db.Read().QueryContext(ctx, `SELECT id, person, kind, region, received, state, ended, how, details FROM rights_requests `+where, arg)
	if err != nil {
		return nil, fmt.Errorf("oauth: reading requests: %w", err)
	}
	defer rows.Close()
	var list []RightsRequest
	for rows.Next() {
		var q RightsRequest
		var person, right string
		var received, ended int64
		var sealed []byte
		if err := rows.Scan(&q.ID, &person, &right, &q.Region, &received, &q.State, &ended, &q.How, &sealed); err != nil {
			return nil, fmt.Errorf("oauth: reading requests: %w", err)
		}
		q.Person, q.Right, q.Received = policy.PersonID(person), Right(right), time.UnixMicro(received).UTC()
		q.Due = q.Received.Add(RightsTerm)
		if ended > 0 {
			q.Ended = time.UnixMicro(ended).UTC()
		}
		if sealed != nil {
			plain, err := r.store.keys.unseal(rightsPlace(q.ID), sealed)
			if err != nil {
				return nil, err
			}
			var d rightsDetails
			if err := json.Unmarshal(plain, &d); err != nil {
				return nil, fmt.Errorf("oauth: decoding a request: %w", err)
			}
			q.Contact, q.Note = d.Contact, d.Note
		}
		list = append(list, q)
	}
	return list, rows.Err()
}

// unlinkRights ends, in the caller's transaction, what a deleted person had asked, and forgets whose it was.
func unlinkRights(ctx context.Context, tx *sql.Tx, person policy.PersonID, now int64) error {
	for _, statement := range []string{
		`UPDATE rights_requests SET state = 'answered', how = 'product', ended = $2, details = NULL WHERE person = $1 AND state = 'open' AND kind = 'erasure'`,
		`UPDATE rights_requests SET state = 'moot', ended = $2, details = NULL WHERE person = $1 AND state = 'open'`,
	} {
		if _, err := tx.ExecContext(ctx, statement, string(person), now); err != nil {
			return fmt.Errorf("oauth: ending requests: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE rights_requests SET person = '' WHERE person = $1`, string(person)); err != nil {
		return fmt.Errorf("oauth: unlinking requests: %w", err)
	}
	return nil
}
