package emulator

import (
	"maps"
	"sync"
)

// Stats counts what was asked since the start or the last ResetStats.
type Stats struct {
	// Trips are HTTP requests; a batch is one.
	Trips int64 `json:"trips"`
	// Requests are API calls that named a method; a batch of n makes n.
	Requests int64 `json:"requests"`
	// Methods counts the calls by method id ("messages.get").
	Methods map[string]int64 `json:"methods"`
	// Units are the quota units of the calls that were let through, by the table
	// in force ("new" when quota is off).
	Units int64 `json:"units"`
	// BytesOut are response bodies as sent, compressed or not, without headers.
	BytesOut int64 `json:"bytesOut"`
}

type counters struct {
	mu sync.Mutex
	s  Stats // owned by mu
}

func (c *counters) add(f func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.s.Methods == nil {
		c.s.Methods = map[string]int64{}
	}
	f(&c.s)
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	var out Stats
	s.stats.add(func(c *Stats) {
		out = *c
		out.Methods = maps.Clone(c.Methods)
	})
	return out
}

// ResetStats begins counting anew.
func (s *Server) ResetStats() {
	s.stats.add(func(c *Stats) { *c = Stats{Methods: map[string]int64{}} })
}
