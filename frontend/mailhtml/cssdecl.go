package mailhtml

import "strings"

// A declaration is one "property: value" of a style attribute or a rule.
type declaration struct {
	property  string // lower case
	value     string // as written, without !important
	important bool
}

// declarations reads a CSS declaration list. It finds the semicolons that end
// declarations as a browser does, past strings, parentheses and blocks; what a
// value holds is judged later.
func declarations(s string) []declaration {
	s = withoutComments(s[:min(len(s), maxStyleAttr)])
	var list []declaration
	for s != "" && len(list) < maxDeclarations {
		end := statementEnd(s, ';')
		if d, ok := readDeclaration(s[:end]); ok {
			list = append(list, d)
		}
		s = s[min(end+1, len(s)):]
	}
	return list
}

func readDeclaration(s string) (declaration, bool) {
	property, value, ok := strings.Cut(s, ":")
	property = strings.ToLower(strings.Trim(property, " \t\r\n\f"))
	value = strings.Trim(value, " \t\r\n\f")
	if !ok || property == "" || value == "" {
		return declaration{}, false
	}
	d := declaration{property: property, value: value}
	if i := strings.LastIndexByte(value, '!'); i >= 0 && strings.EqualFold(strings.Trim(value[i+1:], " \t\r\n\f"), "important") {
		d.value, d.important = strings.TrimRight(value[:i], " \t\r\n\f"), true
	}
	return d, true
}

// statementEnd returns the index in s of the first stop byte outside strings
// and brackets, or len(s).
func statementEnd(s string, stop byte) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == stop && depth == 0:
			return i
		case c == '\\':
			i++
		case c == '"' || c == '\'':
			i = stringEnd(s, i)
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth = max(0, depth-1)
		}
	}
	return len(s)
}

// stringEnd returns the index of the byte that ends the string starting at i:
// its quote or, as CSS has it, the end of the line.
func stringEnd(s string, i int) int {
	quote := s[i]
	for i++; i < len(s); i++ {
		switch s[i] {
		case quote, '\n', '\r', '\f':
			return i
		case '\\':
			i++
		}
	}
	return len(s)
}

// withoutComments replaces each CSS comment outside a string by a space.
func withoutComments(s string) string {
	if !strings.Contains(s, "/*") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		switch {
		case s[i] == '"' || s[i] == '\'':
			end := min(stringEnd(s, i)+1, len(s))
			out.WriteString(s[i:end])
			i = end
		case strings.HasPrefix(s[i:], "/*"):
			out.WriteByte(' ')
			end := strings.Index(s[i+2:], "*/")
			if end < 0 {
				return out.String()
			}
			i += 2 + end + 2
		default:
			out.WriteByte(s[i])
			i++
		}
	}
	return out.String()
}
