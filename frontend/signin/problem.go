package signin

import (
	"errors"
	"net/http"

	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy"
)

// problem is an error as a person sees it: what happened, what it means, what to do.
type problem struct {
	Status int
	Title  string
	Text   string
	Next   next
}

// next is the one thing that the page offers to do.
type next struct {
	Label  string
	Path   string
	Method string // "post" for a form, "get" for a link
}

var (
	signInAgain  = next{"Sign in with Google", SignInPath, "post"}
	connectAgain = next{"Try again", ConnectPath, "get"}
	staffAgain   = next{"Sign in again", StaffPath, "post"}
	goHome       = next{"Back to the start", "/", "get"}
)

// problems maps every kind of error that a person can meet. The first match counts.
var problems = []struct {
	err error
	problem
}{
	{oauth.ErrNoSession, problem{http.StatusUnauthorized, "You are not signed in", "Sign in first, then connect your mailbox.", signInAgain}},
	{errNotOwner, problem{http.StatusForbidden, "Staff accounts have no mailbox here", "You are signed in as a member of staff. To use your own mailbox, sign out and sign in with Google.", goHome}},
	{errNoStaff, problem{http.StatusNotFound, "There is no staff sign-in here", "This server is not connected to a staff directory.", goHome}},
	{errNoText, problem{http.StatusNotFound, "There is no such text", "This version of the text does not exist, or not in this language.", goHome}},
	{errTextChanged, problem{http.StatusConflict, "The text has changed", "What you agreed to is not the current text. Nothing was recorded. Please read it once more.", connectAgain}},
	{oauth.ErrCancelled, problem{http.StatusForbidden, "You said no, and that is fine", "Nothing was connected and nothing was stored. You can try again whenever you like.", next{}}},
	{oauth.ErrFlowExpired, problem{http.StatusBadRequest, "That took too long", "A sign-in must be finished within ten minutes. Please start again.", next{}}},
	{oauth.ErrFlow, problem{http.StatusBadRequest, "This sign-in cannot be continued", "It was used before, started in another browser, or cookies are blocked. Please start again in this browser.", next{}}},
	{oauth.ErrIssuer, problem{http.StatusBadRequest, "The answer came from somewhere else", "The reply names another sign-in service than the one we asked. Nothing was accepted. Please start again, and tell us if it happens again.", next{}}},
	{oauth.ErrIdentity, problem{http.StatusForbidden, "We could not confirm who you are", "The sign-in service's answer did not prove your identity, or its email address is not verified. Nothing was accepted.", next{}}},
	{oauth.ErrNoConsent, problem{http.StatusForbidden, "Your agreement is missing", "A mailbox is connected only after you have agreed to what is done with it. Nothing was connected.", connectAgain}},
	{oauth.ErrScopeRefused, problem{http.StatusForbidden, "The mailbox was not connected", "On Google's page the permission for Gmail was left unticked. Without it there is no mail to show. Nothing was stored; to connect, try again and tick it.", connectAgain}},
	{oauth.ErrNotOffline, problem{http.StatusBadGateway, "The mailbox was not connected", "Google did not give a lasting permission. Nothing was stored. Please try again.", connectAgain}},
	{oauth.ErrTaken, problem{http.StatusConflict, "This mailbox is already connected", "It was connected by someone who signed in with another Google account. Sign in with that account, or disconnect the mailbox there first.", goHome}},
	{oauth.ErrNoRole, problem{http.StatusForbidden, "You have no role here", "You are known to the staff directory, but none of your groups has a role in this product. Ask your administrator.", next{}}},
}

// problemFor names the problem; what to do next depends on where it happened.
func problemFor(path string, err error) problem {
	p := known(err)
	if p.Next == (next{}) {
		switch path {
		case StaffPath, StaffCallbackPath:
			p.Next = staffAgain
		case ConnectPath, ConnectCallbackPath:
			p.Next = connectAgain
		default:
			p.Next = signInAgain
		}
	}
	return p
}

func known(err error) problem {
	if p, ok := ofAgreement(err); ok {
		return p
	}
	for _, row := range problems {
		if errors.Is(err, row.err) {
			return row.problem
		}
	}
	var provider *oauth.ProviderError
	if errors.As(err, &provider) {
		return problem{http.StatusBadGateway, "The sign-in service does not answer", "It could not be reached or is not working. Please try again in a few minutes.", next{}}
	}
	var closed *policy.Closed
	if errors.As(err, &closed) {
		return problem{http.StatusServiceUnavailable, "Signing in is paused", "Every access is recorded before it happens, and the record cannot be written at the moment. Your mail is safe at Google. Please try again in a few minutes.", next{}}
	}
	return problem{http.StatusInternalServerError, "Something went wrong here", "That is our fault, not yours. Please try again.", next{}}
}

// problemPage is what problem.html shows.
type problemPage struct {
	common
	problem
}

func (s *pages) showProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemFor(r.URL.Path, err)
	if p.Status >= http.StatusInternalServerError {
		s.Log.ErrorContext(r.Context(), "sign-in page failed", "path", r.URL.Path, "status", p.Status, "error", err)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "60")
	}
	if err := s.render(w, p.Status, "problem.html", problemPage{s.common(p.Title), p}); err != nil {
		http.Error(w, p.Title, p.Status)
	}
}
