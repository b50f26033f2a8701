package mailhtml

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// quoteLabel is what a folded quote shows.
const quoteLabel = "Quoted text"

// A textLine is one line of a plain text body, or one paragraph of a flowed one.
type textLine struct {
	depth int // levels of quoting
	text  string
}

// RenderText makes the document of a text/plain body: white space kept, URLs
// and addresses linked, quotes nested and the quoted tail folded. The error is
// always nil today.
func RenderText(body string, o Options) (Document, error) {
	body, cut := decode(body)
	lines, many := splitLines(body)
	if o.Flowed {
		lines = unflow(lines, o.DelSp)
	} else {
		unquote(lines)
	}
	start, end := quotedTail(lines)
	w := textWriter{link: o.Link}
	w.out.WriteString(`<div class="mail"><div class="text">`)
	if start < end && o.CollapseQuotes {
		w.lines(lines[:start])
		w.out.WriteString(`<details class="` + quoteClass + `"><summary>` + quoteLabel + `</summary>`)
		w.lines(lines[start:end])
		w.out.WriteString("</details>")
		w.lines(lines[end:])
	} else {
		w.lines(lines)
	}
	w.out.WriteString("</div></div>")
	return Document{
		HTML:      page{theme: o.Theme, title: o.Title}.write([]byte(w.out.String())),
		HasQuote:  start < end || hasQuotedLine(lines),
		Truncated: cut || many,
	}, nil
}

// splitLines cuts at CRLF, LF or CR and reports whether lines were left out.
func splitLines(body string) ([]textLine, bool) {
	body = strings.ReplaceAll(body, "\r\n", "\n")
	body = strings.ReplaceAll(body, "\r", "\n")
	parts := strings.SplitN(body, "\n", maxLines+1)
	many := len(parts) > maxLines
	lines := make([]textLine, min(len(parts), maxLines))
	for i := range lines {
		lines[i].text = parts[i]
	}
	return lines, many
}

// unquote reads the '>' marks of lines that are not format=flowed, where
// spaces may stand between them.
func unquote(lines []textLine) {
	for i := range lines {
		text := lines[i].text
		for lines[i].depth < maxQuoteDepth && strings.HasPrefix(text, ">") {
			lines[i].depth++
			text = text[1:]
			if strings.HasPrefix(text, " ") && (len(text) == 1 || text[1] != ' ') {
				text = text[1:]
			}
		}
		lines[i].text = text
	}
}

// quotedTail returns the bounds of the quoted text at the end of a body, with
// the line that introduces it; start == end when there is none, or when
// nothing of the sender's own comes before it. A signature after it stays out.
func quotedTail(lines []textLine) (start, end int) {
	end = len(lines)
	for i := len(lines) - 1; i >= 0 && lines[i].depth == 0; i-- {
		if strings.TrimRight(lines[i].text, "\r") == "-- " {
			end = i
			break
		}
	}
	start = tailStart(lines[:end])
	for i := 0; i < start; i++ {
		if strings.TrimSpace(lines[i].text) != "" {
			return start, end
		}
	}
	return end, end
}

func tailStart(lines []textLine) int {
	// Quoted lines, blank ones between them, up to the end.
	start := len(lines)
	for i := len(lines) - 1; i >= 0; i-- {
		if lines[i].depth > 0 {
			start = i
		} else if strings.TrimSpace(lines[i].text) != "" {
			break
		}
	}
	if start < len(lines) {
		return withAttribution(lines, start)
	}
	// Or everything after a line that says so.
	for i, line := range lines {
		if line.depth > 0 || strings.TrimSpace(line.text) == "" {
			continue
		}
		if forwardMessage.MatchString(line.text) {
			break
		}
		if originalMessage.MatchString(line.text) || headerBlock.MatchString(joined(lines, i, 4)) {
			if i > 0 && strings.HasPrefix(lines[i-1].text, "________") {
				i--
			}
			return i
		}
		if strings.HasPrefix(line.text, "On ") && attribution.MatchString(line.text) && len(line.text) < 300 {
			return i
		}
	}
	return len(lines)
}

// withAttribution moves start back over the lines that introduce the quote.
func withAttribution(lines []textLine, start int) int {
	i := start
	for i > 0 && start-i < 2 && strings.TrimSpace(lines[i-1].text) == "" {
		i--
	}
	for n := 1; n <= 3 && i-n >= 0; n++ {
		if strings.TrimSpace(lines[i-n].text) == "" {
			break
		}
		if text := joined(lines, i-n, n); len(text) < 600 && attribution.MatchString(text) {
			// The first line that reads as a start, or the shortest match.
			for n < 3 && i-n-1 >= 0 && strings.TrimSpace(lines[i-n-1].text) != "" && !attributionStart.MatchString(lines[i-n].text) {
				n++
			}
			return i - n
		}
	}
	return start
}

var attributionStart = regexp.MustCompile(`^\s*(?:On|Am|Le|El|Il|Op|Den|Em|W dniu|Dnia|\d|[^<>]{1,60}<)`)

// joined returns up to n lines from i on, with line ends.
func joined(lines []textLine, i, n int) string {
	var out strings.Builder
	for _, line := range lines[i:min(i+n, len(lines))] {
		out.WriteString(line.text[:min(len(line.text), 300)] + "\n")
	}
	return out.String()
}

func hasQuotedLine(lines []textLine) bool {
	for _, line := range lines {
		if line.depth > 0 {
			return true
		}
	}
	return false
}

// A textWriter writes lines as markup.
type textWriter struct {
	out  strings.Builder
	link func(url, text string) string
}

func (w *textWriter) lines(lines []textLine) {
	depth := 0
	for i, line := range lines {
		if i > 0 && line.depth == depth {
			w.out.WriteByte('\n') // between blocks the block ends the line
		}
		for ; depth < line.depth; depth++ {
			w.out.WriteString("<blockquote>")
		}
		for ; depth > line.depth; depth-- {
			w.out.WriteString("</blockquote>")
		}
		w.linkify(line.text)
	}
	for ; depth > 0; depth-- {
		w.out.WriteString("</blockquote>")
	}
}

var linkShape = regexp.MustCompile(`(?i)(?:https?://|mailto:|www\.)[^\s<>"\x00-\x20]+|[a-z0-9][a-z0-9._%+-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)+`)

// linkify writes text escaped, its URLs and mail addresses as links.
func (w *textWriter) linkify(text string) {
	done := 0
	for _, at := range linkShape.FindAllStringIndex(text, -1) {
		shown := withoutTail(text[at[0]:at[1]])
		target, ok := textTarget(shown)
		if ok && w.link != nil {
			target, ok = servedURL(w.link(target, shown))
		}
		if !ok {
			continue
		}
		w.out.WriteString(html.EscapeString(text[done:at[0]]))
		w.out.WriteString(`<a href="` + html.EscapeString(target) + `" target="_blank" rel="noopener noreferrer nofollow">` +
			html.EscapeString(shown) + "</a>")
		done = at[0] + len(shown)
	}
	w.out.WriteString(html.EscapeString(text[done:]))
}

// textTarget returns what the text of a link points at.
func textTarget(shown string) (string, bool) {
	lower := strings.ToLower(shown[:min(len(shown), 8)])
	switch {
	case strings.HasPrefix(lower, "http"), strings.HasPrefix(lower, "mailto:"):
		return linkTarget(shown)
	case strings.HasPrefix(lower, "www."):
		return linkTarget("https://" + shown)
	}
	return linkTarget("mailto:" + shown)
}

// withoutTail takes off the punctuation that ends a sentence, not the URL: a
// closing bracket stays when the URL opened it.
func withoutTail(url string) string {
	for url != "" {
		last := url[len(url)-1]
		open := strings.IndexByte(")]}", last)
		switch {
		case strings.IndexByte(".,;:!?'*_", last) >= 0:
		case open >= 0 && strings.Count(url, string(last)) > strings.Count(url, string("([{"[open])):
		default:
			return url
		}
		url = url[:len(url)-1]
	}
	return url
}
