package mimetree

import (
	"sort"
	"strconv"
	"strings"
)

// parseParams reads "value; name=text; ..." as Content-Type and
// Content-Disposition use it, with RFC 2231 charsets and continuations. It never
// fails: what it cannot read it leaves out.
func parseParams(s string) (value string, params map[string]string) {
	fields := splitSemicolons(s)
	value = strings.ToLower(strings.TrimSpace(fields[0]))
	params = map[string]string{}
	pieces := map[string][]piece{}
	for _, f := range fields[1:] {
		name, text, ok := strings.Cut(f, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" {
			continue
		}
		text = unquote(strings.TrimSpace(text))
		base, p, extended := parsePiece(name, text)
		if !extended {
			if _, dup := params[name]; !dup {
				params[name] = text
			}
			continue
		}
		pieces[base] = append(pieces[base], p)
	}
	for base, ps := range pieces {
		params[base] = joinPieces(ps)
	}
	return value, params
}

// piece is one section of an RFC 2231 parameter: name*3*=text.
type piece struct {
	index   int
	encoded bool
	text    string
}

func parsePiece(name, text string) (base string, p piece, extended bool) {
	base, tail, ok := strings.Cut(name, "*")
	if !ok || base == "" {
		return name, piece{}, false
	}
	p.text = text
	if tail == "" || strings.HasSuffix(tail, "*") {
		p.encoded = true
		tail = strings.TrimSuffix(tail, "*")
	}
	if tail != "" {
		n, err := strconv.Atoi(tail)
		if err != nil {
			return name, piece{}, false
		}
		p.index = n
	}
	return base, p, true
}

func joinPieces(ps []piece) string {
	sort.SliceStable(ps, func(i, j int) bool { return ps[i].index < ps[j].index })
	var raw []byte
	charset := ""
	for i, p := range ps {
		text := p.text
		if i == 0 && p.encoded {
			if cs, rest, ok := strings.Cut(text, "'"); ok {
				if _, data, ok := strings.Cut(rest, "'"); ok {
					charset, text = cs, data
				}
			}
		}
		if p.encoded {
			raw = append(raw, unpercent(text)...)
		} else {
			raw = append(raw, text...)
		}
	}
	return toUTF8(raw, charset)
}

func unpercent(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if b, ok := hexByte(s[i+1], s[i+2]); ok {
				out = append(out, b)
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}

// splitSemicolons cuts at semicolons outside quotes; it always returns at least one field.
func splitSemicolons(s string) []string {
	var out []string
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

func unquote(s string) string {
	if len(s) == 0 || s[0] != '"' {
		// an unquoted value ends at a comment or blank
		if i := strings.IndexAny(s, " \t("); i > 0 && !strings.Contains(s, "=?") {
			if strings.IndexByte(s[i:], '(') >= 0 {
				return s[:i]
			}
		}
		return s
	}
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		} else if s[i] == '"' {
			break
		}
		out.WriteByte(s[i])
	}
	return out.String()
}
