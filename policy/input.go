package policy

import (
	"encoding/hex"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Input is what the rules see and what the log keeps: the same document, so that replay is exact. Every
// identifier in it is a pseudonym. Times are microseconds since 1970.
type Input struct {
	Actor       InputActor        `json:"actor"`
	Account     *InputAccount     `json:"account"`
	Operation   string            `json:"operation"`
	Purpose     string            `json:"purpose"`
	Feature     string            `json:"feature"`
	Classes     map[string]bool   `json:"classes"`
	Resource    InputResource     `json:"resource"`
	Recipient   string            `json:"recipient"`
	Subject     string            `json:"subject"`
	Instruction *InputInstruction `json:"instruction"`
	Agreement   *InputAgreement   `json:"agreement"`
	Caller      *InputCaller      `json:"caller"`
	Release     *InputRelease     `json:"release"`
	Params      string            `json:"params"`
	Body        string            `json:"body"`
	Time        int64             `json:"time"`
}

// InputActor is who asks.
type InputActor struct {
	Kind  string   `json:"kind"`
	ID    string   `json:"id"`
	Roles []string `json:"roles"`
	MFA   bool     `json:"mfa"`

	Acknowledged int64 `json:"acknowledged"` // when staff last acknowledged the rules; 0 = never, or not staff
}

// InputAccount is the mailbox, from the server's stores.
type InputAccount struct {
	ID      string       `json:"id"`
	Owner   string       `json:"owner"`
	State   string       `json:"state"`
	Scopes  []string     `json:"scopes"`
	Consent InputConsent `json:"consent"`
	Epoch   int64        `json:"epoch"`
}

// InputConsent is the owner's latest consent; version 0 means none.
type InputConsent struct {
	Version int   `json:"version"`
	Given   int64 `json:"given"`

	First    int   `json:"first"`    // version that was agreed to first
	Notified int64 `json:"notified"` // when the disclosure in force was announced
}

// InputResource is what the access is about.
type InputResource struct {
	Kind  string   `json:"kind"`
	Form  string   `json:"form"`
	IDs   []string `json:"ids"`
	Label string   `json:"label"`
	Max   int      `json:"max"`
}

// InputInstruction is the standing instruction that a service acts on, or the consent to a transfer, and
// Resource what it was given for.
type InputInstruction struct {
	ID        string `json:"id"`
	Account   string `json:"account"`
	Feature   string `json:"feature"`
	Recipient string `json:"recipient"`
	Resource  string `json:"resource"`
	Given     int64  `json:"given"`
	Expires   int64  `json:"expires"`
}

// InputAgreement is the agreement under which staff view a message. Owner, Given and Expires are set from a
// verified sign-in over this very agreement, and empty without one.
type InputAgreement struct {
	ID        string          `json:"id"`
	Account   string          `json:"account"`
	Owner     string          `json:"owner"`
	Requester string          `json:"requester"`
	Approver  string          `json:"approver"`
	State     string          `json:"state"`
	Messages  map[string]bool `json:"messages"` // and whether its attachments were agreed to
	Asked     int64           `json:"asked"`
	Given     int64           `json:"given"`
	Expires   int64           `json:"expires"`
}

// InputCaller is the platform caller, with the purposes that are listed with its key.
type InputCaller struct {
	ID       string          `json:"id"`
	Purposes map[string]bool `json:"purposes"`
}

// InputRelease is the release of aggregates that is read.
type InputRelease struct {
	ID       string `json:"id"`
	Owners   int    `json:"owners"`
	Released int64  `json:"released"`
}

// known are the facts that go with an access. What is nil does not exist, or was not named.
type known struct {
	account      *AccountFacts
	instruction  *Instruction
	agreement    *Agreement
	proof        *Proof // over the agreement, verified
	caller       *Caller
	release      *Release
	acknowledged time.Time
}

// newInput replaces identifiers by pseudonyms and joins the facts.
func newInput(a Access, k known, p pseudonyms, now time.Time) Input {
	in := Input{
		Actor: InputActor{
			Kind: string(a.Actor.Kind), ID: p.person(a.Actor.Kind, a.Actor.Person),
			Roles: orEmpty(a.Actor.Roles), MFA: a.Actor.MFA, Acknowledged: micros(k.acknowledged),
		},
		Operation: string(a.Target.Operation), Purpose: string(a.Purpose), Feature: string(a.Feature),
		Classes: classNames(a.Target.Classes),
		Resource: InputResource{
			Kind: string(a.Target.Resource.Kind), Form: a.Target.Resource.Form(),
			IDs: p.ids(a.Target.Resource.Kind, a.Target.Resource.IDs), Label: p.label(a.Target.Resource.Label), Max: a.Target.Resource.Max,
		},
		Recipient: a.Recipient, Subject: p.secret("subject", a.Subject), Params: p.secret("params", a.Target.Params), Time: now.UnixMicro(),
	}
	if a.Target.Body != (Digest{}) {
		in.Body = p.secret("body", hex.EncodeToString(a.Target.Body[:]))
	}
	if account := k.account; account != nil {
		in.Account = &InputAccount{
			ID: p.mailbox(a.Account), Owner: p.person(Owner, account.Owner), State: account.State, Scopes: orEmpty(account.Scopes),
			Consent: InputConsent{
				Version: account.Consent.Version, Given: micros(account.Consent.Given),
				First: account.Consent.First, Notified: micros(account.Consent.Notified),
			},
			Epoch: account.Epoch,
		}
	}
	if instruction := k.instruction; instruction != nil {
		in.Instruction = &InputInstruction{
			ID: p.secret("instruction", instruction.ID), Account: p.mailbox(instruction.Account), Feature: string(instruction.Feature),
			Recipient: instruction.Recipient, Resource: p.secret("subject", instruction.Resource), Given: micros(instruction.Given), Expires: micros(instruction.Expires),
		}
	}
	if k.agreement != nil {
		in.Agreement = newInputAgreement(*k.agreement, k.proof, p, now)
	}
	if c := k.caller; c != nil {
		in.Caller = &InputCaller{ID: p.secret("subject", c.ID), Purposes: make(map[string]bool, len(c.Purposes))}
		in.Actor.ID = c.ID // a service of the company is no person: it stands in the log under its name
		for _, purpose := range c.Purposes {
			in.Caller.Purposes[string(purpose)] = true
		}
	}
	if r := k.release; r != nil {
		in.Release = &InputRelease{ID: p.of(p.account, string(Aggregates), r.ID), Owners: r.Owners, Released: micros(r.Released)}
	}
	return in
}

func newInputAgreement(a Agreement, proof *Proof, p pseudonyms, now time.Time) *InputAgreement {
	in := &InputAgreement{
		ID: p.secret("agreement", a.ID), Account: p.mailbox(a.Account), Requester: p.person(Staff, a.Requester), Approver: p.person(Staff, a.Approver),
		State: a.State, Messages: make(map[string]bool, len(a.Messages)), Asked: micros(a.Asked),
	}
	for _, m := range a.Messages {
		in.Messages[p.of(p.account, string(Messages), m.ID)] = m.Attachments
	}
	if proof != nil {
		given := proof.IssuedAt
		if given.After(now) && given.Sub(now) <= longestSkew {
			given = now // the provider's clock is ahead of ours
		}
		in.Owner, in.Given, in.Expires = p.person(Owner, proof.Owner), micros(given), micros(given.Add(a.Window))
	}
	return in
}

// words are the terms that every input repeats: made once, and not anew for every decision. The engine
// never changes a term.
var words = func(list ...string) map[string]*ast.Term {
	terms := make(map[string]*ast.Term, len(list))
	for _, word := range list {
		terms[word] = ast.StringTerm(word)
	}
	return terms
}(
	"", "account", "acknowledged", "actor", "agreement", "approver", "asked", "body", "caller", "classes", "consent", "epoch", "expires", "feature", "first", "form", "given", "id", "ids", "instruction", "kind",
	"label", "max", "messages", "mfa", "notified", "operation", "owner", "owners", "params", "purpose", "purposes", "recipient", "release", "released", "requester", "resource", "roles", "scopes", "state", "subject", "time", "version",
	string(Owner), string(Service), string(Messages), string(Threads), string(Drafts), string(Mailbox), string(Metadata), string(Header), string(Body), string(Attachment), string(Label), string(Derived),
	"new", "collection", "connected", "disconnected",
)

// term builds the engine's value directly: a third of the cost of going through JSON. TestInputTerm holds
// it equal to the JSON form.
func (in Input) term() ast.Value {
	account, instruction, agreement, caller, release := ast.NullTerm(), ast.NullTerm(), ast.NullTerm(), ast.NullTerm(), ast.NullTerm()
	if a := in.Account; a != nil {
		consent := object(at("version", num(int64(a.Consent.Version))), at("given", num(a.Consent.Given)), at("first", num(int64(a.Consent.First))), at("notified", num(a.Consent.Notified)))
		account = object(at("id", str(a.ID)), at("owner", str(a.Owner)), at("state", str(a.State)), at("scopes", strs(a.Scopes)), at("consent", consent), at("epoch", num(a.Epoch)))
	}
	if i := in.Instruction; i != nil {
		instruction = object(at("id", str(i.ID)), at("account", str(i.Account)), at("feature", str(i.Feature)), at("recipient", str(i.Recipient)), at("resource", str(i.Resource)),
			at("given", num(i.Given)), at("expires", num(i.Expires)))
	}
	if a := in.Agreement; a != nil {
		agreement = object(at("id", str(a.ID)), at("account", str(a.Account)), at("owner", str(a.Owner)), at("requester", str(a.Requester)), at("approver", str(a.Approver)),
			at("state", str(a.State)), at("messages", names(a.Messages)), at("asked", num(a.Asked)), at("given", num(a.Given)), at("expires", num(a.Expires)))
	}
	if c := in.Caller; c != nil {
		caller = object(at("id", str(c.ID)), at("purposes", names(c.Purposes)))
	}
	if r := in.Release; r != nil {
		release = object(at("id", str(r.ID)), at("owners", num(int64(r.Owners))), at("released", num(r.Released)))
	}
	actor := object(at("kind", str(in.Actor.Kind)), at("id", str(in.Actor.ID)), at("roles", strs(in.Actor.Roles)), at("mfa", ast.InternedTerm(in.Actor.MFA)), at("acknowledged", num(in.Actor.Acknowledged)))
	resource := object(at("kind", str(in.Resource.Kind)), at("form", str(in.Resource.Form)), at("ids", strs(in.Resource.IDs)), at("label", str(in.Resource.Label)), at("max", num(int64(in.Resource.Max))))
	return object(
		at("actor", actor), at("account", account), at("operation", str(in.Operation)), at("purpose", str(in.Purpose)), at("feature", str(in.Feature)), at("classes", names(in.Classes)),
		at("resource", resource), at("recipient", str(in.Recipient)), at("subject", str(in.Subject)), at("instruction", instruction), at("agreement", agreement),
		at("caller", caller), at("release", release), at("params", str(in.Params)), at("body", str(in.Body)), at("time", num(in.Time)),
	).Value
}

// object makes an object of members.
func object(members ...[2]*ast.Term) *ast.Term { return ast.ObjectTerm(members...) }

// at is one member of an object.
func at(key string, value *ast.Term) [2]*ast.Term { return [2]*ast.Term{str(key), value} }

func str(s string) *ast.Term {
	if t, ok := words[s]; ok {
		return t
	}
	return ast.StringTerm(s)
}

// num takes small numbers from those that the engine keeps ready.
func num(n int64) *ast.Term { return ast.InternedTerm(n) }

func strs(list []string) *ast.Term {
	terms := make([]*ast.Term, len(list))
	for i, s := range list {
		terms[i] = str(s)
	}
	return ast.ArrayTerm(terms...)
}

// names is a set as the rules have it: an object in which they look a name up.
func names(set map[string]bool) *ast.Term {
	terms := make([][2]*ast.Term, 0, len(set))
	for name, is := range set {
		terms = append(terms, [2]*ast.Term{str(name), ast.InternedTerm(is)})
	}
	return ast.ObjectTerm(terms...)
}

func classNames(classes []DataClass) map[string]bool {
	names := make(map[string]bool, len(classes))
	for _, c := range classes {
		names[string(c)] = true
	}
	return names
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// micros gives 0 for the zero time, which lies before every consent and instruction.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
