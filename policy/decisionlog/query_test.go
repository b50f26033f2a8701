package decisionlog_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
)

func indexes(records []decisionlog.Record) (out []int64) {
	for _, record := range records {
		out = append(out, record.Index)
	}
	return out
}

// TestQuery asks for every field of a filter, and compares with a plain loop over all events.
func TestQuery(t *testing.T) {
	const decisions = 30
	yes, no, seven := true, false, int64(7)
	at := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }
	has := func(e decisionlog.Entry, clause string) bool { return slices.Contains(e.Clauses, clause) }
	tests := []struct {
		name   string
		filter decisionlog.Filter
		want   func(index int64, e decisionlog.Entry) bool
	}{
		{"everything", decisionlog.Filter{}, func(int64, decisionlog.Entry) bool { return true }},
		{"kind", decisionlog.Filter{Kind: decisionlog.Outcome}, func(_ int64, e decisionlog.Entry) bool { return e.Kind == decisionlog.Outcome }},
		{"actor", decisionlog.Filter{Actor: "actor-1"}, func(_ int64, e decisionlog.Entry) bool { return e.Actor == "actor-1" }},
		{"actor kind", decisionlog.Filter{ActorKind: "staff"}, func(_ int64, e decisionlog.Entry) bool { return e.ActorKind == "staff" }},
		{"account", decisionlog.Filter{Account: "account-2"}, func(_ int64, e decisionlog.Entry) bool { return e.Account == "account-2" }},
		{"operation", decisionlog.Filter{Operation: "threads.get"}, func(_ int64, e decisionlog.Entry) bool { return e.Operation == "threads.get" }},
		{"purpose", decisionlog.Filter{Purpose: "read_mail"}, func(_ int64, e decisionlog.Entry) bool { return e.Purpose == "read_mail" }},
		{"not actor", decisionlog.Filter{NotActor: "owner"}, func(_ int64, e decisionlog.Entry) bool { return e.ActorKind != "owner" }},
		{"not purpose", decisionlog.Filter{NotPurpose: "read_mail"}, func(_ int64, e decisionlog.Entry) bool { return e.Purpose != "read_mail" }},
		{"feature", decisionlog.Filter{Feature: "thread"}, func(_ int64, e decisionlog.Entry) bool { return e.Feature == "thread" }},
		{"basis", decisionlog.Filter{Basis: "owner"}, func(_ int64, e decisionlog.Entry) bool { return e.Basis == "owner" }},
		{"outcome", decisionlog.Filter{Outcome: "done"}, func(_ int64, e decisionlog.Entry) bool { return e.Outcome == "done" }},
		{"decision", decisionlog.Filter{DecisionID: "decision-3"}, func(_ int64, e decisionlog.Entry) bool { return e.DecisionID == "decision-3" }},
		{"clause", decisionlog.Filter{Clause: "5.1"}, func(_ int64, e decisionlog.Entry) bool { return has(e, "5.1") }},
		{"clause, not a part of one", decisionlog.Filter{Clause: "5"}, func(int64, decisionlog.Entry) bool { return false }},
		{"clause with wildcards", decisionlog.Filter{Clause: "5%"}, func(int64, decisionlog.Entry) bool { return false }},
		{"allowed", decisionlog.Filter{Allowed: &yes}, func(_ int64, e decisionlog.Entry) bool { return e.Kind == decisionlog.Decision && e.Allowed }},
		{"refused", decisionlog.Filter{Allowed: &no}, func(_ int64, e decisionlog.Entry) bool { return e.Kind == decisionlog.Decision && !e.Allowed }},
		{"reference", decisionlog.Filter{Ref: &seven}, func(_ int64, e decisionlog.Entry) bool { return e.Ref == 7 }},
		{"since", decisionlog.Filter{Since: at(20)}, func(_ int64, e decisionlog.Entry) bool { return !e.At.Before(at(20)) }},
		{"until", decisionlog.Filter{Until: at(20)}, func(_ int64, e decisionlog.Entry) bool { return e.At.Before(at(20)) }},
		{"before", decisionlog.Filter{Before: 12}, func(index int64, _ decisionlog.Entry) bool { return index < 12 }},
		{"several", decisionlog.Filter{Actor: "actor-1", Allowed: &yes, Clause: "5.1", Since: at(3), Until: at(25)}, func(_ int64, e decisionlog.Entry) bool {
			return e.Actor == "actor-1" && e.Allowed && has(e, "5.1") && !e.At.Before(at(3)) && e.At.Before(at(25))
		}},
		{"nobody", decisionlog.Filter{Actor: "' OR 1=1 --"}, func(int64, decisionlog.Entry) bool { return false }},
	}
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		log := openLog(t, open(t), config(t))
		appendEvents(t, log, 0, decisions)
		outcome := event{Name: "outcome", Kind: decisionlog.Outcome, Ref: 7, Outcome: "done", At: at(8).UnixMicro()}.entry(t)
		staff := event{Name: "staff", Kind: decisionlog.Lifecycle, Ref: decisionlog.NoRef, ActorKind: "staff", At: at(40).UnixMicro()}.entry(t)
		if _, err := log.AppendAll(t.Context(), []decisionlog.Entry{outcome, staff}); err != nil {
			t.Fatal(err)
		}
		all, err := log.Query(t.Context(), decisionlog.Filter{Limit: decisionlog.MaxPage})
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range tests {
			var want []int64
			for _, record := range all.Records {
				if test.want(record.Index, record.Entry) {
					want = append(want, record.Index)
				}
			}
			for _, limit := range []int{0, 1, 7} {
				filter := test.filter
				filter.Limit = limit
				if got := allPages(t, log, filter); !reflect.DeepEqual(got, want) {
					t.Errorf("%s, %d a page: got %v, want %v", test.name, limit, got, want)
				}
			}
		}
		for _, limit := range []int{-1, decisionlog.MaxPage + 1} {
			if _, err := log.Query(t.Context(), decisionlog.Filter{Limit: limit}); err == nil {
				t.Errorf("a page of %d was accepted", limit)
			}
		}
	})
}

// allPages follows Next to the end.
func allPages(t *testing.T, log *decisionlog.Log, filter decisionlog.Filter) (out []int64) {
	t.Helper()
	for {
		page, err := log.Query(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, indexes(page.Records)...)
		if page.Next == 0 {
			return out
		}
		filter.Before = page.Next
	}
}

func TestOpenDecisions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		log := openLog(t, open(t), config(t))
		appendEvents(t, log, 0, 10) // 0, 4 and 8 are refused
		for _, ref := range []int64{1, 5} {
			outcome := event{Name: fmt.Sprint("outcome of ", ref), Kind: decisionlog.Outcome, Ref: ref, Outcome: "done"}
			if _, err := log.Append(t.Context(), outcome.entry(t)); err != nil {
				t.Fatal(err)
			}
		}
		mention := event{Name: "mention", Kind: decisionlog.Lifecycle, Ref: 2} // refers to a decision but is no outcome
		if _, err := log.Append(t.Context(), mention.entry(t)); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			from   int64
			before time.Time
			limit  int
			want   []int64
		}{
			{0, epoch.Add(time.Hour), 100, []int64{2, 3, 6, 7, 9}},
			{0, epoch.Add(time.Hour), 2, []int64{2, 3}},
			{4, epoch.Add(time.Hour), 100, []int64{6, 7, 9}},
			{0, epoch.Add(7 * time.Second), 100, []int64{2, 3, 6}},
			{0, epoch, 100, nil},
		} {
			got, err := log.OpenDecisions(t.Context(), test.from, test.before, test.limit)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(indexes(got), test.want) {
				t.Errorf("from %d before %v, at most %d: got %v, want %v", test.from, test.before, test.limit, indexes(got), test.want)
			}
		}
	})
}

// TestTail follows a log to which this node and another append, from the start and from the middle.
func TestTail(t *testing.T) {
	const before, after = 300, 60 // more than one page, then the live part
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		cfg.Poll = 10 * time.Millisecond
		log, other := openLog(t, open(t), cfg), openLog(t, open(t), cfg)
		var entries []decisionlog.Entry
		for n := range before {
			entries = append(entries, decision(n).entry(t))
		}
		if _, err := log.AppendAll(t.Context(), entries); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		done := errors.New("seen enough")
		for _, from := range []int64{0, 290, before} {
			next, live := from, false
			err := log.Tail(ctx, from, func(record decisionlog.Record) error {
				if record.Index != next {
					return fmt.Errorf("got event %d, want %d", record.Index, next)
				}
				next++
				if record.Index >= before-1 && !live && from == 0 {
					live = true
					for i := range after {
						node := []*decisionlog.Log{log, other}[i%2]
						if _, err := node.Append(ctx, decision(before+i).entry(t)); err != nil {
							return err
						}
					}
				}
				if next == before+after {
					return done
				}
				return nil
			})
			if err != done {
				t.Errorf("from %d: got %v at event %d", from, err, next)
			}
		}

		ended, end := context.WithCancel(t.Context())
		end()
		if err := log.Tail(ended, before+after, func(decisionlog.Record) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context: got %v", err)
		}
	})
}

// TestTailWaits: events that come while nothing is left to read wake the follower up, from either node.
func TestTailWaits(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		cfg.Poll = 10 * time.Millisecond
		log, other := openLog(t, open(t), cfg), openLog(t, open(t), cfg)
		seen := make(chan int64)
		ctx, stop := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			result <- log.Tail(ctx, 0, func(record decisionlog.Record) error {
				seen <- record.Index
				return nil
			})
		}()
		for n := range 10 {
			node := []*decisionlog.Log{log, other}[n%2]
			if _, err := node.Append(t.Context(), decision(n).entry(t)); err != nil {
				t.Fatal(err)
			}
			if got := <-seen; got != int64(n) {
				t.Errorf("got event %d, want %d", got, n)
			}
		}
		stop()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}
