package decisionlog_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/totalengage/webmail/policy/decisionlog"
)

func TestLoadOrCreateKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.key")
	signer, verifier, err := decisionlog.LoadOrCreateKey(path, origin)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("file mode: got %o, want 600", got)
	}
	again, verifierAgain, err := decisionlog.LoadOrCreateKey(path, origin)
	if err != nil {
		t.Fatal(err)
	}
	public, err := decisionlog.LoadVerifier(path + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	for name, hash := range map[string]uint32{
		"verifier": verifier.KeyHash(), "signer after a restart": again.KeyHash(),
		"verifier after a restart": verifierAgain.KeyHash(), "public file": public.KeyHash(),
	} {
		if hash != signer.KeyHash() {
			t.Errorf("%s: got key %08x, want %08x", name, hash, signer.KeyHash())
		}
	}
	text, err := note.Sign(&note.Note{Text: "hello\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(text, note.VerifierList(public)); err != nil {
		t.Errorf("the public file does not verify the signer's notes: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(left) != 2 {
		t.Errorf("got files %v, %v, want the key and its public half", left, err)
	}
}

func TestKeyIsRefused(t *testing.T) {
	good := filepath.Join(t.TempDir(), "log.key")
	if _, _, err := decisionlog.LoadOrCreateKey(good, origin); err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		content string
		mode    os.FileMode
		origin  string
	}{
		"readable by others": {string(secret), 0o644, origin},
		"readable by group":  {string(secret), 0o640, origin},
		"of another log":     {string(secret), 0o600, "example.com/other"},
		"empty":              {"", 0o600, origin},
		"no key":             {"hello", 0o600, origin},
		"cut short":          {string(secret[:len(secret)-9]), 0o600, origin},
	} {
		path := filepath.Join(t.TempDir(), "log.key")
		if err := os.WriteFile(path, []byte(test.content), test.mode); err != nil {
			t.Fatal(err)
		}
		_, _, err := decisionlog.LoadOrCreateKey(path, test.origin)
		if err == nil {
			t.Errorf("%s: the key was accepted", name)
			continue
		}
		// PRIVATE+KEY+name+hash+key, of which the key itself can hold a +.
		if fields := strings.SplitN(strings.TrimSpace(string(secret)), "+", 5); strings.Contains(err.Error(), fields[4]) {
			t.Errorf("%s: the error shows the key", name)
		}
	}
	if _, _, err := decisionlog.LoadOrCreateKey(filepath.Join(t.TempDir(), "no", "folder"), origin); err == nil {
		t.Error("a key was created in a folder that does not exist")
	}
	if _, _, err := decisionlog.LoadOrCreateKey(filepath.Join(t.TempDir(), "log.key"), "no good+name"); err == nil {
		t.Error("a key was created with a name that a signed note cannot hold")
	}
	if _, err := decisionlog.LoadVerifier(good); err == nil {
		t.Error("a private key was accepted as a public one")
	}
}

// TestKeyCreatedOnce starts several programs at once over an empty directory.
func TestKeyCreatedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.key")
	hashes := make([]uint32, 8)
	var wg sync.WaitGroup
	for i := range hashes {
		wg.Go(func() {
			signer, _, err := decisionlog.LoadOrCreateKey(path, origin)
			if err != nil {
				t.Error(err)
				return
			}
			hashes[i] = signer.KeyHash()
		})
	}
	wg.Wait()
	for _, hash := range hashes {
		if hash != hashes[0] {
			t.Errorf("got keys %08x, want the same everywhere", hashes)
		}
	}
}
