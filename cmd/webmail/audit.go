package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// auditCmd reads the log offline: no server, no private key, nothing written.
type auditCmd struct {
	Tail   tailCmd   `cmd:"" help:"Follow the log as it grows, one JSON event a line."`
	Query  queryCmd  `cmd:"" help:"Search the log, newest first."`
	Verify verifyCmd `cmd:"" help:"Recompute the whole log and check it against its signature and a kept checkpoint. Exit status 3 when anything is wrong."`

	Replay    replayCmd    `cmd:"" help:"Make logged decisions again under the policy that each names, which is kept with the log. Exit status 3 when one does not come out as logged."`
	Diff      diffCmd      `cmd:"" help:"Make logged decisions again under another policy. Exit status 4 when any would change."`
	Report    reportCmd    `cmd:"" help:"Sum up a period: decisions by clause and purpose, refusals, what staff looked at, policies, reviews."`
	Reconcile reconcileCmd `cmd:"" help:"Compare the log with Google's own count of requests, find decisions without outcome and looks of staff without an agreement. Exit status 3 when anything is unexplained."`

	Export     exportCmd     `cmd:"" help:"Write events, or the whole log as C2SP tlog-tiles, to files that others can check."`
	Proof      proofCmd      `cmd:"" help:"Write the offline proof that one decision is in the log."`
	Witness    witnessCmd    `cmd:"" help:"Cosign the checkpoints of logs, as an auditor does away from their operators (C2SP tlog-witness)."`
	CheckProof checkProofCmd `cmd:"" help:"Check an offline proof with the log's public key alone, and print its event. Exit status 3 when it is wrong."`
}

// verifyError is a log that did not verify.
type verifyError struct{ err error }

func (e *verifyError) Error() string { return "it does not verify: " + e.err.Error() }
func (e *verifyError) Unwrap() error { return e.err }

// openLog opens the log read-only with its public key.
func (s storage) openLog(ctx context.Context) (*decisionlog.Log, func(), error) {
	verifier, err := decisionlog.LoadVerifier(s.logKey() + ".pub")
	if err != nil {
		return nil, nil, fmt.Errorf("the log's public key (is --data right?): %w", err)
	}
	db, err := database.OpenReadOnly(ctx, s.logURL())
	if err != nil {
		return nil, nil, fmt.Errorf("the log's database: %w", err)
	}
	log, err := decisionlog.OpenReadOnly(ctx, db, verifier.Name(), verifier)
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	return log, func() { _, _ = log.Close(), db.Close() }, nil
}

type tailCmd struct {
	storage
	From int64 `help:"Leaf index to begin at." default:"0"`
}

func (c *tailCmd) Run(ctx context.Context) error {
	log, done, err := c.openLog(ctx)
	if err != nil {
		return err
	}
	defer done()
	out, err := newEventWriter(os.Stdout, "jsonl")
	if err != nil {
		return err
	}
	return log.Tail(ctx, c.From, out.write)
}

// eventFilter are the columns that auditors filter on.
type eventFilter struct {
	Kind      string `help:"decision, outcome or lifecycle." enum:",decision,outcome,lifecycle" default:"" json:"kind,omitempty"`
	Actor     string `help:"Pseudonym of the actor." json:"actor,omitempty"`
	ActorKind string `help:"owner, staff, service, auditor or reviewer." json:"actor_kind,omitempty"`
	Account   string `help:"Pseudonym of the mailbox." json:"account,omitempty"`
	Purpose   string `help:"Purpose, such as inbox.read." json:"purpose,omitempty"`
	Feature   string `help:"Feature, such as thread_view." json:"feature,omitempty"`
	Operation string `help:"Gmail method, such as messages.get." json:"operation,omitempty"`
	Clause    string `help:"Clause id, such as LU-HUM-1." json:"clause,omitempty"`
	Outcome   string `help:"done, failed or unknown." json:"outcome,omitempty"`
	Decision  string `help:"Decision id." json:"decision,omitempty"`
	Refused   bool   `help:"Only refusals." json:"refused,omitempty"`
	Allowed   bool   `help:"Only allowed decisions." json:"allowed,omitempty"`
	Since     string `help:"Not before this time (RFC 3339)." json:"since,omitempty"`
	Until     string `help:"Before this time (RFC 3339)." json:"until,omitempty"`
}

func (c eventFilter) filter() (decisionlog.Filter, error) {
	f := decisionlog.Filter{
		Kind: decisionlog.Kind(c.Kind), Actor: c.Actor, ActorKind: c.ActorKind, Account: c.Account, Purpose: c.Purpose, Feature: c.Feature,
		Operation: c.Operation, Clause: c.Clause, Outcome: c.Outcome, DecisionID: c.Decision,
	}
	if c.Refused && c.Allowed {
		return f, errors.New("--refused and --allowed exclude each other")
	}
	if c.Refused || c.Allowed {
		f.Allowed = &c.Allowed
	}
	var err error
	if f.Since, err = parseTime("--since", c.Since); err != nil {
		return f, err
	}
	f.Until, err = parseTime("--until", c.Until)
	return f, err
}

func parseTime(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%s must be a time like 2026-11-23T20:00:00Z", flag)
	}
	return t, nil
}

// queryCmd searches the log.
type queryCmd struct {
	storage
	eventFilter
	Limit  int    `help:"At most so many events." default:"50"`
	Format string `help:"table, jsonl or csv." enum:"table,jsonl,csv" default:"table"`
}

func (c *queryCmd) Run(ctx context.Context) error {
	f, err := c.filter()
	if err != nil {
		return err
	}
	if c.Limit < 1 {
		return errors.New("--limit must be at least 1")
	}
	log, done, err := c.openLog(ctx)
	if err != nil {
		return err
	}
	defer done()
	out, err := newEventWriter(os.Stdout, c.Format)
	if err != nil {
		return err
	}
	if err := eachEvent(ctx, log, f, c.Limit, out.write); err != nil {
		return err
	}
	return out.flush()
}

// eachEvent hands out at most limit events that pass the filter, newest first.
func eachEvent(ctx context.Context, log *decisionlog.Log, f decisionlog.Filter, limit int, do func(decisionlog.Record) error) error {
	for left := limit; left > 0; {
		f.Limit = min(left, decisionlog.MaxPage)
		page, err := log.Query(ctx, f)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			if err := do(r); err != nil {
				return err
			}
		}
		left -= len(page.Records)
		if page.Next == 0 || len(page.Records) == 0 {
			return nil
		}
		f.Before = page.Next
	}
	return nil
}

func row(r decisionlog.Record) string {
	answer, why := r.Outcome, ""
	if r.Kind == decisionlog.Decision {
		answer, why = "refused", strings.Join(r.Clauses, " ")
		if r.Allowed {
			answer, why = "allowed", r.Basis
		}
	}
	who := r.ActorKind
	if r.Actor != "" {
		who += " " + r.Actor[:min(8, len(r.Actor))]
	}
	return strings.Join([]string{
		fmt.Sprint(r.Index), r.At.UTC().Format(time.RFC3339), string(r.Kind), who, r.Operation, r.Purpose, r.Feature, answer, why,
	}, "\t")
}

// verifyCmd recomputes the log.
type verifyCmd struct {
	storage
	Checkpoint string `help:"A checkpoint kept from an earlier time: the log must contain all that it commits to." type:"existingfile"`
	Save       string `help:"Write the log's checkpoint here, to keep for the next time." type:"path"`
}

func (c *verifyCmd) Run(ctx context.Context) error {
	o := decisionlog.VerifyOptions{Index: policy.Index}
	if c.Checkpoint != "" {
		kept, err := os.ReadFile(c.Checkpoint)
		if err != nil {
			return fmt.Errorf("the kept checkpoint: %w", err)
		}
		o.Kept = bytes.TrimLeft(kept, "\n")
	}
	log, done, err := c.openLog(ctx)
	if err != nil {
		return err
	}
	defer done()
	report, err := log.Verify(ctx, o)
	if err != nil {
		return finding(err)
	}
	fmt.Printf("%d events verified: every leaf, every hash, the order, the columns and the signature.\nroot %s\n", report.Tree.N, report.Tree.Hash)
	if report.KeptFrom > 0 {
		fmt.Printf("bodies begin at leaf %d; of earlier events only hashes are kept\n", report.KeptFrom)
	}
	if c.Checkpoint != "" {
		fmt.Printf("consistent with the kept checkpoint of %d events\n", report.Kept.N)
	} else {
		fmt.Println("no kept checkpoint given: a log rolled back as a whole would not be noticed (--checkpoint)")
	}
	if c.Save != "" {
		return os.WriteFile(c.Save, report.Checkpoint, 0o644)
	}
	return nil
}

// finding tells what is wrong with a log from a log that could not be read to its end.
func finding(err error) error {
	for _, kind := range []any{
		new(*decisionlog.BadCheckpoint), new(*decisionlog.BadHead), new(*decisionlog.RolledBack), new(*decisionlog.Forked), new(*decisionlog.TamperedLeaf),
		new(*decisionlog.TamperedHash), new(*decisionlog.TamperedTree), new(*decisionlog.TamperedIndex), new(*decisionlog.Gap), new(*decisionlog.Surplus),
		new(*decisionlog.UnannouncedDrop), new(*decisionlog.BadProof),
	} {
		if errors.As(err, kind) {
			return &verifyError{err}
		}
	}
	return err
}
