package oauth_test

import (
	"testing"
	"time"

	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
)

func TestConnected(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		since := func() map[policy.AccountID]time.Time {
			t.Helper()
			list, err := w.Store.Connected(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			out := map[policy.AccountID]time.Time{}
			for _, c := range list {
				out[c.ID] = c.Since
			}
			return out
		}
		if got := since(); len(got) != 0 {
			t.Errorf("before anybody connects: got %v", got)
		}
		ada := w.NewVisitor("browser").SignIn(Ada)
		mailbox := ada.Connect(Ada)
		first := since()
		if age := w.Now().Sub(first[mailbox]); len(first) != 1 || age < 0 || age > time.Minute {
			t.Errorf("after connecting: got %v, want one mailbox of just now", first)
		}
		w.Advance(24 * time.Hour)
		ada = w.NewVisitor("browser").SignIn(Ada)
		if again := ada.Connect(Ada); again != mailbox {
			t.Fatalf("connected again: got another mailbox")
		}
		if got := since(); got[mailbox] != first[mailbox] {
			t.Errorf("connected again: got %v, want the age to stay %v", got[mailbox], first[mailbox])
		}
		if err := w.Vault.Disconnect(t.Context(), ada.Session.Actor(), mailbox); err != nil {
			t.Fatal(err)
		}
		if got := since(); len(got) != 0 {
			t.Errorf("after disconnecting: got %v, want none", got)
		}
	})
}
