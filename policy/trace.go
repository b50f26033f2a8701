package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// Tracer tells of a logged decision why it came out as it did: which rules of its policy held, which did not, and
// what of the input each of them looked at. The words are the policy's own annotations. Like a [Judge] it grants
// and records nothing.
type Tracer struct {
	query rego.PreparedEvalQuery
	rules []*tracedRule // in the order in which they are written
	named map[string]*tracedRule
}

// Step is one rule of the policy and how it came out.
type Step struct {
	Rule    string   `json:"rule"` // package and name, such as webmail.access.connected
	Title   string   `json:"title"`
	About   string   `json:"about,omitempty"`
	Clauses []string `json:"clauses,omitempty"`
	Holds   bool     `json:"holds"`
	Bars    bool     `json:"bars"` // it speaks against an access: others ask that it does not hold
	Facts   []Fact   `json:"facts,omitempty"`
}

// Speaks tells whether the step speaks for the access.
func (s Step) Speaks() bool { return s.Holds != s.Bars }

// Fact is a value of the input that a rule looked at.
type Fact struct {
	Path  string          `json:"path"` // within the input, such as account.state
	Value json.RawMessage `json:"value"`
}

// tracedRule is a rule as it is written. Definitions of one rule are joined.
type tracedRule struct {
	step    Step
	inputs  []string            // paths within the input
	uses    []string            // names of other rules
	byValue map[string][]string // what the definitions use that give one value: a basis, a clause
	logical bool                // it is true or undefined
	file    string
	row     int
}

// NewTracer compiles a policy.
func NewTracer(ctx context.Context, source Source) (*Tracer, error) {
	data, err := source.data()
	if err != nil {
		return nil, err
	}
	compiler, err := compile(source)
	if err != nil {
		return nil, err
	}
	t := &Tracer{named: map[string]*tracedRule{}}
	if t.query, err = rego.New(append(engineOptions(data), rego.Compiler(compiler), rego.Query("data.webmail"))...).PrepareForEval(ctx); err != nil {
		return nil, fmt.Errorf("policy: preparing a trace: %w", err)
	}
	barring, asking := map[string]bool{}, map[string]bool{}
	for _, module := range compiler.Modules {
		for _, rule := range module.Rules {
			t.read(rule, compiler.GetAnnotationSet(), barring, asking)
		}
	}
	t.rules = slices.SortedFunc(maps.Values(t.named), func(a, b *tracedRule) int {
		return strings.Compare(fmt.Sprintf("%s %6d", b.file, a.row), fmt.Sprintf("%s %6d", a.file, b.row)) // the floor comes first
	})
	for _, rule := range t.rules {
		rule.step.Bars = barring[rule.step.Rule] && !asking[rule.step.Rule]
	}
	return t, nil
}

// read takes in one definition of a rule.
func (t *Tracer) read(rule *ast.Rule, words *ast.AnnotationSet, barring, asking map[string]bool) {
	if len(rule.Head.Args) > 0 {
		return // a function has no value of its own
	}
	name := strings.TrimPrefix(rule.Ref().GroundPrefix().String(), "data.")
	r := t.named[name]
	if r == nil {
		r = &tracedRule{step: Step{Rule: name}, byValue: map[string][]string{}, file: rule.Location.File, row: rule.Location.Row}
		t.named[name] = r
	}
	r.row = min(r.row, rule.Location.Row)
	for _, a := range append(words.GetRuleScope(rule), words.GetDocumentScope(rule.Ref().GroundPrefix())) {
		if a == nil {
			continue
		}
		if a.Title != "" {
			r.step.Title, r.step.About = a.Title, strings.Join(strings.Fields(a.Description), " ")
		}
		if list, ok := a.Custom["clauses"].([]any); ok && r.step.Clauses == nil {
			for _, c := range list {
				r.step.Clauses = append(r.step.Clauses, fmt.Sprint(c))
			}
		}
	}
	r.logical = r.logical || rule.Head.Key == nil && rule.Head.Value != nil && rule.Head.Value.Equal(ast.BooleanTerm(true))
	value := valueOf(rule)
	for _, expression := range rule.Body {
		ast.WalkRefs(expression, func(ref ast.Ref) bool {
			path, isInput, isRule := pathOf(ref)
			switch {
			case isInput:
				r.inputs = appendNew(r.inputs, path)
			case isRule:
				r.uses = appendNew(r.uses, path)
				r.byValue[value] = appendNew(r.byValue[value], path)
				if expression.Negated && !strings.HasSuffix(name, ".denials") {
					barring[path] = true
				} else {
					asking[path] = true
				}
			}
			return false
		})
	}
}

// valueOf is the constant that a definition gives: a basis or, for a set of clauses, the clause; "" for others.
func valueOf(rule *ast.Rule) string {
	for _, term := range []*ast.Term{rule.Head.Key, rule.Head.Value} {
		if term != nil {
			if s, ok := term.Value.(ast.String); ok {
				return string(s)
			}
		}
	}
	return ""
}

// pathOf reads a reference to the input, or to a rule of the policy, up to where it depends on a value.
func pathOf(ref ast.Ref) (path string, isInput, isRule bool) {
	var names []string
	for _, term := range ref[1:] {
		name, ok := term.Value.(ast.String)
		if !ok {
			break
		}
		names = append(names, string(name))
	}
	switch {
	case ref[0].Equal(ast.InputRootDocument) && len(names) > 0:
		return strings.Join(names, "."), true, false
	case ref[0].Equal(ast.DefaultRootDocument) && len(names) > 2 && names[0] == "webmail":
		return strings.Join(names[:3], "."), false, true
	}
	return "", false, false
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// Trace evaluates the policy over a logged input. For an access that was allowed the steps are those that its basis
// and the floor rest on; for one that was refused, those that speak against it.
func (t *Tracer) Trace(ctx context.Context, input json.RawMessage, logged Verdict) ([]Step, error) {
	value, err := ast.ValueFromReader(strings.NewReader(string(input)))
	if err != nil {
		return nil, fmt.Errorf("policy: a logged input: %w", err)
	}
	rs, err := eval(ctx, t.query, value)
	if err != nil {
		return nil, fmt.Errorf("policy: tracing: %w", err)
	}
	answers, ok := only(rs).(map[string]any)
	if !ok {
		return nil, fmt.Errorf("policy: tracing: the policy gave no document")
	}
	var document any
	if err := json.Unmarshal(input, &document); err != nil {
		return nil, fmt.Errorf("policy: a logged input: %w", err)
	}
	concerned := t.concerned(logged)
	var steps []Step
	for _, rule := range t.rules {
		step := rule.step
		step.Holds = valueAt(answers, strings.Split(strings.TrimPrefix(step.Rule, "webmail."), ".")) == true
		if !rule.logical || step.Title == "" || !concerned[step.Rule] || step.Speaks() != logged.Allow {
			continue
		}
		for _, path := range rule.inputs {
			if encoded, err := json.Marshal(valueAt(document, strings.Split(path, "."))); err == nil {
				step.Facts = append(step.Facts, Fact{Path: path, Value: encoded})
			}
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// concerned names the rules on which the answer rests.
func (t *Tracer) concerned(logged Verdict) map[string]bool {
	found := map[string]bool{}
	var follow func(names []string)
	follow = func(names []string) {
		for _, name := range names {
			if r := t.named[name]; r != nil && !found[name] {
				found[name] = true
				follow(r.uses)
			}
		}
	}
	begin := func(rule, value string) {
		if r := t.named[rule]; r != nil {
			follow(r.byValue[value])
		}
	}
	if logged.Allow {
		follow([]string{"webmail.floor.admit"})
		begin("webmail.access.basis", logged.Basis)
		return found
	}
	for _, denials := range []string{"webmail.floor.denials", "webmail.access.denials"} {
		for _, clause := range append([]string{""}, logged.Clauses...) {
			begin(denials, clause)
		}
	}
	return found
}

// valueAt looks into a decoded JSON document; nil where there is nothing.
func valueAt(document any, path []string) any {
	for _, name := range path {
		object, ok := document.(map[string]any)
		if !ok {
			return nil
		}
		document = object[name]
	}
	return document
}
