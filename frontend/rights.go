package frontend

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/frontend/signin"
	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy/agreement"
	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// getStored says what is stored, why and for how long, from the tables that the policy and the jobs go by.
func (s *Server) getStored(v *visit) error {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return err
	}
	accounts, err := s.Owners.Accounts(v.r.Context(), v.session.Person)
	if err != nil {
		return err
	}
	browsers, err := s.Sessions.Browsers(v.r.Context(), v.session)
	if err != nil {
		return err
	}
	out := api.Stored{Stores: []api.StoredKind{}, Mailboxes: []api.StoredMailbox{}, Sessions: []api.StoredSession{}}
	for _, store := range slices.Sorted(maps.Keys(tables.Retention)) {
		row := tables.Retention[store]
		out.Stores = append(out.Stores, api.StoredKind{Store: store, What: row.What, Why: row.Why, Ends: row.Ends})
	}
	for _, a := range accounts {
		mailbox := api.StoredMailbox{Id: string(a.ID), Email: a.Email, Scopes: []api.ScopeUse{}}
		for _, scope := range a.Scopes {
			uses := tables.UsesOf(scope)
			mailbox.Scopes = append(mailbox.Scopes, api.ScopeUse{Scope: scope, Needed: len(uses) > 0 || isIdentity(scope), Uses: append([]string{}, uses...)})
		}
		out.Mailboxes = append(out.Mailboxes, mailbox)
	}
	for _, b := range browsers {
		out.Sessions = append(out.Sessions, api.StoredSession{Started: b.Started, LastUsed: b.LastUsed, Current: b.Current})
	}
	return send(v, 200, out)
}

// isIdentity tells whether a scope only says who somebody is.
func isIdentity(scope string) bool {
	return scope == "openid" || strings.HasPrefix(scope, "https://www.googleapis.com/auth/userinfo.") || scope == "email" || scope == "profile"
}

func (s *Server) listConsents(v *visit) error {
	records, err := s.Owners.Consents(v.r.Context(), v.session.Person)
	if err != nil {
		return err
	}
	accounts, err := s.Owners.Accounts(v.r.Context(), v.session.Person)
	if err != nil {
		return err
	}
	emails := map[string]string{}
	for _, a := range accounts {
		emails[string(a.ID)] = a.Email
	}
	out := api.Consents{Consents: []api.ConsentRecord{}, Current: consent.Current}
	for _, r := range slices.Backward(records) {
		c := consentJSON(r)
		c.Email = emails[c.Account]
		out.Consents = append(out.Consents, c)
	}
	return send(v, 200, out)
}

func consentJSON(r consent.Record) api.ConsentRecord {
	out := api.ConsentRecord{Account: string(r.Account), Act: api.ConsentRecordAct(r.Act), At: r.At}
	if r.Act == consent.Agreed {
		out.Version, out.Language, out.Sha256 = r.Version, r.Language, digestOf(r)
		out.Text = signin.DisclosureAt(r.Language, r.Version)
	}
	return out
}

func (s *Server) withdraw(v *visit) error {
	if err := s.Vault.Withdraw(v.r.Context(), v.session.Actor(), v.inbox.Account); err != nil {
		return err
	}
	return done(v)
}

// deleteAccount registers the request, which the deletion itself then answers, and deletes. The browser is told
// to forget what it keeps.
func (s *Server) deleteAccount(v *visit) error {
	if err := s.Owners.Proven(v.session); err != nil {
		return err
	}
	if _, err := s.Rights.Ask(v.r.Context(), v.session, oauth.RightErasure, "", ""); err != nil && !errors.Is(err, oauth.ErrOpenAlready) {
		return err
	}
	if err := s.Owners.Delete(v.r.Context(), v.session); err != nil {
		return err
	}
	if err := s.Sessions.End(v.w, v.r); err != nil { // its row is gone; this is about the cookie
		return err
	}
	return done(v)
}

func (s *Server) listRights(v *visit) error {
	list, err := s.Rights.Of(v.r.Context(), v.session.Person)
	if err != nil {
		return err
	}
	out := api.RightsRequests{Requests: []api.RightsRequest{}}
	for _, q := range list {
		out.Requests = append(out.Requests, rightJSON(q))
	}
	return send(v, 200, out)
}

func (s *Server) askRight(v *visit) error {
	var asked api.AskRight
	if err := read(v, &asked); err != nil {
		return err
	}
	region := ""
	if asked.California {
		region = oauth.California
	}
	q, err := s.Rights.Ask(v.r.Context(), v.session, oauth.Right(asked.Right), region, asked.Note)
	if err != nil {
		return err
	}
	return send(v, 200, rightJSON(q))
}

func rightJSON(q oauth.RightsRequest) api.RightsRequest {
	out := api.RightsRequest{
		Id: q.ID, Right: api.Right(q.Right), Received: q.Received, Due: q.Due, State: api.RightsRequestState(q.State), How: api.RightsRequestHow(q.How), Note: q.Note,
	}
	if !q.Ended.IsZero() {
		out.Ended = &q.Ended
	}
	return out
}

// supports fails unless support has signed in with a second factor: who asked for what is personal data.
func supports(v *visit) error {
	switch {
	case !slices.Contains(v.session.Roles, oauth.RoleSupport):
		return errWrongRole
	case !v.session.MFA:
		return agreement.ErrSecondFactor
	}
	return nil
}

// openRights lists what support has to answer: who asked for what, and until when. No mail is in it.
func (s *Server) openRights(v *visit) error {
	if err := supports(v); err != nil {
		return err
	}
	list, err := s.Rights.Pending(v.r.Context())
	if err != nil {
		return err
	}
	out := api.OpenRightsRequests{Requests: []api.OpenRightsRequest{}}
	for _, q := range list {
		may, err := s.Rights.MayRefuse(v.r.Context(), q)
		if err != nil {
			return err
		}
		out.Requests = append(out.Requests, api.OpenRightsRequest{
			Id: q.ID, Right: api.Right(q.Right), Received: q.Received, Due: q.Due, Contact: q.Contact, Note: q.Note, MayRefuse: may,
		})
	}
	return send(v, 200, out)
}

func (s *Server) endRight(v *visit) error {
	if err := supports(v); err != nil {
		return err
	}
	end := s.Rights.Answer
	if v.param("act") == "refuse" {
		end = s.Rights.Refuse
	}
	if err := end(v.r.Context(), v.session.Actor(), v.param("request")); err != nil {
		return err
	}
	return done(v)
}
