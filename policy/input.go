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
	Agreement   string            `json:"agreement"`
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
}

// InputResource is what the access is about.
type InputResource struct {
	Kind  string   `json:"kind"`
	Form  string   `json:"form"`
	IDs   []string `json:"ids"`
	Label string   `json:"label"`
	Max   int      `json:"max"`
}

// InputInstruction is the standing instruction that a service acts on, and Resource what it was given for.
type InputInstruction struct {
	ID       string `json:"id"`
	Account  string `json:"account"`
	Feature  string `json:"feature"`
	Resource string `json:"resource"`
	Given    int64  `json:"given"`
	Expires  int64  `json:"expires"`
}

// newInput replaces identifiers by pseudonyms and joins the facts. account and instruction may be nil.
func newInput(a Access, account *AccountFacts, instruction *Instruction, p pseudonyms, now time.Time) Input {
	in := Input{
		Actor: InputActor{
			Kind: string(a.Actor.Kind), ID: p.person(a.Actor.Kind, a.Actor.Person),
			Roles: orEmpty(a.Actor.Roles), MFA: a.Actor.MFA,
		},
		Operation: string(a.Target.Operation), Purpose: string(a.Purpose), Feature: string(a.Feature),
		Classes: classNames(a.Target.Classes),
		Resource: InputResource{
			Kind: string(a.Target.Resource.Kind), Form: a.Target.Resource.Form(),
			IDs: p.ids(a.Target.Resource.Kind, a.Target.Resource.IDs), Label: p.label(a.Target.Resource.Label), Max: a.Target.Resource.Max,
		},
		Recipient: a.Recipient, Subject: p.secret("subject", a.Subject), Agreement: p.secret("agreement", a.Agreement),
		Params: p.secret("params", a.Target.Params), Time: now.UnixMicro(),
	}
	if a.Target.Body != (Digest{}) {
		in.Body = p.secret("body", hex.EncodeToString(a.Target.Body[:]))
	}
	if account != nil {
		in.Account = &InputAccount{
			ID: p.mailbox(a.Account), Owner: p.person(Owner, account.Owner), State: account.State, Scopes: orEmpty(account.Scopes),
			Consent: InputConsent{Version: account.Consent.Version, Given: micros(account.Consent.Given)}, Epoch: account.Epoch,
		}
	}
	if instruction != nil {
		in.Instruction = &InputInstruction{
			ID: p.secret("instruction", instruction.ID), Account: p.mailbox(instruction.Account), Feature: string(instruction.Feature),
			Resource: p.secret("subject", instruction.Resource), Given: micros(instruction.Given), Expires: micros(instruction.Expires),
		}
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
	"", "account", "actor", "agreement", "body", "classes", "consent", "epoch", "expires", "feature", "form", "given", "id", "ids", "instruction", "kind",
	"label", "max", "mfa", "operation", "owner", "params", "purpose", "recipient", "resource", "roles", "scopes", "state", "subject", "time", "version",
	string(Owner), string(Service), string(Messages), string(Threads), string(Drafts), string(Mailbox), string(Metadata), string(Header), string(Attachment),
	"new", "collection", "connected", "disconnected",
)

// term builds the engine's value directly: a third of the cost of going through JSON. TestInputTerm holds
// it equal to the JSON form.
func (in Input) term() ast.Value {
	account, instruction := ast.NullTerm(), ast.NullTerm()
	if a := in.Account; a != nil {
		account = object("id", str(a.ID), "owner", str(a.Owner), "state", str(a.State), "scopes", strs(a.Scopes),
			"consent", object("version", num(int64(a.Consent.Version)), "given", num(a.Consent.Given)), "epoch", num(a.Epoch))
	}
	if i := in.Instruction; i != nil {
		instruction = object("id", str(i.ID), "account", str(i.Account), "feature", str(i.Feature), "resource", str(i.Resource), "given", num(i.Given), "expires", num(i.Expires))
	}
	return object(
		"actor", object("kind", str(in.Actor.Kind), "id", str(in.Actor.ID), "roles", strs(in.Actor.Roles), "mfa", ast.BooleanTerm(in.Actor.MFA)),
		"account", account,
		"operation", str(in.Operation), "purpose", str(in.Purpose), "feature", str(in.Feature), "classes", names(in.Classes),
		"resource", object("kind", str(in.Resource.Kind), "form", str(in.Resource.Form), "ids", strs(in.Resource.IDs),
			"label", str(in.Resource.Label), "max", num(int64(in.Resource.Max))),
		"recipient", str(in.Recipient), "subject", str(in.Subject), "instruction", instruction, "agreement", str(in.Agreement),
		"params", str(in.Params), "body", str(in.Body), "time", num(in.Time),
	).Value
}

// object takes a key and a value by turns.
func object(pairs ...any) *ast.Term {
	terms := make([][2]*ast.Term, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		terms = append(terms, [2]*ast.Term{str(pairs[i].(string)), pairs[i+1].(*ast.Term)})
	}
	return ast.ObjectTerm(terms...)
}

func str(s string) *ast.Term {
	if t, ok := words[s]; ok {
		return t
	}
	return ast.StringTerm(s)
}

func num(n int64) *ast.Term { return ast.NewTerm(ast.Number(formatInt(n))) }

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
