package mailhtml_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend/mailhtml"
)

const summary = `<details class="quote"><summary>Quoted text</summary>`

func renderText(t *testing.T, body string, o mailhtml.Options) (mailhtml.Document, string) {
	t.Helper()
	doc, err := mailhtml.RenderText(body, o)
	if err != nil {
		t.Fatalf("RenderText: %v", err)
	}
	for _, v := range violations(doc.HTML) {
		t.Errorf("%s in the document of %q", v, body)
	}
	shown := content(doc)
	shown = strings.TrimSuffix(strings.TrimPrefix(shown, `<div class="text">`), "</div>")
	return doc, shown
}

func TestRenderText(t *testing.T) {
	link := func(href, shown string) string {
		return `<a href="` + href + `" rel="noopener noreferrer nofollow" target="_blank">` + shown + `</a>`
	}
	for _, c := range []struct{ name, body, want string }{
		{"white space stays", "a\r\n  b\tc\n\nd", "a\n  b\tc\n\nd"},
		{"markup is text", `<script>alert("x")</script> & <b>`, `&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; &lt;b&gt;`},
		{"URL", "see https://e.example/a?b=1&c=2.", "see " + link("https://e.example/a?b=1&amp;c=2", "https://e.example/a?b=1&amp;c=2") + "."},
		{"URL in brackets", "(http://e.example/x_(y)) <http://e.example/>", "(" + link("http://e.example/x_(y)", "http://e.example/x_(y)") + ") &lt;" + link("http://e.example/", "http://e.example/") + "&gt;"},
		{"www", "www.e.example, yes", link("https://www.e.example", "www.e.example") + ", yes"},
		{"address", "write to ann.b+c@mail.e.example!", "write to " + link("mailto:ann.b+c@mail.e.example", "ann.b+c@mail.e.example") + "!"},
		{"mailto", "mailto:a@e.example", link("mailto:a@e.example", "mailto:a@e.example")},
		{"no other scheme", "javascript:alert(1) data:text/html,x file:///x", "javascript:alert(1) data:text/html,x file:///x"},
		{"attribute cannot be left", `https://e.example/"onmouseover="x`, link("https://e.example/", "https://e.example/") + `&#34;onmouseover=&#34;x`},
		{"link reference stays text", "[1] x\n[1]: javascript:x", "[1] x\n[1]: javascript:x"},
		{"invalid bytes", "a\xffb\x00c", "a\ufffdbc"},
		{"bidi controls stay", "a\u202eb", "a\u202eb"},
		{"quote between answers stays open", "> q\na\n> r\nb", "<blockquote>q</blockquote>a<blockquote>r</blockquote>b"},
		{"quotes nest", ">> a\n> b\nc", "<blockquote><blockquote>a</blockquote>b</blockquote>c"},
		{"quote alone stays open", "> a\n> b", "<blockquote>a\nb</blockquote>"},
		{"quoted tail is folded", "a\n\n> b\n> c\n", "a\n" + summary + "<blockquote>b\nc</blockquote></details>"},
		{"with its introduction", "a\n\nOn Monday, Ann <ann@e.example> wrote:\n> b", "a\n" + summary + "On Monday, Ann &lt;" + link("mailto:ann@e.example", "ann@e.example") + "&gt; wrote:<blockquote>b</blockquote></details>"},
		{"introduction over two lines", "a\n\nOn Monday, Ann Who Has a Name\n<ann@e.example> wrote:\n\n> b", "a\n" + summary + "On Monday, Ann Who Has a Name\n&lt;" + link("mailto:ann@e.example", "ann@e.example") + "&gt; wrote:\n<blockquote>b</blockquote></details>"},
		{"in other languages", "a\n\nAm 2. April schrieb Ann:\n> b", "a\n" + summary + "Am 2. April schrieb Ann:<blockquote>b</blockquote></details>"},
		{"original message", "a\n\n-----Original Message-----\nFrom: b\n\nc", "a\n" + summary + "-----Original Message-----\nFrom: b\n\nc</details>"},
		{"header block", "a\n\n________________________________\nFrom: Bo\nSent: Monday\nTo: Ann\n\nc", "a\n" + summary + "________________________________\nFrom: Bo\nSent: Monday\nTo: Ann\n\nc</details>"},
		{"forwarded message stays open", "see below\n\n---------- Forwarded message ----------\nFrom: Bo\nDate: Monday\n\nc", "see below\n\n---------- Forwarded message ----------\nFrom: Bo\nDate: Monday\n\nc"},
		{"signature after the quote stays", "a\n\n> b\n-- \nAnn", "a\n" + summary + "<blockquote>b</blockquote></details>-- \nAnn"},
	} {
		_, got := renderText(t, c.body, mailhtml.Options{CollapseQuotes: true})
		if got != c.want {
			t.Errorf("%s: %q\n got %q\nwant %q", c.name, c.body, got, c.want)
		}
	}
}

func TestRenderTextQuotesUnfolded(t *testing.T) {
	doc, got := renderText(t, "a\n\n> b", mailhtml.Options{})
	if want := "a\n<blockquote>b</blockquote>"; got != want || !doc.HasQuote {
		t.Errorf("got %q, quote %v, want %q, true", got, doc.HasQuote, want)
	}
	if doc, _ := renderText(t, "a > b", mailhtml.Options{}); doc.HasQuote {
		t.Error("a mail without quote has one")
	}
}

// The examples are those of RFC 3676, section 4 and 5.
func TestFlowed(t *testing.T) {
	for _, c := range []struct {
		name, body string
		delSp      bool
		want       string
	}{
		{"soft breaks join", "one \ntwo \nthree\nfour", false, "one two three\nfour"},
		{"DelSp takes the space", "on \ne \ntwo", true, "onetwo"},
		{"quote depths do not mix", "a\n> one \n> two\n>> three \n>> four\nb", false, "a<blockquote>one two<blockquote>three four</blockquote></blockquote>b"},
		{"space-stuffing is undone", " From me\n > not a quote\n  indented", false, "From me\n&gt; not a quote\n indented"},
		{"signature is never joined", "text \n-- \nAnn", false, "text \n-- \nAnn"},
		{"blank line ends a paragraph", "one \n\ntwo", false, "one \ntwo"},
	} {
		_, got := renderText(t, c.body, mailhtml.Options{Flowed: true, DelSp: c.delSp})
		if got != c.want {
			t.Errorf("%s: %q\n got %q\nwant %q", c.name, c.body, got, c.want)
		}
	}
	if _, got := renderText(t, "one \ntwo", mailhtml.Options{}); got != "one \ntwo" {
		t.Errorf("not flowed: got %q", got)
	}
}

func TestHTMLQuotes(t *testing.T) {
	for _, c := range []struct {
		name, body, folded string // what is inside the <details>; "" for none
	}{
		{"Gmail", `<div>a</div><div class="gmail_quote"><div class="gmail_attr">On Monday, Ann wrote:</div><blockquote>b</blockquote></div>`, "On Monday, Ann wrote:b"},
		{"Apple Mail", `a<div><br><blockquote type="cite">b</blockquote></div>`, "b"},
		{"Thunderbird", `<p>a</p><div class="moz-cite-prefix">Ann wrote:</div><blockquote type="cite">b</blockquote>`, "Ann wrote:b"},
		{"Yahoo", `<div>a</div><div class="yahoo_quoted">b</div>`, "b"},
		{"Proton", `<div>a</div><div class="protonmail_quote">b</div>`, "b"},
		{"Outlook on the web", `<div>a</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">From: b</div><div>c</div>`, "From: bc"},
		{"Outlook with a rule", `<div>a</div><hr><div id="divRplyFwdMsg">From: b</div><div>c</div>`, "From: bc"},
		{"Outlook for Windows", `<p>a</p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0 0 0"><p><b>From:</b> Bo<br><b>Sent:</b> Monday<br><b>To:</b> Ann</p></div></div>`, "From: Bo Sent: Monday To: Ann"},
		{"Original message", `a<div>-----Original Message-----<br>b</div>`, "-----Original Message-----b"},
		{"nothing before it", `<div class="gmail_quote">b</div>`, ""},
		{"forwarded", `<div>see</div><div class="gmail_quote">---------- Forwarded message ---------<br>b</div>`, ""},
		{"answer below", `a<blockquote type="cite">b</blockquote>c`, ""},
		{"plain blockquote", `a<blockquote>b</blockquote>`, ""},
	} {
		doc := assertSafe(t, c.body)
		got := ""
		if _, rest, ok := strings.Cut(content(doc), summary); ok {
			inside, _, _ := strings.Cut(rest, "</details>")
			got = strings.Join(strings.Fields(strings.ReplaceAll(mailhtml.TextOf(inside), "\n", " ")), " ")
		}
		if squeeze(got) != squeeze(c.folded) || doc.HasQuote != (c.folded != "") {
			t.Errorf("%s: folded %q, quote %v, want %q in %s", c.name, got, doc.HasQuote, c.folded, content(doc))
		}
		o := testOptions()
		o.CollapseQuotes = false
		open, err := mailhtml.RenderHTML(c.body, o)
		if err != nil || strings.Contains(content(open), "<details") || open.HasQuote != (c.folded != "") {
			t.Errorf("%s, not collapsed: quote %v, error %v in %s", c.name, open.HasQuote, err, content(open))
		}
	}
}

func squeeze(s string) string {
	return strings.Join(strings.Fields(strings.NewReplacer(">", "", "----------", "").Replace(s)), "")
}

// Replies of real clients: their quoted part is found, in both forms.
func TestRealReplies(t *testing.T) {
	dir := corpus(t, "quoting/talon")
	if dir == "" {
		return
	}
	// One marks lines with '>' in HTML, one answers below the quote: both stay
	// as they are.
	open := map[string]bool{"hotmail.eml text/html": true, "thunderbird.eml text/plain": true, "thunderbird.eml text/html": true}
	for _, file := range filesUnder(t, filepath.Join(dir, "standard_replies"), ".eml") {
		raw, name := readFile(t, file), filepath.Base(file)
		for _, body := range bodies(raw, "text/plain") {
			if doc, got := renderText(t, body, mailhtml.Options{CollapseQuotes: true}); strings.Contains(got, summary) == open[name+" text/plain"] {
				t.Errorf("%s, text: nothing folded (quote %v) in %.300q", name, doc.HasQuote, got)
			}
		}
		for _, body := range bodies(raw, "text/html") {
			if doc := assertSafe(t, body); strings.Contains(content(doc), summary) == open[name+" text/html"] {
				t.Errorf("%s, HTML: nothing folded (quote %v) in %.600q", name, doc.HasQuote, content(doc))
			}
		}
	}
	for _, file := range filesUnder(t, filepath.Join(dir, "html_replies"), ".html") {
		if doc := assertSafe(t, string(readFile(t, file))); !strings.Contains(content(doc), summary) {
			t.Errorf("%s: nothing folded in %.900q", filepath.Base(file), content(doc))
		}
	}
}

func TestTextOf(t *testing.T) {
	for _, c := range []struct{ name, html, want string }{
		{"paragraphs", `<p>a <b>b</b></p><p>c<br>d</p>`, "a b\n\nc\nd"},
		{"divs are lines", `<div>a</div><div>b</div>`, "a\nb"},
		{"white space collapses", " a \n\t b ", "a b"},
		{"pre keeps it", "<pre>a\n  b</pre>", "a\n  b"},
		{"list", `<p>x</p><ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>`, "x\n\n- a\n- b\n\n  - c"},
		{"quote", `a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e`, "a\n> b\n> c\n> > d\ne"},
		{"link", `<a href="https://e.example/">here</a>`, "here <https://e.example/>"},
		{"link that shows its address", `<a href="https://e.example/">https://e.example/</a> <a href="mailto:a@e.example">a@e.example</a>`, "https://e.example/ a@e.example"},
		{"script link", `<a href="javascript:x">here</a>`, "here"},
		{"table", `<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>`, "a\tb\nc"},
		{"image", `<img alt="Logo" src="cid:a">`, "[Logo]"},
		{"hidden and scripts", `<style>p{}</style><script>x</script><title>t</title><div style="display: none">h</div>a`, "a"},
		{"entities", `&lt;a&gt; &amp; &nbsp;b`, "<a> & \u00a0b"},
	} {
		if got := mailhtml.TextOf(c.html); got != c.want {
			t.Errorf("%s: TextOf(%q)\n got %q\nwant %q", c.name, c.html, got, c.want)
		}
	}
}
