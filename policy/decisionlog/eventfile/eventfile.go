// Package eventfile writes events of the decision log to files that auditors take along: JSON Lines, in which each
// event stands as it was logged, or CSV of its columns. A [Manifest] beside the file says what it is, so that
// anyone who has the log can show it complete.
//
// Writing costs no memory beyond one event.
package eventfile

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// The formats.
const (
	CSV   = "csv"
	JSONL = "jsonl"
)

// Manifest says what a file of events is: the same filter over the first TreeSize events of the log, to which the
// checkpoint commits, gives exactly the Count events of the file.
type Manifest struct {
	File       string `json:"file"`
	SHA256     string `json:"sha256"` // of the file, in hex
	Format     string `json:"format"`
	Filter     any    `json:"filter"`
	Count      int    `json:"count"`
	TreeSize   int64  `json:"tree_size"` // events in the log when it was made; none after them were looked at
	Checkpoint string `json:"checkpoint"`
}

// Writer writes events in one format, and keeps what the manifest says of them.
type Writer struct {
	to     io.Writer
	digest hash.Hash
	csv    *csv.Writer // nil for JSON Lines
	count  int
}

// NewWriter begins a file.
func NewWriter(to io.Writer, format string) (*Writer, error) {
	w := &Writer{digest: sha256.New()}
	w.to = io.MultiWriter(to, w.digest)
	switch format {
	case CSV:
		w.csv = csv.NewWriter(w.to)
		return w, w.csv.Write([]string{
			"leaf", "time", "kind", "decision_id", "ref", "actor_kind", "actor", "account", "operation", "purpose", "feature", "basis", "allowed", "clauses", "outcome",
		})
	case JSONL:
		return w, nil
	}
	return nil, errors.New("eventfile: no such format")
}

// Write adds one event.
func (w *Writer) Write(r decisionlog.Record) error {
	w.count++
	if w.csv != nil {
		return w.csv.Write(columns(r))
	}
	return writeJSON(w.to, r)
}

// Flush writes what is left.
func (w *Writer) Flush() error {
	if w.csv == nil {
		return nil
	}
	w.csv.Flush()
	return w.csv.Error()
}

// Count is how many events were written.
func (w *Writer) Count() int { return w.count }

// SHA256 is the digest of what was written, in hex, once it is flushed.
func (w *Writer) SHA256() string { return hex.EncodeToString(w.digest.Sum(nil)) }

// columns are an event's columns as they stand in the log. None of them is what a spreadsheet takes for a formula:
// they are numbers, times, pseudonyms and closed words.
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
