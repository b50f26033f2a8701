package emulator_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/totalengage/webmail/oauth/emulator"
)

// FuzzAuthorize sends any query to the authorization endpoint. Whatever comes,
// a person is shown a page or sent to the registered redirect URI, and nowhere
// else; and nobody who has not signed in gets a code.
func FuzzAuthorize(f *testing.F) {
	const right = "client_id=web&redirect_uri=http%3A%2F%2Fclient.test%2Fcallback&response_type=code&scope=openid"
	for _, seed := range []string{
		"",
		right,
		right + "&prompt=none&state=s",
		right + "&prompt=consent+select_account&login_hint=ada%40example.com&max_age=0",
		right + "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
		right + "&access_type=offline&include_granted_scopes=true&nonce=n",
		right + "&redirect_uri=http://evil.test",
		right + "&prompt=none&state=%0d%0aLocation:%20http://evil.test",
		"client_id=desktop&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcb&response_type=code&scope=openid&prompt=none",
		"client_id=desktop&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%40evil.test%2Fcb&response_type=code&scope=openid&prompt=none",
		"%zz",
	} {
		f.Add(seed)
	}
	o := emulator.Google()
	o.Issuer = "http://accounts.test"
	o.Users = []emulator.User{{Email: ada}}
	o.Clients = []emulator.Client{
		{ID: "web", Secret: "s", RedirectURIs: []string{callback}},
		{ID: "desktop", Secret: "s", Desktop: true, RedirectURIs: []string{"http://127.0.0.1/cb"}},
	}
	server, err := emulator.New(o)
	if err != nil {
		f.Fatal(err)
	}
	handler := server.Handler()
	f.Fuzz(func(t *testing.T, query string) {
		request := &http.Request{
			Method: "GET", Host: "accounts.test", Header: http.Header{}, Body: http.NoBody,
			URL: &url.URL{Path: "/o/oauth2/v2/auth", RawQuery: query},
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		switch recorder.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized:
		case http.StatusSeeOther:
			location, err := url.Parse(recorder.Header().Get("Location"))
			if err != nil {
				t.Fatalf("Location cannot be read: %v", err)
			}
			web := location.Host == "client.test" && location.Path == "/callback"
			desktop := location.Hostname() == "127.0.0.1" && location.Path == "/cb"
			if location.Scheme != "http" || location.User != nil || !web && !desktop {
				t.Errorf("sent to %s", location)
			}
			if location.Query().Has("code") {
				t.Error("a code for nobody")
			}
		default:
			t.Errorf("status %d", recorder.Code)
		}
	})
}
