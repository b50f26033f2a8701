package assess

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

//go:embed casa.json
var casaText []byte

// Requirement is one of CASA's (version of 2026-04-27: 48 of 1.0 and seven about webhooks), and how this product shows it.
type Requirement struct {
	ID   string `json:"id"`
	Asks string `json:"asks"` // in our words
	ASVS string `json:"asvs"` // of OWASP ASVS 4.0.3; "" when CASA names none

	Tests  []string `json:"tests"`  // that show it, named as in the clause registry
	Checks []string `json:"checks"` // other items of the pack that it rests on, by id
	Left   Status   `json:"left"`   // what remains beside or instead: needs a lab, needs a human, not applicable; "" for nothing
	Why    string   `json:"why"`    // how the tests show it, or what is left and to whom
}

// ReadRequirements returns CASA's requirements in its own order.
func ReadRequirements() ([]Requirement, error) {
	var list []Requirement
	dec := json.NewDecoder(bytes.NewReader(casaText))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("assess: casa.json: %w", err)
	}
	return list, nil
}

// casaItem says of each requirement how its tests of this run ended. A test that passes shows that the product does
// as asked; that it is so by CASA's own measure only a laboratory can say, so nothing here is a certificate.
func casaItem(all []Requirement, r *Results, checks map[string]Status, at time.Time) Item {
	i := Item{
		ID: "casa", Title: "CASA requirements", Status: Shown, From: "policy/assess/casa.json and the tests of this run", At: at,
		Columns: []string{"CASA", "ASVS", "What it asks, in our words", "Automated check", "Left", "How it is shown"},
	}
	counts := map[Status]int{}
	for _, q := range all {
		status, said := q.status(r, checks)
		counts[status]++
		left := string(q.Left)
		if left == "" {
			left = "a laboratory's own test"
		}
		i.Rows = append(i.Rows, []string{q.ID, q.ASVS, q.Asks, said, left, q.Why})
		if len(q.Tests) > 0 {
			i.Details = append(i.Details, Detail{Title: q.ID + ": its tests, and how each ended", Text: testList(q.Tests, r)})
		}
		i.Status = worst(i.Status, status)
	}
	i.Says = fmt.Sprintf("%d requirements. By automated checks alone: %s. A letter of validation comes only from a laboratory, which tests all of them again.", len(all), say(counts))
	return i
}

func (q Requirement) status(r *Results, checks map[string]Status) (Status, string) {
	if len(q.Tests)+len(q.Checks) == 0 {
		return q.Left, string(q.Left)
	}
	status, said := Shown, ""
	if len(q.Tests) > 0 {
		status, said = r.tally(q.Tests)
	}
	for _, id := range q.Checks {
		s, ok := checks[id]
		if !ok {
			s = NotRun
		}
		status = worst(status, s)
		if said != "" {
			said += "; "
		}
		said += fmt.Sprintf("%s: %s", id, s)
	}
	if status == Shown { // it rests on items that only show
		status = Passed
	}
	return status, fmt.Sprintf("%s (%s)", status, said)
}
