package decisionlog

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind is what an event tells of.
type Kind string

// The three kinds of event.
const (
	Decision  Kind = "decision"  // an access was allowed or refused
	Outcome   Kind = "outcome"   // how an allowed access went
	Lifecycle Kind = "lifecycle" // the system itself: start, stop, keys, roles, policies, drops
)

// MaxBody is the greatest length of an event's body in bytes: C2SP tlog-tiles counts an entry's bytes in 16 bits.
const MaxBody = 65535

// maxColumn bounds a filter column in bytes. Real ones are ids, pseudonyms and words of closed vocabularies.
const maxColumn = 1024

// NoRef is the [Entry.Ref] of an event that refers to no other.
const NoRef int64 = -1

// Entry is one event as it is appended. Body is the Merkle leaf, byte for byte; everything else repeats parts of
// it for the filters of [Log.Query]. People and mailboxes appear as pseudonyms only: nothing here may be
// content or an address.
type Entry struct {
	Kind       Kind
	At         time.Time // to the microsecond; if zero, [Log.Now] when appended
	DecisionID string
	Ref        int64 // of an outcome: index of its decision; otherwise NoRef
	ActorKind  string
	Actor      string
	Account    string
	Operation  string
	Purpose    string
	Feature    string
	Basis      string
	Allowed    bool
	Clauses    []string // ids without spaces
	Outcome    string
	Body       []byte // 1 to MaxBody bytes; belongs to the log once appended
}

// Record is an event as it is stored.
type Record struct {
	Index int64 // position in the log, from 0
	Entry
}

// ErrBadEntry is wrapped by the errors for entries that can never be appended. They concern their own caller
// alone and do not close the log.
var ErrBadEntry = errors.New("decisionlog: bad entry")

// check refuses whatever a database might refuse later: one bad entry must not fail the other callers whose
// entries share its transaction.
func (e *Entry) check() error {
	switch e.Kind {
	case Decision, Outcome, Lifecycle:
	default:
		return fmt.Errorf("%w: unknown kind", ErrBadEntry)
	}
	switch {
	case len(e.Body) == 0:
		return fmt.Errorf("%w: no body", ErrBadEntry)
	case len(e.Body) > MaxBody:
		return fmt.Errorf("%w: body of %d bytes, at most %d are allowed", ErrBadEntry, len(e.Body), MaxBody)
	case e.Ref < NoRef:
		return fmt.Errorf("%w: ref %d", ErrBadEntry, e.Ref)
	case e.Kind == Outcome && e.Ref == NoRef:
		return fmt.Errorf("%w: an outcome without its decision's index", ErrBadEntry)
	}
	for _, clause := range e.Clauses {
		if clause == "" || strings.ContainsRune(clause, ' ') {
			return fmt.Errorf("%w: a clause id is empty or holds a space", ErrBadEntry)
		}
	}
	for _, text := range e.texts() {
		if len(text.value) > maxColumn || !utf8.ValidString(text.value) || strings.ContainsRune(text.value, 0) {
			return fmt.Errorf("%w: %s is too long or not plain UTF-8", ErrBadEntry, text.name)
		}
	}
	return nil
}

// column is a text column of the table: its name there, and an event's value.
type column struct{ name, value string }

// texts returns the text columns, always in the same order.
func (e *Entry) texts() [10]column {
	return [10]column{
		{"decision_id", e.DecisionID},
		{"actor_kind", e.ActorKind},
		{"actor", e.Actor},
		{"account", e.Account},
		{"operation", e.Operation},
		{"purpose", e.Purpose},
		{"feature", e.Feature},
		{"basis", e.Basis},
		{"outcome", e.Outcome},
		{"clauses", joinClauses(e.Clauses)},
	}
}

func joinClauses(clauses []string) string { return strings.Join(clauses, " ") }

func splitClauses(column string) []string {
	if column == "" {
		return nil
	}
	return strings.Split(column, " ")
}
