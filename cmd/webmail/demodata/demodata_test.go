package demodata_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http/httptest"
	"net/mail"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"

	"github.com/totalengage/webmail/cmd/webmail/demodata"
	"github.com/totalengage/webmail/inbox/emulator"
)

var now = time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC)

var made = sync.OnceValues(func() (*emulator.Seed, error) { return demodata.Seed(now) })

// seed is made once; tests only read it.
func seed(t *testing.T) *emulator.Seed {
	t.Helper()
	s, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// box is a mailbox as the tests look at it.
type box struct {
	user string
	mail []item
}

type item struct {
	raw    string
	labels []string
	header mail.Header
}

func (m item) has(label string) bool { return slices.Contains(m.labels, label) }

func boxes(t *testing.T) []box {
	t.Helper()
	var out []box
	for _, u := range seed(t).Users {
		b := box{user: u.Email}
		for _, m := range u.Messages {
			parsed, err := mail.ReadMessage(strings.NewReader(m.Raw))
			if err != nil {
				t.Fatalf("%s: %v in\n%.300s", u.Email, err, m.Raw)
			}
			b.mail = append(b.mail, item{m.Raw, m.Labels, parsed.Header})
		}
		out = append(out, b)
	}
	return out
}

// conversations counts the threads of a mailbox: messages that answer nothing.
func (b box) conversations() int {
	n := 0
	for _, m := range b.mail {
		if m.header.Get("References") == "" {
			n++
		}
	}
	return n
}

func (b box) count(labels ...string) int {
	n := 0
	for _, m := range b.mail {
		if !slices.ContainsFunc(labels, func(l string) bool { return !m.has(l) }) {
			n++
		}
	}
	return n
}

func TestSizes(t *testing.T) {
	want := map[string]struct{ conversations, messages [2]int }{
		"alice@example.com": {[2]int{85, 105}, [2]int{200, 230}},
		"bob@example.com":   {[2]int{22, 45}, [2]int{80, 130}},
		"carol@example.org": {[2]int{5, 20}, [2]int{15, 60}},
	}
	for _, b := range boxes(t) {
		w := want[b.user]
		if got := b.conversations(); got < w.conversations[0] || got > w.conversations[1] {
			t.Errorf("%s has %d conversations, want %v", b.user, got, w.conversations)
		}
		if got := len(b.mail); got < w.messages[0] || got > w.messages[1] {
			t.Errorf("%s has %d messages, want %v", b.user, got, w.messages)
		}
	}
}

func TestAliceSeesEveryKind(t *testing.T) {
	alice := boxes(t)[0]
	for _, c := range []struct {
		labels []string
		min    int
		max    int
	}{
		{[]string{"INBOX", "UNREAD"}, 9, 9},
		{[]string{"DRAFT"}, 2, 2},
		{[]string{"SPAM"}, 4, 6},
		{[]string{"TRASH"}, 4, 8},
		{[]string{"STARRED"}, 4, 12},
		{[]string{"IMPORTANT"}, 5, 40},
		{[]string{"SENT"}, 40, 120},
		{[]string{"SENT", "INBOX"}, 1, 1},
		{[]string{"Projects/Atlas"}, 20, 120},
		{[]string{"Projects/Garden"}, 10, 60},
		{[]string{"Travel"}, 3, 10},
		{[]string{"Receipts"}, 8, 20},
		{[]string{"Ops/Review"}, 5, 30},
	} {
		if got := alice.count(c.labels...); got < c.min || got > c.max {
			t.Errorf("%d messages with %v, want %d to %d", got, c.labels, c.min, c.max)
		}
	}
	var noSubject, bcc, archived int
	for _, m := range alice.mail {
		if _, ok := m.header["Subject"]; !ok && !m.has("DRAFT") {
			noSubject++
		}
		if m.has("SENT") && m.header.Get("Bcc") != "" {
			bcc++
		}
		if !m.has("INBOX") && !m.has("SENT") && !m.has("TRASH") && !m.has("SPAM") && !m.has("DRAFT") {
			archived++
		}
	}
	if noSubject != 1 || bcc < 2 || archived < 30 {
		t.Errorf("without subject %d, sent with Bcc %d, archived %d; want 1, 2 or more, 30 or more", noSubject, bcc, archived)
	}
}

// TestLabelsAreDeclared finds slips in a script: a label that no mailbox lists.
func TestLabelsAreDeclared(t *testing.T) {
	for _, u := range seed(t).Users {
		for _, m := range u.Messages {
			for _, l := range m.Labels {
				if l != strings.ToUpper(l) && !slices.Contains(u.Labels, l) {
					t.Errorf("%s: label %q is not in the list of labels", u.Email, l)
				}
			}
		}
	}
}

func TestIdentifiersAndReferences(t *testing.T) {
	for _, b := range boxes(t) {
		have := map[string]bool{}
		for _, m := range b.mail {
			id := m.header.Get("Message-Id")
			if id == "" || have[id] {
				t.Errorf("%s: Message-ID %q is empty or used twice", b.user, id)
			}
			have[id] = true
		}
		for _, m := range b.mail {
			for _, ref := range strings.Fields(m.header.Get("References") + " " + m.header.Get("In-Reply-To")) {
				if !have[ref] {
					t.Errorf("%s: %q refers to %s, which is not in the mailbox", b.user, m.header.Get("Subject"), ref)
				}
			}
		}
	}
}

// TestThreadsAreShared holds that what both have, both have under one Message-ID
// and with one content; only the sender's copy shows Bcc.
func TestThreadsAreShared(t *testing.T) {
	all := boxes(t)
	byID := map[string]item{}
	for _, m := range all[0].mail {
		byID[m.header.Get("Message-Id")] = m
	}
	shared := 0
	for _, m := range all[1].mail {
		other, ok := byID[m.header.Get("Message-Id")]
		if !ok {
			continue
		}
		shared++
		for _, name := range []string{"From", "To", "Cc", "Subject", "Date", "References"} {
			if got, want := m.header.Get(name), other.header.Get(name); got != want {
				t.Errorf("%s differs between the mailboxes: %q and %q", name, got, want)
			}
		}
		if !m.has("SENT") && m.header.Get("Bcc") != "" {
			t.Errorf("a recipient sees Bcc of %q", m.header.Get("Subject"))
		}
	}
	if shared < 60 {
		t.Errorf("alice and bob share %d messages, want 60 or more", shared)
	}
}

func TestDates(t *testing.T) {
	var newest time.Time
	for _, b := range boxes(t) {
		for _, m := range b.mail {
			at, err := m.header.Date()
			if err != nil {
				t.Fatal(err)
			}
			if age := now.Sub(at); age <= 0 || age > 260*24*time.Hour {
				t.Errorf("%q is of %v", m.header.Get("Subject"), at)
			}
			if at.After(newest) {
				newest = at
			}
		}
	}
	if age := now.Sub(newest); age > 30*time.Minute {
		t.Errorf("the newest message is %v old, want some minutes", age)
	}
}

// TestAnswersComeLater finds a reply that an age in a script puts before its question.
func TestAnswersComeLater(t *testing.T) {
	for _, b := range boxes(t) {
		sent := map[string]time.Time{}
		for _, m := range b.mail {
			sent[m.header.Get("Message-Id")], _ = m.header.Date()
		}
		for _, m := range b.mail {
			at, _ := m.header.Date()
			if asked, ok := sent[m.header.Get("In-Reply-To")]; ok && !at.After(asked) {
				t.Errorf("%s: %q of %v answers mail of %v", b.user, m.header.Get("Subject"), at, asked)
			}
		}
	}
}

// walk reads every part with a parser that shares no code with this package.
func walk(t *testing.T, raw string, visit func(mediaType string, params map[string]string, body []byte)) {
	t.Helper()
	e, err := message.Read(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in\n%.300s", err, raw)
	}
	err = e.Walk(func(_ []int, p *message.Entity, err error) error {
		if err != nil {
			return err
		}
		mediaType, params, err := p.Header.ContentType()
		if err != nil || p.MultipartReader() != nil {
			return err
		}
		body, err := io.ReadAll(p.Body)
		visit(mediaType, params, body)
		return err
	})
	if err != nil {
		t.Errorf("%v in\n%.300s", err, raw)
	}
}

func TestMIME(t *testing.T) {
	kinds := map[string]int{}
	magic := map[string]string{"application/pdf": "%PDF-1.4", "image/png": "\x89PNG", "application/zip": "PK", "text/calendar": "BEGIN:VCALENDAR"}
	cid := regexp.MustCompile(`cid:([a-z.-]+)`)
	for _, b := range boxes(t) {
		for _, m := range b.mail {
			walk(t, m.raw, func(mediaType string, _ map[string]string, body []byte) {
				kinds[mediaType]++
				if !bytes.HasPrefix(body, []byte(magic[mediaType])) {
					t.Errorf("%q: %s begins with %q", m.header.Get("Subject"), mediaType, body[:min(8, len(body))])
				}
				if strings.HasPrefix(mediaType, "text/") && (strings.Contains(string(body), "\uFFFD") || strings.Contains(string(body), "{{")) {
					t.Errorf("%q: text is broken or has a placeholder left", m.header.Get("Subject"))
				}
				for _, ref := range cid.FindAllStringSubmatch(string(body), -1) {
					if mediaType == "text/html" && !strings.Contains(m.raw, "Content-ID: <"+ref[1]+">") {
						t.Errorf("%q: no part for %s", m.header.Get("Subject"), ref[0])
					}
				}
			})
		}
	}
	for _, kind := range []string{"text/plain", "text/html", "text/calendar", "text/csv", "application/pdf", "application/zip", "image/png", "message/rfc822"} {
		if kinds[kind] == 0 {
			t.Errorf("no part of %s", kind)
		}
	}
}

// TestLines holds the limits of RFC 5322: CRLF alone, lines of at most 998 bytes, headers in ASCII.
func TestLines(t *testing.T) {
	for _, b := range boxes(t) {
		for _, m := range b.mail {
			if strings.Count(m.raw, "\n") != strings.Count(m.raw, "\r\n") || strings.Count(m.raw, "\r") != strings.Count(m.raw, "\r\n") {
				t.Errorf("%q: a line end that is not CRLF", m.header.Get("Subject"))
			}
			for line := range strings.Lines(m.raw) {
				if len(line) > 1000 {
					t.Errorf("%q: a line of %d bytes", m.header.Get("Subject"), len(line))
				}
			}
			for _, c := range []byte(m.raw) {
				if c >= 0x80 {
					t.Errorf("%q: not 7 bit", m.header.Get("Subject"))
					break
				}
			}
		}
	}
}

// TestDomainsAreReserved is the promise that the demo can reach nobody (RFC 2606).
func TestDomainsAreReserved(t *testing.T) {
	domain := regexp.MustCompile(`(?i)(?:@|https?://)([a-z0-9-]+(?:\.[a-z0-9-]+)+)`)
	reserved := regexp.MustCompile(`(?i)(^|\.)example\.(com|org|net)$`)
	found := 0
	check := func(text string) {
		for _, m := range domain.FindAllStringSubmatch(text, -1) {
			found++
			if !reserved.MatchString(m[1]) {
				t.Errorf("domain %s is not reserved", m[1])
			}
		}
	}
	for _, b := range boxes(t) {
		for _, m := range b.mail {
			head, _, _ := strings.Cut(m.raw, "\r\n\r\n")
			check(head)
			walk(t, m.raw, func(mediaType string, _ map[string]string, body []byte) {
				if strings.HasPrefix(mediaType, "text/") || mediaType == "message/rfc822" {
					check(string(body))
				}
			})
		}
	}
	if found < 1000 {
		t.Errorf("looked at %d domains, want all of them", found)
	}
	for _, p := range slices.Concat(demodata.Users(), demodata.Correspondents()) {
		check("@" + p.Email[strings.IndexByte(p.Email, '@')+1:])
	}
}

func TestSeedIsDeterministic(t *testing.T) {
	again, err := demodata.Seed(now)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(seed(t), again) {
		t.Error("two seeds for one time differ")
	}
	later, err := demodata.Seed(now.AddDate(0, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(seed(t), later) {
		t.Error("the seed does not depend on the time")
	}
}

// TestEmulatorTakesTheSeed serves the seed and counts the threads that Gmail would
// make of it: one for each conversation.
func TestEmulatorTakesTheSeed(t *testing.T) {
	s := seed(t)
	srv := emulator.New(emulator.Options{
		Auth: emulator.StaticTokens{"t": {Email: "alice@example.com", Scopes: []string{"https://mail.google.com/"}}},
		Now:  func() time.Time { return now }, Logf: func(string, ...any) {},
	})
	if err := srv.Apply(s, ""); err != nil {
		t.Fatal(err)
	}
	for i, u := range demodata.Users() {
		if u.Email != s.Users[i].Email || u.Name != s.Users[i].Name || !srv.HasUser(u.Email) {
			t.Errorf("user %d is %v, the seed has %s", i, u, s.Users[i].Email)
		}
	}
	r := httptest.NewRequest("GET", "/gmail/v1/users/me/threads?maxResults=500&includeSpamTrash=true", nil)
	r.Header.Set("Authorization", "Bearer t")
	w := httptest.NewRecorder()
	srv.Handler().ServeHTTP(w, r)
	var list struct{ Threads []struct{ ID string } }
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if got, want := len(list.Threads), boxes(t)[0].conversations(); got != want {
		t.Errorf("the emulator has %d threads, want %d", got, want)
	}
}
