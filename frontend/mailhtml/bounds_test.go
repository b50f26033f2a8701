package mailhtml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend/mailhtml"
)

// Bodies made to cost more than they weigh. Each must come back safe and in
// proportion, and say whether something was left out. Without the bounds, some
// of these take gigabytes or minutes.
func TestHostileBodiesAreBounded(t *testing.T) {
	repeat := strings.Repeat
	for _, c := range []struct {
		name, body string
		truncated  bool
	}{
		{"larger than is read", "<p>" + repeat("lorem ipsum ", mailhtml.MaxBody/8), true},
		{"more elements than are kept", repeat("<i>x</i>", 3*mailhtml.MaxElements), true},
		{"nested past the parser", repeat("<div>", 100_000) + "x", true},
		{"quotes in quotes", repeat(`<blockquote type="cite">`, 400) + "x", false},
		{"formatting left open, then blocks", distinct(`<font color="#%06x">`, 450) + repeat("<p>x", 30_000), true},
		{"formatting left open in closed blocks", distinct(`<p><b title="%d"></p>`, 8_000) + repeat("<p>x", 10_000), true},
		{"formatting crossed by cells", distinct(`<b title="%d"><p><table><td></p></b></table>`, 8_000) + repeat("<p>x", 10_000), true},
		{"text between ignored end tags", repeat("xxxx</li>", 400_000), false},
		{"text between ignored cells", repeat("<table></table>", 100) + repeat(repeat("x", 80)+"<td>", 30_000), false},
		{"text between cells of replaced tables", "<table><table></table>" + repeat(repeat("x", 80)+"<td>", 30_000), false},
		{"text between ignored row ends", "<table><tr><td>" + repeat("<thead>", 15_000) + "<tbody><tr><td>" + repeat(repeat("x", 120)+"</thead>", 15_000), true},
		{"many attributes", "<p " + repeat("a=b ", 500_000) + ">x", false},
		{"many selectors on many elements", "<style>" + repeat("p.a b.c i{color:red}", 20_000) + "</style>" + repeat("<p class=a><b class=c><i>x</i></b></p>", 10_000), true},
		{"selectors that try every ancestor", "<style>" + repeat("div div div div div div div div b{color:red}", 100) + "</style>" + repeat("<div>", 200) + repeat("<b>x</b>", 2000), true},
		{"style sheet past its cap", "<style>" + repeat("p{color:red}", 100_000) + "</style><p>x", true},
		{"sheet of open brackets", "<style>" + repeat("p{a:(", 150_000) + "</style><p>x", false},
		{"style of open brackets", `<p style="` + repeat("(", 1_000_000) + `">x`, false},
		{"style of comments", `<p style="` + repeat("/**/", 500_000) + `color:red">x`, false},
		{"many declarations", `<p style="` + repeat("color:red;", 200_000) + `">x`, false},
		{"long URL", `<a href="https://e.example/` + repeat("%", 1_000_000) + `">x</a>`, false},
		{"long data image", `<img src="data:image/png;base64,` + repeat("A", 3_000_000) + `">`, false},
		{"comment never closed", "<!--" + repeat("-", 2_000_000), false},
		{"tags never closed", repeat("<p", 1_000_000), false},
		{"nested links", repeat("<a href=https://e.example/>", 20_000), true},
		{"nested lists", repeat("<ul><li>", 200) + repeat("<li>x", 30_000), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := assertSafe(t, c.body)
			if doc.Truncated != c.truncated {
				t.Errorf("Truncated: got %v, want %v", doc.Truncated, c.truncated)
			}
			if limit := 2*mailhtml.MaxBody + 6*len(c.body) + 1<<20; len(doc.HTML) > limit {
				t.Errorf("document: got %d bytes, want at most %d", len(doc.HTML), limit)
			}
			mailhtml.TextOf(c.body)
		})
	}
}

func TestHostileTextIsBounded(t *testing.T) {
	repeat := strings.Repeat
	for _, c := range []struct {
		name, body string
		truncated  bool
	}{
		{"larger than is read", repeat("lorem ipsum\n", mailhtml.MaxBody/8), true},
		{"more lines than are shown", repeat("\n", mailhtml.MaxLines+1), true},
		{"one long line of addresses", repeat("a@b.example ", 100_000), false},
		{"one long word", repeat("a", 2_000_000), false},
		{"one long almost-address", repeat("a@", 1_000_000), false},
		{"deep quoting", repeat(">", 1_000_000) + "x", false},
		{"quoting that goes up and down", repeat("> > > > > > > x\nx\n", 20_000), false},
		{"one flowed paragraph", repeat("word word word \n", 50_000), false},
		{"brackets after a URL", "https://e.example/" + repeat(")", 200_000), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := testOptions()
			o.Flowed = true
			doc, err := mailhtml.RenderText(c.body, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range violations(doc.HTML) {
				t.Error(v)
			}
			if doc.Truncated != c.truncated {
				t.Errorf("Truncated: got %v, want %v", doc.Truncated, c.truncated)
			}
		})
	}
}

// distinct repeats a pattern with a running number in it: the parser keeps at
// most three formatting elements that are alike.
func distinct(pattern string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, pattern, i)
	}
	return b.String()
}
