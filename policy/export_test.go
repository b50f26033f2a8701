package policy

import (
	"context"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/types"

	"github.com/totalengage/webmail/policy/limiteduse"
)

// Answer is everything the engine has to say about one input.
type Answer struct {
	Basis   string
	Denials []string
}

// Term is what the engine is given for an input.
func Term(in Input) ast.Value { return in.term() }

// InputSchema is the shape of an input as JSON Schema, for the opa command.
func InputSchema() any { return schemas().Get(ast.MustParseRef("schema.input")) }

// Judge asks the gate's own engine about any value, complete or not.
func (g *Gate) Judge(ctx context.Context, in ast.Value) (Answer, error) {
	basis, err := g.engine.Load().decide(ctx, in)
	if err != nil {
		return Answer{}, err
	}
	denials, err := g.engine.Load().explain(ctx, in)
	return Answer{Basis: basis, Denials: denials}, err
}

// Decide is the hot query alone.
func (g *Gate) Decide(ctx context.Context, in ast.Value) (basis string, err error) {
	return g.engine.Load().decide(ctx, in)
}

// Variant answers the hot query in another way than the product does.
type Variant func(ctx context.Context, in ast.Value) (basis string, err error)

// Variants are the ways in which the answer must be the same: the rules as they are written, with rule indexing
// and without, and partially evaluated without unfolding anything.
func Variants(ctx context.Context) (map[string]Variant, error) {
	e, err := newEngine(ctx, Embedded())
	if err != nil {
		return nil, err
	}
	data, err := Embedded().data()
	if err != nil {
		return nil, err
	}
	args := []func(*rego.Rego){
		rego.Query(queryBasis), rego.Store(inmem.NewFromObject(data)), rego.StrictBuiltinErrors(true), rego.ShallowInlining(true),
		rego.DisableInlining([]string{"data.webmail.access", "data.webmail.floor"}),
	}
	for name, source := range limiteduse.Modules() {
		args = append(args, rego.Module(name, source))
	}
	partial, err := rego.New(args...).PrepareForEval(ctx, rego.WithPartialEval())
	if err != nil {
		return nil, err
	}
	ask := func(q rego.PreparedEvalQuery, indexing bool) Variant {
		return func(ctx context.Context, in ast.Value) (string, error) {
			rs, err := q.Eval(ctx, rego.EvalParsedInput(in), rego.EvalRuleIndexing(indexing))
			if err != nil || len(rs) == 0 {
				return "", err
			}
			basis, _ := only(rs).(string)
			return basis, nil
		}
	}
	return map[string]Variant{"indexed": ask(e.plain, true), "unindexed": ask(e.plain, false), "partial": ask(partial, true)}, nil
}

// with is the embedded policy with another text for one file.
func with(name, text string) Source {
	s := Embedded()
	s[name] = text
	return s
}

// Compile prepares the hot query over other modules beside the embedded floor, as a bundle would bring them.
func Compile(ctx context.Context, access string) error {
	_, err := newEngine(ctx, with("access.rego", access))
	return err
}

// CompileFloor prepares the hot query over another floor and the embedded access rules.
func CompileFloor(ctx context.Context, floor string) error {
	_, err := newEngine(ctx, with("floor.rego", floor))
	return err
}

// ReplaceAccess puts another access module beside the embedded floor.
func (g *Gate) ReplaceAccess(ctx context.Context, access string) error {
	e, err := newEngine(ctx, with("access.rego", access))
	if err == nil {
		g.engine.Store(e)
	}
	return err
}

// BreakEngine makes every evaluation panic or fail.
func (g *Gate) BreakEngine(ctx context.Context, panics bool) error {
	fault := rego.Function1(&rego.Function{Name: "fault", Decl: types.NewFunction(types.Args(types.A), types.B)},
		func(rego.BuiltinContext, *ast.Term) (*ast.Term, error) {
			if panics {
				panic("as it happens")
			}
			return nil, topdown.Halt{Err: errors.New("as it happens")}
		})
	module := "package webmail.decision\n\nbasis := \"owner_at_page\" if fault(input)\n"
	q, err := rego.New(rego.Query(queryBasis), rego.Module("fault.rego", module), fault, rego.StrictBuiltinErrors(true)).PrepareForEval(ctx)
	if err != nil {
		return fmt.Errorf("preparing the fault: %w", err)
	}
	e, err := newEngine(ctx, Embedded())
	if err != nil {
		return err
	}
	for w := range e.basis {
		e.basis[w] = q
	}
	g.engine.Store(e)
	return nil
}

// Half is one half of the policy, asked by itself: what it says (true, a basis, or nil), and why not.
type Half func(ctx context.Context, in ast.Value) (says any, denials []string, err error)

// Halves are the floor and the rules beside it.
func Halves(ctx context.Context) (floor, rules Half, err error) {
	e, err := newEngine(ctx, Embedded())
	if err != nil {
		return nil, nil, err
	}
	data, err := Embedded().data()
	if err != nil {
		return nil, nil, err
	}
	compiler, err := compile(Embedded())
	if err != nil {
		return nil, nil, err
	}
	half := func(answer, denials string) (Half, error) {
		asks := &engine{tables: e.tables}
		for query, prepared := range map[string]*rego.PreparedEvalQuery{answer: &asks.plain, denials: &asks.denials} {
			if *prepared, err = rego.New(append(engineOptions(data), rego.Compiler(compiler), rego.Query(query))...).PrepareForEval(ctx); err != nil {
				return nil, err
			}
		}
		return func(ctx context.Context, in ast.Value) (any, []string, error) {
			rs, err := eval(ctx, asks.plain, in)
			if err != nil {
				return nil, nil, err
			}
			clauses, err := asks.explain(ctx, in)
			return only(rs), clauses, err
		}, nil
	}
	if floor, err = half("data.webmail.floor.admit", "data.webmail.floor.denials"); err != nil {
		return nil, nil, err
	}
	rules, err = half(queryRules, "data.webmail.access.denials")
	return floor, rules, err
}
