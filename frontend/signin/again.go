package signin

import (
	"errors"
	"net/http"

	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/agreement"
)

// Where an owner who has signed in once more goes on.
const (
	accessPage = "/settings/access"
	dataPage   = "/settings/privacy"
)

// finishProof takes the sign-in by which an owner agrees that staff see messages.
func (s *pages) finishProof(w http.ResponseWriter, r *http.Request) error {
	session, err := s.owner(r)
	if err != nil {
		return err
	}
	proven, err := s.Owners.FinishProof(r.Context(), knownBrowser(r), session, r.URL.Query())
	if err != nil {
		return err
	}
	if _, err := s.Desk.Agree(r.Context(), session.Actor(), proven.Agreement, proven.Messages, proven.Token); errors.Is(err, policy.ErrUnknown) {
		return errNoRequest
	} else if err != nil {
		return err
	}
	http.Redirect(w, r, accessPage, http.StatusSeeOther)
	return nil
}

// finishStepUp takes the sign-in of somebody who is signed in, before what cannot be undone.
func (s *pages) finishStepUp(w http.ResponseWriter, r *http.Request) error {
	session, err := s.owner(r)
	if err != nil {
		return err
	}
	what, err := s.Owners.FinishStepUp(r.Context(), knownBrowser(r), session, r.URL.Query())
	if err != nil {
		return err
	}
	http.Redirect(w, r, dataPage+"?confirmed="+what, http.StatusSeeOther) // a word of a closed set
	return nil
}

// errNoRequest: what was agreed to is gone.
var errNoRequest = errors.New("signin: there is no such request any more")

var backToAccess = next{"Back to the request", accessPage, "get"}

// ofAgreement names what can go wrong when an owner signs in once more.
func ofAgreement(err error) (problem, bool) {
	var answered *agreement.Answered
	switch {
	case errors.As(err, &answered):
		return problem{http.StatusConflict, "This was already answered", "The request is " + string(answered.State) + " now. Nothing was changed by this sign-in.", backToAccess}, true
	case errors.Is(err, agreement.ErrExpired):
		return problem{http.StatusGone, "The time to answer is over", "A request must be answered within twelve hours. Nobody sees anything.", backToAccess}, true
	case errors.Is(err, agreement.ErrUnproven):
		return problem{http.StatusForbidden, "This sign-in does not prove the agreement", "Google's answer does not match the request as it is now. Nothing was agreed to, and nobody sees anything.", backToAccess}, true
	case errors.Is(err, errNoRequest):
		return problem{http.StatusNotFound, "There is no such request", "It does not exist any more, or it is about a mailbox of somebody else.", backToAccess}, true
	case errors.Is(err, oauth.ErrAnotherPerson):
		return problem{http.StatusForbidden, "That was another Google account", "Sign in with the account that you are signed in with here. Nothing was agreed to or done.", goHome}, true
	}
	return problem{}, false
}
