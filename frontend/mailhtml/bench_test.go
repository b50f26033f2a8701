package mailhtml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend/mailhtml"
)

// newsletter returns an HTML mail of about 18 kB with a style sheet, nested
// tables, links and images, as senders' tools write them.
func newsletter() string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html lang="en"><head><title>News</title><style type="text/css">
body { margin: 0; padding: 0; background-color: #f4f4f4; font-family: Arial, sans-serif; }
table.wrap td.cell { padding: 12px 24px; color: #333333; line-height: 22px; }
.wrap h2 { font-size: 20px; color: #123456; margin: 0 0 8px 0; }
a.button { background-color: #1a73e8; color: #ffffff !important; padding: 10px 18px; border-radius: 4px; text-decoration: none; }
p { margin: 0 0 12px; } img { border: 0; display: block; }
@media only screen and (max-width: 480px) { .wrap { width: 100% !important; } }
</style></head><body bgcolor="#f4f4f4"><table class="wrap" width="600" align="center" cellpadding="0" cellspacing="0" bgcolor="#ffffff">`)
	for i := 0; b.Len() < 18_000; i++ {
		fmt.Fprintf(&b, `<tr><td class="cell" valign="top" style="border-bottom: 1px solid #dddddd;"><!--[if mso]><v:rect/><![endif]-->`+
			`<h2>Story %d</h2><img src="https://images.example.com/story/%d.jpg" width="552" height="200" alt="Story">`+
			`<p>What happened here is <b>told in a paragraph</b> of ordinary length, with a <a href="https://example.com/s/%d?utm=mail">link</a>.</p>`+
			`<p><a class="button" href="https://example.com/more/%d">Read more</a></p></td></tr>`, i, i, i, i)
	}
	b.WriteString(`</table><img src="https://track.example.com/open.gif?u=1" width="1" height="1"></body></html>`)
	return b.String()
}

func BenchmarkRenderHTML(b *testing.B) {
	body := newsletter()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mailhtml.RenderHTML(body, testOptions()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRenderText(b *testing.B) {
	body := strings.Repeat("A line of text with https://example.com/ in it, wrapped as usual\n> and a quoted one\n", 220)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mailhtml.RenderText(body, testOptions()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTextOf(b *testing.B) {
	body := newsletter()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		mailhtml.TextOf(body)
	}
}
