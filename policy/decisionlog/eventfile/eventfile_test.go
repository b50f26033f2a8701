package eventfile_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/decisionlog/eventfile"
)

var events = []decisionlog.Record{
	{Index: 1, Entry: decisionlog.Entry{
		Kind: decisionlog.Decision, At: time.Date(2026, 11, 1, 12, 0, 0, 1000, time.UTC), DecisionID: "d", Ref: decisionlog.NoRef, ActorKind: "owner",
		Actor: "-1+1", Account: "a", Allowed: true, Clauses: []string{"LU-USE-1", "MIN-1"}, Body: []byte(`{"decision_id":"d"}`),
	}},
	{Index: 0, Entry: decisionlog.Entry{Kind: decisionlog.Lifecycle, Ref: decisionlog.NoRef}}, // its body is dropped
}

func write(t *testing.T, format string) (string, *eventfile.Writer) {
	t.Helper()
	var to bytes.Buffer
	w, err := eventfile.NewWriter(&to, format)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range events {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(to.Bytes()); w.SHA256() != hex.EncodeToString(sum[:]) || w.Count() != len(events) {
		t.Errorf("%s: digest %s of %d events is not the file's", format, w.SHA256(), w.Count())
	}
	return to.String(), w
}

func TestCSV(t *testing.T) {
	text, _ := write(t, eventfile.CSV)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if got, want := strings.Join(rows[1], "|"), "1|2026-11-01T12:00:00.000001Z|decision|d||owner|'-1+1|a|||||true|LU-USE-1 MIN-1|"; got != want {
		t.Errorf("got %s, want %s: what a spreadsheet would take for a formula is quoted", got, want)
	}
}

func TestJSONLines(t *testing.T) {
	text, _ := write(t, eventfile.JSONL)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines, want 2", len(lines))
	}
	for i, want := range []string{`{"decision_id":"d"}`, `null`} {
		var line struct {
			Index int64
			Event json.RawMessage
		}
		if err := json.Unmarshal([]byte(lines[i]), &line); err != nil || line.Index != events[i].Index || string(line.Event) != want {
			t.Errorf("line %d is %s, %v, want the event %s", i, lines[i], err, want)
		}
	}
}

func TestNoSuchFormat(t *testing.T) {
	if _, err := eventfile.NewWriter(&bytes.Buffer{}, "pdf"); err == nil {
		t.Error("a format that does not exist is accepted")
	}
}
