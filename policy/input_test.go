package policy_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// TestInputTerm: the value that is built by hand for speed is the one that the log's JSON stands for.
func TestInputTerm(t *testing.T) {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		t.Fatal(err)
	}
	inputs := append(plainInputs(tables), policy.Input{})
	for _, in := range plainInputs(tables) {
		for _, d := range deviations(tables) {
			one := copied(in)
			change(&one, d)
			inputs = append(inputs, one)
		}
	}
	inputs = append(inputs, policy.Input{Time: 1<<62 + 1, Purpose: "\"quoted\" <é>\u2028", Classes: set("b", "a")})
	for _, in := range inputs {
		if in.Classes == nil {
			in.Classes, in.Actor.Roles, in.Resource.IDs = set(), []string{}, []string{}
		}
		if in.Actor.Roles == nil {
			in.Actor.Roles, in.Resource.IDs = []string{}, []string{}
		}
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		want, err := ast.ValueFromReader(strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		if got := policy.Term(in); got.Compare(want) != 0 {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

// irrelevant are the fields without which an access is still allowed, for each basis: nothing in the policy
// asks for them. They are recorded for people, or belong to another basis.
var irrelevant = map[string][]string{
	"owner_at_page": {
		"account.epoch", "account.id", "actor.mfa", "actor.roles", "agreement", "body", "instruction", "instruction.account",
		"instruction.expires", "instruction.feature", "instruction.given", "instruction.id", "instruction.resource", "params", "resource.label", "subject",
	},
	"standing_instruction": {
		"account.epoch", "account.owner", "actor.id", "actor.mfa", "actor.roles", "agreement", "body", "params", "resource.label",
	},
	"audit": {
		"account", "account.consent", "account.consent.given", "account.consent.version", "account.epoch", "account.id", "account.owner",
		"account.scopes", "account.state", "actor.id", "agreement", "body", "instruction", "instruction.account",
		"instruction.expires", "instruction.feature", "instruction.given", "instruction.id", "instruction.resource", "params", "resource.ids", "resource.label", "subject", "time",
	},
}

// TestMissingFields takes each field away: what the policy needs and does not get is a refusal. What it does
// not need is listed above. (Fields of another type are not tried: Input's are fixed.)
func TestMissingFields(t *testing.T) {
	w := newWorld(t)
	tables, err := limiteduse.ReadTables()
	if err != nil {
		t.Fatal(err)
	}
	needless := map[string]map[string]bool{"owner_at_page": {}, "standing_instruction": {}, "audit": {}}
	for _, in := range plainInputs(tables) {
		basis := oracle(tables, in)
		for _, path := range paths(in) {
			got, err := w.gate.Judge(t.Context(), without(t, in, path))
			if err == nil && got.Basis == "" && len(got.Denials) == 0 {
				t.Errorf("%s without %s: refused without a clause", in.Feature, path)
			}
			if err != nil || got.Basis == "" {
				continue
			}
			if got.Basis != basis {
				t.Errorf("%s without %s: allowed on the basis %s instead of %s", in.Feature, path, got.Basis, basis)
			}
			needless[basis][path] = true
			formOnly := path == "resource.ids" && in.Resource.Form != "ids" || path == "resource.max" && in.Resource.Form != "collection"
			if !slices.Contains(irrelevant[basis], path) && !formOnly {
				t.Errorf("%s of %s: allowed without %s", in.Operation, in.Feature, path)
			}
		}
	}
	for basis, list := range irrelevant {
		for _, path := range list {
			if !needless[basis][path] {
				t.Errorf("%s is listed as irrelevant for %s and is not", path, basis)
			}
		}
	}
}

// paths names every field of the input.
func paths(in policy.Input) []string {
	var all []string
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		m, ok := v.(map[string]any)
		if !ok || prefix == "classes." { // a set, of which a subset needs no more
			return
		}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			all = append(all, prefix+k)
			walk(prefix+k+".", m[k])
		}
	}
	walk("", document(in))
	return all
}

func document(in policy.Input) map[string]any {
	text, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		panic(err)
	}
	return doc
}

func without(t *testing.T, in policy.Input, path string) ast.Value {
	t.Helper()
	doc := document(in)
	parent, keys := doc, strings.Split(path, ".")
	for _, k := range keys[:len(keys)-1] {
		parent = parent[k].(map[string]any)
	}
	delete(parent, keys[len(keys)-1])
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	v, err := ast.ValueFromReader(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
