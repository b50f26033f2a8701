package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/totalengage/webmail/policy/limiteduse"
)

// A valid signature says who made a bundle, not that it is right. Before a candidate comes into force it must
// compile like the embedded policy, its tables may take away from the embedded ones and never add, it must refuse
// every case that must be refused, and it must let owners read and write their mail.

// Check says whether a bundle would be admitted, apart from its revision: nil, or *Rejected.
func (b *Bundle) Check(ctx context.Context) error {
	_, err := b.admit(ctx)
	return err
}

func (b *Bundle) admit(ctx context.Context) (*engine, error) {
	reject := func(reason Reason, of string, err error) (*engine, error) {
		return nil, &Rejected{Reason: reason, Hash: b.Hash, Number: b.Number, Case: of, Err: err}
	}
	tables, err := b.Source.tables()
	if err != nil {
		return reject(RejectedTables, "", err)
	}
	own, err := embedded()
	if err != nil {
		return nil, err
	}
	if err := within(tables, own.tables); err != nil {
		return reject(RejectedTables, "", err)
	}
	cases, err := limiteduse.ReadCases()
	if err != nil {
		return nil, err
	}
	e, unfold, err := newPlainEngine(ctx, b.Source)
	if err != nil {
		return reject(RejectedRules, "", err)
	}
	for _, c := range cases.Deny {
		if err := e.refusesAsWritten(ctx, own, c); err != nil {
			return reject(RejectedAllows, c.ID, err)
		}
	}
	if err := unfold(); err != nil {
		return reject(RejectedRules, "", err)
	}
	for _, c := range cases.Deny {
		if err := e.refuses(ctx, c); err != nil {
			return reject(RejectedAllows, c.ID, err)
		}
	}
	for _, c := range cases.Allow {
		if err := e.allows(ctx, c); err != nil {
			return reject(RejectedRefuses, c.ID, err)
		}
	}
	return e, nil
}

// within says whether tables allow nothing that the program's own do not, or what they add.
func within(t, own limiteduse.Tables) error {
	if err := rows("purpose", t.Purposes, own.Purposes, func(a, b string) bool { return a == b }); err != nil {
		return err
	}
	if err := rows("basis", t.Bases, own.Bases, slices.Equal[[]string]); err != nil {
		return err
	}
	if err := rows("operation", t.Operations, own.Operations, func(a, b limiteduse.Operation) bool {
		return a.Kind == b.Kind && a.Form == b.Form && a.Effect == b.Effect && a.API == b.API && subset(a.Scopes, b.Scopes)
	}); err != nil {
		return err
	}
	if err := rows("recipient", t.Recipients, own.Recipients, func(a, b limiteduse.Recipient) bool {
		return a.Name == b.Name && a.Kind == b.Kind && a.Contract == b.Contract && subset(a.Features, b.Features) && subset(a.Classes, b.Classes)
	}); err != nil {
		return err
	}
	if err := rows("feature", t.Features, own.Features, func(a, b limiteduse.Feature) bool {
		return a.Purpose == b.Purpose && a.Recipient == b.Recipient && subset(a.Actors, b.Actors) && subset(a.Operations, b.Operations) && subset(a.Classes, b.Classes) &&
			0 < a.Max && a.Max <= b.Max && 0 < a.TTLSeconds && a.TTLSeconds <= b.TTLSeconds && a.Disclosure >= b.Disclosure
	}); err != nil {
		return err
	}
	for name, f := range t.Features {
		for op := range f.Operations {
			if _, ok := t.Operations[op]; !ok {
				return fmt.Errorf("feature %s uses %s, which the operations do not list", name, op)
			}
		}
	}
	if t.Terms.Acknowledgement <= 0 || t.Terms.Acknowledgement > own.Terms.Acknowledgement || t.Terms.Notice < own.Terms.Notice {
		return errors.New("a term is looser than the program's own")
	}
	rest := t // whatever else the tables hold is not a bundle's to change
	rest.Purposes, rest.Bases, rest.Operations, rest.Recipients, rest.Features, rest.Terms = own.Purposes, own.Bases, own.Operations, own.Recipients, own.Features, own.Terms
	if !reflect.DeepEqual(rest, own) {
		return errors.New("a table differs that bundles do not change")
	}
	return nil
}

// rows says whether every row is one of the program's own, or one that allows less.
func rows[T any](what string, have, own map[string]T, noMore func(a, b T) bool) error {
	for _, name := range slices.Sorted(maps.Keys(have)) {
		theirs, ok := own[name]
		if !ok {
			return fmt.Errorf("the program knows no %s %q", what, name)
		}
		if !noMore(have[name], theirs) {
			return fmt.Errorf("%s %q allows more than the program's own", what, name)
		}
	}
	return nil
}

func subset(a, b limiteduse.Names) bool {
	for name, is := range a {
		if !is || !b[name] {
			return false
		}
	}
	return true
}

// refusesAsWritten asks the rules as people read them about a case that must be refused. The floor alone would
// refuse many of them; a candidate whose own rules allow what the embedded rules refuse is no good even so.
func (e *engine) refusesAsWritten(ctx context.Context, own *engine, c limiteduse.Case) error {
	in, err := inputOf(c)
	if err != nil {
		return err
	}
	if basis, err := e.ask(ctx, e.plain, in); err != nil || basis != "" {
		return allowed(c, basis, err)
	}
	basis, err := e.ask(ctx, e.rules, in)
	if err != nil {
		return allowed(c, basis, err)
	}
	if basis == "" {
		return nil
	}
	if own, err := own.ask(ctx, own.rules, in); err != nil || own == "" {
		return fmt.Errorf("%s: its rules allow it on the basis %q, and only the floor does not", c.About, basis)
	}
	return nil
}

// refuses asks the rules as they are evaluated.
func (e *engine) refuses(ctx context.Context, c limiteduse.Case) error {
	in, err := inputOf(c)
	if err != nil {
		return err
	}
	if basis, err := e.decide(ctx, in); err != nil || basis != "" {
		return allowed(c, basis, err)
	}
	return nil
}

// allowed tells how a case that must be refused was not.
func allowed(c limiteduse.Case, basis string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: no clear answer: %w", c.About, err)
	}
	return fmt.Errorf("%s: allowed on the basis %q", c.About, basis)
}

func (e *engine) allows(ctx context.Context, c limiteduse.Case) error {
	in, err := inputOf(c)
	if err != nil {
		return err
	}
	if r := e.answer(ctx, in); !r.Allow {
		return fmt.Errorf("%s: refused by %v", c.About, r.Clauses)
	}
	denials, err := e.explain(ctx, in)
	if err != nil || len(denials) > 0 {
		return fmt.Errorf("%s: allowed, and explained as refused by %v (%v)", c.About, denials, err)
	}
	return nil
}

func inputOf(c limiteduse.Case) (ast.Value, error) {
	var in Input
	if err := json.Unmarshal(c.Input, &in); err != nil {
		return nil, fmt.Errorf("case %s: %w", c.ID, err)
	}
	return in.term(), nil
}
