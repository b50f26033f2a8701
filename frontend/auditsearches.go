package frontend

import (
	"errors"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/frontend/searches"
	"github.com/totalengage/webmail/inbox"
)

// Saved searches are the auditor's own notes. They hold nothing of the log, so using them is no access to it.

func (s *Server) listSearches(v *visit) error {
	list, err := s.Searches.List(v.r.Context(), v.session.Person)
	if err != nil {
		return err
	}
	out := api.SavedSearches{Searches: make([]api.SavedSearch, len(list))}
	for i, one := range list {
		out.Searches[i] = searchJSON(one)
	}
	return send(v, 200, out)
}

func (s *Server) saveSearch(v *visit) error {
	var body api.NewSearch
	if err := read(v, &body); err != nil {
		return err
	}
	saved, err := s.Searches.Save(v.r.Context(), v.session.Person, body.Name, body.Query)
	if errors.Is(err, searches.ErrFull) {
		return &inbox.InvalidError{Field: "name", Why: "no more can be kept; remove one first"}
	}
	if err != nil {
		return err
	}
	return send(v, 201, searchJSON(saved))
}

func (s *Server) dropSearch(v *visit) error {
	err := s.Searches.Drop(v.r.Context(), v.session.Person, v.param("search"))
	if errors.Is(err, searches.ErrNone) {
		return errNoEvent
	}
	if err != nil {
		return err
	}
	return done(v)
}

func searchJSON(one searches.Search) api.SavedSearch {
	return api.SavedSearch{Id: one.ID, Name: one.Name, Query: one.Query}
}
