package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/oauth/emulator"
)

// TestPushCaller: a notification's token must be the configured account's, for the configured audience, of this
// issuer, and current.
func TestPushCaller(t *testing.T) {
	const account, audience = "push@project.iam.gserviceaccount.com", "https://mail.example.com/push/gmail"
	issuer := func() (*emulator.Server, *oauth.Provider, func(time.Duration)) {
		google, err := emulator.New(emulator.Google())
		if err != nil {
			t.Fatal(err)
		}
		var handler http.Handler
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
		t.Cleanup(web.Close)
		if err := google.SetIssuer(web.URL); err != nil {
			t.Fatal(err)
		}
		handler = google.Handler()
		later := time.Duration(0)
		p, err := oauth.NewProvider(oauth.ProviderConfig{Issuer: web.URL, ClientID: "the-client", Now: func() time.Time { return time.Now().Add(later) }}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return google, p, func(d time.Duration) { later = d }
	}
	google, provider, pass := issuer()
	stranger, _, _ := issuer()
	caller := provider.PushCaller(audience, account)
	token := func(from *emulator.Server, account, audience string) string {
		text, err := from.ServiceToken(account, audience)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := token(google, account, audience)
	if issued, err := caller.VerifyPush(t.Context(), good); err != nil || time.Since(issued) > time.Minute {
		t.Errorf("a good token: issued %v, %v", issued, err)
	}
	for name, bad := range map[string]string{
		"no token":            "",
		"not a token":         "a.b.c",
		"another account":     token(google, "other@project.iam.gserviceaccount.com", audience),
		"another audience":    token(google, account, "https://mail.example.com/"),
		"a person's audience": token(google, account, "the-client"),
		"another issuer":      token(stranger, account, audience),
		"a changed token":     good[:len(good)-6] + "AAAAAA",
	} {
		if _, err := caller.VerifyPush(t.Context(), bad); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	pass(2 * time.Hour)
	if _, err := caller.VerifyPush(t.Context(), good); err == nil {
		t.Error("an expired token was taken")
	}
}
