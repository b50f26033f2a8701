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

// Built reports whether a method has a handler.
func Built(id string) bool { return handlers[id] != nil }

// ReadBatch is the batch reader, for fuzzing: the number of parts and of those
// that could be read.
func ReadBatch(body []byte, boundary string) (parts, good int) {
	list, err := readBatch(body, boundary)
	if err != nil {
		return 0, 0
	}
	for _, p := range list {
		if p.bad == "" {
			good++
		}
	}
	return len(list), good
}

// Certificates reads the PKCS#7 of a key pair, for fuzzing.
var Certificates = certificates

// ReadJournalLine reads a line and writes it again, for fuzzing; false when it is damaged.
func ReadJournalLine(line []byte) (again []byte, ok bool) {
	l, ok := parseLine(line)
	return formatLine(l.User, l.Entries), ok
}
