package inbox_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/inbox/emulator"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

const changesTopic = "projects/p/topics/changes"

// pushed is an office whose Gmail tells of changes, and whose polling alone would take an hour.
func pushed(t *testing.T, topic string) (*office, *emulator.Server) {
	t.Helper()
	var o *office
	told := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		o.Pushed(alice)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(told.Close)
	mail := emulator.New(emulator.Options{
		Quota: "off", Push: emulator.Push{URL: told.URL}, Logf: func(string, ...any) {},
		Auth: emulator.StaticTokens{"token of " + alice: {Email: alice, Scopes: []string{"https://mail.google.com/"}, ClientID: "test"}},
	})
	if err := mail.AddUser(alice, "Alice"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mail.Close() })
	web := httptest.NewServer(mail.Handler())
	t.Cleanup(web.Close)
	db := databasetest.Open(t, "sqlite:"+t.TempDir()+"/db")
	o = newOffice(t, db, t.TempDir(), web.URL+"/", &clock{}, held)
	s, err := inbox.New(inbox.Config{
		Gate: o.gate, Tokens: o.vault, Sealer: newSealer(t), Identity: names{}, HTML: plainHTML{}, Database: db, Endpoint: web.URL + "/",
		Transport: &http.Transport{}, Now: o.now, PollEvery: time.Hour, Topic: topic,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	o.Service = s
	return o, mail
}

func live(account policy.AccountID) inbox.Visit {
	return writing(account).For("inbox.sync", "live_updates")
}

// TestGmailTellsOfChanges: with a topic, new mail is on the page long before it would be asked for; the watch is the
// service's act on the owner's standing instruction.
func TestGmailTellsOfChanges(t *testing.T) {
	o, mail := pushed(t, changesTopic)
	if _, err := o.Threads(t.Context(), writing(alice).For("inbox.read", "thread_list"), inbox.ListRequest{Label: "INBOX"}); err != nil {
		t.Fatal(err)
	}
	w, err := o.Watch(t.Context(), live(alice))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := o.RenewWatches(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := mail.Insert(alice, []byte("From: a@example.com\r\nTo: "+alice+"\r\nSubject: New\r\n\r\nx\r\n"), []string{"INBOX", "UNREAD"}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	select {
	case c := <-w.Changes:
		if c.Arrived != 1 {
			t.Errorf("got %+v, want one message that arrived", c)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was told within 20 s")
	}
	page, err := o.log.Query(t.Context(), decisionlog.Filter{Operation: "watch"})
	if err != nil || len(page.Records) != 1 || page.Records[0].ActorKind != "service" || page.Records[0].Feature != "live_updates" {
		t.Errorf("%d watches are recorded, %v; want one by the service for live_updates", len(page.Records), err)
	}
}

// TestWatchIsRenewed: daily, while the owner's instruction stands, and not after; a failure is counted and tried again.
func TestWatchIsRenewed(t *testing.T) {
	o, mail := pushed(t, changesTopic)
	renewals := func() int {
		t.Helper()
		if err := o.RenewWatches(t.Context()); err != nil {
			t.Fatal(err)
		}
		page, err := o.log.Query(t.Context(), decisionlog.Filter{Operation: "watch", Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Records)
	}
	w, err := o.Watch(t.Context(), live(alice))
	if err != nil {
		t.Fatal(err)
	}
	w.Close() // the page is closed: the instruction stands
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 1}, {time.Hour, 1}, {24 * time.Hour, 2}, {24 * time.Hour, 3}} {
		o.pass(step.pass)
		if got := renewals(); got != step.want {
			t.Errorf("after another %v: %d renewals, want %d", step.pass, got, step.want)
		}
	}
	mail.InjectFault(emulator.Fault{Method: "gmail.users.watch", Kind: emulator.FaultStatus, Status: 403, Reason: "forbidden"})
	o.pass(25 * time.Hour)
	renewals()
	if n, err := o.WatchesFailing(t.Context()); err != nil || n != 1 {
		t.Errorf("%d watches fail, %v; want 1", n, err)
	}
	o.pass(11 * time.Minute)
	renewals()
	if n, err := o.WatchesFailing(t.Context()); err != nil || n != 0 {
		t.Errorf("%d watches fail after a success, %v; want 0", n, err)
	}
	o.pass(5 * 24 * time.Hour)
	before := renewals()
	o.pass(2 * 24 * time.Hour)
	if after := renewals(); after != before {
		t.Errorf("renewed %d times after the instruction ended", after-before)
	}
	if err := o.Purge(t.Context(), alice); err != nil || o.rows(t, "watches") != 0 {
		t.Errorf("%d watches are left of a mailbox that is gone, %v", o.rows(t, "watches"), err)
	}
}

// TestNoTopicNoWatch: where Gmail cannot tell, nothing is asked of it and nothing is kept.
func TestNoTopicNoWatch(t *testing.T) {
	o, _ := pushed(t, "")
	w, err := o.Watch(t.Context(), live(alice))
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	if err := o.RenewWatches(t.Context()); err != nil || o.rows(t, "watches")+o.rows(t, "instructions") != 0 {
		t.Errorf("%d watches and %d instructions, %v; want none", o.rows(t, "watches"), o.rows(t, "instructions"), err)
	}
}
