package policy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
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

// decided is the input of a real decision: a message read by its owner.
func decided(b *testing.B, w *world) policy.Input {
	b.Helper()
	if _, err := w.gate.Authorize(context.Background(), read()); err != nil {
		b.Fatal(err)
	}
	page, err := w.log.Query(context.Background(), decisionlog.Filter{Kind: decisionlog.Decision, Limit: 1})
	if err != nil {
		b.Fatal(err)
	}
	var ev struct{ Input policy.Input }
	if err := json.Unmarshal(page.Records[0].Body, &ev); err != nil {
		b.Fatal(err)
	}
	return ev.Input
}

// BenchmarkDecide is one decision of the engine alone: an answer from an input, on one core.
func BenchmarkDecide(b *testing.B) {
	w := newWorld(b)
	reading := decided(b, w)
	with := func(n int) policy.Input {
		in := reading
		in.Resource.IDs = manyIDs(n)
		return in
	}
	for _, n := range []int{1, 50} {
		b.Run(fmt.Sprintf("ids=%d", n), func(b *testing.B) {
			in := with(n)
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				if basis, err := w.gate.Decide(context.Background(), policy.Term(in)); err != nil || basis == "" {
					b.Fatal(basis, err)
				}
			}
		})
	}
	b.Run("input alone", func(b *testing.B) {
		in := with(1)
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			policy.Term(in)
		}
	})
	b.Run("refused, with clauses", func(b *testing.B) {
		in := with(1)
		in.Purpose = "marketing.audience"
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			if got, err := w.gate.Judge(context.Background(), policy.Term(in)); err != nil || len(got.Denials) == 0 {
				b.Fatal(got, err)
			}
		}
	})
	variants, err := policy.Variants(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	for name, ask := range variants {
		b.Run("ids=1, "+name, func(b *testing.B) {
			in := with(1)
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				if basis, err := ask(context.Background(), policy.Term(in)); err != nil || basis == "" {
					b.Fatal(basis, err)
				}
			}
		})
	}
}

// BenchmarkCompile is a start: a policy compiled, and unfolded for every way through its tables.
func BenchmarkCompile(b *testing.B) {
	source := policy.Embedded()
	source["data.json"] += " " // not the embedded engine, which is compiled once for all
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		if _, err := policy.NewJudge(context.Background(), source); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplay is one logged decision made again under two policies, reading included.
func BenchmarkReplay(b *testing.B) {
	w := newWorld(b)
	const logged = 500
	for range logged {
		if _, err := w.gate.Authorize(context.Background(), read()); err != nil {
			b.Fatal(err)
		}
	}
	judge, err := policy.NewJudge(context.Background(), policy.Embedded())
	if err != nil {
		b.Fatal(err)
	}
	run := policy.Replay{Log: w.log, Sources: policy.OpenSourcesReadOnly(w.db), Candidate: judge}
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		if report, err := run.Run(context.Background()); err != nil || report.Same != logged {
			b.Fatal(report, err)
		}
	}
	b.ReportMetric(float64(b.N)*logged/b.Elapsed().Seconds(), "decisions/s")
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
