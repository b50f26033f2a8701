package policy_test

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// cpu reports the processor time of a benchmark, which other work on the machine does not lengthen.
func cpu(b *testing.B) (stop func()) {
	b.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64((used()-before).Nanoseconds())/1000/float64(b.N), "cpu-us/op") }
}

// BenchmarkDecide is one decision of the engine alone: an answer from an input, on one core.
func BenchmarkDecide(b *testing.B) {
	w := newWorld(b)
	tables, err := limiteduse.ReadTables()
	if err != nil {
		b.Fatal(err)
	}
	var reading policy.Input
	for _, in := range plainInputs(tables) {
		if in.Feature == "message_view" {
			reading = in
		}
	}
	for _, n := range []int{1, 50} {
		in := copied(reading)
		in.Resource.IDs = manyIDs(n)
		b.Run(fmt.Sprintf("ids=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				if basis, err := w.gate.Decide(context.Background(), policy.Term(in)); err != nil || basis == "" {
					b.Fatal(basis, err)
				}
			}
		})
	}
	refused := copied(reading)
	refused.Purpose = "marketing.audience"
	b.Run("refused, with clauses", func(b *testing.B) {
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			if got, err := w.gate.Judge(context.Background(), policy.Term(refused)); err != nil || len(got.Denials) == 0 {
				b.Fatal(got, err)
			}
		}
	})
	variants, err := policy.Variants(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	for name, ask := range variants {
		in := copied(reading)
		in.Resource.IDs = manyIDs(1)
		b.Run("ids=1, "+name, func(b *testing.B) {
			defer cpu(b)()
			for b.Loop() {
				if basis, err := ask(context.Background(), policy.Term(in)); err != nil || basis == "" {
					b.Fatal(basis, err)
				}
			}
		})
	}
}

// BenchmarkAuthorize is a decision made and durable, on SQLite.
func BenchmarkAuthorize(b *testing.B) {
	for _, clients := range []int{1, 64} {
		for _, n := range []int{1, 50} {
			b.Run(fmt.Sprintf("clients=%d/ids=%d", clients, n), func(b *testing.B) {
				w := newWorld(b)
				a := read()
				a.Target.Resource.IDs = manyIDs(n)
				authorize := func() {
					if _, err := w.gate.Authorize(context.Background(), a); err != nil {
						b.Error(err)
					}
				}
				b.ReportAllocs()
				defer cpu(b)()
				if clients == 1 {
					for b.Loop() {
						authorize()
					}
				} else {
					b.SetParallelism(clients / runtime.GOMAXPROCS(0))
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							authorize()
						}
					})
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
			})
		}
	}
}
