// Package traffic counts what the server answered and how long that took, for whoever operates it.
//
// It knows routes as the route table writes them, methods and classes of status; never a path, an account, a
// person or anything of a message. The counts live in memory, one set a process, since its start: nothing of
// them is stored. That is what makes them free of the rules for Gmail data.
//
// Cost: one mutex and an addition per request; under 1 kB a route.
package traffic

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sync"
	"time"
)

// Counter counts requests. It is safe for concurrent use.
type Counter struct {
	since time.Time

	mu     sync.Mutex
	routes map[key]*figures // guarded by mu
}

type key struct{ method, route string }

// figures of one route. Latencies fall into classes that double, so that a quantile is known to a factor of
// two at worst and nothing about a single request is kept.
type figures struct {
	classes   [6]int64 // by the first digit of the status
	latencies [32]int64
}

// New returns an empty counter.
func New(now time.Time) *Counter { return &Counter{since: now, routes: map[key]*figures{}} }

// Streamed is the duration to give for an answer that stays open: it has no latency to speak of.
const Streamed = time.Duration(-1)

// methods are counted by name. The browser chooses the word, so every other one is counted as "other".
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// Add counts one answered request. route is the pattern of the route table, "" for pages and files.
func (c *Counter) Add(method, route string, status int, took time.Duration) {
	if !slices.Contains(methods, method) {
		method = "other"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.routes[key{method, route}]
	if f == nil {
		f = &figures{}
		c.routes[key{method, route}] = f
	}
	f.classes[min(max(status/100, 0), 5)]++
	if took >= 0 {
		f.latencies[min(bits.Len64(uint64(took/time.Millisecond)), len(f.latencies)-1)]++
	}
}

// Route is what was counted of one route.
type Route struct {
	Method, Route string
	Requests      int64
	Refused       int64 // answered with 4xx
	Failed        int64 // answered with 5xx
	// Median and P95 are bounds that half and 95 % of the requests stayed below, in powers of two of a
	// millisecond; 0 where there was nothing to measure.
	Median, P95 time.Duration
}

// Snapshot returns since when is counted, and the routes by number of requests.
func (c *Counter) Snapshot() (since time.Time, routes []Route) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, f := range c.routes {
		r := Route{Method: k.method, Route: k.route, Refused: f.classes[4], Failed: f.classes[5], Median: f.quantile(0.5), P95: f.quantile(0.95)}
		for _, n := range f.classes {
			r.Requests += n
		}
		routes = append(routes, r)
	}
	slices.SortFunc(routes, func(a, b Route) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Method, b.Method))
	})
	return c.since, routes
}

// quantile returns the upper bound of the class in which the quantile lies.
func (f *figures) quantile(q float64) time.Duration {
	var measured, seen int64
	for _, n := range f.latencies {
		measured += n
	}
	for class, n := range f.latencies {
		seen += n
		if measured > 0 && seen >= int64(math.Ceil(q*float64(measured))) {
			return time.Millisecond << class
		}
	}
	return 0
}
