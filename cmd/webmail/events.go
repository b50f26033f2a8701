package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/decisionlog/eventfile"
)

// eventWriter prints events in one of three forms: a table for people, or JSON Lines or CSV for programs.
type eventWriter struct {
	write func(decisionlog.Record) error
	flush func() error
}

func newEventWriter(w io.Writer, format string) (eventWriter, error) {
	if format == "table" {
		out := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
		fmt.Fprintln(out, "LEAF\tTIME\tKIND\tACTOR\tOPERATION\tPURPOSE\tFEATURE\tANSWER\tBASIS OR CLAUSES")
		return eventWriter{func(r decisionlog.Record) error { _, err := fmt.Fprintln(out, row(r)); return err }, out.Flush}, nil
	}
	out, err := eventfile.NewWriter(w, format)
	if err != nil {
		return eventWriter{}, err
	}
	return eventWriter{out.Write, out.Flush}, nil
}
