package policy_test

import (
	"math/rand/v2"
	"testing"
)

// coveringArray gives rows of values, one for each of the given numbers of values, such that every pair of values of
// any two columns occurs in some row. It is greedy (as in AETG, Cohen et al. 1997): each row starts with a pair that
// is missing and takes, column by column, the value that adds most pairs. The same sizes give the same rows.
func coveringArray(sizes []int) [][]int {
	random := rand.New(rand.NewPCG(3, 4))
	missing := newPairs(sizes)
	var rows [][]int
	for missing.left > 0 {
		a, b, x, y := missing.first()
		row := make([]int, len(sizes))
		for i := range row {
			row[i] = -1
		}
		row[a], row[b] = x, y
		for _, column := range random.Perm(len(sizes)) {
			if row[column] >= 0 {
				continue
			}
			best, gain := 0, -1
			for _, value := range random.Perm(sizes[column]) {
				if g := missing.gain(row, column, value); g > gain {
					best, gain = value, g
				}
			}
			row[column] = best
		}
		missing.cover(row)
		rows = append(rows, row)
	}
	return rows
}

// pairs are those that no row has yet.
type pairs struct {
	sizes []int
	open  [][][]bool // by the two columns, as column a below b, then by both values
	left  int
	from  int // columns before are done
}

func newPairs(sizes []int) *pairs {
	p := &pairs{sizes: sizes}
	for b := range sizes {
		row := make([][]bool, b)
		for a := range b {
			row[a] = make([]bool, sizes[a]*sizes[b])
			for i := range row[a] {
				row[a][i] = true
			}
			p.left += len(row[a])
		}
		p.open = append(p.open, row)
	}
	return p
}

// at points to the pair of two columns' values.
func (p *pairs) at(a, x, b, y int) *bool {
	if a > b {
		a, x, b, y = b, y, a, x
	}
	return &p.open[b][a][x*p.sizes[b]+y]
}

func (p *pairs) first() (a, b, x, y int) {
	for b := p.from; b < len(p.sizes); b++ {
		for a := range b {
			for i, open := range p.open[b][a] {
				if open {
					p.from = b
					return a, b, i / p.sizes[b], i % p.sizes[b]
				}
			}
		}
	}
	panic("no pair is missing")
}

// gain counts the pairs that a value would add to a row that is not whole.
func (p *pairs) gain(row []int, column, value int) (n int) {
	for other, v := range row {
		if v >= 0 && other != column && *p.at(column, value, other, v) {
			n++
		}
	}
	return n
}

func (p *pairs) cover(row []int) {
	for b := range row {
		for a := range b {
			if open := p.at(a, row[a], b, row[b]); *open {
				*open = false
				p.left--
			}
		}
	}
}

// TestCoveringArray counts every pair anew, without the bookkeeping that made the rows.
func TestCoveringArray(t *testing.T) {
	for _, sizes := range [][]int{{2, 2}, {3, 2, 2, 4}, {1, 5, 1, 3}, {9, 8, 7, 6, 5, 4, 3, 2, 2, 2, 2}} {
		rows := coveringArray(sizes)
		for b := range sizes {
			for a := range b {
				seen := map[[2]int]bool{}
				for _, row := range rows {
					seen[[2]int{row[a], row[b]}] = true
				}
				if want := sizes[a] * sizes[b]; len(seen) != want {
					t.Errorf("%v: %d pairs of columns %d and %d, want %d", sizes, len(seen), a, b, want)
				}
			}
		}
		all := 1
		for _, n := range sizes {
			all *= n
		}
		if len(sizes) > 4 && len(rows) > all/1000 {
			t.Errorf("%v: %d rows of %d", sizes, len(rows), all)
		}
	}
}
