package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
)

// engine evaluates the embedded Limited Use policy. It is immutable and safe for concurrent use.
type engine struct {
	basis    rego.PreparedEvalQuery
	denials  rego.PreparedEvalQuery
	tables   limiteduse.Tables
	revision string
}

// newEngine compiles the embedded policy with strict checks and without any built-in function that would
// make an answer depend on more than the input (I7).
func newEngine(ctx context.Context) (*engine, error) {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return nil, err
	}
	data, err := limiteduse.Data()
	if err != nil {
		return nil, err
	}
	e := &engine{tables: tables, revision: limiteduse.Revision()}
	modules := limiteduse.Modules()
	if e.basis, err = prepareFlat(ctx, modules, data); err != nil {
		return nil, err
	}
	if e.denials, err = prepare(ctx, queryDenials, modules, data); err != nil {
		return nil, err
	}
	return e, nil
}

// prepareFlat prepares the hot query with all rules that it calls written out in place: one body for each way
// to be allowed, of which the engine's index picks the one that can match. A decision then allocates a third less.
// The tables stay unknown here, for unfolding every feature with every operation and scope of it takes
// minutes and gigabytes. TestOracle holds the flat rules to those that people read.
func prepareFlat(ctx context.Context, modules map[string]string, data map[string]any) (rego.PreparedEvalQuery, error) {
	args, err := checked(modules, data)
	if err != nil {
		return rego.PreparedEvalQuery{}, err
	}
	args = append(args, rego.Query(queryBasis+" = answer"), rego.Unknowns([]string{"input", "data.limiteduse"}))
	partial, err := rego.New(args...).Partial(ctx)
	if err != nil {
		return rego.PreparedEvalQuery{}, fmt.Errorf("policy: unfolding %q: %w", queryBasis, err)
	}
	flat := &ast.Module{Package: ast.MustParsePackage("package flat")}
	flat.SetRegoVersionSpan(ast.RegoVersionSpanOf(ast.RegoV1))
	for _, body := range partial.Queries {
		flat.Rules = append(flat.Rules, &ast.Rule{Head: ast.NewHead("basis", nil, ast.VarTerm("answer")), Body: body, Module: flat})
	}
	args = append(engineOptions(data), rego.Query("data.flat.basis"), rego.ParsedModule(flat))
	for _, more := range partial.Support {
		args = append(args, rego.ParsedModule(more))
	}
	q, err := rego.New(args...).PrepareForEval(ctx)
	if err != nil {
		return q, fmt.Errorf("policy: preparing %q: %w", queryBasis, err)
	}
	return q, nil
}

// prepare prepares a query over the modules as they are written.
func prepare(ctx context.Context, query string, modules map[string]string, data map[string]any) (rego.PreparedEvalQuery, error) {
	args, err := checked(modules, data)
	if err != nil {
		return rego.PreparedEvalQuery{}, err
	}
	q, err := rego.New(append(args, rego.Query(query))...).PrepareForEval(ctx)
	if err != nil {
		return q, fmt.Errorf("policy: preparing %q: %w", query, err)
	}
	return q, nil
}

func engineOptions(data map[string]any) []func(*rego.Rego) {
	return []func(*rego.Rego){
		rego.Store(inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))), // tables are converted once, not at each look-up
		rego.Capabilities(deterministic()),
		rego.StrictBuiltinErrors(true),
	}
}

// checked are the modules with everything that the compiler can check of them.
func checked(modules map[string]string, data map[string]any) ([]func(*rego.Rego), error) {
	args := append(engineOptions(data), rego.Strict(true), rego.Schemas(schemas()))
	for name, source := range modules {
		// Parsed here because rego.Module drops the annotations, and with them the schema of the input.
		module, err := ast.ParseModuleWithOpts(name, source, ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			return nil, fmt.Errorf("policy: parsing %s: %w", name, err)
		}
		args = append(args, rego.ParsedModule(module))
	}
	return args, nil
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

// decide returns the basis on which the input is allowed, or "" when nothing allows it. Any error,
// ambiguity or panic is an error, never an answer.
func (e *engine) decide(ctx context.Context, in ast.Value) (basis string, err error) {
	rs, err := eval(ctx, e.basis, in)
	if err != nil || len(rs) == 0 {
		return "", err
	}
	basis, ok := only(rs).(string)
	if !ok || basis == "" {
		return "", errors.New("the policy gave no single basis")
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

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }
