package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// personal counts the rows that are about some owner.
func personal(t *testing.T, w *World) map[string]string {
	t.Helper()
	got := map[string]string{}
	for name, query := range map[string]string{
		"persons": `SELECT id FROM persons WHERE kind = 'owner'`, "sessions": `SELECT person FROM sessions WHERE kind = 'owner'`,
		"accounts": `SELECT id FROM accounts`, "data_keys": `SELECT account FROM data_keys`, "tokens": `SELECT account FROM tokens`,
		"pending_revocations": `SELECT id FROM pending_revocations`, "consents": `SELECT id FROM consents WHERE person <> '' OR account <> ''`,
		"rights": `SELECT id FROM rights_requests WHERE person <> '' OR details IS NOT NULL`,
	} {
		if rows := column(t, w, query); len(rows) > 0 {
			got[name] = strings.Join(rows, " ")
		}
	}
	return got
}

// stepped is the visitor's session just after signing in once more.
func stepped(w *World, v *Visitor) oauth.Session {
	session := v.Session
	session.SteppedUp = w.Now()
	return session
}

func TestDelete(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		phone := w.NewVisitor("ada's phone").SignIn(Ada)
		first, second := ada.Connect(Ada), ada.Connect(Bob)
		refresh := permission(t, w, ada, first)
		rights := w.Store.Rights(w.Gate)
		for _, right := range []oauth.Right{oauth.RightErasure, oauth.RightObjection} {
			if _, err := rights.Ask(t.Context(), ada.Session, right, "", "please"); err != nil {
				t.Fatal(err)
			}
		}
		var mailboxes []policy.AccountID
		var people []policy.PersonID
		w.Vault.OnPurge(func(_ context.Context, id policy.AccountID) error { mailboxes = append(mailboxes, id); return nil })
		w.Vault.OnPersonPurge(func(_ context.Context, id policy.PersonID) error { people = append(people, id); return nil })

		if err := w.Owners.Delete(t.Context(), stepped(w, ada)); err != nil {
			t.Fatal(err)
		}
		if got := personal(t, w); len(got) != 0 {
			t.Errorf("left behind: %v", got)
		}
		if !w.Google.Revoked(refresh) {
			t.Error("the permission was not revoked at Google")
		}
		if !slices.Equal(mailboxes, []policy.AccountID{first, second}) || !slices.Equal(people, []policy.PersonID{ada.Session.Person}) {
			t.Errorf("purged mailboxes %v and persons %v", mailboxes, people)
		}
		for name, v := range map[string]*Visitor{"this browser": ada, "the phone": phone} {
			if _, err := w.Sessions.Current(v.Next()); !errors.Is(err, oauth.ErrNoSession) {
				t.Errorf("%s: got %v, want ErrNoSession", name, err)
			}
		}
		events := w.Events()
		if n := count(events, oauth.EventAccountErased); n != 2 || events[len(events)-1] != oauth.EventPersonDeleted {
			t.Errorf("got %d mailboxes erased and at last %s", n, events[len(events)-1])
		}
		states := column(t, w, `SELECT kind || ' ' || state || ' ' || how FROM rights_requests ORDER BY id`)
		if !slices.Equal(states, []string{"erasure answered product", "objection moot "}) {
			t.Errorf("requests ended as %q", states)
		}
		if n := len(column(t, w, `SELECT id FROM consents WHERE act = 'agreed'`)); n != 2 {
			t.Errorf("%d records of consent are kept as evidence, want 2 that name nobody", n)
		}
		if again := w.NewVisitor("ada's browser").SignIn(Ada); again.Session.Person == ada.Session.Person {
			t.Error("whoever signs in again is the deleted person")
		}
	})
}

// TestInterruptedDelete: whatever fails, the person is gone for everybody at once, and Maintain finishes.
func TestInterruptedDelete(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		ada.Connect(Ada)
		broken := errors.New("the outbox is away")
		fault := broken
		w.Vault.OnPurge(func(context.Context, policy.AccountID) error { return fault })
		if err := w.Owners.Delete(t.Context(), stepped(w, ada)); !errors.Is(err, broken) {
			t.Errorf("got %v, want the purge's error", err)
		}
		if _, err := w.Sessions.Current(ada.Next()); !errors.Is(err, oauth.ErrNoSession) {
			t.Errorf("the session: got %v, want ErrNoSession", err)
		}
		// Ada comes back before it is done: she is somebody new, and what is left of the deletion is not hers.
		again := w.NewVisitor("ada's browser").SignIn(Ada)
		fault = nil
		if err := w.Vault.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := personal(t, w); got["persons"] != string(again.Session.Person) || got["accounts"] != "" || got["consents"] != "" {
			t.Errorf("left behind: %v, want the new person only", got)
		}
		if _, err := w.Sessions.Current(again.Next()); err != nil {
			t.Errorf("the new session: %v", err)
		}
	})
}

func TestOnlyOwnersDelete(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		old := stepped(w, ada)
		w.Advance(oauth.FreshFor)
		for name, session := range map[string]oauth.Session{"a page left open": ada.Session, "an older sign-in": old} {
			if err := w.Owners.Delete(t.Context(), session); !errors.Is(err, oauth.ErrStepUp) {
				t.Errorf("%s: got %v, want ErrStepUp", name, err)
			}
		}
		if _, err := w.Sessions.Current(ada.Next()); err != nil {
			t.Errorf("after the refusals: %v", err)
		}
		sam := w.NewVisitor("sam's browser").SignInStaff(Sam)
		for name, session := range map[string]oauth.Session{"staff": sam.Session, "nobody": {}} {
			if err := w.Owners.Delete(t.Context(), session); !errors.Is(err, oauth.ErrNoSession) {
				t.Errorf("%s: got %v, want ErrNoSession", name, err)
			}
		}
	})
}

func TestWithdrawIsOneAct(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada, bob := w.NewVisitor("ada").SignIn(Ada), w.NewVisitor("bob").SignIn(Bob)
		account := ada.Connect(Ada)
		if err := w.Vault.Withdraw(t.Context(), bob.Session.Actor(), account); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("by another owner: got %v, want ErrUnknown", err)
		}
		if err := w.Vault.Withdraw(t.Context(), ada.Session.Actor(), account); err != nil {
			t.Fatal(err)
		}
		if latest, err := w.Consents.Latest(t.Context(), account); err != nil || latest.Act != consent.Withdrawn {
			t.Errorf("latest consent: %+v %v, want a withdrawal", latest, err)
		}
		if got := rows(t, w); len(got) != 0 {
			t.Errorf("rows left: %v", got)
		}
		if !strings.Contains(w.LogBytes(), string(oauth.ConsentWithdrawn)) {
			t.Error("the log does not say why")
		}
	})
}

// TestRefreshDuringDisconnect: Google's answer comes when the mailbox is already gone. Neither the access token
// nor a new permission may stay.
func TestRefreshDuringDisconnect(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		account := ada.Connect(Ada)
		grant := ada.Grant(account)
		var revoked []string
		w.Intercept(func(r *http.Request) *http.Response {
			if r.URL.Path == "/revoke" {
				if err := r.ParseForm(); err != nil {
					t.Error(err)
				}
				revoked = append(revoked, r.PostForm.Get("token"))
				return Answer(200, "{}")
			}
			if err := w.Owners.Disconnect(t.Context(), ada.Session, account); err != nil {
				t.Error(err)
			}
			return Answer(200, `{"access_token":"late","expires_in":3600,"token_type":"Bearer","refresh_token":"late too"}`)
		})
		var refused *policy.NotCovered
		if _, err := w.Vault.Token(t.Context(), grant); !errors.As(err, &refused) {
			t.Errorf("got %v, want NotCovered", err)
		}
		if w.Vault.Remembers(account) {
			t.Error("an access token of the closed mailbox is in memory")
		}
		if !slices.Contains(revoked, "late too") {
			t.Error("the permission that came late was not given back")
		}
		if got := rows(t, w); len(got) != 0 {
			t.Errorf("rows left: %v", got)
		}
	})
}

// backup copies the product's tables, as a copy of its database does; put brings the copy back. The decision
// log is another database in production and stays.
type backup struct {
	w      *World
	tables []string
}

func takeBackup(w *World) backup {
	b := backup{w, []string{"persons", "accounts", "data_keys", "tokens", "sessions", "consents", "deletions_made"}}
	for _, table := range b.tables {
		w.Exec(fmt.Sprintf(`CREATE TABLE backup_%s AS SELECT * FROM %s`, table, table))
	}
	return b
}

func (b backup) put() {
	for _, table := range slices.Backward(b.tables) {
		b.w.Exec(`DELETE FROM ` + table)
	}
	for _, table := range b.tables {
		b.w.Exec(fmt.Sprintf(`INSERT INTO %s SELECT * FROM backup_%s`, table, table))
	}
}

func TestRestoredCopy(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada, bob := w.NewVisitor("ada").SignIn(Ada), w.NewVisitor("bob").SignIn(Bob)
		adas := ada.Connect(Ada)
		bobs := bob.Connect(Bob)
		if n, m, err := w.Vault.Replay(t.Context()); n+m != 0 || err != nil {
			t.Errorf("without a copy: replayed %d, %d, %v", n, m, err)
		}
		copied := takeBackup(w)
		w.Advance(24 * time.Hour)
		if err := w.Owners.Delete(t.Context(), stepped(w, ada)); err != nil {
			t.Fatal(err)
		}
		w.Advance(24 * time.Hour)
		if n, m, err := w.Vault.Replay(t.Context()); n+m != 0 || err != nil {
			t.Errorf("after a deletion, without a copy: replayed %d, %d, %v", n, m, err)
		}

		copied.put()
		if _, err := w.Store.Account(t.Context(), adas); err != nil {
			t.Fatalf("the copy is not back: %v", err)
		}
		if n, m, err := w.Vault.Replay(t.Context()); n != 1 || m != 1 || err != nil {
			t.Errorf("replayed %d mailboxes and %d persons, %v; want one of each", n, m, err)
		}
		if _, err := w.Store.Account(t.Context(), adas); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("the deleted mailbox: got %v, want ErrUnknown", err)
		}
		if got := column(t, w, `SELECT id FROM persons WHERE kind = 'owner'`); !slices.Equal(got, []string{string(bob.Session.Person)}) {
			t.Errorf("persons: %v, want Bob alone", got)
		}
		if _, err := w.Store.Account(t.Context(), bobs); err != nil {
			t.Errorf("Bob's mailbox: %v", err)
		}
		if got := column(t, w, `SELECT person FROM sessions`); len(got) != 0 {
			t.Errorf("sessions of the copy go on: %v", got)
		}
		if n, m, err := w.Vault.Replay(t.Context()); n+m != 0 || err != nil {
			t.Errorf("a second time: replayed %d, %d, %v", n, m, err)
		}
	})
}

func TestRetain(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada").SignIn(Ada)
		refresh := permission(t, w, ada, ada.Connect(Ada))
		w.NewVisitor("sam").SignInStaff(Sam)
		if _, err := w.Owners.StartSignIn(t.Context(), "somebody"); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []time.Duration{0, oauth.LeastUnused - 1, oauth.UnusedTerm + 1} {
			if _, err := w.Vault.Retain(t.Context(), wrong); err == nil {
				t.Errorf("a term of %v was taken", wrong)
			}
		}
		w.Advance(oauth.UnusedTerm - 24*time.Hour)
		bob := w.NewVisitor("bob").SignIn(Bob)
		counts, err := w.Vault.Retain(t.Context(), oauth.UnusedTerm)
		if err != nil || counts["sign_ins"] != 0 || counts["accounts"] != 0 || counts["staff"] != 0 {
			// Starting a sign-in drops flows that are over, so there was none left to count.
			t.Errorf("a day before: %v %v, want nothing", counts, err)
		}
		if _, err := w.Owners.StartSignIn(t.Context(), "somebody"); err != nil {
			t.Fatal(err)
		}
		w.Advance(25 * time.Hour)
		counts, err = w.Vault.Retain(t.Context(), oauth.UnusedTerm)
		if err != nil || counts["sign_ins"] != 1 || counts["accounts"] != 1 || counts["staff"] != 1 {
			t.Errorf("after the term: %v %v, want one sign-in, one account and one of staff", counts, err)
		}
		if got := personal(t, w); got["persons"] != string(bob.Session.Person) || got["accounts"] != "" {
			t.Errorf("left behind: %v, want Bob alone", got)
		}
		if !w.Google.Revoked(refresh) {
			t.Error("the permission of the unused account was not revoked")
		}
	})
}

func TestRevocationsAreGivenUp(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada").SignIn(Ada)
		account := ada.Connect(Ada)
		w.Intercept(func(*http.Request) *http.Response { return Answer(503, "") })
		if err := w.Owners.Disconnect(t.Context(), ada.Session, account); err != nil {
			t.Fatal(err)
		}
		w.Advance(oauth.RevocationTerm + time.Minute)
		if counts, err := w.Vault.Retain(t.Context(), oauth.UnusedTerm); err != nil || counts["revocations"] != 1 {
			t.Errorf("got %v %v, want one revocation given up", counts, err)
		}
		if got := rows(t, w); len(got) != 0 {
			t.Errorf("rows left: %v", got)
		}
	})
}

// TestConsentFacts: the policy learns which version an owner agreed to first, which one holds, and when the one in
// force was announced (CHG-1, CHG-2).
func TestConsentFacts(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada").SignIn(Ada)
		account := ada.Connect(Ada)
		w.Exec(`UPDATE consents SET version = 1`) // as an earlier release recorded it
		facts, err := w.Store.Account(t.Context(), account)
		if err != nil || facts.Consent.Version != 1 || facts.Consent.First != 1 || !facts.Consent.Notified.Equal(w.Consents.Announced()) {
			t.Errorf("before: %+v %v", facts.Consent, err)
		}
		if err := w.Owners.Renew(t.Context(), ada.Session, ada.Consent(), account); err != nil {
			t.Fatal(err)
		}
		facts, err = w.Store.Account(t.Context(), account)
		if err != nil || facts.Consent.Version != consent.Current || facts.Consent.First != 1 {
			t.Errorf("after agreeing to the new text: %+v %v, want version %d, first 1", facts.Consent, err, consent.Current)
		}
		second := ada.Connect(Bob) // another mailbox of the same owner, who was there before
		if facts, err = w.Store.Account(t.Context(), second); err != nil || facts.Consent.First != 1 {
			t.Errorf("another mailbox: %+v %v, want first 1", facts.Consent, err)
		}
		bob := w.NewVisitor("bob").SignIn(Bob)
		if err := w.Owners.Disconnect(t.Context(), ada.Session, second); err != nil {
			t.Fatal(err)
		}
		if facts, err = w.Store.Account(t.Context(), bob.Connect(Bob)); err != nil || facts.Consent.First != consent.Current {
			t.Errorf("somebody new: %+v %v, want first %d", facts.Consent, err, consent.Current)
		}
	})
}

func TestBrowsers(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		w.NewVisitor("ada's phone").SignIn(Ada)
		w.NewVisitor("bob").SignIn(Bob)
		w.Advance(time.Minute)
		ada := w.NewVisitor("ada").SignIn(Ada)
		list, err := w.Sessions.Browsers(t.Context(), ada.Session)
		if err != nil || len(list) != 2 || !list[0].Current || list[1].Current || !list[1].Started.Before(list[0].Started) {
			t.Errorf("got %+v %v, want this browser and the phone", list, err)
		}
	})
}
