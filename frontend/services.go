package frontend

import (
	"slices"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/frontend/platform"
	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy"
)

// ownMailbox fails with policy.ErrUnknown unless the mailbox of the route is one of the visitor's own. It is for
// what is done to the product's own rows: whatever touches mail is the gate's to decide.
func (s *Server) ownMailbox(v *visit) error {
	accounts, err := s.Owners.Accounts(v.r.Context(), v.session.Person)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(accounts, func(a oauth.Account) bool { return a.ID == v.inbox.Account }) {
		return policy.ErrUnknown
	}
	return nil
}

func (s *Server) listServices(v *visit) error {
	if err := s.ownMailbox(v); err != nil {
		return err
	}
	list, err := s.Platform.Connections(v.r.Context(), v.inbox.Account)
	if err != nil {
		return err
	}
	out := api.ServiceList{Services: make([]api.ConnectedService, len(list))}
	for i, c := range list {
		out.Services[i] = serviceJSON(v.inbox.Account, c)
	}
	return send(v, 200, out)
}

// connectService records the owner's consent and says where to go next: the handle of the mailbox travels to the
// service with the owner's browser, to the address that the operator registered, or by being copied.
func (s *Server) connectService(v *visit) error {
	var body api.ConnectService
	if err := read(v, &body); err != nil {
		return err
	}
	if err := s.ownMailbox(v); err != nil {
		return err
	}
	c, err := s.Platform.Connect(v.r.Context(), v.session.Actor(), v.inbox.Account, v.param("service"))
	if err != nil {
		return err
	}
	redirect, err := c.Caller.Return(v.inbox.Account, body.State)
	if err != nil {
		return err
	}
	return send(v, 200, api.ServiceConnected{Service: serviceJSON(v.inbox.Account, c), Redirect: redirect})
}

func (s *Server) disconnectService(v *visit) error {
	if err := s.ownMailbox(v); err != nil {
		return err
	}
	if err := s.Platform.Disconnect(v.r.Context(), v.session.Actor(), v.inbox.Account, v.param("service")); err != nil {
		return err
	}
	return done(v)
}

func serviceJSON(account policy.AccountID, c platform.Connection) api.ConnectedService {
	out := api.ConnectedService{Id: c.Caller.ID, Name: c.Caller.Name, Use: c.Caller.Use, Gets: c.Gets, Asks: c.Asks, Returns: c.Caller.ReturnURL != ""}
	if !c.Since.IsZero() {
		out.Since, out.Until, out.Mailbox = &c.Since, &c.Until, string(account)
	}
	return out
}
