package mailhtml_test

import (
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend/mailhtml"
)

// One line for each promise about what stays, what goes and what changes.
func TestRenderHTMLRules(t *testing.T) {
	const rel = ` rel="noopener noreferrer nofollow" target="_blank"`
	for _, c := range []struct{ name, body, want string }{
		// Elements.
		{"text is escaped", `1 < 2 & "3"`, `1 &lt; 2 &amp; &#34;3&#34;`},
		{"structure stays", `<h1>a</h1><ul><li>b</li></ul><pre> c</pre>`, `<h1>a</h1><ul><li>b</li></ul><pre> c</pre>`},
		{"script goes with its content", `a<script>alert(1)</script>b`, `ab`},
		{"title, noscript, iframe go with their content", `<title>t</title>a<noscript>n</noscript><iframe src="/">i</iframe>b`, `ab`},
		{"stray raw-text end tags hide nothing", `a</noscript><noscript>n</noscript></iframe>b`, `ab`},
		{"svg and math lose their tags, not their text", `a<svg><text>s</text></svg><math><mi>x</mi></math>`, `asx`},
		{"form goes, its text stays", `<form action="https://e.example/"><label>Name <input name="n"></label><button>Go</button></form>`, `Name Go`},
		{"meta, base, link go", `<meta http-equiv="refresh" content="0;url=//e"><base href="//e"><link rel="stylesheet" href="//e">a`, `a`},
		{"object and embed go, fallback stays", `<object data="x"><p>f</p></object><embed src="x">`, `<p>f</p>`},
		{"comments go", `a<!-- b -->c<!--[if mso]><p>d</p><![endif]--><![if !mso]>e<![endif]>`, `ace`},
		{"unknown element loses its tag", `<x-y onclick="z">a</x-y>`, `a`},
		{"xmp is shown as text", `<xmp><b>a</b></xmp>`, `&lt;b&gt;a&lt;/b&gt;`},
		{"mutation through math and style", `<math><mtext><table><mglyph><style><!--</style><img title="--><img src=x onerror=alert(1)>">`, `<img title="--&gt;&lt;img src=x onerror=alert(1)&gt;"/><table></table>`},
		{"body becomes our div", `<body class="x" onload="y()"><p>a</p></body>`, `<p>a</p>`},

		// Attributes.
		{"handlers go", `<p onclick="a()" ONMOUSEOVER="b()">c</p>`, `<p>c</p>`},
		{"presentation stays", `<table width="100%" bgcolor="#fff" cellpadding="0" align="center"><tbody><tr><td valign="top" colspan="2" height="5">a</td></tr></tbody></table>`,
			`<table width="100%" bgcolor="#fff" cellpadding="0" align="center"><tbody><tr><td valign="top" colspan="2" height="5">a</td></tr></tbody></table>`},
		{"font stays", `<font color="red" face="Arial, 'Open Sans'" size="+1">a</font>`, `<font color="red" face="Arial, &#39;Open Sans&#39;" size="+1">a</font>`},
		{"language and direction stay", `<p dir="rtl" lang="ar" title="t">ا</p>`, `<p dir="rtl" lang="ar" title="t">ا</p>`},
		{"bidi controls are left alone", "a\u202eb\u2066c", "a\u202eb\u2066c"},
		{"class goes", `<p class="quote mail">a</p>`, `<p>a</p>`},
		{"ids get a prefix", `<p id="cookie">a</p>`, `<p id="m-cookie">a</p>`},
		{"a name becomes an id", `<a name="top">a</a>`, `<a id="m-top">a</a>`},
		{"names of forms and images cannot clobber", `<img name="getElementById" alt="x">`, `<img alt="x"/>`},
		{"a colour that is not one goes", `<td><table bgcolor="javascript:x"><tr><td bgcolor="&{x}">a</td></tr></table>`, `<table><tbody><tr><td>a</td></tr></tbody></table>`},
		{"svg animation attributes go", `<p attributeName="href" by="javascript:x" values="y">a</p>`, `<p>a</p>`},

		// Links.
		{"web link", `<a href="https://e.example/?a=1&b=2">a</a>`, `<a href="https://e.example/?a=1&amp;b=2"` + rel + `>a</a>`},
		{"protocol-relative link is https", `<a href="//e.example/">a</a>`, `<a href="https://e.example/"` + rel + `>a</a>`},
		{"mail link", `<a href="MAILTO:a@e.example?subject=x y">a</a>`, `<a href="mailto:a@e.example?subject=x%20y"` + rel + `>a</a>`},
		{"telephone link", `<a href="tel:+123">a</a>`, `<a href="tel:+123"` + rel + `>a</a>`},
		{"fragment link stays in the mail", `<a href="#top">a</a>`, `<a href="#m-top">a</a>`},
		{"stray percent is mended", `<a href="https://e.example/100%">a</a>`, `<a href="https://e.example/100%25"` + rel + `>a</a>`},
		{"script link", `<a href="javascript:x()">a</a>`, `<a>a</a>`},
		{"script link with white space", "<a href=\" java\tscript:x()\">a</a>", `<a>a</a>`},
		{"script link in entities", `<a href="&#106;avascript&colon;x()">a</a>`, `<a>a</a>`},
		{"script link behind a control", "<a href=\"\x01javascript:x()\">a</a>", `<a>a</a>`},
		{"data link", `<a href="data:text/html,x">a</a>`, `<a>a</a>`},
		{"relative link", `<a href="/api/logout">a</a>`, `<a>a</a>`},
		{"link without a host", `<a href="https:///x">a</a>`, `<a>a</a>`},
		{"link with backslashes", `<a href="https:\\e.example">a</a>`, `<a>a</a>`},
		{"file and own scheme", `<a href="file:///etc/passwd">a</a><a href="x-y:z">b</a>`, `<a>a</a><a>b</a>`},
		{"own target and rel go", `<a href="https://e.example/" target="_top" rel="opener" ping="//e">a</a>`, `<a href="https://e.example/"` + rel + `>a</a>`},

		// Images.
		{"inline image", `<img src="cid:a%40b" alt="x">`, `<img src="/inline/614062" alt="x"/>`},
		{"inline image in angle brackets", `<img src="CID:&lt;ab&gt;">`, `<img src="/inline/6162"/>`},
		{"remote image", `<img src="http://e.example/a">`, `<img src="/proxy/687474703a2f2f652e6578616d706c652f61"/>`},
		{"protocol-relative image", `<img src="//e.example/a">`, `<img src="/proxy/68747470733a2f2f652e6578616d706c652f61"/>`},
		{"relative image", `<img src="/api/x" alt="y">`, `<img alt="y"/>`},
		{"raster data image", `<img src="data:image/png;base64,AA AA">`, `<img src="data:image/png;base64,AAAA"/>`},
		{"SVG data image", `<img src="data:image/svg+xml;base64,AAAA">`, `<img/>`},
		{"data image with another type behind", `<img src="data:image/png;text/html;base64,AAAA">`, `<img/>`},
		{"srcset, lowsrc, dynsrc go", `<img srcset="//e/a 1x" lowsrc="//e" dynsrc="//e" alt="x">`, `<img alt="x"/>`},
		{"picture falls back to its image", `<picture><source srcset="//e/a"><img src="cid:a"></picture>`, `<img src="/inline/61"/>`},
		{"background attribute", `<table background="cid:a"><tbody><tr><td>x</td></tr></tbody></table>`,
			`<table style="background-image:url(&#39;/inline/61&#39;)"><tbody><tr><td>x</td></tr></tbody></table>`},
		{"image map", `<img src="cid:a" usemap="#k"><map name="k"><area shape="rect" coords="0,0,9,9" href="https://e.example/"></map>`,
			`<img src="/inline/61" usemap="#m-k"/><map name="m-k"><area shape="rect" coords="0,0,9,9" href="https://e.example/" target="_blank" rel="noopener noreferrer nofollow"/></map>`},

		// Style sheets.
		{"a sheet is inlined", `<style>p.a { color: red } .b { margin: 0 }</style><p class="a b">x</p>`, `<p style="margin:0;color:red">x</p>`},
		{"inline style wins", `<style>p { color: red; padding: 1px }</style><p style="color: blue">x</p>`, `<p style="padding:1px;color:blue">x</p>`},
		{"media rules go", `<style>@media print { p { color: red } } b { color: blue }</style><p><b>x</b></p>`, `<p><b style="color:blue">x</b></p>`},
		{"imports and fonts go", `<style>@import url(//e); @font-face { font-family: f; src: url(//e) } b { color: red }</style><b>x</b>`, `<b style="color:red">x</b>`},
		{"a sheet in comments", `<style><!-- b { color: /* x */ red } --></style><b>x</b>`, `<b style="color:red">x</b>`},
		{"a sheet for print goes", `<style media="print">b { color: red }</style><b>x</b>`, `<b>x</b>`},
		{"a background in a sheet", `<style>b { background: #fff url("cid:a") }</style><b>x</b>`, `<b style="background:#fff url(&#39;/inline/61&#39;)">x</b>`},
		{"a sheet cannot name the placeholder of another", `<style>b { background: url(held-0) }</style><b>x</b>`, `<b style="background:none">x</b>`},
	} {
		got := content(assertSafe(t, c.body))
		if got != c.want {
			t.Errorf("%s: %q\n got %s\nwant %s", c.name, c.body, got, c.want)
		}
	}
}

func TestStyleRules(t *testing.T) {
	resolve := func(url string) (string, bool) { return "/i/" + strings.Trim(url, "/:"), url != "no" }
	for _, c := range []struct{ name, style, want string }{
		{"looks", "color: #333; background-color: RGB(1, 2, 3); padding: 4px 8px; width: 50%", "color:#333;background-color:rgb(1, 2, 3);padding:4px 8px;width:50%"},
		{"font", `font: bold 12px/1.5 "Open Sans", Arial`, "font:bold 12px/1.5 'Open Sans', Arial"},
		{"calc", "width: calc(100% - 20px)", "width:calc(100% - 20px)"},
		{"gradient", "background: linear-gradient(90deg, #fff, rgba(0,0,0,.5))", "background:linear-gradient(90deg, #fff, rgba(0,0,0,.5))"},
		{"important is dropped", "color: red !important", "color:red"},
		{"background image", "background: #fff url(x) no-repeat", "background:#fff url('/i/x') no-repeat"},
		{"refused image leaves the rest", "background: #fff url(no) no-repeat", "background:#fff none no-repeat"},
		{"quoted URL with parenthesis", `background: url( "a)b" )`, "background:url('/i/a)b')"},
		{"unclosed url", "background: url(x", ""},
		{"unclosed quoted url", `background: url("x; color: red`, ""},
		{"url elsewhere", "color: url(x); list-style: url(x); border-image: url(x) 1; cursor: url(x)", ""},
		{"url in a function", "background: image-set(url(x) 1x); background: calc(url(x))", ""},
		{"escaped url", `background: u\72l(x)`, ""},
		{"escaped property", `b\61ckground: red`, ""},
		{"url broken by a comment", "background: u/**/rl(x)", ""},
		{"comment in a value", "color: red/* ; position: fixed */; width: 1px", "color:red;width:1px"},
		{"semicolon in a string", `font-family: "a;position:fixed;b"; color: red`, "color:red"},
		{"semicolon in parentheses", "background: url(a;b); color: red", "background:url('/i/a;b');color:red"},
		{"position", "position: fixed; position: absolute; position: sticky !important; top: 0; z-index: 9", ""},
		{"expression", "width: expression(alert(1)); color: expr/**/ession(1)", ""},
		{"behaviour and binding", "behavior: url(x); -moz-binding: url(x); -ms-behavior: url(x)", ""},
		{"variables", "--a: url(x); color: var(--a); background: var(--a, url(x))", ""},
		{"environment and attributes", "width: env(x); width: attr(data-x px)", ""},
		{"content, filter, transform, animation", "content: 'x'; filter: blur(1px); transform: scale(9); animation: x 1s", ""},
		{"all", "all: initial", ""},
		{"import", "@import url(x); color: red", "color:red"},
		{"braces", "color: red} p {color: blue", ""},
		{"negative margin", "margin: -10px; margin-left: -1px; padding: 1px", "padding:1px"},
		{"small negative shift", "letter-spacing: -1px; text-shadow: -1px -1px #000", "letter-spacing:-1px;text-shadow:-1px -1px #000"},
		{"absurd sizes", "width: 99999px; height: 1e9px; height: 100vh", ""},
		{"display", "display: BLOCK; display: contents; display: -moz-box", "display:BLOCK"},
		{"not a colour", "color: #12; color: #12345g", ""},
		{"control character", "color: r\x01ed", ""},
		{"markup", "color: red</style>; font-family: '</style>'", ""},
		{"nothing", "", ""},
		{"separators only", ";:;;:", ""},
	} {
		if got := mailhtml.FilterStyle(c.style, resolve); got != c.want {
			t.Errorf("%s: FilterStyle(%q)\n got %q\nwant %q", c.name, c.style, got, c.want)
		}
	}
}

func TestRemoteImages(t *testing.T) {
	const body = `<img src="https://e.example/a"><p style="background:url(http://e.example/b)">x</p>` +
		`<table background="//e.example/c"><tr><td>x</td></tr></table><img src="cid:in"><img src="https://e.example/t" width=1 height=1>`
	blocked, err := mailhtml.RenderHTML(body, mailhtml.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if blocked.RemoteImages != 3 || blocked.Trackers != 1 {
		t.Errorf("blocked: got %d images and %d trackers, want 3 and 1", blocked.RemoteImages, blocked.Trackers)
	}
	for _, reference := range []string{"e.example", "cid:", "url("} {
		if strings.Contains(content(blocked), reference) {
			t.Errorf("blocked: %q is still in %s", reference, content(blocked))
		}
	}
	var asked []string
	proxied, err := mailhtml.RenderHTML(body, mailhtml.Options{RemoteImage: func(url string) (string, bool) {
		asked = append(asked, url)
		return "/proxy/1", url != "http://e.example/b"
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(asked, " "), "https://e.example/a http://e.example/b https://e.example/c"; got != want {
		t.Errorf("RemoteImage was asked for %q, want %q", got, want)
	}
	if proxied.RemoteImages != 3 || strings.Count(content(proxied), "/proxy/1") != 2 {
		t.Errorf("proxied: got %d images in %s, want 3, two of them shown", proxied.RemoteImages, content(proxied))
	}
}

func TestTrackers(t *testing.T) {
	for _, c := range []struct {
		name, img string
		want      int
	}{
		{"one pixel", `<img src="https://e.example/a" width="1" height="1">`, 1},
		{"one pixel in px", `<img src="https://e.example/a" width="1px" height="0">`, 1},
		{"one pixel by style", `<img src="https://e.example/a" style="width:1px;height:1px">`, 1},
		{"hidden", `<img src="https://e.example/a" style="display:none">`, 1},
		{"hidden by the sheet", `<style>.p{display:none}</style><img class="p" src="https://e.example/a">`, 1},
		{"open endpoint", `<img src="https://u1.ct.sendgrid.net/wf/open?upn=x">`, 1},
		{"analytics", `<img src="https://www.google-analytics.com/collect?v=1">`, 1},
		{"picture", `<img src="https://e.example/photo.jpg" width="600" height="1">`, 0},
		{"picture without size", `<img src="https://e.example/photo.jpg">`, 0},
		{"inline image of one pixel", `<img src="cid:a" width="1" height="1">`, 0},
	} {
		doc := assertSafe(t, c.img)
		if doc.Trackers != c.want || strings.Contains(content(doc), "<img") == (c.want == 1) {
			t.Errorf("%s: got %d trackers in %s, want %d", c.name, doc.Trackers, content(doc), c.want)
		}
	}
}

// What a callback returns is held to the rules of its place.
func TestCallbacksAreNotTrusted(t *testing.T) {
	doc, err := mailhtml.RenderHTML(`<img src="cid:a"><img src="https://e.example/b"><a href="https://e.example/">c</a>`, mailhtml.Options{
		InlineImage: func(string) (string, bool) { return "javascript:x", true },
		RemoteImage: func(string) (string, bool) { return `/\e.example`, true },
		Link:        func(string, string) string { return "data:text/html,x" },
	})
	if got, want := content(doc), `<img/><img/><a>c</a>`; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	doc, err = mailhtml.RenderHTML(`<a href="https://e.example/?q=1">c</a><a href="mailto:a@e.example">d</a>`, mailhtml.Options{
		Link: func(url, _ string) string {
			if strings.HasPrefix(url, "mailto:") {
				return ""
			}
			return `/leave?to="` + url
		},
	})
	want := `<a href="/leave?to=%22https://e.example/?q=1" rel="noopener noreferrer nofollow" target="_blank">c</a><a>d</a>`
	if got := content(doc); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestThemes(t *testing.T) {
	for _, c := range []struct {
		name, body, theme, want string
	}{
		{"plain mail follows the theme", `<p>a</p>`, "dark", `<html data-theme="dark">`},
		{"unknown theme is the system's", `<p>a</p>`, `x" onload="`, `<html data-theme="auto">`},
		{"own text colour gets paper", `<p style="color:#222">a</p>`, "dark", `<html data-theme="dark" class="paper">`},
		{"own background gets paper", `<table bgcolor="white"><tr><td>a</td></tr></table>`, "auto", `<html data-theme="auto" class="paper">`},
		{"own sheet gets paper", `<style>p{background:#fff}</style><p>a</p>`, "light", `<html data-theme="light" class="paper">`},
		{"font colour gets paper", `<font color="navy">a</font>`, "dark", `<html data-theme="dark" class="paper">`},
		{"neutral colours do not", `<p style="color:inherit;background:transparent">a</p>`, "dark", `<html data-theme="dark">`},
		{"language and direction of the mail", `<html lang="he" dir="rtl"><body>a</body></html>`, "light", `<html lang="he" dir="rtl" data-theme="light">`},
	} {
		doc, err := mailhtml.RenderHTML(c.body, mailhtml.Options{Theme: c.theme, Title: `<b>"Mail"`})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(doc.HTML), c.want) {
			t.Errorf("%s: no %s in %.120s", c.name, c.want, doc.HTML)
		}
		if want := `<title>&lt;b&gt;&#34;Mail&#34;</title>`; !strings.Contains(string(doc.HTML), want) {
			t.Errorf("%s: no %s", c.name, want)
		}
	}
	doc, err := mailhtml.RenderHTML(`<body bgcolor="336699" text="#fff" background="cid:a" style="padding:9px">a</body>`, testOptions())
	want := `<div style="background-color:#336699;color:#fff;background-image:url(&#39;/inline/61&#39;);padding:9px" class="mail">`
	if err != nil || !strings.Contains(string(doc.HTML), want) {
		t.Errorf("body colours: no %s in %s", want, doc.HTML)
	}
}

func TestHeaders(t *testing.T) {
	got := mailhtml.Headers("mail.example.com/mail/image/abc/")
	want := map[string]string{
		"Content-Type": "text/html; charset=utf-8",
		"Content-Security-Policy": "default-src 'none'; img-src data: mail.example.com/mail/image/abc/; style-src 'unsafe-inline'; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " +
			"sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "private, no-store",
	}
	for name, value := range want {
		if got.Get(name) != value {
			t.Errorf("%s: got %q, want %q", name, got.Get(name), value)
		}
	}
	for _, source := range []string{"", "*", "'self'", "/mail/image/", "e.example", "https:", "e.example/a; script-src *", "e.example/a b/", "e.example/a,b/", "*.example/a/"} {
		if csp := mailhtml.Headers(source).Get("Content-Security-Policy"); !strings.Contains(csp, "img-src data:; style-src") {
			t.Errorf("image source %q reaches the policy: %s", source, csp)
		}
	}
	if strings.Contains(mailhtml.FrameSandbox, "allow-scripts") || strings.Contains(mailhtml.FrameSandbox, "top-navigation") {
		t.Errorf("FrameSandbox is %q", mailhtml.FrameSandbox)
	}
}
