package policy_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Every allowed access is mutated in every field, once for each mutation below: what results is refused, or the
// access is provably the same one for the policy. The table says which and why; an entry that is not needed fails
// the test too.

// mutation is one way to spoil a field of one type, or nothing for others. Types themselves are not changed: Input's are fixed.
type mutation struct {
	name  string
	spoil func(path string, v any) (spoilt any, ok bool)
}

const missing = "missing" // takes the field away

var mutations = []mutation{
	{missing, func(_ string, v any) (any, bool) { return nil, v != nil }}, // a part that is not there is null already
	{"given", func(path string, v any) (any, bool) {
		parts := map[string]any{"account": account(), "instruction": instruction("message_view", ""), "agreement": agreement(), "caller": caller("inbox.read"), "release": release()}
		return parts[path], v == nil
	}},
	{"empty", func(_ string, v any) (any, bool) {
		switch v := v.(type) {
		case string:
			return "", v != ""
		case []any:
			return []any{}, len(v) > 0
		case map[string]any:
			return map[string]any{}, isSet(v)
		}
		return nil, false
	}},
	{"another", func(_ string, v any) (any, bool) {
		switch v := v.(type) {
		case string:
			return "another " + v, true
		case []any:
			return []any{"another"}, true
		case map[string]any:
			return map[string]any{"another": true}, isSet(v)
		case bool:
			return !v, true
		}
		return nil, false
	}},
	{"more", func(_ string, v any) (any, bool) {
		switch v := v.(type) {
		case float64:
			return int64(v) + 1, true
		case []any:
			return append(slices.Clone(v), "more"), true
		case map[string]any:
			m := maps.Clone(v)
			m["more"] = true
			return m, isSet(v)
		}
		return nil, false
	}},
	{"less", func(_ string, v any) (any, bool) {
		switch v := v.(type) {
		case float64:
			return int64(v) - 1, true
		case []any:
			return v[:max(0, len(v)-1)], len(v) > 1
		}
		return nil, false
	}},
	{"untrue", func(_ string, v any) (any, bool) { // names that are there, but not true
		m, _ := v.(map[string]any)
		untrue := map[string]any{}
		for name := range m {
			untrue[name] = false
		}
		return untrue, isSet(m)
	}},
}

// isSet tells a set of names from a part of the input.
func isSet(m map[string]any) bool {
	for _, value := range m {
		if _, is := value.(bool); !is {
			return false
		}
	}
	return len(m) > 0
}

// The bases, by what they are about.
const (
	ofMail  = " owner_at_page transfer standing_instruction platform_caller agreement "
	told    = " transfer standing_instruction platform_caller " // at the owner's word
	byOwner = " owner_at_page transfer own_data "
	working = " standing_instruction platform_caller aggregation " // nobody is at the page
	noBox   = " audit aggregation aggregate_report "
)

// irrelevant says which mutations ("" for all) of which fields make no difference on which bases, and why.
var irrelevant = []struct{ bases, fields, mutations, why string }{
	{ofMail + "own_data" + noBox, "params body resource.label", "", "recorded for people; a grant covers these and no others (TestStretching)"},
	{ofMail + "own_data", "account.epoch", "", "compared at every use of the grant, not at the decision (TestEpoch)"},

	{byOwner + working, "actor.roles actor.mfa actor.acknowledged", "", "asked of humans who are not the owner"},
	{working, "actor.id", "", "a service is nobody; the instruction or its key says on whose behalf it works"},
	{"audit aggregate_report", "actor.id", "", "whoever signed in with the role"},
	{"audit", "actor.acknowledged", "", "acknowledged are the rules for seeing mail, and the log holds none"},
	{"agreement audit aggregate_report", "actor.roles", "more less", "another role takes none away"},
	{"agreement aggregate_report", "actor.acknowledged", "more", "a moment later, and still before now"},

	{"standing_instruction platform_caller", "account.owner", "", "the owner's word is kept with the mailbox, which no other person can come to own"},
	{"owner_at_page own_data", "account.id", "", "the owner is recognised by account.owner; the id is compared with instructions and agreements"},
	{ofMail, "account.scopes", "more", "any one scope suffices"},
	{ofMail, "account.consent.version", "more less", "a text that tells of the feature too: a later one, or an earlier one for an early feature"},
	{ofMail, "account.consent.given", "less", "earlier"},
	{ofMail, "account.consent.first account.consent.notified", "", "either suffices for CHG-2, and the other one is there"},
	{"own_data", "account.consent account.consent.version account.consent.given account.consent.first account.consent.notified account.scopes account.state", "",
		"a right of the owner that lasts beyond consent and connection (PRV-ACC)"},
	{"audit aggregate_report", "account", "given", "recorded for people"},

	{told, "instruction.id", "another", "compared with nothing: the gate looked the instruction up by it"},
	{told, "instruction.given", "less", "earlier"},
	{told, "instruction.expires", "more", "later"},
	{"owner_at_page agreement own_data" + noBox, "instruction", "given", "an instruction adds nothing to these bases and takes nothing away"},
	{"owner_at_page agreement own_data" + noBox, "subject", "", "what an instruction is for, and there is none"},

	{"agreement", "agreement.id", "another", "compared with nothing: the gate looked the agreement up by it"},
	{"agreement", "agreement.approver", "another", "another second member of staff"},
	{"agreement", "agreement.asked", "more", "later, and still before the owner agreed"},
	{"agreement", "agreement.expires", "less", "earlier, and still after now"},
	{"agreement", "agreement.messages", "more", "one message more of at most ten, which this access does not read"},
	{byOwner + working + "audit aggregate_report", "agreement", "given", "an agreement is a basis for its own requester alone"},

	{"platform_caller", "caller.purposes", "more", "one purpose more, which this access is not for"},
	{ofMail + "own_data audit aggregation", "release", "given", "a release is read on the basis aggregate_report alone"},
	{"aggregate_report", "release.owners", "more", "more than fifty"},
	{"aggregate_report", "release.released", "less", "earlier"},

	{byOwner + told, "resource.ids", "another more less", "which of the owner's things it is decides the grant, not the rule; how many is within the feature's bound"},
	{"owner_at_page own_data audit aggregation standing_instruction platform_caller", "resource.ids", "missing another more", "for a listing, or for something new, there are no ids"},
	{ofMail + "aggregation aggregate_report", "resource.max", "missing more less", "for ids, or for something new, there is no listing; for a listing, less is less"},
	{"own_data audit", "resource.max", "less", "fewer"},

	{"owner_at_page", "time", "more", "a moment later"},
	{"own_data audit aggregation", "time", "", "no term ends"},
}

// TestMutations mutates every field of every allowed access.
func TestMutations(t *testing.T) {
	j := newJudge(t)
	needed := map[string]bool{}
	tried, refused := 0, 0
	for _, in := range plainInputs(j.tables) {
		basis := oracle(j.tables, in)
		for _, path := range paths(in) {
			for _, m := range mutations {
				value, ok := mutated(t, decoded(in), path, m)
				if !ok {
					continue
				}
				tried++
				got, err := j.gate.Judge(t.Context(), value)
				if err == nil && got.Basis == "" && len(got.Denials) == 0 {
					t.Errorf("%s %s with %s %s: refused without a clause", in.Feature, in.Operation, path, m.name)
				}
				if err != nil || got.Basis == "" {
					refused++
					continue
				}
				if got.Basis != basis {
					t.Errorf("%s with %s %s: allowed on the basis %s instead of %s", in.Feature, path, m.name, got.Basis, basis)
				}
				if !excused(needed, basis, path, m.name) {
					t.Errorf("%s: %s of %s is still allowed with %s %s", basis, in.Operation, in.Feature, path, m.name)
				}
			}
		}
	}
	for _, row := range irrelevant {
		for _, basis := range strings.Fields(row.bases) {
			for _, path := range strings.Fields(row.fields) {
				if !needed[basis+" "+path+" "+row.mutations] || row.why == "" {
					t.Errorf("%s %s is listed as irrelevant for %s and is not, or without a reason", path, row.mutations, basis)
				}
			}
		}
	}
	t.Logf("%d mutations, %d refused", tried, refused)
	if refused < tried/2 {
		t.Errorf("only %d of %d mutations are refused", refused, tried)
	}
}

func excused(needed map[string]bool, basis, path, mutation string) bool {
	found := false
	for _, row := range irrelevant {
		mutations := strings.Fields(row.mutations)
		if slices.Contains(strings.Fields(row.bases), basis) && slices.Contains(strings.Fields(row.fields), path) && (len(mutations) == 0 || slices.Contains(mutations, mutation)) {
			needed[basis+" "+path+" "+row.mutations] = true
			found = true
		}
	}
	return found
}

// mutated is the document with one field spoilt.
func mutated(t *testing.T, doc map[string]any, path string, m mutation) (ast.Value, bool) {
	t.Helper()
	parent, keys := doc, strings.Split(path, ".")
	for _, k := range keys[:len(keys)-1] {
		parent = parent[k].(map[string]any)
	}
	last := keys[len(keys)-1]
	spoilt, ok := m.spoil(path, parent[last])
	if !ok {
		return nil, false
	}
	if parent[last] = spoilt; m.name == missing {
		delete(parent, last)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	v, err := ast.ValueFromReader(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return v, true
}
