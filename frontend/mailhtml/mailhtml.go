package mailhtml

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Options say how one body becomes a document. The zero value blocks all
// images, leaves links as they are and follows the reader's system theme.
type Options struct {
	// Theme is "light", "dark" or "auto"; anything else means auto.
	Theme string
	// Title names the document for assistive technology.
	Title string
	// InlineImage returns the URL that serves the part with this Content-ID
	// (without angle brackets). Nil, or false, leaves the image out.
	InlineImage func(contentID string) (url string, ok bool)
	// RemoteImage returns the URL of a proxy that fetches this http(s) URL.
	// Nil, or false, blocks the image. It is not asked about trackers.
	RemoteImage func(url string) (proxied string, ok bool)
	// Link returns what a link to this http, https, mailto or tel URL, under this
	// text, points at instead; an empty result takes the link away. Nil leaves
	// links as they are. DoubtOf says which ones to be careful with.
	Link func(url, text string) string
	// Flowed and DelSp are the parameters format=flowed and delsp=yes of a
	// text/plain body (RFC 3676). RenderHTML ignores them.
	Flowed, DelSp bool
	// CollapseQuotes folds quoted text into a closed <details>.
	CollapseQuotes bool
}

// Document is one mail body, ready to be served with [Headers].
type Document struct {
	// HTML is a complete UTF-8 document.
	HTML []byte
	// RemoteImages counts images and backgrounds on foreign hosts, blocked or
	// proxied, trackers not included.
	RemoteImages int
	// Trackers counts images left out, always, because they are there to report
	// that the mail was opened.
	Trackers int
	// TrackedBy names who would have learned of it, sorted, each once.
	TrackedBy []string
	// HasQuote says that quoted text was recognised, folded or not.
	HasQuote bool
	// Truncated says that part of the body, or its layout, was left out
	// because of a limit.
	Truncated bool
}

// RenderHTML makes the document of a text/html body. The error is always nil
// today: a body that cannot be parsed is shown as its text.
func RenderHTML(body string, o Options) (Document, error) {
	body, cut := decode(body)
	tree, truncated, err := readTree(body, displayRules)
	if err != nil {
		// Nested deeper than the parser goes: no layout to save.
		doc, err := RenderText(rawText(body), o)
		doc.Truncated = true
		return doc, err
	}
	quotes := foldQuotes(tree.body, o.CollapseQuotes)
	rw := rewriter{o: o, rules: displayRules, urls: tree.urls, own: quotes.own}
	rw.tree(tree.root)
	return Document{
		HTML:         htmlPage(tree, rw.ownColours, o),
		RemoteImages: rw.remoteImages,
		Trackers:     rw.trackers,
		TrackedBy:    slices.Compact(slices.Sorted(slices.Values(rw.trackedBy))),
		HasQuote:     quotes.found,
		Truncated:    cut || truncated,
	}, nil
}

// decode makes body valid UTF-8 without NUL and at most MaxBody bytes, and
// reports whether it had to cut.
func decode(body string) (string, bool) {
	cut := len(body) > MaxBody
	if cut {
		end := MaxBody
		for end > MaxBody-utf8.UTFMax && !utf8.RuneStart(body[end]) {
			end--
		}
		body = body[:end]
	}
	body = strings.TrimPrefix(body, "\ufeff")
	body = strings.ToValidUTF8(body, "\ufffd")
	return strings.ReplaceAll(body, "\x00", ""), cut
}
