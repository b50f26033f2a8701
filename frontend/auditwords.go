package frontend

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// What auditors read of an event is made from the logged input alone, so it can tell nothing that the log does not:
// people, mailboxes and messages stay pseudonyms.

// capacities are kinds of actors in words.
var capacities = map[string]string{
	"owner": "the mailbox's owner, at the page", "staff": "a member of staff", "service": "the program itself", "auditor": "an auditor", "reviewer": "a reviewer",
}

// kinds are what accesses are about, one and many.
var kinds = map[string][2]string{
	"message": {"message", "messages"}, "thread": {"conversation", "conversations"}, "draft": {"draft", "drafts"}, "label": {"label", "labels"},
	"history": {"change", "changes"}, "mailbox": {"mailbox", "mailboxes"}, "log": {"event of this log", "events of this log"},
	"store": {"stored thing", "stored things"}, "aggregate": {"number about many", "numbers about many"},
}

// ways are the answers of wayOf in words.
var ways = map[string]string{"read": "somebody read it", "prefetched": "fetched by the program, with nobody looking", "changed": "changed or sent"}

// inputLines tells the access that was decided, in the order in which an auditor asks.
func inputLines(in policy.Input, tables limiteduse.Tables) []api.AuditLine {
	lines := []api.AuditLine{
		{Name: "Who", Value: who(in)},
		{Name: "Did what", Value: operationWords(in.Operation)},
		{Name: "To what", Value: resourceWords(in.Resource)},
		{Name: "What for", Value: orNamed(tables.Purposes[in.Purpose], in.Purpose)},
		{Name: "In which feature", Value: plainName(in.Feature)},
		{Name: "How", Value: ways[wayOf(decisionlog.Entry{Operation: in.Operation, ActorKind: in.Actor.Kind, Feature: in.Feature}, tables)]},
		{Name: "Which kinds of data", Value: strings.Join(slices.Sorted(maps.Keys(in.Classes)), ", ")},
	}
	if in.Account != nil {
		lines = append(lines, api.AuditLine{Name: "Of whose mailbox", Value: in.Account.ID + ", " + in.Account.State + ", " + consentWords(in.Account.Consent)})
	}
	if in.Recipient != "" {
		lines = append(lines, api.AuditLine{Name: "Who got it", Value: orNamed(tables.Recipients[in.Recipient].Name, in.Recipient)})
	} else {
		lines = append(lines, api.AuditLine{Name: "Who got it", Value: "nobody but the one who asked"})
	}
	if in.Instruction != nil {
		lines = append(lines, api.AuditLine{Name: "At whose word", Value: "the owner's, given " + moments(in.Instruction.Given) + ", until " + moments(in.Instruction.Expires)})
	}
	if a := in.Agreement; a != nil {
		lines = append(lines, api.AuditLine{Name: "Under which agreement", Value: a.ID + ", " + a.State + ", " + agreedWords(a)})
	}
	if in.Caller != nil {
		lines = append(lines, api.AuditLine{Name: "For which service", Value: in.Caller.ID})
	}
	return append(lines, api.AuditLine{Name: "When", Value: moments(in.Time)})
}

func who(in policy.Input) string {
	parts := []string{orNamed(capacities[in.Actor.Kind], in.Actor.Kind)}
	if in.Actor.ID != "" {
		parts = append(parts, in.Actor.ID)
	}
	if len(in.Actor.Roles) > 0 {
		parts = append(parts, "as "+strings.Join(in.Actor.Roles, " and "))
	}
	if in.Actor.MFA {
		parts = append(parts, "with a second factor")
	}
	return strings.Join(parts, ", ")
}

func agreedWords(a *policy.InputAgreement) string {
	if a.Owner == "" {
		return "without a proven sign-in of the owner"
	}
	return "proven by the owner's sign-in at " + moments(a.Given) + ", until " + moments(a.Expires)
}

func consentWords(c policy.InputConsent) string {
	if c.Version == 0 {
		return "no agreement to the disclosure"
	}
	return "agreed to disclosure " + strconv.Itoa(c.Version) + " on " + moments(c.Given)
}

func operationWords(operation string) string {
	words := deeds[policy.Operation(operation)]
	if words == "" {
		return operation
	}
	return strings.NewReplacer("your mailbox", "the mailbox", "your labels", "the labels", "you had", "the owner had").Replace(words) + " (" + operation + ")"
}

func resourceWords(r policy.InputResource) string {
	names, ok := kinds[r.Kind]
	if !ok {
		names = [2]string{r.Kind, r.Kind}
	}
	switch {
	case r.Form == "new":
		return "a new " + names[0]
	case r.Form == "collection" && r.Label != "":
		return "at most " + strconv.Itoa(r.Max) + " " + names[1] + " of " + r.Label
	case r.Form == "collection":
		return "at most " + strconv.Itoa(r.Max) + " " + names[1]
	case len(r.IDs) == 1:
		return "1 " + names[0] + ": " + r.IDs[0]
	}
	return strconv.Itoa(len(r.IDs)) + " " + names[1]
}

func plainName(name string) string { return strings.NewReplacer("_", " ", ".", " ").Replace(name) }

func orNamed(words, name string) string {
	if words == "" {
		return name
	}
	return words
}

// moments is a time of an input, which counts microseconds.
func moments(micros int64) string {
	if micros == 0 {
		return "never"
	}
	return time.UnixMicro(micros).UTC().Format("2006-01-02 15:04:05 UTC")
}

// facts are what rules look at, in words.
var facts = map[string]string{
	"actor.kind": "kind of actor", "actor.id": "who asks", "actor.roles": "roles", "actor.mfa": "second factor", "actor.acknowledged": "rules acknowledged",
	"account.id": "mailbox", "account.owner": "owner of the mailbox", "account.state": "state of the mailbox", "account.scopes": "permissions at Google",
	"account.consent.version": "disclosure agreed to", "account.consent.given": "agreed", "account.consent.first": "first disclosure agreed to",
	"account.consent.notified": "new disclosure announced", "operation": "operation", "purpose": "purpose", "feature": "feature", "classes": "kinds of data",
	"classes.attachment": "attachments wanted", "resource.kind": "kind of thing", "resource.form": "named, listed or new", "resource.ids": "things",
	"resource.max": "at most", "recipient": "recipient", "subject": "at work on", "instruction.id": "instruction", "instruction.account": "mailbox of the instruction",
	"instruction.feature": "feature of the instruction", "instruction.recipient": "recipient of the instruction", "instruction.resource": "what the instruction is for",
	"instruction.given": "instruction given", "instruction.expires": "instruction ends", "agreement": "agreement", "agreement.id": "agreement",
	"agreement.requester": "who asked for the agreement", "caller.id": "calling service", "caller.purposes": "purposes of the service", "release.id": "release of numbers",
	"release.owners": "owners behind each number", "release.released": "released", "time": "time of the access",
}

// missing is what there is of a fact that is not there.
const missing = "none"

// instants are the ends of names of facts that are times.
var instants = []string{"time", "given", "expires", "asked", "acknowledged", "notified", "released"}

// factLine is one fact in words. Times are the numbers whose names say so.
func factLine(f policy.Fact) api.AuditLine {
	line := api.AuditLine{Name: orNamed(facts[f.Path], f.Path), Value: string(f.Value)}
	last := f.Path[strings.LastIndexByte(f.Path, '.')+1:]
	var text string
	var number int64
	var list []string
	var set map[string]bool
	switch {
	case string(f.Value) == "null":
		line.Value = missing
	case json.Unmarshal(f.Value, &text) == nil:
		line.Value = orNamed(text, missing)
	case slices.Contains(instants, last) && json.Unmarshal(f.Value, &number) == nil:
		line.Value = moments(number)
	case json.Unmarshal(f.Value, &list) == nil:
		line.Value = orNamed(strings.Join(list, ", "), missing)
	case json.Unmarshal(f.Value, &set) == nil:
		line.Value = orNamed(strings.Join(slices.Sorted(maps.Keys(set)), ", "), missing)
	}
	return line
}

// failures are the answers that no rule gave.
var failures = map[string]string{
	policy.ClauseIncomplete: "the access did not say all that it must, so it was refused before the policy was asked",
	policy.ClauseUnknown:    "the server did not know the mailbox or the instruction, so it was refused before the policy was asked",
	policy.ClauseEvaluation: "the policy gave no clear answer, which is a refusal",
	policy.ClauseDefault:    "nothing allows it, which is a refusal",
}

// beforeThePolicy says why a refusal has no rules to trace, or "".
func beforeThePolicy(clauses []string) string {
	for _, clause := range clauses {
		if words := failures[clause]; words != "" {
			return words
		}
	}
	return ""
}

// clausesJSON gives the registry's paraphrase of clauses.
func clausesJSON(ids []string) ([]api.AuditClause, error) {
	registry, err := limiteduse.ReadClauses()
	if err != nil {
		return nil, err
	}
	out := make([]api.AuditClause, len(ids))
	for i, id := range ids {
		out[i] = api.AuditClause{Id: id, Says: failures[id]}
		for _, c := range registry {
			if c.ID != id {
				continue
			}
			out[i].Says = c.Says
			for _, s := range c.Sources {
				out[i].Sources = append(out[i].Sources, strings.TrimSpace(s.Title+" "+s.Part))
			}
		}
	}
	return out, nil
}
