package emulator_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/option"

	"github.com/totalengage/webmail/inbox/emulator"
)

const fullScope = "https://mail.google.com/"

// world is a server with alice and bob on a real port, driven by Google's own client.
type world struct {
	t   *testing.T
	srv *emulator.Server
	url string
}

func newWorld(t *testing.T, o emulator.Options) *world {
	t.Helper()
	tokens := emulator.StaticTokens{}
	for _, name := range []string{"alice", "bob"} {
		tokens[name] = emulator.TokenInfo{Email: name + "@example.com", Scopes: []string{fullScope}, ClientID: "test"}
		for _, scope := range []string{"modify", "metadata", "readonly", "send", "labels", "settings.basic", "insert", "compose"} {
			tokens[name+"-"+scope] = emulator.TokenInfo{
				Email: name + "@example.com", Scopes: []string{"https://www.googleapis.com/auth/gmail." + scope}, ClientID: "test",
			}
		}
	}
	if o.Auth == nil {
		o.Auth = tokens
	}
	if o.Quota == "" {
		o.Quota = "off"
	}
	if o.Logf == nil {
		o.Logf = t.Logf
	}
	srv := emulator.New(o)
	for _, u := range []emulator.User{{Email: "alice@example.com", Name: "Alice Example"}, {Email: "bob@example.com", Name: "Bob Example"}} {
		if err := srv.AddUser(u.Email, u.Name); err != nil {
			t.Fatal(err)
		}
	}
	return serve(t, srv)
}

func serve(t *testing.T, srv *emulator.Server) *world {
	t.Helper()
	ts := httptest.NewServer(srv.Handler())
	t.Cleanup(ts.Close)
	return &world{t, srv, ts.URL}
}

// client is Google's client with a token, its answers validated.
func (w *world) client(token string) *gmail.UsersService {
	w.t.Helper()
	return w.service(token).Users
}

func (w *world) service(token string) *gmail.Service {
	w.t.Helper()
	hc := &http.Client{Transport: &bearerTransport{token: token, next: newValidator(w.t)}}
	svc, err := gmail.NewService(w.t.Context(), option.WithEndpoint(w.url+"/"), option.WithHTTPClient(hc))
	if err != nil {
		w.t.Fatal(err)
	}
	return svc
}

type bearerTransport struct {
	token string
	next  http.RoundTripper
}

func (b *bearerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

func decode(t testing.TB, s string) string {
	t.Helper()
	b, err := base64.URLEncoding.Strict().DecodeString(s)
	if err != nil {
		t.Fatalf("base64: %v", err)
	}
	return string(b)
}

var testTime = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)

// clock is a time that only the test moves.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(testTime.UnixMilli())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }
