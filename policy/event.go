package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/plugins/logs"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// Three kinds of event share one log (DESIGN 4.1): a decision is an OPA EventV1, as OPA's own decision-log
// tools read it; an outcome says what came of a decision; a lifecycle event says what happened to the
// system itself. The bytes made here are the leaf: they are never marshalled again.

// decisionPath is where the decision stands in the policy, in EventV1's notation.
const decisionPath = "webmail/decision/basis"

// decisionResult is the `result` of a decision event.
type decisionResult struct {
	Allow   bool     `json:"allow"`
	Basis   string   `json:"basis,omitempty"`
	Clauses []string `json:"clauses"` // that allow it, or that refuse it
}

func decisionEntry(id string, labels map[string]string, revision string, in Input, result decisionResult, now time.Time) (decisionlog.Entry, error) {
	var input, res any = in, result
	body, err := json.Marshal(logs.EventV1{
		Labels: labels, DecisionID: id, Bundles: map[string]logs.BundleInfoV1{"limiteduse": {Revision: revision}},
		Path: decisionPath, Input: &input, Result: &res, Timestamp: now.UTC(),
	})
	if err != nil {
		return decisionlog.Entry{}, fmt.Errorf("policy: encoding a decision: %w", err)
	}
	return decisionColumns(id, in, result, now, body), nil
}

func decisionColumns(id string, in Input, result decisionResult, at time.Time, body []byte) decisionlog.Entry {
	e := decisionlog.Entry{
		Kind: decisionlog.Decision, At: at, DecisionID: id, Ref: decisionlog.NoRef, ActorKind: in.Actor.Kind, Actor: in.Actor.ID,
		Operation: in.Operation, Purpose: in.Purpose, Feature: in.Feature, Basis: result.Basis, Allowed: result.Allow,
		Clauses: result.Clauses, Body: body,
	}
	if in.Account != nil {
		e.Account = in.Account.ID
	}
	return e
}

// OutcomeStatus says what came of an allowed access.
type OutcomeStatus string

// The outcomes. Unknown is written for changes that Gmail did not answer, and at start for decisions that a
// crash left open.
const (
	Done    OutcomeStatus = "done"
	Failed  OutcomeStatus = "failed"
	Unknown OutcomeStatus = "unknown"
)

// outcomeEvent is the body of an outcome. Ids are pseudonyms; sizes are rounded up to a power of two.
type outcomeEvent struct {
	Kind       string        `json:"kind"`
	Decision   int64         `json:"decision"`
	DecisionID string        `json:"decision_id"`
	Timestamp  time.Time     `json:"timestamp"`
	Status     OutcomeStatus `json:"status"`
	Items      int           `json:"items"`
	IDs        []string      `json:"ids,omitempty"`
	IDsSHA256  string        `json:"ids_sha256,omitempty"`
	Bytes      int64         `json:"bytes"`
}

// idsInOutcome is how many ids an outcome names before it gives only their count and digest.
const idsInOutcome = 500

func outcomeEntry(index int64, decisionID, account string, status OutcomeStatus, ids []string, items int, size int64, now time.Time) (decisionlog.Entry, error) {
	ev := outcomeEvent{
		Kind: string(decisionlog.Outcome), Decision: index, DecisionID: decisionID, Timestamp: now.UTC(), Status: status,
		Items: items, Bytes: bucket(size),
	}
	if len(ids) > idsInOutcome {
		sum := sha256.Sum256([]byte(strings.Join(ids, "\n")))
		ev.IDsSHA256 = hex.EncodeToString(sum[:])
	} else {
		ev.IDs = ids
	}
	body, err := json.Marshal(ev)
	if err != nil {
		return decisionlog.Entry{}, fmt.Errorf("policy: encoding an outcome: %w", err)
	}
	return outcomeColumns(ev, body), nil
}

func outcomeColumns(ev outcomeEvent, body []byte) decisionlog.Entry {
	return decisionlog.Entry{
		Kind: decisionlog.Outcome, At: ev.Timestamp, DecisionID: ev.DecisionID, Ref: ev.Decision,
		Allowed: true, Outcome: string(ev.Status), Body: body,
	}
}

// bucket rounds a size up to a power of two, so that a message cannot be recognised by its length.
func bucket(n int64) int64 {
	if n <= 0 {
		return 0
	}
	return 1 << bits.Len64(uint64(n-1))
}

// Lifecycle is something that happened to the system: a start, a sign-in, a key change, a purge.
type Lifecycle struct {
	Event   string            // dotted name, such as "account.connected"
	Actor   Actor             // zero when nobody in particular
	Account AccountID         // "" when it concerns no mailbox
	LogKey  []byte            // the account's log key, when Account is set
	Details map[string]string // versions, hashes, counts, reasons from closed sets; never content
}

type lifecycleEvent struct {
	Kind      string            `json:"kind"`
	Event     string            `json:"event"`
	Timestamp time.Time         `json:"timestamp"`
	ActorKind string            `json:"actor_kind,omitempty"`
	Actor     string            `json:"actor,omitempty"`
	Account   string            `json:"account,omitempty"`
	Details   map[string]string `json:"details,omitempty"`
	KeptFrom  int64             `json:"kept_from,omitempty"` // of a drop: index of the first event that stays
}

func lifecycleEntry(l Lifecycle, p pseudonyms, now time.Time) (decisionlog.Entry, error) {
	ev := lifecycleEvent{
		Kind: string(decisionlog.Lifecycle), Event: l.Event, Timestamp: now.UTC(), ActorKind: string(l.Actor.Kind),
		Actor: p.person(l.Actor.Kind, l.Actor.Person), Details: l.Details,
	}
	if l.Account != "" {
		ev.Account = p.mailbox(l.Account)
	}
	body, err := json.Marshal(ev)
	if err != nil {
		return decisionlog.Entry{}, fmt.Errorf("policy: encoding a lifecycle event: %w", err)
	}
	return lifecycleColumns(ev, body), nil
}

func lifecycleColumns(ev lifecycleEvent, body []byte) decisionlog.Entry {
	ref := decisionlog.NoRef
	if ev.KeptFrom != 0 {
		ref = ev.KeptFrom
	}
	return decisionlog.Entry{
		Kind: decisionlog.Lifecycle, At: ev.Timestamp, Ref: ref, ActorKind: ev.ActorKind, Actor: ev.Actor, Account: ev.Account,
		Operation: ev.Event, Body: body,
	}
}

// Index derives the columns that the log is searched by from an event's bytes. The log's verifier compares
// them with the stored columns, so that a row cannot be made to hide from a search.
func Index(body []byte) (decisionlog.Entry, error) {
	var probe struct {
		Kind       string `json:"kind"`
		DecisionID string `json:"decision_id"`
	}
	if err := json.Unmarshal(body, &probe); err != nil {
		return decisionlog.Entry{}, fmt.Errorf("policy: an event is not JSON: %w", err)
	}
	switch {
	case probe.Kind == string(decisionlog.Outcome):
		var ev outcomeEvent
		if err := decodeStrict(body, &ev); err != nil {
			return decisionlog.Entry{}, err
		}
		return outcomeColumns(ev, body), nil
	case probe.Kind == string(decisionlog.Lifecycle):
		var ev lifecycleEvent
		if err := decodeStrict(body, &ev); err != nil {
			return decisionlog.Entry{}, err
		}
		return lifecycleColumns(ev, body), nil
	case probe.Kind == "" && probe.DecisionID != "":
		var ev struct {
			DecisionID string         `json:"decision_id"`
			Input      Input          `json:"input"`
			Result     decisionResult `json:"result"`
			Timestamp  time.Time      `json:"timestamp"`
		}
		if err := json.Unmarshal(body, &ev); err != nil {
			return decisionlog.Entry{}, fmt.Errorf("policy: a decision event does not decode: %w", err)
		}
		return decisionColumns(ev.DecisionID, ev.Input, ev.Result, ev.Timestamp, body), nil
	}
	return decisionlog.Entry{}, errors.New("policy: an event of no known kind")
}

func decodeStrict(body []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("policy: an event does not decode: %w", err)
	}
	return nil
}
