package frontend

import (
	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/frontend/signin"
)

// stepUp begins a fresh sign-in of the same person: the page leads the browser to where the answer says, and it
// comes back to the settings.
func (s *Server) stepUp(v *visit) error {
	var body api.StepUp
	if err := read(v, &body); err != nil {
		return err
	}
	target, err := s.Owners.StartStepUp(v.r.Context(), signin.FlowBrowser(v.w, v.r), v.session, string(body.For))
	if err != nil {
		return err
	}
	return send(v, 200, api.Redirect{Redirect: target})
}
