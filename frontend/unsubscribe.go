package frontend

import (
	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/inbox"
)

// unsubscribe tells a mailing list that the owner wants no more of it.
func (s *Server) unsubscribe(v *visit) error {
	var body api.UnsubscribeRequest
	if err := read(v, &body); err != nil {
		return err
	}
	result, err := s.Inbox.Unsubscribe(v.r.Context(), v.inbox, v.param("message"), body.Host)
	if err != nil {
		return err
	}
	return send(v, 200, api.UnsubscribeResult{Host: result.Host, Accepted: result.Accepted})
}

// unsubscribeJSON describes the way off a list. A page of the list's own opens through the warning page.
func (s *Server) unsubscribeJSON(v *visit, u *inbox.Unsubscribe) *api.Unsubscribe {
	if u == nil {
		return nil
	}
	out := &api.Unsubscribe{Kind: api.UnsubscribeKind(u.Kind), Host: u.Host, To: u.Mail.To, Subject: u.Mail.Subject, Text: u.Mail.Text}
	if u.Kind == inbox.OnTheWeb {
		if out.Url = s.warned(v, linkRef{URL: u.URL, Doubt: leaving}); out.Url == "" {
			return nil
		}
	}
	return out
}
