package gmail_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// TestPlainTextNeedsNoAttachment: only a draft that is one text for certain is asked for without the class of attachments.
func TestPlainTextNeedsNoAttachment(t *testing.T) {
	const body = "\r\nHello\r\n"
	for _, c := range []struct {
		name, raw string
		plain     bool
	}{
		{"plain text", "Subject: a\r\nContent-Type: text/plain; charset=utf-8\r\n" + body, true},
		{"another spelling", "Subject: a\r\ncontent-type: TEXT/PLAIN\r\n" + body, true},
		{"no type", "Subject: a\r\n" + body, false},
		{"HTML", "Content-Type: text/html\r\n" + body, false},
		{"parts", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n", false},
		{"two types", "Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n" + body, false},
		{"an attachment itself", "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n" + body, false},
		{"a type that cannot be read", "Content-Type: text/plain; ;=\r\n" + body, false},
		{"a header that cannot be read", "Content-Type: text/plain\r\n\x00\x01nonsense\r\n" + body, false},
		{"an upload", "Content-Type: text/plain\r\n\r\n" + strings.Repeat("a", 4_000_000), false},
	} {
		target, err := gmail.CreateDraft([]byte(c.raw), "").Target()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		want := []policy.DataClass{policy.Header, policy.Body, policy.Attachment}
		if c.plain {
			want = want[:2]
		}
		if !slices.Equal(target.Classes, want) {
			t.Errorf("%s: the classes are %v, want %v", c.name, target.Classes, want)
		}
	}
}
