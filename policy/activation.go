package policy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

// Bundles puts the policy bundle of one file in force, and again whenever the file changes. Each node of a
// deployment follows a file of its own. Whatever does not pass leaves the policy as it is.
type Bundles struct {
	gate *Gate
	path string
	key  *BundleKey

	mu   sync.Mutex
	last string // guarded by mu: what was seen last, by hash or error, so that one fault is one event
}

// Follow prepares to follow the file. Nothing is read before Start.
func (g *Gate) Follow(path string, key *BundleKey) (*Bundles, error) {
	if g.sources == nil {
		return nil, errors.New("policy: a bundle needs a place where sources are kept")
	}
	if path == "" || key == nil {
		return nil, errors.New("policy: a bundle needs a file and the public key that it is signed with")
	}
	return &Bundles{gate: g, path: path, key: key}, nil
}

// Start puts the file in force before anything is served. Where it does not pass, the newest bundle that was in
// force before is taken again, signature and all: a bundle can only be stricter than the embedded policy, so
// falling back on that would loosen it. Without any, Start fails.
func (b *Bundles) Start(ctx context.Context) error {
	err := b.Poll(ctx)
	var rejected *Rejected
	if err == nil || !errors.As(err, &rejected) {
		return err
	}
	before, unread := b.gate.sources.newest(ctx)
	if unread != nil {
		return unread
	}
	if before.number == 0 {
		return err
	}
	again, bad := ReadBundle(before.raw, b.key)
	if bad != nil {
		return fmt.Errorf("%w; and the one before it: %w", err, bad)
	}
	return b.gate.activate(ctx, again)
}

// Run polls until ctx ends. onError hears of every poll that failed.
func (b *Bundles) Run(ctx context.Context, every time.Duration, onError func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := b.Poll(ctx); err != nil && ctx.Err() == nil {
				onError(err)
			}
		}
	}
}

// Poll looks at the file once. It does nothing when the file is as it was at the last look; otherwise it puts it
// in force, or records why not and returns *Rejected.
func (b *Bundles) Poll(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	raw, err := readFile(b.path)
	seen := hashOf(raw)
	if err != nil {
		seen = "no file"
	}
	if seen == b.last {
		return nil
	}
	if err == nil {
		err = b.take(ctx, raw)
	} else {
		err = &Rejected{Reason: RejectedMissing, Err: errors.New("the file cannot be read")}
	}
	var rejected *Rejected
	if errors.As(err, &rejected) {
		if recorded := b.gate.Record(ctx, rejected.event()); recorded != nil {
			return recorded // seen again at the next poll
		}
	} else if err != nil {
		return err
	}
	b.last = seen
	return err
}

func (b *Bundles) take(ctx context.Context, raw []byte) error {
	bundle, err := ReadBundle(raw, b.key)
	if err != nil {
		return err
	}
	return b.gate.activate(ctx, bundle)
}

// readFile reads a little more than a bundle may have, for that to be noticed.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxBundle+1))
}

// admissionTime bounds the checks of one candidate. They take half a second.
const admissionTime = time.Minute

// activate puts a bundle in force: admitted, kept and recorded first. From then on every grant of the policy
// before is refused; decisions under way were made by one policy or by the other.
func (g *Gate) activate(ctx context.Context, b *Bundle) error {
	g.activation.Lock()
	defer g.activation.Unlock()
	if b.Source.Revision() == g.Revision() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, admissionTime)
	defer cancel()
	if err := b.newer(ctx, g.sources); err != nil {
		return err
	}
	e, err := b.admit(ctx)
	if err != nil {
		return err
	}
	if err := g.sources.keep(ctx, b.Source, b, g.log.Now()); err != nil {
		return err
	}
	if err := b.newer(ctx, g.sources); err != nil { // another node may have taken the number for another bundle meanwhile
		return err
	}
	if err := g.Record(ctx, Lifecycle{Event: EventPolicyActivated, Details: map[string]string{
		"revision": e.revision, "number": strconv.FormatInt(b.Number, 10), "sha256": b.Hash, "previous": g.Revision(),
	}}); err != nil {
		return err
	}
	g.engine.Store(e)
	return nil
}

// newer refuses a bundle that comes after a later one, or that has the number of another.
func (b *Bundle) newer(ctx context.Context, s *Sources) error {
	newest, err := s.newest(ctx)
	if err != nil {
		return err
	}
	if b.Number > newest.number || b.Number == newest.number && b.Hash == newest.hash {
		return nil
	}
	return &Rejected{Reason: RejectedRevision, Hash: b.Hash, Number: b.Number, Err: fmt.Errorf("it is number %d, and number %d was in force", b.Number, newest.number)}
}

// Lifecycle events of policies.
const (
	EventPolicyActivated = "policy.activated" // details: revision, number, sha256 of the file, previous revision
	EventPolicyRejected  = "policy.rejected"  // details: reason, sha256 of the file, number, case
)

func (e *Rejected) event() Lifecycle {
	details := map[string]string{"reason": string(e.Reason)}
	if e.Hash != "" {
		details["sha256"] = e.Hash
	}
	if e.Number > 0 {
		details["number"] = strconv.FormatInt(e.Number, 10)
	}
	if e.Case != "" {
		details["case"] = e.Case
	}
	return Lifecycle{Event: EventPolicyRejected, Details: details}
}
