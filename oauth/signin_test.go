package oauth_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		address, err := w.Owners.StartSignIn(t.Context(), "ada's browser")
		if err != nil {
			t.Fatal(err)
		}
		asked, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		q := asked.Query()
		if q.Get("scope") != "openid email profile" {
			t.Errorf("signing in asks for %q", q.Get("scope"))
		}
		if q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || len(q.Get("state")) < 22 || q.Get("response_type") != "code" {
			t.Errorf("PKCE, nonce, state or response type is missing: %v", q)
		}
		if q.Has("access_type") {
			t.Error("signing in asks for a lasting permission")
		}
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		if ada.Session.Kind != policy.Owner || ada.Session.Email != Ada || ada.Session.Name != "Ada Lovelace" || len(ada.Session.Roles) != 0 {
			t.Errorf("got session %+v", ada.Session)
		}
		again := w.NewVisitor("another browser").SignIn(Ada)
		bob := w.NewVisitor("bob's browser").SignIn(Bob)
		if again.Session.Person != ada.Session.Person || bob.Session.Person == ada.Session.Person {
			t.Error("the same Google account is one person, another is another")
		}
	})
}

// attempt is a sign-in that has come back from Google.
func attempt(w *World, browser, email string) url.Values {
	w.T.Helper()
	address, err := w.Owners.StartSignIn(w.T.Context(), browser)
	if err != nil {
		w.T.Fatal(err)
	}
	return NewBrowser(w.T, nil).Agree(address, email).URL.Query()
}

func TestForgedReplies(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		finish := func(browser string, q url.Values) error {
			_, err := w.Owners.FinishSignIn(t.Context(), browser, q)
			return err
		}
		with := func(q url.Values, name string, values ...string) url.Values {
			changed := url.Values{}
			for k, v := range q {
				changed[k] = slices.Clone(v)
			}
			if changed[name] = values; len(values) == 0 {
				changed.Del(name)
			}
			return changed
		}

		used := attempt(w, "ada", Ada)
		if err := finish("ada", used); err != nil {
			t.Fatal(err)
		}
		if err := finish("ada", used); !errors.Is(err, oauth.ErrFlow) {
			t.Errorf("replayed: got %v, want ErrFlow", err)
		}

		// The attacker signs in and makes the victim's browser bring the reply (login CSRF).
		attackers := attempt(w, "attacker", Bob)
		for _, browser := range []string{"ada", ""} {
			if err := finish(browser, attackers); !errors.Is(err, oauth.ErrFlow) {
				t.Errorf("another browser's state in %q: got %v, want ErrFlow", browser, err)
			}
		}
		// The attacker puts a stolen code into a flow of their own: PKCE stops it.
		stolen := attempt(w, "ada", Ada)
		if err := finish("attacker", with(attackers, "code", stolen.Get("code"))); !errors.Is(err, oauth.ErrFlow) {
			t.Errorf("a stolen code: got %v, want ErrFlow", err)
		}

		for name, test := range map[string]struct {
			change func(url.Values) url.Values
			want   error
		}{
			"no state":       {func(q url.Values) url.Values { return with(q, "state") }, oauth.ErrFlow},
			"unknown state":  {func(q url.Values) url.Values { return with(q, "state", "x") }, oauth.ErrFlow},
			"two states":     {func(q url.Values) url.Values { return with(q, "state", q.Get("state"), "x") }, oauth.ErrFlow},
			"no code":        {func(q url.Values) url.Values { return with(q, "code") }, oauth.ErrFlow},
			"another issuer": {func(q url.Values) url.Values { return with(q, "iss", "https://evil.example") }, oauth.ErrIssuer},
			"empty issuer":   {func(q url.Values) url.Values { return with(q, "iss", "") }, oauth.ErrIssuer},
			"declined":       {func(q url.Values) url.Values { return with(q, "error", "access_denied") }, oauth.ErrCancelled},
		} {
			if err := finish("ada", test.change(attempt(w, "ada", Ada))); !errors.Is(err, test.want) {
				t.Errorf("%s: got %v, want %v", name, err, test.want)
			}
		}

		late := attempt(w, "ada", Ada)
		w.Advance(oauth.FlowLife)
		if err := finish("ada", late); !errors.Is(err, oauth.ErrFlowExpired) {
			t.Errorf("late: got %v, want ErrFlowExpired", err)
		}

		// A reply to the sign-in is no reply to connecting or to the staff sign-in.
		other := attempt(w, "ada", Ada)
		if _, err := w.Staff.FinishSignIn(t.Context(), "ada", other); !errors.Is(err, oauth.ErrFlow) {
			t.Errorf("at the staff sign-in: got %v, want ErrFlow", err)
		}
		ada := w.NewVisitor("ada").SignIn(Ada)
		if _, err := w.Owners.FinishConnect(t.Context(), "ada", ada.Session, other); !errors.Is(err, oauth.ErrFlow) {
			t.Errorf("at connecting: got %v, want ErrFlow", err)
		}
		if n := count(w.Events(), oauth.EventSessionFailed); n < 10 {
			t.Errorf("got %d failed sign-ins in the log, want every one", n)
		}
	})
}

// TestFailuresAreThinned: whoever cannot sign in cannot fill the log either.
func TestFailuresAreThinned(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		for range 200 {
			if _, err := w.Owners.FinishSignIn(t.Context(), "x", url.Values{"state": {"x"}}); !errors.Is(err, oauth.ErrFlow) {
				t.Fatal(err)
			}
		}
		if n := count(w.Events(), oauth.EventSessionFailed); n == 0 || n > 150 {
			t.Errorf("got %d events for 200 failures, want some and not all", n)
		}
	})
}

func TestStaff(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		sam := w.NewVisitor("sam's browser").SignInStaff(Sam).Session
		if sam.Kind != policy.Staff || !slices.Equal(sam.Roles, []string{oauth.RoleApprover, oauth.RoleSupport}) || !sam.MFA {
			t.Errorf("Sam: got %+v, want staff with approver and support, by two factors", sam)
		}
		ann := w.NewVisitor("ann's browser").SignInStaff(Ann).Session
		if actor := ann.Actor(); actor.Kind != policy.Auditor || !slices.Equal(actor.Roles, []string{oauth.RoleAuditor}) || actor.MFA {
			t.Errorf("Ann: got %+v, want an auditor without a second factor", actor)
		}
		address, err := w.Staff.StartSignIn(t.Context(), "eve's browser")
		if err != nil {
			t.Fatal(err)
		}
		reply := NewBrowser(t, nil).Agree(address, Eve).URL.Query()
		if _, err := w.Staff.FinishSignIn(t.Context(), "eve's browser", reply); !errors.Is(err, oauth.ErrNoRole) {
			t.Errorf("Eve: got %v, want ErrNoRole", err)
		}
		if !strings.Contains(w.LogBytes(), `"mfa":"true","roles":"approver support"`) {
			t.Error("the log does not say with which roles Sam signed in")
		}
		if _, err := w.Owners.Agree(t.Context(), sam, w.Disclosure); !errors.Is(err, oauth.ErrNoSession) {
			t.Errorf("staff giving consent: got %v, want ErrNoSession", err)
		}
	})
}

func TestStaffRolesMustExist(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		if _, err := w.Store.Staff(w.Gate, w.Provider, oauth.StaffConfig{Roles: map[string]string{"g": "administrator"}}); err == nil {
			t.Error("a role that does not exist was accepted")
		}
	})
}

// TestReviewerKind: a role decides the capacity; auditor comes before reviewer.
func TestReviewerKind(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		for roles, want := range map[string]policy.ActorKind{
			"reviewer": policy.Reviewer, "auditor reviewer": policy.Auditor, "reviewer support": policy.Reviewer, "support": policy.Staff,
		} {
			w.SetGroups(Sam, strings.Fields(roles))
			if got := w.NewVisitor("b").SignInStaff(Sam).Session.Kind; got != want {
				t.Errorf("%s: got %s, want %s", roles, got, want)
			}
		}
	})
}

func TestConnect(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada").SignIn(Ada)
		consent := ada.Consent()
		address, err := w.Owners.StartConnect(t.Context(), "ada", ada.Session, consent, Ada)
		if err != nil {
			t.Fatal(err)
		}
		asked, _ := url.Parse(address)
		for name, want := range map[string]string{
			"scope": "openid email profile " + oauth.GmailModify, "access_type": "offline", "include_granted_scopes": "true",
			"prompt": "consent", "login_hint": Ada, "code_challenge_method": "S256",
		} {
			if got := asked.Query().Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		// The mailbox is the one that Google names, not the one that was hinted at.
		id, err := w.Owners.FinishConnect(t.Context(), "ada", ada.Session, NewBrowser(t, nil).Agree(address, Bob).URL.Query())
		if err != nil {
			t.Fatal(err)
		}
		list, err := w.Owners.Accounts(t.Context(), ada.Session.Person)
		if err != nil || len(list) != 1 {
			t.Fatalf("accounts: %v %v, want one", list, err)
		}
		if a := list[0]; a.ID != id || a.Email != Bob || a.Name != "Bob Kahn" || a.State != oauth.Connected || !slices.Contains(a.Scopes, oauth.GmailModify) {
			t.Errorf("got account %+v", a)
		}
		facts, err := w.Store.Account(t.Context(), id)
		if err != nil || facts.Owner != ada.Session.Person || facts.State != "connected" || facts.Consent.Version != w.Disclosure.Version || len(facts.LogKey) != 32 {
			t.Errorf("facts: %+v %v", facts, err)
		}
		record, err := w.Consents.Latest(t.Context(), id)
		if err != nil || record.ID != consent || record.SHA256 != w.Disclosure.SHA256 {
			t.Errorf("consent: %+v %v, want the one that was given", record, err)
		}
		if found, err := w.Store.AccountByEmail(t.Context(), strings.ToUpper(Bob)); err != nil || found != id {
			t.Errorf("by address: %v %v", found, err)
		}
		if _, err := w.Store.AccountByEmail(t.Context(), Ada); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("by an address that is not connected: got %v, want ErrUnknown", err)
		}

		// Bob himself comes later.
		bob := w.NewVisitor("bob").SignIn(Bob)
		page := bob.StartConnect(bob.Consent(), Bob)
		if _, err := w.Owners.FinishConnect(t.Context(), "bob", bob.Session, page.URL.Query()); !errors.Is(err, oauth.ErrTaken) {
			t.Errorf("a mailbox connected by somebody else: got %v, want ErrTaken", err)
		}
		if _, err := w.Vault.Token(t.Context(), ada.Grant(id)); err != nil {
			t.Errorf("refusing Bob ended Ada's permission: %v", err)
		}
	})
}

func TestConnectNeedsConsent(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada, bob := w.NewVisitor("ada").SignIn(Ada), w.NewVisitor("bob").SignIn(Bob)
		used := ada.Consent()
		page := ada.StartConnect(used, Ada)
		if _, err := w.Owners.FinishConnect(t.Context(), "ada", ada.Session, page.URL.Query()); err != nil {
			t.Fatal(err)
		}
		old := ada.Consent()
		w.Advance(time.Hour)
		for name, id := range map[string]string{"none": "", "unknown": "x", "Bob's": bob.Consent(), "used": used, "old": old} {
			if _, err := w.Owners.StartConnect(t.Context(), "ada", ada.Session, id, ""); !errors.Is(err, oauth.ErrNoConsent) {
				t.Errorf("%s: got %v, want ErrNoConsent", name, err)
			}
		}

		// The consent is gone when Google answers: the code must not be exchanged.
		id := ada.Consent()
		page = ada.StartConnect(id, Ada)
		w.Exec(`DELETE FROM consents WHERE id = $1`, id)
		asked := refreshes(w)
		if _, err := w.Owners.FinishConnect(t.Context(), "ada", ada.Session, page.URL.Query()); !errors.Is(err, oauth.ErrNoConsent) {
			t.Errorf("deleted meanwhile: got %v, want ErrNoConsent", err)
		}
		if asked.Load() != 0 {
			t.Error("the code was exchanged without a consent (DISC-2)")
		}
	})
}

// TestOldDisclosure: with a new version of the text, mailboxes go on, and their owner is told from when on it
// holds, until they have agreed to it.
func TestOldDisclosure(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada, bob := w.NewVisitor("ada").SignIn(Ada), w.NewVisitor("bob").SignIn(Bob)
		account := ada.Connect(Ada)
		newer := w.Disclosure
		newer.Version++
		owners := w.Store.Owners(w.Gate, w.Vault, w.Provider, oauth.OwnersConfig{
			SignInRedirect: SignInCallback, ConnectRedirect: ConnectCallback, Disclosure: newer.Version,
		})
		if _, err := owners.Agree(t.Context(), ada.Session, w.Disclosure); !errors.Is(err, oauth.ErrNoConsent) {
			t.Errorf("agreeing to the old text: got %v, want ErrNoConsent", err)
		}
		list, err := owners.Accounts(t.Context(), ada.Session.Person)
		if err != nil || len(list) != 1 || list[0].State != oauth.Connected || !list[0].Changes.Equal(w.Consents.Announced().Add(consent.Notice)) {
			t.Errorf("got %v %v, want one that changes 30 days after the announcement", list, err)
		}
		bobs, err := owners.Agree(t.Context(), bob.Session, newer)
		if err != nil {
			t.Fatal(err)
		}
		if err := owners.Renew(t.Context(), bob.Session, bobs, account); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("Bob agreeing for Ada: got %v, want ErrUnknown", err)
		}
		id, err := owners.Agree(t.Context(), ada.Session, newer)
		if err != nil {
			t.Fatal(err)
		}
		if err := owners.Renew(t.Context(), ada.Session, id, account); err != nil {
			t.Fatal(err)
		}
		list, err = owners.Accounts(t.Context(), ada.Session.Person)
		if err != nil || len(list) != 1 || list[0].NeedsOwner() {
			t.Errorf("after agreeing: got %v %v, want nothing to do", list, err)
		}
	})
}

func TestConnectInAnotherSession(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("shared").SignIn(Ada)
		page := ada.StartConnect(ada.Consent(), Ada)
		bob := w.NewVisitor("shared").SignIn(Bob)
		if _, err := w.Owners.FinishConnect(t.Context(), "shared", bob.Session, page.URL.Query()); !errors.Is(err, oauth.ErrFlow) {
			t.Errorf("got %v, want ErrFlow", err)
		}
		if got := rows(t, w); len(got) != 0 {
			t.Errorf("something was connected: %v", got)
		}
	})
}

func TestScopeRefused(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada").SignIn(Ada)
		page := ada.StartConnect(ada.Consent(), Ada, oauth.GmailModify)
		if _, err := w.Owners.FinishConnect(t.Context(), "ada", ada.Session, page.URL.Query()); !errors.Is(err, oauth.ErrScopeRefused) {
			t.Errorf("got %v, want ErrScopeRefused", err)
		}
		if got := rows(t, w); len(got) != 0 {
			t.Errorf("rows left: %v, want none: no account, and the useless permission given back", got)
		}
		if n := count(w.Events(), oauth.EventTokenRevoked); n != 1 {
			t.Errorf("got %d events %s, want 1", n, oauth.EventTokenRevoked)
		}
		if ada.Connect(Ada) == "" {
			t.Error("a second attempt fails")
		}
	})
}
