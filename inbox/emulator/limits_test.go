package emulator_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/totalengage/webmail/inbox/emulator"
)

func TestQuota(t *testing.T) {
	for table, want := range map[string]int{"new": 300, "old": 3000} { // messages.get a minute
		t.Run(table, func(t *testing.T) {
			clock := newClock()
			w := newWorld(t, emulator.Options{Quota: table, Now: clock.now, Logf: func(string, ...any) {}})
			id := w.insert("Subject: x\r\n\r\ny", testTime)
			alice := w.client("alice")
			get := func() error {
				_, err := alice.Messages.Get("me", id).Format("minimal").Do()
				return err
			}
			n := 0
			var err error
			for ; n <= want; n++ {
				if err = get(); err != nil {
					break
				}
			}
			if n != want {
				t.Errorf("%d calls went through, want %d", n, want)
			}
			wantError(t, err, 403, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-10-01T12:00:00.")
			if _, err := w.client("bob").GetProfile("me").Do(); err != nil {
				t.Errorf("another user: %v", err)
			}
			first := retryAfter(t, err)
			second := retryAfter(t, get())
			if !second.After(first) {
				t.Errorf("a call while refused must move %v, got %v", first, second)
			}
			clock.advance(second.Sub(clock.now()))
			if err := get(); err != nil {
				t.Errorf("after the time: %v", err)
			}
		})
	}
}

func retryAfter(t *testing.T, err error) time.Time {
	t.Helper()
	var g *googleapi.Error
	if !errors.As(err, &g) {
		t.Fatalf("got %v", err)
	}
	at, err := time.Parse(time.RFC3339Nano, regexp.MustCompile(`\S+Z$`).FindString(g.Message))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestStatsCountUnitsWithoutQuota(t *testing.T) {
	w := newWorld(t, emulator.Options{Quota: "off"})
	alice := w.client("alice")
	for range 3 {
		must[*gmail.Profile](t)(alice.GetProfile("me").Do())
	}
	s := w.srv.Stats()
	if s.Trips != 3 || s.Requests != 3 || s.Units != 3 || s.Methods["getProfile"] != 3 || s.BytesOut < 100 {
		t.Errorf("stats %+v", s)
	}
	w.srv.ResetStats()
	if s := w.srv.Stats(); s.Trips != 0 || len(s.Methods) != 0 || s.BytesOut != 0 {
		t.Errorf("after reset %+v", s)
	}
}

func TestFaults(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice, bob := w.client("alice"), w.client("bob")
	profile := func() error { return errOf(alice.GetProfile("me").Do()) }
	w.srv.InjectFault(emulator.Fault{Method: "getProfile", User: "alice@example.com", Skip: 1, Count: 2, Status: 503})
	if err := profile(); err != nil {
		t.Errorf("skipped call: %v", err)
	}
	if err := errOf(bob.GetProfile("me").Do()); err != nil {
		t.Errorf("other user: %v", err)
	}
	for range 2 {
		wantError(t, profile(), 503, "backendError", "The service is currently unavailable.")
	}
	if err := profile(); err != nil {
		t.Errorf("after the count: %v", err)
	}
	for _, c := range []struct {
		f       emulator.Fault
		code    int
		reason  string
		message string
	}{
		{emulator.Fault{Method: "gmail.users.getProfile", Kind: emulator.FaultRetryAfter, DelayMS: 1500}, 403, "rateLimitExceeded", "User-rate limit exceeded.  Retry after "},
		{emulator.Fault{Method: "*", Status: 429}, 429, "rateLimitExceeded", "Resource has been exhausted (e.g. check quota)."},
		{emulator.Fault{Method: "*", Status: 401}, 401, "authError", "invalid authentication credentials"},
		{emulator.Fault{Method: "*", Status: 403, Reason: "domainPolicy", Message: "The domain administrators have disabled Gmail apps."}, 403, "domainPolicy", "disabled Gmail apps"},
		{emulator.Fault{Method: "*", Status: 500}, 500, "backendError", "Internal error encountered."},
	} {
		w.srv.InjectFault(c.f)
		wantError(t, profile(), c.code, c.reason, c.message)
	}
	w.srv.InjectFault(emulator.Fault{Method: "*", Status: 500, Count: -1})
	wantError(t, profile(), 500, "backendError", "")
	wantError(t, profile(), 500, "backendError", "")
	w.srv.ClearFaults()
	if err := profile(); err != nil {
		t.Errorf("after clearing: %v", err)
	}
}

// TestDroppedConnections is what makes a sender's life hard: no answer, and the
// message has or has not gone out.
func TestDroppedConnections(t *testing.T) {
	for kind, want := range map[emulator.FaultKind]int{emulator.FaultDropBefore: 0, emulator.FaultDropAfter: 1} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			w.srv.InjectFault(emulator.Fault{Method: "messages.send", Kind: kind})
			_, err := w.client("alice").Messages.Send("me", &gmail.Message{Raw: encode("To: bob@example.com\r\n\r\nx")}).Do()
			var g *googleapi.Error
			if err == nil || errors.As(err, &g) {
				t.Errorf("got %v, want a broken connection", err)
			}
			l := must[*gmail.ListMessagesResponse](t)(w.client("bob").Messages.List("me").Do())
			if len(l.Messages) != want {
				t.Errorf("%d messages arrived, want %d", len(l.Messages), want)
			}
		})
	}
}

func TestEmptyHistoryPage(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	start := must[*gmail.Profile](t)(alice.GetProfile("me").Do()).HistoryId
	w.insert("Subject: x\r\n\r\ny", testTime)
	w.srv.InjectFault(emulator.Fault{Method: "history.list", Kind: emulator.FaultEmptyPage})
	page := must[*gmail.ListHistoryResponse](t)(alice.History.List("me").StartHistoryId(start).Do())
	if page.History != nil || page.NextPageToken == "" {
		t.Fatalf("page %+v", page)
	}
	if page = must[*gmail.ListHistoryResponse](t)(alice.History.List("me").StartHistoryId(start).PageToken(page.NextPageToken).Do()); len(page.History) != 1 {
		t.Errorf("next page %+v", page)
	}
}

func TestControlEndpoint(t *testing.T) {
	w := newWorld(t, emulator.Options{Control: true})
	if status, _, body := w.do("POST", "/emulator/faults", "", `{"method":"labels.list","status":500,"count":2}`); status != 204 {
		t.Fatalf("POST: %d %s", status, body)
	}
	if _, _, body := w.do("GET", "/emulator/faults", "", ""); !strings.Contains(body, `"method":"labels.list"`) {
		t.Errorf("GET: %s", body)
	}
	wantError(t, errOf(w.client("alice").Labels.List("me").Do()), 500, "backendError", "")
	if status, _, _ := w.do("DELETE", "/emulator/faults", "", ""); status != 204 {
		t.Errorf("DELETE: %d", status)
	}
	if _, err := w.client("alice").Labels.List("me").Do(); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`{"method":"nope","status":500}`, `{"method":"*","status":200}`, `{"method":"*","kind":"x"}`, `{"what":1}`, ``} {
		if status, _, _ := w.do("POST", "/emulator/faults", "", bad); status != 400 {
			t.Errorf("%s: %d, want 400", bad, status)
		}
	}
	if status, _, _ := newWorld(t, emulator.Options{}).do("GET", "/emulator/faults", "", ""); status != 404 {
		t.Errorf("without Control: %d, want 404", status)
	}
}

func TestControlOfLatencyAndCounters(t *testing.T) {
	w := newWorld(t, emulator.Options{Control: true})
	if status, _, _ := w.do("PUT", "/emulator/latency", "", `{"delayMs":20}`); status != 204 {
		t.Fatalf("PUT latency: %d", status)
	}
	start := time.Now()
	w.do("GET", "/gmail/v1/users/me/labels", "alice", "")
	if d := time.Since(start); d < 20*time.Millisecond {
		t.Errorf("answered after %v", d)
	}
	if _, _, body := w.do("GET", "/emulator/latency", "", ""); !strings.Contains(body, `"delayMs":20`) {
		t.Errorf("latency %s", body)
	}
	if _, _, body := w.do("GET", "/emulator/stats", "", ""); !strings.Contains(body, `"trips":1`) || !strings.Contains(body, `"labels.list":1`) {
		t.Errorf("stats %s", body)
	}
	if status, _, _ := w.do("DELETE", "/emulator/stats", "", ""); status != 204 || w.srv.Stats().Trips != 0 {
		t.Errorf("DELETE stats: %d, %+v", status, w.srv.Stats())
	}
	for _, c := range [][3]string{{"PUT", "/emulator/latency", `{"delayMs":-1}`}, {"PUT", "/emulator/latency", `{"ms":1}`}, {"POST", "/emulator/verify", `{"user":"x@example.com"}`}} {
		if status, _, _ := w.do(c[0], c[1], "", c[2]); status != 400 {
			t.Errorf("%v: %d, want 400", c, status)
		}
	}
}

// TestPoisonMessage: one message that can never be read, among others that can.
func TestPoisonMessage(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	bad, good := w.insert("Subject: x\r\n\r\ny", testTime), w.insert("Subject: x\r\n\r\ny", testTime)
	w.srv.InjectFault(emulator.Fault{Method: "messages.get", ID: bad, Status: 500, Count: -1})
	alice := w.client("alice")
	for range 2 {
		wantError(t, errOf(alice.Messages.Get("me", bad).Do()), 500, "backendError", "")
		if _, err := alice.Messages.Get("me", good).Do(); err != nil {
			t.Error(err)
		}
	}
}

func TestGzipNeedsTheUserAgent(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for agent, want := range map[string]string{"app/1.0 (gzip)": "gzip", "app/1.0": ""} {
		_, header, body := w.do("GET", "/gmail/v1/users/me/labels", "alice", "", "Accept-Encoding", "gzip", "User-Agent", agent)
		if got := header.Get("Content-Encoding"); got != want {
			t.Errorf("%s: Content-Encoding %q, want %q", agent, got, want)
		}
		if want == "" {
			continue
		}
		z, err := gzip.NewReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(z); err != nil || !strings.Contains(string(plain), "INBOX") {
			t.Errorf("unpacked %q, %v", plain, err)
		}
	}
}

func TestTokenInQueryAndLastValueWins(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	id := w.insert("Subject: x\r\n\r\ny", testTime)
	for _, query := range []string{"access_token=alice", "oauth_token=alice"} {
		status, _, body := w.do("GET", "/gmail/v1/users/me/messages/"+id+"?format=raw&format=minimal&$.xgafv=2&key=k&quotaUser=u&"+query, "", "")
		if status != 200 || strings.Contains(body, `"raw"`) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
}

func TestLatencyIsPerTrip(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.srv.SetLatency(30 * time.Millisecond)
	start := time.Now()
	if status, _, _ := w.do("GET", "/gmail/v1/users/me/profile", "alice", ""); status != http.StatusOK {
		t.Fatal(status)
	}
	if d := time.Since(start); d < 30*time.Millisecond { // a lower bound holds on any machine
		t.Errorf("answered after %v", d)
	}
}
