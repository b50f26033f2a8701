package mailhtml_test

import (
	"sort"
	"strings"
	"testing"

	"github.com/totalengage/webmail/frontend/mailhtml"
)

// tally counts what happened to the payloads of one set.
type tally struct {
	payloads, unsafe, again, images, trackers, bytes int
}

func TestAdversarialPayloads(t *testing.T) {
	counts := map[string]*tally{}
	for _, p := range payloads(t) {
		if counts[p.set] == nil {
			counts[p.set] = &tally{}
		}
		check(t, counts[p.set], p.ID, p.HTML)
	}
	printTally(t, counts)
}

func TestAdversarialMails(t *testing.T) {
	dir := corpus(t, "html-adversarial/eml")
	if dir == "" {
		return
	}
	counts := map[string]*tally{"eml": {}}
	for _, file := range filesUnder(t, dir, ".eml") {
		for _, body := range bodies(readFile(t, file), "text/html") {
			check(t, counts["eml"], file, body)
		}
	}
	if got := counts["eml"].payloads; got < 600 {
		t.Errorf("mails with an HTML body: got %d, want at least 600", got)
	}
	printTally(t, counts)
}

// Every body of every other corpus is held to the same promise.
func TestOtherCorporaAreSafe(t *testing.T) {
	counts := map[string]*tally{}
	for _, name := range []string{"html-templates", "newsletters-2002", "spam", "mime", "quoting"} {
		dir := corpus(t, name)
		if dir == "" {
			return
		}
		counts[name] = &tally{}
		if name == "html-templates" || name == "quoting" {
			for _, file := range filesUnder(t, dir, ".html") {
				check(t, counts[name], file, string(readFile(t, file)))
			}
		}
		if name == "html-templates" {
			continue
		}
		for _, file := range filesUnder(t, dir, ".eml") {
			for _, body := range bodies(readFile(t, file), "text/html") {
				check(t, counts[name], file, body)
			}
		}
	}
	printTally(t, counts)
}

// check renders a body, and the rendered body again, for display and for
// sending, and holds all four results to the invariants.
func check(t *testing.T, c *tally, id, body string) {
	t.Helper()
	c.payloads++
	doc, err := mailhtml.RenderHTML(body, testOptions())
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	c.images += doc.RemoteImages
	c.trackers += doc.Trackers
	c.bytes += len(doc.HTML)
	if report(t, id, violations(doc.HTML)) {
		c.unsafe++
	}
	again, err := mailhtml.RenderHTML(string(doc.HTML), testOptions())
	if err != nil {
		t.Fatalf("%s again: %v", id, err)
	}
	if report(t, id+" again", violations(again.HTML)) {
		c.again++
	}
	sent, err := mailhtml.SanitizeOutgoing(body)
	if err != nil {
		t.Fatalf("%s: SanitizeOutgoing: %v", id, err)
	}
	report(t, id+" sent", sentViolations(sent))
	twice, err := mailhtml.SanitizeOutgoing(sent)
	if err != nil {
		t.Fatalf("%s: SanitizeOutgoing again: %v", id, err)
	}
	report(t, id+" sent again", sentViolations(twice))
	if got, want := mailhtml.TextOf(twice), mailhtml.TextOf(sent); got != want {
		t.Errorf("%s: sanitizing what is sent again changes its text\n got %.300q\nwant %.300q", id, got, want)
	}
}

func report(t *testing.T, id string, found []string) bool {
	t.Helper()
	for _, v := range found {
		t.Errorf("%s: %s", id, v)
	}
	return len(found) > 0
}

func printTally(t *testing.T, counts map[string]*tally) {
	t.Helper()
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	sort.Strings(names)
	t.Logf("%-18s %8s %7s %12s %14s %9s %10s", "corpus", "bodies", "unsafe", "unsafe again", "remote images", "trackers", "bytes out")
	for _, name := range names {
		c := counts[name]
		t.Logf("%-18s %8d %7d %12d %14d %9d %10d", name, c.payloads, c.unsafe, c.again, c.images, c.trackers, c.bytes)
	}
}

// The checker itself must see what it is there to see.
func TestViolationsAreSeen(t *testing.T) {
	good, err := mailhtml.RenderHTML("<p>x</p>", testOptions())
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		`<script>x</script>`, `<img src="http://evil.example/x.png">`, `<p onclick="x()">`, `<a href="javascript:x()">x</a>`,
		`<svg></svg>`, `<math></math>`, `<style>p{}</style>`, `<link rel="stylesheet">`, `<meta http-equiv="refresh">`,
		`<base href="/">`, `<form></form>`, `<iframe></iframe>`, `<object></object>`, `<embed>`, `<input>`, `<template></template>`,
		`<p style="background:url(http://evil.example/)">`, `<p style="position:fixed">`, `<p style="width:expression(1)">`,
		`<p style="--x:1">`, `<p style="color:red !important">`, `<p id="location">`, `<a name="cookie">`, `<!-- x -->`,
		`<a href="https://ok.example/">no rel</a>`, `<img srcset="http://evil.example/x 1x">`, `<p class="other">`,
		`<img src="data:image/svg+xml;base64,AAAA">`, `<img src="/api/anything">`, `<a href="data:text/html,x">`,
	} {
		document := strings.Replace(string(good.HTML), "<p>x</p>", bad, 1)
		if len(violations([]byte(document))) == 0 {
			t.Errorf("violations sees nothing wrong in %s", bad)
		}
	}
}
