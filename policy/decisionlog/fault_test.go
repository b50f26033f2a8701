package decisionlog_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
)

var errInjected = errors.New("injected failure")

// moment is a point of a write at which a test makes it fail.
type moment struct {
	step  string
	after bool
}

func (m moment) String() string {
	if m.after {
		return "after " + m.step
	}
	return "before " + m.step
}

// failOnce makes the log fail the first time it comes to each of the moments.
func failOnce(log *decisionlog.Log, moments ...moment) {
	pending := make(map[moment]bool)
	for _, m := range moments {
		pending[m] = true
	}
	log.SetFault(func(step string, after bool) error {
		if at := (moment{step, after}); pending[at] {
			delete(pending, at)
			return errInjected
		}
		return nil
	})
}

// fate is what must become of an append that fails at some moment.
type fate int

const (
	refused fate = iota // an error, and the event is not in the log
	written             // acknowledged, and in the log
	unknown             // ErrUnknown, and the event may be in the log, once
)

// TestFaults fails every step of a write, before it is carried out and after, then appends on.
func TestFaults(t *testing.T) {
	type failure struct {
		moments []moment
		want    fate
	}
	var failures []failure
	for _, step := range []string{"lock", "read head", "swap head", "insert events", "insert hashes"} {
		failures = append(failures, failure{[]moment{{step, false}}, refused}, failure{[]moment{{step, true}}, refused})
	}
	landed := moment{"commit", true}
	failures = append(failures,
		failure{[]moment{{"commit", false}}, refused},
		failure{[]moment{landed}, written}, // it landed, and the log finds out that it did
		failure{[]moment{landed, {"settle", false}}, unknown},
		failure{[]moment{landed, {"settle", true}}, written},
		failure{[]moment{{"commit", false}, {"settle", false}}, unknown},
	)
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		for _, failure := range failures {
			t.Run(fmt.Sprint(failure.moments), func(t *testing.T) {
				db := open(t)
				if db.Dialect() == database.SQLite && failure.moments[0].step == "lock" {
					return // SQLite's write transaction is the lock; there is no such step
				}
				t.Cleanup(func() { wipe(t, db) })
				log := openLog(t, db, config(t))
				appendEvents(t, log, 0, 3)

				failOnce(log, failure.moments...)
				_, err := log.Append(t.Context(), decision(3).entry(t))
				state := log.State()
				switch failure.want {
				case written:
					if err != nil || !state.Open {
						t.Errorf("got %v, state %+v, want the event acknowledged", err, state)
					}
				case refused, unknown:
					if !errors.Is(err, errInjected) || state.Open || !errors.Is(state.Err, errInjected) || state.Since.IsZero() {
						t.Errorf("got %v, state %+v, want the failure in both", err, state)
					}
					if errors.Is(err, decisionlog.ErrUnknown) != (failure.want == unknown) {
						t.Errorf("got %v, which says the wrong thing about the event's fate", err)
					}
				}

				found := names(t, log)
				if _, there := found[3]; failure.want != unknown && there != (failure.want == written) {
					t.Errorf("the event is in the log: %v", there)
				}
				appendEvents(t, log, len(found), len(found)+3) // the cause is gone: the log opens by itself
				if state := log.State(); !state.Open || state.Err != nil {
					t.Errorf("got state %+v after a successful append, want open", state)
				}
				mustVerify(t, log, int64(len(found)+3))
			})
		}
	})
}

// TestFaultsUnderLoad fails steps at random while 16 callers append through two logs.
func TestFaultsUnderLoad(t *testing.T) {
	const callers, each = 16, 15
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		logs := []*decisionlog.Log{openLog(t, open(t), cfg), openLog(t, open(t), cfg)}
		for _, log := range logs {
			log.SetFault(func(string, bool) error {
				if rand.IntN(25) == 0 {
					return errInjected
				}
				return nil
			})
		}
		var (
			wg      sync.WaitGroup
			mu      sync.Mutex
			acked   = make(map[int64]string)
			refused = make(map[string]bool)
		)
		for caller := range callers {
			wg.Go(func() {
				for i := range each {
					event := decision(caller*each + i)
					index, err := logs[caller%2].Append(t.Context(), event.entry(t))
					mu.Lock()
					switch {
					case err == nil:
						acked[index] = event.Name
					case !errors.Is(err, errInjected):
						t.Error(err)
					case !errors.Is(err, decisionlog.ErrUnknown):
						refused[event.Name] = true
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		got := names(t, logs[0])
		mustVerify(t, logs[0], int64(len(got)))
		mustBeDistinct(t, got)
		for index, name := range acked {
			if got[index] != name {
				t.Errorf("event %d: got %q, want the acknowledged %q", index, got[index], name)
			}
		}
		for _, name := range got {
			if refused[name] {
				t.Errorf("%q is in the log although its caller was told that it is not", name)
			}
		}
		if len(refused) == 0 || len(acked) == 0 {
			t.Errorf("%d refused and %d acknowledged: the test tried only one side", len(refused), len(acked))
		}
	})
}

// TestBatchSharesItsFate: when a transaction fails, everyone in it is told.
func TestBatchSharesItsFate(t *testing.T) {
	log := openLog(t, databasetest.Open(t, databasetest.SQLite(t)), config(t))
	busy, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	log.SetFault(func(step string, _ bool) error {
		once.Do(func() {
			close(busy)
			<-release
		})
		if step == "insert events" {
			return errInjected
		}
		return nil
	})
	var wg sync.WaitGroup
	appendOne := func(n int) {
		wg.Go(func() {
			if _, err := log.Append(t.Context(), decision(n).entry(t)); !errors.Is(err, errInjected) {
				t.Errorf("event %d: got %v, want the failure", n, err)
			}
		})
	}
	appendOne(0)
	<-busy
	for n := 1; n < 10; n++ {
		appendOne(n)
	}
	close(release)
	wg.Wait()
	mustVerify(t, log, 0)
}

// TestDiskFull lets SQLite run out of pages, then gives it some more.
func TestDiskFull(t *testing.T) {
	db := databasetest.Open(t, databasetest.SQLite(t))
	log := openLog(t, db, config(t))
	appendEvents(t, log, 0, 3)
	limit := func(pages int) {
		err := db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // SQLite makes it the present size
	big := decision(3).entry(t)
	big.Body = []byte(strings.Repeat("x", decisionlog.MaxBody))
	if _, err := log.Append(t.Context(), big); err == nil || log.State().Open {
		t.Errorf("got %v, state %+v, want a failure", err, log.State())
	}
	limit(1 << 20)
	appendEvents(t, log, 3, 6)
	if state := log.State(); !state.Open {
		t.Errorf("got state %+v, want open", state)
	}
	mustVerify(t, log, 6)
}

// TestServerEndsConnections: PostgreSQL drops every connection between the last statement and the commit.
func TestServerEndsConnections(t *testing.T) {
	if databasetest.WithoutPostgreSQL() {
		t.Log("PostgreSQL left out: WEBMAIL_TEST_NO_POSTGRES is set")
		return
	}
	url := databasetest.PostgreSQL(t)
	log := openLog(t, databasetest.Open(t, url), config(t))
	appendEvents(t, log, 0, 3)
	operator := databasetest.Open(t, url)
	var once sync.Once
	log.SetFault(func(step string, after bool) (err error) {
		if step == "commit" && !after {
			once.Do(func() {
				var ended int
				err = operator.Read().QueryRow(`SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
					WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&ended)
				if err == nil && ended == 0 {
					err = errors.New("no connection was ended")
				}
			})
		}
		return err
	})
	_, err := log.Append(t.Context(), decision(3).entry(t))
	if err == nil {
		t.Error("an event was acknowledged whose transaction the server had ended")
	}
	found := names(t, log)
	if !errors.Is(err, decisionlog.ErrUnknown) && len(found) != 3 {
		t.Errorf("got %v, yet the log holds %v", err, found)
	}
	appendEvents(t, log, len(found), 6)
	mustVerify(t, log, 6)
}

// TestLockHeldElsewhere: a node that keeps the lock closes the log of the others after their timeout, until it lets go.
func TestLockHeldElsewhere(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		cfg.Timeout = 100 * time.Millisecond
		holder := openLog(t, open(t), withTimeout(cfg, time.Minute))
		log := openLog(t, open(t), cfg)
		held, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		holder.SetFault(func(step string, after bool) error {
			if step == "read head" && after {
				once.Do(func() {
					close(held)
					<-release
				})
			}
			return nil
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := holder.Append(t.Context(), decision(0).entry(t)); err != nil {
				t.Error(err)
			}
		})
		<-held
		if _, err := log.Append(t.Context(), decision(1).entry(t)); !errors.Is(err, context.DeadlineExceeded) || log.State().Open {
			t.Errorf("got %v, state %+v, want the deadline", err, log.State())
		}
		close(release)
		wg.Wait()
		index, err := log.Append(t.Context(), decision(2).entry(t))
		for errors.Is(err, context.DeadlineExceeded) { // a busy machine may need longer than the short timeout
			index, err = log.Append(t.Context(), decision(2).entry(t))
		}
		if err != nil || index != 1 {
			t.Errorf("once the lock is free: got %d, %v, want 1", index, err)
		}
		mustVerify(t, log, 2)
	})
}

// TestHeadMovedWithoutLock lets a writer who ignores the log's lock replace the head between our reading and our
// swapping it. The swap fails, and the append starts again from the head as it then is.
func TestHeadMovedWithoutLock(t *testing.T) {
	if databasetest.WithoutPostgreSQL() {
		t.Log("PostgreSQL left out: WEBMAIL_TEST_NO_POSTGRES is set")
		return
	}
	db := databasetest.Open(t, databasetest.PostgreSQL(t))
	log := openLog(t, db, config(t))
	appendEvents(t, log, 0, 3)
	rogue := func(change string) error {
		return db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(`UPDATE decisionlog_head SET size = size ` + change)
			return err
		})
	}
	swaps, forever := 0, false
	log.SetFault(func(step string, after bool) error {
		switch {
		case step == "swap head" && !after:
			swaps++
			if swaps == 1 || forever {
				return rogue("+ 1")
			}
		case step == "read head" && !after && swaps > 0:
			if swaps == 1 || forever {
				return rogue("- 1")
			}
		}
		return nil
	})
	appendEvents(t, log, 3, 4)
	if swaps != 2 {
		t.Errorf("got %d attempts, want 2", swaps)
	}
	swaps, forever = 0, true
	if _, err := log.Append(t.Context(), decision(4).entry(t)); err == nil || log.State().Open {
		t.Errorf("with a head that always moves: got %v, state %+v, want a failure", err, log.State())
	}
	if swaps < 2 || swaps > 10 {
		t.Errorf("got %d attempts, want a few", swaps)
	}
	if err := rogue("- 1"); err != nil {
		t.Fatal(err)
	}
	log.SetFault(nil)
	appendEvents(t, log, 4, 6)
	mustVerify(t, log, 6)
}

func withTimeout(cfg decisionlog.Config, timeout time.Duration) decisionlog.Config {
	cfg.Timeout = timeout
	return cfg
}
