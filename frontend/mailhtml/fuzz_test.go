package mailhtml_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/totalengage/webmail/frontend/mailhtml"
)

func addPayloads(f *testing.F) {
	f.Helper()
	f.Add(probe)
	for _, load := range loads {
		f.Add(load)
	}
	for i, p := range payloads(f) {
		if i%5 == 0 && len(p.HTML) < 1000 {
			f.Add(p.HTML)
		}
	}
}

func FuzzRenderHTML(f *testing.F) {
	addPayloads(f)
	f.Fuzz(func(t *testing.T, body string) {
		doc := assertSafe(t, body)
		if !utf8.Valid(doc.HTML) {
			t.Error("the document is not UTF-8")
		}
		assertSafe(t, string(doc.HTML))
	})
}

func FuzzRenderText(f *testing.F) {
	for _, body := range []string{"", "a\n> b\n", "On x wrote:\n> y", "a \nb \n>c \n", "https://e.example/)\"<a@b.c>", "-- \n", "\xff\x00"} {
		f.Add(body, true, true)
		f.Add(body, false, false)
	}
	f.Fuzz(func(t *testing.T, body string, flowed, delSp bool) {
		o := testOptions()
		o.Flowed, o.DelSp = flowed, delSp
		doc, err := mailhtml.RenderText(body, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range violations(doc.HTML) {
			t.Errorf("%s in the document of %q", v, body)
		}
	})
}

func FuzzSanitizeOutgoing(f *testing.F) {
	addPayloads(f)
	f.Fuzz(func(t *testing.T, body string) {
		sent, err := mailhtml.SanitizeOutgoing(body)
		if err != nil {
			return
		}
		for _, v := range sentViolations(sent) {
			t.Errorf("%s in %q, sent for %q", v, sent, body)
		}
		mailhtml.TextOf(body)
	})
}

func FuzzFilterStyle(f *testing.F) {
	for _, style := range []string{"", "color:red", `font:12px "a;b"`, "background:url(x)", `background:url("a)b")`, "width:calc(1px + (2px * 3))",
		"/*", "a:b;;c:d", `\75rl(x)`, "u/**/rl(x)", "color:red !important", "background:url(", "{}", `"`, "width:-1px", "x:var(--y)"} {
		f.Add(style)
	}
	resolve := func(string) (string, bool) { return inlinePrefix + "1", true }
	f.Fuzz(func(t *testing.T, style string) {
		once := mailhtml.FilterStyle(style, resolve)
		if !safeStyle(once) {
			t.Errorf("FilterStyle(%q) = %q", style, once)
		}
		if twice := mailhtml.FilterStyle(once, resolve); twice != once && !strings.Contains(style, "\n") {
			t.Errorf("FilterStyle(%q) = %q, and again %q", style, once, twice)
		}
	})
}
