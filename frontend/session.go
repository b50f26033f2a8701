package frontend

import (
	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/policy"
)

func (s *Server) getSession(v *visit) error {
	out := api.Session{
		Roles: []api.SessionRoles{}, Accounts: []api.Account{},
		Product: api.Product{Name: s.Product.Name, SupportEmail: s.Product.SupportEmail, Demo: s.Product.Demo, UndoSendSeconds: int(s.Product.UndoShown.Seconds())},
	}
	if v.session.Kind == "" {
		return send(v, 200, out)
	}
	out.SignedIn, out.Name, out.Email = true, v.session.Name, v.session.Email
	if v.session.Kind != policy.Owner {
		for _, role := range v.session.Roles {
			out.Roles = append(out.Roles, api.SessionRoles(role))
		}
		return send(v, 200, out)
	}
	out.Roles = append(out.Roles, "owner")
	accounts, err := s.Owners.Accounts(v.r.Context(), v.session.Person)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		shown := api.Account{Id: string(a.ID), Email: a.Email, Name: a.Name, State: api.AccountState(a.State), Scopes: a.Scopes}
		if !a.Changes.IsZero() {
			shown.Changes = &a.Changes
		}
		out.Accounts = append(out.Accounts, shown)
	}
	return send(v, 200, out)
}

// signOut ends the session, drops what memory holds of its mailboxes, and tells the browser to forget the rest.
func (s *Server) signOut(v *visit) error {
	if v.session.Kind == policy.Owner {
		accounts, err := s.Owners.Accounts(v.r.Context(), v.session.Person)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			s.Inbox.Forget(a.ID)
		}
	}
	end := s.Sessions.End
	if v.r.URL.Query().Get("everywhere") == "true" {
		end = s.Sessions.EndEverywhere
	}
	if err := end(v.w, v.r); err != nil {
		return err
	}
	return done(v)
}

func (s *Server) disconnect(v *visit) error {
	if err := s.Vault.Disconnect(v.r.Context(), v.session.Actor(), v.inbox.Account); err != nil {
		return err
	}
	return done(v)
}
