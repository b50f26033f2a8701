package inbox_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	gmailv1 "google.golang.org/api/gmail/v1"
	"google.golang.org/api/option"

	"github.com/totalengage/webmail/inbox"
)

// BenchmarkClient is the table of docs/architecture.md: what people do all day, through the gate, the log and the
// guarded client, beside the naive use of Google's Go client (a list, then one get for each row; one call for each
// change) on the same emulator in the same run, at several upstream latencies. Trips, units and bytes are counted by
// the emulator. "bare" is two round trips that ask for nothing much, which is what a cold page must wait for.
func BenchmarkClient(b *testing.B) {
	for _, latency := range []time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond} {
		for _, c := range benchCases {
			b.Run(fmt.Sprintf("%s/upstream=%s/ours", c.name, latency), func(b *testing.B) {
				r := newBench(b, latency)
				if c.held {
					r.watch(b)
					c.ours(b, r, -1)
				}
				n := 0
				r.measure(b, func() {
					if !c.held {
						r.service.Forget(readerAccount)
					}
					c.ours(b, r, n)
					n++
				})
			})
			b.Run(fmt.Sprintf("%s/upstream=%s/naive", c.name, latency), func(b *testing.B) {
				r := newBench(b, latency)
				n := 0
				r.measure(b, func() {
					c.naive(b, r, n)
					n++
				})
			})
		}
		b.Run(fmt.Sprintf("two-bare-trips/upstream=%s/naive", latency), func(b *testing.B) {
			r := newBench(b, latency)
			r.measure(b, func() {
				for range 2 {
					if _, err := r.google.GetProfile("me").Do(); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// benchCase is something that a person does. n counts the repetitions; held says that the mailbox has been looked at
// and its page is open, so that live updates are on.
type benchCase struct {
	name        string
	held        bool
	ours, naive func(b *testing.B, r *bench, n int)
}

const changedAtOnce = 10 // conversations

var benchCases = []benchCase{
	{"cold-page", false, func(b *testing.B, r *bench, _ int) { r.page(b, inbox.ListRequest{Label: "INBOX"}) },
		func(b *testing.B, r *bench, _ int) {
			r.naivePage(b, r.google.Messages.List("me").LabelIds("INBOX"))
		}},
	{"warm-page", true, func(b *testing.B, r *bench, _ int) { r.page(b, inbox.ListRequest{Label: "INBOX"}) },
		func(b *testing.B, r *bench, _ int) {
			r.naivePage(b, r.google.Messages.List("me").LabelIds("INBOX"))
		}},
	{"search", false, func(b *testing.B, r *bench, _ int) {
		r.page(b, inbox.ListRequest{Label: inbox.AllMail, Search: "text"})
	}, func(b *testing.B, r *bench, _ int) { r.naivePage(b, r.google.Messages.List("me").Q("text")) }},
	{"cold-open", false, func(b *testing.B, r *bench, n int) { r.open(b, n) }, func(b *testing.B, r *bench, n int) { r.naiveOpen(b, n) }},
	{"warm-open", true, func(b *testing.B, r *bench, _ int) { r.open(b, 0) }, func(b *testing.B, r *bench, _ int) { r.naiveOpen(b, 0) }},
	{"label-10", true, func(b *testing.B, r *bench, n int) {
		if err := r.service.ModifyThreads(context.Background(), organising, r.ids[:changedAtOnce], inbox.LabelChange{Add: []string{"STARRED"}}); err != nil {
			b.Fatal(err)
		}
	}, func(b *testing.B, r *bench, _ int) {
		for _, id := range r.ids[:changedAtOnce] {
			if _, err := r.google.Threads.Modify("me", id, &gmailv1.ModifyThreadRequest{AddLabelIds: []string{"STARRED"}}).Do(); err != nil {
				b.Fatal(err)
			}
		}
	}},
}

// bench is a mailbox of 60 conversations, with our service and Google's client over it.
type bench struct {
	*reader
	google *gmailv1.UsersService
	ids    []string
}

func newBench(b *testing.B, latency time.Duration) *bench {
	r := &bench{reader: newReader(b)}
	for n := range 60 {
		r.ids = append(r.ids, r.put(b, simple(n, fmt.Sprint(n)), "INBOX"))
	}
	var err error
	// Quota is counted, not waited for: a second of a benchmark is more than a minute of a person.
	r.service, err = inbox.New(inbox.Config{Gate: r.gate, Tokens: fixedToken("alice-token"), Endpoint: r.endpoint, Units: -1, PollEvery: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.service.Close)
	svc, err := gmailv1.NewService(b.Context(), option.WithHTTPClient(&http.Client{Transport: bearer("alice-token")}), option.WithEndpoint(r.endpoint+"/"))
	if err != nil {
		b.Fatal(err)
	}
	r.google = svc.Users
	r.mail.SetLatency(latency)
	return r
}

// watch opens a page, so that live updates keep what is held right.
func (r *bench) watch(b *testing.B) {
	w, err := r.service.Watch(context.Background(), watching)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.Close)
}

func (r *bench) page(b *testing.B, req inbox.ListRequest) {
	v := listing
	if req.Search != "" {
		v = searching
	}
	page, err := r.service.Threads(context.Background(), v, req)
	if err != nil || len(page.Rows) != 50 {
		b.Fatalf("%d rows, %v", len(page.Rows), err)
	}
}

func (r *bench) open(b *testing.B, n int) {
	c, err := r.service.Conversation(context.Background(), opening, r.ids[max(n, 0)%len(r.ids)])
	if err != nil || len(c.Messages) != 1 {
		b.Fatalf("%d messages, %v", len(c.Messages), err)
	}
}

func (r *bench) naivePage(b *testing.B, call *gmailv1.UsersMessagesListCall) {
	list, err := call.MaxResults(50).Do()
	if err != nil || len(list.Messages) != 50 {
		b.Fatal(err)
	}
	for _, m := range list.Messages {
		if _, err := r.google.Messages.Get("me", m.Id).Format("metadata").Do(); err != nil {
			b.Fatal(err)
		}
	}
}

func (r *bench) naiveOpen(b *testing.B, n int) {
	if _, err := r.google.Threads.Get("me", r.ids[n%len(r.ids)]).Format("full").Do(); err != nil {
		b.Fatal(err)
	}
}

// measure runs do b.N times and reports medians, and the emulator's counts for one.
func (r *bench) measure(b *testing.B, do func()) {
	r.mail.ResetStats()
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		do()
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	stats, n := r.mail.Stats(), float64(len(took))
	b.ReportMetric(0, "ns/op") // the mean says less than the median
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(stats.Trips)/n, "trips")
	b.ReportMetric(float64(stats.Units)/n, "units")
	b.ReportMetric(float64(stats.BytesOut)/n/1000, "kB")
}

type bearer string

func (t bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+string(t))
	return http.DefaultTransport.RoundTrip(req)
}
