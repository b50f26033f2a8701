package mailhtml

import (
	"bytes"
	_ "embed"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// pageCSS is our own stylesheet. The body response allows inline styles, which
// mail is made of; this rides along.
//
//go:embed page.css
var pageSource string

var pageCSS = strings.TrimSpace(withoutComments(pageSource))

// A page is the frame of markup around a body.
type page struct {
	theme, title string
	lang, dir    string // of the whole mail, when it says so
	paper        bool   // show on white whatever the theme
}

// write returns the document around body, which holds finished markup.
func (p page) write(body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body) + len(pageCSS) + 512)
	out.WriteString("<!DOCTYPE html>\n<html")
	attribute := func(name, value string) {
		if value != "" {
			out.WriteString(" " + name + `="` + html.EscapeString(value) + `"`)
		}
	}
	attribute("lang", p.lang)
	attribute("dir", p.dir)
	attribute("data-theme", themeName(p.theme))
	if p.paper {
		attribute("class", "paper")
	}
	out.WriteString("><head><meta charset=\"utf-8\">" +
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>")
	out.WriteString(html.EscapeString(p.title))
	out.WriteString("</title><style>" + pageCSS + "</style></head><body>\n")
	out.Write(body)
	out.WriteString("\n</body></html>\n")
	return out.Bytes()
}

func themeName(theme string) string {
	switch theme {
	case "light", "dark":
		return theme
	}
	return "auto"
}

// htmlPage writes the document of a rewritten tree. The mail's <body> becomes
// a <div>: its colours and direction stay, our own page keeps its element.
func htmlPage(tree bodyTree, ownColours bool, o Options) []byte {
	p := page{theme: o.Theme, title: o.Title, paper: ownColours}
	p.lang, p.dir = attr(tree.html, "lang"), attr(tree.html, "dir")
	tree.body.Data, tree.body.DataAtom = "div", atom.Div
	setAttr(tree.body, "id", "")
	setAttr(tree.body, "class", "mail")
	var out bytes.Buffer
	// Rendering to a buffer fails only on trees that no parser makes.
	if err := html.Render(&out, tree.body); err != nil {
		out.Reset()
	}
	return p.write(out.Bytes())
}
