package oauth

import (
	"errors"
	"fmt"
)

// What can go wrong between a person, this server and a provider. No error of this package holds a token, an
// address or a provider's own words.
var (
	// ErrFlow: the reply answers nothing that this server started in this browser: its state is unknown,
	// used before or another browser's, or it is malformed. Which one is nobody's business.
	ErrFlow = errors.New("oauth: the reply belongs to no sign-in started in this browser")
	// ErrFlowExpired: the reply came later than ten minutes after the start.
	ErrFlowExpired = errors.New("oauth: the sign-in took too long")
	// ErrIssuer: the reply names another provider than the one that was asked (RFC 9207).
	ErrIssuer = errors.New("oauth: the reply is another provider's")
	// ErrCancelled: the person said no at the provider.
	ErrCancelled = errors.New("oauth: the person declined")
	// ErrIdentity: the provider's ID token does not prove who this is.
	ErrIdentity = errors.New("oauth: the identity is not proven")
	// ErrNoConsent: there is no current consent to start from or to continue with (DISC-2).
	ErrNoConsent = errors.New("oauth: no current consent")
	// ErrScopeRefused: the person left out a permission that the mailbox cannot work without.
	ErrScopeRefused = errors.New("oauth: a needed permission was not granted")
	// ErrNotOffline: the provider gave no refresh token.
	ErrNotOffline = errors.New("oauth: the permission would end with this visit")
	// ErrTaken: the mailbox is connected by another person of this server.
	ErrTaken = errors.New("oauth: the mailbox is connected by someone else")
	// ErrNoRole: a member of staff without any role here.
	ErrNoRole = errors.New("oauth: no role in this product")
	// ErrNoSession: nobody is signed in.
	ErrNoSession = errors.New("oauth: no session")
	// ErrReconnect: the permission for the mailbox is gone; its owner must connect it again.
	ErrReconnect = errors.New("oauth: the mailbox must be connected again")
)

// ProviderError says that a provider could not be reached or answered with something else than it should.
// Trying again later may help.
type ProviderError struct {
	Op     string // what was attempted: discover, exchange, refresh, revoke
	Status int    // HTTP status of the answer; 0 when there was none
	Code   string // RFC 6749 error code, if it is one of those
}

func (e *ProviderError) Error() string {
	switch {
	case e.Code != "":
		return fmt.Sprintf("oauth: %s: the provider answered %s (%d)", e.Op, e.Code, e.Status)
	case e.Status != 0:
		return fmt.Sprintf("oauth: %s: the provider answered %d", e.Op, e.Status)
	}
	return fmt.Sprintf("oauth: %s: the provider cannot be reached", e.Op)
}
