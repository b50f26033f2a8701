package emulator

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"mime"
	"net/mail"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/emulator/internal/mimetree"
)

// outgoing is a message about to be sent.
type outgoing struct {
	// copy is what the sender keeps: with Bcc.
	copy *mailContent
	// body is the message without Bcc that recipients get, before their own
	// delivery headers.
	body       []byte
	from       string   // the envelope's sender
	recipients []string // addresses in lower case, each once, without the sender's own
	toSelf     bool
	messageID  string
}

// maxRecipients is Gmail's limit for one message sent by the API.
const maxRecipients = 500

// composeLocked does to a message what Gmail does when it is sent: From forced to
// the account or a verified alias, Date filled in, Message-ID replaced, a Received
// line put on top, line ends made CRLF.
func (b *mailbox) composeLocked(raw []byte, now time.Time) (*outgoing, error) {
	fields, body := mimetree.SplitHeader(raw)
	out := &outgoing{from: b.email, messageID: newMessageID()}
	if err := b.readRecipients(fields, out); err != nil {
		return nil, err
	}
	var head bytes.Buffer
	hasFrom, hasDate := false, false
	for _, f := range fields {
		switch strings.ToLower(f.Name) {
		case "message-id":
			continue
		case "from":
			if hasFrom {
				continue
			}
			hasFrom = true
			if address := singleAddress(f.Value()); !b.isMineLocked(address) {
				writeField(&head, f.Name, b.fromValue())
				continue
			}
			out.from = singleAddress(f.Value())
		case "date":
			if _, ok := parseDate(f.Value()); !ok || hasDate {
				continue
			}
			hasDate = true
		}
		head.Write(f.Line)
		if !bytes.HasSuffix(f.Line, []byte("\n")) {
			head.WriteString("\r\n")
		}
	}
	if !hasFrom {
		writeField(&head, "From", b.fromValue())
	}
	if !hasDate {
		writeField(&head, "Date", now.Format(time.RFC1123Z))
	}
	writeField(&head, "Message-ID", "<"+out.messageID+">")
	head.WriteString("\r\n")
	head.Write(body)
	message := toCRLF(head.Bytes())
	received := "Received: from 1 named unknown by gmailapi.google.com with HTTPREST; " + now.UTC().Format(time.RFC1123Z) + "\r\n"
	content, err := newMail(append([]byte(received), message...))
	if err != nil {
		return nil, badRequest("Invalid message: " + err.Error())
	}
	out.copy, out.body = content, withoutField(message, "Bcc")
	return out, nil
}

func (b *mailbox) fromValue() string {
	if b.name == "" {
		return b.email
	}
	return (&mail.Address{Name: b.name, Address: b.email}).String()
}

// readRecipients collects To, Cc and Bcc, each address once.
func (b *mailbox) readRecipients(fields []mimetree.RawHeader, out *outgoing) error {
	seen := map[string]bool{}
	for _, name := range []string{"To", "Cc", "Bcc"} {
		for _, f := range fields {
			if !strings.EqualFold(f.Name, name) || strings.TrimSpace(f.Value()) == "" {
				continue
			}
			list, ok := addresses(f.Value())
			if !ok {
				return badRequest("Invalid " + name + " header")
			}
			for _, address := range list {
				if seen[address] {
					continue
				}
				seen[address] = true
				if b.isMineLocked(address) {
					out.toSelf = true
				} else {
					out.recipients = append(out.recipients, address)
				}
			}
		}
	}
	switch {
	case len(seen) == 0:
		return badRequest("Recipient address required")
	case len(seen) > maxRecipients:
		return badRequest("Too many recipients")
	}
	return nil
}

var addressParser = mail.AddressParser{WordDecoder: &mime.WordDecoder{}}

// addresses reads a header's address list in lower case; groups are expanded, an
// empty group ("undisclosed-recipients:;") gives none.
func addresses(value string) ([]string, bool) {
	list, err := addressParser.ParseList(value)
	if err != nil {
		// net/mail refuses the empty group alone and display names with stray
		// characters; what still shows plain addresses is accepted.
		return looseAddresses(value)
	}
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = strings.ToLower(a.Address)
	}
	return out, true
}

func looseAddresses(value string) ([]string, bool) {
	if name, rest, ok := strings.Cut(value, ":"); ok && strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), ";")) == "" && !strings.Contains(name, "@") {
		return nil, true
	}
	var out []string
	for _, item := range strings.Split(value, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		if i := strings.LastIndexByte(item, '<'); i >= 0 {
			item = strings.TrimSuffix(item[i+1:], ">")
		}
		a, err := mail.ParseAddress(item)
		if err != nil {
			return nil, false
		}
		out = append(out, strings.ToLower(a.Address))
	}
	return out, true
}

func singleAddress(value string) string {
	list, ok := addresses(value)
	if !ok || len(list) != 1 {
		return ""
	}
	return list[0]
}

// newMessageID has the shape of Gmail's own: CA…@mail.gmail.com.
func newMessageID() string {
	b := make([]byte, 36)
	rand.Read(b)
	return "CA" + base64.RawURLEncoding.EncodeToString(b) + "@mail.gmail.com"
}

func writeField(out *bytes.Buffer, name, value string) { fmt.Fprintf(out, "%s: %s\r\n", name, value) }

// toCRLF makes every line end CRLF, as mail is in transit.
func toCRLF(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

// withoutField removes a header field from a message.
func withoutField(message []byte, name string) []byte {
	fields, body := mimetree.SplitHeader(message)
	var out bytes.Buffer
	for _, f := range fields {
		if !strings.EqualFold(f.Name, name) {
			out.Write(f.Line)
		}
	}
	out.WriteString("\r\n")
	out.Write(body)
	return out.Bytes()
}
