package policy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// TestOnlyDeterministicRules: an answer that depends on more than input and data could not be replayed, so
// such rules do not load (I7). Nor do rules that misspell a field, which would be undefined for ever.
func TestOnlyDeterministicRules(t *testing.T) {
	const head = "# METADATA\n# schemas:\n# - input: schema.input\npackage webmail.access\n\ndenials := set()\n\nbasis := \"owner_at_page\" if "
	if err := policy.Compile(t.Context(), head+`input.actor.kind == "owner"`+"\n"); err != nil {
		t.Fatalf("a plain rule does not load: %v", err)
	}
	for name, body := range map[string]string{
		"the clock":         `time.now_ns() > 0`,
		"the network":       `http.send({"method": "get", "url": "http://localhost"}).status_code == 200`,
		"the resolver":      `count(net.lookup_ip_addr("localhost")) > 0`,
		"chance":            `rand.intn("x", 2) == 0`,
		"random ids":        `uuid.rfc4122("x") != ""`,
		"the environment":   `opa.runtime().env.HOME != ""`,
		"a misspelt field":  `input.actor.knd == "owner"`,
		"an unknown field":  `input.body_text == ""`,
		"a list's property": `input.actor.roles.first == "owner"`,
		"an unused local":   "{\n\tx := 1\n}",
	} {
		if err := policy.Compile(t.Context(), head+body+"\n"); err == nil {
			t.Errorf("a rule that uses %s loads", name)
		}
	}
	floor := strings.ReplaceAll(limiteduse.Modules()["floor.rego"], "input.recipient ==", "input.recipent ==")
	if err := policy.CompileFloor(t.Context(), floor); err == nil {
		t.Error("a floor that misspells a field loads")
	}
}

// TestFloorHolds: rules that allow everything, as a bad bundle could bring them, lift none of the promise.
func TestFloorHolds(t *testing.T) {
	const everything = "package webmail.access\n\nbasis := \"owner_at_page\"\n\ndenials := set()\n"
	for name, change := range map[string]func(*policy.Access){
		"staff":         func(a *policy.Access) { a.Actor = policy.Actor{Kind: policy.Staff, Person: sam, MFA: true} },
		"auditor":       func(a *policy.Access) { a.Actor = policy.Actor{Kind: policy.Auditor, Person: sam, MFA: true} },
		"another owner": func(a *policy.Access) { a.Actor.Person = bob },
		"service": func(a *policy.Access) {
			a.Actor, a.Account, a.Instruction, a.Subject = policy.Actor{Kind: policy.Service}, bobsBox, "canary-instruction", "canary-row"
		},
		"marketing":     func(a *policy.Access) { a.Purpose = "marketing.audience" },
		"ads":           func(a *policy.Access) { a.Purpose = "ads" },
		"training":      func(a *policy.Access) { a.Purpose = "ai.train" },
		"anything new":  func(a *policy.Access) { a.Purpose = "insights" },
		"recipient":     func(a *policy.Access) { a.Recipient = "partner" },
		"owner and log": func(a *policy.Access) { a.Target.Resource.Kind = policy.Log },

		"staff with a row that says the owner agreed":    func(a *policy.Access) { *a = view(); a.Agreement = "unproven" },
		"staff with an agreement, and another message":   func(a *policy.Access) { *a = view(); a.Target.Resource.IDs = []string{"m3"} },
		"staff with an agreement, for another purpose":   func(a *policy.Access) { *a = view(); a.Purpose = "inbox.read" },
		"staff with an agreement, and a whole thread":    func(a *policy.Access) { *a = view(); a.Target.Resource.Kind = policy.Threads },
		"a transfer that no consent names":               func(a *policy.Access) { *a = image(); a.Instruction, a.Subject = "", "" },
		"a transfer to another host than the consent's":  func(a *policy.Access) { *a = image(); a.Subject = "other" },
		"a transfer to a recipient the floor knows not":  func(a *policy.Access) { *a = image(); a.Recipient = "antivirus" },
		"a caller whom the owner did not connect":        func(a *policy.Access) { *a = badge(); a.Account = bobsBox },
		"numbers about 49 owners":                        func(a *policy.Access) { *a = chart(); a.Release = "few"; a.Target.Resource.IDs = []string{"few"} },
		"numbers for marketing":                          func(a *policy.Access) { *a = chart(); a.Purpose = "growth_marketing" },
		"numbers for an owner's purpose":                 func(a *policy.Access) { *a = chart(); a.Purpose = "inbox.read" },
		"numbers read by an auditor":                     func(a *policy.Access) { *a = chart(); a.Actor.Kind = policy.Auditor },
		"what staff would count themselves":              func(a *policy.Access) { *a = count(); a.Actor = chart().Actor },
		"what is stored of another owner":                func(a *policy.Access) { *a = takeCopy(); a.Actor.Person = bob },
		"what the log has of another owner, for support": func(a *policy.Access) { *a = lookBack(); a.Actor = view().Actor },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.furnish()
			unproven := asked()
			unproven.ID = "unproven"
			w.keep(unproven)
			w.facts.releases["few"] = policy.Release{ID: "few", Owners: 49, Released: start}
			if err := w.gate.ReplaceAccess(t.Context(), everything); err != nil {
				t.Fatal(err)
			}
			for _, a := range []policy.Access{read(), view(), image(), chart()} {
				w.allow(t, a) // the lax rules do rule
			}
			a := read()
			change(&a)
			grant, err := w.gate.Authorize(t.Context(), a)
			var refused *policy.Refused
			if grant != nil || !errors.As(err, &refused) {
				t.Errorf("got %v, %v, want a refusal by the floor", grant, err)
			}
		})
	}
}

// TestEngineFaults: whatever is not a clear answer is a refusal, and recorded as one.
func TestEngineFaults(t *testing.T) {
	access := func(rule string) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			return w.gate.ReplaceAccess(t.Context(), "package webmail.access\n\ndenials := set()\n\n"+rule+"\n")
		}
	}
	for name, fault := range map[string]func(*testing.T, *world) error{
		"an error":         access(`basis := "owner_at_page" if 1 / (count(input.resource.ids) - 1) > 0`),
		"two answers":      access("basis := \"owner_at_page\" if input.actor.id\n\nbasis := \"audit\" if input.account.id"),
		"a wrong type":     access("basis := 1"),
		"an empty answer":  access(`basis := ""`),
		"a list":           access(`basis := ["owner_at_page"]`),
		"no end":           access("basis := \"owner_at_page\" if count({x | some a in numbers.range(1, input.time); some b in numbers.range(1, 5000); x := a * b}) > 0"),
		"a panic":          func(t *testing.T, w *world) error { return w.gate.BreakEngine(t.Context(), true) },
		"a built-in error": func(t *testing.T, w *world) error { return w.gate.BreakEngine(t.Context(), false) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if err := fault(t, w); err != nil {
				t.Fatal(err)
			}
			grant, err := w.gate.Authorize(t.Context(), read())
			var refused *policy.Refused
			if grant != nil || !errors.As(err, &refused) || !slices.Equal(refused.Clauses, []string{policy.ClauseEvaluation}) {
				t.Fatalf("got %v, %v, want %s", grant, err, policy.ClauseEvaluation)
			}
			if got := w.records(t); len(got) != 1 || got[0].Allowed || got[0].DecisionID != refused.DecisionID {
				t.Errorf("got records %+v, want the refusal", got)
			}
		})
	}
}

// TestNoRule: an undefined answer is a refusal too.
func TestNoRule(t *testing.T) {
	w := newWorld(t)
	if err := w.gate.ReplaceAccess(t.Context(), "package webmail.access\n\nbasis := \"x\" if input.purpose == \"never\"\n\ndenials := set()\n"); err != nil {
		t.Fatal(err)
	}
	_, err := w.gate.Authorize(t.Context(), read())
	var refused *policy.Refused
	if !errors.As(err, &refused) || !slices.Equal(refused.Clauses, []string{policy.ClauseDefault}) {
		t.Errorf("got %v, want %s", err, policy.ClauseDefault)
	}
}
