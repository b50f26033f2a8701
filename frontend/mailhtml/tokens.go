package mailhtml

import (
	"strings"

	"golang.org/x/net/html"
)

// markup is a body reduced to elements that an allow-list knows.
type markup struct {
	html      string
	sheets    []string // texts of the <style> elements, in order
	truncated bool
}

// rawTextElements hold text, not markup, as far as the tokenizer is concerned.
// The value says whether that text is worth showing.
var rawTextElements = map[string]bool{
	"iframe": false, "noembed": false, "noframes": false, "noscript": false,
	"script": false, "style": false, "title": false,
	"plaintext": true, "textarea": true, "xmp": true,
}

// reduce passes over body once, in linear time and without a tree, and keeps
// the elements that rules know. Comments, conditional comments, doctypes and
// foreign content (svg, math) end here, so that the tree builder behind it
// never enters one of the states in which HTML sanitizers have been fooled.
func reduce(body string, rules *ruleset) markup {
	var (
		m    markup
		out  strings.Builder
		grow growth
	)
	out.Grow(len(body))
	tokens := html.NewTokenizer(strings.NewReader(body))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			m.html, m.truncated = out.String(), grow.refused
			return m

		case html.TextToken:
			text := string(tokens.Text())
			if grow.text(len(text)) {
				out.WriteString(html.EscapeString(text))
			}

		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			if show, raw := rawTextElements[token.Data]; raw {
				text := rawContent(tokens)
				if token.Data == "style" && appliesToScreen(token) {
					m.sheets = append(m.sheets, text)
				}
				if show && grow.text(len(text)) {
					out.WriteString(html.EscapeString(text))
				}
				continue
			}
			if !rules.knows(token.Data) || !grow.start(token.Data) {
				continue
			}
			token.Type = html.StartTagToken
			token.Attr = token.Attr[:min(len(token.Attr), maxAttrs)]
			out.WriteString(token.String())

		case html.EndTagToken:
			name, _ := tokens.TagName()
			if element := string(name); rules.knows(element) && grow.end(element) {
				out.WriteString("</" + element + ">")
			}
		}
	}
}

// rawContent returns the text of the raw-text element just started. When there
// is none, the next token is its end tag, which nobody misses.
func rawContent(tokens *html.Tokenizer) string {
	if tokens.Next() != html.TextToken {
		return ""
	}
	return string(tokens.Text())
}

// appliesToScreen reports whether a <style> element is meant for every medium.
func appliesToScreen(style html.Token) bool {
	for _, a := range style.Attr {
		if a.Key == "media" {
			media := strings.ToLower(strings.TrimSpace(a.Val))
			return media == "" || media == "all" || media == "screen"
		}
	}
	return true
}
