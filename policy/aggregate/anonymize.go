package aggregate

import (
	"fmt"
	"math"

	"github.com/google/differential-privacy/go/v3/noise"
)

// The promise of a release, over all its cells together and for one owner's whole month.
const (
	MinOwners = 50   // k: owners really in a cell
	Epsilon   = 1.0  // ε of differential privacy
	Delta     = 1e-6 // δ, all of it for a cell to be told by being there at all
)

// noiser adds random noise to a count. There is one in the product; tests put others in its place.
type noiser interface {
	add(n int64) (int64, error)
}

// laplace is discrete Laplace noise for owners who are in at most maxCells cells, once each.
type laplace struct{}

func (laplace) add(n int64) (int64, error) {
	return noise.Laplace().AddNoiseInt64(n, maxCells, 1, Epsilon, 0)
}

// bar is the least noised count that is released. A cell of MinOwners-1 or fewer is never released; one of
// MinOwners reaches the bar with a probability that is at most δ's share of one cell. The library's threshold is
// for a cell that could be empty and for continuous noise: it is moved up by the owners who must be there
// anyway, and by one for rounding.
var bar = func() int64 {
	t, err := noise.Laplace().Threshold(maxCells, 1, Epsilon, 0, Delta)
	if err != nil {
		panic(err) // all arguments are constants
	}
	return MinOwners - 1 + int64(math.Ceil(t)) + 1
}()

// Margin is how far a released number lies from the truth at most, in 19 of 20 cases: the 95 % quantile of noise.
var Margin = int64(math.Ceil(float64(maxCells) / Epsilon * math.Log(20)))

// anonymize turns true counts into what may be shown. Counts go no further than this function.
func (t tally) anonymize(n noiser) ([]Question, error) {
	questions := make([]Question, 0, len(catalogue))
	for _, q := range catalogue {
		out := Question{ID: q.id, Cells: []Cell{}}
		for _, answer := range q.cells {
			owners := t.owners[cell{q.id, answer}]
			noised, err := n.add(owners) // drawn for every cell, so that time tells nothing either
			if err != nil {
				return nil, fmt.Errorf("aggregate: noise: %w", err)
			}
			if owners >= MinOwners && noised >= bar {
				out.Cells = append(out.Cells, Cell{ID: answer, Owners: noised})
			}
		}
		out.Total = total(q, out.Cells)
		questions = append(questions, out)
	}
	return questions, nil
}

// total adds up cells of which every owner is in one. With any of them hidden there is none: a total and all
// parts but one would tell the hidden part.
func total(q question, shown []Cell) int64 {
	if !q.whole || len(shown) < len(q.cells) {
		return 0
	}
	var sum int64
	for _, c := range shown {
		sum += c.Owners
	}
	return sum
}
