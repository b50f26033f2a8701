package inbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// SendRequest asks to send a message.
type SendRequest struct {
	Compose        Compose
	DraftID        string    // the draft this was; it is consumed
	IdempotencyKey string    // made once a message: a repeated request is the same send
	SendAt         time.Time // when it is to leave; zero: when the time for undoing has passed
}

// SendState says how far a message in the outbox is.
type SendState string

// The states: queued -> sending -> sent or failed; queued or failed -> undone.
const (
	Queued  SendState = "queued"
	Sending SendState = "sending"
	Sent    SendState = "sent"
	Failed  SendState = "failed"
	Undone  SendState = "undone"
)

// OutboxItem is a message that was given to be sent.
type OutboxItem struct {
	ID                  string
	State               SendState
	UndoUntil           time.Time // the page offers to undo until then; the server waits a little longer
	SendAt              time.Time // the time that its owner chose; zero when none was
	ThreadID, MessageID string    // when sent
	Subject             string    // until it is sent
	Error               string    // when failed: what to do
}

const (
	furthest    = 366 * 24 * time.Hour // how far ahead a message can be scheduled
	sentShown   = 24 * time.Hour       // how long the outbox shows what was sent
	rowKept     = 7 * 24 * time.Hour   // how long a row, and with it its idempotency key, outlives its end
	undoneTaken = time.Hour            // how long a message taken back can be asked for again, should the answer get lost
)

// details is what a row keeps of a message beside its MIME form; sealed.
type details struct {
	Compose Compose
	Token   string
}

var idempotencyKey = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)

// Send takes a message to be sent. Before it answers, the message and the owner's instruction to send it are
// in the database, together; the sender does the rest when the time for undoing has passed. Repeating a
// request with the same key returns the same item and sends nothing more.
//
// The owner's decision is about the very bytes that will leave: its body digest is that of the drafts.send
// which the sender asks for later.
func (s *Service) Send(ctx context.Context, v Visit, req SendRequest) (OutboxItem, error) {
	if !idempotencyKey.MatchString(req.IdempotencyKey) {
		return OutboxItem{}, &InvalidError{"idempotencyKey", "want 16 to 64 letters, digits, - or _"}
	}
	if item, err := s.earlier(ctx, v, req.IdempotencyKey); !errors.Is(err, ErrNotFound) {
		return item, err
	}
	c, err := req.checked()
	if err != nil {
		return OutboxItem{}, err
	}
	if at := req.SendAt; !at.IsZero() && (at.Before(s.now()) || at.After(s.now().Add(furthest))) {
		return OutboxItem{}, &InvalidError{"sendAt", "not a time of the coming year"}
	}
	var draft *gmail.Draft
	if c.DraftID != "" {
		draft, err = s.draft(ctx, v, c.DraftID)
		if errors.Is(err, ErrNotFound) {
			return OutboxItem{}, ErrConflict // deleted or sent elsewhere: sending it again is not ours to decide
		}
		if err != nil {
			return OutboxItem{}, err
		}
	}
	a, err := s.assemble(ctx, v, c, draft, false)
	if err != nil {
		return OutboxItem{}, err
	}
	return s.accept(ctx, v, req, a)
}

func (r SendRequest) checked() (Compose, error) {
	c := r.Compose
	if r.DraftID != "" {
		c.DraftID = r.DraftID
	}
	c, err := c.checked()
	if err != nil {
		return c, err
	}
	return c, c.sendable()
}

// earlier returns the item of a request that came before with the same key, or ErrNotFound.
func (s *Service) earlier(ctx context.Context, v Visit, key string) (OutboxItem, error) {
	r, err := s.row(ctx, `account = $1 AND person = $2 AND idempotency = $3`, string(v.Account), string(v.Actor.Person), key)
	if err != nil {
		return OutboxItem{}, err
	}
	if err := s.admit(ctx, v); err != nil {
		return OutboxItem{}, err
	}
	return s.item(ctx, r)
}

// accept decides, and puts the message into the outbox.
func (s *Service) accept(ctx context.Context, v Visit, req SendRequest, a assembled) (OutboxItem, error) {
	plan := a.create().Target
	if a.compose.DraftID != "" {
		plan = a.send(a.compose.DraftID).Target
	}
	call, err := plan()
	if err != nil {
		return OutboxItem{}, fmt.Errorf("inbox: planning a send: %w", err)
	}
	grant, err := s.authorize(ctx, v, call)
	if err != nil {
		return OutboxItem{}, err
	}
	err = s.put(ctx, v, req, a)
	grant.Finish(err, 0, a.size())
	if err != nil && !errors.Is(err, errRepeated) {
		return OutboxItem{}, err
	}
	atStep("accepted")
	s.wake()
	return s.earlier(ctx, v, req.IdempotencyKey)
}

// errRepeated: another request with the same key was faster.
var errRepeated = errors.New("inbox: the key was used before")

// sealMessage seals a message as the row keeps it, or puts a large one on the shelf: then raw is its key.
func (s *Service) sealMessage(ctx context.Context, account policy.AccountID, id string, a assembled) (raw []byte, size int64, err error) {
	if a.large == nil {
		if raw, err = s.seal.Seal(ctx, account, sealedRaw, a.raw); err != nil {
			return nil, 0, fmt.Errorf("inbox: sealing a message: %w", err)
		}
		return raw, 0, nil
	}
	content, err := a.large.Open()
	if err != nil {
		return nil, 0, err
	}
	defer content.Close()
	size, raw, err = outboxShelf.put(ctx, s, account, id, content)
	return raw, size, err
}

// put writes the row and the instruction in one transaction.
func (s *Service) put(ctx context.Context, v Visit, req SendRequest, a assembled) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	order, err := uuid.NewV7()
	if err != nil {
		return err
	}
	kept, err := json.Marshal(details{Compose: a.compose, Token: a.token})
	if err != nil {
		return err
	}
	if kept, err = s.seal.Seal(ctx, v.Account, sealedDetails, kept); err != nil {
		return fmt.Errorf("inbox: sealing a message: %w", err)
	}
	raw, size, err := s.sealMessage(ctx, v.Account, id.String(), a)
	if err != nil {
		return err
	}
	now, step := s.now(), stepStart
	if a.compose.DraftID != "" {
		step = stepDrafted
	}
	shown, due, planned := now.Add(s.shown), now.Add(s.held), int64(0)
	if req.SendAt.After(due) {
		shown, due, planned = req.SendAt, req.SendAt, req.SendAt.UnixMicro()
	}
	until := due.Add(instructionKept)
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO outbox (id, account, person, idempotency, instruction, state, step, created, shown, due, next,
				fence, lease, attempts, looks, draft, thread, message, failure, ended, details, raw, size, planned)
			VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, $9, $9, 0, 0, 0, 0, $10, $11, '', '', 0, $12, $13, $14, $15)
			ON CONFLICT (account, idempotency) DO NOTHING`,
			id.String(), string(v.Account), string(v.Actor.Person), req.IdempotencyKey, order.String(), string(step), now.UnixMicro(), shown.UnixMicro(), due.UnixMicro(),
			a.compose.DraftID, a.thread, kept, raw, size, planned)
		if err := one(res, err, errRepeated); err != nil {
			return err
		}
		if err := keepUploads(ctx, tx, v.Account, a.compose, until); err != nil {
			return err
		}
		return giveInstruction(ctx, tx, policy.Instruction{
			ID: order.String(), Account: v.Account, Feature: sendFeature, Resource: id.String(), Given: now, Expires: until,
		})
	})
}

// one makes an error of a statement that did not change exactly one row.
func one(res sql.Result, err, otherwise error) error {
	if err != nil {
		return fmt.Errorf("inbox: writing the outbox: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("inbox: writing the outbox: %w", err)
	}
	if n != 1 {
		return otherwise
	}
	return nil
}

// row is a row of the outbox as its owner sees it.
type row struct {
	id, account, state      string
	shown, planned          int64
	thread, message, reason string
	details                 []byte // sealed
}

const rowColumns = `id, account, state, shown, planned, thread, message, failure, details`

func (r *row) scan(from interface{ Scan(...any) error }) error {
	return from.Scan(&r.id, &r.account, &r.state, &r.shown, &r.planned, &r.thread, &r.message, &r.reason, &r.details)
}

// row reads the one row that the condition names, or ErrNotFound.
func (s *Service) row(ctx context.Context, where string, args ...any) (row, error) {
	var r row
	err := r.scan(s.db.Read().QueryRowContext(ctx, `SELECT `+rowColumns+` FROM outbox WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("inbox: reading the outbox: %w", err)
	}
	return r, nil
}

func (s *Service) item(ctx context.Context, r row) (OutboxItem, error) {
	item := OutboxItem{ID: r.id, State: SendState(r.state), UndoUntil: time.UnixMicro(r.shown), Error: advice[failure(r.reason)]}
	if r.planned > 0 {
		item.SendAt = time.UnixMicro(r.planned)
	}
	if item.State == Sent {
		item.ThreadID, item.MessageID = r.thread, r.message
		return item, nil
	}
	if item.State == Undone || r.details == nil {
		return item, nil
	}
	kept, err := s.openDetails(ctx, policy.AccountID(r.account), r.details)
	item.Subject = kept.Compose.Subject
	return item, err
}

func (s *Service) openDetails(ctx context.Context, account policy.AccountID, sealed []byte) (details, error) {
	var d details
	plain, err := s.seal.Unseal(ctx, account, sealedDetails, sealed)
	if err != nil {
		return d, fmt.Errorf("inbox: opening a message in the outbox: %w", err)
	}
	if err := json.Unmarshal(plain, &d); err != nil {
		return d, fmt.Errorf("inbox: opening a message in the outbox: %w", err)
	}
	return d, nil
}

// Outbox lists what waits to be sent, what could not be, and what was sent within a day; the latest first.
func (s *Service) Outbox(ctx context.Context, v Visit) ([]OutboxItem, error) {
	if err := s.admit(ctx, v); err != nil {
		return nil, err
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+rowColumns+` FROM outbox
		WHERE account = $1 AND person = $2 AND (state IN ('queued', 'sending', 'failed') OR state = 'sent' AND ended > $3)
		ORDER BY created DESC, id DESC LIMIT 200`,
		string(v.Account), string(v.Actor.Person), s.now().Add(-sentShown).UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("inbox: reading the outbox: %w", err)
	}
	defer rows.Close()
	items := []OutboxItem{}
	for rows.Next() {
		var r row
		if err := r.scan(rows); err != nil {
			return nil, fmt.Errorf("inbox: reading the outbox: %w", err)
		}
		item, err := s.item(ctx, r)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("inbox: reading the outbox: %w", err)
	}
	return items, nil
}

// Undo takes a message back that has not begun to leave, or that failed, and returns what the composer
// held. It fails with ErrTooLate once sending has begun. Asking again within an hour gives the same answer.
func (s *Service) Undo(ctx context.Context, v Visit, id string) (Compose, error) {
	if err := s.admit(ctx, v); err != nil {
		return Compose{}, err
	}
	if err := s.takeBack(ctx, v, id); err != nil {
		return Compose{}, err
	}
	r, err := s.row(ctx, `id = $1 AND account = $2 AND person = $3`, id, string(v.Account), string(v.Actor.Person))
	switch {
	case err != nil:
		return Compose{}, err
	case SendState(r.state) != Undone || r.details == nil:
		return Compose{}, ErrTooLate
	}
	kept, err := s.openDetails(ctx, v.Account, r.details)
	if err != nil {
		return Compose{}, err
	}
	return kept.Compose, s.nameDraft(ctx, id, &kept.Compose)
}

// takeBack changes queued or failed to undone, in one statement: the sender's claim is the other statement
// that wants the row, and only one of them gets it.
func (s *Service) takeBack(ctx context.Context, v Visit, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var instruction string
		err := tx.QueryRowContext(ctx, `UPDATE outbox SET state = 'undone', ended = $4, fence = fence + 1, raw = NULL
			WHERE id = $1 AND account = $2 AND person = $3 AND state IN ('queued', 'failed') RETURNING instruction`,
			id, string(v.Account), string(v.Actor.Person), s.now().UnixMicro()).Scan(&instruction)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // the row tells why
		}
		if err != nil {
			return fmt.Errorf("inbox: writing the outbox: %w", err)
		}
		if err := outboxShelf.clear(ctx, tx, id); err != nil {
			return err
		}
		return endInstruction(ctx, tx, instruction)
	})
}

// nameDraft tells the composer which draft the sender left in Gmail, so that it goes on with that one.
func (s *Service) nameDraft(ctx context.Context, id string, c *Compose) error {
	var draft string
	if err := s.db.Read().QueryRowContext(ctx, `SELECT draft FROM outbox WHERE id = $1`, id).Scan(&draft); err != nil {
		return fmt.Errorf("inbox: reading the outbox: %w", err)
	}
	if draft != "" && draft != c.DraftID {
		c.DraftID, c.IfMessageID = draft, ""
	}
	return nil
}

// Purge deletes everything of an account that this package keeps at rest, as at disconnect. What is on its
// way to Gmail at this moment may still leave.
func (s *Service) Purge(ctx context.Context, account policy.AccountID) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"outbox", "outbox_parts", "instructions", "uploads", "upload_parts", "watches"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE account = $1`, string(account)); err != nil {
				return fmt.Errorf("inbox: purging %s: %w", table, err)
			}
		}
		return nil
	})
}

// sweep deletes what has had its time, and counts it for Swept.
func (s *Service) sweep(ctx context.Context) error {
	now := s.now()
	counts := map[string]int{}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		clear(counts)
		for _, old := range []struct {
			store, statement string
			before           time.Time
		}{
			{"uploads", `DELETE FROM uploads WHERE expires <= $1`, now},
			{"instructions", `DELETE FROM instructions WHERE expires <= $1`, now},
			{"outbox", `UPDATE outbox SET details = NULL WHERE state = 'undone' AND details IS NOT NULL AND ended > 0 AND ended <= $1`, now.Add(-undoneTaken)},
			{"outbox", `DELETE FROM outbox WHERE ended > 0 AND ended <= $1`, now.Add(-rowKept)},
			{"watches", `DELETE FROM watches WHERE renewed <= $1 AND NOT EXISTS (SELECT 1 FROM instructions WHERE instructions.id = watches.instruction)`, now},
			{"upload_parts", `DELETE FROM upload_parts WHERE created <= $1 AND NOT EXISTS (SELECT 1 FROM uploads WHERE uploads.id = upload_parts.id)`, now.Add(-orphaned)},
			{"outbox_parts", `DELETE FROM outbox_parts WHERE created <= $1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.id = outbox_parts.id)`, now.Add(-orphaned)},
		} {
			res, err := tx.ExecContext(ctx, old.statement, old.before.UnixMicro())
			if err != nil {
				return fmt.Errorf("inbox: sweeping: %w", err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return fmt.Errorf("inbox: sweeping: %w", err)
			}
			counts[old.store] += int(n)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.sweptMu.Lock()
	defer s.sweptMu.Unlock()
	for store, n := range counts {
		s.swept[store] += n
	}
	return nil
}

// Swept tells how many rows of each store the sender has deleted because their time was over, since it was last
// asked.
func (s *Service) Swept() map[string]int {
	s.sweptMu.Lock()
	defer s.sweptMu.Unlock()
	counts := s.swept
	s.swept = map[string]int{}
	return counts
}

// The terms of what this package keeps, as the retention table of the policy's data states them.
const (
	OutboxTerm      = rowKept
	UploadTerm      = uploadKept
	InstructionTerm = instructionKept
	MemoryTerm      = boxIdle
)
