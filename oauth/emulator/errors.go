package emulator

import (
	"encoding/json"
	"net/http"
)

// oauthError is a refusal in OAuth's words (RFC 6749, 5.2). Applications get it
// as JSON, people as a page; it never repeats what the caller sent.
type oauthError struct {
	Status      int    `json:"-"` // HTTP status
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func (e *oauthError) Error() string { return e.Code + ": " + e.Description }

func badRequest(code, description string) *oauthError {
	return &oauthError{http.StatusBadRequest, code, description}
}

func unauthorized(code, description string) *oauthError {
	return &oauthError{http.StatusUnauthorized, code, description}
}

func writeError(w http.ResponseWriter, e *oauthError) { writeJSON(w, e.Status, e) }

// writeJSON cannot report a failure: the status is already sent by then, and a
// client that went away is no concern of the server.
func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(value)
}
