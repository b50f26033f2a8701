package limiteduse

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

//go:embed cases.json
var casesText []byte

// Case is one access with its only right answer. No policy comes into force that answers one of them otherwise.
type Case struct {
	ID     string
	Clause string          // that the case is about
	About  string          // in words, for people
	Input  json.RawMessage // as the rules see it
}

// Cases are the accesses that every policy must refuse, and those that none may.
type Cases struct {
	Deny  []Case
	Allow []Case
}

// ReadCases returns the cases of cases.json. There, a case is one of a few plain accesses (`from`) with changes in
// the form of a JSON merge patch (RFC 7396).
func ReadCases() (Cases, error) {
	type row struct {
		ID     string         `json:"id"`
		Clause string         `json:"clause"`
		About  string         `json:"about"`
		From   string         `json:"from"`
		Change map[string]any `json:"change"`
	}
	var doc struct {
		Cases struct {
			Accesses map[string]map[string]any `json:"accesses"`
			Deny     []row                     `json:"deny"`
			Allow    []row                     `json:"allow"`
		} `json:"cases"`
	}
	if err := strict(casesText, &doc); err != nil {
		return Cases{}, fmt.Errorf("limiteduse: cases.json: %w", err)
	}
	seen := map[string]bool{}
	read := func(rows []row) ([]Case, error) {
		var cases []Case
		for _, r := range rows {
			plain, ok := doc.Cases.Accesses[r.From]
			if !ok || seen[r.ID] || r.ID == "" || r.Clause == "" || r.About == "" {
				return nil, fmt.Errorf("limiteduse: cases.json: case %q is incomplete, there twice, or from no access", r.ID)
			}
			seen[r.ID] = true
			input, err := json.Marshal(patched(plain, r.Change))
			if err != nil {
				return nil, fmt.Errorf("limiteduse: case %s: %w", r.ID, err)
			}
			cases = append(cases, Case{ID: r.ID, Clause: r.Clause, About: r.About, Input: input})
		}
		return cases, nil
	}
	deny, err := read(doc.Cases.Deny)
	if err != nil {
		return Cases{}, err
	}
	allow, err := read(doc.Cases.Allow)
	return Cases{Deny: deny, Allow: allow}, err
}

// patched is a JSON object with a merge patch applied: null takes a member away, an object changes one, anything
// else replaces it.
func patched(object, patch map[string]any) map[string]any {
	result := maps.Clone(object)
	if result == nil {
		result = map[string]any{}
	}
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		switch value := patch[name].(type) {
		case nil:
			delete(result, name)
		case map[string]any:
			inner, _ := result[name].(map[string]any)
			result[name] = patched(inner, value)
		default:
			result[name] = value
		}
	}
	return result
}
