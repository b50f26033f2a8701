package mimetree

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// snippetLength is Gmail's limit in characters, before escaping.
const snippetLength = 200

var snippetEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

// Snippet is the beginning of the message's text: white space collapsed, cut at
// a word, HTML-escaped.
func (p *Part) Snippet() string {
	words := strings.Fields(visible(p.Text(8 << 10)))
	var out strings.Builder
	n := 0
	for _, w := range words {
		length := utf8.RuneCountInString(w)
		if n > 0 && n+1+length > snippetLength {
			break
		}
		if n == 0 && length > snippetLength { // one long word: cut it
			w, length = string([]rune(w)[:snippetLength]), snippetLength
		}
		if n > 0 {
			out.WriteByte(' ')
			n++
		}
		out.WriteString(w)
		n += length
	}
	return snippetEscaper.Replace(out.String())
}

// visible drops characters that only pad a preheader or have no width.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u200b' || r == '\u200c' || r == '\u200d' || r == '\ufeff' || r == '\u034f' || r == '\u00ad':
			return -1
		case r < ' ' && r != '\n' && r != '\t' && r != '\r':
			return -1
		}
		return r
	}, s)
}

// Text is the readable text of the first text part: plain text if there is one,
// else HTML without its tags. At most about limit bytes are looked at; 0 means all.
func (p *Part) Text(limit int) string {
	var plain, markup *Part
	p.Walk(func(q *Part) bool {
		if q.Attachment || q.Parts != nil {
			return true
		}
		switch {
		case q.MediaType == "text/html":
			if markup == nil {
				markup = q
			}
		case plain == nil && len(bytes.TrimSpace(q.Body)) > 0:
			plain = q
		}
		return plain == nil
	})
	switch {
	case plain != nil:
		return head(plain.Body, limit)
	case markup != nil:
		return StripHTML(markup.Body, limit)
	}
	return ""
}

func head(b []byte, limit int) string {
	if limit > 0 && len(b) > limit {
		b = b[:limit]
	}
	return strings.ToValidUTF8(string(b), "")
}

// StripHTML returns the text of a document without tags, styles and scripts. It
// stops after about limit bytes of text; 0 means all.
func StripHTML(doc []byte, limit int) string {
	var out strings.Builder
	tokens := html.NewTokenizer(bytes.NewReader(doc))
	tokens.SetMaxBuf(1 << 20)
	hidden := 0 // depth of elements whose text is not shown
	for limit <= 0 || out.Len() < limit {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			break
		}
		switch kind {
		case html.TextToken:
			if hidden == 0 {
				out.Write(tokens.Text())
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := tokens.TagName()
			switch atom.Lookup(name) {
			case atom.Style, atom.Script, atom.Title, atom.Template:
				if kind == html.StartTagToken {
					hidden++
				} else if kind == html.EndTagToken && hidden > 0 {
					hidden--
				}
			case atom.A, atom.B, atom.I, atom.U, atom.Em, atom.Strong, atom.Span, atom.Font, atom.Small, atom.Code:
				// inline: no word break
			default:
				out.WriteByte(' ')
			}
		}
	}
	return strings.ToValidUTF8(out.String(), "")
}
