package mailhtml

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// quotes is what foldQuotes found.
type quotes struct {
	found bool
	own   map[*html.Node]bool // the <details> and <summary> that we put in
}

// quoteClasses mark elements that hold a quoted message, by who writes them.
var quoteClasses = map[string]bool{
	"gmail_quote": true, "gmail_quote_container": true, // Gmail
	"yahoo_quoted": true, "protonmail_quote": true, "tutanota_quote": true, "zmail_extra": true,
	"front-blockquote": true, "ms-outlook-mobile-reference-message": true,
	"hm_quote": true, "qt": true, // Fastmail
}

// quoteStarts are ids of elements from which on, among their siblings,
// everything is quoted.
var quoteStarts = map[string]bool{
	"divRplyFwdMsg": true, "appendonsend": true, "stopSpelling": true, // Outlook on the web, Hotmail
	"OLK_SRC_BODY_SECTION": true, // Outlook for Mac
	"zwchr":                true, // Zimbra
	"reply-intro":          true, "mail-editor-reference-message-container": true,
	"isReplyContent": true, "yahoo_quoted": true,
}

var (
	originalMessage = regexp.MustCompile(`(?i)^\s*-{3,}\s*(?:original message|original appointment|ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale|oorspronkelijk bericht)\s*-{3,}`)
	forwardMessage  = regexp.MustCompile(`(?i)(?:-{5,}\s*(?:forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado)|^\s*begin forwarded message)`)
	// headerBlock is the head of the original as Outlook repeats it.
	headerBlock = func() *regexp.Regexp {
		const (
			from  = `from|von|de|da|van|från|fra|od|от|发件人`
			other = `sent|date|gesendet|datum|envoyé|enviado|inviato|data|verzonden|skickat|sendt|wysłano|отправлено|дата|` +
				`to|an|à|para|a|aan|till|til|do|кому|subject|betreff|objet|asunto|oggetto|onderwerp|ämne|emne|temat|тема`
			next = `.{0,300}?[\s*](?:` + other + `)\s?:`
		)
		return regexp.MustCompile(`(?is)^[\s*]*(?:` + from + `)\s?:` + next + next)
	}()
	// attribution introduces a quote: "On Monday, Ann <ann@example.com> wrote:".
	attribution = regexp.MustCompile(`(?is)(?:\b(?:wrote|writes|said|schrieb|a écrit|escribió|ha scritto|schreef|skrev|kirjoitti|napisał(?:\(a\))?|escreveu|написал(?:\(а\))?|пише)|写道|寫道|のメッセージ)\b?[^\n]{0,80}[:：]\s*$|\d{4}.{0,200}<[^<>\s]+@[^<>\s]+>.{0,40}[:：]\s*$`)
)

// foldQuotes finds the quoted parts under body and, when collapse is set,
// moves each into a closed <details>. What stands alone, or is forwarded, is
// the message itself and stays open.
func foldQuotes(body *html.Node, collapse bool) quotes {
	f := folder{collapse: collapse, q: quotes{own: map[*html.Node]bool{}}, last: lastVisible(body)}
	f.walk(body)
	return f.q
}

type folder struct {
	q        quotes
	collapse bool
	seen     bool       // something visible came before
	recent   string     // the end of the visible text before
	last     *html.Node // the last visible node of the body
}

func (f *folder) walk(parent *html.Node) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		through := f.quoteEnd(n)
		switch {
		case through != nil && f.seen && !isForward(n):
			f.q.found = true
			next = through.NextSibling
			if f.collapse && mayHoldBlocks(parent) {
				f.fold(n, through)
			}
		case n.Type == html.TextNode:
			if strings.TrimSpace(n.Data) != "" {
				f.seen = true
				f.recent = lastBytes(f.recent+n.Data, 300)
			}
		case n.Type == html.ElementNode:
			f.seen = f.seen || n.DataAtom == atom.Img
			f.walk(n)
		}
		n = next
	}
}

// quoteEnd returns the last sibling of the quote that starts at n, nil when
// none does.
func (f *folder) quoteEnd(n *html.Node) *html.Node {
	if n.Type == html.TextNode {
		if originalMessage.MatchString(n.Data) {
			return n.Parent.LastChild
		}
		return nil
	}
	if n.Type != html.ElementNode || n.DataAtom == atom.Br {
		return nil
	}
	for _, class := range strings.Fields(attr(n, "class")) {
		if quoteClasses[class] {
			return n
		}
		if class == "moz-cite-prefix" {
			if quote := nextElement(n); quote != nil && isCite(quote) && f.isLast(quote) {
				return quote
			}
		}
	}
	if quoteStarts[attr(n, "id")] {
		return n.Parent.LastChild
	}
	if n.DataAtom == atom.Hr && f.seen {
		if e := nextElement(n); e != nil && (quoteStarts[attr(e, "id")] || headerBlock.MatchString(textPrefix(e))) {
			return n.Parent.LastChild
		}
	}
	if n.DataAtom == atom.Blockquote && f.isLast(n) && (isCite(n) || attribution.MatchString(f.recent)) {
		return n
	}
	if f.seen && (n.DataAtom == atom.Div || n.DataAtom == atom.P) && headerBlock.MatchString(textPrefix(n)) {
		return n.Parent.LastChild
	}
	return nil
}

// fold puts the siblings from first to last into a <details>.
func (f *folder) fold(first, last *html.Node) {
	details := &html.Node{Type: html.ElementNode, Data: "details", DataAtom: atom.Details,
		Attr: []html.Attribute{{Key: "class", Val: quoteClass}}}
	summary := &html.Node{Type: html.ElementNode, Data: "summary", DataAtom: atom.Summary}
	summary.AppendChild(&html.Node{Type: html.TextNode, Data: quoteLabel})
	f.q.own[details], f.q.own[summary] = true, true
	first.Parent.InsertBefore(details, first)
	details.AppendChild(summary)
	for n := first; n != nil; {
		next := n.NextSibling
		n.Parent.RemoveChild(n)
		details.AppendChild(n)
		if n == last {
			return
		}
		n = next
	}
}

// isLast reports whether nothing visible follows n in the body.
func (f *folder) isLast(n *html.Node) bool {
	for m := f.last; m != nil; m = m.Parent {
		if m == n {
			return true
		}
	}
	return false
}

func lastVisible(n *html.Node) *html.Node {
	for c := n.LastChild; c != nil; c = c.PrevSibling {
		if c.Type == html.TextNode && strings.TrimSpace(c.Data) != "" || c.DataAtom == atom.Img {
			return c
		}
		if found := lastVisible(c); found != nil {
			return found
		}
	}
	return nil
}

func isCite(n *html.Node) bool {
	return n.DataAtom == atom.Blockquote && strings.EqualFold(attr(n, "type"), "cite")
}

func isForward(n *html.Node) bool { return forwardMessage.MatchString(textPrefix(n)) }

func nextElement(n *html.Node) *html.Node {
	for s := n.NextSibling; s != nil; s = s.NextSibling {
		if s.Type == html.ElementNode && s.DataAtom != atom.Br {
			return s
		}
		if s.Type == html.TextNode && strings.TrimSpace(s.Data) != "" {
			return nil
		}
	}
	return nil
}

// mayHoldBlocks reports whether a <details> may stand in n without a browser
// moving it elsewhere.
func mayHoldBlocks(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Table, atom.Tbody, atom.Thead, atom.Tfoot, atom.Tr, atom.Colgroup,
		atom.Ul, atom.Ol, atom.Dl, atom.P, atom.Ruby, atom.Map:
		return false
	}
	return true
}

// textPrefix returns the first few hundred bytes of the text under n.
func textPrefix(n *html.Node) string {
	const enough = 400
	var out strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			out.WriteString(n.Data[:min(len(n.Data), enough)])
		}
		if n.DataAtom == atom.Br {
			out.WriteByte('\n')
		}
		for c := n.FirstChild; c != nil && out.Len() < enough; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return strings.ReplaceAll(out.String(), "\u00a0", " ")
}

// lastBytes returns at most n bytes from the end of s, whole characters.
func lastBytes(s string, n int) string {
	if len(s) > n {
		s = strings.ToValidUTF8(s[len(s)-n:], "")
	}
	return s
}
