package mailhtml_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend/mailhtml"
)

func TestDoubts(t *testing.T) {
	for _, c := range []struct {
		url, text string
		want      mailhtml.Doubt
	}{
		// What honest mail holds.
		{"https://shop.example.net/autumn", "See all of it", mailhtml.NoDoubt},
		{"https://www.example.com/a", "https://example.com/a", mailhtml.NoDoubt},
		{"https://mail.example.co.uk/", "example.co.uk", mailhtml.NoDoubt},
		{"https://example.com/", "", mailhtml.NoDoubt},
		{"https://example.com/download", "report.pdf", mailhtml.NoDoubt},
		{"https://example.com/", "Node.js", mailhtml.NoDoubt},
		{"https://example.com/", "Version 2.0", mailhtml.NoDoubt},
		{"https://example.com/", "e.g. this", mailhtml.NoDoubt},
		{"https://example.com/", "We compared it with example.net and others", mailhtml.NoDoubt},
		{"mailto:bob@example.com", "https://example.net", mailhtml.NoDoubt},
		{"https://müller.de/", "müller.de", mailhtml.NoDoubt},
		{"https://xn--mller-kva.de/", "müller.de", mailhtml.NoDoubt},
		{"https://пример.рф/", "пример.рф", mailhtml.NoDoubt},
		{"https://例え.jp/", "例え", mailhtml.NoDoubt},
		{"https://google例え.jp/", "", mailhtml.NoDoubt},
		{"https://ελλάδα.gr/", "", mailhtml.NoDoubt},
		{"https://www.google.com/search?q=https://example.com", "Search", mailhtml.NoDoubt},
		{"https://www.google.com/url?q=https://maps.google.com/", "Map", mailhtml.NoDoubt},

		// The text names another site.
		{"https://evil.example/", "https://bank.com/login", mailhtml.OtherName},
		{"https://evil.example/", "Please go to https://bank.com/login now", mailhtml.OtherName},
		{"https://evil.example/", "www.bank.com", mailhtml.OtherName},
		{"https://evil.example/", "bank.com", mailhtml.OtherName},
		{"https://evil.example/", "  BANK.com/login  ", mailhtml.OtherName},
		{"https://evil.example/", "b\u200bank\u00ad.com", mailhtml.OtherName},
		{"https://evil.example/", "https://user@bank.com:443/", mailhtml.OtherName},
		{"https://evil.example/", `https:\\bank.com`, mailhtml.OtherName},
		{"https://bank.com.evil.net/", "bank.com", mailhtml.OtherName},
		{"https://mallory.github.io/", "alice.github.io", mailhtml.OtherName},
		{"https://click.mailer.net/c?to=https://bank.com", "https://bank.com", mailhtml.OtherName},

		// Names that can be taken for others.
		{"https://раураӏ.com/", "", mailhtml.LookAlike},
		{"https://pаypal.com/", "", mailhtml.LookAlike},
		{"https://xn--pypal-4ve.com/", "", mailhtml.LookAlike},
		{"https://xn--80ak6aa92e.com/", "", mailhtml.LookAlike},
		{"https://%D0%B0pple.com/", "", mailhtml.LookAlike},
		{"https://gооgle.com/", "", mailhtml.LookAlike},
		{"https://ɡoogle.com/", "", mailhtml.LookAlike},
		{"https://xn--zz--.com/", "", mailhtml.LookAlike},
		{"https://bank.com∕login.evil.net/", "", mailhtml.LookAlike},

		// Numbers, names before the host, forwarders.
		{"http://192.0.2.1/login", "Log in", mailhtml.BareAddress},
		{"http://[2001:db8::1]/", "Log in", mailhtml.BareAddress},
		{"http://3232235777/", "Log in", mailhtml.BareAddress},
		{"http://0xc0a80101/", "Log in", mailhtml.BareAddress},
		{"https://bank.com@evil.example/", "Log in", mailhtml.UserInfo},
		{"https://bank.com:443@evil.example/", "https://bank.com", mailhtml.UserInfo},
		{"https://www.google.com/url?q=https://evil.example/&sa=D", "Log in", mailhtml.Forwarder},
		{"https://www.google.com/amp/s/evil.example/x", "Log in", mailhtml.Forwarder},
		{"https://l.facebook.com/l.php?u=https%3A%2F%2Fevil.example%2F", "Log in", mailhtml.Forwarder},
		{"https://www.youtube.com/redirect?q=https%3A%2F%2Fevil.example", "Log in", mailhtml.Forwarder},
	} {
		if got := mailhtml.DoubtOf(c.url, c.text); got != c.want {
			t.Errorf("%s under %q: got %q, want %q", c.url, c.text, got, c.want)
		}
	}
}

func TestSiteOf(t *testing.T) {
	for raw, want := range map[string][2]string{
		"https://bank.com.login.evil.example/": {"bank.com.login.", "evil.example"},
		"https://www.example.co.uk:443/a":      {"www.", "example.co.uk"},
		"https://example.com":                  {"", "example.com"},
		"https://раураӏ.com/":                  {"", "xn--80aa0cbo65f.com"},
		"http://192.0.2.1/":                    {"", "192.0.2.1"},
		"http://[2001:db8::1]/":                {"", "2001:db8::1"},
	} {
		if before, site := mailhtml.SiteOf(raw); before != want[0] || site != want[1] {
			t.Errorf("%s: got %q and %q, want %q", raw, before, site, want)
		}
	}
}

func TestForwardsTo(t *testing.T) {
	for raw, want := range map[string]string{
		"https://www.google.com/url?q=https://evil.example/a&sa=D": "https://evil.example/a",
		"https://www.google.com/url?q=javascript:alert(1)":         "",
		"https://www.google.com/url?q=/local":                      "",
		"https://www.google.com.evil.example/url?q=https://a.b":    "",
		"https://example.com/url?q=https://evil.example":           "",
	} {
		if got := mailhtml.ForwardsTo(raw); got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}

// TestLinksAreShownToTheCaller: the callback gets the text that the reader sees, in both kinds of body.
func TestLinksAreShownToTheCaller(t *testing.T) {
	var seen []string
	o := mailhtml.Options{Link: func(url, text string) string { seen = append(seen, url+" "+text); return url }}
	if _, err := mailhtml.RenderHTML(`<a href="https://a.example/"><b>ba</b>nk<img src=cid:x>.com</a><a href="https://b.example/"></a>`, o); err != nil {
		t.Fatal(err)
	}
	if _, err := mailhtml.RenderText("see www.c.example and d@e.example", o); err != nil {
		t.Fatal(err)
	}
	want := []string{"https://a.example/ bank.com", "https://b.example/ ", "https://www.c.example www.c.example", "mailto:d@e.example d@e.example"}
	if !slices.Equal(seen, want) {
		t.Errorf("got %q, want %q", seen, want)
	}
}

func TestTrackersAreNamed(t *testing.T) {
	const opaque = "u7f3a9c2e5b8d1f4a6c0e9b"
	doc, err := mailhtml.RenderHTML(strings.Join([]string{
		`<img src="https://shop.us1.list-manage.com/track/open.php?u=1">`,
		`<img src="https://u1.ct.sendgrid.net/wf/open?upn=x">`,
		`<img src="https://u2.ct.sendgrid.net/wf/open?upn=y">`,
		`<table background="https://www.google-analytics.com/collect?v=1"><tr><td>x</table>`,
		`<p style="background:url(https://mailtrack.io/trace/1)">x</p>`,
		`<img src="https://open.letters.example.co.uk/` + opaque + `" style="display:none">`,
		`<img src="https://count.example.org/e?r=` + opaque + `">`,
		// Pictures.
		`<img src="https://img.example.net/` + opaque + `" width="600">`,
		`<img src="https://img.example.net/` + opaque + `" alt="Oak">`,
		`<img src="https://img.example.net/` + opaque + `.jpg">`,
		`<img src="https://www.facebook.com/travel/oak.jpg">`,
		`<img src="https://img.example.net/oak">`,
	}, ""), mailhtml.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Google Analytics", "Mailchimp", "Mailtrack", "SendGrid", "example.co.uk", "example.org"}
	if !slices.Equal(doc.TrackedBy, want) || doc.Trackers != 7 || doc.RemoteImages != 5 {
		t.Errorf("got %d trackers of %q and %d images, want 7 of %q and 5", doc.Trackers, doc.TrackedBy, doc.RemoteImages, want)
	}
}

// FuzzDoubt: no URL and no text panics, and what forwards is never without doubt.
func FuzzDoubt(f *testing.F) {
	for _, seed := range []string{"https://example.com/a", "https://пример.рф/", "http://a.b.co.uk:80/?q=https://c.d", "https://xn--a.com", "https://%D0%B0.com"} {
		f.Add(seed, "text")
	}
	f.Fuzz(func(t *testing.T, url, text string) {
		_ = mailhtml.DoubtOf(url, text)
		if mailhtml.ForwardsTo(url) != "" && mailhtml.DoubtOf(url, "") == mailhtml.NoDoubt {
			t.Errorf("%q forwards and raises no doubt", url)
		}
	})
}
