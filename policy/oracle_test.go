package policy_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// oracle is the policy once more, in Go, from the tables and the text of the promise.
func oracle(t limiteduse.Tables, in policy.Input) (basis string) {
	purposes := []string{"account.manage", "audit.read", "inbox.compose", "inbox.organise", "inbox.read", "inbox.search", "inbox.send", "inbox.sync"}
	feature, exists := t.Features[in.Feature]
	operation := t.Operations[in.Operation]
	fits := exists && feature.Purpose == in.Purpose && slices.Contains(purposes, in.Purpose) && in.Recipient == "" &&
		feature.Actors[in.Actor.Kind] && feature.Operations[in.Operation] &&
		operation.Kind == in.Resource.Kind && operation.Form == in.Resource.Form && len(in.Classes) > 0
	for c := range in.Classes {
		fits = fits && feature.Classes[c]
	}
	switch in.Resource.Form {
	case "collection":
		fits = fits && in.Resource.Max <= feature.Max
	case "ids":
		fits = fits && len(in.Resource.IDs) > 0 && len(in.Resource.IDs) <= feature.Max
	}
	if !fits {
		return ""
	}
	if in.Resource.Kind == "log" {
		kind := in.Actor.Kind
		if (kind == "auditor" || kind == "reviewer") && slices.Contains(in.Actor.Roles, kind) && in.Actor.MFA && maps.Equal(in.Classes, set("decisions")) {
			return "audit"
		}
		return ""
	}
	a := in.Account
	if a == nil || a.State != "connected" || a.Consent.Version < t.Disclosure.Version || a.Consent.Given > in.Time ||
		!slices.ContainsFunc(a.Scopes, func(s string) bool { return operation.Scopes[s] }) {
		return ""
	}
	i := in.Instruction
	switch {
	case in.Actor.Kind == "owner" && in.Actor.ID == a.Owner:
		return "owner_at_page"
	case in.Actor.Kind == "service" && i != nil && i.ID != "" && i.Account == a.ID && i.Feature == in.Feature && i.Resource != "" && i.Resource == in.Subject && i.Given <= in.Time && in.Time < i.Expires:
		return "standing_instruction"
	}
	return ""
}

// plainInputs are the accesses that the tables allow: every feature with each of its operations and actors.
func plainInputs(t limiteduse.Tables) []policy.Input {
	var all []policy.Input
	for name, feature := range t.Features {
		for op := range feature.Operations {
			for actor := range feature.Actors {
				operation := t.Operations[op]
				in := policy.Input{
					Actor:     policy.InputActor{Kind: actor, ID: "owner", Roles: []string{actor}, MFA: true},
					Operation: op, Purpose: feature.Purpose, Feature: name, Classes: maps.Clone(feature.Classes), Time: 1000,
					Resource:    policy.InputResource{Kind: operation.Kind, Form: operation.Form, IDs: []string{}},
					Account:     &policy.InputAccount{ID: "acc", Owner: "owner", State: "connected", Scopes: []string{"https://mail.google.com/"}, Consent: policy.InputConsent{Version: t.Disclosure.Version, Given: 1000}},
					Subject:     "row",
					Instruction: &policy.InputInstruction{ID: "ins", Account: "acc", Feature: name, Resource: "row", Given: 1000, Expires: 1001},
				}
				switch operation.Form {
				case "ids":
					in.Resource.IDs = manyIDs(feature.Max)
					if feature.Max > 20 {
						in.Resource.IDs = manyIDs(3) // the edge itself is tested on small features, for speed
					}
				case "collection":
					in.Resource.Max = feature.Max
				}
				all = append(all, in)
			}
		}
	}
	return all
}

// deviations are changes of one thing; some of them change nothing that matters.
func deviations(t limiteduse.Tables) []func(*policy.Input) {
	list := []func(*policy.Input){
		func(in *policy.Input) {},
		func(in *policy.Input) { in.Actor.ID = "other" },
		func(in *policy.Input) { in.Actor.ID = "" },
		func(in *policy.Input) { in.Actor.Roles = []string{} },
		func(in *policy.Input) { in.Actor.Roles = []string{"support", "reviewer"} },
		func(in *policy.Input) { in.Actor.MFA = false },
		func(in *policy.Input) { in.Account = nil },
		func(in *policy.Input) { in.Account.State = "disconnected" },
		func(in *policy.Input) { in.Account.State = "" },
		func(in *policy.Input) { in.Account.Owner = "" },
		func(in *policy.Input) { in.Account.ID = "acc2" },
		func(in *policy.Input) { in.Account.Scopes = []string{} },
		func(in *policy.Input) { in.Account.Scopes = []string{gmailRead} },
		func(in *policy.Input) {
			in.Account.Scopes = []string{"https://www.googleapis.com/auth/gmail.metadata", "x"}
		},
		func(in *policy.Input) { in.Account.Consent.Version = 0 },
		func(in *policy.Input) { in.Account.Consent.Version++ },
		func(in *policy.Input) { in.Account.Consent.Given++ },
		func(in *policy.Input) { in.Account.Epoch = 7 },
		func(in *policy.Input) { in.Instruction = nil },
		func(in *policy.Input) { in.Instruction.ID = "" },
		func(in *policy.Input) { in.Instruction.Account = "acc2" },
		func(in *policy.Input) { in.Instruction.Feature = "organise" },
		func(in *policy.Input) { in.Instruction.Resource = "row2" },
		func(in *policy.Input) { in.Instruction.Resource = "" },
		func(in *policy.Input) { in.Subject = "row2" },
		func(in *policy.Input) { in.Subject = "" },
		func(in *policy.Input) { in.Instruction.Given++ },
		func(in *policy.Input) { in.Instruction.Expires = 1000 },
		func(in *policy.Input) { in.Recipient = "partner" },
		func(in *policy.Input) { in.Recipient = "data_broker" },
		func(in *policy.Input) { in.Agreement = "agreement" },
		func(in *policy.Input) { in.Params, in.Body = "p", "b" },
		func(in *policy.Input) { in.Classes = set() },
		func(in *policy.Input) { in.Classes["settings"] = true },
		func(in *policy.Input) { in.Classes = set(slices.Sorted(maps.Keys(in.Classes))[0]) },
		func(in *policy.Input) { in.Classes = set("decisions") },
		func(in *policy.Input) { in.Resource.Max++ },
		func(in *policy.Input) { in.Resource.Max = 0 },
		func(in *policy.Input) { in.Resource.IDs = []string{} },
		func(in *policy.Input) { in.Resource.IDs = append(slices.Clone(in.Resource.IDs), "more") },
		func(in *policy.Input) { in.Resource.Label = "INBOX" },
		func(in *policy.Input) { in.Time = 0 },
		func(in *policy.Input) { in.Time++ },
	}
	for _, kind := range []string{"owner", "staff", "service", "auditor", "reviewer", "", "admin"} {
		list = append(list, func(in *policy.Input) { in.Actor.Kind = kind })
	}
	for _, kind := range []string{"message", "log", "mailbox", ""} {
		list = append(list, func(in *policy.Input) { in.Resource.Kind = kind })
	}
	for _, form := range []string{"ids", "collection", "new", ""} {
		list = append(list, func(in *policy.Input) { in.Resource.Form = form })
	}
	for _, purpose := range []string{"inbox.read", "audit.read", "ads", "marketing.x", "ai.train", "credit.score", "lead_scoring", ""} {
		list = append(list, func(in *policy.Input) { in.Purpose = purpose })
	}
	for _, feature := range []string{"message_view", "send", "audit_log", "insights", ""} {
		list = append(list, func(in *policy.Input) { in.Feature = feature })
	}
	for _, op := range []string{"messages.get", "messages.list", "drafts.send", "log.query", "messages.delete", ""} {
		list = append(list, func(in *policy.Input) { in.Operation = op })
	}
	return list
}

func set(names ...string) map[string]bool {
	s := map[string]bool{}
	for _, name := range names {
		s[name] = true
	}
	return s
}

func copied(in policy.Input) policy.Input {
	in.Classes = maps.Clone(in.Classes)
	if in.Account != nil {
		a := *in.Account
		in.Account = &a
	}
	if in.Instruction != nil {
		i := *in.Instruction
		in.Instruction = &i
	}
	return in
}

// change applies a deviation that may concern a part which another one has removed.
func change(in *policy.Input, d func(*policy.Input)) {
	account, instruction := in.Account, in.Instruction
	if account == nil {
		in.Account = &policy.InputAccount{}
	}
	if instruction == nil {
		in.Instruction = &policy.InputInstruction{}
	}
	if len(in.Classes) == 0 {
		in.Classes = set("metadata")
	}
	d(in)
	if account == nil {
		in.Account = nil
	}
	if instruction == nil {
		in.Instruction = nil
	}
}

// TestOracle compares the engine with the oracle over every plain access with every pair of deviations (all
// pairs for a sample of accesses, every deviation alone for all), and every way to evaluate with each other.
func TestOracle(t *testing.T) {
	w := newWorld(t)
	tables, err := limiteduse.ReadTables()
	if err != nil {
		t.Fatal(err)
	}
	variants, err := policy.Variants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	allowed, refused, n := 0, 0, 0
	check := func(in policy.Input) {
		t.Helper()
		n++
		want, term := oracle(tables, in), policy.Term(in)
		got, err := w.gate.Judge(t.Context(), term)
		if err != nil {
			t.Fatalf("%+v: %v", in, err)
		}
		if got.Basis != want {
			t.Fatalf("%+v (%+v, %+v): the engine says %q, the oracle %q", in, in.Account, in.Instruction, got.Basis, want)
		}
		if (got.Basis != "") != (len(got.Denials) == 0) {
			t.Fatalf("%+v: basis %q and denials %v contradict each other", in, got.Basis, got.Denials)
		}
		if want == "" {
			refused++
		} else {
			allowed++
		}
		if n%5 != 0 {
			return
		}
		for name, ask := range variants {
			if other, err := ask(t.Context(), term); err != nil || other != want {
				t.Fatalf("%+v: %s evaluation says %q, %v, want %q", in, name, other, err, want)
			}
		}
	}
	plain, list := plainInputs(tables), deviations(tables)
	for _, in := range plain {
		if got := oracle(tables, in); got == "" {
			t.Fatalf("%+v: the oracle refuses a plain access", in)
		}
		for _, d := range list {
			one := copied(in)
			change(&one, d)
			check(one)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i, d := range list {
		for _, e := range list[i+1:] {
			for range 3 {
				two := copied(plain[random.IntN(len(plain))])
				change(&two, d)
				change(&two, e)
				check(two)
			}
		}
	}
	for range 2000 {
		many := copied(plain[random.IntN(len(plain))])
		for range 1 + random.IntN(5) {
			change(&many, list[random.IntN(len(list))])
		}
		check(many)
	}
	t.Logf("%d inputs: %d allowed, %d refused", n, allowed, refused)
	if allowed < 500 || refused < 5000 {
		t.Errorf("%d allowed and %d refused: the space is not covered", allowed, refused)
	}
}
