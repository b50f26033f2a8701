package mailhtml_test

import (
	"io"
	"log"
	"sort"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/totalengage/webmail/frontend/mailhtml"
	"github.com/vanng822/go-premailer/premailer"
	"golang.org/x/net/html"
)

// Groups of what makes a mail look as its sender drew it.
var looks = []struct {
	name                   string
	properties, attributes map[string]bool
}{
	{"colour", words("color"), words("color text")},
	{"background", words("background background-color"), words("bgcolor")},
	{"spacing", words("padding padding-top padding-right padding-bottom padding-left margin margin-top margin-bottom"), words("cellpadding cellspacing hspace vspace")},
	{"size", words("width height max-width"), words("width height")},
	{"font", words("font font-family font-size font-weight line-height text-align text-decoration"), words("face size align")},
	{"border", words("border border-top border-bottom border-radius border-collapse"), words("border")},
}

// The reference is go-premailer alone, without any sanitizing: how much of what
// it puts, or leaves, on elements is still there in our document. More than all
// is possible: alone, its CSS parser stops at some rules that we never show it.
func TestLooksSurvive(t *testing.T) {
	// go-premailer logs the names of at-rules; see the package comment.
	log.SetOutput(io.Discard)
	defer log.SetOutput(log.Default().Writer())
	for _, c := range []struct {
		folder, ext string
		floor       float64
	}{
		{"html-templates", ".html", 0.95},
		{"newsletters-2002", ".eml", 0.95},
	} {
		dir := corpus(t, c.folder)
		if dir == "" {
			return
		}
		want, got := map[string]int{}, map[string]int{}
		for _, file := range filesUnder(t, dir, c.ext) {
			mails := []string{string(readFile(t, file))}
			if c.ext == ".eml" {
				mails = bodies(readFile(t, file), "text/html")
			}
			for _, body := range mails {
				countLooks(t, reference(t, body), want)
				doc := assertSafe(t, body)
				countLooks(t, string(doc.HTML), got)
			}
		}
		t.Logf("%-18s %-12s %8s %8s %8s", c.folder, "looks", "in", "out", "kept")
		for _, group := range looks {
			in, out := want[group.name], got[group.name]
			t.Logf("%-18s %-12s %8d %8d %8s", "", group.name, in, out, percent(out, in))
			if in == 0 || float64(out) < c.floor*float64(in) {
				t.Errorf("%s: %s: %d of %d kept, want at least %.0f %%", c.folder, group.name, out, in, 100*c.floor)
			}
		}
	}
}

// reference inlines the sheets of a body and nothing more.
func reference(t *testing.T, body string) string {
	t.Helper()
	p, err := premailer.NewPremailerFromString(body, premailer.NewOptions(premailer.WithCssToAttributes(false)))
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Transform()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// countLooks adds up, for each group, the elements that have something of it.
// Trackers, which go, and what nobody sees are not counted.
func countLooks(t *testing.T, document string, counts map[string]int) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && (n.Data == "img" || !safeElements[n.Data] || n.Data == "head") {
			return
		}
		for _, group := range looks {
			if n.Type == html.ElementNode && has(n, group.properties, group.attributes) {
				counts[group.name]++
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
}

func has(n *html.Node, properties, attributes map[string]bool) bool {
	for _, a := range n.Attr {
		if attributes[a.Key] && a.Val != "" {
			return true
		}
		if a.Key != "style" {
			continue
		}
		for _, declaration := range strings.Split(a.Val, ";") {
			property, _, _ := strings.Cut(declaration, ":")
			if properties[strings.ToLower(strings.TrimSpace(property))] {
				return true
			}
		}
	}
	return false
}

// The text of a body is all there, in order, whatever becomes of its markup.
func TestTextSurvives(t *testing.T) {
	dir := corpus(t, "html-templates")
	if dir == "" {
		return
	}
	files := filesUnder(t, dir, ".html")
	sort.Strings(files)
	for _, file := range files {
		body := strings.TrimPrefix(string(readFile(t, file)), "\ufeff")
		if !utf8.ValidString(body) {
			continue // in another charset, which is decoded before a body gets here
		}
		doc, err := mailhtml.RenderHTML(body, mailhtml.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want, got := strings.Fields(plain(t, body)), strings.Fields(plain(t, string(doc.HTML)))
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %d words, want %d", file, len(got), len(want))
		}
	}
}

// plain is the text of a document as a parser sees it, without raw text.
func plain(t *testing.T, document string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch n.Data {
		case "script", "style", "title", "noscript", "head":
			if n.Type == html.ElementNode {
				return
			}
		}
		if n.Type == html.TextNode {
			out.WriteString(n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return out.String()
}
