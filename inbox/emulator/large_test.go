package emulator_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox/emulator"
)

const largeMailbox = 100_000 // messages of 4 kB

// BenchmarkLargeMailbox searches a mailbox of 100,000 messages of 4 kB. It reports
// what they cost: the live heap, and the process's largest size where /proc tells.
// It takes a minute to fill the mailbox.
func BenchmarkLargeMailbox(b *testing.B) {
	srv := emulator.New(emulator.Options{
		Quota: "off", Logf: func(string, ...any) {},
		Auth: emulator.StaticTokens{"a": {Email: "alice@example.com", Scopes: []string{fullScope}}},
	})
	if err := srv.AddUser("alice@example.com", "Alice"); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	for i := range largeMailbox {
		if _, err := srv.Insert("alice@example.com", largeMail(i), []string{"INBOX"}, testTime.Add(time.Duration(i)*time.Minute)); err != nil {
			b.Fatal(err)
		}
	}
	fill := time.Since(start)
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	heap, peak := float64(mem.HeapAlloc)/1e6, peakMB()
	for _, q := range []string{"zebra", `"needle in haystack"`, "word77", "word7 word77 -word777", `"word7 word8"`, "from:person3@example.com subject:report", "word5 AROUND 3 word6", "larger:1M", "is:unread"} {
		b.Run(q, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest("GET", "/gmail/v1/users/me/messages?q="+url.QueryEscape(q), nil)
				r.Header.Set("Authorization", "Bearer a")
				out := httptest.NewRecorder()
				srv.Handler().ServeHTTP(out, r)
				if out.Code != http.StatusOK {
					b.Fatal(out.Code)
				}
			}
			b.ReportMetric(heap, "heap-MB")
			b.ReportMetric(peak, "peak-MB")
			b.ReportMetric(fill.Seconds(), "fill-s")
		})
	}
}

// largeMail is a message of 4 kB with the words of real mail's frequencies: few
// are common, most are rare. The same number makes the same message.
func largeMail(i int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(i)))
	var m strings.Builder
	fmt.Fprintf(&m, "Received: from mx%d.example.com by mx.example.net with ESMTPS id %x; Thu, 1 Oct 2026 12:00:00 +0000\r\n"+
		"From: Person %d <person%d@example.com>\r\nTo: Alice Example <alice@example.com>\r\n"+
		"Subject: Report %d about word%d\r\nMessage-ID: <%d.%x@mail.example.com>\r\nDate: Thu, 1 Oct 2026 12:00:00 +0000\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
		i%7, random.Uint64(), i%500, i%500, i, i%1000, i, random.Uint64())
	zipf := rand.NewZipf(random, 1.1, 8, 200_000)
	for n := 0; m.Len() < 4096; n++ {
		fmt.Fprintf(&m, "word%d ", zipf.Uint64())
		if n%12 == 11 {
			m.WriteString("\r\n")
		}
	}
	return []byte(m.String()[:4096])
}

// peakMB is the largest resident size so far; 0 where the system does not tell.
func peakMB() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kB float64
	fmt.Sscan(rest, &kB)
	return kB / 1000
}
