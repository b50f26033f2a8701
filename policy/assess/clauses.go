package assess

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/policy/limiteduse"
)

// clausesItem joins the clause registry with the tests of the run. A clause passes when every test that it names ran
// and passed; what people keep says so.
func clausesItem(clauses []limiteduse.Clause, r *Results, at time.Time) Item {
	i := Item{
		ID: "clauses", Title: "Clause registry", Status: Shown, From: "policy/limiteduse/clauses.json and the tests of this run", At: at,
		Columns: []string{"Clause", "Status", "What it asks, in our words", "Source", "Kept by", "Tests", "Left to people"},
	}
	counts := map[Status]int{}
	for _, c := range clauses {
		status, tests := clauseStatus(c, r)
		counts[status]++
		says := c.Says
		if !c.Adopted {
			says += " Not adopted: " + c.Why
		}
		i.Rows = append(i.Rows, []string{c.ID, string(status), says, sourcesOf(c), strings.Join(append(slices.Clone(c.Rules), c.Mechanisms...), ", "), tests, c.Left})
		if len(c.Tests) > 0 {
			i.Details = append(i.Details, Detail{Title: c.ID + ": its tests, and how each ended", Text: testList(c.Tests, r)})
		}
		i.Status = worst(i.Status, status)
	}
	i.Says = fmt.Sprintf("%d clauses: %s.", len(clauses), say(counts))
	return i
}

func clauseStatus(c limiteduse.Clause, r *Results) (Status, string) {
	if c.ByPeople() && len(c.Tests) == 0 {
		return Human, "none: no program can keep it"
	}
	return r.tally(c.Tests)
}

func testList(names []string, r *Results) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "%-8s %s\n", r.Of(name), name)
	}
	return b.String()
}

func sourcesOf(c limiteduse.Clause) string {
	var list []string
	for _, s := range c.Sources {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s (%s, %s)", s.Title, s.Part, s.Version, s.URL)))
	}
	return strings.Join(list, "; ") + ". Grade " + c.Grade
}

// rulesItem shows the source of each rule that a clause names, beside the clauses that name it.
func rulesItem(clauses []limiteduse.Clause, modules map[string]string, at time.Time) Item {
	i := Item{
		ID: "rules", Title: "Rules, with their source", From: "the Rego modules in the program, revision " + limiteduse.Revision(), At: at, Status: Shown,
		Columns: []string{"Rule", "Clauses that it keeps"},
	}
	keeps := map[string][]string{}
	for _, c := range clauses {
		for _, rule := range c.Rules {
			keeps[rule] = append(keeps[rule], c.ID)
		}
	}
	missing := 0
	for _, rule := range slices.Sorted(maps.Keys(keeps)) {
		source := ruleSource(modules, rule)
		if source == "" {
			missing++
			source = "not found in the modules of this program"
		}
		i.Rows = append(i.Rows, []string{rule, strings.Join(keeps[rule], ", ")})
		i.Details = append(i.Details, Detail{Title: rule, Text: source})
	}
	i.Says = fmt.Sprintf("%d rules keep clauses. Everything that no rule allows is refused.", len(keeps))
	if missing > 0 {
		i.Status = Failed
		i.Says += fmt.Sprintf(" %d rules that the registry names are not there.", missing)
	}
	return i
}

// ruleSource is the text of a rule, with its metadata: every block of its module whose head is the rule's name.
func ruleSource(modules map[string]string, rule string) string {
	cut := strings.LastIndex(rule, ".")
	if cut < 0 {
		return ""
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		if !strings.Contains(modules[name], "\npackage "+rule[:cut]+"\n") {
			continue
		}
		for _, block := range strings.Split(modules[name], "\n\n") {
			if headOf(block) == rule[cut+1:] {
				found = append(found, strings.TrimSpace(block))
			}
		}
	}
	return strings.Join(found, "\n\n")
}

// headOf is the name of the rule that a block of Rego begins with.
func headOf(block string) string {
	for _, line := range strings.Split(strings.TrimSpace(block), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		line = strings.TrimPrefix(line, "default ")
		return line[:strings.IndexFunc(line+" ", func(c rune) bool {
			return !(c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9')
		})]
	}
	return ""
}

// say counts statuses in words, the worst first.
func say(counts map[Status]int) string {
	var parts []string
	for _, s := range slices.Backward(order) {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	return strings.Join(parts, ", ")
}
