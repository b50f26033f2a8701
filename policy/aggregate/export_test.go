package aggregate

// Noise lets a test put its own noise in place of the product's. It exists in tests alone.
type Noise func(n int64) (int64, error)

func (f Noise) add(n int64) (int64, error) { return f(n) }

// SetNoise makes the service use other noise.
func (s *Service) SetNoise(n Noise) { s.noise = n }

// Laplace is the product's own noise.
func Laplace(n int64) (int64, error) { return laplace{}.add(n) }

// Bar is the least noised count that is released, and MaxCells the sensitivity.
var Bar, MaxCells = bar, maxCells

// Answers lists the catalogue: question and answer.
func Answers() (all [][2]string) {
	for _, q := range catalogue {
		for _, answer := range q.cells {
			all = append(all, [2]string{q.id, answer})
		}
	}
	return all
}

// FeatureCells and ClauseCells are what the log's words are counted as.
var FeatureCells, ClauseCells, Background = featureCells, clauseCells, background

// Anonymize releases true counts, given by question and answer.
func Anonymize(owners map[[2]string]int64, n Noise) ([]Question, error) {
	t := tally{owners: map[cell]int64{}}
	for at, count := range owners {
		t.owners[cell{at[0], at[1]}] = count
	}
	return t.anonymize(n)
}

// Contribute counts one owner who claims to be in all the given cells.
func Contribute(claims [][2]string) map[[2]string]int64 {
	t, out := tally{owners: map[cell]int64{}}, map[[2]string]int64{}
	var cells []cell
	for _, at := range claims {
		cells = append(cells, cell{at[0], at[1]})
	}
	t.add(cells)
	for c, n := range t.owners {
		out[[2]string{c.question, c.answer}] = n
	}
	return out
}
