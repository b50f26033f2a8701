package oauth_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
)

// permission reads the refresh token as it leaves the server.
func permission(t *testing.T, w *World, ada *Visitor, account policy.AccountID) (token string) {
	t.Helper()
	w.Intercept(func(r *http.Request) *http.Response {
		if err := r.ParseForm(); err == nil && r.PostForm.Get("refresh_token") != "" {
			token = r.PostForm.Get("refresh_token")
		}
		r.Body, _ = r.GetBody()
		return nil
	})
	defer w.Intercept(nil)
	if _, err := w.Vault.Token(t.Context(), ada.Grant(account)); err != nil || token == "" {
		t.Fatalf("reading the refresh token: %v", err)
	}
	return token
}

// rows counts what the tables hold of any mailbox.
func rows(t *testing.T, w *World) map[string]int {
	t.Helper()
	got := map[string]int{}
	for _, table := range []string{"accounts", "data_keys", "tokens", "pending_revocations"} {
		var n int
		if err := w.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			got[table] = n
		}
	}
	return got
}

func TestDisconnect(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		account := ada.Connect(Ada)
		grant := ada.Grant(account)
		refresh := permission(t, w, ada, account)
		sealed, err := w.Store.Seal(t.Context(), account, "outbox.message", []byte("dear Bob"))
		if err != nil {
			t.Fatal(err)
		}
		var purged []policy.AccountID
		w.Vault.OnPurge(func(_ context.Context, id policy.AccountID) error {
			purged = append(purged, id)
			return nil
		})

		if err := w.Owners.Disconnect(t.Context(), ada.Session, account); err != nil {
			t.Fatal(err)
		}
		var refused *policy.NotCovered
		if _, err := w.Vault.Token(t.Context(), grant); !errors.As(err, &refused) {
			t.Errorf("an older grant: got %v, want NotCovered", err)
		}
		if !w.Google.Revoked(refresh) {
			t.Error("the permission was not revoked at Google")
		}
		if got := rows(t, w); len(got) != 0 {
			t.Errorf("rows left: %v", got)
		}
		if _, err := w.Store.Unseal(t.Context(), account, "outbox.message", sealed); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("what was sealed: got %v, want ErrUnknown", err)
		}
		if !slices.Equal(purged, []policy.AccountID{account}) {
			t.Errorf("purged %v, want the account once", purged)
		}
		if _, err := w.Store.Account(t.Context(), account); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("facts: got %v, want ErrUnknown", err)
		}
		latest, err := w.Consents.Latest(t.Context(), account)
		if err != nil || latest.Version != 0 {
			t.Errorf("latest consent: %+v %v, want a withdrawal", latest, err)
		}
		w.Advance(10 * time.Minute)
		if err := w.Vault.Maintain(t.Context()); err != nil || !slices.Equal(purged, []policy.AccountID{account, account}) {
			t.Errorf("ten minutes later: purged %v, %v; want once more, for requests that were under way", purged, err)
		}
		if err := w.Vault.Maintain(t.Context()); err != nil || len(purged) != 2 {
			t.Errorf("after that: purged %v, %v; want no more", purged, err)
		}
		events := w.Events()
		want := []string{oauth.EventAccountDisconnected, oauth.EventTokenRevoked, oauth.EventAccountErased}
		if !slices.Equal(events[len(events)-3:], want) {
			t.Errorf("got last events %v, want %v", events[len(events)-3:], want)
		}

		// The session goes on, and the same mailbox comes back as another account.
		if _, err := w.Sessions.Current(ada.Next()); err != nil {
			t.Errorf("the session after disconnecting: %v", err)
		}
		if again := ada.Connect(Ada); again == account {
			t.Error("connecting again found the erased account")
		}
	})
}

func TestDisconnectIsTheOwners(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		account := ada.Connect(Ada)
		bob := w.NewVisitor("bob's browser").SignIn(Bob)
		sam := w.NewVisitor("sam's browser").SignInStaff(Sam)
		for name, actor := range map[string]policy.Actor{
			"another owner": bob.Session.Actor(), "staff": sam.Session.Actor(), "nobody": {},
			"staff with the owner's number": {Kind: policy.Staff, Person: ada.Session.Person},
		} {
			if err := w.Vault.Disconnect(t.Context(), actor, account); !errors.Is(err, policy.ErrUnknown) {
				t.Errorf("%s: got %v, want ErrUnknown", name, err)
			}
		}
		if _, err := w.Vault.Token(t.Context(), ada.Grant(account)); err != nil {
			t.Errorf("the mailbox afterwards: %v", err)
		}
	})
}

func TestRevocationIsRetried(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		account := ada.Connect(Ada)
		refresh := permission(t, w, ada, account)
		down := func(r *http.Request) *http.Response {
			if r.URL.Path == "/revoke" {
				return Answer(503, "")
			}
			return nil
		}
		w.Intercept(down)
		if err := w.Owners.Disconnect(t.Context(), ada.Session, account); err != nil {
			t.Fatalf("Google being away is no reason to fail: %v", err)
		}
		if got := rows(t, w); len(got) != 1 || got["pending_revocations"] != 1 {
			t.Errorf("rows left: %v, want one pending revocation", got)
		}
		if err := w.Vault.Maintain(t.Context()); err != nil || w.Google.Revoked(refresh) {
			t.Errorf("before it is due: %v, revoked %v", err, w.Google.Revoked(refresh))
		}
		w.Advance(2 * time.Minute)
		if err := w.Vault.Maintain(t.Context()); err == nil {
			t.Error("Maintain hid that Google is still away")
		}
		w.Intercept(nil)
		w.Advance(5 * time.Minute)
		if err := w.Vault.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := rows(t, w); len(got) != 0 || !w.Google.Revoked(refresh) {
			t.Errorf("rows left: %v, revoked %v; want none, true", got, w.Google.Revoked(refresh))
		}
		if n := count(w.Events(), oauth.EventTokenRevoked); n != 1 {
			t.Errorf("got %d events %s, want 1", n, oauth.EventTokenRevoked)
		}
	})
}

// TestInterruptedDisconnect: a store that cannot be purged keeps the account closed, and Maintain finishes.
func TestInterruptedDisconnect(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		account := ada.Connect(Ada)
		grant := ada.Grant(account)
		broken := errors.New("the outbox is away")
		fault := broken
		w.Vault.OnPurge(func(context.Context, policy.AccountID) error { return fault })

		if err := w.Owners.Disconnect(t.Context(), ada.Session, account); !errors.Is(err, broken) {
			t.Errorf("got %v, want the purge's error", err)
		}
		if _, err := w.Vault.Token(t.Context(), grant); err == nil {
			t.Error("a half disconnected mailbox still gives tokens")
		}
		var refused *policy.Refused
		if _, err := w.Authorize(w.Gate, ada.Session, account); !errors.As(err, &refused) {
			t.Errorf("a decision about it: got %v, want a refusal", err)
		}
		if list, err := w.Owners.Accounts(t.Context(), ada.Session.Person); err != nil || len(list) != 0 {
			t.Errorf("it is still listed: %v %v", list, err)
		}
		fault = nil
		if err := w.Vault.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := rows(t, w); len(got) != 0 {
			t.Errorf("rows left: %v", got)
		}
	})
}

// TestNothingInTheClear looks for tokens, addresses and names where they must not be: in the database files,
// the decision log and the server's log.
func TestNothingInTheClear(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		account := ada.Connect(Bob)
		refresh := permission(t, w, ada, account)
		access, err := w.Vault.Token(t.Context(), ada.Grant(account))
		if err != nil {
			t.Fatal(err)
		}
		w.Intercept(func(r *http.Request) *http.Response {
			if r.URL.Path == "/revoke" {
				return Answer(500, refresh)
			}
			return nil
		})
		if err := w.Owners.Disconnect(t.Context(), ada.Session, account); err != nil {
			t.Fatal(err)
		}
		cookie := ada.Request.Cookies()[0].Value
		places := []struct{ name, content, control string }{
			{"the server's log", w.ServerLog.String(), "will be tried again"},
			{"the decision log", w.LogBytes(), oauth.EventAccountConnected},
			{"the database", dump(t, w), "withdrawn"},
		}
		for _, place := range places {
			if !strings.Contains(place.content, place.control) {
				t.Errorf("%s does not hold %q: the test looks in the wrong place", place.name, place.control)
			}
			for what, secret := range map[string]string{
				"the refresh token": refresh, "an access token": access, "the session cookie": cookie,
				"an address": "ada.lovelace", "the mailbox": "bob.kahn", "a name": "Lovelace",
			} {
				if strings.Contains(place.content, secret) || strings.Contains(place.content, hex.EncodeToString([]byte(secret))) {
					t.Errorf("%s holds %s", place.name, what)
				}
			}
		}
	})
}
