package demodata

import (
	"bytes"
	"fmt"
	"mime"
	"regexp"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// encode is the message as it lies in a user's mailbox. The sender's copy has
// the Bcc field and no trace of transport.
func (l *letter) encode(user string) ([]byte, error) {
	body, err := l.body()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if l.script.from != user {
		l.trace(&b, user)
	}
	field(&b, "From", l.from.String())
	addresses(&b, "To", l.to)
	addresses(&b, "Cc", l.cc)
	if l.script.from == user {
		addresses(&b, "Bcc", l.bcc)
	}
	if l.subject != "" {
		field(&b, "Subject", encodeWords(l.subject))
	}
	field(&b, "Date", l.date.Format(time.RFC1123Z))
	field(&b, "Message-ID", l.id)
	if l.answers != nil {
		field(&b, "In-Reply-To", l.answers.id)
		field(&b, "References", strings.Join(l.references, " "))
	}
	l.listFields(&b)
	field(&b, "MIME-Version", "1.0")
	body.write(&b, strings.Trim(l.id, "<>"))
	return b.Bytes(), nil
}

// trace is what the receiving server writes on top.
func (l *letter) trace(b *bytes.Buffer, user string) {
	verdict := "pass"
	if l.script.is("spoofed") {
		verdict = "fail"
	}
	_, domain, _ := strings.Cut(l.from.address, "@")
	stamp := l.date.Add(2 * time.Second).Format(time.RFC1123Z)
	field(b, "Delivered-To", mustCast()[user].address)
	field(b, "Return-Path", "<"+l.from.address+">")
	field(b, "Received", fmt.Sprintf("from mail.%s (mail.%s [192.0.2.25]) by mx.google.com with ESMTPS; %s", domain, domain, stamp))
	field(b, "Authentication-Results", fmt.Sprintf("mx.google.com; dkim=%s header.i=@%s header.s=demo; spf=%s smtp.mailfrom=%s; dmarc=%s header.from=%s",
		verdict, domain, verdict, domain, verdict, domain))
}

// listFields are those of a mailing list, written "Name <list.id>", and of
// newsletters (RFC 2369, RFC 8058).
func (l *letter) listFields(b *bytes.Buffer) {
	if l.list == "" {
		return
	}
	field(b, "List-Id", l.list)
	name := fingerprint(l.list, "", 0)
	field(b, "List-Unsubscribe", fmt.Sprintf("<https://lists.example.org/leave/%s>, <mailto:leave-%s@lists.example.org?subject=unsubscribe>", name, name))
	if l.from.program == robot {
		field(b, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
		_, domain, _ := strings.Cut(l.from.address, "@")
		field(b, "DKIM-Signature", fmt.Sprintf("v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=demo; h=from:to:subject:date:list-unsubscribe:list-unsubscribe-post; bh=%s; b=%s",
			domain, fingerprint(l.list, "bh", 0), fingerprint(l.list, "b", 0)))
	} else {
		field(b, "List-Post", "<mailto:"+l.to[0].address+">")
	}
	field(b, "Precedence", "list")
}

var contentID = regexp.MustCompile(`cid:([a-z-]+\.png)`)

// body is the tree of parts: mixed(related(alternative(text, html, calendar), pictures), files).
// It is made once and is the same in every mailbox.
func (l *letter) body() (*part, error) {
	if l.parts != nil {
		return l.parts, nil
	}
	text, err := l.textPart()
	if err != nil {
		return nil, err
	}
	body := text
	if l.html != "" {
		page := &part{mediaType: "text/html", params: map[string]string{"charset": "UTF-8"}, body: []byte(l.html)}
		body = multipart("alternative", text, page)
	}
	var files []*part
	if meeting, ok := l.script.options["invite"]; ok {
		ics, err := l.invitation(meeting)
		if err != nil {
			return nil, err
		}
		body.children = append(body.children, &part{
			mediaType: "text/calendar", params: map[string]string{"charset": "UTF-8", "method": "REQUEST"}, body: ics,
		})
		files = append(files, attached("invite.ics", "application/ics", ics))
	}
	seen := map[string]bool{}
	for _, m := range contentID.FindAllStringSubmatch(l.html, -1) {
		if name := m[1]; !seen[name] {
			seen[name] = true
			if body.mediaType != "multipart/related" {
				body = multipart("related", body)
			}
			body.children = append(body.children, inline(name, picture(name)))
		}
	}
	for _, name := range split(l.script.options["attach"], ",") {
		file, err := l.attachment(name)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	if len(files) > 0 {
		body = multipart("mixed", append([]*part{body}, files...)...)
	}
	l.parts = body
	return body, nil
}

func (l *letter) textPart() (*part, error) {
	charset := "UTF-8"
	if name, ok := l.script.options["charset"]; ok {
		charset = name
	}
	p := &part{mediaType: "text/plain", params: map[string]string{"charset": charset}, body: []byte(l.text)}
	if l.from.program == terminal {
		p.params["format"] = "flowed"
		p.body = []byte(flowed(l.text))
	}
	if charset == "UTF-8" {
		return p, nil
	}
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	p.body, err = enc.NewEncoder().Bytes(p.body)
	return p, err
}

// flowed wraps at 72 columns with a blank at each soft break (RFC 3676). Quoted
// lines stay as they are.
func flowed(text string) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, ">") || line == "-- " {
			out = append(out, line)
			continue
		}
		line = strings.TrimRight(line, " ")
		for len(line) > 72 {
			i := strings.LastIndexByte(line[:72], ' ')
			if i <= 0 {
				break
			}
			out, line = append(out, line[:i+1]), line[i+1:]
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func encodeWords(s string) string {
	if ascii(s) {
		return s
	}
	return mime.BEncoding.Encode("UTF-8", s)
}

func addresses(b *bytes.Buffer, name string, list []member) {
	var out []string
	for _, m := range list {
		out = append(out, m.String())
	}
	if len(out) > 0 {
		field(b, name, strings.Join(out, ", "))
	}
}

// field writes a header field, folded at blanks near column 78.
func field(b *bytes.Buffer, name, value string) {
	line := name + ":"
	for _, word := range strings.Fields(value) {
		if len(line)+1+len(word) > 78 && strings.TrimSpace(line) != name+":" {
			b.WriteString(line + "\r\n")
			line = ""
		}
		line += " " + word
	}
	b.WriteString(line + "\r\n")
}
