package emulator

import (
	"encoding/json"
	"net/http"
	"strings"
)

// apiError is a refusal in Gmail's envelope.
type apiError struct {
	code    int
	status  string // google.rpc code: NOT_FOUND
	message string
	// entry is errors[0]; its message is the error's own when empty.
	entry   errorEntry
	details []any
	header  http.Header
	// html answers as Google's front end does before the API is reached.
	html bool
}

type errorEntry struct {
	Message      string `json:"message"`
	Domain       string `json:"domain"`
	Reason       string `json:"reason"`
	Location     string `json:"location,omitempty"`
	LocationType string `json:"locationType,omitempty"`
}

func (e *apiError) Error() string { return e.message }

func (e *apiError) body() []byte {
	if e.html {
		return []byte("<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error</title>\n  <p><b>" + e.message + "</b>\n")
	}
	if e.entry.Message == "" {
		e.entry.Message = e.message
	}
	type envelope struct {
		Code    int          `json:"code"`
		Message string       `json:"message"`
		Errors  []errorEntry `json:"errors"`
		Status  string       `json:"status,omitempty"`
		Details []any        `json:"details,omitempty"`
	}
	b, err := json.Marshal(map[string]envelope{"error": {e.code, e.message, []errorEntry{e.entry}, e.status, e.details}})
	if err != nil {
		panic(err) // plain strings and maps of strings always encode
	}
	return b
}

func global(code int, status, reason, message string) *apiError {
	return &apiError{code: code, status: status, message: message, entry: errorEntry{Domain: "global", Reason: reason}}
}

func badRequest(message string) *apiError {
	return global(400, "INVALID_ARGUMENT", "invalidArgument", message)
}

func forbidden(message string) *apiError {
	return global(403, "PERMISSION_DENIED", "forbidden", message)
}

func failedPrecondition(message string) *apiError {
	return global(400, "FAILED_PRECONDITION", "failedPrecondition", message)
}

func notFound() *apiError {
	return global(404, "NOT_FOUND", "notFound", "Requested entity was not found.")
}

// invalidPayload is a request that Google's front end cannot map to the API's
// own message: an unknown name, a wrong type.
func invalidPayload(message, field string) *apiError {
	e := global(400, "INVALID_ARGUMENT", "invalid", message)
	e.details = []any{map[string]any{
		"@type":           "type.googleapis.com/google.rpc.BadRequest",
		"fieldViolations": []map[string]string{{"field": field, "description": message}},
	}}
	return e
}

func invalidFields(selector string) *apiError {
	e := global(400, "INVALID_ARGUMENT", "invalidParameter", "Invalid field selection "+selector)
	e.entry.Location, e.entry.LocationType = "fields", "parameter"
	return e
}

func tooLarge() *apiError {
	return &apiError{code: http.StatusRequestEntityTooLarge, message: "Request Entity Too Large", html: true}
}

func noSuchPath() *apiError {
	return &apiError{code: 404, message: "404. That’s an error. The requested URL was not found on this server.", html: true}
}

const credentialsTail = "Expected OAuth 2 access token, login cookie or other valid authentication credential. " +
	"See https://developers.google.com/identity/sign-in/web/devconsole-project."

func errorInfo(reason string, m *Method) []any {
	return []any{map[string]any{
		"@type":    "type.googleapis.com/google.rpc.ErrorInfo",
		"reason":   reason,
		"domain":   "googleapis.com",
		"metadata": map[string]string{"method": rpcName(m), "service": "gmail.googleapis.com"},
	}}
}

func noCredentials(m *Method) *apiError {
	e := unauthenticated("Request is missing required authentication credential. "+credentialsTail, "Login Required.", "required")
	e.details = errorInfo("CREDENTIALS_MISSING", m)
	return e
}

func badCredentials() *apiError {
	return unauthenticated("Request had invalid authentication credentials. "+credentialsTail, "Invalid Credentials", "authError")
}

func unauthenticated(message, short, reason string) *apiError {
	challenge := `Bearer realm="https://accounts.google.com/"`
	if reason == "authError" {
		challenge += `, error="invalid_token"`
	}
	return &apiError{
		code: 401, status: "UNAUTHENTICATED", message: message,
		entry:  errorEntry{short, "global", reason, "Authorization", "header"},
		header: http.Header{"Www-Authenticate": {challenge}},
	}
}

func scopeMissing(m *Method) *apiError {
	e := global(403, "PERMISSION_DENIED", "insufficientPermissions", "Request had insufficient authentication scopes.")
	e.entry.Message = "Insufficient Permission"
	e.details = errorInfo("ACCESS_TOKEN_SCOPE_INSUFFICIENT", m)
	e.header = http.Header{"Www-Authenticate": {
		`Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="` + strings.Join(m.Scopes(), " ") + `"`}}
	return e
}

// rpcName guesses the internal name that Google puts into error details: only
// GetProfile has been seen.
func rpcName(m *Method) string {
	resource, verb := "", m.ID
	if i := strings.LastIndexByte(m.ID, '.'); i >= 0 {
		resource, verb = m.ID[:i], m.ID[i+1:]
		resource = resource[strings.LastIndexByte(resource, '.')+1:]
	}
	if verb != "list" {
		resource = strings.TrimSuffix(resource, "s")
	}
	return "caribou.api.proto.MailboxService." + title(verb) + title(resource)
}

func title(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
