package oauth_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
)

// TestStepUp: the session's person signs in once more, and for five minutes that counts.
func TestStepUp(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada").SignIn(Ada)
		if ada.Session.Fresh(w.Now()) {
			t.Error("a session that has just begun counts as stepped up")
		}
		stepUp := func(session oauth.Session, what, as string) (string, error) {
			address, err := w.Owners.StartStepUp(t.Context(), ada.Secret, session, what)
			if err != nil {
				return "", err
			}
			return w.Owners.FinishStepUp(t.Context(), ada.Secret, session, ada.Agree(address, as).URL.Query())
		}
		now := func() oauth.Session {
			session, err := w.Sessions.Current(ada.Next())
			if err != nil {
				t.Fatal(err)
			}
			return session
		}
		if _, err := stepUp(ada.Session, "marketing", Ada); !errors.Is(err, oauth.ErrFlow) {
			t.Errorf("for something unknown: %v", err)
		}
		if _, err := stepUp(w.NewVisitor("sam").SignInStaff(Sam).Session, "delete", Ada); !errors.Is(err, oauth.ErrNoSession) {
			t.Errorf("for staff: %v", err)
		}
		w.NewVisitor("bob").SignIn(Bob)
		if _, err := stepUp(ada.Session, "delete", Bob); !errors.Is(err, oauth.ErrAnotherPerson) || now().Fresh(w.Now()) {
			t.Errorf("with somebody else's account: %v, fresh %v", err, now().Fresh(w.Now()))
		}

		if what, err := stepUp(ada.Session, "delete", Ada); err != nil || what != "delete" {
			t.Fatalf("got %q %v, want delete", what, err)
		}
		session := now()
		if !session.Fresh(w.Now()) || session.AuthTime.IsZero() || session.Email != Ada || session.Person != ada.Session.Person {
			t.Errorf("after stepping up the session is %+v", session)
		}
		if ada.Session.Fresh(w.Now()) {
			t.Error("a copy of the session from before counts")
		}
		if other := w.NewVisitor("ada2").SignIn(Ada); other.Session.Fresh(w.Now()) {
			t.Error("another session of the same person counts")
		}
		w.Advance(oauth.FreshFor - time.Second)
		if !now().Fresh(w.Now().Add(-time.Second)) {
			t.Error("it ends before the five minutes are over")
		}
		w.Advance(time.Second)
		if now().Fresh(w.Now()) {
			t.Error("it still counts after five minutes")
		}
		if !slices.Contains(w.Events(), oauth.EventSessionSteppedUp) {
			t.Error("it is not in the log")
		}
	})
}
