package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// eventWriter prints events in one of three forms: a table for people, or JSON Lines or CSV for programs.
type eventWriter struct {
	write func(decisionlog.Record) error
	flush func() error
}

func newEventWriter(w io.Writer, format string) eventWriter {
	switch format {
	case "csv":
		out := csv.NewWriter(w)
		_ = out.Write([]string{
			"leaf", "time", "kind", "decision_id", "ref", "actor_kind", "actor", "account", "operation", "purpose", "feature", "basis", "allowed", "clauses", "outcome",
		}) // its error comes with the flush
		return eventWriter{
			func(r decisionlog.Record) error { return out.Write(columns(r)) },
			func() error { out.Flush(); return out.Error() },
		}
	case "table":
		out := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
		fmt.Fprintln(out, "LEAF\tTIME\tKIND\tACTOR\tOPERATION\tPURPOSE\tFEATURE\tANSWER\tBASIS OR CLAUSES")
		return eventWriter{func(r decisionlog.Record) error { _, err := fmt.Fprintln(out, row(r)); return err }, out.Flush}
	}
	return eventWriter{func(r decisionlog.Record) error { return writeJSON(w, r) }, func() error { return nil }}
}

// columns are an event's columns as they stand in the log. None of them can begin with what a spreadsheet takes
// for a formula: they are numbers, times, pseudonyms and closed words.
func columns(r decisionlog.Record) []string {
	ref := ""
	if r.Ref != decisionlog.NoRef {
		ref = strconv.FormatInt(r.Ref, 10)
	}
	allowed := ""
	if r.Kind == decisionlog.Decision {
		allowed = strconv.FormatBool(r.Allowed)
	}
	list := []string{
		strconv.FormatInt(r.Index, 10), r.At.UTC().Format(time.RFC3339Nano), string(r.Kind), r.DecisionID, ref, r.ActorKind, r.Actor, r.Account,
		r.Operation, r.Purpose, r.Feature, r.Basis, allowed, strings.Join(r.Clauses, " "), r.Outcome,
	}
	for i, cell := range list {
		if strings.HasPrefix(cell, "-") { // a pseudonym in base64url can
			list[i] = "'" + cell
		}
	}
	return list
}

// writeJSON prints one event as it was logged, with its place in the log.
func writeJSON(w io.Writer, r decisionlog.Record) error {
	body := json.RawMessage(r.Body)
	if len(body) == 0 {
		body = json.RawMessage("null") // dropped by retention; its hash is still in the tree
	}
	line, err := json.Marshal(map[string]any{"index": r.Index, "kind": r.Kind, "time": r.At.UTC(), "event": body})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, string(line))
	return err
}
