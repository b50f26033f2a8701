package traffic_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/totalengage/webmail/frontend/traffic"
)

func TestSnapshot(t *testing.T) {
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	c := traffic.New(start)
	for range 18 {
		c.Add("GET", "/api/session", 200, 3*time.Millisecond)
	}
	c.Add("GET", "/api/session", 401, 900*time.Microsecond)
	c.Add("GET", "/api/session", 503, 700*time.Millisecond)
	c.Add("GET", "/api/accounts/{account}/events", 200, traffic.Streamed)
	c.Add("GET", "", 304, 0)

	since, got := c.Snapshot()
	want := []traffic.Route{
		{Method: "GET", Route: "/api/session", Requests: 20, Refused: 1, Failed: 1, Median: 4 * time.Millisecond, P95: 4 * time.Millisecond},
		{Method: "GET", Route: "", Requests: 1, Median: time.Millisecond, P95: time.Millisecond},
		{Method: "GET", Route: "/api/accounts/{account}/events", Requests: 1},
	}
	if !since.Equal(start) || !slices.Equal(got, want) {
		t.Errorf("got %v %+v, want %v %+v", since, got, start, want)
	}
	c.Add("GET", "/api/session", 503, 700*time.Millisecond)
	if _, got := c.Snapshot(); got[0].P95 != 1024*time.Millisecond || got[0].Median != 4*time.Millisecond {
		t.Errorf("one in twenty slow: got median %v and p95 %v, want 4ms and 1.024s", got[0].Median, got[0].P95)
	}
}

// TestInventedMethodsDoNotFillTheMemory: a method is any word that a client sends.
func TestInventedMethodsDoNotFillTheMemory(t *testing.T) {
	c := traffic.New(time.Time{})
	for i := range 1000 {
		c.Add(fmt.Sprintf("CANARY%d", i), "", 405, time.Millisecond)
	}
	if _, got := c.Snapshot(); len(got) != 1 || got[0].Method != "other" || got[0].Requests != 1000 {
		t.Errorf("got %d rows, the first %+v, want one of 1000 requests", len(got), got[0])
	}
}

// TestNothingIsOutOfRange: whatever a handler answers is counted somewhere.
func TestNothingIsOutOfRange(t *testing.T) {
	c := traffic.New(time.Time{})
	for _, status := range []int{-1, 0, 99, 600, 1000} {
		c.Add("GET", "/", status, 1<<62)
	}
	if _, got := c.Snapshot(); got[0].Requests != 5 || got[0].P95 <= 0 {
		t.Errorf("got %+v, want 5 requests", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	c := traffic.New(time.Time{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				c.Add("GET", "/api/session", 200, time.Millisecond)
				c.Snapshot()
			}
		})
	}
	all.Wait()
	if _, got := c.Snapshot(); got[0].Requests != 4000 {
		t.Errorf("got %d requests, want 4000", got[0].Requests)
	}
}
