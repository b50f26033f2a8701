package emulator

import "strings"

// What the tests need from inside: the tables.

var (
	Schemas      = schemas
	LabelColors  = labelColors
	GlobalParams = globalParams
)

func (p param) Kind() string {
	if p.repeated {
		return p.kind + "[]"
	}
	return p.kind
}

// Matches reports whether a path below the user is the method's.
func Matches(m Method, path string) bool {
	_, ok := matchPath(strings.Split(m.Path, "/"), strings.Split(path, "/"))
	return ok
}
