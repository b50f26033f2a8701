package mailhtml

import (
	"strings"
)

// A cssToken is one piece of a CSS value.
type cssToken struct {
	kind cssKind
	text string // ident, function name, number, hash, string content, URL
	unit string // of a number, lower case, "" or "%" or "px" ...
}

type cssKind int

const (
	cssIdent    cssKind = iota
	cssFunction         // name, with its opening parenthesis
	cssNumber
	cssHash
	cssString
	cssURL
	cssSpace
	cssPunct // , / ( ) + - * !
)

// lexCSS splits a CSS value into tokens. It knows less than CSS on purpose and
// answers false to all else: escapes, comments (removed before), unclosed
// strings and parentheses, control characters, variables, colons, braces.
// Browsers disagree with each other, and with filters, only about such input.
func lexCSS(s string) ([]cssToken, bool) {
	var tokens []cssToken
	depth := 0
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case isCSSSpace(c):
			for i < len(s) && isCSSSpace(s[i]) {
				i++
			}
			tokens = append(tokens, cssToken{kind: cssSpace})

		case c == '"' || c == '\'':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 || !plainString(s[i+1:i+1+end]) {
				return nil, false
			}
			tokens = append(tokens, cssToken{kind: cssString, text: s[i+1 : i+1+end]})
			i += end + 2

		case c == '#':
			end := i + 1
			for end < len(s) && isIdentByte(s[end]) {
				end++
			}
			if end == i+1 {
				return nil, false
			}
			tokens = append(tokens, cssToken{kind: cssHash, text: s[i+1 : end]})
			i = end

		case startsNumber(s[i:]):
			t, n := lexNumber(s[i:])
			tokens = append(tokens, t)
			i += n

		case isIdentStart(c) || c == '-' && i+1 < len(s) && isIdentStart(s[i+1]):
			end := i + 1
			for end < len(s) && isIdentByte(s[end]) {
				end++
			}
			name := strings.ToLower(s[i:end])
			if end == len(s) || s[end] != '(' {
				tokens = append(tokens, cssToken{kind: cssIdent, text: s[i:end]})
				i = end
				break
			}
			if name == "url" {
				address, n, ok := lexURL(s[end+1:])
				if !ok {
					return nil, false
				}
				tokens = append(tokens, cssToken{kind: cssURL, text: address})
				i = end + 1 + n
				break
			}
			tokens = append(tokens, cssToken{kind: cssFunction, text: name})
			depth++
			i = end + 1

		case strings.IndexByte(",/()+-*!", c) >= 0:
			switch c {
			case '(':
				depth++
			case ')':
				depth--
			}
			if depth < 0 {
				return nil, false
			}
			tokens = append(tokens, cssToken{kind: cssPunct, text: string(c)})
			i++

		default:
			return nil, false
		}
	}
	return tokens, depth == 0
}

// lexURL reads what follows "url(", up to and including ")".
func lexURL(s string) (address string, n int, ok bool) {
	end := strings.IndexByte(s, ')')
	if end < 0 {
		return "", 0, false
	}
	inner := strings.Trim(s[:end], " \t\r\n\f")
	if q := inner; q != "" && (q[0] == '"' || q[0] == '\'') {
		// Quoted: the URL may hold a parenthesis, so look for the quote.
		start := strings.IndexByte(s, q[0])
		quote := strings.IndexByte(s[start+1:], q[0])
		if quote < 0 {
			return "", 0, false
		}
		inner = s[start+1 : start+1+quote]
		rest := s[start+quote+2:]
		trimmed := strings.TrimLeft(rest, " \t\r\n\f")
		if trimmed == "" || trimmed[0] != ')' {
			return "", 0, false
		}
		end = len(s) - len(trimmed)
	} else if strings.ContainsAny(inner, "'\"( \t\r\n\f") {
		return "", 0, false
	}
	return inner, end + 1, plainString(inner)
}

// plainString reports whether s can stand in a CSS string as it is.
func plainString(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == 0x7f || strings.IndexByte(`\"'<>{}`, s[i]) >= 0 {
			return false
		}
	}
	return true
}

func lexNumber(s string) (cssToken, int) {
	i := 0
	if s[i] == '+' || s[i] == '-' {
		i++
	}
	for i < len(s) && (isDigit(s[i]) || s[i] == '.') {
		i++
	}
	end := i
	if end < len(s) && s[end] == '%' {
		end++
	} else {
		for end < len(s) && isIdentByte(s[end]) {
			end++
		}
	}
	return cssToken{kind: cssNumber, text: s[:i], unit: strings.ToLower(s[i:end])}, end
}

func startsNumber(s string) bool {
	if s[0] == '+' || s[0] == '-' {
		s = s[1:]
	}
	if s != "" && s[0] == '.' {
		s = s[1:]
	}
	return s != "" && isDigit(s[0])
}

func isDigit(c byte) bool      { return c >= '0' && c <= '9' }
func isCSSSpace(c byte) bool   { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
func isIdentStart(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80 }
func isIdentByte(c byte) bool  { return isIdentStart(c) || isDigit(c) || c == '-' }
