package frontend

import (
	"strings"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/consent"
)

// EventWithdrawn is the lifecycle event of an owner who takes a permission back: feature, recipient, permission (its
// number, by which it is ended again should a copy of the database bring it back).
const EventWithdrawn = "permission.withdrawn"

// listPermissions shows an owner what may leave, and to whom.
func (s *Server) listPermissions(v *visit) error {
	list, err := s.permissions(v)
	if err != nil {
		return err
	}
	out := api.PermissionList{Permissions: []api.Permission{}}
	for _, p := range list {
		if p.Recipient == "platform_service" {
			continue // connected services have a list of their own
		}
		item := api.Permission{Id: p.ID, Feature: string(p.Feature), Recipient: p.Recipient, For: "message", Shown: p.Shown, Given: p.Given.UTC(), Expires: p.Expires.UTC()}
		if strings.HasPrefix(p.Resource, "sender:") {
			item.For = "sender"
		}
		out.Permissions = append(out.Permissions, item)
	}
	return send(v, 200, out)
}

// permissions are those of the mailbox in the address, if it is the visitor's own.
func (s *Server) permissions(v *visit) ([]consent.Permission, error) {
	if err := s.ownMailbox(v); err != nil {
		return nil, err
	}
	return s.Permits.List(v.r.Context(), v.inbox.Account)
}

// withdrawPermission takes a permission back. The act is recorded first; the next decision does not find it.
func (s *Server) withdrawPermission(v *visit) error {
	list, err := s.permissions(v)
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.ID != v.param("permission") {
			continue
		}
		err := s.Gate.Record(v.r.Context(), policy.Lifecycle{
			Event: EventWithdrawn, Actor: v.inbox.Actor, Account: p.Account, Details: map[string]string{"feature": string(p.Feature), "recipient": p.Recipient, "permission": p.ID},
		})
		if err != nil {
			return err
		}
		if err := s.Permits.Withdraw(v.r.Context(), p.Account, p.ID); err != nil {
			return err
		}
		return done(v)
	}
	return done(v) // it has ended already
}
