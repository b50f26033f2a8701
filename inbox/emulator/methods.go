package emulator

import (
	"slices"
	"strings"
)

// Method is one row of the API's surface.
type Method struct {
	ID       string // without "gmail.users."
	Verb     string
	Path     string // below gmail/v1/users/{userId}/
	Query    string // "name:type name:type[]"
	Request  string // schema name, "" = no body
	Response string // schema name, "" = no content
	scopes   string // short names, blank separated
	costOld  int64
	costNew  int64
	// MaxMedia is the largest upload in bytes; 0 = the method takes none.
	MaxMedia int64
}

// Methods returns the whole surface: all methods of the discovery document.
func Methods() []Method { return slices.Clone(methods) }

// scopeNames expands the short names of the table.
var scopeNames = map[string]string{
	"full":           "https://mail.google.com/",
	"addon.compose":  "https://www.googleapis.com/auth/gmail.addons.current.action.compose",
	"addon.action":   "https://www.googleapis.com/auth/gmail.addons.current.message.action",
	"addon.metadata": "https://www.googleapis.com/auth/gmail.addons.current.message.metadata",
	"addon.readonly": "https://www.googleapis.com/auth/gmail.addons.current.message.readonly",
	"compose":        "https://www.googleapis.com/auth/gmail.compose",
	"insert":         "https://www.googleapis.com/auth/gmail.insert",
	"labels":         "https://www.googleapis.com/auth/gmail.labels",
	"metadata":       "https://www.googleapis.com/auth/gmail.metadata",
	"modify":         "https://www.googleapis.com/auth/gmail.modify",
	"readonly":       "https://www.googleapis.com/auth/gmail.readonly",
	"send":           "https://www.googleapis.com/auth/gmail.send",
	"s.basic":        "https://www.googleapis.com/auth/gmail.settings.basic",
	"s.sharing":      "https://www.googleapis.com/auth/gmail.settings.sharing",
}

// Scopes are the full addresses of the scopes of which one is enough.
func (m *Method) Scopes() []string {
	var out []string
	for _, short := range strings.Fields(m.scopes) {
		out = append(out, scopeNames[short])
	}
	return out
}

// allows reports whether one of the granted scopes opens the method.
func (m *Method) allows(granted []string) bool {
	return slices.ContainsFunc(m.Scopes(), func(s string) bool { return slices.Contains(granted, s) })
}

// Cost is the method's price in quota units: before 2026-05-01 ("old") or since.
func (m *Method) Cost(table string) int64 {
	if table == "old" {
		return m.costOld
	}
	return m.costNew
}

// param is a query parameter: its type as in schemas_table.go, "" for a string.
type param struct {
	kind     string
	repeated bool
}

func parseParams(spec string) map[string]param {
	out := map[string]param{}
	for _, f := range strings.Fields(spec) {
		name, kind, _ := strings.Cut(f, ":")
		name, bare := strings.CutSuffix(name, "[]")
		kind, typed := strings.CutSuffix(kind, "[]")
		out[name] = param{kind, bare || typed}
	}
	return out
}

// globalParams are accepted by every method.
var globalParams = parseParams("$.xgafv:1|2 access_token alt:json|media|proto callback fields key oauth_token " +
	"prettyPrint:bool quotaUser uploadType upload_protocol")

// route finds the method for a verb and the escaped path segments below the user,
// with the values of its path parameters still escaped.
func route(verb string, segments []string) (*Method, map[string]string) {
	for i := range methods {
		if methods[i].Verb != verb {
			continue
		}
		if values, ok := matchPath(routes[i], segments); ok {
			return &methods[i], values
		}
	}
	return nil, nil
}

// routes are the methods' paths cut into segments. No two methods of one verb
// match the same path, which TestRoutesAreUnambiguous holds.
var routes = func() [][]string {
	out := make([][]string, len(methods))
	for i, m := range methods {
		out[i] = strings.Split(m.Path, "/")
	}
	return out
}()

func matchPath(template, segments []string) (map[string]string, bool) {
	if len(template) != len(segments) {
		return nil, false
	}
	values := map[string]string{}
	for i, t := range template {
		name, verb, ok := parameter(t)
		if !ok {
			if t != segments[i] {
				return nil, false
			}
			continue
		}
		value, found := strings.CutSuffix(segments[i], verb)
		if !found || value == "" {
			return nil, false
		}
		values[name] = value
	}
	return values, true
}

// parameter reads "{id}" and "{id}:enable".
func parameter(template string) (name, verb string, ok bool) {
	rest, ok := strings.CutPrefix(template, "{")
	if !ok {
		return "", "", false
	}
	name, verb, ok = strings.Cut(rest, "}")
	return name, verb, ok
}
