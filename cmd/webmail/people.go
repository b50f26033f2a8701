package main

import (
	"strings"
	"time"

	"github.com/totalengage/webmail/policy"
)

// person is somebody who could ask to see mail, with all that speaks for them.
type person struct {
	name  string // for --who
	words string
	as    func(in *policy.Input, now time.Time)
}

// people are everybody: each kind of actor, without and with what the rules ask of it.
var people = []person{
	{"owner", "the owner, at the page", func(in *policy.Input, _ time.Time) { in.Actor = policy.InputActor{Kind: "owner", ID: ownerOf(in)} }},
	{"owner-consenting", "the owner, having agreed to the recipient", func(in *policy.Input, now time.Time) {
		in.Actor = policy.InputActor{Kind: "owner", ID: ownerOf(in)}
		instructed(in, "the sender", now)
	}},
	{"customer", "another customer, a colleague, a delegate", func(in *policy.Input, _ time.Time) {
		in.Actor = policy.InputActor{Kind: "owner", ID: "somebody else"}
	}},
	{"support", "support, without an agreement", func(in *policy.Input, now time.Time) { in.Actor = member(now, "support") }},
	{"support-agreed", "support, with the owner's agreement to this message", func(in *policy.Input, now time.Time) {
		in.Actor = member(now, "support")
		agreed(in, now)
	}},
	{"approver", "the second member of staff", func(in *policy.Input, now time.Time) { in.Actor = member(now, "approver") }},
	{"operations", "operations staff", func(in *policy.Input, now time.Time) {
		in.Actor = member(now, "operations")
		released(in, now)
	}},
	{"administrator", "staff with every role there is", func(in *policy.Input, now time.Time) {
		in.Actor = member(now, "support", "approver", "operations", "auditor", "reviewer")
	}},
	{"auditor", "an auditor", func(in *policy.Input, now time.Time) {
		in.Actor = member(now, "auditor")
		in.Actor.Kind = "auditor"
	}},
	{"reviewer", "a Limited Use reviewer", func(in *policy.Input, now time.Time) {
		in.Actor = member(now, "reviewer")
		in.Actor.Kind = "reviewer"
	}},
	{"job", "the product itself, unasked", func(in *policy.Input, _ time.Time) { in.Actor = policy.InputActor{Kind: "service"} }},
	{"job-instructed", "the product itself, on the owner's standing instruction", func(in *policy.Input, now time.Time) {
		in.Actor = policy.InputActor{Kind: "service"}
		instructed(in, "the outbox row", now)
	}},
	{"caller", "another service of the company", func(in *policy.Input, _ time.Time) { calling(in) }},
	{"caller-connected", "another service of the company that the owner connected", func(in *policy.Input, now time.Time) {
		calling(in)
		instructed(in, in.Caller.ID, now)
	}},
}

func peopleNames() string {
	names := make([]string, len(people))
	for i, p := range people {
		names[i] = p.name
	}
	return strings.Join(names, ", ")
}

// words tells who a name is; a name that is nobody's stays as it is.
func words(name string) string {
	for _, p := range people {
		if p.name == name {
			return p.words
		}
	}
	return name
}

// asks is the input with the person in the actor's place, and nothing of whoever was there before.
func (p person) asks(in policy.Input) policy.Input {
	in.Actor, in.Subject, in.Instruction, in.Agreement, in.Caller, in.Release = policy.InputActor{}, "", nil, nil, nil, nil
	p.as(&in, time.UnixMicro(in.Time))
	if in.Actor.Roles == nil {
		in.Actor.Roles = []string{}
	}
	return in
}

func ownerOf(in *policy.Input) string {
	if in.Account == nil {
		return madeOwner
	}
	return in.Account.Owner
}

func mailboxOf(in *policy.Input) string {
	if in.Account == nil {
		return madeMailbox
	}
	return in.Account.ID
}

// member is a member of staff who did all that staff must: a second factor, the rules acknowledged.
func member(now time.Time, roles ...string) policy.InputActor {
	return policy.InputActor{Kind: "staff", ID: "a member of staff", Roles: roles, MFA: true, Acknowledged: now.Add(-24 * time.Hour).UnixMicro()}
}

func instructed(in *policy.Input, about string, now time.Time) {
	in.Subject = about
	in.Instruction = &policy.InputInstruction{
		ID: "the owner's word", Account: mailboxOf(in), Feature: in.Feature, Recipient: in.Recipient, Resource: about,
		Given: now.Add(-time.Hour).UnixMicro(), Expires: now.Add(time.Hour).UnixMicro(),
	}
}

func agreed(in *policy.Input, now time.Time) {
	in.Agreement = &policy.InputAgreement{
		ID: "the agreement", Account: mailboxOf(in), Owner: ownerOf(in), Requester: in.Actor.ID, Approver: "another member of staff", State: "active", Messages: map[string]bool{},
		Asked: now.Add(-time.Hour).UnixMicro(), Given: now.Add(-10 * time.Minute).UnixMicro(), Expires: now.Add(50 * time.Minute).UnixMicro(),
	}
	for _, id := range in.Resource.IDs {
		in.Agreement.Messages[id] = true
	}
}

func released(in *policy.Input, now time.Time) {
	in.Release = &policy.InputRelease{ID: strings.Join(in.Resource.IDs, " "), Owners: 50, Released: now.Add(-24 * time.Hour).UnixMicro()}
}

func calling(in *policy.Input) {
	in.Actor = policy.InputActor{Kind: "service", ID: "the other service"}
	in.Caller = &policy.InputCaller{ID: "the other service", Purposes: map[string]bool{in.Purpose: true}}
}
