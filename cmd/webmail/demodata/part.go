package demodata

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
)

// part is a MIME entity: a leaf with a body or a multipart with children.
type part struct {
	mediaType   string
	params      map[string]string
	disposition string
	id          string // Content-ID without brackets
	body        []byte
	children    []*part
}

func multipart(kind string, children ...*part) *part {
	return &part{mediaType: "multipart/" + kind, params: map[string]string{}, children: children}
}

// attached is a file to be saved.
func attached(name, mediaType string, body []byte) *part {
	return &part{
		mediaType: mediaType, params: map[string]string{"name": name}, body: body,
		disposition: mime.FormatMediaType("attachment", map[string]string{"filename": name}),
	}
}

// inline is a picture that the HTML part shows by cid:.
func inline(name string, body []byte) *part {
	return &part{
		mediaType: "image/png", params: map[string]string{"name": name}, body: body, id: name,
		disposition: mime.FormatMediaType("inline", map[string]string{"filename": name}),
	}
}

// write appends the part's header and body. The seed makes its boundaries, which
// must differ from those inside it and be the same on every run.
func (p *part) write(b *bytes.Buffer, seed string) {
	if len(p.children) > 0 {
		boundary := "=_" + fingerprint(seed, p.mediaType, 0)
		p.params["boundary"] = boundary
		field(b, "Content-Type", mime.FormatMediaType(p.mediaType, p.params))
		for i, child := range p.children {
			fmt.Fprintf(b, "\r\n--%s\r\n", boundary)
			child.write(b, fmt.Sprintf("%s.%d", seed, i))
		}
		fmt.Fprintf(b, "\r\n--%s--\r\n", boundary)
		return
	}
	field(b, "Content-Type", mime.FormatMediaType(p.mediaType, p.params))
	if p.disposition != "" {
		field(b, "Content-Disposition", p.disposition)
	}
	if p.id != "" {
		field(b, "Content-ID", "<"+p.id+">")
	}
	p.writeBody(b)
}

// writeBody chooses the transfer encoding: what is seven bits wide and of short
// lines as it is, text that is mostly Latin quoted-printable, all else base64.
func (p *part) writeBody(b *bytes.Buffer) {
	isText := strings.HasPrefix(p.mediaType, "text/")
	switch {
	case p.mediaType == "message/rfc822":
		b.WriteString("\r\n")
		b.Write(p.body) // RFC 2046 allows no encoding here
	case isText && ascii(string(p.body)) && longest(p.body) < 200 || p.params["charset"] == "iso-2022-jp":
		field(b, "Content-Transfer-Encoding", "7bit")
		b.WriteString("\r\n")
		b.Write(crlf(p.body))
	case isText && wide(p.body) < len(p.body)/5:
		field(b, "Content-Transfer-Encoding", "quoted-printable")
		b.WriteString("\r\n")
		w := quotedprintable.NewWriter(b)
		w.Write(crlf(p.body)) // a bytes.Buffer takes everything
		w.Close()
	default:
		field(b, "Content-Transfer-Encoding", "base64")
		b.WriteString("\r\n")
		text := base64.StdEncoding.EncodeToString(p.body)
		for len(text) > 76 {
			b.WriteString(text[:76] + "\r\n")
			text = text[76:]
		}
		b.WriteString(text)
	}
}

func crlf(b []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}

func ascii(s string) bool { return wide([]byte(s)) == 0 }

// wide counts the bytes beyond ASCII.
func wide(b []byte) int {
	n := 0
	for _, c := range b {
		if c >= 0x80 {
			n++
		}
	}
	return n
}

func longest(b []byte) int {
	n := 0
	for line := range bytes.Lines(b) {
		n = max(n, len(line))
	}
	return n
}
