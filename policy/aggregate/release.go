package aggregate

import (
	"encoding/json"
	"fmt"
)

// Release is what is published about one month.
type Release struct {
	ID        string     `json:"id"`
	Month     string     `json:"month"`     // calendar month in UTC, such as 2026-10
	Catalogue int        `json:"catalogue"` // version of the questions
	MinOwners int        `json:"minOwners"` // owners that are in each cell at least
	Epsilon   float64    `json:"epsilon"`
	Delta     float64    `json:"delta"`
	Margin    int64      `json:"margin"` // 19 of 20 numbers are no further than this from the truth
	Questions []Question `json:"questions"`
}

// Question is what is published of one question: the cells that passed.
type Question struct {
	ID    string `json:"id"`
	Total int64  `json:"total,omitempty"` // of the cells, where they add up and all of them passed; otherwise 0
	Cells []Cell `json:"cells"`
}

// Cell is one published number: about how many owners gave this answer.
type Cell struct {
	ID     string `json:"id"`
	Owners int64  `json:"owners"`
}

// cells counts what passed.
func (r Release) cells() (n int) {
	for _, q := range r.Questions {
		n += len(q.Cells)
	}
	return n
}

// ParseRelease reads the bytes of a stored release.
func ParseRelease(body []byte) (Release, error) {
	var r Release
	if err := json.Unmarshal(body, &r); err != nil {
		return Release{}, fmt.Errorf("aggregate: a stored release does not decode: %w", err)
	}
	return r, nil
}
