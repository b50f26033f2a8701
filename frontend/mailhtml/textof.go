package mailhtml

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// TextOf returns the plain text of an HTML body: the text/plain alternative of
// outgoing mail, and what a plain text reply quotes. Links whose text does not
// show their address are followed by it in angle brackets; quotes are marked
// with '>'. Tables become lines with a tab between cells.
func TextOf(body string) string {
	body, _ = decode(body)
	root, err := html.Parse(strings.NewReader(reduce(body, displayRules).html))
	if err != nil {
		return strings.TrimSpace(rawText(body))
	}
	trim(root)
	w := plainWriter{fresh: true}
	w.children(root)
	return strings.TrimRight(strings.TrimLeft(w.out.String(), "\n"), " \t\n")
}

// rawText returns the text tokens of a body that cannot be parsed.
func rawText(body string) string {
	m := reduce(body, &ruleset{})
	return html.UnescapeString(m.html)
}

// A plainWriter lays out text as a terminal would.
type plainWriter struct {
	out    strings.Builder
	prefix string // of each line: quote marks and list indent
	fresh  bool   // at the start of a line
	blank  int    // line ends just written
	space  bool   // white space is due before the next word
	pre    int    // nesting of <pre>
}

func (w *plainWriter) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch c.Type {
		case html.TextNode:
			w.text(c.Data)
		case html.ElementNode:
			if !hidden(c) {
				w.element(c)
			}
		case html.DocumentNode:
			w.children(c)
		}
	}
}

func (w *plainWriter) element(n *html.Node) {
	switch n.DataAtom {
	case atom.Br:
		w.newline()
	case atom.Hr:
		w.block(1)
		w.word("----------")
		w.block(1)
	case atom.Img:
		if alt := strings.TrimSpace(attr(n, "alt")); alt != "" {
			w.text("[" + alt + "]")
		}
	case atom.A:
		w.anchor(n)
	case atom.Td, atom.Th:
		if !w.fresh {
			w.word("\t")
		}
		w.space = false
		w.children(n)
	case atom.Li:
		w.block(1)
		w.word("- ")
		w.indented("  ", n)
	case atom.Blockquote:
		w.block(1)
		w.indented("> ", n)
	case atom.Pre:
		w.block(1)
		w.pre++
		w.children(n)
		w.pre--
		w.block(1)
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Dl:
		w.block(2)
		w.children(n)
		w.block(2)
	case atom.Div, atom.Tr, atom.Table, atom.Center, atom.Section, atom.Article, atom.Header, atom.Footer,
		atom.Dt, atom.Dd, atom.Address, atom.Figure, atom.Details, atom.Summary, atom.Caption:
		w.block(1)
		w.children(n)
		w.block(1)
	default:
		w.children(n)
	}
}

// indented writes the content of n with more before each line.
func (w *plainWriter) indented(more string, n *html.Node) {
	old := w.prefix
	if len(old) < 2*maxQuoteDepth {
		w.prefix += more
	}
	w.children(n)
	w.block(1)
	w.prefix = old
}

func (w *plainWriter) anchor(n *html.Node) {
	before := w.out.Len()
	w.children(n)
	shown := strings.TrimSpace(w.out.String()[before:])
	target, ok := linkTarget(attr(n, "href"))
	if !ok || shown == "" {
		return
	}
	bare := strings.TrimPrefix(strings.TrimPrefix(target, "mailto:"), "tel:")
	if shown != target && shown != bare && strings.TrimSuffix(bare, "/") != shown {
		w.text(" <" + target + ">")
	}
}

func (w *plainWriter) text(s string) {
	if w.pre > 0 {
		for i, line := range strings.Split(s, "\n") {
			if i > 0 {
				w.newline()
			}
			if line != "" {
				w.word(line)
			}
		}
		return
	}
	for s != "" {
		i := strings.IndexAny(s, " \t\r\n\f")
		if i < 0 {
			w.word(s)
			return
		}
		if i > 0 {
			w.word(s[:i])
		}
		w.space = true
		s = s[i+1:]
	}
}

// word writes s after the white space that is due.
func (w *plainWriter) word(s string) {
	if w.fresh {
		w.out.WriteString(w.prefix)
	} else if w.space {
		w.out.WriteByte(' ')
	}
	w.out.WriteString(s)
	w.fresh, w.space, w.blank = false, false, 0
}

func (w *plainWriter) newline() {
	if w.fresh {
		w.out.WriteString(strings.TrimRight(w.prefix, " "))
	}
	w.out.WriteByte('\n')
	w.fresh, w.space = true, false
	w.blank++
}

// block ends the line, and leaves an empty one when n is 2.
func (w *plainWriter) block(n int) {
	w.space = false
	if w.out.Len() == 0 {
		return
	}
	if !w.fresh {
		w.out.WriteByte('\n')
		w.fresh = true
		w.blank = 1
	}
	for w.blank < n {
		w.newline()
	}
}

func hidden(n *html.Node) bool {
	style := attr(n, "style")
	if !strings.Contains(style, "none") {
		return false
	}
	for _, d := range declarations(style) {
		if d.property == "display" && strings.EqualFold(d.value, "none") {
			return true
		}
	}
	return false
}
