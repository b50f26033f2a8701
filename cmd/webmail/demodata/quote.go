package demodata

import (
	"fmt"
	"html"
	"regexp"
	"strings"
)

// write makes the text and the HTML of a letter: what its sender wrote, the
// signature, and below it what the sender's program quotes.
func (l *letter) write() error {
	own := l.script.body
	if l.from.signature != "" && own != "" && !l.script.is("noquote") {
		own += signatureBreak(l.from) + l.from.signature
	}
	l.text = own
	if l.from.program != terminal && l.from.program != robot {
		l.html = toHTML(own, l.script.is("rtl"))
	}
	if name, ok := l.script.options["html"]; ok {
		page, err := files.ReadFile("html/" + name + ".html")
		if err != nil {
			return err
		}
		l.html = fill(string(page), l.date, l.number)
	}
	if l.answers != nil && !l.script.is("noquote") {
		l.quote()
	}
	return nil
}

// signatureBreak separates the signature: only terminal programs write "-- ".
func signatureBreak(m member) string {
	if m.program == terminal {
		return "\n\n-- \n"
	}
	return "\n\n"
}

// quote appends the message that l answers in the way of the sender's program.
func (l *letter) quote() {
	prev := l.answers
	prevHTML := prev.html
	if prevHTML == "" {
		prevHTML = toHTML(prev.text, false)
	}
	switch {
	case l.script.is("forward"):
		l.text, l.html = forwarded(l, prev, prevHTML)
	case l.from.program == gmail:
		line := fmt.Sprintf("On %s %s wrote:", prev.date.Format("Mon, 2 Jan 2006 at 15:04,"), prev.from.plain())
		l.text += "\n\n" + line + "\n\n" + prefixed(prev.text)
		l.html += `<br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">` + html.EscapeString(line) +
			`<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">` +
			prevHTML + `</blockquote></div>`
	case l.from.program == apple:
		line := fmt.Sprintf("On %s %s wrote:", prev.date.Format("2 Jan 2006, at 15:04,"), prev.from.plain())
		l.text += "\n\n> " + line + "\n> \n" + prefixed(prev.text)
		l.html += `<div><br><blockquote type="cite"><div>` + html.EscapeString(line) +
			`</div><br class="Apple-interchange-newline"><div>` + prevHTML + `</div></blockquote></div>`
	case l.from.program == outlook:
		l.text += "\n\n________________________________\n" + strings.Join(outlookHead(prev), "\n") + "\n\n" + prev.text
		l.html += `<hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">` +
			`<font face="Calibri, sans-serif" style="font-size:11pt" color="#000000">` + boldHead(outlookHead(prev)) +
			`</font><div>&nbsp;</div></div>` + prevHTML
	case l.from.program == terminal:
		l.text += fmt.Sprintf("\n\n%s wrote on %s:\n", prev.from.name, prev.date.Format("02.01.06 15:04")) + prefixed(prev.text)
	}
}

func forwarded(l, prev *letter, prevHTML string) (text, page string) {
	head := []string{"From: " + prev.from.plain(), "Date: " + prev.date.Format("Mon, 2 Jan 2006 at 15:04"),
		"Subject: " + prev.subject, "To: " + names(prev.to)}
	const line = "---------- Forwarded message ---------"
	text = l.text + "\n\n" + line + "\n" + strings.Join(head, "\n") + "\n\n" + prev.text
	page = l.html + `<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">` + line + "<br>" +
		boldHead(head) + "<br></div>" + prevHTML + "</div>"
	return text, page
}

func outlookHead(prev *letter) []string {
	head := []string{"From: " + prev.from.plain(), "Sent: " + prev.date.Format("Monday, January 2, 2006 3:04 PM"), "To: " + names(prev.to)}
	if len(prev.cc) > 0 {
		head = append(head, "Cc: "+names(prev.cc))
	}
	return append(head, "Subject: "+prev.subject)
}

func boldHead(lines []string) string {
	var out strings.Builder
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		fmt.Fprintf(&out, "<b>%s:</b>%s<br>", name, html.EscapeString(value))
	}
	return out.String()
}

func names(list []member) string {
	var out []string
	for _, m := range list {
		out = append(out, m.plain())
	}
	return strings.Join(out, "; ")
}

func prefixed(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ">") {
			lines[i] = ">" + line
		} else {
			lines[i] = "> " + line
		}
	}
	return strings.Join(lines, "\n")
}

var link = regexp.MustCompile(`https://[a-z0-9.]+(/[\w./?=&;-]*\w)?`)

// toHTML is how a mail program writes typed text: a line is a div, "- " a list item.
func toHTML(text string, rtl bool) string {
	dir := "ltr"
	if rtl {
		dir = "rtl"
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<div dir="%s">`, dir)
	inList := false
	for _, line := range strings.Split(text, "\n") {
		item, isItem := strings.CutPrefix(line, "- ")
		if isItem != inList {
			inList = isItem
			out.WriteString(map[bool]string{true: "<ul>", false: "</ul>"}[isItem])
		}
		safe := link.ReplaceAllString(html.EscapeString(item), `<a href="$0">$0</a>`)
		switch {
		case isItem:
			out.WriteString("<li>" + safe + "</li>")
		case line == "":
			out.WriteString("<div><br></div>")
		default:
			out.WriteString("<div>" + safe + "</div>")
		}
		out.WriteString("\n")
	}
	if inList {
		out.WriteString("</ul>")
	}
	return out.String() + "</div>"
}
