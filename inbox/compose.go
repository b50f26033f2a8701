package inbox

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// ComposeKind says what a message being written is.
type ComposeKind string

// The kinds of message that are written.
const (
	ComposeNew      ComposeKind = "new"
	ComposeReply    ComposeKind = "reply"
	ComposeReplyAll ComposeKind = "replyAll"
	ComposeForward  ComposeKind = "forward"
)

// Compose is a message being written, as the composer holds it.
type Compose struct {
	Kind        ComposeKind         `json:"kind,omitempty"`      // "" is ComposeNew
	InReplyTo   string              `json:"inReplyTo,omitempty"` // Gmail's id of the message that this answers or forwards
	ThreadID    string              `json:"threadId,omitempty"`  // set in answers; what a message joins follows from what it answers
	To          []Address           `json:"to"`
	Cc          []Address           `json:"cc"`
	Bcc         []Address           `json:"bcc"`
	Subject     string              `json:"subject"` // "" in an answer: the original's with "Re:" or "Fwd:"
	HTML        string              `json:"html"`    // what the editor holds, without the quoted original
	Quote       bool                `json:"quote"`   // append the original
	Attachments []ComposeAttachment `json:"attachments"`
	IfMessageID string              `json:"ifMessageId,omitempty"` // draft update: the message id last seen
	DraftID     string              `json:"draftId,omitempty"`     // set in answers
}

// ComposeAttachment is an upload, or a part of a message in the same mailbox.
type ComposeAttachment struct {
	UploadID  string `json:"uploadId,omitempty"`
	MessageID string `json:"messageId,omitempty"`
	PartID    string `json:"partId,omitempty"`
	Name      string `json:"name,omitempty"`
	Type      string `json:"type,omitempty"`
	Size      int64  `json:"size,omitempty"`
}

// Bounds of a message, Gmail's own where it has one (GMAIL.md 1.2, 4.2). A message's attachments together
// have at most MaxAttachments bytes: encoded they still fit into what Gmail accepts.
const (
	MaxAttachments = 25 << 20
	maxRecipients  = 500
	maxAttached    = 100
	maxSubject     = 2000 // characters
	maxEditorHTML  = 2_000_000
	maxDisplayName = 500 // characters
	maxAddress     = 254 // RFC 5321 4.5.3.1.3, without the brackets
	maxFileName    = 255 // bytes
	maxLocalPart   = 64
	maxMediaType   = 127
)

var (
	gmailID   = regexp.MustCompile(`^[0-9a-f]{1,20}$`)
	partName  = regexp.MustCompile(`^[0-9]{1,4}(\.[0-9]{1,4}){0,20}$|^$`)
	ourID     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	draftName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// checked returns c in normal form: a kind, no nil lists, addresses as they travel. It fails with
// *InvalidError at the first thing that cannot be used.
func (c Compose) checked() (Compose, error) {
	if c.Kind == "" {
		c.Kind = ComposeNew
	}
	switch {
	case c.Kind != ComposeNew && c.Kind != ComposeReply && c.Kind != ComposeReplyAll && c.Kind != ComposeForward:
		return c, &InvalidError{"kind", "not new, reply, replyAll or forward"}
	case c.InReplyTo != "" && (c.Kind == ComposeNew || !gmailID.MatchString(c.InReplyTo)):
		return c, &InvalidError{"inReplyTo", "not a message that can be answered"}
	case c.Kind == ComposeForward && c.InReplyTo == "" && c.Quote:
		return c, &InvalidError{"inReplyTo", "a forward needs the message it forwards"}
	case c.DraftID != "" && !draftName.MatchString(c.DraftID):
		return c, &InvalidError{"draftId", "not a draft"}
	case utf8.RuneCountInString(c.Subject) > maxSubject:
		return c, &InvalidError{"subject", "longer than 2,000 characters"}
	case unsafeText(c.Subject):
		return c, &InvalidError{"subject", "it holds a line break or another control character"}
	case len(c.HTML) > maxEditorHTML:
		return c, &InvalidError{"html", "longer than 2,000,000 bytes"}
	case !utf8.ValidString(c.HTML):
		return c, &InvalidError{"html", "not UTF-8"}
	case len(c.To)+len(c.Cc)+len(c.Bcc) > maxRecipients:
		return c, &InvalidError{"to", "more than 500 recipients"}
	}
	c.Subject = strings.TrimSpace(c.Subject)
	for _, list := range []struct {
		field     string
		addresses *[]Address
	}{{"to", &c.To}, {"cc", &c.Cc}, {"bcc", &c.Bcc}} {
		normal, err := checkAddresses(list.field, *list.addresses)
		if err != nil {
			return c, err
		}
		*list.addresses = normal
	}
	var err error
	c.Attachments, err = checkAttachments(c.Attachments)
	return c, err
}

// sendable says whether a checked message has somebody to go to.
func (c Compose) sendable() error {
	if len(c.To)+len(c.Cc)+len(c.Bcc) == 0 {
		return &InvalidError{"to", "no recipient"}
	}
	return nil
}

func checkAddresses(field string, list []Address) ([]Address, error) {
	out := make([]Address, 0, len(list))
	for _, a := range list {
		email, err := normalAddress(a.Email)
		if err != "" {
			return nil, &InvalidError{field, err}
		}
		name := strings.TrimSpace(a.Name)
		if unsafeText(name) || utf8.RuneCountInString(name) > maxDisplayName {
			return nil, &InvalidError{field, "a name holds a line break or is too long"}
		}
		out = append(out, Address{Name: name, Email: email})
	}
	return out, nil
}

// normalAddress returns an address as it travels, an international domain in its ASCII form, or why it is none.
func normalAddress(email string) (normal, why string) {
	email = strings.TrimSpace(email)
	at := strings.LastIndexByte(email, '@')
	if at < 1 || at > maxLocalPart || unsafeText(email) {
		return "", "not an address"
	}
	domain, err := idna.Lookup.ToASCII(email[at+1:])
	if err != nil || domain == "" {
		return "", "an address with an unknown form of domain"
	}
	normal = email[:at+1] + domain
	if strings.ContainsFunc(normal, func(r rune) bool { return r > unicode.MaxASCII }) {
		return "", "an address with letters that Gmail cannot send to"
	}
	parsed, err := mail.ParseAddress("<" + normal + ">")
	if err != nil || len(normal) > maxAddress || parsed.Address != normal || parsed.Name != "" || strings.ContainsAny(normal, " \t<>,;:\\\"()[]") {
		return "", "not an address"
	}
	return normal, ""
}

func checkAttachments(list []ComposeAttachment) ([]ComposeAttachment, error) {
	if len(list) > maxAttached {
		return nil, &InvalidError{"attachments", "more than 100"}
	}
	out := make([]ComposeAttachment, 0, len(list))
	var sum int64
	for _, a := range list {
		switch upload, part := a.UploadID != "", a.MessageID != ""; {
		case upload == part:
			return nil, &InvalidError{"attachments", "each is either an upload or a part of a message"}
		case upload && !ourID.MatchString(a.UploadID):
			return nil, &InvalidError{"attachments", "not an upload"}
		case part && (!gmailID.MatchString(a.MessageID) || !partName.MatchString(a.PartID)):
			return nil, &InvalidError{"attachments", "not a part of a message"}
		case unsafeText(a.Name) || unsafeText(a.Type):
			return nil, &InvalidError{"attachments", "a name or type holds a control character"}
		}
		if sum += max(a.Size, 0); sum > MaxAttachments {
			return nil, ErrTooLarge // what was claimed; what there really is, is counted again
		}
		out = append(out, a)
	}
	return out, nil
}

// unsafeText says whether text cannot go into a header: a line break would begin another one.
func unsafeText(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl)
}

var (
	answerPrefix  = regexp.MustCompile(`(?i)^\s*re\s*(\[\d+\])?\s*:`)
	forwardPrefix = regexp.MustCompile(`(?i)^\s*(fwd?)\s*:`)
)

// subjectFor returns the subject of an answer to a message. A prefix that is there stays as it is written.
func subjectFor(kind ComposeKind, original string) string {
	original = strings.TrimSpace(original)
	switch {
	case kind == ComposeForward && !forwardPrefix.MatchString(original):
		return strings.TrimSpace("Fwd: " + original)
	case (kind == ComposeReply || kind == ComposeReplyAll) && !answerPrefix.MatchString(original):
		return strings.TrimSpace("Re: " + original)
	}
	return original
}
