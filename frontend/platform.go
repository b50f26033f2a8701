package frontend

import (
	"errors"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/frontend/platform"
)

// mountPlatform adds the routes of the company's other services. They have no session: who calls is in their assertion.
func (s *Server) mountPlatform(r *mux.Router) {
	for _, route := range s.Platform.Routes() {
		r.HandleFunc(route.Path, s.platformRoute(route)).Methods(route.Method)
	}
	r.PathPrefix(platform.Prefix + "/").HandlerFunc(s.platformRoute(platform.Route{Path: platform.Prefix + "/", Serve: s.Platform.NoRoute}))
}

func (s *Server) platformRoute(route platform.Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		note(r, route.Path)
		if err := route.Serve(w, r); err != nil {
			s.answer(w, r, err)
		}
	}
}

// platformProblem turns the errors of package platform into problems; ok says whether it is one.
func platformProblem(err error) (p api.Problem, ok bool) {
	var (
		refused *platform.Unauthorized
		many    *platform.TooMany
	)
	problem := func(status int, code, title, detail string) (api.Problem, bool) {
		return api.Problem{Type: "about:blank", Status: status, Code: code, Title: title, Detail: detail}, true
	}
	switch {
	case errors.As(err, &refused):
		return problem(401, "assertion_refused", "The assertion is not accepted", refused.Error())
	case errors.As(err, &many):
		p, ok = problem(429, "rate_limited", "Too many calls", "The caller calls more often than it is registered for. The assertion was not used up.")
		p.RetryAfterMs = max(many.Wait.Milliseconds(), 1)
		return p, ok
	case errors.Is(err, platform.ErrNoSuchRoute):
		return problem(404, "not_found", "Not found", "There is no such address.")
	case errors.Is(err, platform.ErrNothingToGet):
		return problem(409, "conflict", "Nothing of your mail is for this service", "What the service is registered for is not something that mail may be used for.")
	}
	return p, false
}
