package mailhtml

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// bodyTree is a body after the allow-list, styles inlined, before its URLs are
// rewritten.
type bodyTree struct {
	root, html, body *html.Node
	urls             styleURLs
}

// readTree takes body through all steps that need nothing but an allow-list.
// It fails only when the markup is nested deeper than the parser goes.
func readTree(body string, rules *ruleset) (tree bodyTree, truncated bool, err error) {
	m := reduce(body, rules)
	root, err := html.Parse(strings.NewReader(rules.policy.Sanitize(m.html)))
	if err != nil {
		return tree, true, fmt.Errorf("mailhtml: parsing: %w", err)
	}
	tree.root, tree.html, tree.body = root, firstElement(root, atom.Html), firstElement(root, atom.Body)
	if tree.body == nil {
		return tree, true, fmt.Errorf("mailhtml: parsing: no body")
	}
	cut := trim(root)
	eachElement(root, func(n *html.Node) {
		if style := attr(n, "style"); style != "" {
			setAttr(n, "style", filterStyle(style, tree.urls.hold, false))
		}
	})
	inlined := inlineSheets(root, m.sheets, tree.urls.hold)
	return tree, m.truncated || cut || !inlined, nil
}

// styleURLs keeps the URLs of CSS backgrounds out of the hands of the inliner:
// while a style travels, a placeholder stands for its URL.
type styleURLs struct{ list []string }

const placeholder = "held-"

func (u *styleURLs) hold(url string) (string, bool) {
	u.list = append(u.list, url)
	return placeholder + strconv.Itoa(len(u.list)-1), true
}

// release returns the URL behind a placeholder; anything else is not one of ours.
func (u *styleURLs) release(s string) (string, bool) {
	digits, ok := strings.CutPrefix(s, placeholder)
	i, err := strconv.Atoi(digits)
	if !ok || err != nil || i < 0 || i >= len(u.list) {
		return "", false
	}
	return u.list[i], true
}

// trim removes what lies past maxElements and maxOutput, in document order,
// and reports whether anything did.
func trim(root *html.Node) (cut bool) {
	elements, size := 0, 0
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; {
			next := c.NextSibling
			size += len(c.Data)
			for _, a := range c.Attr {
				size += len(a.Key) + len(a.Val)
			}
			if c.Type == html.ElementNode {
				elements++
			}
			if elements > 2*maxElements || size > maxOutput {
				cut = true
				n.RemoveChild(c)
			} else {
				walk(c)
			}
			c = next
		}
	}
	walk(root)
	return cut
}

// eachElement calls f for every element under n, parents first.
func eachElement(n *html.Node, f func(*html.Node)) {
	if n.Type == html.ElementNode {
		f(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		eachElement(c, f)
	}
}

func firstElement(n *html.Node, a atom.Atom) *html.Node {
	if n.Type == html.ElementNode && n.DataAtom == a {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if found := firstElement(c, a); found != nil {
			return found
		}
	}
	return nil
}

// attr returns the value of an attribute, "" when there is none.
func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

// setAttr sets an attribute, or removes it when val is empty.
func setAttr(n *html.Node, key, val string) {
	for i, a := range n.Attr {
		if a.Key == key && a.Namespace == "" {
			if val == "" {
				n.Attr = append(n.Attr[:i], n.Attr[i+1:]...)
			} else {
				n.Attr[i].Val = val
			}
			return
		}
	}
	if val != "" {
		n.Attr = append(n.Attr, html.Attribute{Key: key, Val: val})
	}
}
