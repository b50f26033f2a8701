package inbox

import (
	"bufio"
	"mime"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"github.com/totalengage/webmail/inbox/internal/gmail"
)

// Undelivered says of a message that was sent that a mail server gave it back. Anybody can write a message that looks
// like a bounce, so it is believed only of addresses that the message went to, and it changes nothing but what is said.
type Undelivered struct {
	Addresses []string
	Reason    UndeliveredReason
}

// UndeliveredReason is why, as far as the server's status tells (RFC 3463).
type UndeliveredReason string

// The reasons.
const (
	NoSuchAddress    UndeliveredReason = "address" // X.1
	MailboxFull      UndeliveredReason = "full"    // X.2.2
	MessageTooLarge  UndeliveredReason = "size"    // X.2.3, X.3.4
	RefusedByServer  UndeliveredReason = "refused" // X.7
	StillTrying      UndeliveredReason = "delayed" // Action: delayed
	OtherwiseFailing UndeliveredReason = "unknown"
)

// deliveryReport is a bounce, read (RFC 3464).
type deliveryReport struct {
	about     []string // Message-IDs of what it is about
	addresses []string // lower case
	reason    UndeliveredReason
}

// markUndelivered gives the messages of a conversation what its bounces say of them.
func markUndelivered(messages []Message, all []*gmail.Message) {
	ids := map[string]string{} // Message-ID -> Gmail's id, of what was sent
	for _, m := range all {
		if id := messageID.FindString(header(m.Payload, "Message-ID")); id != "" && slices.Contains(m.LabelIds, "SENT") {
			ids[id] = m.Id
		}
	}
	for _, m := range all {
		report, ok := reportOf(m)
		if !ok {
			continue
		}
		for _, about := range report.about {
			i := slices.IndexFunc(messages, func(m Message) bool { return m.ID == ids[about] })
			if i < 0 {
				continue
			}
			messages[i].giveBack(report)
		}
	}
}

func (m *Message) giveBack(report deliveryReport) {
	for _, a := range slices.Concat(m.To, m.Cc, m.Bcc) {
		if !slices.Contains(report.addresses, strings.ToLower(a.Email)) {
			continue
		}
		if m.Undelivered == nil {
			m.Undelivered = &Undelivered{Reason: report.reason}
		}
		if !slices.Contains(m.Undelivered.Addresses, a.Email) {
			m.Undelivered.Addresses = append(m.Undelivered.Addresses, a.Email)
		}
	}
}

// reportOf reads a bounce. Gmail keeps the machine-readable part apart, as an attachment, unless it is sent along; its
// own bounces name the recipients in a header, and the status stands in the text for people.
func reportOf(m *gmail.Message) (deliveryReport, bool) {
	kind, params, err := mime.ParseMediaType(header(m.Payload, "Content-Type"))
	if err != nil || kind != "multipart/report" || !strings.EqualFold(params["report-type"], "delivery-status") {
		return deliveryReport{}, false
	}
	r := deliveryReport{reason: OtherwiseFailing}
	r.about = append(messageID.FindAllString(header(m.Payload, "In-Reply-To"), 5), messageID.FindAllString(header(m.Payload, "References"), maxReferences)...)
	for _, a := range ParseAddresses(header(m.Payload, "X-Failed-Recipients")) {
		r.addresses = append(r.addresses, strings.ToLower(a.Email))
	}
	if status := enhancedStatus.FindString(anatomy(m.Payload).body.text()); status != "" {
		r.reason = reasonOf(status)
	}
	for _, part := range m.Payload.Parts {
		if strings.EqualFold(part.MimeType, "message/delivery-status") && part.Body != nil && part.Body.Data != "" {
			r.read(decode(part.Body.Data))
		}
	}
	return r, len(r.addresses) > 0
}

// reportFields bounds how many recipients of one report are read.
const reportFields = 500

// read takes a message/delivery-status: groups of fields, the first about the message, one more for each recipient.
func (r *deliveryReport) read(text string) {
	in := textproto.NewReader(bufio.NewReader(strings.NewReader(text)))
	for range reportFields {
		fields, err := in.ReadMIMEHeader()
		if address, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(fields.Get("Final-Recipient"), " ", "")), "rfc822;"); ok && address != "" {
			switch strings.ToLower(strings.TrimSpace(fields.Get("Action"))) {
			case "failed":
				r.add(address, reasonOf(enhancedStatus.FindString(fields.Get("Status"))))
			case "delayed":
				r.add(address, StillTrying)
			}
		}
		if err != nil {
			return
		}
	}
}

func (r *deliveryReport) add(address string, why UndeliveredReason) {
	if !slices.Contains(r.addresses, address) {
		r.addresses = append(r.addresses, address)
	}
	r.reason = why
}

var enhancedStatus = regexp.MustCompile(`\b[245]\.\d{1,3}\.\d{1,3}\b`)

func reasonOf(status string) UndeliveredReason {
	switch {
	case len(status) < 3:
	case status[1:] == ".2.2":
		return MailboxFull
	case status[1:] == ".2.3", status[1:] == ".3.4":
		return MessageTooLarge
	case strings.HasPrefix(status[1:], ".1."):
		return NoSuchAddress
	case strings.HasPrefix(status[1:], ".7."):
		return RefusedByServer
	}
	return OtherwiseFailing
}
