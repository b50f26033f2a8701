package oauth

import (
	"context"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// GmailModify is the one Gmail scope the product asks for: read, organise, write and send, but not delete
// for good (MIN-1).
const GmailModify = "https://www.googleapis.com/auth/gmail.modify"

// OwnersConfig says how Google is asked.
type OwnersConfig struct {
	SignInRedirect  string   // callback URL of the sign-in, as registered at Google
	ConnectRedirect string   // callback URL of connecting; another one, so that replies cannot be swapped
	ProofRedirect   string   // callback URL of agreeing that staff see messages
	StepUpRedirect  string   // callback URL of the same person signing in once more
	Scopes          []string // what a mailbox needs; default GmailModify
	Disclosure      int      // version that a consent must have to start from; default consent.Current
}

// Owners is how mailbox owners sign in and connect their mailboxes.
type Owners struct {
	store    *Store
	gate     *policy.Gate
	vault    *Vault
	provider *Provider
	config   OwnersConfig
	failures *failures
}

// Owners returns the owners' sign-in at Google (or whatever stands for it).
func (s *Store) Owners(gate *policy.Gate, vault *Vault, google *Provider, c OwnersConfig) *Owners {
	if len(c.Scopes) == 0 {
		c.Scopes = []string{GmailModify}
	}
	if c.Disclosure == 0 {
		c.Disclosure = consent.Current
	}
	return &Owners{s, gate, vault, google, c, newFailures(gate)}
}

// AuthOrigin is where a browser is sent to sign in, for a form-action directive.
func (o *Owners) AuthOrigin() string { return o.provider.AuthOrigin() }

// Scopes lists the permissions that connecting asks for.
func (o *Owners) Scopes() []string { return slices.Clone(o.config.Scopes) }

// StartSignIn returns where to send the browser to learn who someone is; no mailbox is asked for. browser is
// the value of its flow cookie.
func (o *Owners) StartSignIn(ctx context.Context, browser string) (string, error) {
	state, f, err := o.store.startFlow(ctx, flowSignIn, browser, flow{})
	if err != nil {
		return "", err
	}
	return o.provider.authURL(ctx, state, f, o.config.SignInRedirect, []string{"openid", "email", "profile"},
		oauth2.SetAuthURLParam("prompt", "select_account"))
}

// FinishSignIn takes Google's reply: the proof with which a session begins.
func (o *Owners) FinishSignIn(ctx context.Context, browser string, query url.Values) (SignedIn, error) {
	who, err := o.finishSignIn(ctx, browser, query)
	if err != nil {
		o.failures.record(ctx, flowSignIn, err)
	}
	return who, err
}

func (o *Owners) finishSignIn(ctx context.Context, browser string, query url.Values) (SignedIn, error) {
	r, err := o.store.finishFlow(ctx, flowSignIn, browser, o.provider.issuer, query)
	if err != nil {
		return SignedIn{}, err
	}
	// The access token is dropped: it could read no mail, and nothing else is wanted.
	_, who, err := o.provider.exchange(ctx, r.flow, o.config.SignInRedirect, r.code)
	if err != nil {
		return SignedIn{}, err
	}
	person, err := o.store.person(ctx, personOwner, o.provider.issuer, who.subject)
	if err != nil {
		return SignedIn{}, err
	}
	return SignedIn{Session{Kind: policy.Owner, Person: person, Name: who.name, Email: who.email}}, nil
}

// Disconnect ends a mailbox of the signed-in owner; see [Vault.Disconnect].
func (o *Owners) Disconnect(ctx context.Context, session Session, account policy.AccountID) error {
	return o.vault.Disconnect(ctx, session.Actor(), account)
}
