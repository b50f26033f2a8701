package frontend_test

import (
	"strings"
	"testing"

	. "github.com/totalengage/webmail/oauth/oauthtest"
)

// TestMessageSaysWhoSignedIt: what Gmail found is told in its results, and a sender's own words are not.
func TestMessageSaysWhoSignedIt(t *testing.T) {
	type summary struct {
		Proven                               bool
		Spf, Dkim, Dmarc, SignedBy, MailedBy string
	}
	cases := []struct {
		name, header string
		want         *summary
	}{
		{"a bank's", "Authentication-Results: mx.google.com;\n dkim=pass header.i=@news.example header.s=a;\n dkim=pass header.i=@bank.example header.s=b;\n spf=pass (google.com: ok) smtp.mailfrom=bounce@mail.bank.example;\n dmarc=pass (p=REJECT) header.from=bank.example\n",
			&summary{true, "pass", "pass", "pass", "bank.example", "mail.bank.example"}},
		{"a forger's", "Authentication-Results: mx.google.com;\n dkim=pass header.i=@evil.example;\n spf=pass smtp.mailfrom=x@evil.example;\n dmarc=fail (p=NONE) header.from=bank.example\n",
			&summary{false, "pass", "pass", "fail", "evil.example", "evil.example"}},
		{"one that brings its own verdict", "Authentication-Results: mx.evil.example; dkim=pass header.i=@bank.example; dmarc=pass header.from=bank.example\n", nil},
		{"an unchecked", "", nil},
	}
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.owner(Ada)
		for _, c := range cases {
			id := h.put(c.header + "From: Bank <service@bank.example>\nTo: ada@example.com\nSubject: account\n\nhello\n")
			var got struct{ Authenticity *summary }
			ada.ok("GET", "/api/accounts/"+string(h.account)+"/messages/"+id, nil, &got)
			switch {
			case (got.Authenticity == nil) != (c.want == nil):
				t.Errorf("%s message: %+v, want %+v", c.name, got.Authenticity, c.want)
			case c.want != nil && *got.Authenticity != *c.want:
				t.Errorf("%s message: %+v, want %+v", c.name, *got.Authenticity, *c.want)
			}
		}
	})
}

func TestHeadersAreShownInTheirOrder(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.owner(Ada)
		id := h.put("Received: by b.example\nReceived: by a.example\nFrom: Bob <bob@example.com>\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\nX-Odd: one\n two\n\nhello\n")
		var got struct {
			Headers []struct{ Name, Value string }
		}
		ada.ok("GET", "/api/accounts/"+string(h.account)+"/messages/"+id+"/headers", nil, &got)
		var lines []string
		for _, header := range got.Headers {
			lines = append(lines, header.Name+": "+strings.Join(strings.Fields(header.Value), " "))
		}
		text := strings.Join(lines, "\n")
		for _, want := range []string{"Received: by b.example\nReceived: by a.example\n", "Subject: grüße", "X-Odd: one two"} {
			if !strings.Contains(text, want) {
				t.Errorf("the headers lack %q:\n%s", want, text)
			}
		}
	})
}
