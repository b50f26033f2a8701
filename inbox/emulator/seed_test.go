package emulator_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
)

const goodSeed = `
users:
  - email: alice@example.com
    name: Alice Example
    tokens: {alice-token: ["https://mail.google.com/"]}
    labels: [Ops/Review]
    messages:
      - {raw: "From: bob@example.com\nSubject: written out\n\nhello", labels: [INBOX, UNREAD, Ops/Review]}
      - file: one.eml
    import: [mail.mbox]
clients: [{id: peer, secret: peer, redirect_uris: ["http://127.0.0.1:8099/oauth/callback"]}]
`

// files writes a folder for a test.
func files(t *testing.T, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range content {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSeed(t *testing.T) {
	seed, err := emulator.ParseSeed(strings.NewReader(goodSeed))
	if err != nil {
		t.Fatal(err)
	}
	if c := seed.Clients[0]; c.ID != "peer" || c.Secret != "peer" || c.RedirectURIs[0] != "http://127.0.0.1:8099/oauth/callback" {
		t.Errorf("client %+v", c)
	}
	srv := emulator.New(emulator.Options{Auth: emulator.Chain(nil, emulator.StaticTokens{}, seed.StaticTokens())})
	dir := files(t, map[string]string{
		"one.eml":   "Subject: from a file\r\n\r\nx",
		"mail.mbox": "From a@b Mon Jan  1 00:00:00 2024\nSubject: m1\nX-Gmail-Labels: Archived,Sent,\"My, label\",Opened\n\n>From here\n\nFrom a@b Mon Jan  1 00:00:00 2024\nSubject: m2\n\ny\n",
	})
	if err := srv.Apply(seed, dir); err != nil {
		t.Fatal(err)
	}
	if got, want := srv.Users(), []emulator.User{{Email: "alice@example.com", Name: "Alice Example"}}; !slices.Equal(got, want) {
		t.Errorf("users %v", got)
	}
	w := serve(t, srv)
	alice := w.client("alice-token")
	for q, labels := range map[string][]string{
		"subject:written": {"INBOX", "Label_2", "UNREAD"},
		"subject:file":    {"INBOX"},
		"subject:m2":      {"INBOX"},
	} {
		if m := w.only(alice, q); !slices.Equal(m.LabelIds, labels) {
			t.Errorf("%s has labels %v, want %v", q, m.LabelIds, labels)
		}
	}
	if m := w.only(alice, "subject:m1"); !slices.Contains(m.LabelIds, "SENT") || decode(t, m.Payload.Body.Data) != "From here\n" {
		t.Errorf("m1 %v %q", m.LabelIds, m.Payload.Body.Data)
	}
}

func TestBadSeeds(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"unknown key", "users:\n  - email: a@example.com\n    nmae: A\n", "line 3"},
		{"unknown top key", "user: []\n", "line 1"},
		{"wrong type", "users: 3\n", "line 1"},
		{"no email", "users: [{name: A}]", "user 1 has no email"},
		{"token twice", "users: [{email: a@example.com, tokens: {t: [x]}}, {email: b@example.com, tokens: {t: [x]}}]", "user 2"},
		{"no mail", "users: [{email: a@example.com, messages: [{labels: [INBOX]}]}]", "user 1, message 1"},
		{"empty mail", "users: [{email: a@example.com, messages: [{raw: \"Subject: x\"}, {raw: \"  \"}]}]", "user 1, message 2: the message is empty"},
		{"no header", "users: [{email: a@example.com, messages: [{raw: \"just text\"}]}]", "user 1, message 1: the message has no header field"},
		{"two documents", "users: []\n---\nusers: []\n", "more than one YAML document"},
		{"client without id", "clients: [{secret: x}]", "client 1 has no id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := emulator.ParseSeed(strings.NewReader(c.yaml)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	for _, c := range []struct{ name, yaml, want string }{
		{"bad address", "users: [{email: nobody}]", "user 1: "},
		{"same user", "users: [{email: a@example.com}, {email: A@example.com}]", "user 2: "},
		{"missing file", "users: [{email: a@example.com, messages: [{file: none.eml}]}]", "message 1: "},
		{"file without header", "users: [{email: a@example.com, messages: [{file: text.eml}]}]", "message 1: the message has no header field"},
		{"bad label", "users: [{email: a@example.com, labels: [\"/\"]}]", `label "/"`},
		{"import with an empty message", "users: [{email: a@example.com, import: [bad.mbox]}]", "bad.mbox#1: the message is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seed, err := emulator.ParseSeed(strings.NewReader(c.yaml))
			if err != nil {
				t.Fatal(err)
			}
			dir := files(t, map[string]string{"text.eml": "just text", "bad.mbox": "From x\n\n\nFrom y\n\nSubject: a\n\nb"})
			if err := emulator.New(emulator.Options{}).Apply(seed, dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestImportPath(t *testing.T) {
	dir := files(t, map[string]string{
		"md/cur/1:2,S":      "Subject: seen\n\nx",
		"md/cur/2:2,FT":     "Subject: flagged trash\n\nx",
		"md/new/3":          "Subject: new\n\nx",
		"md/cur/.hidden":    "Subject: hidden\n\nx",
		"tree/a.eml":        "Subject: tree a\n\nx",
		"tree/deep/b.EML":   "Subject: tree b\n\nx",
		"tree/readme.txt":   "Subject: not mail\n\nx",
		"tree/empty.eml":    "\n\n",
		"plain-message.txt": "Subject: plain\n\nx",
	})
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	for _, c := range []struct {
		path     string
		labels   []string
		imported int
		refused  string
	}{
		{"md", nil, 3, ""},
		{"tree", []string{"Projects/Tree"}, 2, "empty.eml"},
		{"plain-message.txt", nil, 1, ""},
	} {
		r, err := w.srv.ImportPath("alice@example.com", filepath.Join(dir, c.path), c.labels)
		if err != nil || r.Imported != c.imported || (c.refused == "") != (len(r.Refused) == 0) {
			t.Errorf("%s: %+v, %v", c.path, r, err)
		}
		if c.refused != "" && (filepath.Base(r.Refused[0].File) != c.refused || r.Refused[0].Reason != "the message is empty") {
			t.Errorf("%s: refused %+v", c.path, r.Refused)
		}
	}
	for q, want := range map[string]string{
		"subject:seen": "INBOX", "in:trash subject:flagged": "STARRED TRASH UNREAD", "subject:new": "INBOX UNREAD", "subject:plain": "INBOX",
	} {
		if got := strings.Join(w.only(alice, q).LabelIds, " "); got != want {
			t.Errorf("%s has %s, want %s", q, got, want)
		}
	}
	if l := must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").Q("label:projects-tree").Do()); len(l.Messages) != 2 {
		t.Errorf("label:projects-tree finds %d, want 2", len(l.Messages))
	}
	if _, err := w.srv.ImportPath("alice@example.com", filepath.Join(dir, "none"), nil); err == nil {
		t.Error("a missing path must be an error")
	}
	if _, err := w.srv.ImportPath("nobody@example.com", dir, nil); err == nil {
		t.Error("an unknown user must be an error")
	}
}

// TestCorporaMailboxes imports the mailbox files and the Maildir of the corpora.
func TestCorporaMailboxes(t *testing.T) {
	dir, ok := corpora(t)
	if !ok {
		return
	}
	w := newWorld(t, emulator.Options{})
	for _, path := range []string{"mbox/mimekit/simple.mbox", "mbox/mimekit/issue1189.mbox"} {
		r, err := w.srv.ImportPath("alice@example.com", filepath.Join(dir, filepath.FromSlash(path)), nil)
		if err != nil || r.Imported == 0 || len(r.Refused) > 0 {
			t.Errorf("%s: %+v, %v", path, r, err)
		}
		t.Logf("%s: %d messages", path, r.Imported)
	}
}
