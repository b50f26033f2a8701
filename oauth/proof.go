package oauth

import (
	"bytes"
	"context"
	"errors"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/totalengage/webmail/policy"
)

// ErrAnotherPerson: the sign-in is somebody else's than the session's.
var ErrAnotherPerson = errors.New("oauth: somebody else signed in")

// StartProof returns where to send the browser for the owner to agree that staff see messages (DESIGN 4.1, 20):
// a sign-in whose nonce is the agreement's hash, so that the ID token it ends with proves who agreed to what.
// The person picks the account and agrees on the provider's page; whether the provider asks for the password
// again is its own choice.
func (o *Owners) StartProof(ctx context.Context, browser string, session Session, a policy.Agreement) (string, error) {
	if session.Kind != policy.Owner || session.hash == nil {
		return "", ErrNoSession
	}
	f := flow{Nonce: a.Nonce(), Session: session.hash, Agreement: a.ID, Messages: a.Messages}
	return o.startAgain(ctx, flowProof, browser, f, o.config.ProofRedirect, "consent select_account", session)
}

// maxAge asks the provider to have seen the person authenticate within so many seconds. A provider that knows
// max_age asks for the password again when it has not (OIDC Core 3.1.2.1); Google decides by itself.
const maxAge = "300"

// startAgain starts a sign-in of somebody who is signed in.
func (o *Owners) startAgain(ctx context.Context, kind, browser string, f flow, redirect, prompt string, session Session) (string, error) {
	if redirect == "" {
		return "", errors.New("oauth: no callback is configured for this sign-in")
	}
	state, f, err := o.store.startFlow(ctx, kind, browser, f)
	if err != nil {
		return "", err
	}
	return o.provider.authURL(ctx, state, f, redirect, []string{"openid", "email"},
		oauth2.SetAuthURLParam("prompt", prompt), oauth2.SetAuthURLParam("max_age", maxAge), oauth2.SetAuthURLParam("login_hint", session.Email))
}

// Proven is an agreement that its owner has just signed in over.
type Proven struct {
	Agreement string // id
	Messages  []policy.AgreedMessage
	Token     string // the ID token: the proof to keep
}

// FinishProof takes the provider's reply. The agreement is in force only when its keeper has verified the token
// and recorded it.
func (o *Owners) FinishProof(ctx context.Context, browser string, session Session, query url.Values) (Proven, error) {
	f, who, err := o.finishAgain(ctx, flowProof, browser, o.config.ProofRedirect, session, query)
	if err != nil {
		o.failures.record(ctx, flowProof, err)
		return Proven{}, err
	}
	return Proven{f.Agreement, f.Messages, who.raw}, nil
}

// finishAgain takes the reply to startAgain: it must be the same person, in the same session.
func (o *Owners) finishAgain(ctx context.Context, kind, browser, redirect string, session Session, query url.Values) (flow, identity, error) {
	r, err := o.store.finishFlow(ctx, kind, browser, o.provider.issuer, query)
	if err != nil {
		return flow{}, identity{}, err
	}
	if session.Kind != policy.Owner || session.hash == nil || !bytes.Equal(r.flow.Session, session.hash) {
		return flow{}, identity{}, ErrFlow // somebody else has signed in meanwhile
	}
	_, who, err := o.provider.exchange(ctx, r.flow, redirect, r.code)
	if err != nil {
		return flow{}, identity{}, err
	}
	person, err := o.store.knownPerson(ctx, personOwner, o.provider.issuer, who.subject)
	if err != nil && !errors.Is(err, policy.ErrUnknown) {
		return flow{}, identity{}, err
	}
	if person == "" || person != session.Person {
		return flow{}, identity{}, ErrAnotherPerson
	}
	return r.flow, who, nil
}

// Prover verifies the sign-ins by which owners agree: the policy gate asks it at every view.
type Prover struct {
	store    *Store
	provider *Provider
}

var _ policy.Prover = (*Prover)(nil)

// Prover returns the verifier of agreements that were signed in over at Google.
func (s *Store) Prover(google *Provider) *Prover { return &Prover{s, google} }

// Prove implements policy.Prover. The token's signature, issuer, audience and party are verified with the
// provider's keys of now; a token whose key the provider no longer publishes proves nothing after a restart.
// Its lifetime is not checked, because an agreement ends by its own window. It fails with ErrIdentity.
func (p *Prover) Prove(ctx context.Context, idToken string) (policy.Proof, error) {
	who, nonce, err := p.provider.verifyKept(ctx, idToken)
	if err != nil {
		return policy.Proof{}, err
	}
	person, err := p.store.knownPerson(ctx, personOwner, p.provider.issuer, who.subject)
	if errors.Is(err, policy.ErrUnknown) || errors.Is(err, errSwapped) {
		return policy.Proof{}, ErrIdentity
	}
	if err != nil {
		return policy.Proof{}, err
	}
	return policy.Proof{Owner: person, Nonce: nonce, IssuedAt: who.issued.UTC(), AuthTime: who.authTime}, nil
}

// verifyKept verifies an ID token that may have run out since.
func (p *Provider) verifyKept(ctx context.Context, raw string) (identity, string, error) {
	c, _, err := p.ready(ctx)
	if err != nil {
		return identity{}, "", err
	}
	p.mu.Lock()
	verifier := p.lasting
	p.mu.Unlock()
	id, err := verifier.Verify(oidc.ClientContext(ctx, p.http), raw)
	if err != nil {
		return identity{}, "", ErrIdentity // the cause quotes the token's claims
	}
	who, err := readIdentity(id, c.ClientID)
	return who, id.Nonce, err
}
