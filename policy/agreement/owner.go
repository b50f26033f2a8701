package agreement

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/totalengage/webmail/policy"
)

// Propose returns what the owner signs to agree to these messages: its nonce goes into the owner's sign-in.
// Nothing changes by it.
func (d *Desk) Propose(ctx context.Context, owner policy.Actor, id string, chosen []policy.AgreedMessage) (policy.Agreement, error) {
	r, err := d.read(ctx, id)
	if err != nil {
		return policy.Agreement{}, err
	}
	if err := d.owns(ctx, owner, r.Account); err != nil {
		return policy.Agreement{}, err
	}
	if r, err = d.settle(ctx, r); err != nil {
		return policy.Agreement{}, err
	}
	switch r.State {
	case Pending:
	case Expired:
		return policy.Agreement{}, ErrExpired
	default:
		return policy.Agreement{}, &Answered{r.State}
	}
	messages, err := r.choose(chosen)
	if err != nil {
		return policy.Agreement{}, err
	}
	return r.agreement(messages), nil
}

// clockSkew is how far the owner's identity provider may be behind or ahead.
const clockSkew = time.Minute

// Agree keeps the owner's agreement: the ID token of a sign-in over exactly this request with exactly these
// messages. It fails with ErrUnproven for any other token.
func (d *Desk) Agree(ctx context.Context, owner policy.Actor, id string, chosen []policy.AgreedMessage, idToken string) (Request, error) {
	proof, err := d.prover.Prove(ctx, idToken)
	if err != nil {
		return Request{}, fmt.Errorf("%w: %w", ErrUnproven, err)
	}
	return d.take(ctx, id, step{
		event: EventAgreed, by: owner, from: []State{Pending}, to: Active, check: d.ownerOf(ctx, owner),
		edit: func(r *Request) (err error) {
			if r.Messages, err = r.choose(chosen); err != nil {
				return err
			}
			nonce := r.agreement(r.Messages).Nonce()
			early, late := r.Asked.Add(-clockSkew), r.changed.Add(clockSkew)
			switch {
			case proof.Owner != owner.Person, subtle.ConstantTimeCompare([]byte(proof.Nonce), []byte(nonce)) != 1:
				return ErrUnproven
			case proof.IssuedAt.Before(early), proof.IssuedAt.After(late):
				return ErrUnproven
			}
			r.Agreed, r.Ends, r.proof = proof.IssuedAt.UTC(), proof.IssuedAt.UTC().Add(r.Window), idToken
			return nil
		},
	})
}

// Refuse says no, or takes an offer back.
func (d *Desk) Refuse(ctx context.Context, owner policy.Actor, id, note string) (Request, error) {
	return d.take(ctx, id, step{
		event: EventRefused, by: owner, from: []State{Offered, Requested, Pending}, to: Refused, check: d.ownerOf(ctx, owner), edit: answer(note),
	})
}

// Revoke ends an agreement at once: what staff fetch next is refused, on every node.
func (d *Desk) Revoke(ctx context.Context, owner policy.Actor, id, note string) (Request, error) {
	return d.take(ctx, id, step{
		event: EventRevoked, by: owner, from: []State{Active}, to: Revoked, check: d.ownerOf(ctx, owner), edit: answer(note),
	})
}

func answer(note string) func(*Request) error {
	return func(r *Request) (err error) {
		r.Answer, err = checkText("note", note, maxNote, false)
		return err
	}
}

// ownerOf is the owner of the mailbox that a request is about; for anyone else there is no such request.
func (d *Desk) ownerOf(ctx context.Context, actor policy.Actor) func(Request) error {
	return func(r Request) error { return d.owns(ctx, actor, r.Account) }
}
