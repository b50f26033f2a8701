package policy_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// The oracle is the promise once more, in Go, written clause by clause from the registry and its tables and not
// from the rules. Where the two disagree about any input, one of them is wrong.

// promise answers one input by the tables.
type promise struct {
	t  limiteduse.Tables
	in policy.Input
}

// oracle gives the basis on which an access is allowed, or "".
func oracle(t limiteduse.Tables, in policy.Input) (basis string) {
	p := promise{t, in}
	if !p.offered() {
		return ""
	}
	switch in.Resource.Kind {
	case "log":
		switch {
		case p.theOwner():
			return "own_data"
		case (in.Actor.Kind == "auditor" || in.Actor.Kind == "reviewer") && p.signedInAs(in.Actor.Kind):
			return "audit"
		}
	case "store":
		if p.theOwner() {
			return "own_data"
		}
	case "aggregate":
		switch {
		case in.Actor.Kind == "service" && in.Resource.Form == "new" && in.Account == nil:
			return "aggregation"
		case in.Actor.Kind == "staff" && p.signedInAs("operations") && p.acknowledged() && p.released():
			return "aggregate_report"
		}
	default:
		if !p.mailboxReady() {
			return ""
		}
		calling := in.Caller != nil
		switch {
		case p.theOwner() && calling:
			return ""
		case p.theOwner() && in.Recipient == "":
			return "owner_at_page"
		case p.theOwner() && p.transferable():
			return "transfer"
		case in.Actor.Kind == "service" && calling && in.Caller.ID == in.Subject && in.Caller.Purposes[in.Purpose] && p.transferable():
			return "platform_caller"
		case in.Actor.Kind == "service" && !calling && in.Recipient == "" && p.told(""):
			return "standing_instruction"
		case in.Actor.Kind == "staff" && p.signedInAs("support") && p.acknowledged() && p.agreed():
			return "agreement"
		}
	}
	return ""
}

// offered is LU-USE-1, LU-USE-2, LU-PROH-*: a feature of the product, used for what it is for, with no more data than it needs.
func (p promise) offered() bool {
	in := p.in
	feature, exists := p.t.Features[in.Feature]
	operation, known := p.t.Operations[in.Operation]
	if !exists || !known || !feature.Operations[in.Operation] || !feature.Actors[in.Actor.Kind] {
		return false
	}
	if feature.Purpose != in.Purpose || feature.Recipient != in.Recipient || operation.Kind != in.Resource.Kind || operation.Form != in.Resource.Form {
		return false
	}
	if in.Caller != nil && (in.Actor.Kind != "service" || in.Recipient == "") {
		return false
	}
	if len(in.Classes) == 0 {
		return false
	}
	for class := range in.Classes {
		if !feature.Classes[class] {
			return false
		}
	}
	switch in.Resource.Form {
	case "ids":
		return len(in.Resource.IDs) > 0 && len(in.Resource.IDs) <= feature.Max
	case "collection":
		return in.Resource.Max <= feature.Max
	}
	return true
}

// theOwner is LU-HUM-1: no colleague, delegate or administrator is the owner.
func (p promise) theOwner() bool {
	return p.in.Account != nil && p.in.Actor.Kind == "owner" && p.in.Actor.ID == p.in.Account.Owner
}

// signedInAs is for humans who are not the owner: a role, and a second factor.
func (p promise) signedInAs(role string) bool {
	return p.in.Actor.MFA && slices.Contains(p.in.Actor.Roles, role)
}

// acknowledged is LU-HUM-5: within the last 365 days.
func (p promise) acknowledged() bool {
	at := p.in.Actor.Acknowledged
	return at > 0 && at <= p.in.Time && p.in.Time-at < 365*dayMicros
}

// mailboxReady is DEL-1, DISC-2, CHG-1, CHG-2 and MIN-2.
func (p promise) mailboxReady() bool {
	a := p.in.Account
	if a == nil || a.State != "connected" {
		return false
	}
	needs := p.t.Features[p.in.Feature].Disclosure
	switch c := a.Consent; {
	case c.Version < 1 || c.Given > p.in.Time || c.Version < needs:
		return false
	case c.First < needs && (c.Notified == 0 || p.in.Time < c.Notified+30*dayMicros):
		return false
	}
	return slices.ContainsFunc(a.Scopes, func(s string) bool { return p.t.Operations[p.in.Operation].Scopes[s] })
}

// told says whether the owner's word, given before and not over, is for this very thing.
func (p promise) told(recipient string) bool {
	i, in := p.in.Instruction, p.in
	return i != nil && i.ID != "" && i.Account == in.Account.ID && i.Feature == in.Feature && i.Recipient == recipient &&
		i.Resource != "" && i.Resource == in.Subject && i.Given <= in.Time && in.Time < i.Expires
}

// transferable is LU-XFER-1 to LU-XFER-5 and PRV-PROC.
func (p promise) transferable() bool {
	r, listed := p.t.Recipients[p.in.Recipient]
	if !listed || !slices.Contains([]string{"platform_service", "push_service", "remote_host", "unsubscribe_host"}, p.in.Recipient) || !r.Features[p.in.Feature] {
		return false
	}
	for class := range p.in.Classes {
		if !r.Classes[class] {
			return false
		}
	}
	bound := r.Kind == "owner_chosen" || r.Kind == "own_service" || r.Kind == "processor" && r.Contract != ""
	return bound && p.told(p.in.Recipient)
}

// agreed is LU-HUM-1 for staff, with the numbers of the lifecycle of human access: one message of at most ten, four
// hours, an answer within twelve, two members of staff. LU-HUM-3 and LU-HUM-4 add no other way.
func (p promise) agreed() bool {
	a, in := p.in.Agreement, p.in
	if a == nil || a.ID == "" || in.Resource.Kind != "message" || len(in.Resource.IDs) != 1 || len(a.Messages) > 10 {
		return false
	}
	ticked, listed := a.Messages[in.Resource.IDs[0]]
	return listed && (ticked || !in.Classes["attachment"]) && a.State == "active" && a.Account == in.Account.ID && a.Owner == in.Account.Owner &&
		a.Requester == in.Actor.ID && a.Approver != "" && a.Approver != a.Requester &&
		a.Given <= in.Time && in.Time < a.Expires && a.Expires-a.Given <= 4*hourMicros &&
		a.Given-a.Asked < 12*hourMicros && a.Asked-a.Given <= minuteMicros
}

// released is LU-HUM-2: the one release that is read is out, and about fifty owners at least.
func (p promise) released() bool {
	r, in := p.in.Release, p.in
	return r != nil && r.ID != "" && len(in.Resource.IDs) == 1 && in.Resource.IDs[0] == r.ID && r.Released > 0 && r.Released <= in.Time && r.Owners >= 50 &&
		maps.Equal(in.Classes, set("aggregate"))
}

// A judge compares the engine with the oracle, and every way to evaluate with each other.
type judge struct {
	tables           limiteduse.Tables
	gate             *policy.Gate
	variants         map[string]policy.Variant
	floor, rules     policy.Half
	asked            atomic.Int64
	allowed, refused atomic.Int64
}

func newJudge(t *testing.T) *judge {
	t.Helper()
	variants, err := policy.Variants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	floor, rules, err := policy.Halves(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &judge{tables: shipped(t), gate: newWorld(t).gate, variants: variants, floor: floor, rules: rules}
}

func shipped(tb testing.TB) limiteduse.Tables {
	tb.Helper()
	tables, err := limiteduse.ReadTables()
	if err != nil {
		tb.Fatal(err)
	}
	return tables
}

// check returns what is wrong with the answers about one input, or nil.
func (j *judge) check(t *testing.T, in policy.Input) error {
	if err := j.checkHalves(t, in); err != nil {
		return err
	}
	want, term := oracle(j.tables, in), policy.Term(in)
	got, err := j.gate.Judge(t.Context(), term)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", document(in), err)
	case got.Basis != want:
		return fmt.Errorf("%s: the engine says %q, the oracle %q", document(in), got.Basis, want)
	case (got.Basis != "") != (len(got.Denials) == 0):
		return fmt.Errorf("%s: basis %q and denials %v contradict each other", document(in), got.Basis, got.Denials)
	case want == "":
		j.refused.Add(1)
	default:
		j.allowed.Add(1)
	}
	if n := j.asked.Add(1); n%5 != 0 && want == "" {
		return nil // of refusals, which are most, every fifth
	}
	for name, ask := range j.variants {
		if other, err := ask(t.Context(), term); err != nil || other != want {
			return fmt.Errorf("%s: %s evaluation says %q, %v, want %q", document(in), name, other, err, want)
		}
	}
	return nil
}

// each asks check about n inputs, on every core. make gives the i-th; it gets the same random numbers in every run.
func (j *judge) each(t *testing.T, n int, make func(i int, random *rand.Rand) policy.Input) {
	t.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && !t.Failed(); i = int(next.Add(1)) - 1 {
				if err := j.check(t, make(i, rand.New(rand.NewPCG(7, uint64(i))))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// casesEnv sets how many generated cases are asked; `make soak` asks a million.
const casesEnv = "WEBMAIL_POLICY_CASES"

// TestOracle compares the engine with the oracle: over every plain access with every single deviation, over a space
// in which every pair of values of any two fields occurs, over every pair of deviations of otherwise plain
// accesses, and over generated accesses that deviate in one to five things.
func TestOracle(t *testing.T) {
	cases := 5_000
	if text := os.Getenv(casesEnv); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < cases {
			t.Fatalf("%s is %q, want a number from %d", casesEnv, text, cases)
		}
		cases = n
	}
	j := newJudge(t)
	plain, fields := plainInputs(j.tables), space(j.tables)
	t.Run("every deviation of every access", func(t *testing.T) {
		var all []policy.Input
		for _, in := range plain {
			if oracle(j.tables, in) == "" {
				t.Fatalf("%s: the oracle refuses a plain access", document(in))
			}
			for _, d := range deviations(fields) {
				all = append(all, changed(in, d))
			}
		}
		j.each(t, len(all), func(i int, _ *rand.Rand) policy.Input { return all[i] })
	})
	t.Run("every pair of values", func(t *testing.T) {
		sizes := []int{len(plain)}
		for _, f := range fields {
			sizes = append(sizes, len(f.values))
		}
		rows := coveringArray(sizes)
		t.Logf("%d rows cover every pair of values of %d fields", len(rows), len(sizes))
		j.each(t, len(rows), func(i int, _ *rand.Rand) policy.Input {
			in := plain[rows[i][0]]
			for f, value := range rows[i][1:] {
				in = changed(in, fields[f].values[value])
			}
			return in
		})
	})
	t.Run("every pair of deviations", func(t *testing.T) {
		var pairs [][2]deviation
		for i, f := range fields {
			for _, g := range fields[i+1:] {
				for _, d := range f.values[1:] {
					for _, e := range g.values[1:] {
						pairs = append(pairs, [2]deviation{d, e})
					}
				}
			}
		}
		j.each(t, len(pairs), func(i int, random *rand.Rand) policy.Input {
			return changed(changed(plain[random.IntN(len(plain))], pairs[i][0]), pairs[i][1])
		})
	})
	t.Run("generated", func(t *testing.T) {
		j.each(t, cases, func(_ int, random *rand.Rand) policy.Input {
			in := plain[random.IntN(len(plain))]
			for range 1 + random.IntN(5) {
				f := fields[random.IntN(len(fields))]
				in = changed(in, f.values[random.IntN(len(f.values))])
			}
			return in
		})
	})
	t.Logf("%d inputs: %d allowed, %d refused", j.asked.Load(), j.allowed.Load(), j.refused.Load())
	if j.allowed.Load() < 1000 || j.refused.Load() < 5000 || int(j.asked.Load()) < cases {
		t.Error("the space is not covered")
	}
}
