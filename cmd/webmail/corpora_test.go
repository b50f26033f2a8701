package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/totalengage/webmail/inbox/emulator"
)

// TestCorpora puts every message of the corpora into a mailbox of the demo and reads all of it back through
// the product: every page of the list, every conversation, every body. Real mail and hostile mail alike must
// open; the table says how many did.
func TestCorpora(t *testing.T) {
	dir := corpora(t)
	if dir == "" {
		return
	}
	folders := messagesByFolder(t, dir)
	own := demoMessages(t)
	fmt.Printf("corpora: %-24s %9s %8s %8s\n", "folder", "messages", "refused", "opened")
	for _, folder := range folders {
		// A demo of its own for each folder: conversations of one source do not join those of another.
		p := startDemo(t, t.TempDir(), "--import", folder.path)
		alice := newBrowser(t, p.url)
		alice.signIn("alice@example.com")
		refused := folder.refusals(t)
		opened := openEverything(t, alice, folder.name) - own
		fmt.Printf("corpora: %-24s %9d %8d %8d\n", folder.name, folder.messages, len(refused), opened)
		for file, reason := range refused {
			t.Logf("refused: %s: %s", file, reason)
		}
		if opened < folder.messages-len(refused) {
			t.Errorf("%s: only %d of %d messages could be opened", folder.name, opened, folder.messages-len(refused))
		}
		p.stop(t)
	}
}

// demoMessages is how many messages alice has without an import.
func demoMessages(t *testing.T) int {
	p := startDemo(t, t.TempDir())
	alice := newBrowser(t, p.url)
	alice.signIn("alice@example.com")
	defer p.stop(t)
	return openEverything(t, alice, "demo")
}

type folder struct {
	name, path string
	messages   int
}

// messagesByFolder lists the top folders that hold .eml files.
func messagesByFolder(t *testing.T, dir string) []folder {
	t.Helper()
	count := map[string]int{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".eml") {
			rel, _ := filepath.Rel(dir, path)
			count[strings.Split(filepath.ToSlash(rel), "/")[0]]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []folder
	for name, n := range count {
		out = append(out, folder{name: name, path: filepath.Join(dir, name), messages: n})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].name < out[j].name })
	return out
}

// refusals asks the importer which messages it does not take, and why.
func (f folder) refusals(t *testing.T) map[string]string {
	t.Helper()
	mail := emulator.New(emulator.Options{})
	if err := mail.AddUser("a@example.com", "A"); err != nil {
		t.Fatal(err)
	}
	report, err := mail.ImportPath("a@example.com", f.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range report.Refused {
		out[filepath.Base(r.File)] = r.Reason
	}
	return out
}

// openEverything reads all mail, spam and trash: each page, each conversation, each body. It returns how many
// messages with a body document it opened.
func openEverything(t *testing.T, b *browser, name string) (opened int) {
	t.Helper()
	at := "/api/accounts/" + b.account
	seen := map[string]bool{}
	for _, label := range []string{"ALL", "SPAM", "TRASH"} {
		for next := ""; ; {
			var page threadPage
			b.get(at+"/threads?label="+label+"&page="+next, &page)
			for _, row := range page.Threads {
				if seen[row.ID] {
					continue
				}
				seen[row.ID] = true
				opened += openConversation(t, b, at, row.ID, name)
			}
			if next = page.NextPage; next == "" {
				break
			}
		}
	}
	return opened
}

func openConversation(t *testing.T, b *browser, at, id, name string) (opened int) {
	t.Helper()
	var c conversation
	if status := b.status("GET", at+"/threads/"+id, nil, &c); status != 200 {
		t.Errorf("%s: a conversation of the corpora answers %d", name, status)
		return 0
	}
	for _, m := range c.Messages {
		if status := b.status("GET", m.BodyURL, nil, nil); status != 200 {
			t.Errorf("%s: a body answers %d", name, status)
			continue
		}
		opened++
	}
	return opened
}
