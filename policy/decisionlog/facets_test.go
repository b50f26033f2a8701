package decisionlog_test

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// busy returns event n of a log in which nearly all is owners reading: one in 400 is staff, one in 100 refused.
func busy(n int) decisionlog.Entry {
	entry := decisionlog.Entry{
		Kind: decisionlog.Decision, At: epoch.Add(time.Duration(n) * time.Second), Ref: decisionlog.NoRef, DecisionID: fmt.Sprintf("decision-%d", n),
		ActorKind: "owner", Actor: fmt.Sprintf("owner-%d", n%50), Account: fmt.Sprintf("account-%d", n%50), Operation: "threads.get", Purpose: "inbox.read",
		Feature: "thread_view", Basis: "owner_at_page", Allowed: true, Clauses: []string{"LU-USE-1"},
	}
	switch {
	case n%400 == 7:
		entry.ActorKind, entry.Actor, entry.Basis, entry.Allowed, entry.Clauses = "staff", "sam", "", false, []string{"LU-HUM-1", "LU-HUM-5"}
	case n%100 == 8:
		entry.Basis, entry.Allowed, entry.Clauses = "", false, []string{"DISC-2"}
	case n%3 == 0:
		entry.Operation, entry.Feature = "messages.list", "thread_list"
	case n%3 == 1:
		entry = decisionlog.Entry{Kind: decisionlog.Outcome, At: entry.At, DecisionID: fmt.Sprintf("decision-%d", n-1), Ref: int64(n) - 1, Allowed: true, Outcome: "done"}
	}
	entry.Body = []byte(entry.DecisionID)
	return entry
}

// appendBusy appends the first events of a busy log, their bodies longer by some bytes.
func appendBusy(tb testing.TB, log *decisionlog.Log, size, more int) {
	tb.Helper()
	for from := 0; from < size; from += 1000 {
		var entries []decisionlog.Entry
		for n := from; n < min(from+1000, size); n++ {
			entry := busy(n)
			entry.Body = append(entry.Body, strings.Repeat(" ", more)...)
			entries = append(entries, entry)
		}
		if _, err := log.AppendAll(tb.Context(), entries); err != nil {
			tb.Fatal(err)
		}
	}
}

// rare are filters for what is found far from the newest events, if at all.
func rare() map[string]decisionlog.Filter {
	yes, no := true, false
	return map[string]decisionlog.Filter{
		"staff":                {ActorKind: "staff"},
		"clause":               {Clause: "LU-HUM-5"},
		"clause of few":        {Clause: "DISC-2", Kind: decisionlog.Decision},
		"refused readings":     {Allowed: &no, Feature: "thread_view"},
		"allowed staff":        {Allowed: &yes, ActorKind: "staff"},
		"not owners":           {NotActor: "owner", Kind: decisionlog.Decision},
		"an outcome":           {Outcome: "failed"},
		"staff in the morning": {ActorKind: "staff", Until: epoch.Add(20 * time.Minute)},
		"staff, later":         {ActorKind: "staff", Since: epoch.Add(10 * time.Minute), Until: epoch.Add(30 * time.Minute)},
		"actor, refused":       {Actor: "owner-8", Allowed: &no},
		"account, a feature":   {Account: "account-3", Feature: "thread_list"},
		"refused":              {Allowed: &no},
		"all":                  {},
		"nothing so old":       {Kind: decisionlog.Decision, Until: epoch},
		"nothing so new":       {Kind: decisionlog.Decision, Since: epoch.Add(1000 * time.Hour)},
	}
}

// TestRareEventsAreFound compares every page with a plain loop over a log that is longer than what a query looks
// through one by one.
func TestRareEventsAreFound(t *testing.T) {
	const size = 2500
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		log := openLog(t, open(t), config(t))
		appendBusy(t, log, size, 0)
		for name, f := range rare() {
			var want, got []int64
			for n := size - 1; n >= 0; n-- {
				if f.Matches(decisionlog.Record{Index: int64(n), Entry: busy(n)}) {
					want = append(want, int64(n))
				}
			}
			f.Limit = 7
			for pages := 0; pages == 0 || f.Before != 0; pages++ {
				page, err := log.Query(t.Context(), f)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				got = append(got, indexes(page.Records)...)
				f.Before = page.Next
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %d events %v…, want %d %v…", name, len(got), got[:min(8, len(got))], len(want), want[:min(8, len(want))])
			}
		}
	})
}

func TestTallyCountsWhatIsThere(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		log := openLog(t, open(t), config(t))
		tally := decisionlog.NewTally(log)
		size := 0
		for _, grow := range []int{12000, 0, 700} { // the second and third time only what is new is read
			var entries []decisionlog.Entry
			for range grow {
				entry := busy(size)
				entry.At = epoch.Add(time.Duration(size) * time.Minute)
				entries, size = append(entries, entry), size+1
			}
			for some := range slices.Chunk(entries, 4000) {
				if _, err := log.AppendAll(t.Context(), some); err != nil {
					t.Fatal(err)
				}
			}
			want := map[string]int64{}
			for n := range size {
				if e := busy(n); e.Kind == decisionlog.Decision && !e.Allowed {
					want[epoch.Add(time.Duration(n)*time.Minute).UTC().Format(time.DateOnly)+" "+strings.Join(e.Clauses, " ")]++
				}
			}
			no := false
			counts, counted, err := tally.Counts(t.Context(), decisionlog.Filter{Allowed: &no})
			if err != nil || counted != int64(size) {
				t.Fatalf("counted %d events, %v, want %d", counted, err, size)
			}
			got := map[string]int64{}
			for _, c := range counts {
				got[c.Day.Format(time.DateOnly)+" "+strings.Join(c.Clauses, " ")] += c.N
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("after %d events: got %v, want %v", size, got, want)
			}
		}
		counts, _, err := tally.Counts(t.Context(), decisionlog.Filter{Since: epoch.Add(26 * time.Hour), Until: epoch.Add(27 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range counts {
			if day := epoch.Add(26 * time.Hour).UTC().Truncate(24 * time.Hour); !c.Day.Equal(day) {
				t.Errorf("a day asked for alone comes with %v", c.Day)
			}
		}
		if len(counts) == 0 {
			t.Error("a day in the middle has no counts")
		}
	})
}

func TestRefusers(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		log := openLog(t, open(t), config(t))
		appendBusy(t, log, 900, 0)
		list, all, err := log.Refusers(t.Context(), epoch.Add(5*time.Second))
		if err != nil || !all {
			t.Fatalf("%v, all %v", err, all)
		}
		got := fmt.Sprint(list)
		want := fmt.Sprint([]decisionlog.Refuser{{"owner", "owner-8", 9, 808}, {"staff", "sam", 3, 807}})
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// BenchmarkPage measures a filtered page of a log of a million events, the worst of all filters reported: it is to
// stay below 100 ms. Building the log takes most of the time.
func BenchmarkPage(b *testing.B) {
	const size = 1_000_000
	databasetest.BenchmarkEach(b, func(b *testing.B, url string) {
		db := databasetest.Open(b, url)
		log := openLog(b, db, config(b))
		appendBusy(b, log, size, 900)
		if db.Dialect() == database.PostgreSQL { // it does so by itself within a minute
			err := db.Write(b.Context(), func(tx *sql.Tx) error { _, err := tx.ExecContext(b.Context(), `ANALYZE`); return err })
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ResetTimer()
		filters := rare()
		names := slices.Sorted(maps.Keys(filters))
		took := map[string]time.Duration{} // the longest of each
		for n := 0; b.Loop(); n++ {
			name := names[n%len(names)]
			f := filters[name]
			f.Limit = 100
			start := time.Now()
			if _, err := log.Query(b.Context(), f); err != nil {
				b.Fatal(err)
			}
			took[name] = max(took[name], time.Since(start))
		}
		b.ReportMetric(float64(slices.Max(slices.Collect(maps.Values(took))).Microseconds())/1000, "worst-ms")
		b.Logf("longest of each: %v", took)
		tally := decisionlog.NewTally(log)
		start := time.Now()
		if _, _, err := tally.Counts(b.Context(), decisionlog.Filter{}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "first-count-ms")
	})
}
