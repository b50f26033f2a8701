package mailhtml_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend/mailhtml"
	"golang.org/x/net/html"
)

// The prefixes under which the callbacks of testOptions serve images and links.
// Nothing else may be loaded by a document made with them.
const (
	inlinePrefix = "/inline/"
	proxyPrefix  = "/proxy/"
)

// testOptions serve every inline image and proxy every remote one, so that a
// payload gets as far as it can.
func testOptions() mailhtml.Options {
	return mailhtml.Options{
		InlineImage:    func(id string) (string, bool) { return inlinePrefix + fmt.Sprintf("%x", id), true },
		RemoteImage:    func(url string) (string, bool) { return proxyPrefix + fmt.Sprintf("%x", url), true },
		CollapseQuotes: true,
	}
}

// safeElements and safeAttributes are written down again here, apart from the
// package's own list: a slip there shows against this one.
var (
	safeElements = words(`a abbr acronym address area article aside b bdi bdo big blockquote br caption center cite code
		col colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins
		kbd li main map mark nav ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table
		tbody td tfoot th thead time tr tt u ul var wbr html head body`)
	safeAttributes = words(`abbr align alt bgcolor border bordercolor cellpadding cellspacing class clear color colspan
		compact coords datetime dir face frame height href hspace id lang name noshade nowrap open rel reversed rowspan
		rules scope shape size span src start style summary target text title type usemap valign value vspace width
		data-theme`)
	ownClasses = words("mail text quote paper")
	safeCalls  = words("rgb( rgba( hsl( hsla( calc( min( max( clamp( linear-gradient( radial-gradient(")
)

var (
	safeLink  = regexp.MustCompile(`^(?:https?://[^/?#\s"'<>\\]|mailto:.|tel:.|#m-[A-Za-z0-9_.:-]+$)`)
	safeImage = regexp.MustCompile(`^(?:` + inlinePrefix + `[0-9a-f]*$|` + proxyPrefix + `[0-9a-f]*$|data:image/(?:png|jpe?g|gif|webp|bmp|avif|x-icon|vnd\.microsoft\.icon);base64,[A-Za-z0-9+/=]+$)`)
	ownURL    = regexp.MustCompile(`url\('(?:` + inlinePrefix + `|` + proxyPrefix + `|data:image/)[^'()\\"<>\s]*'\)`)
	cssCall   = regexp.MustCompile(`[\w-]+\(`)
	unsafeCSS = regexp.MustCompile(`(?i)[@\\<>{}!]|/\*|:[^;]*:|(?:^|[;\s])(?:--[^:;]*|position|z-index|top|left|right|bottom|content|filter|animation[\w-]*|transition[\w-]*|transform|all|cursor|behaviou?r|[\w-]*binding)\s*:`)
	ownID     = regexp.MustCompile(`^m-[A-Za-z0-9_.:-]+$`)
)

// violations parses a document as a browser would and returns every way in
// which it breaks what this package promises.
func violations(document []byte) []string {
	root, err := html.Parse(strings.NewReader(string(document)))
	if err != nil {
		return []string{"does not parse: " + err.Error()}
	}
	var found []string
	complain := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch n.Type {
		case html.CommentNode:
			complain("comment %q", n.Data)
		case html.DoctypeNode:
			if n.Data != "html" || len(n.Attr) > 0 {
				complain("doctype %q", n.Data)
			}
		case html.ElementNode:
			if n.Data == "head" {
				if got := inner(n); got != ownHead {
					complain("head is %q", got)
				}
				return
			}
			for _, v := range elementViolations(n) {
				complain("<%s>: %s", n.Data, v)
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return found
}

func elementViolations(n *html.Node) []string {
	var found []string
	complain := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if !safeElements[n.Data] || n.Namespace != "" {
		complain("element not allowed (namespace %q)", n.Namespace)
	}
	linked := false
	for _, a := range n.Attr {
		if !safeAttributes[a.Key] || a.Namespace != "" {
			complain("attribute %s:%s", a.Namespace, a.Key)
		}
		switch a.Key {
		case "href":
			linked = !strings.HasPrefix(a.Val, "#")
			if !safeLink.MatchString(a.Val) {
				complain("link to %q", a.Val)
			}
		case "src":
			if n.Data != "img" || !safeImage.MatchString(a.Val) {
				complain("image %q", a.Val)
			}
		case "style":
			if !safeStyle(a.Val) {
				complain("style %q", a.Val)
			}
		case "id", "name":
			if !ownID.MatchString(a.Val) {
				complain("%s %q", a.Key, a.Val)
			}
		case "usemap":
			if !strings.HasPrefix(a.Val, "#m-") {
				complain("usemap %q", a.Val)
			}
		case "class":
			if !ownClasses[a.Val] {
				complain("class %q", a.Val)
			}
		case "target":
			if a.Val != "_blank" {
				complain("target %q", a.Val)
			}
		}
	}
	if linked && (attribute(n, "target") != "_blank" || attribute(n, "rel") != "noopener noreferrer nofollow") {
		complain("link without target or rel")
	}
	return found
}

// safeStyle judges a style attribute by what must not be in it: any function
// but the known ones, any URL but ours, anything that ends a declaration list.
func safeStyle(style string) bool {
	style = ownURL.ReplaceAllString(style, "")
	for _, call := range cssCall.FindAllString(style, -1) {
		if !safeCalls[strings.ToLower(call)] {
			return false
		}
	}
	return !unsafeCSS.MatchString(style)
}

// ownHead is the head of every document without title, with our stylesheet.
var ownHead = func() string {
	doc, err := mailhtml.RenderHTML("", mailhtml.Options{})
	if err != nil {
		panic(err)
	}
	root, err := html.Parse(strings.NewReader(string(doc.HTML)))
	if err != nil {
		panic(err)
	}
	return inner(find(root, "head"))
}()

// assertSafe renders body and fails on every violation. It returns the document.
func assertSafe(t *testing.T, body string) mailhtml.Document {
	t.Helper()
	doc, err := mailhtml.RenderHTML(body, testOptions())
	if err != nil {
		t.Fatalf("RenderHTML: %v", err)
	}
	for _, v := range violations(doc.HTML) {
		t.Errorf("%s\n  body     %.300q\n  document %.600q", v, body, content(doc))
	}
	return doc
}

// content returns what is inside our <div class="mail"> of a document.
func content(doc mailhtml.Document) string {
	root, err := html.Parse(strings.NewReader(string(doc.HTML)))
	if err != nil {
		return "unparsable: " + err.Error()
	}
	return strings.TrimSpace(inner(find(root, "div")))
}

func find(n *html.Node, element string) *html.Node {
	if n.Type == html.ElementNode && n.Data == element {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if found := find(c, element); found != nil {
			return found
		}
	}
	return nil
}

func inner(n *html.Node) string {
	var out strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if err := html.Render(&out, c); err != nil {
			return "cannot be rendered: " + err.Error()
		}
	}
	return out.String()
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}
