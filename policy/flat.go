package policy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/totalengage/webmail/policy/limiteduse"
)

// The rules as people read them look every feature and operation up in the tables, for every decision. Most of
// that is the same each time: what the tables say of one feature, one operation of it and one kind of actor
// never changes while the engine lives. So the hot query is evaluated in advance, once for each such way, as far
// as it goes without knowing more (OPA's partial evaluation). What is left is a short list of comparisons, and a
// decision is made of those of one way alone.
//
// What lies on no way is refused without asking: a way is all that a row of the tables can allow. TestOracle
// holds the flat rules to those that people read.

// way is the part of an input that a row of the tables fixes.
type way struct {
	feature, operation, actor string // chosen freely, within the feature's row
	purpose, recipient        string // the feature's
	kind, form                string // of the resource: the operation's
}

// ways lists every way of the tables, in a fixed order.
func ways(t limiteduse.Tables) []way {
	var all []way
	for _, name := range slices.Sorted(maps.Keys(t.Features)) {
		feature := t.Features[name]
		for _, op := range slices.Sorted(maps.Keys(feature.Operations)) {
			for _, actor := range slices.Sorted(maps.Keys(feature.Actors)) {
				all = append(all, way{
					feature: name, operation: op, actor: actor, purpose: feature.Purpose, recipient: feature.Recipient,
					kind: t.Operations[op].Kind, form: t.Operations[op].Form,
				})
			}
		}
	}
	return all
}

// Where a way stands in an input. What else an input holds is unknown until it is asked about.
var fixed = map[string][]string{
	"": {"feature", "operation", "purpose", "recipient"}, "actor": {"kind"}, "resource": {"kind", "form"},
}

// input is the way as a part of an input.
func (w way) input() ast.Value {
	return object(
		at("feature", str(w.feature)), at("operation", str(w.operation)), at("purpose", str(w.purpose)), at("recipient", str(w.recipient)),
		at("actor", object(at("kind", str(w.actor)))), at("resource", object(at("kind", str(w.kind)), at("form", str(w.form)))),
	).Value
}

// wayOf finds the way on which an input is. There is none where a part is missing, which is not the same as empty.
func wayOf(in ast.Value) (w way, ok bool) {
	top, ok := in.(ast.Object)
	if !ok {
		return w, false
	}
	actor, resource := part(top, "actor"), part(top, "resource")
	for _, f := range []struct {
		into *string
		of   ast.Object
		name string
	}{
		{&w.feature, top, "feature"}, {&w.operation, top, "operation"}, {&w.purpose, top, "purpose"}, {&w.recipient, top, "recipient"},
		{&w.actor, actor, "kind"}, {&w.kind, resource, "kind"}, {&w.form, resource, "form"},
	} {
		if f.of == nil {
			return w, false
		}
		t := f.of.Get(str(f.name))
		if t == nil {
			return w, false
		}
		text, ok := t.Value.(ast.String)
		if !ok {
			return w, false
		}
		*f.into = string(text)
	}
	return w, true
}

// part is the object that stands under a name, or nil.
func part(o ast.Object, name string) ast.Object {
	if t := o.Get(str(name)); t != nil {
		p, _ := t.Value.(ast.Object)
		return p
	}
	return nil
}

// unknowns are the references into an input that no way fixes, taken from the input's own shape.
func unknowns() []string {
	var refs []string
	top := Input{}.term().(ast.Object)
	for _, name := range top.Keys() {
		key := string(name.Value.(ast.String))
		if slices.Contains(fixed[""], key) {
			continue
		}
		if fixed[key] == nil {
			refs = append(refs, "input."+key)
			continue
		}
		for _, inner := range part(top, key).Keys() {
			if name := string(inner.Value.(ast.String)); !slices.Contains(fixed[key], name) {
				refs = append(refs, "input."+key+"."+name)
			}
		}
	}
	return refs
}

// flatten prepares the hot query for every way of the tables.
func flatten(ctx context.Context, source Source, compiler *ast.Compiler, data map[string]any, tables limiteduse.Tables) (map[way]rego.PreparedEvalQuery, error) {
	options := append(engineOptions(data), rego.Compiler(compiler), rego.Query(queryBasis+" = answer"), rego.Unknowns(unknowns()))
	flat := &ast.Module{Package: ast.MustParsePackage("package flat")}
	flat.SetRegoVersionSpan(ast.RegoVersionSpanOf(ast.RegoV1))
	modules, err := parse(source) // what is left may still refer to rules and tables, in a comprehension for one
	if err != nil {
		return nil, err
	}
	modules["flat"] = flat
	names := map[way]string{}
	for i, w := range ways(tables) {
		name := fmt.Sprintf("way_%d", i)
		partial, err := rego.New(append(options, rego.ParsedInput(w.input()), rego.PartialNamespace(name))...).Partial(ctx)
		if err != nil {
			return nil, fmt.Errorf("policy: unfolding %q for %s: %w", queryBasis, w.feature, err)
		}
		for _, body := range partial.Queries {
			rule, err := ruleOf(name, body)
			if err != nil {
				return nil, err
			}
			rule.Module, names[w] = flat, name
			flat.Rules = append(flat.Rules, rule)
		}
		for j, more := range partial.Support {
			modules[fmt.Sprintf("%s.%d", name, j)] = more
		}
	}
	return prepareWays(ctx, modules, data, names)
}

// ruleOf makes a rule of one body that partial evaluation left. The answer moves into the head, where the
// engine sees that rules agree and stops at the first that holds.
func ruleOf(name string, body ast.Body) (*ast.Rule, error) {
	head := ast.NewHead(ast.Var(name))
	var rest ast.Body
	for _, e := range body {
		if answer := answerOf(e); answer != nil {
			if head.Value != nil && !head.Value.Equal(answer) {
				return nil, errors.New("policy: the policy gives two bases at once")
			}
			head.Value = answer
			continue
		}
		if !slices.ContainsFunc(rest, func(earlier *ast.Expr) bool { return repeats(e, earlier) }) {
			rest.Append(e)
		}
	}
	if head.Value == nil {
		return nil, errors.New("policy: the policy's basis is not a constant")
	}
	if len(rest) == 0 {
		rest.Append(ast.NewExpr(ast.BooleanTerm(true)))
	}
	return &ast.Rule{Head: head, Body: rest}, nil
}

// answerOf returns what an expression gives as the answer, if it does.
func answerOf(e *ast.Expr) *ast.Term {
	if !e.IsEquality() || e.Negated || len(e.With) > 0 {
		return nil
	}
	for i := range 2 {
		if e.Operand(i).Value.Compare(ast.Var("answer")) == 0 && ast.IsConstant(e.Operand(1-i).Value) {
			return e.Operand(1 - i)
		}
	}
	return nil
}

// repeats says whether an expression asks again what an earlier one of its body has asked: the floor and the
// rules share some of their conditions. One with variables may find something else the second time.
func repeats(e, earlier *ast.Expr) bool {
	variable := false
	ast.WalkTerms(e, func(t *ast.Term) bool {
		v, is := t.Value.(ast.Var)
		variable = variable || is && !v.Equal(ast.InputRootDocument.Value) && !v.Equal(ast.DefaultRootDocument.Value)
		return variable
	})
	same := ast.Expr{Terms: earlier.Terms, With: earlier.With, Negated: earlier.Negated, Index: e.Index, Generated: e.Generated}
	return !variable && e.Equal(&same)
}

// prepareWays compiles the flat rules together and prepares one query for each way that has any.
func prepareWays(ctx context.Context, modules map[string]*ast.Module, data map[string]any, names map[way]string) (map[way]rego.PreparedEvalQuery, error) {
	options := engineOptions(data)
	compiler := ast.NewCompiler().WithCapabilities(deterministic())
	if compiler.Compile(modules); compiler.Failed() {
		return nil, fmt.Errorf("policy: compiling the unfolded rules: %w", compiler.Errors)
	}
	queries := make(map[way]rego.PreparedEvalQuery, len(names))
	for w, name := range names {
		q, err := rego.New(append(options, rego.Compiler(compiler), rego.Query("data.flat."+name))...).PrepareForEval(ctx)
		if err != nil {
			return nil, fmt.Errorf("policy: preparing %s: %w", w.feature, err)
		}
		queries[w] = q
	}
	return queries, nil
}
