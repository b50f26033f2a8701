package frontend

import (
	"encoding/json"
	"strconv"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/agreement"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// historyPage is how many events a page of the access history has.
const historyPage = 50

// accessHistory tells an owner who but themselves reached for something in a mailbox of theirs, from the decision
// log itself. Reading it is decided and recorded like any access.
func (s *Server) accessHistory(v *visit) error {
	filter := decisionlog.Filter{Kind: decisionlog.Decision, NotActor: string(policy.Owner), Limit: historyPage}
	query := v.r.URL.Query()
	if before := query.Get("before"); before != "" {
		var err error
		if filter.Before, err = strconv.ParseInt(before, 10, 64); err != nil {
			return err
		}
	}
	grant, err := s.Gate.Authorize(v.r.Context(), v.inbox.Access(policy.Target{
		Operation: "log.query", Resource: policy.Collection(policy.Log, "", historyPage), Classes: []policy.DataClass{policy.Decisions}, Params: query.Encode(),
	}))
	if err != nil {
		return err
	}
	names := grant.Names()
	filter.Account = names.Account(v.inbox.Account)
	page, err := s.Log.Query(v.r.Context(), filter)
	grant.Finish(err, len(page.Records), 0)
	if err != nil {
		return err
	}
	teller, err := s.newTeller(v, names)
	if err != nil {
		return err
	}
	out := api.AccessHistory{Entries: make([]api.AccessEntry, len(page.Records)), Next: page.Next}
	for i, r := range page.Records {
		out.Entries[i] = teller.tell(r)
	}
	return send(v, 200, out)
}

// teller puts decisions into plain words. The log has pseudonyms only; what they stand for is known from the
// mailbox's own requests, and what is in none of them stays unnamed.
type teller struct {
	purposes map[string]string
	people   map[string]string            // names of staff by pseudonym, of the company's other services by id
	messages map[string]string            // message ids by pseudonym
	requests map[string]agreement.Request // by pseudonym
}

func (s *Server) newTeller(v *visit, names policy.Names) (teller, error) {
	t := teller{people: map[string]string{}, messages: map[string]string{}, requests: map[string]agreement.Request{}}
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return t, err
	}
	t.purposes = tables.Purposes
	list, err := s.Desk.OfAccount(v.r.Context(), v.inbox.Account)
	for _, r := range list {
		t.requests[names.Agreement(r.ID)] = r
		for _, p := range []agreement.Person{r.Requester, r.Approver} {
			t.people[names.Person(policy.Staff, p.ID)] = p.Name
		}
		for _, m := range r.Messages {
			t.messages[names.Resource(policy.Messages, m.ID)] = m.ID
		}
	}
	if s.Platform != nil {
		for _, c := range s.Platform.Callers.All() {
			t.people[c.ID] = c.Name // a service stands in the log under its own id
		}
	}
	return t, err
}

// deeds are what operations do, in words.
var deeds = map[policy.Operation]string{
	"messages.get":             "read a message",
	"messages.attachments.get": "read an attachment of a message",
	"messages.list":            "looked through a list of messages",
	"messages.batchModify":     "changed the labels of messages",
	"threads.get":              "read a conversation",
	"threads.modify":           "changed the labels of a conversation",
	"threads.trash":            "moved a conversation to the trash",
	"threads.untrash":          "took a conversation back from the trash",
	"labels.get":               "read the number of unread messages of a label",
	"labels.list":              "read the names of your labels",
	"history.list":             "asked what is new",
	"getProfile":               "asked for the mailbox's address and size",
	"drafts.create":            "put a draft into your mailbox",
	"drafts.update":            "changed a draft",
	"drafts.get":               "read a draft",
	"drafts.list":              "looked through the list of drafts",
	"drafts.delete":            "deleted a draft",
	"drafts.send":              "sent a message that you had written",
	"remote.get":               "loaded an image of a message from its sender's host",
	"unsubscribe.post":         "told a mailing list to take you off",
	"log.query":                "read the record of decisions",
}

// attempt begins what was refused.
const attempt = "tried, and was refused: "

func (t teller) tell(r decisionlog.Record) api.AccessEntry {
	out := api.AccessEntry{
		At: r.At, What: deeds[policy.Operation(r.Operation)], Why: t.purposes[r.Purpose], Rule: r.Basis, Clauses: r.Clauses, Decision: r.DecisionID, Allowed: r.Allowed,
	}
	if out.What == "" {
		out.What = "used your mailbox (" + r.Operation + ")"
	}
	if !r.Allowed {
		out.What = attempt + out.What
	}
	if out.Why == "" {
		out.Why = "for a purpose that is not allowed"
	}
	if out.Clauses == nil {
		out.Clauses = []string{}
	}
	out.Who.Kind, out.Who.Name = api.AccessEntryWhoKind(r.ActorKind), t.people[r.Actor]
	var event struct {
		Input policy.Input `json:"input"`
	}
	if len(r.Body) == 0 || json.Unmarshal(r.Body, &event) != nil {
		return out // dropped by retention: the columns are all there is
	}
	if len(event.Input.Resource.IDs) == 1 {
		out.Message = t.messages[event.Input.Resource.IDs[0]]
	}
	if event.Input.Caller != nil && out.Who.Name == "" {
		out.Who.Name = "a service that is no longer registered here"
	}
	if event.Input.Agreement != nil {
		if request, ok := t.requests[event.Input.Agreement.ID]; ok {
			out.Request = request.ID
			out.Why = "case " + request.Case + ": " + request.Reason
		}
	}
	return out
}
