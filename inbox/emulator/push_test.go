package emulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
	signon "github.com/totalengage/webmail/oauth/emulator"
)

const topic = "projects/p/topics/t"

// notification is what an endpoint was sent.
type notification struct {
	header http.Header
	body   []byte
	// data is the part that Gmail writes.
	data struct {
		EmailAddress string
		HistoryID    json.RawMessage
	}
	message struct {
		MessageID   string `json:"messageId"`
		MessageID2  string `json:"message_id"`
		PublishTime time.Time
	}
	subscription string
}

// endpoint receives notifications; it answers with the statuses given, then 204.
func endpoint(t *testing.T, statuses ...int) (url string, received chan notification) {
	t.Helper()
	received = make(chan notification, 100)
	left := make(chan int, len(statuses))
	for _, s := range statuses {
		left <- s
	}
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := notification{header: r.Header}
		var err error
		if n.body, err = io.ReadAll(r.Body); err != nil {
			t.Error(err)
		}
		var envelope struct {
			Message      json.RawMessage
			Subscription string
		}
		var data struct{ Data []byte }
		for _, step := range []func() error{
			func() error { return json.Unmarshal(n.body, &envelope) },
			func() error { return json.Unmarshal(envelope.Message, &n.message) },
			func() error { return json.Unmarshal(envelope.Message, &data) },
			func() error { return json.Unmarshal(data.Data, &n.data) },
		} {
			if err := step(); err != nil {
				t.Errorf("%v in %s", err, n.body)
			}
		}
		n.subscription = envelope.Subscription
		received <- n
		select {
		case status := <-left:
			w.WriteHeader(status)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(ts.Close)
	return ts.URL, received
}

// next waits for a notification.
func next(t *testing.T, from chan notification) notification {
	t.Helper()
	select {
	case n := <-from:
		return n
	case <-time.After(10 * time.Second):
		t.Fatal("no notification")
		return notification{}
	}
}

// pushWorld has a watched mailbox; its first notification is received already.
func pushWorld(t *testing.T, req *gmail.WatchRequest) (*world, *clock, chan notification) {
	t.Helper()
	url, received := endpoint(t)
	clk := newClock()
	w := newWorld(t, emulator.Options{Now: clk.now, Push: emulator.Push{URL: url}, Control: true})
	t.Cleanup(func() { w.srv.Close() })
	must[*gmail.WatchResponse](t)(w.client("alice").Watch("me", req).Do())
	next(t, received)
	return w, clk, received
}

func TestWatchPushes(t *testing.T) {
	url, received := endpoint(t)
	google, err := signon.New(signon.Google())
	if err != nil {
		t.Fatal(err)
	}
	keys := httptest.NewServer(google.Handler())
	t.Cleanup(keys.Close)
	if err := google.SetIssuer(keys.URL); err != nil {
		t.Fatal(err)
	}
	clk := newClock()
	w := newWorld(t, emulator.Options{Now: clk.now, Push: emulator.Push{URL: url, Audience: "me", Sign: func(audience string) (string, error) {
		return google.ServiceToken("push@example.com", audience)
	}}})
	t.Cleanup(func() { w.srv.Close() })
	alice := w.client("alice")
	got := must[*gmail.WatchResponse](t)(alice.Watch("me", &gmail.WatchRequest{TopicName: topic}).Do())
	if want := testTime.Add(7 * 24 * time.Hour).UnixMilli(); got.Expiration != want || got.HistoryId != must[*gmail.Profile](t)(alice.GetProfile("me").Do()).HistoryId {
		t.Errorf("watch %+v, want expiration %d and the head of the history", got, want)
	}
	first := next(t, received)
	if string(first.data.HistoryID) != jsonNumber(got.HistoryId) || first.data.EmailAddress != "alice@example.com" {
		t.Errorf("at once %s", first.body)
	}
	if first.subscription != "projects/p/subscriptions/t" || first.message.MessageID == "" || first.message.MessageID != first.message.MessageID2 || !first.message.PublishTime.Equal(testTime) {
		t.Errorf("envelope %s", first.body)
	}
	provider, err := oidc.NewProvider(t.Context(), keys.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Verifier(&oidc.Config{ClientID: "me"}).Verify(t.Context(), strings.TrimPrefix(first.header.Get("Authorization"), "Bearer ")); err != nil {
		t.Errorf("token: %v", err)
	}
	w.insert("Subject: x\r\n\r\ny", testTime)
	if n := next(t, received); string(n.data.HistoryID) != jsonNumber(must[*gmail.Profile](t)(alice.GetProfile("me").Do()).HistoryId) || n.message.MessageID == first.message.MessageID {
		t.Errorf("after a change %s", n.body)
	}
}

func jsonNumber(n uint64) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func TestWatchRules(t *testing.T) {
	clk := newClock()
	w := newWorld(t, emulator.Options{Now: clk.now})
	alice := w.client("alice")
	watch := func(r *gmail.WatchRequest) error { return errOf(alice.Watch("me", r).Do()) }
	wantError(t, watch(&gmail.WatchRequest{TopicName: "t"}), 400, "invalidArgument", "Invalid topicName")
	wantError(t, watch(&gmail.WatchRequest{TopicName: topic, LabelIds: []string{"Label_7"}}), 400, "invalidArgument", "Invalid label")
	for _, r := range []struct {
		name string
		do   func() error
	}{
		{"first", func() error { return watch(&gmail.WatchRequest{TopicName: topic}) }},
		{"renewal", func() error { return watch(&gmail.WatchRequest{TopicName: topic}) }},
		{"stop", func() error { return alice.Stop("me").Do() }},
		{"stop of nothing", func() error { return alice.Stop("me").Do() }},
		{"another topic after stop", func() error { return watch(&gmail.WatchRequest{TopicName: topic + "2"}) }},
	} {
		if err := r.do(); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
	}
	wantError(t, watch(&gmail.WatchRequest{TopicName: topic}), 400, "failedPrecondition", "Only one user push notification client allowed per developer (call /stop then try again)")
	clk.advance(7*24*time.Hour + time.Second)
	if err := watch(&gmail.WatchRequest{TopicName: topic}); err != nil {
		t.Errorf("after the expiry of another topic: %v", err)
	}
}

// TestPushIsLimited: at most one a second, none after the expiry, none after stop. A
// message of bob's mailbox, which is watched last, says that nothing else came before.
func TestPushIsLimited(t *testing.T) {
	w, clk, received := pushWorld(t, &gmail.WatchRequest{TopicName: topic})
	add := func() { w.insert("Subject: x\r\n\r\ny", testTime) }
	add()
	next(t, received)
	add() // dropped: within the second
	clk.advance(time.Second)
	add()
	next(t, received)
	clk.advance(7 * 24 * time.Hour)
	add() // expired
	must[*gmail.WatchResponse](t)(w.client("alice").Watch("me", &gmail.WatchRequest{TopicName: topic}).Do())
	next(t, received)
	if err := w.client("alice").Stop("me").Do(); err != nil {
		t.Fatal(err)
	}
	clk.advance(time.Minute)
	add() // stopped
	must[*gmail.WatchResponse](t)(w.client("bob").Watch("me", &gmail.WatchRequest{TopicName: topic}).Do())
	if n := next(t, received); n.data.EmailAddress != "bob@example.com" {
		t.Errorf("a notification too many: %s", n.body)
	}
}

func TestPushLabelFilter(t *testing.T) {
	for _, c := range []struct {
		behavior string
		labels   []string // of the two changes
	}{
		{"include", []string{"SPAM", "INBOX"}},
		{"exclude", []string{"INBOX", "SPAM"}},
	} {
		t.Run(c.behavior, func(t *testing.T) {
			w, _, received := pushWorld(t, &gmail.WatchRequest{TopicName: topic, LabelIds: []string{"INBOX"}, LabelFilterBehavior: c.behavior})
			heads := map[string]bool{}
			for _, label := range c.labels {
				if _, err := w.srv.Insert("alice@example.com", []byte("Subject: x\r\n\r\ny"), []string{label}, testTime); err != nil {
					t.Fatal(err)
				}
				heads[jsonNumber(must[*gmail.Profile](t)(w.client("alice").GetProfile("me").Do()).HistoryId)] = label == c.labels[1]
			}
			if n := next(t, received); !heads[string(n.data.HistoryID)] {
				t.Errorf("notified of the change that the filter leaves out: %s", n.body)
			}
		})
	}
}

func TestPushIsRepeatedUntilAcknowledged(t *testing.T) {
	url, received := endpoint(t, 500, 404, 302)
	w := newWorld(t, emulator.Options{Push: emulator.Push{URL: url}})
	must[*gmail.WatchResponse](t)(w.client("alice").Watch("me", &gmail.WatchRequest{TopicName: topic}).Do())
	var ids []string
	for range 4 {
		ids = append(ids, next(t, received).message.MessageID)
	}
	if len(slices.Compact(ids)) != 1 {
		t.Errorf("message ids %v, want one", ids)
	}
	if err := w.srv.Close(); err != nil || len(received) != 0 {
		t.Errorf("after Close: %v, %d more notifications", err, len(received))
	}
}

func TestPushFaults(t *testing.T) {
	w, clk, received := pushWorld(t, &gmail.WatchRequest{TopicName: topic})
	change := func(fault string) {
		t.Helper()
		if status, _, body := w.do("POST", "/emulator/faults", "", fault); status != 204 {
			t.Fatalf("%s: %d %s", fault, status, body)
		}
		clk.advance(2 * time.Second)
		w.insert("Subject: x\r\n\r\ny", testTime)
	}
	change(`{"kind":"pushText"}`)
	if n := next(t, received); !strings.HasPrefix(string(n.data.HistoryID), `"`) {
		t.Errorf("historyId %s, want a string", n.data.HistoryID)
	}
	change(`{"kind":"pushTwice","user":"alice@example.com"}`)
	if a, b := next(t, received), next(t, received); a.message.MessageID != b.message.MessageID {
		t.Errorf("duplicate has another id: %s, %s", a.body, b.body)
	}
	change(`{"kind":"pushLost"}`)
	lost := must[*gmail.Profile](t)(w.client("alice").GetProfile("me").Do()).HistoryId
	began := time.Now()
	change(`{"kind":"pushLate","method":"push","delayMs":50}`)
	if n := next(t, received); string(n.data.HistoryID) == jsonNumber(lost) || time.Since(began) < 50*time.Millisecond {
		t.Errorf("late: %s after %v", n.body, time.Since(began))
	}
	for _, bad := range []string{`{"kind":"pushLost","method":"labels.list"}`, `{"kind":"status","status":500,"method":"push"}`} {
		if status, _, _ := w.do("POST", "/emulator/faults", "", bad); status != 400 {
			t.Errorf("%s: %d, want 400", bad, status)
		}
	}
}
