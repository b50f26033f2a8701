package inbox

import (
	"encoding/base64"
	"html"
	"mime"
	"path"
	"slices"
	"strings"

	"github.com/totalengage/webmail/inbox/internal/gmail"
)

// Row is one conversation in a list, as far as its newest message tells.
type Row struct {
	ThreadID   string
	MessageID  string // newest message
	Subject    string
	From       []Address // participants known so far, newest first
	To         []Address // recipients of the newest message
	Snippet    string    // plain text
	Date       int64     // ms since 1970
	LabelIDs   []string
	Unread     bool
	Starred    bool
	Messages   int // known so far
	Attachment bool
	Draft      bool
	DraftID    string
}

// Message is one message of a conversation, without its body's content: that is a document of its own.
type Message struct {
	ID, ThreadID    string
	Subject         string
	From            Address
	To, Cc, Bcc     []Address
	ReplyTo         []Address
	Date            int64
	LabelIDs        []string
	Unread, Starred bool
	Draft           bool
	DraftID         string
	Snippet         string
	BodyKind        BodyKind
	Attachments     []AttachmentInfo
	Undelivered     *Undelivered  // a mail server gave it back; nil when none said so
	Unsubscribe     *Unsubscribe  // the way off the mailing list, nil when none is offered
	Authenticity    *Authenticity // what Gmail found about its sender, nil when it checked nothing
	html            string        // for the page's questions about the body, kept only while the value lives
	text            string
}

// BodyKind says which form of the body is shown.
type BodyKind string

// The forms of a body.
const (
	HTMLBody BodyKind = "html"
	TextBody BodyKind = "text"
	NoBody   BodyKind = "none"
)

// Body is what is shown of a message, and what its document needs to be complete.
type Body struct {
	Kind    BodyKind
	Content string // HTML or plain text, in UTF-8
	Flowed  bool   // text/plain; format=flowed (RFC 3676)
	DelSp   bool
	Inline  map[string]string // Content-ID without brackets -> part id
	Subject string

	message string // its id
	sender  string // its one author's address in lower case, "" when there is no such one
	proven  bool   // that it is the author's
	spam    bool
}

// AttachmentInfo describes one attachment.
type AttachmentInfo struct {
	PartID, Name, Type string
	Size               int64
	Inline             bool // referred to by the body and not offered for download by itself
	ContentID          string
	attachmentID       string // Gmail's, good for a while
	data               string // base64url, when Gmail sent the content along
}

// HTML returns the HTML body, "" when there is none.
func (m Message) HTML() string { return m.html }

// Text returns the plain text body, "" when there is none.
func (m Message) Text() string { return m.text }

func header(p *gmail.Part, name string) string {
	if p == nil {
		return ""
	}
	for _, h := range p.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// rowOf makes a row of the newest message of a conversation and the others known of it.
func rowOf(m *gmail.Message, known int) Row {
	r := Row{
		ThreadID: m.ThreadId, MessageID: m.Id, Subject: header(m.Payload, "Subject"), From: ParseAddresses(header(m.Payload, "From")),
		To: ParseAddresses(header(m.Payload, "To")), Snippet: html.UnescapeString(m.Snippet), Date: m.InternalDate, LabelIDs: labels(m), Messages: known,
	}
	if len(r.From) == 0 {
		r.From = []Address{{}}
	}
	r.Unread, r.Starred, r.Draft = r.has("UNREAD"), r.has("STARRED"), r.has("DRAFT")
	kind, _, _ := mime.ParseMediaType(header(m.Payload, "Content-Type"))
	r.Attachment = kind == "multipart/mixed"
	return r
}

func (r Row) has(label string) bool { return slices.Contains(r.LabelIDs, label) }

func labels(m *gmail.Message) []string {
	if m.LabelIds == nil {
		return []string{}
	}
	return m.LabelIds
}

// messageOf reads a full message.
func messageOf(m *gmail.Message) Message {
	out := Message{
		ID: m.Id, ThreadID: m.ThreadId, Subject: header(m.Payload, "Subject"), Date: m.InternalDate, LabelIDs: labels(m),
		To: ParseAddresses(header(m.Payload, "To")), Cc: ParseAddresses(header(m.Payload, "Cc")), Bcc: ParseAddresses(header(m.Payload, "Bcc")),
		ReplyTo: ParseAddresses(header(m.Payload, "Reply-To")), Snippet: html.UnescapeString(m.Snippet),
	}
	if from := ParseAddresses(header(m.Payload, "From")); len(from) > 0 {
		out.From = from[0]
	}
	out.Unread, out.Starred, out.Draft = slices.Contains(out.LabelIDs, "UNREAD"), slices.Contains(out.LabelIDs, "STARRED"), slices.Contains(out.LabelIDs, "DRAFT")
	parts := anatomy(m.Payload)
	out.html, out.text, out.BodyKind = parts.body.html(), parts.body.text(), parts.body.kind()
	out.Attachments = parts.attachments
	out.Unsubscribe = unsubscribeOf(m)
	out.Authenticity = authenticityOf(m)
	return out
}

// bodyOf reads what is shown of a full message.
func bodyOf(m *gmail.Message) Body {
	parts := anatomy(m.Payload)
	b := Body{Kind: parts.body.kind(), Inline: map[string]string{}, Subject: header(m.Payload, "Subject")}
	b.provenance(m)
	switch b.Kind {
	case HTMLBody:
		b.Content = parts.body.html()
	case TextBody:
		b.Content, b.Flowed, b.DelSp = parts.body.text(), parts.body.flowed, parts.body.delSp
	}
	for _, a := range parts.attachments {
		if a.ContentID != "" {
			b.Inline[a.ContentID] = a.PartID
		}
	}
	return b
}

// partsOf is a message's tree, read for what is shown and what is attached.
type partsOf struct {
	body        shown
	attachments []AttachmentInfo
}

// shown collects the alternatives of the body: several text parts in a row are one text, as when a list
// appends its footer.
type shown struct {
	htmls, texts  []string
	flowed, delSp bool
}

func (b shown) html() string { return strings.Join(b.htmls, "<hr>") }
func (b shown) text() string { return strings.Join(b.texts, "\r\n") }

func (b shown) kind() BodyKind {
	switch {
	case len(b.htmls) > 0:
		return HTMLBody
	case len(b.texts) > 0:
		return TextBody
	}
	return NoBody
}

// anatomy walks the tree that Gmail made of the message (GMAIL.md 4.1).
func anatomy(root *gmail.Part) partsOf {
	var found partsOf
	if root != nil {
		found.walk(root, "", 0)
	}
	return found
}

// maxDepth bounds the walk; Gmail's own parser stops far earlier.
const maxDepth = 100

func (f *partsOf) walk(p *gmail.Part, parent string, depth int) {
	if depth > maxDepth {
		return
	}
	kind := strings.ToLower(p.MimeType)
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		for _, child := range p.Parts {
			f.walk(child, kind, depth+1)
		}
	case isBody(p, kind):
		f.body.add(p, kind, parent)
	default:
		f.attachments = append(f.attachments, attachmentOf(p, kind, parent))
	}
}

// isBody: text without a file name, sent along by Gmail.
func isBody(p *gmail.Part, kind string) bool {
	return (kind == "text/plain" || kind == "text/html" || kind == "") && p.Filename == "" && p.Body != nil && p.Body.AttachmentId == "" &&
		!strings.HasPrefix(strings.ToLower(header(p, "Content-Disposition")), "attachment")
}

func (b *shown) add(p *gmail.Part, kind, parent string) {
	content := decode(p.Body.Data)
	if kind == "text/html" {
		// An HTML part beside text in multipart/mixed continues the message: show the text before it too.
		if parent != "multipart/alternative" && len(b.texts) > 0 && len(b.htmls) == 0 && parent == "multipart/mixed" {
			for _, t := range b.texts {
				b.htmls = append(b.htmls, "<pre>"+html.EscapeString(t)+"</pre>")
			}
		}
		b.htmls = append(b.htmls, content)
		return
	}
	if len(b.htmls) > 0 && parent == "multipart/mixed" && strings.TrimSpace(content) != "" {
		b.htmls = append(b.htmls, "<pre>"+html.EscapeString(content)+"</pre>")
	}
	_, params, _ := mime.ParseMediaType(header(p, "Content-Type"))
	if len(b.texts) == 0 {
		b.flowed, b.delSp = strings.EqualFold(params["format"], "flowed"), strings.EqualFold(params["delsp"], "yes")
	}
	b.texts = append(b.texts, content)
}

func attachmentOf(p *gmail.Part, kind, parent string) AttachmentInfo {
	a := AttachmentInfo{PartID: p.PartId, Name: p.Filename, Type: kind, ContentID: strings.Trim(strings.TrimSpace(header(p, "Content-ID")), "<>")}
	if p.Body != nil {
		a.Size, a.attachmentID, a.data = p.Body.Size, p.Body.AttachmentId, p.Body.Data
	}
	if a.Type == "" {
		a.Type = "application/octet-stream"
	}
	if a.Name == "" {
		a.Name = "attachment" + extension(kind)
	}
	a.Name = path.Base(strings.ReplaceAll(a.Name, `\`, "/"))
	disposition := strings.ToLower(header(p, "Content-Disposition"))
	a.Inline = a.ContentID != "" && strings.HasPrefix(kind, "image/") && !strings.HasPrefix(disposition, "attachment") && (parent == "multipart/related" || disposition != "")
	return a
}

func extension(kind string) string {
	switch kind {
	case "message/rfc822":
		return ".eml"
	case "text/calendar":
		return ".ics"
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/gif":
		return ".gif"
	case "application/pdf":
		return ".pdf"
	}
	return ""
}

// decode reads base64url with or without padding; Gmail's own output always decodes.
func decode(data string) string {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(data, "="))
	if err != nil {
		return ""
	}
	return string(b)
}
