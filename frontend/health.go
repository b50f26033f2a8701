package frontend

import (
	"net/http"
	"time"
)

// healthy says that the process answers. It says nothing about its parts: restarting would not mend them.
func (s *Server) healthy(w http.ResponseWriter, r *http.Request) {
	note(r, "/healthz")
	plain(w, http.StatusOK, "alive")
}

// ready says whether mail can be read and written now: whether decisions can be recorded, and whether the
// server is not about to stop.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	note(r, "/readyz")
	select {
	case <-s.draining:
		plain(w, http.StatusServiceUnavailable, "stopping")
		return
	default:
	}
	if state := s.Log.State(); !state.Open {
		plain(w, http.StatusServiceUnavailable, "the decision log cannot be written since "+state.Since.UTC().Format(time.RFC3339))
		return
	}
	plain(w, http.StatusOK, "ready")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the connection may be gone
}
