package decisionlog_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// names maps the index of every event in the log to its name.
func names(tb testing.TB, log *decisionlog.Log) map[int64]string {
	tb.Helper()
	found := make(map[int64]string)
	filter := decisionlog.Filter{Limit: decisionlog.MaxPage}
	for {
		page, err := log.Query(tb.Context(), filter)
		if err != nil {
			tb.Fatal(err)
		}
		for _, record := range page.Records {
			found[record.Index] = nameOf(tb, record)
		}
		if page.Next == 0 {
			return found
		}
		filter.Before = page.Next
	}
}

// TestConcurrentAppends lets 64 callers append at once, to one log and to two over the same database, as two
// nodes do. Every acknowledged index must hold that caller's event, and the log must be one unbroken tree.
func TestConcurrentAppends(t *testing.T) {
	const callers, each = 64, 12
	for name, nodes := range map[string]int{"one node": 1, "two nodes": 2} {
		t.Run(name, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
				cfg := config(t)
				logs := make([]*decisionlog.Log, nodes)
				for i := range logs {
					logs[i] = openLog(t, open(t), cfg)
				}
				var (
					wg   sync.WaitGroup
					mu   sync.Mutex
					want = make(map[int64]string)
				)
				for caller := range callers {
					wg.Go(func() {
						together := 1 + caller%3 // some append two or three events at a time
						for i := 0; i < each; i += together {
							var entries []decisionlog.Entry
							for j := range together {
								entries = append(entries, decision(caller*each+i+j).entry(t))
							}
							first, err := logs[caller%nodes].AppendAll(t.Context(), entries)
							if err != nil {
								t.Error(err)
								return
							}
							mu.Lock()
							for j := range together {
								want[first+int64(j)] = decision(caller*each + i + j).Name
							}
							mu.Unlock()
						}
					})
				}
				wg.Wait()
				mustVerify(t, logs[0], callers*each)
				got := names(t, logs[0])
				if len(want) != callers*each {
					t.Errorf("got %d different indexes, want %d", len(want), callers*each)
				}
				for index, name := range want {
					if got[index] != name {
						t.Errorf("event %d: got %q, want the acknowledged %q", index, got[index], name)
					}
				}
			})
		})
	}
}

// TestCancelledCallers cancels contexts at random moments. Whatever was acknowledged is there, and nothing twice.
func TestCancelledCallers(t *testing.T) {
	const callers, each = 16, 20
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		log := openLog(t, open(t), config(t))
		var (
			wg    sync.WaitGroup
			mu    sync.Mutex
			acked = make(map[int64]string)
		)
		for caller := range callers {
			wg.Go(func() {
				for i := range each {
					ctx, cancel := context.WithCancel(t.Context())
					wg.Go(func() {
						for range rand.IntN(400) {
							runtime.Gosched()
						}
						cancel()
					})
					event := decision(caller*each + i)
					index, err := log.Append(ctx, event.entry(t))
					switch {
					case err == nil:
						mu.Lock()
						acked[index] = event.Name
						mu.Unlock()
					case !errors.Is(err, context.Canceled):
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if err := log.Close(); err != nil { // what was left behind is written now
			t.Fatal(err)
		}
		got := names(t, log)
		mustVerify(t, log, int64(len(got)))
		for index, name := range acked {
			if got[index] != name {
				t.Errorf("event %d: got %q, want the acknowledged %q", index, got[index], name)
			}
		}
		mustBeDistinct(t, got)
	})
}

// TestCallerLeavesQueue: an event that is queued is written although its caller has gone.
func TestCallerLeavesQueue(t *testing.T) {
	log := openLog(t, databasetest.Open(t, databasetest.SQLite(t)), config(t))
	busy, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	log.SetFault(func(string, bool) error {
		once.Do(func() {
			close(busy)
			<-release
		})
		return nil
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := log.Append(t.Context(), decision(0).entry(t)); err != nil {
			t.Error(err)
		}
	})
	<-busy // the committer is held up with the first event

	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		if _, err := log.Append(ctx, decision(1).entry(t)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
	for log.Queued() == 0 {
		runtime.Gosched()
	}
	cancel()
	close(release)
	wg.Wait()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, log); got[1] != decision(1).Name {
		t.Errorf("got %v, want the event of the caller who left at 1", got)
	}

	if _, err := log.Append(ctx, decision(2).entry(t)); err == nil {
		t.Error("an event was accepted with a context that had ended")
	}
}

func mustBeDistinct(tb testing.TB, names map[int64]string) {
	tb.Helper()
	seen := make(map[string]int64)
	for index, name := range names {
		if other, twice := seen[name]; twice {
			tb.Errorf("%q is in the log twice, at %d and %d", name, other, index)
		}
		seen[name] = index
	}
}
