package inbox

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
)

// HTML cleans HTML that leaves in mail and reads its text; package mailhtml does it.
type HTML interface {
	// Outgoing returns a fragment that may be sent: no scripts, no trackers, images only by cid: or http(s).
	Outgoing(html string) (string, error)
	// Text returns the plain text of HTML, for the text alternative.
	Text(html string) string
}

// quoteMark opens the quoted original of a draft. The token is random and of this draft alone, so that
// no mail that is quoted, or pasted, can look like it: a draft that is opened again is split here.
func quoteMark(token string) string {
	return `<div class="gmail_quote webmail_quote_` + token + `">`
}

// quoted returns the original as an answer carries it: an attribution line above a quotation, or the
// header block of a forward. In a draft it begins with quoteMark.
func (s *Service) quoted(c Compose, original *gmail.Message, mark string) (string, error) {
	body, err := s.html.Outgoing(bodyHTML(original))
	if err != nil {
		return "", &InvalidError{"quote", "the original is too large to be quoted"}
	}
	m := messageOf(original)
	if c.Kind == ComposeForward {
		return mark + forwardHead(m, original.Payload) + body + "</div>", nil
	}
	return mark + attribution(m, original.Payload) +
		`<blockquote type="cite" class="gmail_quote" style="margin:0 0 0 0.8ex;border-left:1px solid #ccc;padding-left:1ex">` + body + "</blockquote></div>", nil
}

// plainMark opens the quoted original of a message that is sent.
const plainMark = `<div class="gmail_quote">`

func attribution(m Message, p *gmail.Part) string {
	return `<div dir="ltr" class="gmail_attr">On ` + html.EscapeString(sentAt(m, p).Format("Mon, Jan 2, 2006 at 3:04 PM")) + ", " + linked(m.From) + " wrote:<br></div>"
}

func forwardHead(m Message, p *gmail.Part) string {
	var b strings.Builder
	b.WriteString(`<div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>`)
	line := func(name, value string) { b.WriteString(name + ": " + value + "<br>") }
	line("From", linked(m.From))
	line("Date", html.EscapeString(sentAt(m, p).Format("Mon, Jan 2, 2006 at 3:04 PM")))
	line("Subject", html.EscapeString(m.Subject))
	for _, list := range []struct {
		name      string
		addresses []Address
	}{{"To", m.To}, {"Cc", m.Cc}} {
		if len(list.addresses) == 0 {
			continue
		}
		links := make([]string, len(list.addresses))
		for i, a := range list.addresses {
			links[i] = linked(a)
		}
		line(list.name, strings.Join(links, ", "))
	}
	b.WriteString("</div><br><br>")
	return b.String()
}

// sentAt is the time the sender wrote, in the sender's zone; where that cannot be read, when Gmail got it.
func sentAt(m Message, p *gmail.Part) time.Time {
	if t, err := mail.ParseDate(header(p, "Date")); err == nil {
		return t
	}
	return time.UnixMilli(m.Date).UTC()
}

// linked shows an address. Only what is an address becomes a link: the header is the sender's.
func linked(a Address) string {
	if _, why := normalAddress(a.Email); why != "" {
		return html.EscapeString(strings.TrimSpace(a.Name + " " + a.Email))
	}
	link := `&lt;<a href="mailto:` + html.EscapeString(a.Email) + `">` + html.EscapeString(a.Email) + `</a>&gt;`
	return strings.TrimSpace(html.EscapeString(a.Name) + " " + link)
}

// bodyHTML is a message's body as HTML, also where it is plain text.
func bodyHTML(m *gmail.Message) string {
	body := bodyOf(m)
	if body.Kind != TextBody {
		return body.Content
	}
	return textAsHTML(body.Content)
}

func textAsHTML(text string) string {
	text = strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	return strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n")
}

// splitQuote takes a draft's HTML apart where quoteMark stands; own is what the editor shows.
func splitQuote(content, token string) (own string, found bool) {
	if token == "" {
		return content, false
	}
	return cut(content, quoteMark(token))
}

func cut(s, mark string) (before string, found bool) {
	before, _, found = strings.Cut(s, mark)
	return before, found
}

var cidReference = regexp.MustCompile(`(?i)["'(]\s*cid:([^"'()\s<>]+)`)

// cidsIn returns the Content-IDs that HTML refers to.
func cidsIn(content string) map[string]bool {
	found := map[string]bool{}
	for _, m := range cidReference.FindAllStringSubmatch(html.UnescapeString(content), -1) {
		found[m[1]] = true
	}
	return found
}

// quotedImages fetches the images of the original that its quotation shows.
func (s *Service) quotedImages(ctx context.Context, v Visit, original *gmail.Message, quotation string) ([]*file, error) {
	wanted := cidsIn(quotation)
	var images []*file
	for _, a := range anatomy(original.Payload).attachments {
		if !wanted[a.ContentID] || !safeContentID(a.ContentID) {
			continue
		}
		delete(wanted, a.ContentID)
		content, err := s.Attachment(ctx, v, original.Id, a.PartID)
		if errors.Is(err, ErrNotFound) {
			continue // a quotation without one image is better than none
		}
		if err != nil {
			return nil, fmt.Errorf("inbox: reading an image of the original: %w", err)
		}
		images = append(images, &file{name: fileName(a.Name), kind: mediaType(a.Type), contentID: a.ContentID, body: content.Content, source: -1})
	}
	return images, nil
}

// safeContentID says whether a Content-ID of somebody else's can stand in a header of ours.
func safeContentID(id string) bool {
	return id != "" && len(id) <= 200 && !unsafeText(id) && !strings.ContainsAny(id, "<> \t")
}
