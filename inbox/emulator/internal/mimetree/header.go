package mimetree

import (
	"bytes"
	"strings"
)

// Header is one header field as Gmail's API shows it: the name as the sender
// wrote it, the value with folding removed and encoded-words decoded.
type Header struct{ Name, Value string }

// RawHeader is one header field as it stands in the message, for code that
// rewrites a header block without disturbing its neighbours.
type RawHeader struct {
	Name string
	// Line is the whole field with its folding and its line end.
	Line []byte
}

// Value is the decoded value of the field.
func (h RawHeader) Value() string {
	_, v, _ := bytes.Cut(h.Line, []byte(":"))
	return decodeValue(v)
}

// SplitHeader separates a message into its header fields and its body. Real
// mail is untidy, so it accepts bare LF and bare CR line ends, a leading mbox
// "From " line, blank lines before the first field and a missing blank line
// before the body: the first line that is no field begins the body.
func SplitHeader(raw []byte) (fields []RawHeader, body []byte) {
	rest := raw
	for {
		line, next := cutLine(rest)
		if len(line) == 0 {
			return fields, nil
		}
		text := trimEOL(line)
		switch {
		case len(fields) == 0 && len(bytes.TrimSpace(text)) == 0:
			// blank lines before the first field
		case len(text) == 0:
			return fields, next
		case len(fields) > 0 && (text[0] == ' ' || text[0] == '\t'):
			// A line of blanks alone is folding too: spam reports have them.
			last := &fields[len(fields)-1]
			last.Line = last.Line[:len(last.Line)+len(line)] // lines are adjacent in raw
		case len(fields) == 0 && (bytes.HasPrefix(text, []byte("From ")) || bytes.HasPrefix(text, []byte(">From "))):
			// an mbox separator left in front of the message
		default:
			name, ok := fieldName(bytes.TrimLeft(text, " \t"))
			if !ok {
				return fields, rest
			}
			fields = append(fields, RawHeader{Name: name, Line: line})
		}
		rest = next
	}
}

// fieldName reads the name before the colon: printable ASCII without space
// (RFC 5322, 3.6.8), trailing blanks forgiven.
func fieldName(line []byte) (string, bool) {
	name, _, ok := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !ok || len(name) == 0 {
		return "", false
	}
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return "", false
		}
	}
	return string(name), true
}

// cutLine returns the first line with its end and the rest. A line ends with LF,
// CRLF, the CRCRLF of broken gateways, or a lone CR. It looks no further than
// that, so that reading a message stays linear.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexAny(b, "\r\n")
	if i < 0 {
		return b, nil
	}
	end := i + 1
	for _, eol := range []string{"\n", "\r\n", "\r\r\n"} {
		if bytes.HasPrefix(b[i:], []byte(eol)) {
			end = i + len(eol)
		}
	}
	return b[:end], b[end:]
}

func trimEOL(line []byte) []byte { return bytes.TrimRight(line, "\r\n") }

// decodeValue removes folding (the line breaks only: the blanks stay, as in
// Gmail's answers), decodes 8-bit text and then encoded-words.
func decodeValue(v []byte) string {
	unfolded := make([]byte, 0, len(v))
	for _, c := range v {
		if c != '\r' && c != '\n' && c != 0 {
			unfolded = append(unfolded, c)
		}
	}
	return DecodeWords(toUTF8(bytes.TrimSpace(unfolded), ""))
}

// Get returns the first value of a header, compared without case, or "".
func Get(hs []Header, name string) string {
	for _, h := range hs {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func decodeHeaders(fields []RawHeader) []Header {
	out := make([]Header, len(fields))
	for i, f := range fields {
		out[i] = Header{f.Name, f.Value()}
	}
	return out
}
