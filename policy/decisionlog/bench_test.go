package decisionlog_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// kilobyte returns a decision whose body has about 1 KB, as a real one with its input has.
func kilobyte(n int) decisionlog.Entry {
	entry := decisionlog.Entry{
		Kind: decisionlog.Decision, At: epoch.Add(time.Duration(n) * time.Millisecond), Ref: decisionlog.NoRef,
		DecisionID: fmt.Sprintf("0192f7a4-%04x-7a31-9d1e-%012x", n>>16, n*2654435761&0xffffffffffff), ActorKind: "owner",
		Actor: fmt.Sprintf("kq3vX%017d", n*7919%1000), Account: fmt.Sprintf("pT7dW%017d", n*104729%1000),
		Operation: "threads.get", Purpose: "read_mail", Feature: "thread", Basis: "owner", Allowed: true, Clauses: []string{"1"},
	}
	entry.Body = fmt.Appendf(nil, `{"decision_id":%q,"input":%q}`, entry.DecisionID, strings.Repeat("x", 960))
	return entry
}

// BenchmarkAppend measures events a second, and what one caller waits, alone and among 64.
func BenchmarkAppend(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			databasetest.BenchmarkEach(b, func(b *testing.B, url string) {
				log := openLog(b, databasetest.Open(b, url), config(b))
				var (
					next  atomic.Int64
					wg    sync.WaitGroup
					waits = make([][]time.Duration, clients)
				)
				b.ResetTimer()
				for client := range clients {
					wg.Go(func() {
						for n := int(next.Add(1)); n <= b.N; n = int(next.Add(1)) {
							entry := kilobyte(n)
							start := time.Now()
							if _, err := log.Append(b.Context(), entry); err != nil {
								b.Error(err)
								return
							}
							waits[client] = append(waits[client], time.Since(start))
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				all := slices.Sorted(slices.Values(slices.Concat(waits...)))
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
				b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
			})
		})
	}
}

// BenchmarkVerify checks a log of 20,000 events of 1 KB, without the columns.
func BenchmarkVerify(b *testing.B) {
	const size = 20000
	databasetest.BenchmarkEach(b, func(b *testing.B, url string) {
		log := openLog(b, databasetest.Open(b, url), config(b))
		for from := 0; from < size; from += 1000 {
			var entries []decisionlog.Entry
			for n := from; n < from+1000; n++ {
				entries = append(entries, kilobyte(n))
			}
			if _, err := log.AppendAll(b.Context(), entries); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := log.Verify(b.Context(), decisionlog.VerifyOptions{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(size*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
}

// BenchmarkBareCommit is the floor under one client's append: a transaction that inserts the same body and nothing
// else. BenchmarkAppend/clients=1 is to be read as a multiple of it, whatever the disk does that day.
func BenchmarkBareCommit(b *testing.B) {
	databasetest.BenchmarkEach(b, func(b *testing.B, url string) {
		db := databasetest.Open(b, url)
		table := fstest.MapFS{"00001_bodies.sql": {Data: []byte("-- +goose Up\nCREATE TABLE bodies (idx BIGINT PRIMARY KEY, body BYTEA);\n")}}
		if err := db.Migrate(b.Context(), "bodies", table); err != nil {
			b.Fatal(err)
		}
		var waits []time.Duration
		b.ResetTimer()
		for n := range b.N {
			entry := kilobyte(n)
			start := time.Now()
			err := db.Write(b.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(b.Context(), `INSERT INTO bodies (idx, body) VALUES ($1, $2)`, n, entry.Body)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			waits = append(waits, time.Since(start))
		}
		slices.Sort(waits)
		b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "p50-ms")
	})
}
