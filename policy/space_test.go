package policy_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// The input space of the tests: accesses that are allowed, and for every field of an input the values at which an
// answer can change.

const (
	minuteMicros = int64(60_000_000)
	hourMicros   = 60 * minuteMicros
	dayMicros    = 24 * hourMicros
	nowMicros    = int64(1_800_000_000_000_000)
)

// plainInputs are the accesses that the tables allow: every feature with each of its operations and actors.
func plainInputs(t limiteduse.Tables) []policy.Input {
	var all []policy.Input
	for _, name := range slices.Sorted(maps.Keys(t.Features)) {
		feature := t.Features[name]
		for _, op := range slices.Sorted(maps.Keys(feature.Operations)) {
			for _, actor := range slices.Sorted(maps.Keys(feature.Actors)) {
				all = append(all, plainInput(name, feature, op, t.Operations[op], actor))
			}
		}
	}
	return all
}

func plainInput(name string, feature limiteduse.Feature, op string, operation limiteduse.Operation, actor string) policy.Input {
	in := policy.Input{
		Actor:     policy.InputActor{Kind: actor, ID: "owner", Roles: []string{}},
		Operation: op, Purpose: feature.Purpose, Feature: name, Classes: maps.Clone(feature.Classes), Recipient: feature.Recipient, Time: nowMicros,
		Resource: policy.InputResource{Kind: operation.Kind, Form: operation.Form, IDs: []string{}},
		Account:  account(),
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
	if feature.Recipient != "" || actor == "service" {
		in.Subject, in.Instruction = "row", instruction(name, feature.Recipient)
	}
	switch actor {
	case "service":
		in.Actor.ID = ""
		if feature.Recipient != "" {
			in.Actor.ID, in.Caller = "crm", caller(feature.Purpose)
		}
	case "staff":
		in.Actor = staffMember("support", "operations")
		in.Agreement = agreement()
	case "auditor", "reviewer":
		in.Actor.Roles, in.Actor.MFA = []string{actor}, true
		in.Account = nil
	}
	if operation.Kind == "aggregate" {
		in.Account, in.Instruction, in.Agreement, in.Subject = nil, nil, nil, ""
		if operation.Form == "ids" {
			in.Release = release()
		}
	}
	return in
}

func account() *policy.InputAccount {
	return &policy.InputAccount{
		ID: "acc", Owner: "owner", State: "connected", Scopes: []string{gmailModify}, Epoch: 1,
		Consent: policy.InputConsent{Version: 2, Given: nowMicros, First: 2, Notified: nowMicros - 30*dayMicros},
	}
}

func instruction(feature, recipient string) *policy.InputInstruction {
	return &policy.InputInstruction{ID: "ins", Account: "acc", Feature: feature, Recipient: recipient, Resource: "row", Given: nowMicros, Expires: nowMicros + 1}
}

func caller(purpose string) *policy.InputCaller {
	return &policy.InputCaller{ID: "row", Purposes: set(purpose)}
}

func staffMember(roles ...string) policy.InputActor {
	return policy.InputActor{Kind: "staff", ID: "sam", Roles: roles, MFA: true, Acknowledged: nowMicros - 365*dayMicros + 1}
}

func agreement() *policy.InputAgreement {
	return &policy.InputAgreement{
		ID: "agr", Account: "acc", Owner: "owner", Requester: "sam", Approver: "pat", State: "active", Messages: map[string]bool{manyIDs(1)[0]: true},
		Asked: nowMicros - 12*hourMicros + 1, Given: nowMicros, Expires: nowMicros + 4*hourMicros,
	}
}

func release() *policy.InputRelease {
	return &policy.InputRelease{ID: manyIDs(1)[0], Owners: 50, Released: nowMicros}
}

// deviation is a change of one thing. One of a part that an input does not have changes nothing.
type deviation func(*policy.Input)

// field is one field of an input with the values that are tried of it; the first leaves it as it is.
type field struct {
	path   string
	values []deviation
}

// space is every field of an input.
func space(t limiteduse.Tables) []field {
	var all []field
	add := func(path string, values ...deviation) {
		all = append(all, field{path, append([]deviation{func(*policy.Input) {}}, values...)})
	}
	texts := func(path string, at func(*policy.Input) *string, values ...string) {
		add(path, each(at, values...)...)
	}
	times := func(path string, at func(*policy.Input) *int64, values ...int64) {
		add(path, each(at, append(values, 0)...)...)
	}
	numbers := func(path string, at func(*policy.Input) *int, values ...int) { add(path, each(at, values...)...) }

	texts("actor.kind", func(in *policy.Input) *string { return &in.Actor.Kind }, "owner", "staff", "service", "auditor", "reviewer", "delegate", "")
	texts("actor.id", func(in *policy.Input) *string { return &in.Actor.ID }, "owner", "sam", "pat", "other", "")
	add("actor.roles", each(func(in *policy.Input) *[]string { return &in.Actor.Roles }, nil, []string{"support"}, []string{"operations"}, []string{"approver", "admin"}, []string{"auditor", "reviewer"})...)
	add("actor.mfa", each(func(in *policy.Input) *bool { return &in.Actor.MFA }, true, false)...)
	times("actor.acknowledged", func(in *policy.Input) *int64 { return &in.Actor.Acknowledged }, nowMicros-365*dayMicros, nowMicros, nowMicros+1)

	add("account", each(func(in *policy.Input) **policy.InputAccount { return &in.Account }, nil, account())...)
	ofAccount := func(at func(*policy.InputAccount) *string) func(*policy.Input) *string {
		return within(func(in *policy.Input) *policy.InputAccount { return in.Account }, at)
	}
	texts("account.id", ofAccount(func(a *policy.InputAccount) *string { return &a.ID }), "other", "")
	texts("account.owner", ofAccount(func(a *policy.InputAccount) *string { return &a.Owner }), "other", "sam", "")
	texts("account.state", ofAccount(func(a *policy.InputAccount) *string { return &a.State }), "disconnected", "")
	add("account.scopes", each(within(func(in *policy.Input) *policy.InputAccount { return in.Account }, func(a *policy.InputAccount) *[]string { return &a.Scopes }),
		nil, []string{gmailRead}, []string{"https://www.googleapis.com/auth/gmail.metadata", "x"}, []string{"https://www.googleapis.com/auth/gmail.compose"}, []string{"https://mail.google.com/"})...)
	consent := func(in *policy.Input) *policy.InputConsent {
		if in.Account == nil {
			return nil
		}
		return &in.Account.Consent
	}
	numbers("account.consent.version", within(consent, func(c *policy.InputConsent) *int { return &c.Version }), 0, 1, 3)
	times("account.consent.given", within(consent, func(c *policy.InputConsent) *int64 { return &c.Given }), nowMicros+1, nowMicros-dayMicros)
	numbers("account.consent.first", within(consent, func(c *policy.InputConsent) *int { return &c.First }), 0, 1, 3)
	times("account.consent.notified", within(consent, func(c *policy.InputConsent) *int64 { return &c.Notified }), nowMicros-29*dayMicros, nowMicros-30*dayMicros+1, nowMicros)
	add("account.epoch", each(within(func(in *policy.Input) *policy.InputAccount { return in.Account }, func(a *policy.InputAccount) *int64 { return &a.Epoch }), 7)...)

	texts("operation", func(in *policy.Input) *string { return &in.Operation }, append(slices.Sorted(maps.Keys(t.Operations)), "messages.delete", "")...)
	texts("purpose", func(in *policy.Input) *string { return &in.Purpose }, append(slices.Sorted(maps.Keys(t.Purposes)), "ads", "marketing.x", "ai.train", "credit.score", "security.incident", "lead_scoring", "")...)
	texts("feature", func(in *policy.Input) *string { return &in.Feature }, append(slices.Sorted(maps.Keys(t.Features)), "insights", "")...)
	add("classes", each(func(in *policy.Input) *map[string]bool { return &in.Classes }, set(), set("decisions"), set("aggregate"), set("derived"), set("metadata"), set("attachment", "body"), set("label"))...)
	all[len(all)-1].values = append(all[len(all)-1].values, func(in *policy.Input) { in.Classes["settings"] = true })

	texts("resource.kind", func(in *policy.Input) *string { return &in.Resource.Kind }, "message", "thread", "log", "store", "aggregate", "mailbox", "")
	texts("resource.form", func(in *policy.Input) *string { return &in.Resource.Form }, "ids", "collection", "new", "")
	add("resource.ids", each(func(in *policy.Input) *[]string { return &in.Resource.IDs }, nil, []string{"other"}, manyIDs(1), manyIDs(2))...)
	all[len(all)-1].values = append(all[len(all)-1].values, func(in *policy.Input) { in.Resource.IDs = append(slices.Clone(in.Resource.IDs), "more") })
	texts("resource.label", func(in *policy.Input) *string { return &in.Resource.Label }, "INBOX")
	numbers("resource.max", func(in *policy.Input) *int { return &in.Resource.Max }, 0, 1, 500, 501)
	texts("recipient", func(in *policy.Input) *string { return &in.Recipient }, append(slices.Sorted(maps.Keys(t.Recipients)), "ad_platform.acme", "data_broker", "authority", "partner", "")...)
	texts("subject", func(in *policy.Input) *string { return &in.Subject }, "row", "other", "")

	add("instruction", each(func(in *policy.Input) **policy.InputInstruction { return &in.Instruction }, nil, instruction("send", ""), instruction("remote_images", "remote_host"))...)
	ofInstruction := func(at func(*policy.InputInstruction) *string) func(*policy.Input) *string {
		return within(func(in *policy.Input) *policy.InputInstruction { return in.Instruction }, at)
	}
	whenInstruction := func(at func(*policy.InputInstruction) *int64) func(*policy.Input) *int64 {
		return within(func(in *policy.Input) *policy.InputInstruction { return in.Instruction }, at)
	}
	texts("instruction.id", ofInstruction(func(i *policy.InputInstruction) *string { return &i.ID }), "other", "")
	texts("instruction.account", ofInstruction(func(i *policy.InputInstruction) *string { return &i.Account }), "other", "")
	texts("instruction.feature", ofInstruction(func(i *policy.InputInstruction) *string { return &i.Feature }), "organise", "")
	texts("instruction.recipient", ofInstruction(func(i *policy.InputInstruction) *string { return &i.Recipient }), "remote_host", "platform_service", "partner", "")
	texts("instruction.resource", ofInstruction(func(i *policy.InputInstruction) *string { return &i.Resource }), "other", "")
	times("instruction.given", whenInstruction(func(i *policy.InputInstruction) *int64 { return &i.Given }), nowMicros+1)
	times("instruction.expires", whenInstruction(func(i *policy.InputInstruction) *int64 { return &i.Expires }), nowMicros, nowMicros+dayMicros)

	add("agreement", each(func(in *policy.Input) **policy.InputAgreement { return &in.Agreement }, nil, agreement())...)
	ofAgreement := func(at func(*policy.InputAgreement) *string) func(*policy.Input) *string {
		return within(func(in *policy.Input) *policy.InputAgreement { return in.Agreement }, at)
	}
	whenAgreement := func(at func(*policy.InputAgreement) *int64) func(*policy.Input) *int64 {
		return within(func(in *policy.Input) *policy.InputAgreement { return in.Agreement }, at)
	}
	texts("agreement.id", ofAgreement(func(a *policy.InputAgreement) *string { return &a.ID }), "other", "")
	texts("agreement.account", ofAgreement(func(a *policy.InputAgreement) *string { return &a.Account }), "other", "")
	texts("agreement.owner", ofAgreement(func(a *policy.InputAgreement) *string { return &a.Owner }), "other", "")
	texts("agreement.requester", ofAgreement(func(a *policy.InputAgreement) *string { return &a.Requester }), "pat", "other", "")
	texts("agreement.approver", ofAgreement(func(a *policy.InputAgreement) *string { return &a.Approver }), "sam", "other", "")
	texts("agreement.state", ofAgreement(func(a *policy.InputAgreement) *string { return &a.State }), "pending", "revoked", "closed", "")
	add("agreement.messages", each(within(func(in *policy.Input) *policy.InputAgreement { return in.Agreement }, func(a *policy.InputAgreement) *map[string]bool { return &a.Messages }),
		set(), set("other"), set("*"), map[string]bool{manyIDs(1)[0]: false}, set(manyIDs(10)...), set(manyIDs(11)...))...)
	times("agreement.asked", whenAgreement(func(a *policy.InputAgreement) *int64 { return &a.Asked }), nowMicros-12*hourMicros, nowMicros+minuteMicros, nowMicros+minuteMicros+1)
	times("agreement.given", whenAgreement(func(a *policy.InputAgreement) *int64 { return &a.Given }), nowMicros+1, nowMicros-1)
	times("agreement.expires", whenAgreement(func(a *policy.InputAgreement) *int64 { return &a.Expires }), nowMicros, nowMicros+1, nowMicros+4*hourMicros+1)

	add("caller", each(func(in *policy.Input) **policy.InputCaller { return &in.Caller }, nil, caller("inbox.sync"))...)
	texts("caller.id", within(func(in *policy.Input) *policy.InputCaller { return in.Caller }, func(c *policy.InputCaller) *string { return &c.ID }), "other", "")
	add("caller.purposes", each(within(func(in *policy.Input) *policy.InputCaller { return in.Caller }, func(c *policy.InputCaller) *map[string]bool { return &c.Purposes }), set(), set("ads"), set("inbox.compose"))...)

	add("release", each(func(in *policy.Input) **policy.InputRelease { return &in.Release }, nil, release())...)
	ofRelease := func(in *policy.Input) *policy.InputRelease { return in.Release }
	texts("release.id", within(ofRelease, func(r *policy.InputRelease) *string { return &r.ID }), "other", "")
	numbers("release.owners", within(ofRelease, func(r *policy.InputRelease) *int { return &r.Owners }), 0, 49, 51)
	times("release.released", within(ofRelease, func(r *policy.InputRelease) *int64 { return &r.Released }), nowMicros+1)

	texts("params", func(in *policy.Input) *string { return &in.Params }, "p")
	texts("body", func(in *policy.Input) *string { return &in.Body }, "b")
	times("time", func(in *policy.Input) *int64 { return &in.Time }, nowMicros-1, nowMicros+1, nowMicros+dayMicros)
	return all
}

// each makes deviations that put a value where at points, if it points anywhere.
func each[T any](at func(*policy.Input) *T, values ...T) []deviation {
	var all []deviation
	for _, value := range values {
		all = append(all, func(in *policy.Input) {
			if into := at(in); into != nil {
				*into = value
			}
		})
	}
	return all
}

// within points into a part of the input, or nowhere where there is no such part.
func within[P, T any](part func(*policy.Input) *P, at func(*P) *T) func(*policy.Input) *T {
	return func(in *policy.Input) *T {
		if p := part(in); p != nil {
			return at(p)
		}
		return nil
	}
}

func deviations(fields []field) []deviation {
	var all []deviation
	for _, f := range fields {
		all = append(all, f.values[1:]...)
	}
	return all
}

// changed is the input with a deviation; the input itself stays as it is.
func changed(in policy.Input, d deviation) policy.Input {
	in = copied(in)
	d(&in)
	return copied(in) // what a deviation put there is shared between inputs
}

func copied(in policy.Input) policy.Input {
	in.Classes = maps.Clone(in.Classes)
	if in.Classes == nil {
		in.Classes = set()
	}
	in.Account, in.Instruction, in.Release = clone(in.Account), clone(in.Instruction), clone(in.Release)
	if in.Agreement = clone(in.Agreement); in.Agreement != nil {
		in.Agreement.Messages = maps.Clone(in.Agreement.Messages)
	}
	if in.Caller = clone(in.Caller); in.Caller != nil {
		in.Caller.Purposes = maps.Clone(in.Caller.Purposes)
	}
	return in
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func set(names ...string) map[string]bool {
	s := map[string]bool{}
	for _, name := range names {
		s[name] = true
	}
	return s
}

// document is the input as the log has it.
func document(in policy.Input) string {
	text, err := json.Marshal(in)
	if err != nil {
		panic(err) // strings, numbers and maps always encode
	}
	return string(text)
}

// TestSpace: the space has every field that an input has, so that no field is left untried.
func TestSpace(t *testing.T) {
	full := plainInput("send", shipped(t).Features["send"], "drafts.send", shipped(t).Operations["drafts.send"], "service")
	full.Agreement, full.Caller, full.Release = agreement(), caller("inbox.send"), release()
	tried := map[string]bool{}
	for _, f := range space(shipped(t)) {
		tried[f.path] = true
	}
	for _, path := range paths(full) {
		if !tried[path] && path != "actor" && path != "resource" && path != "account.consent" {
			t.Errorf("no value of %s is tried", path)
		}
	}
}
