package oauth

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/totalengage/webmail/policy"
)

// Deleting an account ends everything of a person: all mailboxes as by Disconnect, all sessions, the person's
// row, and the link between the person and the evidence that is kept (what somebody agreed to, that somebody's
// request was answered). Like disconnecting it is done in steps, which Maintain repeats until all are done:
// first the person cannot be found by signing in any more, then each mailbox leaves, then it is recorded, then
// the row goes.

// ErrStepUp: what cannot be undone is for a person who has just signed in once more.
var ErrStepUp = errors.New("oauth: the person must sign in once more first")

// PersonPurge deletes what a package keeps of a person beside their mailboxes. It may be called again for the
// same one.
type PersonPurge func(ctx context.Context, person policy.PersonID) error

// OnPersonPurge registers what else to delete when a person's account is deleted. Call it before the first
// request.
func (v *Vault) OnPersonPurge(f PersonPurge) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.persons = append(v.persons, f)
}

// Delete ends everything of the signed-in owner, this session included. It is for whoever has just
// proven again who they are: ErrStepUp otherwise. When it returns another error, the account is closed all
// the same and Maintain completes the deletion.
func (o *Owners) Delete(ctx context.Context, session Session) error {
	if session.Kind != policy.Owner || session.Person == "" {
		return ErrNoSession
	}
	if err := o.Proven(session); err != nil {
		return err
	}
	return o.vault.deletePerson(ctx, session.Person, AccountDeleted)
}

func (v *Vault) deletePerson(ctx context.Context, person policy.PersonID, why Reason) error {
	ctx = context.WithoutCancel(ctx) // a closed browser tab does not stop half way
	nobody := make([]byte, 32)
	rand.Read(nobody) // never fails: crypto/rand ends the process instead
	err := v.store.db.Write(ctx, func(tx *sql.Tx) error {
		// The same human may sign in again at once, and is then somebody new.
		_, err := tx.ExecContext(ctx, `UPDATE persons SET leaving = $1, subject_hmac = $2 WHERE id = $3 AND kind = 'owner' AND leaving = 0`,
			micros(v.store.now()), nobody, string(person))
		return err
	})
	if err != nil {
		return fmt.Errorf("oauth: closing an account: %w", err)
	}
	return v.finishDeletion(ctx, person, why)
}

// finishDeletion does whatever is left to do for a person who is leaving.
func (v *Vault) finishDeletion(ctx context.Context, person policy.PersonID, why Reason) error {
	if _, err := v.store.endSessions(ctx, v.gate, string(why), `person = $1`, string(person)); err != nil {
		return err
	}
	mailboxes, err := v.column(ctx, `SELECT id FROM accounts WHERE person = $1 ORDER BY created, id`, string(person))
	if err != nil {
		return err
	}
	for _, id := range mailboxes {
		if err := v.leaveFor(ctx, policy.AccountID(id), person, why); err != nil {
			return err
		}
	}
	v.mu.Lock()
	purges := v.persons
	v.mu.Unlock()
	for _, purge := range purges {
		if err := purge(ctx, person); err != nil {
			return fmt.Errorf("oauth: purging a person: %w", err)
		}
	}
	// First the record, which is the journal for restored copies, then the row by which it is understood.
	err = v.gate.Record(ctx, policy.Lifecycle{
		Event: EventPersonDeleted, Actor: policy.Actor{Kind: policy.Owner, Person: person},
		Details: map[string]string{"reason": string(why), "mailboxes": strconv.Itoa(len(mailboxes))},
	})
	if err != nil {
		return err
	}
	return v.erasePerson(ctx, person)
}

// leaveFor ends one mailbox of a person who is leaving, whatever state it is in.
func (v *Vault) leaveFor(ctx context.Context, account policy.AccountID, person policy.PersonID, why Reason) error {
	facts, err := v.store.Account(ctx, account)
	if err != nil {
		return err
	}
	if facts.State != stateConnected {
		return v.resume(ctx, account)
	}
	return v.leave(ctx, departure{account: account, facts: facts, actor: policy.Actor{Kind: policy.Owner, Person: person}, why: why})
}

// erasePerson deletes the row and cuts the links to what is kept.
func (v *Vault) erasePerson(ctx context.Context, person policy.PersonID) error {
	err := v.store.db.Write(ctx, func(tx *sql.Tx) error {
		if err := v.store.consents.Unlink(ctx, tx, person); err != nil {
			return err
		}
		if err := unlinkRights(ctx, tx, person, micros(v.store.now())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM persons WHERE id = $1`, string(person)) // sessions that began meanwhile go with it
		return err
	})
	if err != nil {
		return fmt.Errorf("oauth: deleting a person: %w", err)
	}
	return nil
}

// Proven fails with ErrStepUp unless the session's person has just signed in once more.
func (o *Owners) Proven(session Session) error {
	if !session.Fresh(o.store.now()) {
		return ErrStepUp
	}
	return nil
}
