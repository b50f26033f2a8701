package limiteduse

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
)

//go:embed clauses.json
var clausesText []byte

// Clause is one row of the clause registry: what the promise, Google's policies and privacy law ask for, and by what
// the product keeps it. The registry's tests find every rule, mechanism, test and page that a row names.
type Clause struct {
	ID   string `json:"id"`
	Says string `json:"says"` // the requirement in our own words; it is what we hold ourselves to

	// SHA256 is the SHA-256 of Says, in hex. Google's texts are not ours to copy, and change: so what is pinned is our
	// reading of the version that Sources name. Whoever changes a reading changes the hash, and so says so.
	SHA256  string   `json:"sha256"`
	Sources []Source `json:"sources"`
	Grade   string   `json:"grade"` // how well the source is known: P the text itself was read, S others who quote it, K known and not read again, R a conclusion of ours

	Adopted bool   `json:"adopted"` // false: what the text would allow is refused
	Why     string `json:"why"`     // why it is not adopted
	Left    string `json:"left"`    // what of it people keep, or nobody yet, for a program cannot

	Rules      []string `json:"rules"`      // of the policy, as package and rule
	Mechanisms []string `json:"mechanisms"` // in the program, as folder and symbol
	Tests      []string `json:"tests"`      // with the clause's cases, as file or folder and name
	Screens    []string `json:"screens"`    // paths of the pages where people see it
}

// ByPeople says that no program can keep the clause: a laboratory's letter, a report to Google, a notice to an authority.
func (c Clause) ByPeople() bool {
	return c.Adopted && len(c.Rules) == 0 && len(c.Mechanisms) == 0
}

// Source is where a clause comes from.
type Source struct {
	Key     string `json:"key"`
	Part    string `json:"part"` // section; "" for the text as a whole
	Title   string `json:"-"`
	URL     string `json:"-"` // "" for what is not on the web
	Version string `json:"-"` // which text was read, and when
}

// ReadClauses returns the registry in its own order.
func ReadClauses() ([]Clause, error) {
	var doc struct {
		Clauses struct {
			Sources map[string]struct {
				Title   string `json:"title"`
				URL     string `json:"url"`
				Version string `json:"version"`
			} `json:"sources"`
			Registry []Clause `json:"registry"`
		} `json:"clauses"`
	}
	if err := strict(clausesText, &doc); err != nil {
		return nil, fmt.Errorf("limiteduse: clauses.json: %w", err)
	}
	for _, c := range doc.Clauses.Registry {
		if sum := sha256.Sum256([]byte(c.Says)); hex.EncodeToString(sum[:]) != c.SHA256 {
			return nil, fmt.Errorf("limiteduse: clauses.json: %s is not the text that its hash pins", c.ID)
		}
		for i, s := range c.Sources {
			source, ok := doc.Clauses.Sources[s.Key]
			if !ok {
				return nil, fmt.Errorf("limiteduse: clauses.json: %s: no source %q", c.ID, s.Key)
			}
			c.Sources[i] = Source{Key: s.Key, Part: s.Part, Title: source.Title, URL: source.URL, Version: source.Version}
		}
	}
	return doc.Clauses.Registry, nil
}
