package decisionlog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
)

const origin = "example.com/webmail/decisions"

// key returns a new signing key.
func key(tb testing.TB) (note.Signer, note.Verifier) {
	tb.Helper()
	signer, verifier, err := decisionlog.LoadOrCreateKey(filepath.Join(tb.TempDir(), "log.key"), origin)
	if err != nil {
		tb.Fatal(err)
	}
	return signer, verifier
}

func config(tb testing.TB) decisionlog.Config {
	tb.Helper()
	signer, verifier := key(tb)
	return decisionlog.Config{Origin: origin, Signer: signer, Verifier: verifier}
}

// openLog opens a log that is closed before its database is.
func openLog(tb testing.TB, db *database.DB, cfg decisionlog.Config) *decisionlog.Log {
	tb.Helper()
	log, err := decisionlog.Open(tb.Context(), db, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := log.Close(); err != nil {
			tb.Errorf("close the log: %v", err)
		}
	})
	return log
}

// event is what the tests put into a body: all columns, and a name to tell events apart.
type event struct {
	Name                                                               string
	Kind                                                               decisionlog.Kind
	At                                                                 int64
	Ref                                                                int64
	DecisionID, ActorKind, Actor, Account, Operation, Purpose, Feature string
	Basis, Outcome                                                     string
	Allowed                                                            bool
	Clauses                                                            []string
}

var epoch = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// decision returns a decision event that is the n-th of its log.
func decision(n int) event {
	return event{
		Name: fmt.Sprintf("event %d", n), Kind: decisionlog.Decision, Ref: decisionlog.NoRef,
		At:         epoch.Add(time.Duration(n) * time.Second).UnixMicro(),
		DecisionID: fmt.Sprintf("decision-%d", n), ActorKind: "owner", Actor: fmt.Sprintf("actor-%d", n%3),
		Account: fmt.Sprintf("account-%d", n%5), Operation: "threads.get", Purpose: "read_mail", Feature: "thread",
		Basis: "owner", Allowed: n%4 != 0, Clauses: []string{"1", fmt.Sprintf("5.%d", n%2)},
	}
}

func (e event) entry(tb testing.TB) decisionlog.Entry {
	tb.Helper()
	body, err := json.Marshal(e)
	if err != nil {
		tb.Fatal(err)
	}
	entry, err := columns(body)
	if err != nil {
		tb.Fatal(err)
	}
	entry.Body = body
	return entry
}

// columns derives the columns of the tests' events from their bodies.
func columns(body []byte) (decisionlog.Entry, error) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return decisionlog.Entry{}, err
	}
	return decisionlog.Entry{
		Kind: e.Kind, At: time.UnixMicro(e.At).UTC(), DecisionID: e.DecisionID, Ref: e.Ref, ActorKind: e.ActorKind, Actor: e.Actor,
		Account: e.Account, Operation: e.Operation, Purpose: e.Purpose, Feature: e.Feature, Basis: e.Basis,
		Allowed: e.Allowed, Clauses: e.Clauses, Outcome: e.Outcome,
	}, nil
}

// nameOf returns the name in a record's body.
func nameOf(tb testing.TB, record decisionlog.Record) string {
	tb.Helper()
	var e event
	if err := json.Unmarshal(record.Body, &e); err != nil {
		tb.Errorf("event %d: %v", record.Index, err)
	}
	return e.Name
}

// appendEvents appends decisions numbered from up to, but not including, to.
func appendEvents(tb testing.TB, log *decisionlog.Log, from, to int) {
	tb.Helper()
	for n := from; n < to; n++ {
		got, err := log.Append(tb.Context(), decision(n).entry(tb))
		if err != nil {
			tb.Fatal(err)
		}
		if got != int64(n) {
			tb.Fatalf("append: got index %d, want %d", got, n)
		}
	}
}

// mustVerify fails the test unless the whole log is sound and of the given size.
func mustVerify(tb testing.TB, log *decisionlog.Log, size int64) decisionlog.Report {
	tb.Helper()
	report, err := log.Verify(tb.Context(), decisionlog.VerifyOptions{Index: columns})
	if err != nil {
		tb.Fatalf("verify: %v", err)
	}
	if report.Tree.N != size {
		tb.Fatalf("verify: got %d events, want %d", report.Tree.N, size)
	}
	return report
}

func TestAppendedIsReadBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		log := openLog(t, open(t), cfg)
		want := decision(0).entry(t)
		if _, err := log.Append(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		outcome := event{Name: "end", Kind: decisionlog.Outcome, Ref: 0, Outcome: "done", At: epoch.UnixMicro()}.entry(t)
		binary := decisionlog.Entry{Kind: decisionlog.Lifecycle, Ref: decisionlog.NoRef, Body: []byte{0, 0xff, '\'', 0}}
		first, err := log.AppendAll(t.Context(), []decisionlog.Entry{outcome, binary})
		if err != nil || first != 1 {
			t.Fatalf("AppendAll: got %d, %v, want 1", first, err)
		}

		log = openLog(t, open(t), cfg) // as after a restart
		got, err := log.Record(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if got.Index != 0 || fmt.Sprintf("%+v", got.Entry) != fmt.Sprintf("%+v", want) {
			t.Errorf("got  %+v\nwant %+v", got.Entry, want)
		}
		if got, err = log.Record(t.Context(), 1); err != nil || got.Ref != 0 || got.Outcome != "done" {
			t.Errorf("the outcome: got ref %d, outcome %q, %v", got.Ref, got.Outcome, err)
		}
		if got, err = log.Record(t.Context(), 2); err != nil || !bytes.Equal(got.Body, binary.Body) || got.Ref != decisionlog.NoRef {
			t.Errorf("the binary body: got %x, ref %d, %v", got.Body, got.Ref, err)
		}
		if got.At.IsZero() || got.At.Equal(time.UnixMicro(0)) {
			t.Error("an event appended without a time has none")
		}
		for _, index := range []int64{-1, 3, 1 << 40} {
			if _, err := log.Record(t.Context(), index); !errors.Is(err, decisionlog.ErrNoRecord) {
				t.Errorf("Record(%d): got %v, want ErrNoRecord", index, err)
			}
		}
	})
}

// TestTreeIsRFC6962 compares the stored tree with the one that package tlog builds from the same bodies, and
// checks an inclusion proof for every event at every size.
func TestTreeIsRFC6962(t *testing.T) {
	const size = 70
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		log := openLog(t, open(t), cfg)
		var (
			stored []tlog.Hash
			leaves []tlog.Hash
		)
		reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
			out := make([]tlog.Hash, len(indexes))
			for i, index := range indexes {
				out[i] = stored[index]
			}
			return out, nil
		})
		for n := range size {
			entry := decision(n).entry(t)
			more, err := tlog.StoredHashes(int64(n), entry.Body, reader)
			if err != nil {
				t.Fatal(err)
			}
			stored = append(stored, more...)
			leaves = append(leaves, tlog.RecordHash(entry.Body))
			if _, err := log.Append(t.Context(), entry); err != nil {
				t.Fatal(err)
			}
			text, tree, err := log.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want, err := tlog.TreeHash(int64(n+1), reader)
			if err != nil {
				t.Fatal(err)
			}
			if tree != (tlog.Tree{N: int64(n + 1), Hash: want}) {
				t.Fatalf("after %d events: got root %v, want %v", n+1, tree, want)
			}
			if signed, err := decisionlog.OpenCheckpoint(text, origin, cfg.Verifier); err != nil || signed != tree {
				t.Fatalf("the checkpoint: got %v, %v, want %v", signed, err, tree)
			}
		}
		_, tree, err := log.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for n, leaf := range leaves {
			proof, err := tlog.ProveRecord(tree.N, int64(n), log.Hashes(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), leaf); err != nil {
				t.Errorf("event %d: %v", n, err)
			}
		}
	})
}

func TestAppendRefusesBadEntries(t *testing.T) {
	log := openLog(t, databasetest.Open(t, databasetest.SQLite(t)), config(t))
	good := decision(0).entry(t)
	for name, spoil := range map[string]func(*decisionlog.Entry){
		"unknown kind":            func(e *decisionlog.Entry) { e.Kind = "guess" },
		"no body":                 func(e *decisionlog.Entry) { e.Body = nil },
		"long body":               func(e *decisionlog.Entry) { e.Body = make([]byte, decisionlog.MaxBody+1) },
		"negative ref":            func(e *decisionlog.Entry) { e.Ref = -2 },
		"outcome of nothing":      func(e *decisionlog.Entry) { e.Kind, e.Ref = decisionlog.Outcome, decisionlog.NoRef },
		"clause with a space":     func(e *decisionlog.Entry) { e.Clauses = []string{"1 2"} },
		"empty clause":            func(e *decisionlog.Entry) { e.Clauses = []string{""} },
		"NUL in a column":         func(e *decisionlog.Entry) { e.Actor = "a\x00b" },
		"broken UTF-8":            func(e *decisionlog.Entry) { e.Account = "\xff" },
		"broken UTF-8 in clauses": func(e *decisionlog.Entry) { e.Clauses = []string{"\xff"} },
		"endless column":          func(e *decisionlog.Entry) { e.Purpose = strings.Repeat("x", 5000) },
	} {
		bad := good
		spoil(&bad)
		if _, err := log.Append(t.Context(), bad); !errors.Is(err, decisionlog.ErrBadEntry) {
			t.Errorf("%s: got %v, want ErrBadEntry", name, err)
		}
		if _, err := log.AppendAll(t.Context(), []decisionlog.Entry{good, bad}); !errors.Is(err, decisionlog.ErrBadEntry) {
			t.Errorf("%s among good ones: got %v, want ErrBadEntry", name, err)
		}
	}
	for _, count := range []int{0, 4097} {
		if _, err := log.AppendAll(t.Context(), make([]decisionlog.Entry, count)); !errors.Is(err, decisionlog.ErrBadEntry) {
			t.Errorf("%d entries: got %v, want ErrBadEntry", count, err)
		}
	}
	if state := log.State(); !state.Open || state.Size != 0 {
		t.Errorf("bad entries changed the log's state: %+v", state)
	}
	good.Body = make([]byte, decisionlog.MaxBody)
	if _, err := log.Append(t.Context(), good); err != nil {
		t.Errorf("the longest body: %v", err)
	}
}

// TestTimeNeverRunsBack lets the machine's clock fall back by an hour, then restarts.
func TestTimeNeverRunsBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		clock := epoch
		cfg := config(t)
		cfg.Now = func() time.Time { return clock }
		log := openLog(t, open(t), cfg)
		if got := log.Now(); !got.Equal(epoch) {
			t.Errorf("got %v, want the clock's %v", got, epoch)
		}
		late := decision(0)
		late.At = epoch.Add(time.Minute).UnixMicro()
		if _, err := log.Append(t.Context(), late.entry(t)); err != nil {
			t.Fatal(err)
		}
		clock = epoch.Add(-time.Hour)
		other := openLog(t, open(t), cfg)
		for name, log := range map[string]*decisionlog.Log{"the same log": log, "after a restart": other} {
			if got, want := log.Now(), epoch.Add(time.Minute); !got.Equal(want) {
				t.Errorf("%s: got %v, want the last event's %v", name, got, want)
			}
		}
	})
}

func TestClose(t *testing.T) {
	log := openLog(t, databasetest.Open(t, databasetest.SQLite(t)), config(t))
	appendEvents(t, log, 0, 1)
	for range 2 {
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.Append(t.Context(), decision(1).entry(t)); !errors.Is(err, decisionlog.ErrClosed) {
		t.Errorf("append after close: got %v, want ErrClosed", err)
	}
	if state := log.State(); state.Open || !errors.Is(state.Err, decisionlog.ErrClosed) {
		t.Errorf("got state %+v, want closed", state)
	}
	mustVerify(t, log, 1)
}

func TestOpenRefusesKeysThatDoNotFit(t *testing.T) {
	url := databasetest.SQLite(t)
	cfg := config(t)
	appendEvents(t, openLog(t, databasetest.Open(t, url), cfg), 0, 3)

	other := config(t)
	mixed := cfg
	mixed.Verifier = other.Verifier
	renamed := cfg
	renamed.Origin = "example.com/other"
	for name, bad := range map[string]decisionlog.Config{"another key": other, "a mixed pair": mixed, "another origin": renamed, "nothing": {}} {
		log, err := decisionlog.Open(t.Context(), databasetest.Open(t, url), bad)
		if err == nil {
			log.Close()
			t.Errorf("%s: the log was opened", name)
		}
	}
}

func TestReadOnly(t *testing.T) {
	databasetest.EachURL(t, func(t *testing.T, url string) {
		cfg := config(t)
		appendEvents(t, openLog(t, databasetest.Open(t, url), cfg), 0, 5)
		db, err := database.OpenReadOnly(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		log, err := decisionlog.OpenReadOnly(t.Context(), db, origin, cfg.Verifier)
		if err != nil {
			t.Fatal(err)
		}
		mustVerify(t, log, 5)
		if _, err := log.Append(t.Context(), decision(5).entry(t)); !errors.Is(err, decisionlog.ErrReadOnly) {
			t.Errorf("append: got %v, want ErrReadOnly", err)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
}
