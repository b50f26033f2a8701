package mailhtml

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// outgoingRules are for mail that leaves: what the editor writes and what a
// reply quotes. Stricter than for display: no identifiers, image maps,
// backgrounds or <details>; classes only those that mark a quote.
var outgoingRules = newRuleset(outgoingElements(), shapes{
	"style": anyText, "class": anyText, "title": anyText, "dir": keyword, "lang": langTag, "align": keyword,
})

func outgoingElements() map[string]shapes {
	elements := displayElements()
	for _, name := range []string{"map", "area", "details", "summary"} {
		delete(elements, name)
	}
	for _, attributes := range elements {
		for _, name := range []string{"name", "usemap", "background"} {
			delete(attributes, name)
		}
	}
	elements["a"]["href"] = regexp.MustCompile(`^\s*(?i:https?://|mailto:|tel:)`)
	elements["img"]["src"] = regexp.MustCompile(`^\s*(?i:https?://|cid:)`)
	return elements
}

// outgoingClasses are understood by mail clients, ours included.
var outgoingClasses = map[string]bool{
	"gmail_quote": true, "gmail_quote_container": true, "gmail_attr": true, "gmail_signature": true,
	"gmail_signature_prefix": true, "gmail_default": true, "moz-cite-prefix": true,
}

// SanitizeOutgoing returns body, a fragment or a document, as a fragment of
// HTML that may be sent: allowed elements, inline styles, cid: and http(s)
// images. It leaves out data: images, which belong into parts of their own,
// style sheets, CSS backgrounds, and trackers that a quoted mail carried. A
// body that would have to be cut, or is nested too deep to parse, is refused:
// nothing of what a person wrote is dropped quietly.
func SanitizeOutgoing(body string) (string, error) {
	body, cut := decode(body)
	if cut {
		return "", fmt.Errorf("mailhtml: outgoing body is larger than %d bytes", MaxBody)
	}
	m := reduce(body, outgoingRules)
	root, err := html.Parse(strings.NewReader(outgoingRules.policy.Sanitize(m.html)))
	if err != nil {
		return "", fmt.Errorf("mailhtml: outgoing body: %w", err)
	}
	if m.truncated || trim(root) {
		return "", fmt.Errorf("mailhtml: outgoing body has too many elements")
	}
	sendable(root)
	var out bytes.Buffer
	for c := firstElement(root, atom.Body).FirstChild; c != nil; c = c.NextSibling {
		if err := html.Render(&out, c); err != nil {
			return "", fmt.Errorf("mailhtml: outgoing body: %w", err)
		}
	}
	return strings.Trim(out.String(), " \t\r\n\f\ufeff"), nil
}

// sendable rewrites the elements under n for sending.
func sendable(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if c.Type == html.ElementNode {
			if c.Namespace != "" || c.Data == "head" || !outgoingRules.knows(c.Data) || !sendableElement(c) {
				n.RemoveChild(c)
			} else {
				sendable(c)
			}
		} else if c.Type != html.TextNode {
			n.RemoveChild(c)
		}
		c = next
	}
}

// sendableElement rewrites the attributes of n and reports whether it stays.
func sendableElement(n *html.Node) bool {
	if url, remote := webURL(attr(n, "src")); n.Data == "img" && remote && (trackedBy(url) != "" || unseen(n)) {
		return false
	}
	old := n.Attr
	n.Attr = nil
	for _, a := range old {
		ok := outgoingRules.allows(n.Data, a)
		switch a.Key {
		case "class":
			a.Val = keptClasses(a.Val)
			ok = ok && a.Val != ""
		case "style":
			a.Val = filterStyle(a.Val, noURL, false)
			ok = ok && a.Val != ""
		case "href":
			target, valid := linkTarget(a.Val)
			a.Val, ok = target, ok && valid
		case "src":
			src, valid := sendableImage(a.Val)
			a.Val, ok = src, ok && valid
		}
		if ok {
			n.Attr = append(n.Attr, a)
		}
	}
	return n.Data != "img" || attr(n, "src") != ""
}

func sendableImage(raw string) (string, bool) {
	if id, ok := contentID(raw); ok {
		return "cid:" + escapeLoose(id), true
	}
	return webURL(raw)
}

func keptClasses(value string) string {
	var kept []string
	for _, class := range strings.Fields(value) {
		if outgoingClasses[class] {
			kept = append(kept, class)
		}
	}
	return strings.Join(kept, " ")
}
