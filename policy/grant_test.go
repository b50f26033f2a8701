package policy_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/totalengage/webmail/policy"
)

func wantNotCovered(t *testing.T, what string, err error) {
	t.Helper()
	var not *policy.NotCovered
	if !errors.As(err, &not) {
		t.Errorf("%s: got %v, want *policy.NotCovered", what, err)
	}
}

// TestBadGrants: none of these opens anything, neither a use nor the token vault.
func TestBadGrants(t *testing.T) {
	w := newWorld(t)
	other := w.secondGate(t)
	defer other.Close()
	foreign, err := other.Authorize(t.Context(), read())
	if err != nil {
		t.Fatal(err)
	}
	good := w.allow(t, read())
	copied := new(policy.Grant)
	for name, grant := range map[string]*policy.Grant{"no grant": nil, "a zero grant": {}, "a made up one": copied, "another gate's": foreign} {
		wantNotCovered(t, name, w.gate.Use(t.Context(), grant, read().Target))
		wantNotCovered(t, name, w.gate.Valid(t.Context(), grant))
	}
	wantNotCovered(t, "Release of no grant", (*policy.Grant)(nil).Release(t.Context(), policy.Messages, nil, 0))
	wantNotCovered(t, "Release of a zero grant", copied.Release(t.Context(), policy.Messages, nil, 0))
	copied.Finish(nil, 0, 0)
	(*policy.Grant)(nil).Finish(nil, 0, 0)
	if got := len(w.records(t)); got != 2 {
		t.Errorf("got %d records, want the 2 decisions alone", got)
	}
	wantNotCovered(t, "no use at all", w.gate.Use(t.Context(), good))

	w.clock.pass(30*time.Second - time.Microsecond)
	if err := w.gate.Use(t.Context(), good, read().Target); err != nil {
		t.Errorf("just before its end: %v", err)
	}
	w.clock.pass(time.Microsecond)
	wantNotCovered(t, "an expired grant", w.gate.Use(t.Context(), good, read().Target))
	wantNotCovered(t, "an expired grant", w.gate.Valid(t.Context(), good))
	w.clock.pass(-time.Hour)
	wantNotCovered(t, "an expired grant after the clock was turned back", w.gate.Use(t.Context(), good, read().Target))
}

// TestEpoch: whatever ends a permission raises the epoch, and grants of the epoch before are dead.
func TestEpoch(t *testing.T) {
	w := newWorld(t)
	grant := w.allow(t, read())
	w.facts.change(annsBox, func(f *policy.AccountFacts) { f.Epoch++ })
	wantNotCovered(t, "an old epoch", w.gate.Use(t.Context(), grant, read().Target))
	wantNotCovered(t, "an old epoch", w.gate.Valid(t.Context(), grant))
	w.facts.change(annsBox, func(f *policy.AccountFacts) { f.Epoch = 0 })
	wantNotCovered(t, "an epoch set back", w.gate.Use(t.Context(), grant, read().Target))

	w.facts.change(annsBox, func(f *policy.AccountFacts) { f.Epoch = 1 })
	if err := w.gate.Use(t.Context(), grant, read().Target); err != nil {
		t.Errorf("in its own epoch: %v", err)
	}
	w.facts.mu.Lock()
	delete(w.facts.accounts, annsBox)
	w.facts.mu.Unlock()
	wantNotCovered(t, "an account deleted", w.gate.Use(t.Context(), grant, read().Target))
}

// TestStretching changes one thing of the use at a time: a grant covers what was decided and no more.
func TestStretching(t *testing.T) {
	for name, c := range map[string]struct {
		access policy.Access
		change func(*policy.Target)
	}{
		"another operation":   {read(), func(u *policy.Target) { u.Operation = "messages.attachments.get" }},
		"another format":      {read(), func(u *policy.Target) { u.Params = "format=raw" }},
		"no format":           {read(), func(u *policy.Target) { u.Params = "" }},
		"another id":          {read(), func(u *policy.Target) { u.Resource.IDs = []string{"m2"} }},
		"one id more":         {read(), func(u *policy.Target) { u.Resource.IDs = []string{messageOne, "m2"} }},
		"an empty id":         {read(), func(u *policy.Target) { u.Resource.IDs = []string{""} }},
		"another kind":        {read(), func(u *policy.Target) { u.Resource.Kind = policy.Threads }},
		"a listing":           {read(), func(u *policy.Target) { u.Resource = policy.Collection(policy.Messages, "", 1) }},
		"no resource":         {read(), func(u *policy.Target) { u.Resource = policy.Resource{Kind: policy.Messages} }},
		"both forms":          {read(), func(u *policy.Target) { u.Resource.Max = 10 }},
		"another class":       {read(), func(u *policy.Target) { u.Classes = append(u.Classes[:0:0], policy.Attachment) }},
		"one class more":      {read(), func(u *policy.Target) { u.Classes = append(u.Classes, policy.Attachment) }},
		"no class":            {read(), func(u *policy.Target) { u.Classes = nil }},
		"a body":              {read(), func(u *policy.Target) { u.Body = policy.Digest{9} }},
		"another search":      {list(), func(u *policy.Target) { u.Params = "q=in:anywhere" }},
		"another label":       {list(), func(u *policy.Target) { u.Resource.Label = "INBOX" }},
		"every label":         {list(), func(u *policy.Target) { u.Resource.Label = "" }},
		"more members":        {list(), func(u *policy.Target) { u.Resource.Max = 51 }},
		"ids for a listing":   {list(), func(u *policy.Target) { u.Resource = policy.IDs(policy.Messages, "m") }},
		"another message out": {send(), func(u *policy.Target) { u.Body = policy.Digest{7} }},
		"nothing for body":    {send(), func(u *policy.Target) { u.Body = policy.Digest{} }},
		"another draft":       {send(), func(u *policy.Target) { u.Resource.IDs = []string{"other"} }},
		"other labels":        {organise("t1"), func(u *policy.Target) { u.Body = policy.Digest{3} }},
		"another thread":      {organise("t1"), func(u *policy.Target) { u.Resource.IDs = []string{"t2"} }},
		"a trash for a label": {organise("t1"), func(u *policy.Target) { u.Operation = "threads.trash" }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			grant := w.allow(t, c.access)
			use := c.access.Target
			c.change(&use)
			wantNotCovered(t, name, w.gate.Use(t.Context(), grant, use))
			wantNotCovered(t, name+" beside what is granted", w.gate.Use(t.Context(), grant, c.access.Target, use))
			if err := w.gate.Use(t.Context(), grant, c.access.Target); err != nil {
				t.Errorf("a use that failed has spent the grant: %v", err)
			}
		})
	}
}

// TestNarrowing: less than what was decided is covered.
func TestNarrowing(t *testing.T) {
	w := newWorld(t)
	a := list()
	grant := w.allow(t, a)
	less := a.Target
	less.Resource.Max = 10
	if err := w.gate.Use(t.Context(), grant, less); err != nil {
		t.Errorf("a shorter page: %v", err)
	}
	b := read()
	b.Target.Resource.IDs = []string{"m1", "m2"}
	grant = w.allow(t, b)
	one := b.Target
	one.Resource.IDs, one.Classes = []string{"m2"}, []policy.DataClass{policy.Body}
	for range 3 { // reads repeat
		if err := w.gate.Use(t.Context(), grant, one); err != nil {
			t.Errorf("one of two messages: %v", err)
		}
	}
}

// TestOnce: changes and sends are redeemed once for each id.
func TestOnce(t *testing.T) {
	w := newWorld(t)
	use := func(ids ...string) policy.Target {
		u := organise(ids...).Target
		return u
	}
	grant := w.allow(t, organise("t1", "t2", "t3"))
	if err := w.gate.Use(t.Context(), grant, use("t1")); err != nil {
		t.Fatal(err)
	}
	wantNotCovered(t, "again", w.gate.Use(t.Context(), grant, use("t1")))
	wantNotCovered(t, "again beside another", w.gate.Use(t.Context(), grant, use("t2"), use("t1")))
	wantNotCovered(t, "twice in one batch", w.gate.Use(t.Context(), grant, use("t2"), use("t2")))
	wantNotCovered(t, "twice in one call", w.gate.Use(t.Context(), grant, use("t2", "t2")))
	if err := w.gate.Use(t.Context(), grant, use("t2"), use("t3")); err != nil {
		t.Errorf("the two that are left: %v", err)
	}
	create := send()
	create.Target.Operation, create.Target.Resource = "drafts.create", policy.New(policy.Drafts)
	grant = w.allow(t, create)
	if err := w.gate.Use(t.Context(), grant, create.Target); err != nil {
		t.Fatal(err)
	}
	wantNotCovered(t, "a second draft", w.gate.Use(t.Context(), grant, create.Target))
}

// TestOnceAmongMany: of all who hold the grant at the same time exactly one may act.
func TestOnceAmongMany(t *testing.T) {
	w := newWorld(t)
	for round := range 50 {
		grant := w.allow(t, send())
		var won atomic.Int32
		var wg sync.WaitGroup
		ready := make(chan struct{})
		for range 64 {
			wg.Go(func() {
				<-ready
				if w.gate.Use(t.Context(), grant, send().Target) == nil {
					won.Add(1)
				}
			})
		}
		close(ready)
		wg.Wait()
		if got := won.Load(); got != 1 {
			t.Fatalf("round %d: %d of 64 redeemed the grant, want 1", round, got)
		}
	}
}
