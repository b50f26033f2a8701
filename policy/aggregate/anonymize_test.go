package aggregate_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/totalengage/webmail/policy/aggregate"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// everywhere is the same number of owners in every cell.
func everywhere(n int64) map[[2]string]int64 {
	counts := map[[2]string]int64{}
	for _, at := range aggregate.Answers() {
		counts[at] = n
	}
	return counts
}

func shown(t *testing.T, counts map[[2]string]int64, noise aggregate.Noise) map[[2]string]int64 {
	t.Helper()
	questions, err := aggregate.Anonymize(counts, noise)
	if err != nil {
		t.Fatal(err)
	}
	out := map[[2]string]int64{}
	for _, q := range questions {
		for _, c := range q.Cells {
			out[[2]string{q.ID, c.ID}] = c.Owners
		}
		if q.Total != 0 {
			out[[2]string{q.ID, "total"}] = q.Total
		}
	}
	return out
}

func exact(n int64) (int64, error) { return n, nil }

// TestFortyNineOwnersShowNothing tries 10,000 seeds of noise far wilder than the product's, and as many draws of
// the product's own: k is a hard limit and no matter of luck.
func TestFortyNineOwnersShowNothing(t *testing.T) {
	counts := everywhere(aggregate.MinOwners - 1)
	for seed := range uint64(10_000) {
		r := rand.New(rand.NewPCG(seed, 0))
		wild := func(n int64) (int64, error) { return n + r.Int64N(2_000_000) - 1_000_000, nil }
		if got := shown(t, counts, wild); len(got) != 0 {
			t.Fatalf("seed %d: got %v of %d owners, want nothing", seed, got, aggregate.MinOwners-1)
		}
		if got := shown(t, counts, aggregate.Laplace); len(got) != 0 {
			t.Fatalf("draw %d: got %v of %d owners, want nothing", seed, got, aggregate.MinOwners-1)
		}
	}
	far := func(n int64) (int64, error) { return n + 1_000_000, nil }
	if got := shown(t, everywhere(aggregate.MinOwners), far); len(got) != len(aggregate.Answers())+1 {
		t.Errorf("with enough owners and noise upwards: got %d numbers, want all: the test above proves nothing", len(got))
	}
}

// TestBarKeepsDelta computes, from the noise's exact distribution, how likely a cell of the least size passes:
// that is the whole difference that the fiftieth owner makes to whether a cell is there.
func TestBarKeepsDelta(t *testing.T) {
	a := math.Exp(-aggregate.Epsilon / float64(aggregate.MaxCells))
	tail := func(from int64) float64 { return math.Pow(a, float64(from)) / (1 + a) } // P[noise >= from]
	share := aggregate.Delta / float64(aggregate.MaxCells)
	if got := tail(aggregate.Bar - aggregate.MinOwners); got > share {
		t.Errorf("a cell of %d owners passes with probability %g, want at most %g", aggregate.MinOwners, got, share)
	}
	if got := tail(aggregate.Bar - aggregate.MinOwners - 6); got <= share {
		t.Errorf("the bar of %d is more than 6 owners higher than δ asks for (%g is enough)", aggregate.Bar, share)
	}
	for draw := range 10_000 {
		if got := shown(t, everywhere(aggregate.MinOwners), aggregate.Laplace); len(got) != 0 {
			t.Fatalf("draw %d: got %v of exactly %d owners", draw, got, aggregate.MinOwners)
		}
	}
}

// TestNoiseRatio compares what is seen of n owners and of n+1: no value may be e^ε times as likely for the one
// as for the other, within six standard errors of the samples.
func TestNoiseRatio(t *testing.T) {
	const samples = 100_000
	draw := func(n int64) map[int64]float64 {
		seen := map[int64]float64{}
		for range samples {
			v, err := aggregate.Laplace(n)
			if err != nil {
				t.Fatal(err)
			}
			seen[v]++
		}
		return seen
	}
	without, with := draw(1000), draw(1001)
	bound := math.Exp(aggregate.Epsilon / float64(aggregate.MaxCells)) // one cell's share of ε
	compared := 0
	for v, p := range without {
		q := with[v]
		if p < 500 || q < 500 {
			continue
		}
		compared++
		slack := 1 + 6*math.Sqrt(1/p+1/q)
		if ratio := max(p/q, q/p); ratio > bound*slack {
			t.Errorf("%d is seen %.0f and %.0f times: ratio %.3f, want at most %.3f", v, p, q, ratio, bound*slack)
		}
	}
	if compared < 20 {
		t.Errorf("only %d values were seen often enough to compare", compared)
	}
}

// TestNoiseShape holds the noise to the distribution whose tail the bar is computed from: too little noise would
// pass the ratio test for common values only.
func TestNoiseShape(t *testing.T) {
	const samples = 100_000
	a := math.Exp(-aggregate.Epsilon / float64(aggregate.MaxCells))
	var sum, zeros, beyond, far float64
	for range samples {
		v, err := aggregate.Laplace(0)
		if err != nil {
			t.Fatal(err)
		}
		sum += float64(v)
		if v == 0 {
			zeros++
		}
		if v > aggregate.Margin || v < -aggregate.Margin {
			beyond++
		}
		if v >= 30 {
			far++
		}
	}
	deviation := math.Sqrt(2*a) / (1 - a)
	if mean := sum / samples; math.Abs(mean) > 6*deviation/math.Sqrt(samples) {
		t.Errorf("got a mean of %.3f, want 0", mean)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got/samples-want) > 6*math.Sqrt(want/samples)+0.001 { // the library's is the continuous law, rounded
			t.Errorf("%s: got %.5f, want %.5f", what, got/samples, want)
		}
	}
	near("no noise at all", zeros, (1-a)/(1+a))
	near("30 and more", far, math.Pow(a, 30)/(1+a))
	if beyond/samples > 0.05 {
		t.Errorf("%.4f of all noise is beyond the margin, want at most 0.05", beyond/samples)
	}
}

func TestTotalOnlyOfWhatIsShown(t *testing.T) {
	counts := everywhere(400)
	total := [2]string{"days", "total"}
	if got := shown(t, counts, exact)[total]; got != 1200 {
		t.Errorf("all parts shown: got total %d, want 1200", got)
	}
	counts[[2]string{"days", "1-4"}] = 49
	got := shown(t, counts, exact)
	if _, ok := got[total]; ok {
		t.Errorf("one part hidden: got %v, want no total, which would tell it", got)
	}
	if got[[2]string{"days", "5-14"}] != 400 {
		t.Errorf("the other parts: got %v, want them to stay", got)
	}
	if _, ok := got[[2]string{"features", "total"}]; ok {
		t.Errorf("features overlap and have no total: got %v", got)
	}
}

func TestAnOwnerCountsOnce(t *testing.T) {
	greedy := append(aggregate.Answers(), aggregate.Answers()...)
	greedy = append(greedy, [2]string{"features", "canary.example.com"}, [2]string{"domain", "canary.example.com"})
	got := aggregate.Contribute(greedy)
	var sum int64
	perQuestion := map[string]int64{}
	for at, n := range got {
		if n != 1 {
			t.Errorf("%v: got %d, want at most 1 a cell", at, n)
		}
		if !slices.Contains(aggregate.Answers(), at) {
			t.Errorf("%v is no cell of the catalogue", at)
		}
		sum += n
		perQuestion[at[0]] += n
	}
	if sum != aggregate.MaxCells || perQuestion["days"] != 1 || perQuestion["trouble"] != 1 {
		t.Errorf("got %d cells (%v), want the bound that the noise is made for, %d", sum, perQuestion, aggregate.MaxCells)
	}
}

// TestCatalogueSpeaksOfTheProduct ties the catalogue to the policy's tables: a feature that is renamed must not
// silently count as nothing.
func TestCatalogueSpeaksOfTheProduct(t *testing.T) {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		t.Fatal(err)
	}
	answers := aggregate.Answers()
	for feature, answer := range aggregate.FeatureCells {
		if _, ok := tables.Features[feature]; !ok {
			t.Errorf("feature %q is not the product's", feature)
		}
		if !slices.Contains(answers, [2]string{"features", answer}) {
			t.Errorf("feature %q counts as %q, which is no cell", feature, answer)
		}
	}
	for feature := range aggregate.Background {
		if _, ok := tables.Features[feature]; !ok {
			t.Errorf("background feature %q is not the product's", feature)
		}
	}
	for clause, answer := range aggregate.ClauseCells {
		if !slices.Contains(answers, [2]string{"trouble", answer}) {
			t.Errorf("clause %s counts as %q, which is no cell", clause, answer)
		}
	}
}
