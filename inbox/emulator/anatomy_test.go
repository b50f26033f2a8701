package emulator_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
)

const anatomy = "Received: from a\r\n        by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n" +
	"received: second\r\n" +
	"Subject: =?iso-8859-1?q?caf=E9?= =?iso-8859-1?q?_au_lait?= & more\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=\"out\"\r\n\r\npreamble\r\n" +
	"--out\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n" +
	"--in\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe <you> & \"me\"\r\nit's two\r\n" +
	"--in\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Grüße</p>\r\n--in--\r\n" +
	"--out\r\nContent-Type: image/png\r\nContent-ID: <i@x>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0=\r\n" +
	"--out\r\nContent-Type: text/plain; name=note.txt\r\nContent-Disposition: attachment; filename*=utf-8''n%C3%B6te.txt\r\n\r\nattached\r\n" +
	"--out\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner body\r\n" +
	"--out--\r\nepilogue"

func TestAnatomy(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	id := w.insert(anatomy, testTime, "INBOX")
	m := must[*gmail.Message](t)(alice.Messages.Get("me", id).Do())
	var lines []string
	var walk func(p *gmail.MessagePart)
	walk = func(p *gmail.MessagePart) {
		kind := "container"
		switch {
		case p.Body.AttachmentId != "":
			kind = "attachment"
		case p.Body.Data != "":
			kind = fmt.Sprintf("%q", decode(t, p.Body.Data))
		}
		lines = append(lines, fmt.Sprintf("%s %s %q %d %s", p.PartId, p.MimeType, p.Filename, p.Body.Size, kind))
		for _, c := range p.Parts {
			walk(c)
		}
	}
	walk(m.Payload)
	want := []string{
		` multipart/mixed "" 0 container`,
		`0 multipart/alternative "" 0 container`,
		`0.0 text/plain "" 30 "Grüße <you> & \"me\"\r\nit's two"`,
		`0.1 text/html "" 14 "<p>Grüße</p>"`,
		`1 image/png "" 5 attachment`,
		`2 text/plain "nöte.txt" 8 attachment`,
		`3 message/rfc822 "" 0 container`,
		`3.0 text/plain "" 10 "inner body"`,
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if got, want := m.Snippet, "Grüße &lt;you&gt; &amp; &quot;me&quot; it&#39;s two"; got != want {
		t.Errorf("snippet %q, want %q", got, want)
	}
	if m.SizeEstimate != int64(len(anatomy)) || m.InternalDate != testTime.UnixMilli() {
		t.Errorf("size %d, date %d", m.SizeEstimate, m.InternalDate)
	}
	var names []string
	for _, h := range m.Payload.Headers {
		names = append(names, h.Name)
	}
	if got, want := strings.Join(names, " "), "Received received Subject MIME-Version Content-Type"; got != want {
		t.Errorf("headers %s, want %s", got, want)
	}
	if got, want := header(m, "subject"), "café au lait & more"; got != want {
		t.Errorf("subject %q, want %q", got, want)
	}
	if got, want := header(m, "Received"), "from a        by b; Mon, 1 Jan 2024 00:00:00 +0000"; got != want {
		t.Errorf("unfolded %q, want %q", got, want)
	}
}

func TestAttachmentsRotate(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	id := w.insert(anatomy, testTime)
	first := must[*gmail.Message](t)(alice.Messages.Get("me", id).Do()).Payload.Parts[1].Body.AttachmentId
	second := must[*gmail.Message](t)(alice.Messages.Get("me", id).Do()).Payload.Parts[1].Body.AttachmentId
	if first == second || !regexp.MustCompile(`^ANGjdJ[A-Za-z0-9_-]{377,398}$`).MatchString(first) {
		t.Errorf("attachment ids %q and %q", first, second)
	}
	for _, a := range []string{first, second} {
		if got := must[*gmail.MessagePartBody](t)(alice.Messages.Attachments.Get("me", id, a).Do()); decode(t, got.Data) != "\x89PNG\r" || got.Size != 5 {
			t.Errorf("attachment %+v", got)
		}
	}
	other := w.insert("Subject: other\r\n\r\nx", testTime)
	wantError(t, errOf(alice.Messages.Attachments.Get("me", other, first).Do()), 400, "invalidArgument", "Invalid attachment token")
}

func TestFormats(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	id := w.insert("subject: a\r\nTo: x@y.example\r\n\r\nbody", testTime, "INBOX")
	for query, want := range map[string]string{
		"format=minimal": `^{"id":"I","threadId":"I","labelIds":\["INBOX"\],"snippet":"body","sizeEstimate":35,"historyId":"\d+","internalDate":"1790856000000"}$`,
		"format=raw":     `^{"id":"I",.*"sizeEstimate":35,"raw":"[A-Za-z0-9_=-]+","historyId":"\d+","internalDate":"\d+"}$`,
		"format=metadata&metadataHeaders=Subject": `"snippet":"body","payload":{"mimeType":"text/plain","headers":\[{"name":"subject","value":"a"}\]},"sizeEstimate"`,
		"format=full": `"payload":{"partId":"","mimeType":"text/plain","filename":"","headers":\[.*\],"body":{"size":4,"data":"Ym9keQ=="}},"sizeEstimate"`,
		"fields=id,payload(headers/name,body/size)": `^{"id":"I","payload":{"headers":\[{"name":"subject"},{"name":"To"}\],"body":{"size":4}}}$`,
	} {
		_, _, body := w.do("GET", "/gmail/v1/users/me/messages/"+id+"?prettyPrint=false&"+query, "alice", "")
		if body = strings.ReplaceAll(body, id, "I"); !regexp.MustCompile(want).MatchString(body) {
			t.Errorf("%s: %s, want %s", query, body, want)
		}
	}
	status, _, body := w.do("GET", "/gmail/v1/users/me/messages/"+id+"?format=minimal", "alice", "")
	if status != 200 || !strings.HasPrefix(body, "{\n  \"id\": ") {
		t.Errorf("pretty print is the default: %s", body)
	}
}
