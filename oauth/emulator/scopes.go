package emulator

import "slices"

// scopeLine is one line of the consent page.
type scopeLine struct {
	Scope       string // name that tokens will carry
	Description string // what it lets an application do
	Tick        bool   // the person may leave it out
	Held        bool   // the application has it already
}

// canonical is the name that tokens carry for a scope.
func (s *Server) canonical(scope string) string {
	if long, ok := s.aliases[scope]; ok {
		return long
	}
	return scope
}

// signInScope describes the scopes that say who someone is. They come with
// signing in and cannot be left out.
func (s *Server) signInScope(scope string) (description string, ok bool) {
	switch scope {
	case "openid":
		return "Associate you with your personal info on " + s.name, true
	case s.canonical("email"):
		return "See your primary " + s.name + " email address", true
	case s.canonical("profile"):
		return "See your personal info, such as your name", true
	}
	return "", false
}

// resolveScopes turns what was asked for into lines, unknown scopes into an
// error. held are the scopes the application has.
func (s *Server) resolveScopes(asked, held []string) ([]scopeLine, *oauthError) {
	var lines []scopeLine
	for _, scope := range asked {
		scope = s.canonical(scope)
		if slices.ContainsFunc(lines, func(l scopeLine) bool { return l.Scope == scope }) {
			continue // "email" and its long name were both asked for
		}
		line := scopeLine{Scope: scope, Held: slices.Contains(held, scope)}
		if description, ok := s.signInScope(scope); ok {
			line.Description = description
		} else if description, ok := s.scopes[scope]; ok {
			line.Description = description
			line.Tick = !line.Held
		} else {
			return nil, badRequest("invalid_scope", "Some requested scopes were invalid.")
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// allScopes lists every scope the provider knows, for discovery.
func (s *Server) allScopes() []string {
	all := []string{"openid", "email", "profile"}
	var ticked []string
	for scope := range s.scopes {
		ticked = append(ticked, scope)
	}
	slices.Sort(ticked)
	return append(all, ticked...)
}

// union appends to a what b adds, without touching either's array.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, scope := range b {
		if !slices.Contains(all, scope) {
			all = append(all, scope)
		}
	}
	return all
}
