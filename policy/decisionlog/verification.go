package decisionlog

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// verification is the state of one Verify: two trees that grow leaf by leaf, one from the bodies, one from the
// stored leaf hashes. While they agree there is only the first. Once a body does not fit its stored leaf hash,
// one of the two is wrong; which one, the signed root tells in the end.
type verification struct {
	log      *Log
	index    func(body []byte) (Entry, error)
	signed   tlog.Tree
	kept     tlog.Tree // zero if none
	keptFrom int64

	byBody    frontier
	byHash    *frontier // nil until they part
	parted    int64     // first leaf whose body does not fit its stored hash, if byHash is not nil
	keptFound bool      // either tree had the kept root at the kept size

	report   Report
	findings []error // the first of each type
}

// found notes a finding, unless there is one of its type and table already.
func (v *verification) found(finding error) {
	same := func(earlier error) bool {
		switch finding := finding.(type) {
		case *Gap:
			gap, ok := earlier.(*Gap)
			return ok && gap.Table == finding.Table
		default:
			return fmt.Sprintf("%T", earlier) == fmt.Sprintf("%T", finding)
		}
	}
	if !slices.ContainsFunc(v.findings, same) {
		v.findings = append(v.findings, finding)
	}
}

func (v *verification) checkPage(ctx context.Context, p *page) error {
	for i, record := range p.events {
		n := p.from + int64(i)
		if record == nil && n >= v.keptFrom {
			if err := v.checkMissing(ctx, n); err != nil {
				return err
			}
		}
		v.checkLeaf(p, n, record)
		v.checkKept()
	}
	return nil
}

// checkMissing tells a gap from an event that retention has dropped since the verification began.
func (v *verification) checkMissing(ctx context.Context, n int64) error {
	row, err := readHead(ctx, v.log.db.Read())
	if err != nil {
		return err
	}
	v.keptFrom = row.keptFrom
	if n >= v.keptFrom {
		v.found(&Gap{"events", n})
	}
	return nil
}

// checkLeaf adds a leaf to the trees and compares every hash that is stored for it.
func (v *verification) checkLeaf(p *page, n int64, record *Record) {
	position := tlog.StoredHashCount(n)
	stored, have := p.hashes[position]
	if !have {
		v.found(&Gap{"hashes", position})
	}
	leaf := stored
	if record != nil {
		leaf = tlog.RecordHash(record.Body)
		if leaf == stored {
			v.checkColumns(record)
		}
	}
	if !have {
		stored = leaf
	}
	if leaf != stored && v.byHash == nil {
		byHash := v.byBody.clone()
		v.byHash, v.parted = &byHash, n
	}
	computed := v.byBody.add(leaf)
	alternative := computed
	if v.byHash != nil {
		alternative = v.byHash.add(stored)
	}
	for level := 1; level < len(computed); level++ {
		node, have := p.hashes[position+int64(level)]
		switch {
		case !have:
			v.found(&Gap{"hashes", position + int64(level)})
		case node != computed[level] && node != alternative[level]:
			v.found(&TamperedHash{Level: level, Index: n >> level})
		}
	}
}

// checkKept compares the trees with the kept checkpoint when they have reached its size.
func (v *verification) checkKept() {
	if v.byBody.size != v.kept.N {
		return
	}
	if v.byBody.tree() == v.kept || v.byHash != nil && v.byHash.tree() == v.kept {
		v.keptFound = true
	}
}

// checkColumns compares the columns of an event with what its body says.
func (v *verification) checkColumns(record *Record) {
	if v.index == nil {
		return
	}
	derived, err := v.index(record.Body)
	if err != nil {
		v.found(&TamperedIndex{record.Index, "body"})
		return
	}
	if column := differingColumn(&record.Entry, &derived); column != "" {
		v.found(&TamperedIndex{record.Index, column})
	}
}

// differingColumn names the first column in which two entries differ, or nothing.
func differingColumn(a, b *Entry) string {
	switch {
	case a.Kind != b.Kind:
		return "kind"
	case a.At.UnixMicro() != b.At.UnixMicro():
		return "at"
	case a.Ref != b.Ref:
		return "ref"
	case a.Allowed != b.Allowed:
		return "allowed"
	}
	others := b.texts()
	for i, text := range a.texts() {
		if text != others[i] {
			return text.name
		}
	}
	return ""
}

// conclude compares the finished trees with what was signed.
func (v *verification) conclude(ctx context.Context) error {
	switch {
	case v.byBody.tree() == v.signed:
		if v.byHash != nil {
			v.found(&TamperedHash{Level: 0, Index: v.parted})
		}
	case v.byHash != nil && v.byHash.tree() == v.signed:
		v.found(&TamperedLeaf{v.parted})
	default:
		if v.byHash != nil {
			v.found(&TamperedLeaf{v.parted})
		}
		v.found(&TamperedTree{v.signed.N})
	}
	if v.kept != (tlog.Tree{}) && v.kept.N <= v.signed.N && !v.keptFound {
		v.found(&Forked{v.kept.N})
	}
	return v.checkDrop(ctx)
}

// checkDrop makes sure that the log itself says so if its oldest events are gone.
func (v *verification) checkDrop(ctx context.Context) error {
	if v.keptFrom == 0 {
		return nil
	}
	page, err := v.log.Query(ctx, Filter{Kind: Lifecycle, Operation: OperationDrop, Ref: &v.keptFrom, Limit: 1})
	if err != nil {
		return err
	}
	if len(page.Records) == 0 {
		v.found(&UnannouncedDrop{v.keptFrom})
	}
	return nil
}
