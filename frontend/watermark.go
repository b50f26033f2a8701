package frontend

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"html"
	"strings"
)

// watermarked puts a text across a document, and images below its body. The mark is part of the document that
// the server sends: it repeats over all that is to be seen of it, on every page of paper too, stands above
// everything and lets clicks through. Its style stands on the element itself and is important, which no style sheet of a mail can override.
func watermarked(doc []byte, text string, images []string) []byte {
	var own strings.Builder
	for _, address := range images {
		own.WriteString(`<p><img alt="" style="max-width:100%" src="` + html.EscapeString(address) + `"></p>`)
	}
	style := []string{
		"all:initial", "display:block", "visibility:visible", "opacity:1", "position:fixed", "inset:0",
		"z-index:2147483647", "pointer-events:none", "background-repeat:repeat", "print-color-adjust:exact", "-webkit-print-color-adjust:exact",
		`background-image:url('data:image/svg+xml;base64,` + base64.StdEncoding.EncodeToString(tile(text)) + `')`,
	}
	own.WriteString(`<div data-watermark style="` + strings.Join(style, "!important;") + `!important" aria-hidden="true"></div>`)
	end := bytes.LastIndex(doc, []byte("</body>"))
	if end < 0 {
		end = len(doc)
	}
	out := make([]byte, 0, len(doc)+own.Len())
	out = append(out, doc[:end]...)
	out = append(out, own.String()...)
	return append(out, doc[end:]...)
}

// tile is one piece of the mark: the text at a slant, twice, readable on light and on dark.
func tile(text string) []byte {
	var escaped bytes.Buffer
	if err := xml.EscapeText(&escaped, []byte(text)); err != nil {
		return nil // a buffer takes everything
	}
	width := 80 + 8*len([]rune(text))
	const line = `<text x="%d" y="%d" transform="rotate(-18 %d %d)" font-family="sans-serif" font-size="14" fill="#808080" fill-opacity="0.34">%s</text>`
	mark := func(x, y int) string { return fmt.Sprintf(line, x, y, x, y, escaped.String()) }
	return []byte(fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="180">`, width) + mark(10, 110) + mark(-width/2, 175) + mark(width/2, 175) + `</svg>`)
}
