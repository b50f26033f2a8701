package oauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
)

// current is who a request comes from, or nobody.
func current(t *testing.T, w *World, r *http.Request) string {
	t.Helper()
	session, err := w.Sessions.Current(r)
	if err != nil && !errors.Is(err, oauth.ErrNoSession) {
		t.Fatal(err)
	}
	return session.Email
}

func TestSessionCookie(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		address, err := w.Owners.StartSignIn(t.Context(), "b")
		if err != nil {
			t.Fatal(err)
		}
		who, err := w.Owners.FinishSignIn(t.Context(), "b", NewBrowser(t, nil).Agree(address, Ada).URL.Query())
		if err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		if _, err := w.Sessions.Begin(answer, httptest.NewRequest("GET", "/", nil), who); err != nil {
			t.Fatal(err)
		}
		cookies := answer.Result().Cookies()
		if len(cookies) != 1 {
			t.Fatalf("got %d cookies, want 1", len(cookies))
		}
		c := cookies[0]
		if c.Name != "__Host-sid" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 7*24*3600 {
			t.Errorf("got cookie %v", c.Raw)
		}
		if len(c.Value) < 22 {
			t.Errorf("the token has %d characters: less than 128 bits", len(c.Value))
		}
		if _, err := w.Sessions.Begin(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), oauth.SignedIn{}); err == nil {
			t.Error("a session began without a proof of who it is")
		}
	})
}

// TestSessionFixation: a token that an attacker planted before the sign-in is worth nothing after it.
func TestSessionFixation(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		attacker := w.NewVisitor("attacker").SignIn(Bob)
		planted := attacker.Request.Cookies()[0]

		victim := w.NewVisitor("victim")
		victim.Request = attacker.Next() // the victim's browser now has the attacker's cookie
		victim.SignIn(Ada)
		if got := victim.Request.Cookies()[0].Value; got == planted.Value {
			t.Error("signing in kept the planted token")
		}
		if got := current(t, w, attacker.Next()); got != "" {
			t.Errorf("the planted token is still %s's", got)
		}
		unknown := httptest.NewRequest("GET", "/", nil)
		unknown.AddCookie(&http.Cookie{Name: oauth.SessionCookie, Value: strings.Repeat("a", 43)})
		victim.Request = unknown
		victim.SignIn(Ada)
		if current(t, w, unknown) != "" || current(t, w, victim.Next()) != Ada {
			t.Error("an invented token became a session")
		}
	})
}

func TestSignOut(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		one, two, bob := w.NewVisitor("one").SignIn(Ada), w.NewVisitor("two").SignIn(Ada), w.NewVisitor("bob").SignIn(Bob)
		answer := httptest.NewRecorder()
		if err := w.Sessions.End(answer, one.Next()); err != nil {
			t.Fatal(err)
		}
		if got := answer.Header().Get("Clear-Site-Data"); !strings.Contains(got, `"storage"`) || strings.Contains(got, "cookies") {
			t.Errorf("Clear-Site-Data: %s", got)
		}
		if c := answer.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 || c[0].Value != "" || !c[0].Secure {
			t.Errorf("got cookies %v, want the session's removed", c)
		}
		if current(t, w, one.Next()) != "" || current(t, w, two.Next()) != Ada {
			t.Error("signing out ends this browser's session and no other")
		}
		if err := w.Sessions.End(httptest.NewRecorder(), one.Next()); err != nil {
			t.Errorf("signing out twice: %v", err)
		}
		one.SignIn(Ada)
		if err := w.Sessions.EndEverywhere(httptest.NewRecorder(), two.Next()); err != nil {
			t.Fatal(err)
		}
		if current(t, w, one.Next()) != "" || current(t, w, two.Next()) != "" || current(t, w, bob.Next()) != Bob {
			t.Error("signing out everywhere ends all sessions of the person and of nobody else")
		}
		if n := count(w.Events(), oauth.EventSessionEnded); n != 3 {
			t.Errorf("got %d events %s, want 3", n, oauth.EventSessionEnded)
		}
	})
}

func TestSessionExpiry(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		idle := w.NewVisitor("idle").SignIn(Ada)
		w.Advance(12*time.Hour - time.Minute)
		if current(t, w, idle.Next()) != Ada {
			t.Error("gone before 12 hours without use")
		}
		w.Advance(12*time.Hour - time.Minute)
		if current(t, w, idle.Next()) != Ada {
			t.Error("use does not keep the session")
		}
		w.Advance(12 * time.Hour)
		if current(t, w, idle.Next()) != "" {
			t.Error("alive after 12 hours without use")
		}

		busy := w.NewVisitor("busy").SignIn(Ada)
		for range 7 * 4 {
			if current(t, w, busy.Next()) != Ada {
				t.Fatal("gone before 7 days")
			}
			w.Advance(6 * time.Hour)
		}
		if current(t, w, busy.Next()) != "" {
			t.Error("alive after 7 days")
		}
		if !strings.Contains(w.LogBytes(), `"reason":"idle"`) || !strings.Contains(w.LogBytes(), `"reason":"absolute"`) {
			t.Error("the log does not say why the sessions ended")
		}
	})
}

// TestAlive: an open page is no use of the session, and notices when it ends.
func TestAlive(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada").SignIn(Ada)
		stream := ada.Next()
		for range 11 {
			w.Advance(time.Hour)
			if _, err := w.Sessions.Alive(stream); err != nil {
				t.Fatal(err)
			}
		}
		w.Advance(time.Hour)
		if _, err := w.Sessions.Alive(stream); !errors.Is(err, oauth.ErrNoSession) {
			t.Errorf("after 12 hours of an open page: got %v, want ErrNoSession", err)
		}
		ada.SignIn(Ada)
		stream = ada.Next()
		if err := w.Sessions.End(httptest.NewRecorder(), ada.Next()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Sessions.Alive(stream); !errors.Is(err, oauth.ErrNoSession) {
			t.Errorf("after signing out elsewhere: got %v, want ErrNoSession", err)
		}
	})
}

func TestPurge(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		w.NewVisitor("old").SignIn(Ada)
		w.Advance(11 * time.Hour)
		bob := w.NewVisitor("new").SignIn(Bob)
		w.Advance(2 * time.Hour)
		if err := w.Sessions.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := column(t, w, `SELECT kind FROM sessions`); len(got) != 1 || current(t, w, bob.Next()) != Bob {
			t.Errorf("got %d sessions, want Bob's alone", len(got))
		}
	})
}

// TestSessionRowsAreBound: whoever can write the database cannot give a session other roles or another person.
func TestSessionRowsAreBound(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		sam, ann := w.NewVisitor("sam").SignInStaff(Sam), w.NewVisitor("ann").SignInStaff(Ann)
		for _, forgery := range []struct {
			name, statement string
			visitor         *Visitor
		}{
			{"Ann's data in Sam's row", `UPDATE sessions SET data = (SELECT data FROM sessions WHERE kind = 'auditor') WHERE kind = 'staff'`, sam},
			{"Ann as an owner", `UPDATE sessions SET kind = 'owner' WHERE kind = 'auditor'`, ann},
		} {
			w.Exec(forgery.statement)
			if session, err := w.Sessions.Current(forgery.visitor.Next()); err == nil {
				t.Errorf("%s: got %+v, want an error", forgery.name, session)
			}
		}
	})
}
