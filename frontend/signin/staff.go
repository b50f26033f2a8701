package signin

import (
	"errors"
	"net/http"
)

// errNoStaff: this server has no staff sign-in.
var errNoStaff = errors.New("signin: no staff sign-in here")

func (s *pages) startStaff(w http.ResponseWriter, r *http.Request) error {
	if s.Staff == nil {
		return errNoStaff
	}
	target, err := s.Staff.StartSignIn(r.Context(), flowBrowser(w, r))
	if err != nil {
		return err
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

func (s *pages) finishStaff(w http.ResponseWriter, r *http.Request) error {
	if s.Staff == nil {
		return errNoStaff
	}
	who, err := s.Staff.FinishSignIn(r.Context(), knownBrowser(r), r.URL.Query())
	if err != nil {
		return err
	}
	if _, err := s.Sessions.Begin(w, r, who); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
