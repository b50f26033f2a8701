package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/totalengage/webmail/policy/limiteduse"
)

// evaluationLimit bounds one evaluation. The policy needs a tenth of a millisecond; the limit is for rules that
// do not end, and long enough that a machine which is merely busy refuses nobody (250 ms was not).
const evaluationLimit = 2 * time.Second

// The hot query asks the floor and the policy at once: no bundle can lift the floor. Explaining costs
// more (it evaluates every denial) and is asked only after a refusal.
const (
	queryBasis   = `data.webmail.decision.basis`
	queryDenials = `data.webmail.decision.denials`
	queryRules   = `data.webmail.access.basis` // without the floor: what a bundle alone says
)

// engine evaluates one policy. It is immutable and safe for concurrent use.
type engine struct {
	basis    map[way]rego.PreparedEvalQuery // the hot query, unfolded
	plain    rego.PreparedEvalQuery         // the hot query over the rules as they are written
	rules    rego.PreparedEvalQuery         // the same without the floor
	denials  rego.PreparedEvalQuery
	tables   limiteduse.Tables
	revision string
}

// embedded is the engine of the policy that the program is built with, compiled once.
var embedded = sync.OnceValues(func() (*engine, error) { return newEngine(context.Background(), Embedded()) })

// engineOf is the embedded engine, where the source is that, or a new one.
func engineOf(ctx context.Context, source Source) (*engine, error) {
	if source.Revision() == Embedded().Revision() {
		return embedded()
	}
	return newEngine(ctx, source)
}

// newEngine compiles a policy with strict checks and without any built-in function that would make an answer
// depend on more than the input (I7).
func newEngine(ctx context.Context, source Source) (*engine, error) {
	e, unfold, err := newPlainEngine(ctx, source)
	if err != nil {
		return nil, err
	}
	return e, unfold()
}

// newPlainEngine prepares everything but the unfolded hot query, which takes most of the time: that is left to
// the second step.
func newPlainEngine(ctx context.Context, source Source) (e *engine, unfold func() error, err error) {
	tables, err := source.tables()
	if err != nil {
		return nil, nil, err
	}
	data, err := source.data()
	if err != nil {
		return nil, nil, err
	}
	compiler, err := compile(source)
	if err != nil {
		return nil, nil, err
	}
	e = &engine{tables: tables, revision: source.Revision()}
	for query, prepared := range map[string]*rego.PreparedEvalQuery{queryBasis: &e.plain, queryRules: &e.rules, queryDenials: &e.denials} {
		args := append(engineOptions(data), rego.Compiler(compiler), rego.Query(query))
		if *prepared, err = rego.New(args...).PrepareForEval(ctx); err != nil {
			return nil, nil, fmt.Errorf("policy: preparing %q: %w", query, err)
		}
	}
	return e, func() (err error) {
		e.basis, err = flatten(ctx, source, compiler, data, tables)
		return err
	}, nil
}

func engineOptions(data map[string]any) []func(*rego.Rego) {
	return []func(*rego.Rego){
		rego.Store(inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))), // tables are converted once, not at each look-up
		rego.StrictBuiltinErrors(true),
	}
}

// parse parses the modules with their annotations, which name the schema of the input.
func parse(source Source) (map[string]*ast.Module, error) {
	modules := map[string]*ast.Module{}
	for name, text := range source.modules() {
		module, err := ast.ParseModuleWithOpts(name, text, ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			return nil, fmt.Errorf("policy: parsing %s: %w", name, err)
		}
		modules[name] = module
	}
	return modules, nil
}

// compile compiles the modules with everything that the compiler can check of them.
func compile(source Source) (*ast.Compiler, error) {
	modules, err := parse(source)
	if err != nil {
		return nil, err
	}
	compiler := ast.NewCompiler().WithStrict(true).WithSchemas(schemas()).WithUseTypeCheckAnnotations(true).WithCapabilities(deterministic())
	if compiler.Compile(modules); compiler.Failed() {
		return nil, fmt.Errorf("policy: compiling: %w", compiler.Errors)
	}
	return compiler, nil
}

// deterministic removes the built-ins whose result is not a function of their arguments.
func deterministic() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	c.AllowNet = []string{}
	c.Builtins = slices.DeleteFunc(c.Builtins, func(b *ast.Builtin) bool {
		return b.Nondeterministic || slices.Contains([]string{"http.send", "net.lookup_ip_addr", "opa.runtime", "rand.intn", "time.now_ns", "uuid.rfc4122"}, b.Name)
	})
	return c
}

// answer decides and says by which clauses. Whatever is not a clear yes is a no.
func (e *engine) answer(ctx context.Context, in ast.Value) decisionResult {
	basis, err := e.decide(ctx, in)
	if err != nil {
		return decisionResult{Clauses: []string{ClauseEvaluation}}
	}
	if basis != "" {
		return decisionResult{Allow: true, Basis: basis, Clauses: e.tables.Bases[basis]}
	}
	clauses, err := e.explain(ctx, in)
	if err != nil {
		return decisionResult{Clauses: []string{ClauseEvaluation}}
	}
	if len(clauses) == 0 {
		clauses = []string{ClauseDefault}
	}
	return decisionResult{Clauses: clauses}
}

// decide returns the basis on which the input is allowed, or "" when nothing allows it. Any error,
// ambiguity or panic is an error, never an answer.
func (e *engine) decide(ctx context.Context, in ast.Value) (basis string, err error) {
	w, ok := wayOf(in)
	q, known := e.basis[w]
	if !ok || !known {
		return "", nil // no row of the tables allows it
	}
	return e.ask(ctx, q, in)
}

func (e *engine) ask(ctx context.Context, q rego.PreparedEvalQuery, in ast.Value) (string, error) {
	rs, err := eval(ctx, q, in)
	if err != nil || len(rs) == 0 {
		return "", err
	}
	basis, ok := only(rs).(string)
	if !ok || len(e.tables.Bases[basis]) == 0 {
		return "", errors.New("the policy gave no single basis that the tables list")
	}
	return basis, nil
}

// explain returns the clause ids that refuse the input, sorted.
func (e *engine) explain(ctx context.Context, in ast.Value) ([]string, error) {
	rs, err := eval(ctx, e.denials, in)
	if err != nil {
		return nil, err
	}
	list, ok := only(rs).([]any)
	if !ok {
		return nil, errors.New("the policy's explanation is not a set")
	}
	clauses := make([]string, 0, len(list))
	for _, c := range list {
		s, ok := c.(string)
		if !ok {
			return nil, errors.New("the policy's explanation holds something other than clause ids")
		}
		clauses = append(clauses, s)
	}
	slices.Sort(clauses)
	return clauses, nil
}

// only returns the value of a query that has exactly one, or nil.
func only(rs rego.ResultSet) any {
	if len(rs) != 1 || len(rs[0].Expressions) != 1 {
		return nil
	}
	return rs[0].Expressions[0].Value
}

func eval(ctx context.Context, q rego.PreparedEvalQuery, in ast.Value) (rs rego.ResultSet, err error) {
	defer func() {
		if p := recover(); p != nil {
			rs, err = nil, errors.New("the policy engine panicked")
		}
	}()
	cancel := topdown.NewCancel() // instead of a context with a deadline, which costs a goroutine for each evaluation
	defer time.AfterFunc(evaluationLimit, cancel.Cancel).Stop()
	return q.Eval(ctx, rego.EvalParsedInput(in), rego.EvalExternalCancel(cancel), rego.EvalMetrics(metrics.NoOp()))
}
