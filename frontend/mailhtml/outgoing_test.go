package mailhtml_test

import (
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend/mailhtml"
	"golang.org/x/net/html"
)

func TestSanitizeOutgoing(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"plain markup stays", `<p>Hi <b>Ann</b><br></p>`, `<p>Hi <b>Ann</b><br/></p>`},
		{"inline style stays", `<p style="color: #123456; padding: 4px">x</p>`, `<p style="color:#123456;padding:4px">x</p>`},
		{"placement goes", `<p style="position:fixed;top:0;color:red">x</p>`, `<p style="color:red">x</p>`},
		{"cid image stays", `<img src="cid:a@b" alt="me">`, `<img src="cid:a@b" alt="me"/>`},
		{"remote image stays", `<img src="https://example.com/a.png">`, `<img src="https://example.com/a.png"/>`},
		{"data image goes", `x<img src="data:image/png;base64,AAAA">`, `x`},
		{"tracker goes", `x<img src="https://example.com/a" width="1" height="1">`, `x`},
		{"picture of one's own stays", `<img src="https://example.com/u7f3a9c2e5b8d1f4a6c0e9b">`, `<img src="https://example.com/u7f3a9c2e5b8d1f4a6c0e9b"/>`},
		{"background goes", `<table background="https://example.com/a"><tbody><tr><td style="background:#fff url(https://example.com/a)">x</td></tr></tbody></table>`,
			`<table><tbody><tr><td style="background:#fff none">x</td></tr></tbody></table>`},
		{"script goes", `a<script>alert(1)</script>b`, `ab`},
		{"handler goes", `<p onclick="x()">a</p>`, `<p>a</p>`},
		{"script link goes", `<a href="javascript:x()">a</a>`, `<a>a</a>`},
		{"link stays as it is", `<a href="https://example.com/?a=1&amp;b=2">a</a>`, `<a href="https://example.com/?a=1&amp;b=2">a</a>`},
		{"identifier goes", `<p id="x"><a name="y">a</a></p>`, `<p><a>a</a></p>`},
		{"quote class stays", `<div class="gmail_quote other"><blockquote type="cite">a</blockquote></div>`,
			`<div class="gmail_quote"><blockquote type="cite">a</blockquote></div>`},
		{"document becomes fragment", `<html><head><title>t</title><style>p{color:red}</style></head><body bgcolor="#fff"><p>a</p></body></html>`, `<p>a</p>`},
		{"comment goes", `a<!-- secret -->b`, `ab`},
		{"form goes, text stays", `<form action="/x"><input value="v"><button>b</button></form>`, `b`},
		{"bidi stays", `<p dir="rtl" lang="he">שלום</p>`, `<p dir="rtl" lang="he">שלום</p>`},
	} {
		got, err := mailhtml.SanitizeOutgoing(c.body)
		if err != nil || got != c.want {
			t.Errorf("%s: SanitizeOutgoing(%q)\n got %q, %v\nwant %q", c.name, c.body, got, err, c.want)
		}
	}
}

// What cannot be sent whole is not sent in part.
func TestSanitizeOutgoingRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"too large":         strings.Repeat("a", mailhtml.MaxBody+1),
		"too many elements": strings.Repeat("<br>", mailhtml.MaxElements+1),
		"too deep":          strings.Repeat("<div>", 600),
	} {
		if got, err := mailhtml.SanitizeOutgoing(body); err == nil {
			t.Errorf("%s: got %d bytes and no error, want an error", name, len(got))
		}
	}
}

// sentViolations checks a fragment that would be sent.
func sentViolations(fragment string) []string {
	root, err := html.Parse(strings.NewReader(fragment))
	if err != nil {
		return []string{"does not parse: " + err.Error()}
	}
	var found []string
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.CommentNode || n.Type == html.ElementNode && (!safeElements[n.Data] || n.Namespace != "") {
			found = append(found, "node "+n.Data)
		}
		for _, a := range n.Attr {
			ok := safeAttributes[a.Key] && a.Namespace == ""
			switch a.Key {
			case "src":
				ok = strings.HasPrefix(a.Val, "cid:") || strings.HasPrefix(a.Val, "https://") || strings.HasPrefix(a.Val, "http://")
			case "href":
				ok = safeLink.MatchString(a.Val)
			case "style":
				ok = safeStyle(a.Val)
			case "id", "name", "usemap", "background", "target":
				ok = false
			}
			if !ok {
				found = append(found, "<"+n.Data+"> "+a.Key+"="+a.Val)
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return found
}
