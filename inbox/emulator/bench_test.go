package emulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox/emulator"
)

// BenchmarkMailbox measures the calls of a mail client on a mailbox of 10,000
// messages in 5,000 threads, without the network.
func BenchmarkMailbox(b *testing.B) {
	srv := emulator.New(emulator.Options{
		Quota: "off", Logf: func(string, ...any) {},
		Auth: emulator.StaticTokens{"a": {Email: "alice@example.com", Scopes: []string{fullScope}}},
	})
	if err := srv.AddUser("alice@example.com", "Alice"); err != nil {
		b.Fatal(err)
	}
	var ids []string
	for i := range 10_000 {
		raw := fmt.Sprintf("From: p%d@example.com\r\nMessage-ID: <%d@x>\r\nReferences: <%d@x>\r\nSubject: s\r\n\r\n%s", i%50, i, i-i%2, strings.Repeat("text of the message ", 50))
		id, err := srv.Insert("alice@example.com", []byte(raw), []string{"INBOX"}, testTime.Add(time.Duration(i)*time.Minute))
		if err != nil {
			b.Fatal(err)
		}
		ids = append(ids, id)
	}
	var batch strings.Builder
	for _, id := range ids[:50] {
		fmt.Fprintf(&batch, "--b\r\nContent-Type: application/http\r\n\r\nGET /gmail/v1/users/me/messages/%s?format=metadata HTTP/1.1\r\n\r\n\r\n", id)
	}
	batch.WriteString("--b--")
	for _, c := range []struct{ name, verb, target, body string }{
		{"list", "GET", "/gmail/v1/users/me/messages?labelIds=INBOX", ""},
		{"threads", "GET", "/gmail/v1/users/me/threads?labelIds=INBOX", ""},
		{"count", "GET", "/gmail/v1/users/me/labels/INBOX", ""},
		{"search", "GET", "/gmail/v1/users/me/messages?q=nowhere", ""},
		{"full", "GET", "/gmail/v1/users/me/messages/" + ids[0], ""},
		{"batch of 50 metadata", "POST", "/batch", batch.String()},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest(c.verb, c.target, io.NopCloser(strings.NewReader(c.body)))
				r.Header.Set("Authorization", "Bearer a")
				r.Header.Set("Content-Type", "multipart/mixed; boundary=b")
				out := httptest.NewRecorder()
				srv.Handler().ServeHTTP(out, r)
				if out.Code != http.StatusOK {
					b.Fatal(out.Code, out.Body)
				}
			}
		})
	}
}
