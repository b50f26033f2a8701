package emulator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
)

// TestSearch searches six messages by every operator and rule that Gmail documents or
// that was reported of it. A message is named by its first letter; they stand newest
// first.
//
//	J  yesterday: a list mail from John, with Cc, Delivered-To and a user label
//	D  yesterday: a draft
//	S  an hour older: sent to Bob, with Bcc
//	P  two months ago: a promotion with an attachment, starred and unread
//	T  three months ago, in the trash
//	X  three months ago, spam
func TestSearch(t *testing.T) {
	clock := newClock()
	w := newWorld(t, emulator.Options{Now: clock.now})
	alice := w.client("alice")
	names := map[string]string{}
	for _, m := range []struct {
		name, raw string
		days      int
		labels    []string
	}{
		{"J", "Delivered-To: alice+work@example.com\r\nFrom: John Smith <john.smith@acme.test>\r\nTo: alice@example.com\r\nCc: dora@acme.test\r\nSubject: Quarterly report AT&T\r\n" +
			"List-Id: Board <board.acme.test>\r\nMessage-ID: <j@acme.test>\r\n\r\nThe numbers look very good, foo-bar snake_case https://docs.google.com/document/d/1 naïve\r\n", 1, []string{"INBOX", "IMPORTANT", "Ops/Night Shift"}},
		{"D", "To: bob@example.com\r\nSubject: unfinished\r\n\r\nnumbers to come\r\n", 1, []string{"DRAFT"}},
		{"S", "From: alice@example.com\r\nTo: bob@example.com\r\nBcc: hidden@acme.test\r\nSubject: offer\r\n\r\ngood luck with https://youtu.be/1 and https://drive.google.com/x\r\n", 2, []string{"SENT"}},
		{"P", "From: shop@example.org\r\nTo: alice@example.com\r\nSubject: Sale\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<style>hiddenrule{}</style><p>Buy&nbsp;<b>now</b></p>\r\n--b\r\n" +
			"Content-Type: application/pdf; name=\"Price List.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("AAAA", 600) + "\r\n--b--\r\n", 62, []string{"INBOX", "UNREAD", "STARRED", "CATEGORY_PROMOTIONS"}},
		{"T", "From: john@acme.test\r\nSubject: thrown away\r\n\r\nnow\r\n", 90, []string{"INBOX", "TRASH"}},
		{"X", "From: x@spam.test\r\nSubject: spam\r\n\r\nnow\r\n", 91, []string{"SPAM"}},
	} {
		names[w.insert(m.raw, testTime.AddDate(0, 0, -m.days), m.labels...)] = m.name
	}
	for _, c := range []struct{ rule, q, want string }{
		{"no query: neither spam nor trash", "", "JDSP"},
		{"from:", "from:john", "J"},
		{"from: with an address", "from:john.smith@acme.test", "J"},
		{"from: with a domain", "from:acme.test", "J"},
		{"from:me", "from:me", "S"},
		{"to:", "to:bob", "DS"},
		{"to:me", "to:me", "JP"},
		{"to: also finds Cc", "to:dora", "J"},
		{"cc:", "cc:dora", "J"},
		{"cc: is not To", "cc:alice", ""},
		{"bcc:", "bcc:hidden@acme.test", "S"},
		{"subject:", "subject:report", "J"},
		{"subject: with a phrase", `subject:"quarterly report"`, "J"},
		{"subject: with a phrase in the wrong order", `subject:"report quarterly"`, ""},
		{"subject: with brackets", "subject:(report quarterly)", "J"},
		{"subject: with braces", "subject:{report sale}", "JP"},
		{"a value in another field", "subject:john", ""},
		{"words are ANDed", "numbers good", "J"},
		{"words of two messages", "numbers luck", ""},
		{"letter case does not count", "NUMBERS Good", "J"},
		{"whole words only", "number", ""},
		{"no prefix match in addresses", "from:joh", ""},
		{"words are split at dots", "smith", "J"},
		{"words are split at hyphens", "bar", "J"},
		{"a word with a hyphen is a phrase", "foo-bar", "J"},
		{"a plus sign parts words", "deliveredto:work", "J"},
		{"& belongs to a word", "at&t", "J"},
		{"no word at &", "at", ""},
		{"_ belongs to a word", "snake_case", "J"},
		{"no word at _", "snake", ""},
		{"diacritics count", "naive", ""},
		{"diacritics found", "naïve", "J"},
		{"OR", "report OR sale", "JP"},
		{"or is a word", "report or sale", ""},
		{"OR binds tighter than AND", "report OR sale now", "P"},
		{"{ } is or", "{report sale}", "JP"},
		{"-", "-numbers", "SP"},
		{"- with an operator", "-from:john", "DSP"},
		{"- with brackets", "-(report OR sale)", "DS"},
		{"( )", "(report OR sale) good", "J"},
		{`"phrase"`, `"numbers look"`, "J"},
		{`"phrase" apart`, `"numbers good"`, ""},
		{"phrases do not reach from field to field", `"report the"`, ""},
		{"+exact", "+numbers", "JD"},
		{"AROUND near enough", "numbers AROUND 2 good", "J"},
		{"AROUND in either order", "good AROUND 2 numbers", "J"},
		{"AROUND too far", "numbers AROUND 1 good", ""},
		{"AROUND in quotes keeps the order", `"good AROUND 2 numbers"`, ""},
		{"AROUND in quotes in order", `"numbers AROUND 2 good"`, "J"},
		{"label: a user label, blanks and / as -", "label:ops-night-shift", "J"},
		{"label: a system label", "label:starred", "P"},
		{"label:inbox leaves the trash out", "label:inbox", "JP"},
		{"label: unknown", "label:nothing", ""},
		{"has:userlabels", "has:userlabels", "J"},
		{"has:nouserlabels", "has:nouserlabels", "DSP"},
		{"has:attachment", "has:attachment", "P"},
		{"has:document", "has:document", "J"},
		{"has:drive", "has:drive", "JS"},
		{"has:spreadsheet", "has:spreadsheet", ""},
		{"has:presentation", "has:presentation", ""},
		{"has:youtube", "has:youtube", "S"},
		{"has:yellow-star", "has:yellow-star", "P"},
		{"has:blue-star", "has:blue-star", ""},
		{"list:", "list:board.acme.test", "J"},
		{"filename: an extension", "filename:pdf", "P"},
		{"filename: a name", `filename:"price list.pdf"`, "P"},
		{"filename: a word", "filename:price", "P"},
		{"file names are searched", "price", "P"},
		{"in:inbox", "in:inbox", "JP"},
		{"in:sent", "in:sent", "S"},
		{"in:drafts", "in:drafts", "D"},
		{"in:draft", "in:draft", "D"},
		{"in:spam", "in:spam", "X"},
		{"in:trash", "in:trash", "T"},
		{"in:anywhere", "in:anywhere now", "PTX"},
		{"-in:trash asks for none", "-in:trash now", "P"},
		{"in:archive", "in:archive", ""},
		{"in:snoozed", "in:snoozed", ""},
		{"in:chats", "in:chats", ""},
		{"is:unread", "is:unread", "P"},
		{"is:read", "is:read", "JDS"},
		{"is:starred", "is:starred", "P"},
		{"is:important", "is:important", "J"},
		{"is:muted", "is:muted", ""},
		{"is:snoozed", "is:snoozed", ""},
		{"is: unknown", "is:nonsense", ""},
		{"after: a day", "after:2026/09/01", "JDS"},
		{"after: another form of a day", "after:09/01/2026", "JDS"},
		{"after: seconds", "after:1790000000", "JDS"},
		{"newer:", "newer:2026/09/01", "JDS"},
		{"before:", "before:2026/09/01", "P"},
		{"older:", "older:2026-09-01", "P"},
		{"a bare day begins at midnight PST", "after:2026/09/30 before:2026/10/01", "JD"},
		{"newer_than: days", "newer_than:2d", "JD"},
		{"newer_than: months", "newer_than:1m", "JDS"},
		{"older_than: months", "older_than:2m", "P"},
		{"older_than: years", "older_than:1y", ""},
		{"an unreadable date finds nothing", "after:someday", ""},
		{"category:promotions", "category:promotions", "P"},
		{"category:primary", "category:primary", "JDS"},
		{"category:social", "category:social", ""},
		{"category:updates", "category:updates", ""},
		{"category:forums", "category:forums", ""},
		{"category:reservations", "category:reservations", ""},
		{"category:purchases", "category:purchases", ""},
		{"size: bytes", "size:2000", "P"},
		{"larger: K", "larger:2K", "P"},
		{"larger: M", "larger:1M", ""},
		{"smaller:", "smaller:1K", "JDS"},
		{"rfc822msgid:", "rfc822msgid:<j@acme.test>", "J"},
		{"rfc822msgid: without brackets", "rfc822msgid:j@acme.test", "J"},
		{"deliveredto:", "deliveredto:alice+work@example.com", "J"},
		{"styles are not text", "hiddenrule", ""},
		{"entities are", `"buy now"`, "P"},
		{"an unknown operator is text", "http://x", ""},
		{"a blank after the colon", "subject: report", "J"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			got := ""
			for _, m := range must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").Q(c.q).Do()).Messages {
				got += names[m.Id]
			}
			if sorted(got) != sorted(c.want) {
				t.Errorf("%q finds %q, want %q", c.q, got, c.want)
			}
		})
	}
}

func sorted(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

// TestSearchWithinThreads: a thread is found by any one of its messages, never by two
// together, and addresses are not expanded to a person's others.
func TestSearchWithinThreads(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.insert("Message-ID: <1@x>\r\nSubject: plan\r\n\r\nalpha", testTime)
	w.insert("Message-ID: <2@x>\r\nReferences: <1@x>\r\nSubject: Re: plan\r\n\r\nbeta", testTime)
	for q, want := range map[string]int{"alpha": 1, "beta": 1, "alpha beta": 0, "alpha OR beta": 1} {
		if got := must[*gmail.ListThreadsResponse](t)(w.client("alice").Threads.List("me").Q(q).Do()).Threads; len(got) != want {
			t.Errorf("%q finds %d threads, want %d", q, len(got), want)
		}
	}
}

// TestSearchFollowsTheMailbox: the index knows what came, went and was relabelled.
func TestSearchFollowsTheMailbox(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	find := func(q string, want int) {
		t.Helper()
		if got := w.subjects(alice, q); len(got) != want {
			t.Errorf("%q finds %q, want %d", q, got, want)
		}
	}
	draft := must[*gmail.Draft](t)(alice.Drafts.Create("me", &gmail.Draft{Message: &gmail.Message{Raw: encode("Subject: walrus\r\n\r\nx")}}).Do())
	find("walrus", 1)
	must[*gmail.Draft](t)(alice.Drafts.Update("me", draft.Id, &gmail.Draft{Message: &gmail.Message{Raw: encode("Subject: otter\r\n\r\nx")}}).Do())
	find("walrus", 0)
	find("otter", 1)
	if err := alice.Drafts.Delete("me", draft.Id).Do(); err != nil {
		t.Fatal(err)
	}
	find("otter", 0)
	find("-otter", 0)
}

// TestEveryPhraseIsFound: what the index rules out before the text is read is never
// what is there.
func TestEveryPhraseIsFound(t *testing.T) {
	w := newWorld(t, emulator.Options{Logf: func(string, ...any) {}})
	var words []string
	for i := range 300 {
		words = append(words, fmt.Sprintf("w%d", i*i))
	}
	w.insert("Subject: x\r\n\r\n"+strings.Join(words, " "), testTime)
	alice := w.client("alice")
	for i := 1; i < len(words); i++ {
		for q, want := range map[string]int{words[i-1] + " " + words[i]: 1, words[i] + " " + words[i-1]: 0} {
			if got := must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").Q(`"` + q + `"`).Do()).Messages; len(got) != want {
				t.Errorf("%q finds %d messages, want %d", q, len(got), want)
			}
		}
	}
}
