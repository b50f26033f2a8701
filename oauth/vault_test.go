package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// each runs a test over a fresh world on both engines.
func each(t *testing.T, test func(t *testing.T, w *World)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) { test(t, New(t, open(t))) })
}

// refreshes counts the refresh requests that leave the server.
func refreshes(w *World) *atomic.Int64 {
	var n atomic.Int64
	w.Intercept(func(r *http.Request) *http.Response {
		if r.URL.Path == "/token" {
			n.Add(1)
		}
		return nil
	})
	return &n
}

func TestToken(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		account := ada.Connect(Ada)
		asked := refreshes(w)

		token, err := w.Vault.Token(t.Context(), ada.Grant(account))
		if err != nil {
			t.Fatal(err)
		}
		info, ok := w.Google.Lookup(token)
		if !ok || info.Email != Ada || !slices.Contains(info.Scopes, oauth.GmailModify) {
			t.Errorf("Google knows the token as %v %v, want one for the mailbox with %s", info, ok, oauth.GmailModify)
		}
		again, err := w.Vault.Token(t.Context(), ada.Grant(account))
		if err != nil || again != token || asked.Load() != 1 {
			t.Errorf("second use: same token %v, error %v, %d refreshes; want the same, none, 1", again == token, err, asked.Load())
		}

		w.Vault.Invalidate(account, "another token")
		if again, _ = w.Vault.Token(t.Context(), ada.Grant(account)); again != token {
			t.Error("invalidating another token dropped this one")
		}
		w.Vault.Invalidate(account, token)
		again, err = w.Vault.Token(t.Context(), ada.Grant(account))
		if err != nil || again == token {
			t.Errorf("after a 401: error %v, same token %v; want a new one", err, again == token)
		}

		w.Advance(time.Hour)
		last, err := w.Vault.Token(t.Context(), ada.Grant(account))
		if err != nil || last == again {
			t.Errorf("after its hour: error %v, same token %v; want a new one", err, last == again)
		}
	})
}

func TestTokenNeedsAGrant(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		account := ada.Connect(Ada)
		foreign, err := w.Authorize(w.NewGate(), ada.Session, account)
		if err != nil {
			t.Fatal(err)
		}
		old := ada.Grant(account)
		if err := w.Store.RaiseEpoch(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		expired := ada.Grant(account)
		w.Advance(time.Minute)
		asked := refreshes(w)
		for name, grant := range map[string]*policy.Grant{
			"none": nil, "zero": {}, "of another gate": foreign, "of an older epoch": old, "expired": expired,
		} {
			token, err := w.Vault.Token(t.Context(), grant)
			var refused *policy.NotCovered
			if token != "" || !errors.As(err, &refused) {
				t.Errorf("%s: got a token %v and error %v, want none and NotCovered", name, token != "", err)
			}
		}
		if n := asked.Load(); n != 0 {
			t.Errorf("%d refreshes for grants that cover nothing", n)
		}
	})
}

func TestTokenRefreshedOnce(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		grant := ada.Grant(ada.Connect(Ada))

		const callers = 16
		var asked atomic.Int64
		arrived, release := make(chan struct{}, callers), make(chan struct{})
		w.Intercept(func(r *http.Request) *http.Response {
			if r.URL.Path == "/token" {
				asked.Add(1)
				arrived <- struct{}{}
				<-release
			}
			return nil
		})
		tokens := make([]string, callers)
		errs := make([]error, callers)
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() { tokens[i], errs[i] = w.Vault.Token(t.Context(), grant) })
		}
		<-arrived // one refresh is under way; whoever comes now joins it or finds its token
		close(release)
		wg.Wait()
		for i := range callers {
			if errs[i] != nil || tokens[i] != tokens[0] || tokens[i] == "" {
				t.Fatalf("caller %d: error %v, same token %v", i, errs[i], tokens[i] == tokens[0])
			}
		}
		if asked.Load() != 1 {
			t.Errorf("got %d refreshes for %d callers, want 1", asked.Load(), callers)
		}
	})
}

// TestRejectedPermission: access that its owner took back at Google ends the mailbox here as disconnecting does.
func TestRejectedPermission(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		account := ada.Connect(Ada)
		var purged []policy.AccountID
		w.Vault.OnPurge(func(_ context.Context, id policy.AccountID) error {
			purged = append(purged, id)
			return nil
		})
		w.Google.RevokeUser(Ada)
		asked := refreshes(w)
		if _, err := w.Vault.Token(t.Context(), ada.Grant(account)); !errors.Is(err, oauth.ErrReconnect) {
			t.Fatalf("got %v, want ErrReconnect", err)
		}
		if asked.Load() != 1 {
			t.Errorf("a rejected permission was tried %d times, want once", asked.Load())
		}
		if got := rows(t, w); len(got) != 0 || !slices.Equal(purged, []policy.AccountID{account}) {
			t.Errorf("rows left %v, purged %v; want none, the account", got, purged)
		}
		if list, err := w.Owners.Accounts(t.Context(), ada.Session.Person); err != nil || len(list) != 0 {
			t.Errorf("accounts: %v %v, want none", list, err)
		}
		if latest, err := w.Consents.Latest(t.Context(), account); err != nil || latest.Act != consent.Withdrawn {
			t.Errorf("latest consent: %+v %v, want a withdrawal", latest, err)
		}
		if !strings.Contains(w.LogBytes(), string(oauth.AccessWithdrawn)) {
			t.Error("the log does not say why")
		}
		again := ada.Connect(Ada)
		if _, err := w.Vault.Token(t.Context(), ada.Grant(again)); err != nil || again == account {
			t.Errorf("after connecting again: %v, the same account %v", err, again == account)
		}
	})
}

// TestRejectedAfterConnectingAgain: a rejection of the old permission does not end the mailbox that has a new one.
func TestRejectedAfterConnectingAgain(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		account := ada.Connect(Ada)
		grant := ada.Grant(account)
		w.Intercept(func(r *http.Request) *http.Response {
			if r.URL.Path != "/token" {
				return nil
			}
			w.Intercept(nil)
			ada.Connect(Ada)
			return Answer(400, `{"error":"invalid_grant"}`)
		})
		if _, err := w.Vault.Token(t.Context(), grant); !errors.Is(err, oauth.ErrReconnect) {
			t.Errorf("the old permission: got %v, want ErrReconnect", err)
		}
		if _, err := w.Vault.Token(t.Context(), ada.Grant(account)); err != nil {
			t.Errorf("the new permission: %v", err)
		}
	})
}

func TestProviderOutage(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		grant := ada.Grant(ada.Connect(Ada))
		const secret = "a refresh token repeated by a confused server"
		w.Intercept(func(*http.Request) *http.Response { return Answer(503, `{"error":"`+secret+`"}`) })
		_, err := w.Vault.Token(t.Context(), grant)
		var failure *oauth.ProviderError
		if !errors.As(err, &failure) || failure.Status != 503 || strings.Contains(err.Error(), secret) {
			t.Errorf("got %v, want a ProviderError with 503 and nothing of the answer", err)
		}
		w.Intercept(nil)
		if _, err := w.Vault.Token(t.Context(), grant); err != nil {
			t.Errorf("after the outage: %v", err)
		}
	})
}

func TestRotatedPermission(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada's browser").SignIn(Ada)
		account := ada.Connect(Ada)
		w.Intercept(func(r *http.Request) *http.Response {
			return Answer(200, `{"access_token":"first","expires_in":3600,"token_type":"Bearer","refresh_token":"the next one"}`)
		})
		if _, err := w.Vault.Token(t.Context(), ada.Grant(account)); err != nil {
			t.Fatal(err)
		}
		w.Advance(time.Hour)
		var sent string
		w.Intercept(func(r *http.Request) *http.Response {
			r.ParseForm()
			sent = r.PostForm.Get("refresh_token")
			return Answer(200, `{"access_token":"second","expires_in":3600,"token_type":"Bearer"}`)
		})
		if _, err := w.Vault.Token(t.Context(), ada.Grant(account)); err != nil || sent != "the next one" {
			t.Errorf("refreshed with %q, error %v; want the token that replaced the first", sent, err)
		}
	})
}

func count(list []string, want string) (n int) {
	for _, s := range list {
		if s == want {
			n++
		}
	}
	return n
}
