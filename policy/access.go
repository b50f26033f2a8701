package policy

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

// ActorKind says in what capacity someone asks.
type ActorKind string

// The kinds of actor. There is deliberately no administrator and no all-purpose service account:
// a service acts only on a standing instruction of the owner.
const (
	Owner    ActorKind = "owner"
	Staff    ActorKind = "staff"
	Service  ActorKind = "service"
	Auditor  ActorKind = "auditor"
	Reviewer ActorKind = "reviewer"
)

// Actor is who asks, as the server's own stores know them (I4: never as the request says).
type Actor struct {
	Kind   ActorKind
	Person PersonID // empty for Service
	Roles  []string // of staff: support, approver, auditor, reviewer
	MFA    bool     // staff signed in with a second factor (amr)
}

// PersonID names a human: an owner, or a member of staff. One person may own several accounts.
type PersonID string

// AccountID names one connected mailbox.
type AccountID string

// Operation is the name of a Gmail API method below gmail.users, such as "messages.get" or
// "drafts.send", or one of the product's own reads of the log ("log.query").
type Operation string

// Purpose is what the data is used for; a closed set kept in the policy's data (LU-USE-1).
type Purpose string

// Feature is the user-facing feature that needs the access; a closed set kept in the policy's data (LU-USE-1).
type Feature string

// DataClass says what kind of data an answer can hold.
type DataClass string

// The data classes. A snippet is an excerpt of a body and counts as Body.
const (
	Metadata   DataClass = "metadata"
	Header     DataClass = "header"
	Body       DataClass = "body"
	Attachment DataClass = "attachment"
	Settings   DataClass = "settings"
	Label      DataClass = "label"
	Derived    DataClass = "derived"
	Aggregate  DataClass = "aggregate"
	Decisions  DataClass = "decisions" // the log itself: pseudonyms, no mail content
)

// ResourceKind names what ids or members of a collection are.
type ResourceKind string

// The kinds of resource.
const (
	Messages ResourceKind = "message"
	Threads  ResourceKind = "thread"
	Drafts   ResourceKind = "draft"
	Labels   ResourceKind = "label"
	History  ResourceKind = "history"
	Mailbox  ResourceKind = "mailbox"
	Log      ResourceKind = "log"

	StoreRows  ResourceKind = "store"     // what the product itself keeps of a mailbox
	Aggregates ResourceKind = "aggregate" // releases of anonymized numbers
)

// Resource is what an access is about, in one of two forms: named ids, or a collection that is listed.
// The zero Resource is incomplete and refused.
type Resource struct {
	Kind  ResourceKind
	IDs   []string // form "ids": exactly these; empty with New for a resource that is about to be made
	New   bool     // form "new": makes one
	Label string   // form "collection": members with this label, "" for all
	Max   int      // form "collection": at most this many members
}

// IDs names exactly the given resources.
func IDs(kind ResourceKind, ids ...string) Resource { return Resource{Kind: kind, IDs: ids} }

// Collection names at most max members of a listing. Which members it has is not known when it is
// decided: they are recorded in the outcome before the listing is released (Grant.Release).
func Collection(kind ResourceKind, label string, max int) Resource {
	return Resource{Kind: kind, Label: label, Max: max}
}

// New names a resource that the operation creates.
func New(kind ResourceKind) Resource { return Resource{Kind: kind, New: true} }

// Form returns "ids", "new" or "collection", or "" for a resource that is none of them or several.
func (r Resource) Form() string {
	ids, fresh, listed := len(r.IDs) > 0, r.New, r.Max > 0
	switch {
	case ids && !fresh && !listed && r.Label == "":
		return "ids"
	case fresh && !ids && !listed && r.Label == "":
		return "new"
	case listed && !ids && !fresh:
		return "collection"
	}
	return ""
}

// Digest is the SHA-256 of what a request carries in its body, in canonical form.
// The zero Digest means that there is no body.
type Digest [sha256.Size]byte

// Target is what an access does, precise enough to recognise it on the wire: the gate decides a Target,
// and the Gmail client derives a Target from every request it is about to send. Both must agree (Gate.Use).
type Target struct {
	Operation Operation
	Resource  Resource
	Classes   []DataClass // what the answer can hold, or what is written
	Params    string      // canonical query: format, q, headers asked for, page; "" when there is none
	Body      Digest
}

// Access is one request to touch Gmail data. Purpose and Feature come from the route, Actor from the
// session; nothing in it is copied from what a browser or a caller claims (I4).
type Access struct {
	Actor       Actor
	Account     AccountID // "" only for the log as a whole and for aggregates
	Target      Target
	Purpose     Purpose
	Feature     Feature
	Recipient   string // "" = the actor alone; otherwise an id in the recipient register
	Subject     string // with an Instruction: its resource that this access is at work on, such as an outbox row
	Agreement   string // agreement under which staff view a message
	Instruction string // the owner's standing instruction, or consent to a transfer, that the access rests on
	Caller      string // platform caller for which a Service acts
	Release     string // release of aggregates that is read
}

// clone copies what the caller could still change.
func (a Access) clone() Access {
	a.Actor.Roles = slices.Clone(a.Actor.Roles)
	a.Target.Resource.IDs = slices.Clone(a.Target.Resource.IDs)
	a.Target.Classes = slices.Clone(a.Target.Classes)
	return a
}

// maxIDs bounds one decision. Gmail's batchModify takes 1,000.
const maxIDs = 1000

// complete returns the name of the first field without which nothing can be decided, or "".
func (a Access) complete() string {
	switch {
	case !slices.Contains([]ActorKind{Owner, Staff, Service, Auditor, Reviewer}, a.Actor.Kind):
		return "actor.kind"
	case a.Actor.Person == "" && a.Actor.Kind != Service:
		return "actor.person"
	case a.Actor.Kind == Service && a.Instruction == "" && a.Caller == "" && a.Target.Resource.Kind != Aggregates:
		return "instruction" // a platform caller without the owner's consent is refused by the rules, which say why
	case a.Instruction != "" && a.Subject == "":
		return "subject"
	case a.Account == "" && a.Target.Resource.Kind != Log && a.Target.Resource.Kind != Aggregates:
		return "account"
	case a.Target.Operation == "":
		return "operation"
	case a.Target.Resource.Kind == "":
		return "resource.kind"
	case a.Target.Resource.Form() == "":
		return "resource"
	case len(a.Target.Resource.IDs) > maxIDs:
		return "resource.ids"
	case slices.Contains(a.Target.Resource.IDs, ""):
		return "resource.ids"
	case len(a.Target.Classes) == 0:
		return "classes"
	case a.Purpose == "":
		return "purpose"
	case a.Feature == "":
		return "feature"
	}
	return ""
}

// covers says whether a grant for the decided target d allows the use u, or why not. Ids must be a subset;
// everything else must be equal, so that format, fields and query cannot be stretched.
func (d Target) covers(u Target) error {
	switch {
	case d.Operation != u.Operation:
		return fmt.Errorf("operation %s was granted, not %s", d.Operation, u.Operation)
	case d.Resource.Kind != u.Resource.Kind || d.Resource.Form() != u.Resource.Form():
		return fmt.Errorf("%s of %s was granted, not %s of %s", d.Resource.Form(), d.Resource.Kind, u.Resource.Form(), u.Resource.Kind)
	case d.Resource.Label != u.Resource.Label:
		return fmt.Errorf("another label was granted")
	case u.Resource.Max > d.Resource.Max:
		return fmt.Errorf("at most %d members were granted, not %d", d.Resource.Max, u.Resource.Max)
	case d.Params != u.Params:
		return fmt.Errorf("other parameters were granted")
	case d.Body != u.Body:
		return fmt.Errorf("another body was granted")
	case len(u.Classes) == 0:
		return fmt.Errorf("a use that names no data class")
	}
	for _, c := range u.Classes {
		if !slices.Contains(d.Classes, c) {
			return fmt.Errorf("data class %s was not granted", c)
		}
	}
	return nil
}
