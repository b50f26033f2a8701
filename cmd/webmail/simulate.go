package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// simulateCmd asks a policy what it would say. It reads no mail and no account: the mailbox it asks about is made
// up from the flags, connected and consented to unless they say otherwise.
type simulateCmd struct {
	storage

	Who       []string `help:"Only these: ${people}. Default: everybody."`
	What      string   `help:"What is done: an operation such as messages.get." default:"messages.get"`
	Feature   string   `help:"Only for this feature. Default: every feature that does it."`
	Purpose   string   `help:"For this purpose, whatever the feature's own is."`
	Recipient string   `help:"Sent to this recipient, whatever the feature's own is."`
	Classes   []string `help:"Classes of data. Default: all that the feature needs."`
	Scopes    []string `help:"Scopes that the owner granted at Google." default:"https://www.googleapis.com/auth/gmail.modify"`
	Consent   int      `help:"Version of the disclosure that the owner agreed to; 0 = none." default:"${disclosure}"`
	State     string   `help:"connected or disconnected." enum:"connected,disconnected" default:"connected"`
	Input     string   `help:"Ask about this input (JSON, as in a decision event), as it is and with each person in the actor's place." type:"existingfile"`
	Bundle    string   `help:"Policy to ask: a bundle or a directory. Default: the built-in one." type:"path"`
	PolicyKey string   `help:"Public key that the bundle must be signed with. Without it, it is looked at unverified." type:"path"`
	JSON      bool     `help:"One JSON object a line."`
	Log       bool     `help:"Make the decisions of the log again."`
	Since     string   `help:"With --log: decisions from this time on (RFC 3339), or so long ago (24h)." default:"24h"`
	Until     string   `help:"With --log: before this time (RFC 3339)."`
}

func (c *simulateCmd) Run(ctx context.Context) error {
	source, err := readPolicy(c.Bundle, c.PolicyKey)
	if err != nil {
		return err
	}
	judge, err := policy.NewJudge(ctx, source)
	if err != nil {
		return err
	}
	if c.Log {
		return c.replay(ctx, judge)
	}
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return err
	}
	answers, err := c.ask(ctx, judge, tables)
	if err != nil {
		return err
	}
	if c.JSON {
		return eachLine(answers)
	}
	return c.print(answers)
}

// answer is what the policy says to one person asking for one feature.
type answer struct {
	Who     string         `json:"who"`
	Feature string         `json:"feature,omitempty"`
	Verdict policy.Verdict `json:"verdict"`
	Why     []string       `json:"why"` // the clauses in words
	Input   policy.Input   `json:"input"`
}

func (c *simulateCmd) ask(ctx context.Context, judge *policy.Judge, tables limiteduse.Tables) ([]answer, error) {
	said, err := clauseWords()
	if err != nil {
		return nil, err
	}
	var answers []answer
	ask := func(who string, in policy.Input) {
		v := judge.Ask(ctx, in)
		a := answer{Who: who, Feature: in.Feature, Verdict: v, Input: in}
		for _, clause := range v.Clauses {
			a.Why = append(a.Why, cmp.Or(said[clause], clause))
		}
		answers = append(answers, a)
	}
	inputs, err := c.inputs(tables)
	if err != nil {
		return nil, err
	}
	if c.Input != "" {
		ask("as it is", inputs[0])
	}
	for _, name := range c.Who {
		if !slices.ContainsFunc(people, func(p person) bool { return p.name == name }) {
			return nil, fmt.Errorf("--who: there is no %q; there are %s", name, peopleNames())
		}
	}
	for _, p := range people {
		if len(c.Who) > 0 && !slices.Contains(c.Who, p.name) {
			continue
		}
		for _, in := range inputs {
			ask(p.name, p.asks(in))
		}
	}
	return answers, nil
}

// inputs are what is asked about, without the one who asks: one for each feature.
func (c *simulateCmd) inputs(tables limiteduse.Tables) ([]policy.Input, error) {
	if c.Input != "" {
		text, err := os.ReadFile(c.Input)
		if err != nil {
			return nil, err
		}
		var in policy.Input
		if err := json.Unmarshal(text, &in); err != nil {
			return nil, fmt.Errorf("--input: %w", err)
		}
		return []policy.Input{in}, nil
	}
	if c.Feature != "" {
		if _, ok := tables.Features[c.Feature]; !ok {
			return nil, fmt.Errorf("--feature: there is no %q; there are %s", c.Feature, strings.Join(slices.Sorted(maps.Keys(tables.Features)), ", "))
		}
		return []policy.Input{c.input(c.Feature, tables)}, nil
	}
	var inputs []policy.Input
	for _, name := range slices.Sorted(maps.Keys(tables.Features)) {
		if tables.Features[name].Operations[c.What] {
			inputs = append(inputs, c.input(name, tables))
		}
	}
	if len(inputs) == 0 {
		inputs = append(inputs, c.input("", tables)) // an operation that no feature needs
	}
	return inputs, nil
}

// Names in a made-up input.
const (
	madeOwner, madeMailbox, madeThing = "the owner", "the mailbox", "the message"
)

func (c *simulateCmd) input(name string, tables limiteduse.Tables) policy.Input {
	feature, operation, now := tables.Features[name], tables.Operations[c.What], time.Now()
	in := policy.Input{
		Operation: c.What, Feature: name, Purpose: cmp.Or(c.Purpose, feature.Purpose), Recipient: cmp.Or(c.Recipient, feature.Recipient), Classes: map[string]bool{}, Time: now.UnixMicro(),
		Resource: policy.InputResource{Kind: operation.Kind, Form: operation.Form, IDs: []string{}},
		Account: &policy.InputAccount{
			ID: madeMailbox, Owner: madeOwner, State: c.State, Scopes: c.Scopes,
			Consent: policy.InputConsent{Version: c.Consent, First: c.Consent, Given: now.Add(-24 * time.Hour).UnixMicro(), Notified: now.Add(-365 * 24 * time.Hour).UnixMicro()},
		},
	}
	for class := range feature.Classes {
		in.Classes[class] = true
	}
	if len(c.Classes) > 0 {
		clear(in.Classes)
		for _, class := range c.Classes {
			in.Classes[class] = true
		}
	}
	switch operation.Form {
	case "ids":
		in.Resource.IDs = []string{madeThing}
	case "collection":
		in.Resource.Max = 1
	}
	return in
}

// print shows a line for each person, on which bases and for which features they may, or why not; and below, what
// the clauses say.
func (c *simulateCmd) print(answers []answer) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(out, "WHO\tANSWER\tBASIS\tCLAUSES\tFEATURES")
	named := map[string]string{}
	for len(answers) > 0 {
		n := slices.IndexFunc(answers, func(a answer) bool { return a.Who != answers[0].Who })
		if n < 0 {
			n = len(answers)
		}
		for _, a := range summary(answers[:n]) {
			v, said := a.Verdict, "refused"
			if v.Allow {
				said = "allowed"
			}
			fmt.Fprintln(out, strings.Join([]string{words(a.Who), said, v.Basis, strings.Join(v.Clauses, " "), a.Feature}, "\t"))
			for i, clause := range v.Clauses {
				named[clause] = a.Why[i]
			}
		}
		answers = answers[n:]
	}
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Println()
	for _, clause := range slices.Sorted(maps.Keys(named)) {
		fmt.Fprintf(out, "%s\t%s\n", clause, named[clause])
	}
	return out.Flush()
}

// summary is what the answers to one person come to: one for each basis on which something is allowed, for all its
// features; or, where all is refused, the refusal that came closest to a yes.
func summary(answers []answer) []answer {
	bases := map[string]answer{}
	closest := answers[0]
	for _, a := range answers {
		if len(a.Verdict.Clauses) < len(closest.Verdict.Clauses) {
			closest = a
		}
		if !a.Verdict.Allow {
			continue
		}
		if before, ok := bases[a.Verdict.Basis]; ok {
			a.Feature = before.Feature + " " + a.Feature
		}
		bases[a.Verdict.Basis] = a
	}
	if len(bases) == 0 {
		return []answer{closest}
	}
	var lines []answer
	for _, basis := range slices.Sorted(maps.Keys(bases)) {
		lines = append(lines, bases[basis])
	}
	return lines
}

// replay makes logged decisions again, under the policy asked about as well when there is one.
func (c *simulateCmd) replay(ctx context.Context, judge *policy.Judge) error {
	if c.Bundle == "" {
		judge = nil
	}
	return replayLog(ctx, c.storage, period{Since: c.Since, Until: c.Until, JSON: c.JSON}, judge)
}

// changesError is a policy that would decide otherwise: no fault, but something to look at before it is signed.
type changesError struct{ n int }

func (e changesError) Error() string { return fmt.Sprintf("%d decisions would change", e.n) }

func printReport(r policy.Report, candidate *policy.Judge) error {
	fmt.Printf("%d decisions: %d come out as logged under the policy that made them, %d do not; %d were refused before a policy was asked; of %d the policy or the body is not kept.\n",
		r.Decisions, r.Same, r.Different, r.Unasked, r.Unknown)
	if candidate == nil {
		return nil
	}
	fmt.Printf("Under %s: %d newly refused, %d newly allowed, %d decided as before for other reasons.\n", candidate.Revision(), r.Refused, r.Allowed, r.Explained)
	out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	for _, counts := range []struct {
		name string
		of   map[string]int
	}{{"FEATURE", r.Features}, {"CLAUSE", r.Clauses}} {
		if len(counts.of) == 0 {
			continue
		}
		fmt.Fprintf(out, "%s\tDECISIONS THAT CHANGE\n", counts.name)
		for _, name := range slices.Sorted(maps.Keys(counts.of)) {
			fmt.Fprintf(out, "%s\t%d\n", name, counts.of[name])
		}
	}
	return out.Flush()
}

func timeOrAge(flag, s string, now time.Time) (time.Time, error) {
	if age, err := time.ParseDuration(s); err == nil && age >= 0 {
		return now.Add(-age), nil
	}
	return parseTime(flag, s)
}

func eachLine[T any](list []T) error {
	enc := json.NewEncoder(os.Stdout)
	for _, v := range list {
		if err := enc.Encode(v); err != nil {
			return err
		}
	}
	return nil
}
