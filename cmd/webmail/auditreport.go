package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// reportCmd sums up a period of whole days.
type reportCmd struct {
	storage
	Since  string `help:"First day, UTC, such as 2026-11-01. Default: 30 days ago."`
	Until  string `help:"Day after the last, UTC. Default: tomorrow."`
	Format string `help:"markdown or json." enum:"markdown,json" default:"markdown"`
}

// auditReport is what a report says, as JSON.
type auditReport struct {
	Log        string                `json:"log"`
	Since      string                `json:"since"`
	Until      string                `json:"until"` // this day is not in it
	TreeSize   int64                 `json:"tree_size"`
	Root       string                `json:"root"`
	Allowed    int64                 `json:"allowed"`
	Refused    int64                 `json:"refused"`
	HumanViews int64                 `json:"human_views"` // looks of staff at a message that were allowed
	By         map[string][]tallyRow `json:"by"`          // clause, purpose, feature, actor kind and day
	Outcomes   map[string]int64      `json:"outcomes"`
	Events     map[string]int64      `json:"lifecycle_events"`
	Refusers   []refuserRow          `json:"refused_most"`
}

type tallyRow struct {
	Name    string `json:"name"`
	Allowed int64  `json:"allowed"`
	Refused int64  `json:"refused"`
}

type refuserRow struct {
	ActorKind string `json:"actor_kind"`
	Actor     string `json:"actor"`
	Refusals  int64  `json:"refusals"`
}

// reportGroups are the tables of a report, in its order.
var reportGroups = []struct{ name, title string }{
	{"clause", "Clause"}, {"purpose", "Purpose"}, {"feature", "Feature"}, {"actor_kind", "Who"}, {"day", "Day (UTC)"},
}

func (c *reportCmd) Run(ctx context.Context) error {
	today := time.Now().UTC().Truncate(day)
	since, err := parseDay("--since", c.Since, today.AddDate(0, 0, -30))
	if err != nil {
		return err
	}
	until, err := parseDay("--until", c.Until, today.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	if !since.Before(until) {
		return fmt.Errorf("--since must be before --until")
	}
	log, done, err := c.openLog(ctx)
	if err != nil {
		return err
	}
	defer done()
	report, err := sumUp(ctx, log, since, until)
	if err != nil {
		return finding(err)
	}
	if c.Format == "json" {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	return report.markdown(os.Stdout)
}

func parseDay(flag, s string, otherwise time.Time) (time.Time, error) {
	if s == "" {
		return otherwise, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, fmt.Errorf("%s must be a day like 2026-11-23", flag)
	}
	return t, nil
}

// mostRefusers bounds the list of who was refused.
const mostRefusers = 20

func sumUp(ctx context.Context, log *decisionlog.Log, since, until time.Time) (auditReport, error) {
	text, tree, err := log.Checkpoint(ctx)
	if err != nil {
		return auditReport{}, err
	}
	origin, _, _ := strings.Cut(string(text), "\n")
	r := auditReport{
		Log: origin, Since: since.Format(time.DateOnly), Until: until.Format(time.DateOnly), TreeSize: tree.N, Root: tree.Hash.String(),
		By: map[string][]tallyRow{}, Outcomes: map[string]int64{}, Events: map[string]int64{}, Refusers: []refuserRow{},
	}
	counts, _, err := decisionlog.NewTally(log).Counts(ctx, decisionlog.Filter{Since: since, Until: until})
	if err != nil {
		return r, err
	}
	groups := map[string]map[string]*tallyRow{}
	for _, c := range counts {
		r.add(c, groups)
	}
	for by, rows := range groups {
		for _, row := range rows {
			r.By[by] = append(r.By[by], *row)
		}
		slices.SortFunc(r.By[by], func(a, b tallyRow) int {
			if by == "day" {
				return cmp.Compare(a.Name, b.Name)
			}
			return cmp.Or(cmp.Compare(b.Allowed+b.Refused, a.Allowed+a.Refused), cmp.Compare(a.Name, b.Name))
		})
	}
	refusers, _, err := log.Refusers(ctx, since)
	for _, who := range refusers[:min(len(refusers), mostRefusers)] {
		r.Refusers = append(r.Refusers, refuserRow{who.ActorKind, who.Actor, who.Refusals})
	}
	return r, err
}

func (r *auditReport) add(c decisionlog.Count, groups map[string]map[string]*tallyRow) {
	switch c.Kind {
	case decisionlog.Outcome:
		r.Outcomes[c.Outcome] += c.N
		return
	case decisionlog.Lifecycle:
		r.Events[c.Operation] += c.N
		return
	}
	count := func(by, name string) {
		if groups[by] == nil {
			groups[by] = map[string]*tallyRow{}
		}
		row := groups[by][name]
		if row == nil {
			row = &tallyRow{Name: name}
			groups[by][name] = row
		}
		if c.Allowed {
			row.Allowed += c.N
		} else {
			row.Refused += c.N
		}
	}
	if c.Allowed {
		r.Allowed += c.N
	} else {
		r.Refused += c.N
	}
	if c.Allowed && c.Feature == "agreed_view" {
		r.HumanViews += c.N
	}
	count("purpose", c.Purpose)
	count("feature", c.Feature)
	count("actor_kind", c.ActorKind)
	count("day", c.Day.Format(time.DateOnly))
	for _, clause := range c.Clauses {
		count("clause", clause)
	}
}

// markdown prints the report for people. Names in it are closed words and pseudonyms: nothing needs escaping.
func (r auditReport) markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Decision log %s\n\nFrom %s until before %s, UTC. The log held %d events; its root was `%s`.\n\n", r.Log, r.Since, r.Until, r.TreeSize, r.Root)
	fmt.Fprintf(&b, "- %d decisions allowed, %d refused\n- %d looks of staff at a message, under agreements\n", r.Allowed, r.Refused, r.HumanViews)
	for _, outcome := range slices.Sorted(maps.Keys(r.Outcomes)) {
		fmt.Fprintf(&b, "- %d accesses %s\n", r.Outcomes[outcome], outcome)
	}
	for _, g := range reportGroups {
		if len(r.By[g.name]) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n| %s | allowed | refused |\n|---|---:|---:|\n", g.title)
		for _, row := range r.By[g.name] {
			fmt.Fprintf(&b, "| %s | %d | %d |\n", row.Name, row.Allowed, row.Refused)
		}
	}
	if len(r.Refusers) > 0 {
		b.WriteString("\nRefused most, since the first day:\n\n| who | pseudonym | refusals |\n|---|---|---:|\n")
		for _, who := range r.Refusers {
			fmt.Fprintf(&b, "| %s | %s | %d |\n", who.ActorKind, who.Actor, who.Refusals)
		}
	}
	if len(r.Events) > 0 {
		b.WriteString("\n| what happened to the service | times |\n|---|---:|\n")
		for _, event := range slices.Sorted(maps.Keys(r.Events)) {
			fmt.Fprintf(&b, "| %s | %d |\n", event, r.Events[event])
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
