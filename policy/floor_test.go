package policy_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/totalengage/webmail/policy"
)

// The floor is the half of the policy that no bundle lifts, so it must hold by itself: what the rules beside it refuse
// as well is no excuse. This is the promise once more, without any table.

// floorAdmits says whether nothing in the promise forbids an access.
func floorAdmits(in policy.Input) bool {
	return servesTheOwner(in) && staysHere(in) && seenByWhomItMay(in)
}

func servesTheOwner(in policy.Input) bool {
	purposes := []string{"account.manage", "audit.read", "inbox.compose", "inbox.organise", "inbox.read", "inbox.search", "inbox.send", "inbox.sync", "internal_ops", "support.view"}
	switch {
	case !slices.Contains(purposes, in.Purpose):
		return false
	case (in.Purpose == "internal_ops") != (in.Resource.Kind == "aggregate"):
		return false
	case in.Actor.Kind == "staff":
		return in.Purpose == "internal_ops" || in.Purpose == "support.view"
	}
	return in.Purpose != "support.view"
}

func staysHere(in policy.Input) bool {
	if in.Recipient == "" {
		return true
	}
	return slices.Contains([]string{"platform_service", "push_service", "remote_host", "unsubscribe_host"}, in.Recipient) && ownerTold(in)
}

func ownerTold(in policy.Input) bool {
	i := in.Instruction
	return i != nil && in.Account != nil && i.Recipient == in.Recipient && i.Account == in.Account.ID && i.Feature == in.Feature &&
		i.Resource != "" && i.Resource == in.Subject && i.Given <= in.Time && in.Time < i.Expires
}

func seenByWhomItMay(in policy.Input) bool {
	owner := in.Account != nil && in.Actor.Kind == "owner" && in.Actor.ID == in.Account.Owner
	switch in.Resource.Kind {
	case "log":
		return maps.Equal(in.Classes, set("decisions")) && (owner || in.Actor.Kind == "auditor" || in.Actor.Kind == "reviewer")
	case "aggregate":
		switch in.Actor.Kind {
		case "service":
			return in.Resource.Form == "new" && maps.Equal(in.Classes, set("derived"))
		case "staff":
			return promise{in: in}.released()
		}
		return false
	case "message":
		if in.Actor.Kind == "staff" {
			looks := in.Operation == "messages.get" || in.Operation == "messages.attachments.get"
			return looks && in.Account != nil && promise{in: in}.agreed()
		}
	case "draft", "history", "label", "mailbox", "store", "thread":
	default:
		return false
	}
	return owner || in.Actor.Kind == "service" && ownerTold(in)
}

// checkHalves returns what is wrong with the answers of the floor and of the rules, each by itself, or nil.
func (j *judge) checkHalves(t *testing.T, in policy.Input) error {
	want := floorAdmits(in)
	admits, denials, err := j.floor(t.Context(), policy.Term(in))
	switch {
	case err != nil:
		return fmt.Errorf("%s: the floor: %w", document(in), err)
	case (admits == true) != want:
		return fmt.Errorf("%s: the floor says %v, its oracle %v", document(in), admits, want)
	case want == (len(denials) > 0):
		return fmt.Errorf("%s: the floor says %v, and refuses by %v", document(in), admits, denials)
	case !want && oracle(j.tables, in) != "":
		return fmt.Errorf("%s: the oracles contradict each other", document(in))
	}
	basis, denials, err := j.rules(t.Context(), policy.Term(in))
	switch {
	case err != nil:
		return fmt.Errorf("%s: the rules: %w", document(in), err)
	case (basis != nil) == (len(denials) > 0):
		return fmt.Errorf("%s: the rules give the basis %v, and refuse by %v", document(in), basis, denials)
	}
	return nil
}
