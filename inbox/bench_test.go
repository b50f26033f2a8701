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

// BenchmarkPage is the table of docs/architecture.md: a page of 50 conversations through the gate, the log
// and the guarded client, cold and warm, beside the naive use of Google's Go client (a list, then one get for
// each row) on the same emulator, at several upstream latencies. Trips and units are counted by the emulator.
func BenchmarkPage(b *testing.B) {
	for _, latency := range []time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond} {
		b.Run(fmt.Sprintf("upstream=%s/naive", latency), func(b *testing.B) {
			r := benchReader(b, latency)
			svc := naiveClient(b, r)
			measure(b, r, func() { naivePage(b, svc) })
		})
		b.Run(fmt.Sprintf("upstream=%s/cold", latency), func(b *testing.B) {
			r := benchReader(b, latency)
			measure(b, r, func() {
				r.service.Forget(readerAccount)
				benchPage(b, r)
			})
		})
		b.Run(fmt.Sprintf("upstream=%s/warm", latency), func(b *testing.B) {
			r := benchReader(b, latency)
			benchPage(b, r)
			measure(b, r, func() { benchPage(b, r) })
		})
		b.Run(fmt.Sprintf("upstream=%s/bare-two-rounds", latency), func(b *testing.B) {
			r := benchReader(b, latency)
			svc := naiveClient(b, r)
			measure(b, r, func() {
				for range 2 {
					if _, err := svc.Users.GetProfile("me").Do(); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func benchReader(b *testing.B, latency time.Duration) *reader {
	r := newReader(b)
	for n := range 60 {
		r.put(b, simple(n, fmt.Sprint(n)), "INBOX")
	}
	r.mail.SetLatency(latency)
	return r
}

func benchPage(b *testing.B, r *reader) {
	page, err := r.service.Threads(context.Background(), listing, inbox.ListRequest{Label: "INBOX"})
	if err != nil || len(page.Rows) != 50 {
		b.Fatalf("%d rows, %v", len(page.Rows), err)
	}
}

// measure runs do b.N times and reports the median, and the emulator's trips and units for one.
func measure(b *testing.B, r *reader, do func()) {
	r.mail.ResetStats()
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		do()
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	stats := r.mail.Stats()
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(stats.Trips)/float64(len(took)), "trips/op")
	b.ReportMetric(float64(stats.Units)/float64(len(took)), "units/op")
}

type bearer string

func (t bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+string(t))
	return http.DefaultTransport.RoundTrip(req)
}

func naiveClient(b *testing.B, r *reader) *gmailv1.Service {
	svc, err := gmailv1.NewService(b.Context(), option.WithHTTPClient(&http.Client{Transport: bearer("alice-token")}), option.WithEndpoint(r.endpoint+"/"))
	if err != nil {
		b.Fatal(err)
	}
	return svc
}

func naivePage(b *testing.B, svc *gmailv1.Service) {
	list, err := svc.Users.Messages.List("me").LabelIds("INBOX").MaxResults(50).Do()
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range list.Messages {
		if _, err := svc.Users.Messages.Get("me", m.Id).Format("metadata").Do(); err != nil {
			b.Fatal(err)
		}
	}
}
