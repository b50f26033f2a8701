package aggregate_test

import (
	"bytes"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/aggregate"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// each runs a test in a world on each engine.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) { test(t, newWorld(t, open(t))) })
}

// once runs a test that has nothing to do with the engine.
func once(t *testing.T) *world { return newWorld(t, databasetest.Open(t, databasetest.SQLite(t))) }

var operations = aggregate.Reader{
	Actor:   policy.Actor{Kind: policy.Staff, Person: "staff olive", Roles: []string{"operations"}, MFA: true},
	Purpose: "internal_ops", Feature: "aggregate_report",
}

func TestRelease(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.crowd(t, 400, did{feature: "search", day: 1}, did{feature: "send", day: 7}, did{feature: "search", day: 8})
		r := w.publish(t)
		got := numbers(r)
		for _, cell := range []string{"days 1-4", "features search", "features write"} {
			if n := got[cell]; n < 250 || n > 550 { // further off once in 10^10 draws
				t.Errorf("%s: got %d, want about 400", cell, n)
			}
			delete(got, cell)
		}
		if len(got) != 0 {
			t.Errorf("got also %v, which nobody did", got)
		}
		if r.Month != "2026-10" || r.MinOwners != 50 || r.Epsilon != 1 || r.Delta != 1e-6 || r.ID == "" {
			t.Errorf("got %+v", r)
		}

		facts, err := w.store.Release(t.Context(), r.ID)
		if want := (policy.Release{ID: r.ID, Owners: 50, Released: after}); err != nil || facts != want {
			t.Errorf("for the policy: got %+v %v, want %+v", facts, err, want)
		}
		if _, err := w.store.Release(t.Context(), "another"); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("an unknown release: got %v, want ErrUnknown", err)
		}
		months, err := w.store.Months(t.Context(), 12)
		if err != nil || len(months) != 1 || months[0] != (aggregate.Entry{Month: month, Release: r.ID}) {
			t.Errorf("got months %v %v", months, err)
		}
		events := w.events(t, aggregate.EventReleased)
		if len(events) != 1 || !strings.Contains(events[0], `"cells":"3"`) || !strings.Contains(events[0], `"epsilon":"1"`) || !strings.Contains(events[0], `"month":"2026-10"`) {
			t.Errorf("got events %s", events)
		}
	})
}

// TestRealDecisionsAreCounted lets the gate itself write the log.
func TestRealDecisionsAreCounted(t *testing.T) {
	w := once(t)
	w.service.SetNoise(lifted)
	for i := range 50 {
		id := w.person(i)
		facts, _ := w.Account(t.Context(), id)
		grant, err := w.gate.Authorize(t.Context(), policy.Access{
			Actor: policy.Actor{Kind: policy.Owner, Person: facts.Owner}, Account: id, Purpose: "inbox.search", Feature: "search",
			Target: policy.Target{
				Operation: "messages.list", Resource: policy.Collection(policy.Messages, "Label_canary", 50),
				Classes: []policy.DataClass{policy.Metadata}, Params: "q=from:canary.example.com",
			},
		})
		must(t, err)
		grant.Finish(errors.New("Gmail does not answer"), 0, 0)
	}
	got := numbers(w.publish(t))
	want := map[string]int64{"days 1-4": 50 + lift, "features search": 50 + lift, "trouble failed": 50 + lift}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestNothingOfTheMailIsReleased searches everything that a release leaves behind for what the mail held.
func TestNothingOfTheMailIsReleased(t *testing.T) {
	w := once(t)
	for i := range 60 {
		id := w.person(i)
		facts, _ := w.Account(t.Context(), id)
		_, err := w.gate.Authorize(t.Context(), policy.Access{
			Actor: policy.Actor{Kind: policy.Owner, Person: facts.Owner}, Account: id, Purpose: "inbox.search", Feature: "search",
			Target: policy.Target{
				Operation: "messages.list", Resource: policy.Collection(policy.Messages, "canary.example.com", 50),
				Classes: []policy.DataClass{policy.Metadata}, Params: "q=from:canary.example.com",
			},
		})
		must(t, err)
		w.act(t, id, did{feature: "canary.example.com", day: 3}, did{feature: "search", day: 4, refused: []string{"canary.example.com"}})
	}
	w.service.SetNoise(lifted)
	r := w.publish(t)
	body, err := w.service.Read(t.Context(), operations, r.ID)
	must(t, err)
	left := [][]byte{body}
	for _, e := range append(w.events(t, aggregate.EventReleased), w.events(t, aggregate.EventWithheld)...) {
		left = append(left, []byte(e))
	}
	var ledger string
	must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT month || claim || release FROM aggregate_ledger`).Scan(&ledger))
	for _, text := range append(left, []byte(ledger)) {
		for _, canary := range []string{"canary", "owner ", "mailbox "} {
			if bytes.Contains(text, []byte(canary)) {
				t.Errorf("found %q in %s", canary, text)
			}
		}
	}
	if len(numbers(r)) < 3 {
		t.Errorf("got %v: with nothing released the search proves nothing", numbers(r))
	}
}

func TestWhatCounts(t *testing.T) {
	for name, c := range map[string]struct {
		what []did
		want []string
	}{
		"one day":            {[]did{{feature: "thread_view", day: 31}}, []string{"days 1-4"}},
		"the same day twice": {[]did{{feature: "thread_view", day: 2}, {feature: "thread_view", day: 2}}, []string{"days 1-4"}},
		"five days":          {[]did{{feature: "thread_view", day: 1}, {feature: "thread_view", day: 2}, {feature: "thread_view", day: 3}, {feature: "thread_view", day: 4}, {feature: "thread_view", day: 5}}, []string{"days 5-14"}},
		"an open tab":        {[]did{{feature: "live_updates", day: 1}}, nil},
		"the day before":     {[]did{{feature: "search", day: 0}}, nil},
		"the day after":      {[]did{{feature: "search", day: 32}}, nil},
		"features":           {[]did{{feature: "compose", day: 1}, {feature: "send", day: 1}, {feature: "attachment_view", day: 1}, {feature: "organise", day: 1}}, []string{"days 1-4", "features write", "features attachments", "features organise"}},
		"a refusal":          {[]did{{feature: "search", day: 1, refused: []string{"LU-HUM-1"}}}, []string{"trouble refused"}},
		"no consent":         {[]did{{feature: "search", day: 1, refused: []string{"CHG-1"}}}, []string{"trouble consent"}},
		"a failure":          {[]did{{feature: "thread_view", day: 1, failed: true}}, []string{"days 1-4", "trouble failed"}},
		"only the worst":     {[]did{{feature: "search", day: 1, refused: []string{"DISC-2", "MIN-2"}}, {feature: "thread_view", day: 1, failed: true}}, []string{"days 1-4", "trouble permission"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := once(t)
			w.service.SetNoise(lifted)
			w.crowd(t, 50, c.what...)
			want := map[string]int64{}
			for _, cell := range c.want {
				want[cell] = 50 + lift
			}
			if got := numbers(w.publish(t)); !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// TestWhoCounts adds one owner to 49: whether the cell appears tells whether the owner counts.
func TestWhoCounts(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*policy.AccountFacts)
		since  time.Time // of the mailbox; sixty days before if zero
		counts bool
	}{
		"an owner":                 {func(*policy.AccountFacts) {}, time.Time{}, true},
		"the owner of another":     {func(f *policy.AccountFacts) { f.Owner = "owner 0" }, time.Time{}, false},
		"not connected":            {func(f *policy.AccountFacts) { f.State = "disconnected" }, time.Time{}, false},
		"thirty days old":          {func(*policy.AccountFacts) {}, after.AddDate(0, 0, -30), true},
		"a second too young":       {func(*policy.AccountFacts) {}, after.AddDate(0, 0, -30).Add(time.Second), false},
		"consent withdrawn":        {func(f *policy.AccountFacts) { f.Consent = policy.Consent{} }, time.Time{}, false},
		"consent to an older text": {func(f *policy.AccountFacts) { f.Consent.Version, f.Consent.First = 1, 1 }, time.Time{}, false},
		"consent to come":          {func(f *policy.AccountFacts) { f.Consent.Given = after.Add(time.Second) }, time.Time{}, false},
		"a change not announced":   {func(f *policy.AccountFacts) { f.Consent.First = 1 }, time.Time{}, false},
		"announced 29 days ago":    {func(f *policy.AccountFacts) { f.Consent.First, f.Consent.Notified = 1, after.AddDate(0, 0, -29) }, time.Time{}, false},
		"announced 30 days ago":    {func(f *policy.AccountFacts) { f.Consent.First, f.Consent.Notified = 1, after.AddDate(0, 0, -30) }, time.Time{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := once(t)
			w.service.SetNoise(lifted)
			w.crowd(t, 49, did{feature: "search", day: 9})
			last := w.person(49)
			w.act(t, last, did{feature: "search", day: 9})
			w.change(last, c.change)
			if !c.since.IsZero() {
				w.since[last] = c.since
			}
			if got := len(numbers(w.publish(t))) > 0; got != c.counts {
				t.Errorf("counted: got %v, want %v", got, c.counts)
			}
		})
	}
}

// TestFiftiethOwnerChangesNothingCertain compares all that the world can see of a month with n owners and with one
// more: but for the noise and the random id it must be the same, at k and far above it.
func TestFiftiethOwnerChangesNothingCertain(t *testing.T) {
	seen := func(n int) (aggregate.Release, []string, aggregate.Entry, int) {
		w := once(t)
		w.crowd(t, n, did{feature: "search", day: 1})
		r := w.publish(t)
		months, err := w.store.Months(t.Context(), 1)
		must(t, err)
		w.gate.Close() // outcomes are recorded
		page, err := w.log.Query(t.Context(), decisionlog.Filter{Since: october.AddDate(0, 1, 0), Limit: decisionlog.MaxPage})
		must(t, err)
		var events []string
		for _, e := range page.Records {
			events = append(events, string(e.Kind)+" "+e.Operation+" "+e.Feature+" "+e.Outcome)
		}
		numbers := 0
		for q := range r.Questions {
			numbers += len(r.Questions[q].Cells)
			for c := range r.Questions[q].Cells {
				r.Questions[q].Cells[c].Owners = 0
			}
			r.Questions[q].Total = 0
		}
		if (r.ID == "") != (months[0].Release == "") {
			t.Errorf("release %q, in the ledger %q", r.ID, months[0].Release)
		}
		r.ID, months[0].Release = "", ""
		return r, events, months[0], numbers
	}
	for _, n := range []int{aggregate.MinOwners - 1, 400} {
		r, events, entry, cells := seen(n)
		r2, events2, entry2, cells2 := seen(n + 1)
		if !reflect.DeepEqual(r, r2) || !reflect.DeepEqual(events, events2) || entry != entry2 || cells != cells2 {
			t.Errorf("%d owners: %+v %v %v\n%d owners: %+v %v %v", n, r, events, entry, n+1, r2, events2, entry2)
		}
		if want := n > 100; (cells > 0) != want {
			t.Errorf("%d owners: got %d numbers", n, cells)
		}
	}
}

func TestBudgetIsSpentOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.crowd(t, 400, did{feature: "search", day: 1})
		r := w.publish(t)
		before, err := w.service.Read(t.Context(), operations, r.ID)
		must(t, err)

		// All owners but one: the differencing pair that a second release would make.
		w.change("mailbox 7", func(f *policy.AccountFacts) { f.State = "disconnected" })
		if _, err := w.service.Publish(t.Context(), month); !errors.Is(err, aggregate.ErrSpent) {
			t.Errorf("a second release: got %v, want ErrSpent", err)
		}
		must(t, w.service.Maintain(t.Context()))
		denied := w.events(t, aggregate.EventDenied)
		if len(denied) != 1 || !strings.Contains(denied[0], `"reason":"budget"`) {
			t.Errorf("got events %s, want one that says that the budget is spent", denied)
		}
		again, err := w.service.Read(t.Context(), operations, r.ID)
		if err != nil || !bytes.Equal(before, again) {
			t.Errorf("read again: got %s %v, want the same bytes", again, err)
		}
		var spent, rows int64
		must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT max(epsilon), count(*) FROM aggregate_ledger`).Scan(&spent, &rows))
		if spent != 1_000_000 || rows != 1 {
			t.Errorf("the ledger has %d rows and %d millionths of ε, want 1 and 1000000", rows, spent)
		}
	})
}

// TestMonthWithoutReleaseIsSpentToo: otherwise one could try until something passes.
func TestMonthWithoutReleaseIsSpentToo(t *testing.T) {
	w := once(t)
	w.crowd(t, 60, did{feature: "search", day: 1})
	if r := w.publish(t); r.ID != "" {
		t.Fatalf("got %+v, want nothing to pass", r)
	}
	if got := w.events(t, aggregate.EventWithheld); len(got) != 1 || !strings.Contains(got[0], `"epsilon":"1"`) {
		t.Errorf("got events %s", got)
	}
	w.service.SetNoise(lifted)
	if _, err := w.service.Publish(t.Context(), month); !errors.Is(err, aggregate.ErrSpent) {
		t.Errorf("got %v, want ErrSpent", err)
	}
}

// TestOtherWindowsAreRefused: a month that is not over, or one picked afterwards, would be half of a differencing pair.
func TestOtherWindowsAreRefused(t *testing.T) {
	w := once(t)
	w.crowd(t, 50, did{feature: "search", day: 1})
	w.service.SetNoise(lifted)
	for at, months := range map[time.Time][]string{
		after: {"2026-11", "2026-12", "2026-09", "2025-10"},
		time.Date(2026, 10, 31, 23, 59, 59, 0, time.UTC): {"2026-10"},
		time.Date(2026, 11, 1, 0, 59, 59, 0, time.UTC):   {"2026-10"}, // other nodes may still be writing
		time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC):     {"2026-10"},
	} {
		w := once(t)
		w.clock.set(at)
		for _, name := range months {
			m, err := aggregate.ParseMonth(name)
			must(t, err)
			if _, err := w.service.Publish(t.Context(), m); !errors.Is(err, aggregate.ErrWindow) {
				t.Errorf("%s at %v: got %v, want ErrWindow", name, at, err)
			}
		}
		if got := w.events(t, aggregate.EventDenied); len(got) != len(months) {
			t.Errorf("at %v: got %d events, want %d", at, len(got), len(months))
		}
	}
	if r := w.publish(t); r.ID == "" {
		t.Error("the month that is over was not released: the refusals prove nothing")
	}
}

// TestRestoredLedgerIsNotBelieved: after a restore from before the release the log still knows that the budget is spent.
func TestRestoredLedgerIsNotBelieved(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.crowd(t, 50, did{feature: "search", day: 1})
		w.service.SetNoise(lifted)
		w.publish(t)
		restore(t, w)
		if _, err := w.service.Publish(t.Context(), month); !errors.Is(err, aggregate.ErrSpent) {
			t.Errorf("got %v, want ErrSpent", err)
		}
		for range 3 {
			must(t, w.service.Maintain(t.Context()))
		}
		if got := w.events(t, aggregate.EventDenied); len(got) != 1 {
			t.Errorf("got %d refusals, want one: the month is closed again", len(got))
		}
		months, err := w.store.Months(t.Context(), 12)
		if err != nil || len(months) != 1 || months[0].Release != "" {
			t.Errorf("got %v %v, want October closed without a release", months, err)
		}
	})
}

// TestCrash: a computation that ends before anything is published leaves the month to another one, later.
func TestCrash(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.crowd(t, 50, did{feature: "search", day: 1})
		w.service.SetNoise(func(int64) (int64, error) { return 0, errors.New("out of randomness") })
		w.clock.set(after)
		if _, err := w.service.Publish(t.Context(), month); err == nil {
			t.Fatal("got a release without noise")
		}
		w.service.SetNoise(lifted)
		must(t, w.service.Maintain(t.Context()))
		if months, err := w.store.Months(t.Context(), 12); err != nil || len(months) != 0 {
			t.Errorf("at once: got %v %v, want the month to be left alone", months, err)
		}
		w.clock.set(after.Add(7 * time.Hour))
		must(t, w.service.Maintain(t.Context()))
		if months, err := w.store.Months(t.Context(), 12); err != nil || len(months) != 1 || months[0].Release == "" {
			t.Errorf("later: got %v %v, want a release", months, err)
		}
	})
}

func TestSeveralNodesReleaseOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.crowd(t, 50, did{feature: "search", day: 1})
		w.clock.set(after)
		var nodes sync.WaitGroup
		for range 4 {
			node := w.node(t)
			node.SetNoise(lifted)
			nodes.Go(func() {
				if err := node.Maintain(t.Context()); err != nil {
					t.Errorf("a node: %v", err)
				}
			})
		}
		nodes.Wait()
		if got := w.events(t, aggregate.EventReleased); len(got) != 1 {
			t.Errorf("got %d releases, want 1", len(got))
		}
	})
}

// TestYoungDeployment: a month before the log began is not counted, so that it is not recorded as empty either.
func TestYoungDeployment(t *testing.T) {
	w := once(t)
	w.clock.set(after)
	must(t, w.service.Maintain(t.Context())) // the log is empty
	w.act(t, w.person(0), did{feature: "search", day: 32})
	must(t, w.service.Maintain(t.Context())) // it begins in November
	if months, err := w.store.Months(t.Context(), 12); err != nil || len(months) != 0 {
		t.Errorf("got %v %v, want nothing", months, err)
	}
	w.clock.set(after.AddDate(0, 1, 0))
	must(t, w.service.Maintain(t.Context()))
	if months, err := w.store.Months(t.Context(), 12); err != nil || len(months) != 1 || months[0].Month.String() != "2026-11" {
		t.Errorf("a month later: got %v %v, want November", months, err)
	}
}

func TestNoLogNoRelease(t *testing.T) {
	w := once(t)
	w.crowd(t, 50, did{feature: "search", day: 1})
	w.service.SetNoise(lifted)
	w.clock.set(after)
	must(t, w.log.Close())
	var closed *policy.Closed
	if _, err := w.service.Publish(t.Context(), month); !errors.As(err, &closed) {
		t.Errorf("got %v, want the gate closed", err)
	}
	if months, err := w.store.Months(t.Context(), 12); err != nil || len(months) != 0 {
		t.Errorf("got %v %v, want nothing", months, err)
	}
}

// TestWhoReads runs the cases of LU-HUM-2 through the gate: only released aggregates, only operations, only for
// operating the service.
func TestWhoReads(t *testing.T) {
	w := once(t)
	w.crowd(t, 50, did{feature: "search", day: 1})
	w.service.SetNoise(lifted)
	r := w.publish(t)
	w.releases["of 49"] = policy.Release{ID: "of 49", Owners: 49, Released: after}
	w.releases["unreleased"] = policy.Release{ID: "unreleased", Owners: 400}

	if body, err := w.service.Read(t.Context(), operations, r.ID); err != nil || !bytes.Contains(body, []byte(r.ID)) {
		t.Errorf("operations staff: got %s %v, want the release", body, err)
	}
	with := func(change func(*aggregate.Reader)) aggregate.Reader {
		who := operations
		change(&who)
		return who
	}
	for name, c := range map[string]struct {
		who    aggregate.Reader
		id     string
		clause string
	}{
		"k of 49":          {operations, "of 49", "LU-HUM-2"},
		"unreleased":       {operations, "unreleased", "LU-HUM-2"},
		"unknown":          {operations, "no such release", policy.ClauseUnknown},
		"growth marketing": {with(func(r *aggregate.Reader) { r.Purpose = "growth_marketing" }), r.ID, "LU-USE-1"},
		"marketing":        {with(func(r *aggregate.Reader) { r.Purpose = "marketing.audience" }), r.ID, "LU-PROH-ADS"},
		"training":         {with(func(r *aggregate.Reader) { r.Purpose = "ai.train" }), r.ID, "LU-PROH-AI"},
		"another feature":  {with(func(r *aggregate.Reader) { r.Feature = "search" }), r.ID, "LU-USE-1"},
		"support":          {with(func(r *aggregate.Reader) { r.Actor.Roles = []string{"support", "approver"} }), r.ID, "LU-HUM-2"},
		"no second factor": {with(func(r *aggregate.Reader) { r.Actor.MFA = false }), r.ID, "LU-HUM-2"},
		"an auditor": {with(func(r *aggregate.Reader) {
			r.Actor.Kind, r.Actor.Roles = policy.Auditor, []string{"auditor"}
		}), r.ID, "LU-HUM-2"},
		"an owner": {with(func(r *aggregate.Reader) { r.Actor = policy.Actor{Kind: policy.Owner, Person: "owner 1"} }), r.ID, "LU-HUM-2"},
	} {
		body, err := w.service.Read(t.Context(), c.who, c.id)
		var refused *policy.Refused
		if !errors.As(err, &refused) || !slices.Contains(refused.Clauses, c.clause) || body != nil {
			t.Errorf("%s: got %s %v, want a refusal by %s", name, body, err, c.clause)
		}
	}
}

// TestCountingIsOnlyForTheService: no human may start what sees the true counts.
func TestCountingIsOnlyForTheService(t *testing.T) {
	w := once(t)
	for _, actor := range []policy.Actor{
		operations.Actor, {Kind: policy.Auditor, Person: "staff a", Roles: []string{"auditor"}, MFA: true}, {Kind: policy.Owner, Person: "owner 1"},
	} {
		_, err := w.gate.Authorize(t.Context(), policy.Access{
			Actor: actor, Purpose: "internal_ops", Feature: "aggregate_release",
			Target: policy.Target{Operation: "aggregates.compute", Resource: policy.New(policy.Aggregates), Classes: []policy.DataClass{policy.Derived}},
		})
		var refused *policy.Refused
		if !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want a refusal", actor.Kind, err)
		}
	}
}
