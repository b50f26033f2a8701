package policy

import (
	"context"
	"strconv"
	"sync"
	"time"
)

// EventReopened is recorded once decisions can be recorded again: since when they could not, why, and how many
// accesses were refused for it meanwhile (DESIGN 4.1, 22). While it lasts nothing can be written about it.
const EventReopened = "gate.reopened"

// closure counts what a closed gate refuses.
type closure struct {
	mu       sync.Mutex
	since    time.Time // zero while the gate is open
	why      string    // of the first refusal; from the closed set of this package's reasons
	refusals int
}

func (c *closure) refuse(at time.Time, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		c.since, c.why = at, why
	}
	c.refusals++
}

// end returns what the closure was, once, and forgets it.
func (c *closure) end() (since time.Time, why string, refusals int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	since, why, refusals = c.since, c.why, c.refusals
	c.since, c.why, c.refusals = time.Time{}, "", 0
	return since, why, refusals
}

// shut refuses an access because nothing can be recorded now, whoever asks for what.
func (g *Gate) shut(why string, err error) error {
	g.closure.refuse(g.log.Now(), why)
	return g.closed(why, err)
}

// reopened records the end of a closure, if there was one. What it fails to write it keeps for the next time.
func (g *Gate) reopened(ctx context.Context) {
	since, why, refusals := g.closure.end()
	if refusals == 0 {
		return
	}
	err := g.Record(ctx, Lifecycle{Event: EventReopened, Details: map[string]string{
		"closed_since": since.UTC().Format(time.RFC3339Nano), "why": why, "refusals": strconv.Itoa(refusals),
	}})
	if err != nil {
		g.closure.mu.Lock()
		g.closure.refusals += refusals
		g.closure.since, g.closure.why = since, why
		g.closure.mu.Unlock()
	}
}
