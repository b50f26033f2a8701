package policy_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/totalengage/webmail/policy"
)

// TestInputTerm: the value that is built by hand for speed is the one that the log's JSON stands for.
func TestInputTerm(t *testing.T) {
	tables := shipped(t)
	inputs := append(plainInputs(tables), policy.Input{}, policy.Input{Time: 1<<62 + 1, Purpose: "\"quoted\" <é>\u2028", Classes: set("b", "a")})
	list := deviations(space(tables))
	for _, in := range plainInputs(tables) {
		for _, d := range list {
			inputs = append(inputs, changed(in, d))
		}
	}
	for _, in := range inputs {
		if in.Classes == nil {
			in.Classes = set()
		}
		if in.Actor.Roles == nil {
			in.Actor.Roles = []string{}
		}
		if in.Resource.IDs == nil {
			in.Resource.IDs = []string{}
		}
		if in.Account != nil && in.Account.Scopes == nil {
			in.Account = clone(in.Account)
			in.Account.Scopes = []string{}
		}
		want, err := ast.ValueFromReader(strings.NewReader(document(in)))
		if err != nil {
			t.Fatal(err)
		}
		if got := policy.Term(in); got.Compare(want) != 0 {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

// paths names every field of the input, those of a part before the part itself.
func paths(in policy.Input) []string {
	var all []string
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		m, ok := v.(map[string]any)
		if !ok || prefix == "classes." || prefix == "agreement.messages." || prefix == "caller.purposes." { // sets, and not parts
			return
		}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			all = append(all, prefix+k)
			walk(prefix+k+".", m[k])
		}
	}
	walk("", decoded(in))
	return all
}

func decoded(in policy.Input) map[string]any {
	var doc map[string]any
	if err := json.Unmarshal([]byte(document(in)), &doc); err != nil {
		panic(err) // it was encoded just now
	}
	return doc
}
