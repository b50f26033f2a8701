package signin

import (
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy"
)

func (s *pages) startSignIn(w http.ResponseWriter, r *http.Request) error {
	target, err := s.Owners.StartSignIn(r.Context(), flowBrowser(w, r))
	if err != nil {
		return err
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// finishSignIn begins the session. Someone without a mailbox is led to connect one.
func (s *pages) finishSignIn(w http.ResponseWriter, r *http.Request) error {
	who, err := s.Owners.FinishSignIn(r.Context(), knownBrowser(r), r.URL.Query())
	if err != nil {
		return err
	}
	if _, err := s.Sessions.Begin(w, r, who); err != nil {
		return err
	}
	accounts, err := s.Owners.Accounts(r.Context(), who.Person())
	if err != nil {
		return err
	}
	next := "/"
	if len(accounts) == 0 {
		next = ConnectPath
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// errNotOwner: a member of staff asks for something that belongs to owners.
var errNotOwner = errors.New("signin: staff have no mailbox here")

// errTextChanged: the disclosure that was agreed to is not the one of now.
var errTextChanged = errors.New("signin: another text was shown")

// owner returns the session of a mailbox owner.
func (s *pages) owner(r *http.Request) (oauth.Session, error) {
	session, err := s.Sessions.Current(r)
	if err == nil && session.Kind != policy.Owner {
		err = errNotOwner
	}
	return session, err
}

// disclosurePage is what connect.html shows.
type disclosurePage struct {
	common
	Text   disclosureText
	Scopes []string
	Email  string // who is signed in
	Wait   *oauth.Account
	Renews bool   // agreeing is all that Wait needs
	Date   string // when the text changes for Wait; "" for no such day
}

// showDisclosure shows what will be done with the mailbox, before Google is asked (DISC-1, DISC-2). Nothing
// is recorded by looking at it.
func (s *pages) showDisclosure(w http.ResponseWriter, r *http.Request) error {
	session, err := s.owner(r)
	if err != nil {
		return err
	}
	accounts, err := s.Owners.Accounts(r.Context(), session.Person)
	if err != nil {
		return err
	}
	page := disclosurePage{
		common: s.common("Connect a mailbox"),
		Text:   disclosureText{s.Disclosure, hex.EncodeToString(s.Disclosure.SHA256[:])},
		Scopes: s.Owners.Scopes(), Email: session.Email, Wait: waiting(r, accounts),
	}
	if page.Wait != nil {
		page.Renews = renews(*page.Wait)
		if !page.Wait.Changes.IsZero() {
			page.Date = page.Wait.Changes.Format(day)
		}
	}
	return s.render(w, http.StatusOK, "connect.html", page)
}

// waiting finds the mailbox that the page is about: the one named in the address, or else the first one that
// needs something of its owner. It is nil when a new one is to be connected.
func waiting(r *http.Request, accounts []oauth.Account) *oauth.Account {
	asked := r.FormValue("account")
	for _, a := range accounts {
		if string(a.ID) == asked || asked == "" && a.NeedsOwner() {
			return &a
		}
	}
	return nil
}

// hint is the address of the mailbox that is to be connected: the one that waits, or the owner's own if it
// is not connected yet. Otherwise Google asks which.
func hint(session oauth.Session, wait *oauth.Account, accounts []oauth.Account) string {
	if wait != nil {
		return wait.Email
	}
	if slices.ContainsFunc(accounts, func(a oauth.Account) bool { return a.Email == session.Email }) {
		return ""
	}
	return session.Email
}

// agree records the consent to the text that was shown, and only then goes to Google.
func (s *pages) agree(w http.ResponseWriter, r *http.Request) error {
	session, err := s.owner(r)
	if err != nil {
		return err
	}
	if !s.sameText(r.PostFormValue("version"), r.PostFormValue("sha256")) {
		return errTextChanged
	}
	accounts, err := s.Owners.Accounts(r.Context(), session.Person)
	if err != nil {
		return err
	}
	wait := waiting(r, accounts)
	record, err := s.Owners.Agree(r.Context(), session, s.Disclosure)
	if err != nil {
		return err
	}
	if wait != nil && renews(*wait) {
		if err := s.Owners.Renew(r.Context(), session, record, wait.ID); err != nil {
			return err
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	target, err := s.Owners.StartConnect(r.Context(), flowBrowser(w, r), session, record, hint(session, wait, accounts))
	if err != nil {
		return err
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// renews tells whether agreeing is all that the mailbox needs: Google's permission stands.
func renews(a oauth.Account) bool {
	return a.State == oauth.ConsentRequired || a.State == oauth.Connected && !a.Changes.IsZero()
}

// sameText tells whether the form was shown with the text of now.
func (s *pages) sameText(version, digest string) bool {
	want := hex.EncodeToString(s.Disclosure.SHA256[:])
	return version == strconv.Itoa(s.Disclosure.Version) && subtle.ConstantTimeCompare([]byte(digest), []byte(want)) == 1
}

func (s *pages) finishConnect(w http.ResponseWriter, r *http.Request) error {
	session, err := s.owner(r)
	if err != nil {
		return err
	}
	if _, err := s.Owners.FinishConnect(r.Context(), knownBrowser(r), session, r.URL.Query()); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
