package mimetree_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/totalengage/webmail/inbox/emulator/internal/mimetree"
)

func TestHeaders(t *testing.T) {
	for _, c := range []struct{ name, raw, want string }{
		{"order and case", "To: a\nTO: b\nto: c\n\nx", "To=a|TO=b|to=c"},
		{"folding", "Subject: one\r\n two\r\n\tthree\r\n\r\nx", "Subject=one two\tthree"},
		{"blank folding", "A: b\r\n \r\n c\r\nD: e\r\n\r\nx", "A=b  c|D=e"},
		{"mbox line first", "From x@y Mon\nA: b\n\nx", "A=b"},
		{"blank lines first", "\r\n\r\nA: b\r\n\r\nx", "A=b"},
		{"no blank line before the body", "A: b\nhello there\n", "A=b"},
		{"CR alone", "A: b\rC: d\r\rbody", "A=b|C=d"},
		{"CR CR LF", "A: b\r\r\nC: d\r\r\n\r\r\nbody", "A=b|C=d"},
		{"blank before the colon", "A : b\n\nx", "A=b"},
		{"8-bit UTF-8", "A: é\n\nx", "A=é"},
		{"8-bit latin", "A: caf\xe9\n\nx", "A=café"},
		{"encoded words joined", "A: =?utf-8?b?w6k=?= =?utf-8?q?_x?=\n\nx", "A=é x"},
		{"a character split between words", "A: =?utf-8?b?ww==?= =?utf-8?b?qQ==?=\n\nx", "A=é"},
		{"words with text between", "A: =?utf-8?q?a?= and =?utf-8?q?b?=\n\nx", "A=a and b"},
		{"shift-jis word", "A: =?iso-2022-jp?b?GyRCRnxLXBsoQg==?=\n\nx", "A=日本"},
		{"undecodable word stays", "A: =?utf-8?b?!!!?=\n\nx", "A==?utf-8?b?!!!?="},
		{"none", "no header here", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, h := range mimetree.ParseHeaders([]byte(c.raw)) {
				got = append(got, h.Name+"="+h.Value)
			}
			if s := strings.Join(got, "|"); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
		})
	}
}

func TestTree(t *testing.T) {
	for _, c := range []struct{ name, raw, want string }{
		{"plain", "A: b\n\nhi", `:text/plain"hi"`},
		{"no blank line", "A: b\nhi", `:text/plain"hi"`},
		{"bad type", "Content-Type: text\n\nhi", `:text/plain"hi"`},
		{"upper case", "Content-Type: TEXT/HTML; CHARSET=\"UTF-8\"\n\nhi", `:text/html"hi"`},
		{"root attachment", "Content-Type: application/pdf; name=a.pdf\n\nhi", `:application/pdf(a.pdf)*`},
		{"no boundary", "Content-Type: multipart/mixed\n\nhi", `:text/plain"hi"`},
		{"boundary never met", "Content-Type: multipart/mixed; boundary=x\n\nhi", `:text/plain"hi"`},
		{"not closed", "Content-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--x\n\nb", `:multipart/mixed[0:text/plain"a" 1:text/plain"b"]`},
		{"doubled boundary", "Content-Type: multipart/mixed; boundary=x\n\n--x\n--x\n\na\n--x--", `:multipart/mixed[0:text/plain"a"]`},
		{"boundary is a prefix", "Content-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--xy\nb\n--x--", `:multipart/mixed[0:text/plain"a\n--xy\nb"]`},
		{"digest", "Content-Type: multipart/digest; boundary=x\n\n--x\n\nSubject: s\n\nb\n--x--", `:multipart/digest[0:message/rfc822[0.0:text/plain"b"]]`},
		{"named rfc822", "Content-Type: message/rfc822; name=m.eml\n\nSubject: s\n\nb", `:message/rfc822(m.eml)*`},
		{"rfc2231", "Content-Disposition: attachment; filename*0*=iso-8859-1''%e9; filename*1=.txt\n\nx", `:text/plain(é.txt)*`},
		{"encoded name", "Content-Type: text/plain; name=\"=?utf-8?q?=C3=A9;a?=\"\n\nx", `:text/plain(é;a)*`},
		{"base64 with junk", "Content-Transfer-Encoding: BASE64\n\naGVs\n!bG8=\n\n", `:text/plain"hello"`},
		{"qp", "Content-Transfer-Encoding: quoted-printable\n\na=\nb =3D =zz  \nc", `:text/plain"ab = =zz\nc"`},
		{"utf-16", "Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n//5hAGIA", `:text/plain"ab"`},
		{"unknown charset", "Content-Type: text/plain; charset=nonsense\n\ncaf\xe9", `:text/plain"café"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := describe(mimetree.Parse([]byte(c.raw)))
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func describe(p *mimetree.Part) string {
	s := p.ID + ":" + p.MediaType
	if p.Filename != "" {
		s += "(" + p.Filename + ")"
	}
	switch {
	case p.Attachment:
		return s + "*"
	case p.Parts == nil:
		return s + fmt.Sprintf("%q", p.Body)
	}
	var children []string
	for _, c := range p.Parts {
		children = append(children, describe(c))
	}
	return s + "[" + strings.Join(children, " ") + "]"
}

func TestSnippet(t *testing.T) {
	long := strings.Repeat("word ", 60)
	for _, c := range []struct{ raw, want string }{
		{"A: b\n\n a  <b>\n\t& c", "a &lt;b&gt; &amp; c"},
		{"Content-Type: text/html\n\n<title>t</title><style>x{}</style><p>Hello&nbsp;<b>you</b></p><p>there &amp; here", "Hello you there &amp; here"},
		{"A: b\n\n" + long, strings.TrimSpace(strings.Repeat("word ", 40))},
		{"A: b\n\n" + strings.Repeat("é", 500), strings.Repeat("é", 200)},
		{"A: b\n\n", ""},
		{"Content-Type: application/pdf\n\nxxx", ""},
	} {
		if got := mimetree.Parse([]byte(c.raw)).Snippet(); got != c.want {
			t.Errorf("%.60q: got %q, want %q", c.raw, got, c.want)
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	var raw strings.Builder
	for i := range 500 {
		fmt.Fprintf(&raw, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	depth := 0
	for p := mimetree.Parse([]byte(raw.String())); p != nil; depth++ {
		if len(p.Parts) == 0 {
			break
		}
		p = p.Parts[0]
	}
	if depth < 10 || depth > 100 {
		t.Errorf("depth %d", depth)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"A: b\n\nhi",
		"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/rfc822\n\nS: =?utf-8?b?w6k=?=\n\nb\n--x--",
		"Content-Type: text/html; charset*0*=utf-8''%e9\nContent-Transfer-Encoding: base64\n\nPGI+",
		"\r\r\n\r",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		root := mimetree.Parse(raw)
		root.Walk(func(p *mimetree.Part) bool {
			if !p.Attachment && !utf8.Valid(p.Body) {
				t.Errorf("part %q holds text that is not UTF-8", p.ID)
			}
			if p.Parts != nil && p.Body != nil {
				t.Errorf("part %q is a container with a body", p.ID)
			}
			for _, h := range p.Headers {
				if !utf8.ValidString(h.Value) || strings.ContainsAny(h.Value, "\r\n") {
					t.Errorf("header value %q", h.Value)
				}
			}
			return true
		})
		if s := root.Snippet(); !utf8.ValidString(s) || strings.ContainsAny(s, "<>\n") {
			t.Errorf("snippet %q", s)
		}
	})
}
