package decisionlog_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// announcement is the event that a drop appends.
func announcement(t *testing.T, keepFrom int64) decisionlog.Entry {
	t.Helper()
	e := event{
		Name: fmt.Sprint("drop before ", keepFrom), Kind: decisionlog.Lifecycle, Operation: decisionlog.OperationDrop,
		Ref: keepFrom, At: epoch.Add(time.Hour).UnixMicro(),
	}
	return e.entry(t)
}

func TestDrop(t *testing.T) {
	const size = 3*decisionlog.Bundle + 10
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		log := openLog(t, open(t), cfg)
		var entries []decisionlog.Entry
		for n := range size {
			entries = append(entries, decision(n).entry(t))
		}
		if _, err := log.AppendAll(t.Context(), entries); err != nil {
			t.Fatal(err)
		}
		kept, _, err := log.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		at := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }

		for _, test := range []struct {
			before time.Time
			want   int64
		}{
			{at(0), 0},
			{at(decisionlog.Bundle - 1), 0}, // the bundle's last event is too young
			{at(decisionlog.Bundle), decisionlog.Bundle},
			{at(3 * decisionlog.Bundle), 3 * decisionlog.Bundle},
			{at(1 << 30), 3 * decisionlog.Bundle}, // an incomplete bundle stays
		} {
			got, ok, err := log.Droppable(t.Context(), test.before)
			if err != nil || got != test.want || ok != (test.want > 0) {
				t.Errorf("Droppable(%v): got %d, %v, %v, want %d", test.before, got, ok, err, test.want)
			}
		}

		for name, bad := range map[string]int64{"no bundle": 100, "beyond the log": 4 * decisionlog.Bundle, "nothing": 0, "negative": -256} {
			if _, err := log.Drop(t.Context(), bad, announcement(t, max(bad, decisionlog.NoRef))); err == nil {
				t.Errorf("%s: the drop before %d was carried out", name, bad)
			}
		}
		if _, err := log.Drop(t.Context(), 256, announcement(t, 512)); !errors.Is(err, decisionlog.ErrBadEntry) {
			t.Errorf("a drop that announces another: got %v, want ErrBadEntry", err)
		}
		mustVerify(t, log, size)

		const keepFrom = 2 * decisionlog.Bundle
		index, err := log.Drop(t.Context(), keepFrom, announcement(t, keepFrom))
		if err != nil || index != size {
			t.Fatalf("Drop: got %d, %v, want %d", index, err, size)
		}
		if _, err := log.Drop(t.Context(), decisionlog.Bundle, announcement(t, decisionlog.Bundle)); err == nil {
			t.Error("what is gone was dropped again")
		}
		log = openLog(t, open(t), cfg) // as after a restart
		for index, want := range map[int64]error{0: decisionlog.ErrDropped, keepFrom - 1: decisionlog.ErrDropped, keepFrom: nil, size: nil} {
			if _, err := log.Record(t.Context(), index); !errors.Is(err, want) {
				t.Errorf("Record(%d): got %v, want %v", index, err, want)
			}
		}
		report, err := log.Verify(t.Context(), decisionlog.VerifyOptions{Kept: kept, Index: columns})
		if err != nil || report.KeptFrom != keepFrom || report.Tree.N != size+1 {
			t.Errorf("verify: got %+v, %v, want bodies from %d", report, err, keepFrom)
		}
		if _, err := log.Append(t.Context(), decision(size+1).entry(t)); err != nil {
			t.Error(err)
		}
		if got := names(t, log); len(got) != size+2-keepFrom {
			t.Errorf("got %d events left, want %d", len(got), size+2-keepFrom)
		}
		err = log.Tail(t.Context(), 0, func(record decisionlog.Record) error {
			if record.Index != keepFrom {
				t.Errorf("Tail begins at %d, want %d", record.Index, keepFrom)
			}
			return errStop
		})
		if err != errStop {
			t.Error(err)
		}
	})
}

var errStop = errors.New("stop")

// TestFaultsOfDrop: a drop that fails takes nothing away.
func TestFaultsOfDrop(t *testing.T) {
	log := openLog(t, databasetest.Open(t, databasetest.SQLite(t)), config(t))
	appendEvents(t, log, 0, decisionlog.Bundle+1)
	for _, at := range []moment{{"drop", false}, {"drop", true}, {"commit", false}} {
		failOnce(log, at)
		if _, err := log.Drop(t.Context(), decisionlog.Bundle, announcement(t, decisionlog.Bundle)); !errors.Is(err, errInjected) {
			t.Errorf("%v: got %v, want the failure", at, err)
		}
		if report := mustVerify(t, log, decisionlog.Bundle+1); report.KeptFrom != 0 {
			t.Errorf("%v: bodies begin at %d, want 0", at, report.KeptFrom)
		}
	}
}
