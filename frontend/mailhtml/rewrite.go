package mailhtml

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// A rewriter gives a tree its final form, in place: every URL as the caller's
// callbacks say, every style from the allow-list, no class, prefixed ids.
type rewriter struct {
	o     Options
	rules *ruleset
	urls  styleURLs
	own   map[*html.Node]bool // elements that we put in ourselves

	remoteImages int
	trackers     int
	trackedBy    []string
	ownColours   bool // the mail sets text or background colours itself
}

// ownPrefix is put before identifiers of the mail, so that its fragment links
// keep working and none can pose as something a page looks up by name.
const ownPrefix = "m-"

// quoteClass marks our own <details>; the mail's classes are all dropped.
const quoteClass = "quote"

func (rw *rewriter) tree(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		switch {
		case c.Type == html.TextNode:
		case c.Type != html.ElementNode || c.Namespace != "":
			n.RemoveChild(c)
		case rw.own[c]:
			rw.tree(c)
		case c.Data == "head":
			n.RemoveChild(c)
		case !rw.rules.knows(c.Data):
			// Not reached as long as tokens and tree agree; if they ever do
			// not, an unknown element takes its content with it.
			n.RemoveChild(c)
		default:
			if rw.element(c) {
				rw.tree(c)
			} else {
				n.RemoveChild(c)
			}
		}
		c = next
	}
}

// element rewrites one element and reports whether it stays.
func (rw *rewriter) element(n *html.Node) bool {
	if n.Data == "img" && rw.dropsTracker(n) {
		return false
	}
	old := n.Attr
	n.Attr = nil
	var style []string
	for _, a := range old {
		if !rw.rules.allows(n.Data, a) {
			continue
		}
		switch a.Key {
		case "class":
		case "id":
			rw.identify(n, a.Val)
		case "name":
			if n.Data == "map" {
				setAttr(n, "name", ownPrefix+a.Val)
			} else {
				rw.identify(n, a.Val)
			}
		case "usemap":
			setAttr(n, a.Key, "#"+ownPrefix+strings.TrimPrefix(a.Val, "#"))
		case "href":
			rw.link(n, a.Val)
		case "src":
			if src, ok := rw.image(a.Val); ok {
				setAttr(n, "src", src)
			}
		case "background":
			if src, ok := rw.image(a.Val); ok && plainString(src) {
				style = append([]string{"background-image:url('" + src + "')"}, style...)
				rw.ownColours = true
			}
		case "style":
			if s := rw.style(a.Val); s != "" {
				rw.noteColours(s)
				style = append(style, s)
			}
		case "bgcolor", "color", "text":
			rw.ownColours = true
			setAttr(n, a.Key, a.Val)
		case "rel", "target": // ours to set
		default:
			n.Attr = append(n.Attr, a)
		}
	}
	if n.Data == "body" {
		style = append(bodyColours(n), style...)
	}
	setAttr(n, "style", strings.Join(style, ";"))
	return true
}

func (rw *rewriter) identify(n *html.Node, id string) {
	if ident.MatchString(id) && attr(n, "id") == "" {
		setAttr(n, "id", ownPrefix+id)
	}
}

func (rw *rewriter) link(n *html.Node, raw string) {
	if id, ok := strings.CutPrefix(strings.TrimSpace(raw), "#"); ok {
		if ident.MatchString(id) {
			setAttr(n, "href", "#"+ownPrefix+id)
		}
		return
	}
	url, ok := linkTarget(raw)
	if ok && rw.o.Link != nil {
		url, ok = servedURL(rw.o.Link(url, shownText(n)))
	}
	if !ok {
		return
	}
	setAttr(n, "href", url)
	setAttr(n, "target", "_blank")
	setAttr(n, "rel", "noopener noreferrer nofollow")
}

// dropsTracker reports, and counts, an image that is not there to be seen.
func (rw *rewriter) dropsTracker(img *html.Node) bool {
	url, remote := webURL(attr(img, "src"))
	if !remote {
		return false
	}
	return rw.tracked(tracker(img, url))
}

// tracked counts a tracker, by whom it is, and reports whether there was one.
func (rw *rewriter) tracked(by string) bool {
	if by == "" {
		return false
	}
	rw.trackers++
	rw.trackedBy = append(rw.trackedBy, by)
	return true
}

// image returns what an image or background URL becomes.
func (rw *rewriter) image(raw string) (string, bool) {
	if id, ok := contentID(raw); ok {
		if rw.o.InlineImage == nil {
			return "", false
		}
		url, ok := rw.o.InlineImage(id)
		if !ok {
			return "", false
		}
		return servedURL(url)
	}
	if data, ok := dataImage(raw); ok {
		return data, true
	}
	url, ok := webURL(raw)
	if !ok {
		return "", false
	}
	if rw.tracked(trackedBy(url)) {
		return "", false // a background can report as well as an image
	}
	rw.remoteImages++
	if rw.o.RemoteImage == nil {
		return "", false
	}
	if url, ok = rw.o.RemoteImage(url); !ok {
		return "", false
	}
	return servedURL(url)
}

// style returns the declarations of a style attribute that are kept, for the
// second time: what an inliner wrote is not taken on trust.
func (rw *rewriter) style(value string) string {
	return filterStyle(value, func(held string) (string, bool) {
		url, ok := rw.urls.release(held)
		if !ok {
			return "", false
		}
		rw.ownColours = true
		return rw.image(url)
	}, false)
}

var neutralColour = regexp.MustCompile(`(?i)^(?:inherit|initial|unset|none|transparent|currentcolor|windowtext|auto)$`)

// noteColours remembers whether a style sets colours of its own.
func (rw *rewriter) noteColours(style string) {
	for _, d := range declarations(style) {
		switch d.property {
		case "color", "background", "background-color":
			if !neutralColour.MatchString(d.value) {
				rw.ownColours = true
			}
		}
	}
}

// bodyColours turns the presentational attributes of <body>, which becomes a
// <div>, into styles.
func bodyColours(body *html.Node) []string {
	var style []string
	for _, pair := range [][2]string{{"bgcolor", "background-color"}, {"text", "color"}} {
		attribute, property := pair[0], pair[1]
		value := attr(body, attribute)
		setAttr(body, attribute, "")
		if hex := strings.TrimPrefix(strings.TrimSpace(value), "#"); isHexColour(hex) {
			value = "#" + hex
		}
		if s := filterStyle(property+":"+value, noURL, false); s != "" {
			style = append(style, s)
		}
	}
	return style
}

func noURL(string) (string, bool) { return "", false }
