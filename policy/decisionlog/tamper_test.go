package decisionlog_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// tampered is a log of 21 events in the hands of somebody who can change its database.
type tampered struct {
	tb  testing.TB
	db  *database.DB
	cfg decisionlog.Config
}

const tamperedSize = 21

// exec changes the database behind the log's back.
func (x *tampered) exec(query string, args ...any) {
	x.tb.Helper()
	err := x.db.Write(x.tb.Context(), func(tx *sql.Tx) error {
		result, err := tx.ExecContext(x.tb.Context(), query, args...)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("%s: changed %d rows, %v", query, n, err)
		}
		return nil
	})
	if err != nil {
		x.tb.Fatal(err)
	}
}

// flip inverts a bit of a stored value.
func (x *tampered) flip(table, column string, idx int64, at int) {
	x.tb.Helper()
	var value []byte
	row := x.db.Read().QueryRowContext(x.tb.Context(), fmt.Sprintf(`SELECT %s FROM decisionlog_%s WHERE idx = $1`, column, table), idx)
	if err := row.Scan(&value); err != nil {
		x.tb.Fatal(err)
	}
	value[at%len(value)] ^= 1
	x.exec(fmt.Sprintf(`UPDATE decisionlog_%s SET %s = $1 WHERE idx = $2`, table, column), value, idx)
}

// rewrite gives events from index on other bodies, with all columns and hashes to match, and returns the new tree.
// With the key one can then sign it; without, one cannot.
func (x *tampered) rewrite(from, to int64) tlog.Tree {
	x.tb.Helper()
	for n := from; n < to; n++ {
		e := decision(int(n))
		e.Name = "rewritten"
		x.exec(`UPDATE decisionlog_events SET body = $1 WHERE idx = $2`, e.entry(x.tb).Body, n)
	}
	return x.rehash(to)
}

// rehash computes all hashes of the first size events again and stores them.
func (x *tampered) rehash(size int64) tlog.Tree {
	x.tb.Helper()
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, err error) {
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	})
	for n := range size {
		var body []byte
		if err := x.db.Read().QueryRowContext(x.tb.Context(), `SELECT body FROM decisionlog_events WHERE idx = $1`, n).Scan(&body); err != nil {
			x.tb.Fatal(err)
		}
		more, err := tlog.StoredHashes(n, body, reader)
		if err != nil {
			x.tb.Fatal(err)
		}
		for _, hash := range more {
			x.exec(`UPDATE decisionlog_hashes SET hash = $1 WHERE idx = $2`, hash[:], int64(len(stored)))
			stored = append(stored, hash)
		}
	}
	root, err := tlog.TreeHash(size, reader)
	if err != nil {
		x.tb.Fatal(err)
	}
	return tlog.Tree{N: size, Hash: root}
}

// sign replaces the head by one of another tree, signed with the given log's key.
func (x *tampered) sign(tree tlog.Tree, by decisionlog.Config) {
	x.tb.Helper()
	x.exec(`UPDATE decisionlog_head SET size = $1, root = $2, checkpoint = $3`, tree.N, tree.Hash[:], string(x.checkpoint(tree, by)))
}

func (x *tampered) checkpoint(tree tlog.Tree, by decisionlog.Config) []byte {
	x.tb.Helper()
	text, err := decisionlog.SignCheckpoint(by.Origin, tree, by.Signer)
	if err != nil {
		x.tb.Fatal(err)
	}
	return text
}

// truncate removes everything from event size on and puts back a head that was once signed.
func (x *tampered) truncate(size int64, head []byte) {
	x.tb.Helper()
	tree, err := decisionlog.OpenCheckpoint(head, origin, x.cfg.Verifier)
	if err != nil {
		x.tb.Fatal(err)
	}
	x.exec(`DELETE FROM decisionlog_events WHERE idx >= $1`, size)
	x.exec(`DELETE FROM decisionlog_hashes WHERE idx >= $1`, tlog.StoredHashCount(size))
	x.exec(`UPDATE decisionlog_head SET size = $1, root = $2, checkpoint = $3`, tree.N, tree.Hash[:], string(head))
}

// TestVerifyNames changes the database in one way at a time; Verify must name just that.
func TestVerifyNames(t *testing.T) {
	foreign := config(t)
	tests := []struct {
		name   string
		tamper func(x *tampered)
		want   []error
	}{
		{"nothing", func(*tampered) {}, nil},
		{"a body", func(x *tampered) { x.flip("events", "body", 5, 3) }, []error{&decisionlog.TamperedLeaf{Index: 5}}},
		{"the first body", func(x *tampered) { x.flip("events", "body", 0, 0) }, []error{&decisionlog.TamperedLeaf{Index: 0}}},
		{"the last body", func(x *tampered) { x.flip("events", "body", 20, -1+1<<20) }, []error{&decisionlog.TamperedLeaf{Index: 20}}},
		{"two bodies", func(x *tampered) {
			x.flip("events", "body", 12, 0)
			x.flip("events", "body", 7, 0)
		}, []error{&decisionlog.TamperedLeaf{Index: 7}}},
		{"an emptied body", func(x *tampered) {
			x.exec(`UPDATE decisionlog_events SET body = $1 WHERE idx = 9`, []byte{})
		}, []error{&decisionlog.TamperedLeaf{Index: 9}}},
		{"swapped events", func(x *tampered) {
			x.exec(`UPDATE decisionlog_events SET idx = 100 WHERE idx = 3`)
			x.exec(`UPDATE decisionlog_events SET idx = 3 WHERE idx = 4`)
			x.exec(`UPDATE decisionlog_events SET idx = 4 WHERE idx = 100`)
		}, []error{&decisionlog.TamperedLeaf{Index: 3}}},
		{"a shortened hash", func(x *tampered) {
			x.exec(`UPDATE decisionlog_hashes SET hash = $1 WHERE idx = $2`, []byte("short"), tlog.StoredHashIndex(0, 8))
		}, []error{&decisionlog.TamperedHash{Level: 0, Index: 8}}},
		{"a body with its leaf hash", func(x *tampered) {
			x.flip("events", "body", 6, 2)
			var body []byte
			if err := x.db.Read().QueryRow(`SELECT body FROM decisionlog_events WHERE idx = 6`).Scan(&body); err != nil {
				x.tb.Fatal(err)
			}
			leaf := tlog.RecordHash(body)
			x.exec(`UPDATE decisionlog_hashes SET hash = $1 WHERE idx = $2`, leaf[:], tlog.StoredHashIndex(0, 6))
		}, []error{&decisionlog.TamperedHash{Level: 1, Index: 3}, &decisionlog.TamperedTree{Size: 21}}},
		{"bodies with all hashes", func(x *tampered) { x.rewrite(5, 21) }, []error{&decisionlog.TamperedTree{Size: 21}}},
		{"bodies with all hashes and the head", func(x *tampered) {
			tree := x.rewrite(5, 21)
			x.exec(`UPDATE decisionlog_head SET root = $1`, tree.Hash[:])
		}, []error{&decisionlog.BadHead{Reason: "size and root are not those of its signed checkpoint"}, &decisionlog.TamperedTree{Size: 21}}},
		{"bodies with all hashes, signed by another key", func(x *tampered) { x.sign(x.rewrite(5, 21), foreign) },
			[]error{&decisionlog.BadCheckpoint{Reason: "it is not signed by this log's key"}}},
		{"the root in the head", func(x *tampered) { x.exec(`UPDATE decisionlog_head SET root = $1`, make([]byte, 32)) },
			[]error{&decisionlog.BadHead{Reason: "size and root are not those of its signed checkpoint"}}},
		{"the size in the head", func(x *tampered) { x.exec(`UPDATE decisionlog_head SET size = 20`) },
			[]error{&decisionlog.BadHead{Reason: "size and root are not those of its signed checkpoint"}}},
		{"no head", func(x *tampered) { x.exec(`DELETE FROM decisionlog_head`) }, []error{&decisionlog.BadHead{Reason: "it is missing"}}},
		{"a broken head", func(x *tampered) { x.exec(`UPDATE decisionlog_head SET root = $1`, []byte("short")) },
			[]error{&decisionlog.BadHead{Reason: "its size or root is not one"}}},
		{"the checkpoint's text", func(x *tampered) {
			x.exec(`UPDATE decisionlog_head SET checkpoint = replace(checkpoint, '` + "\n21\n" + `', '` + "\n20\n" + `')`)
		}, []error{&decisionlog.BadCheckpoint{Reason: "its signature is wrong"}}},
		{"the checkpoint's signature", func(x *tampered) {
			x.exec(`UPDATE decisionlog_head SET checkpoint = checkpoint || 'x'`)
		}, []error{&decisionlog.BadCheckpoint{Reason: "it is not a signed note"}}},
		{"another log's checkpoint", func(x *tampered) {
			other := x.cfg
			other.Origin = "example.com/other"
			x.exec(`UPDATE decisionlog_head SET checkpoint = $1`, string(x.checkpoint(tlog.Tree{N: 21}, other)))
		}, []error{&decisionlog.BadCheckpoint{Reason: `it is of the log "example.com/other", not of "` + origin + `"`}}},
		{"a deleted event", func(x *tampered) { x.exec(`DELETE FROM decisionlog_events WHERE idx = 9`) },
			[]error{&decisionlog.Gap{Table: "events", Index: 9}}},
		{"the first events deleted", func(x *tampered) { x.exec(`DELETE FROM decisionlog_events WHERE idx < 3`) },
			[]error{&decisionlog.Gap{Table: "events", Index: 0}}},
		{"the first events deleted as if dropped", func(x *tampered) {
			x.exec(`DELETE FROM decisionlog_events WHERE idx < 3`)
			x.exec(`UPDATE decisionlog_head SET kept_from = 3`)
		}, []error{&decisionlog.UnannouncedDrop{KeptFrom: 3}}},
		{"the last event deleted", func(x *tampered) { x.exec(`DELETE FROM decisionlog_events WHERE idx = 20`) },
			[]error{&decisionlog.Gap{Table: "events", Index: 20}}},
		{"a deleted leaf hash", func(x *tampered) { x.exec(`DELETE FROM decisionlog_hashes WHERE idx = $1`, tlog.StoredHashIndex(0, 4)) },
			[]error{&decisionlog.Gap{Table: "hashes", Index: tlog.StoredHashIndex(0, 4)}}},
		{"a deleted inner hash", func(x *tampered) { x.exec(`DELETE FROM decisionlog_hashes WHERE idx = $1`, tlog.StoredHashIndex(2, 1)) },
			[]error{&decisionlog.Gap{Table: "hashes", Index: tlog.StoredHashIndex(2, 1)}}},
		{"an event too many", func(x *tampered) {
			x.exec(`INSERT INTO decisionlog_events (idx, at, kind, decision_id, actor_kind, actor, account, operation, purpose, feature, basis, allowed, clauses, outcome, body)
				SELECT 21, at, kind, decision_id, actor_kind, actor, account, operation, purpose, feature, basis, allowed, clauses, outcome, body
				FROM decisionlog_events WHERE idx = 20`)
		}, []error{&decisionlog.Surplus{Table: "events", Index: 21}}},
		{"a hash too many", func(x *tampered) {
			x.exec(`INSERT INTO decisionlog_hashes (idx, hash) VALUES ($1, $2)`, tlog.StoredHashCount(21), make([]byte, 32))
		}, []error{&decisionlog.Surplus{Table: "hashes", Index: tlog.StoredHashCount(21)}}},
		{"a body that is no event, signed with the key", func(x *tampered) {
			x.exec(`UPDATE decisionlog_events SET body = $1 WHERE idx = 2`, []byte("no event"))
			x.sign(x.rehash(21), x.cfg)
		}, []error{&decisionlog.TamperedIndex{Index: 2, Column: "body"}}},
	}
	for column, value := range map[string]any{
		"at": 1, "kind": "outcome", "decision_id": "other", "ref": 1, "actor_kind": "staff", "actor": "other", "account": "other",
		"operation": "other", "purpose": "other", "feature": "other", "basis": "other", "allowed": true, "clauses": "1", "outcome": "done",
	} {
		tests = append(tests, struct {
			name   string
			tamper func(x *tampered)
			want   []error
		}{"column " + column, func(x *tampered) {
			x.exec(`UPDATE decisionlog_events SET `+column+` = $1 WHERE idx = 4`, value)
		}, []error{&decisionlog.TamperedIndex{Index: 4, Column: column}}})
	}
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				db := open(t)
				log := openLog(t, db, cfg)
				t.Cleanup(func() { wipe(t, db) })
				appendEvents(t, log, 0, tamperedSize)
				test.tamper(&tampered{t, db, cfg})
				_, err := log.Verify(t.Context(), decisionlog.VerifyOptions{Index: columns})
				mustFind(t, err, test.want)
			})
		}
	})
}

// wipe empties the tables, so that the next log can start in the same database.
func wipe(t *testing.T, db *database.DB) {
	t.Helper()
	for _, table := range []string{"events", "hashes", "head"} {
		err := db.Write(context.Background(), func(tx *sql.Tx) error { // the test's own context has ended
			_, err := tx.Exec(`DELETE FROM decisionlog_` + table)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// mustFind compares a verification's findings with those wanted, all of them and in order.
func mustFind(t *testing.T, err error, want []error) {
	t.Helper()
	var got []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		got = joined.Unwrap()
	} else if err != nil {
		got = []error{err}
	}
	if len(got) != len(want) {
		t.Fatalf("got %d findings: %v\nwant %v", len(got), got, want)
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("finding %d: got %T %+v, want %T %+v", i, got[i], got[i], want[i], want[i])
		}
	}
}

// TestVerifyFindsEveryFlip inverts, one at a time, one bit in every stored hash and one in every byte of a body.
func TestVerifyFindsEveryFlip(t *testing.T) {
	db := databasetest.Open(t, databasetest.SQLite(t))
	cfg := config(t)
	log := openLog(t, db, cfg)
	appendEvents(t, log, 0, tamperedSize)
	x := &tampered{t, db, cfg}
	for position := range tlog.StoredHashCount(tamperedSize) {
		x.flip("hashes", "hash", position, int(position))
		_, err := log.Verify(t.Context(), decisionlog.VerifyOptions{})
		level, n := tlog.SplitStoredHashIndex(position)
		mustFind(t, err, []error{&decisionlog.TamperedHash{Level: level, Index: n}})
		x.flip("hashes", "hash", position, int(position))
	}
	for at := range decision(11).entry(t).Body {
		x.flip("events", "body", 11, at)
		_, err := log.Verify(t.Context(), decisionlog.VerifyOptions{})
		mustFind(t, err, []error{&decisionlog.TamperedLeaf{Index: 11}})
		x.flip("events", "body", 11, at)
	}
	mustVerify(t, log, tamperedSize)
}

// TestKeptCheckpoint plays the attacker who has the database and the key: what he does is consistent in itself, and
// only a checkpoint kept elsewhere shows it, to Verify and to Open.
func TestKeptCheckpoint(t *testing.T) {
	foreign := config(t)
	tests := []struct {
		name   string
		tamper func(x *tampered, kept []byte)
		kept   func(x *tampered, kept []byte) []byte // what the auditor brings; the true one if nil
		want   error
	}{
		{name: "nothing", tamper: func(*tampered, []byte) {}},
		{
			name: "the empty log's checkpoint", tamper: func(*tampered, []byte) {},
			kept: func(x *tampered, _ []byte) []byte {
				root, _ := tlog.TreeHash(0, nil)
				return x.checkpoint(tlog.Tree{N: 0, Hash: root}, x.cfg)
			},
		},
		{
			name:   "rolled back",
			tamper: func(x *tampered, kept []byte) { x.truncate(10, kept) },
			kept: func(x *tampered, _ []byte) []byte {
				return x.checkpoint(tlog.Tree{N: 21, Hash: tlog.Hash{1}}, x.cfg) // seen before the rollback
			},
			want: &decisionlog.RolledBack{Have: 10, Known: 21},
		},
		{
			name:   "forked before the kept size",
			tamper: func(x *tampered, _ []byte) { x.sign(x.rewrite(5, 21), x.cfg) },
			want:   &decisionlog.Forked{Size: 10},
		},
		{
			name:   "forked after the kept size",
			tamper: func(x *tampered, _ []byte) { x.sign(x.rewrite(10, 21), x.cfg) },
		},
		{
			name: "a forged kept checkpoint", tamper: func(*tampered, []byte) {},
			kept: func(x *tampered, kept []byte) []byte { return x.checkpoint(tlog.Tree{N: 10}, foreign) },
			want: &decisionlog.BadCheckpoint{Kept: true, Reason: "it is not signed by this log's key"},
		},
		{
			name: "a kept checkpoint that is none", tamper: func(*tampered, []byte) {},
			kept: func(*tampered, []byte) []byte { return []byte("hello") },
			want: &decisionlog.BadCheckpoint{Kept: true, Reason: "it is not a signed note"},
		},
	}
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				db := open(t)
				log := openLog(t, db, cfg)
				t.Cleanup(func() { wipe(t, db) })
				appendEvents(t, log, 0, 10)
				kept, _, err := log.Checkpoint(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				appendEvents(t, log, 10, tamperedSize)
				x := &tampered{t, db, cfg}
				test.tamper(x, kept)
				if test.kept != nil {
					kept = test.kept(x, kept)
				}

				_, err = log.Verify(t.Context(), decisionlog.VerifyOptions{})
				mustFind(t, err, nil)

				var want []error
				if test.want != nil {
					want = []error{test.want}
				}
				_, err = log.Verify(t.Context(), decisionlog.VerifyOptions{Kept: kept})
				mustFind(t, err, want)

				keeping := cfg
				keeping.Kept = kept
				opened, err := decisionlog.Open(t.Context(), db, keeping)
				if err == nil {
					opened.Close()
				}
				if !reflect.DeepEqual(err, test.want) {
					t.Errorf("Open: got %v, want %v", err, test.want)
				}
			})
		}
	})
}

// TestOpenRefuses: what is wrong near the head is found when the log is opened.
func TestOpenRefuses(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		for name, test := range map[string]struct {
			tamper func(x *tampered)
			want   error
		}{
			"no head":         {func(x *tampered) { x.exec(`DELETE FROM decisionlog_head`) }, &decisionlog.BadHead{}},
			"another root":    {func(x *tampered) { x.exec(`UPDATE decisionlog_head SET root = $1`, make([]byte, 32)) }, &decisionlog.BadHead{}},
			"no checkpoint":   {func(x *tampered) { x.exec(`UPDATE decisionlog_head SET checkpoint = ''`) }, &decisionlog.BadCheckpoint{}},
			"a changed hash":  {func(x *tampered) { x.flip("hashes", "hash", tlog.StoredHashIndex(4, 0), 0) }, &decisionlog.TamperedTree{}},
			"a missing hash":  {func(x *tampered) { x.exec(`DELETE FROM decisionlog_hashes WHERE idx = $1`, tlog.StoredHashIndex(4, 0)) }, &decisionlog.Gap{}},
			"a missing event": {func(x *tampered) { x.exec(`DELETE FROM decisionlog_events WHERE idx = 20`) }, &decisionlog.Gap{}},
			"an extra hash": {func(x *tampered) {
				x.exec(`INSERT INTO decisionlog_hashes (idx, hash) VALUES (1000, $1)`, make([]byte, 32))
			}, &decisionlog.Surplus{}},
		} {
			t.Run(name, func(t *testing.T) {
				db := open(t)
				log := openLog(t, db, cfg)
				t.Cleanup(func() { wipe(t, db) })
				appendEvents(t, log, 0, tamperedSize)
				test.tamper(&tampered{t, db, cfg})
				opened, err := decisionlog.Open(t.Context(), db, cfg)
				if err == nil {
					opened.Close()
				}
				if reflect.TypeOf(err) != reflect.TypeOf(test.want) {
					t.Errorf("got %T %v, want %T", err, err, test.want)
				}
			})
		}
	})
}

// TestAppendRefusesAnotherPast: a running log whose database is rolled back or replaced under it stops, instead of
// building on a past in which events that it has acknowledged do not exist.
func TestAppendRefusesAnotherPast(t *testing.T) {
	for name, test := range map[string]struct {
		tamper func(x *tampered, kept []byte)
		want   error
	}{
		"rolled back":        {func(x *tampered, kept []byte) { x.truncate(10, kept) }, &decisionlog.RolledBack{}},
		"replaced":           {func(x *tampered, _ []byte) { x.sign(x.rewrite(5, 21), x.cfg) }, &decisionlog.Forked{}},
		"replaced and grown": {replaceAndGrow, &decisionlog.Forked{}},
	} {
		t.Run(name, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
				db, cfg := open(t), config(t)
				log := openLog(t, db, cfg)
				appendEvents(t, log, 0, 10)
				kept, _, err := log.Checkpoint(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				appendEvents(t, log, 10, tamperedSize)
				test.tamper(&tampered{t, db, cfg}, kept)

				_, err = log.Append(t.Context(), decision(21).entry(t))
				if reflect.TypeOf(err) != reflect.TypeOf(test.want) {
					t.Errorf("got %T %v, want %T", err, err, test.want)
				}
				if state := log.State(); state.Open || !errors.Is(state.Err, err) {
					t.Errorf("got state %+v, want closed for that reason", state)
				}
			})
		})
	}
}

// replaceAndGrow puts another history of 24 events in the place of the log's 21.
func replaceAndGrow(x *tampered, _ []byte) {
	x.sign(x.rewrite(5, 21), x.cfg)
	other, err := decisionlog.Open(x.tb.Context(), x.db, x.cfg)
	if err != nil {
		x.tb.Fatal(err)
	}
	appendEvents(x.tb, other, 21, 24)
	if err := other.Close(); err != nil {
		x.tb.Fatal(err)
	}
}
