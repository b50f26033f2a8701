package emulator_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
)

// corpora finds the collection of real mail: WEBMAIL_CORPORA, else beside the
// repository. Without one it says so and the test has nothing to do.
func corpora(t testing.TB) (string, bool) {
	dir := os.Getenv("WEBMAIL_CORPORA")
	if dir == "" {
		root, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
				break
			}
			if root == filepath.Dir(root) {
				t.Fatal("no go.mod above the test")
			}
			root = filepath.Dir(root)
		}
		dir = filepath.Join(filepath.Dir(root), "shared", "corpora")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Logf("corpora are absent (set WEBMAIL_CORPORA): nothing was checked")
		return "", false
	}
	return dir, true
}

func emlFiles(t testing.TB, dir string) []string {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.EqualFold(filepath.Ext(path), ".eml") {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

type tally struct {
	ok      int
	refused map[string]int
}

// TestCorpora puts every message of the corpora into a mailbox and reads it back
// in full and raw: none may panic, break a schema or lose a byte, and one may be
// refused only for a reason that is right.
func TestCorpora(t *testing.T) {
	dir, ok := corpora(t)
	if !ok {
		return
	}
	w := newWorld(t, emulator.Options{Logf: func(string, ...any) {}})
	alice := w.client("alice")
	table := map[string]*tally{}
	for _, path := range emlFiles(t, dir) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(filepath.ToSlash(rel), "/")
		folder := strings.Join(parts[:min(2, len(parts)-1)], "/")
		row := table[folder]
		if row == nil {
			row = &tally{refused: map[string]int{}}
			table[folder] = row
		}
		id, err := w.srv.Insert("alice@example.com", raw, []string{"INBOX"}, time.Time{})
		if err != nil {
			row.refused[err.Error()]++
			if len(strings.TrimSpace(string(raw))) > 0 {
				t.Errorf("%s refused: %v", rel, err)
			}
			continue
		}
		checkStored(t, alice, rel, id, raw)
		row.ok++
	}
	printTally(t, table)
}

func checkStored(t *testing.T, alice *gmail.UsersService, name, id string, raw []byte) {
	t.Helper()
	full, err := alice.Messages.Get("me", id).Format("full").Do()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if full.Payload == nil || full.Payload.MimeType == "" || full.SizeEstimate != int64(len(raw)) {
		t.Errorf("%s: payload %v, size %d, want %d", name, full.Payload, full.SizeEstimate, len(raw))
	}
	if n := len([]rune(full.Snippet)); n > 200*6 {
		t.Errorf("%s: snippet of %d characters", name, n)
	}
	back, err := alice.Messages.Get("me", id).Format("raw").Do()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if got := decode(t, back.Raw); got != string(raw) {
		t.Errorf("%s: raw has %d bytes, want %d, and they differ", name, len(got), len(raw))
	}
}

func printTally(t *testing.T, table map[string]*tally) {
	var folders []string
	for f := range table {
		folders = append(folders, f)
	}
	sort.Strings(folders)
	var out strings.Builder
	tw := tabwriter.NewWriter(&out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "folder\tok\trefused")
	total := 0
	for _, f := range folders {
		var reasons []string
		for reason, n := range table[f].refused {
			reasons = append(reasons, fmt.Sprintf("%d: %s", n, reason))
		}
		sort.Strings(reasons)
		fmt.Fprintf(tw, "%s\t%d\t%s\n", f, table[f].ok, strings.Join(reasons, "; "))
		total += table[f].ok
	}
	fmt.Fprintf(tw, "all\t%d\t\n", total)
	tw.Flush()
	t.Logf("corpora:\n%s", out.String())
	if total == 0 {
		t.Error("no message was read")
	}
}
