package emulator

import (
	"bytes"
	"encoding/base64"
	"mime"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/emulator/internal/mimetree"
)

// answerAgain is how long a correspondent gets no second vacation reply.
const answerAgain = 4 * 24 * time.Hour

// vacationReplyLocked is the automatic answer to a message that arrived from an
// envelope address; nil when none is due. Machines are not answered (RFC 3834).
func (b *mailbox) vacationReplyLocked(content *mailContent, from string, labels []string, now time.Time) []byte {
	v := b.settings.Vacation
	if !v.EnableAutoReply || !v.covers(now) || from == "" || b.isMineLocked(from) ||
		slices.Contains(labels, "SPAM") || slices.Contains(labels, "TRASH") {
		return nil
	}
	headers := content.headers()
	if fromMachine(headers, from) ||
		v.RestrictToDomain && domainOf(from) != domainOf(b.email) ||
		v.RestrictToContacts && !b.wroteToLocked(from) {
		return nil
	}
	if last, ok := b.settings.Answered[from]; ok && now.Sub(time.UnixMilli(last)) < answerAgain {
		return nil
	}
	if b.settings.Answered == nil {
		b.settings.Answered = map[string]int64{}
	}
	b.settings.Answered[from] = now.UnixMilli()
	b.settingsChanged = true
	return b.composeReply(v, content, headers, from, now)
}

// covers reports whether the reply is on at a time.
func (v vacationResource) covers(now time.Time) bool {
	start, _ := strconv.ParseInt(v.StartTime, 10, 64) // "" is 0
	end, _ := strconv.ParseInt(v.EndTime, 10, 64)
	return now.UnixMilli() >= start && (end == 0 || now.UnixMilli() < end)
}

func fromMachine(headers []mimetree.Header, from string) bool {
	local, _, _ := strings.Cut(strings.ToLower(from), "@")
	auto := strings.ToLower(mimetree.Get(headers, "Auto-Submitted"))
	precedence := strings.ToLower(mimetree.Get(headers, "Precedence"))
	return auto != "" && auto != "no" || mimetree.Get(headers, "List-ID") != "" ||
		slices.Contains([]string{"bulk", "list", "junk"}, precedence) ||
		slices.Contains([]string{"mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply"}, local)
}

// wroteToLocked stands for "in my contacts": whoever the user has written to.
func (b *mailbox) wroteToLocked(address string) bool {
	return slices.ContainsFunc(b.byDate, func(m *message) bool {
		if !m.has("SENT") {
			return false
		}
		list, _ := addresses(m.content.get("To"))
		return slices.Contains(list, address)
	})
}

func (b *mailbox) composeReply(v vacationResource, to *mailContent, headers []mimetree.Header, from string, now time.Time) []byte {
	subject := strings.TrimSpace(v.ResponseSubject + " Re: " + replyPrefix.ReplaceAllString(mimetree.Get(headers, "Subject"), ""))
	kind, text := "text/plain", v.ResponseBodyPlainText
	if v.ResponseBodyHTML != "" { // wins over plain text
		kind, text = "text/html", v.ResponseBodyHTML
	}
	var out bytes.Buffer
	writeField(&out, "From", b.fromValue())
	writeField(&out, "To", (&mail.Address{Address: from}).String())
	writeField(&out, "Subject", mime.QEncoding.Encode("utf-8", subject))
	writeField(&out, "Date", now.Format(time.RFC1123Z))
	writeField(&out, "Message-ID", "<"+newMessageID()+">")
	if to.messageID != "" {
		writeField(&out, "In-Reply-To", "<"+to.messageID+">")
		writeField(&out, "References", "<"+to.messageID+">")
	}
	writeField(&out, "Auto-Submitted", "auto-replied")
	writeField(&out, "Precedence", "bulk")
	writeField(&out, "X-Autoreply", "yes")
	writeField(&out, "MIME-Version", "1.0")
	writeField(&out, "Content-Type", kind+"; charset=\"UTF-8\"")
	writeField(&out, "Content-Transfer-Encoding", "base64")
	out.WriteString("\r\n")
	for encoded := base64.StdEncoding.EncodeToString([]byte(text)); encoded != ""; {
		line := encoded[:min(76, len(encoded))]
		encoded = encoded[len(line):]
		out.WriteString(line + "\r\n")
	}
	return out.Bytes()
}
