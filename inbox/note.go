package inbox

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/totalengage/webmail/inbox/internal/gmail"
)

// Headers of our own. The token finds a message again whose fate is unknown (GMAIL.md 4.2): unlike the
// Message-ID, Gmail leaves it alone. The others are in drafts only: what a draft answers, and its recipients
// where Gmail's reading of them could be misunderstood.
const (
	tokenHeader      = "X-Webmail-Token"
	composeHeader    = "X-Webmail-Compose"
	recipientsHeader = "X-Webmail-Recipients"
)

// composeNote is the value of composeHeader.
func composeNote(c Compose) string {
	params := map[string]string{}
	if c.InReplyTo != "" {
		params["message"] = c.InReplyTo
	}
	if c.Quote {
		params["quote"] = "1"
	}
	return mime.FormatMediaType(string(c.Kind), params)
}

// readComposeNote reads what composeNote wrote; anybody can write a draft, so nothing else is taken from it.
func readComposeNote(value string) (kind ComposeKind, inReplyTo string, quote, ok bool) {
	name, params, err := mime.ParseMediaType(value)
	if err != nil {
		return "", "", false, false
	}
	for _, k := range []ComposeKind{ComposeNew, ComposeReply, ComposeReplyAll, ComposeForward} {
		if strings.EqualFold(name, string(k)) {
			kind = k
		}
	}
	if id := params["message"]; gmailID.MatchString(id) && kind != ComposeNew {
		inReplyTo = id
	}
	return kind, inReplyTo, params["quote"] == "1", kind != ""
}

// recipients are the lists of a compose.
type recipients struct{ To, Cc, Bcc []Address }

// ambiguous says whether a recipient's name, in an encoded-word, holds what separates addresses. Gmail
// decodes the word and hands out "Müller, Hans <h@example.com>", which nobody can take apart again.
func ambiguous(c Compose) bool {
	for _, a := range slices.Concat(c.To, c.Cc, c.Bcc) {
		encoded := strings.Contains(a.Name, "=?") || strings.ContainsFunc(a.Name, func(r rune) bool { return r >= utf8.RuneSelf })
		if encoded && strings.ContainsAny(a.Name, `()<>[]:;@\,."`) {
			return true
		}
	}
	return false
}

func recipientsNote(c Compose) string {
	note, err := json.Marshal(recipients{c.To, c.Cc, c.Bcc})
	if err != nil {
		panic(err) // strings always encode
	}
	var lines []string
	for text := base64.StdEncoding.EncodeToString(note); text != ""; {
		n := min(len(text), 70)
		lines, text = append(lines, text[:n]), text[n:]
	}
	return strings.Join(lines, " ")
}

// readRecipientsNote returns what recipientsNote wrote, if the headers still say the same: another mail client
// may have changed them since.
func readRecipientsNote(p *gmail.Part) (r recipients, ok bool) {
	note, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(header(p, recipientsHeader)), ""))
	if err != nil || len(note) == 0 || json.Unmarshal(note, &r) != nil {
		return r, false
	}
	return r, says(header(p, "To"), r.To) && says(header(p, "Cc"), r.Cc) && says(header(p, "Bcc"), r.Bcc)
}

// says compares a header with addresses: each is there, in this order, and there is no further one.
func says(value string, list []Address) bool {
	signs := strings.Count(value, "@")
	for _, a := range list {
		signs -= strings.Count(a.Name, "@") + strings.Count(a.Email, "@")
		at := strings.Index(value, "<"+a.Email+">")
		if at < 0 {
			return false
		}
		value = value[at:]
	}
	return signs == 0
}
