// Package mimetree reads a mail message into the tree that Gmail's API shows as
// Message.payload: part ids, decoded headers, text transcoded to UTF-8, and the
// line between bodies (data inline) and attachments (fetched separately).
//
// It never refuses a message. Real mail breaks every rule of MIME, and a mailbox
// must show it all the same; what a mailer got wrong is read as Gmail most
// plausibly would. Parsing is linear in the size of the message times its nesting,
// which is capped at maxDepth; nothing is kept but slices of the input and the
// decoded bodies.
package mimetree

import (
	"bytes"
	"strconv"
	"strings"
)

const (
	maxDepth = 40    // deeper containers are shown as one attachment
	maxParts = 10000 // further parts of a message are left out
)

// Part is one node of the tree.
type Part struct {
	// ID is Gmail's partId: "" at the root, "0", "1", "0.1" below.
	ID string
	// MediaType is lower case, without parameters.
	MediaType string
	Filename  string
	Headers   []Header
	// Attachment says that the data is fetched separately: every leaf that is not
	// text, and text with a file name.
	Attachment bool
	// Body is the decoded content: UTF-8 for text shown inline, the bytes as sent
	// for attachments, nil for containers.
	Body []byte
	// Parts are the children of a multipart or of an embedded message.
	Parts []*Part
}

// Parse reads a whole message. raw is not changed and must not be changed later:
// bodies may be slices of it.
func Parse(raw []byte) *Part {
	p := &parser{}
	fields, body := SplitHeader(raw)
	return p.part(fields, body, "", "text/plain", 0)
}

// ParseHeaders reads the header block only.
func ParseHeaders(raw []byte) []Header {
	fields, _ := SplitHeader(raw)
	return decodeHeaders(fields)
}

// Walk visits every part, parents before children, until visit returns false.
func (p *Part) Walk(visit func(*Part) bool) bool {
	if !visit(p) {
		return false
	}
	for _, c := range p.Parts {
		if !c.Walk(visit) {
			return false
		}
	}
	return true
}

type parser struct{ parts int }

func (p *parser) part(fields []RawHeader, body []byte, id, defaultType string, depth int) *Part {
	p.parts++
	part := &Part{ID: id, Headers: decodeHeaders(fields)}
	media, params := contentType(fields, defaultType)
	part.MediaType = media
	part.Filename = filename(fields, params)
	encoding := Get(part.Headers, "Content-Transfer-Encoding")
	switch {
	case strings.HasPrefix(media, "multipart/") && depth < maxDepth:
		if p.children(part, body, params["boundary"], depth) {
			return part
		}
		// No boundary, or none found: the text would be lost in an empty container.
		part.MediaType = "text/plain"
		media = "text/plain"
	case media == "message/rfc822" && part.Filename == "" && depth < maxDepth:
		inner, innerBody := SplitHeader(decodeTransfer(body, encoding))
		part.Parts = []*Part{p.part(inner, innerBody, childID(id, 0), "text/plain", depth+1)}
		return part
	}
	part.Body = decodeTransfer(body, encoding)
	part.Attachment = !strings.HasPrefix(media, "text/") || part.Filename != ""
	if !part.Attachment {
		part.Body = []byte(toUTF8(part.Body, params["charset"]))
	}
	return part
}

// children splits a multipart body; false when it holds no part at all.
func (p *parser) children(part *Part, body []byte, boundary string, depth int) bool {
	defaultType := "text/plain"
	if part.MediaType == "multipart/digest" {
		defaultType = "message/rfc822"
	}
	for i, section := range splitParts(body, boundary) {
		if p.parts >= maxParts {
			break
		}
		fields, inner := splitPartHeader(section)
		part.Parts = append(part.Parts, p.part(fields, inner, childID(part.ID, i), defaultType, depth+1))
	}
	return len(part.Parts) > 0
}

// splitPartHeader differs from SplitHeader in one point: a part may have no
// header at all, and then its first line is blank.
func splitPartHeader(section []byte) ([]RawHeader, []byte) {
	line, rest := cutLine(section)
	if len(line) > 0 && len(trimEOL(line)) == 0 {
		return nil, rest
	}
	return SplitHeader(section)
}

// splitParts returns the sections between boundary lines. The line end before a
// boundary belongs to the boundary; a missing closing boundary ends at the body's end.
func splitParts(body []byte, boundary string) [][]byte {
	boundary = strings.TrimRight(boundary, " \t")
	if boundary == "" {
		return nil
	}
	delimiter := []byte("--" + boundary)
	var sections [][]byte
	start := -1 // where the open section begins, -1 before the first boundary
	rest, pos := body, 0
	for len(rest) > 0 {
		line, next := cutLine(rest)
		if after, ok := bytes.CutPrefix(line, delimiter); ok {
			tail := bytes.TrimRight(after, " \t\r\n")
			if len(tail) == 0 || bytes.Equal(tail, []byte("--")) {
				if start >= 0 && pos > start { // two boundary lines in a row hold no part
					sections = append(sections, cutLastEOL(body[start:pos]))
				}
				start = pos + len(line)
				if len(tail) > 0 {
					return sections
				}
			}
		}
		pos += len(line)
		rest = next
	}
	if start >= 0 && start < len(body) {
		sections = append(sections, body[start:])
	}
	return sections
}

func cutLastEOL(b []byte) []byte {
	if b, ok := bytes.CutSuffix(b, []byte("\r\n")); ok {
		return b
	}
	if n := len(b); n > 0 && (b[n-1] == '\n' || b[n-1] == '\r') {
		return b[:n-1]
	}
	return b
}

func childID(parent string, i int) string {
	if parent == "" {
		return strconv.Itoa(i)
	}
	return parent + "." + strconv.Itoa(i)
}

// contentType returns the media type with its parameters. A type without a slash
// or with illegal characters is text/plain (RFC 2045, 5.2).
func contentType(fields []RawHeader, defaultType string) (string, map[string]string) {
	for _, f := range fields {
		if !strings.EqualFold(f.Name, "Content-Type") {
			continue
		}
		media, params := parseParams(rawValue(f))
		media, _, _ = strings.Cut(media, " ")
		major, minor, ok := strings.Cut(media, "/")
		if !ok || major == "" || minor == "" || strings.ContainsAny(media, "\"(),:<>@[\\]?=") {
			media = "text/plain"
		}
		return media, params
	}
	return defaultType, nil
}

// filename prefers Content-Disposition's over Content-Type's name, as Gmail does.
func filename(fields []RawHeader, typeParams map[string]string) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, "Content-Disposition") {
			if _, params := parseParams(rawValue(f)); params["filename"] != "" {
				return DecodeWords(params["filename"])
			}
		}
	}
	return DecodeWords(typeParams["name"])
}

// rawValue is the value without decoding its encoded-words, whose text may hold semicolons.
func rawValue(f RawHeader) string {
	_, v, _ := bytes.Cut(f.Line, []byte(":"))
	v = bytes.ReplaceAll(bytes.ReplaceAll(v, []byte("\r"), nil), []byte("\n"), nil)
	return toUTF8(bytes.TrimSpace(v), "")
}
