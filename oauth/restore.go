package oauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/totalengage/webmail/policy"
)

// A copy of the product's database that is put back brings back what had been deleted since the copy was made.
// The decision log is kept apart and knows better: each deletion is an event in it. The database remembers
// until when it has made the deletions of the log; a copy remembers an older time.
//
// What this cannot do: a copy older than the term of the log's events meets a log that has forgotten. Copies
// must be kept for a shorter time than that.

// overlap is read twice, for clocks of several nodes differ.
const overlap = time.Hour

// replay is what another package ends by events of its own.
type replay struct {
	events []string
	again  func(ctx context.Context, ended *policy.Journal) error
}

// OnReplay registers what else to end again: again is given the events with these names since the database was
// last known to be right. Doing it for what has ended already must do nothing. Call it before Replay.
func (v *Vault) OnReplay(again func(ctx context.Context, ended *policy.Journal) error, events ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.replays = append(v.replays, replay{events, again})
}

// Replay deletes again what the log says was deleted since the database was last known to be right. Run it at
// every start, before anything is served, and now and then after, with all OnPurge and OnPersonPurge in place. It returns how many
// mailboxes and persons a restored copy had brought back.
func (v *Vault) Replay(ctx context.Context) (mailboxes, persons int, err error) {
	since, err := v.deletionsMade(ctx)
	if err != nil {
		return 0, 0, err
	}
	until := v.store.now()
	v.mu.Lock()
	others := v.replays
	v.mu.Unlock()
	gone, err := v.gate.Journal(ctx, since, EventAccountDisconnected, EventAccountErased, EventPersonDeleted)
	if err != nil {
		return 0, 0, err
	}
	if !gone.Empty() {
		if mailboxes, persons, err = v.replay(ctx, gone); err != nil {
			return mailboxes, persons, err
		}
	}
	for _, other := range others {
		ended, err := v.gate.Journal(ctx, since, other.events...)
		if err != nil {
			return mailboxes, persons, err
		}
		if err := other.again(ctx, ended); err != nil {
			return mailboxes, persons, fmt.Errorf("oauth: replaying deletions: %w", err)
		}
	}
	return mailboxes, persons, v.noteDeletionsMade(ctx, until)
}

func (v *Vault) replay(ctx context.Context, gone *policy.Journal) (mailboxes, persons int, err error) {
	accounts, err := v.column(ctx, `SELECT id FROM accounts WHERE state = 'connected'`) // Maintain sees to the others
	if err != nil {
		return 0, 0, err
	}
	for _, id := range accounts {
		facts, err := v.store.Account(ctx, policy.AccountID(id))
		if errors.Is(err, policy.ErrUnknown) {
			continue
		}
		if err != nil {
			return mailboxes, persons, err
		}
		if !gone.Account(policy.AccountID(id), facts.LogKey) {
			continue
		}
		mailboxes++
		if err := v.leave(ctx, departure{account: policy.AccountID(id), facts: facts, why: DeletedBefore}); err != nil {
			return mailboxes, persons, err
		}
	}
	people, err := v.column(ctx, `SELECT id FROM persons WHERE kind = 'owner'`)
	if err != nil {
		return mailboxes, persons, err
	}
	for _, id := range people {
		if !gone.Person(policy.Owner, policy.PersonID(id)) {
			continue
		}
		persons++
		if err := v.deletePerson(ctx, policy.PersonID(id), DeletedBefore); err != nil {
			return mailboxes, persons, err
		}
	}
	if mailboxes+persons == 0 {
		return 0, 0, nil
	}
	// The copy also brought back sessions that had ended: everybody signs in again.
	if _, err := v.store.endSessions(ctx, v.gate, string(DeletedBefore), `created > $1`, int64(0)); err != nil {
		return mailboxes, persons, err
	}
	return mailboxes, persons, v.gate.Record(ctx, policy.Lifecycle{Event: EventDeletionsReplayed, Details: map[string]string{
		"accounts": strconv.Itoa(mailboxes), "persons": strconv.Itoa(persons),
	}})
}

// deletionsMade is from when on deletions of the log may be missing here.
func (v *Vault) deletionsMade(ctx context.Context) (time.Time, error) {
	var until int64
	err := v.store.db.Read().QueryRowContext(ctx, `SELECT until FROM deletions_made WHERE id = 1`).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil // never noted: all of the log
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("oauth: reading how far deletions are made: %w", err)
	}
	return time.UnixMicro(until).Add(-overlap), nil
}

// noteDeletionsMade says that all deletions recorded before a time are made here, or under way in rows that
// Maintain completes.
func (v *Vault) noteDeletionsMade(ctx context.Context, until time.Time) error {
	err := v.store.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO deletions_made (id, until) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET until = excluded.until`, micros(until))
		return err
	})
	if err != nil {
		return fmt.Errorf("oauth: noting how far deletions are made: %w", err)
	}
	return nil
}
