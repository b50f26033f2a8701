package oauth_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/totalengage/webmail/oauth"
	. "github.com/totalengage/webmail/oauth/oauthtest"
	"github.com/totalengage/webmail/policy"
)

func TestOpenKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	first, err := oauth.OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := oauth.OpenKeys(dir)
	if err != nil || !bytes.Equal(first.Pseudonym(), again.Pseudonym()) || len(first.Pseudonym()) != 32 {
		t.Errorf("opening again: %v, same key %v", err, bytes.Equal(first.Pseudonym(), again.Pseudonym()))
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("got files %v %v, want 3", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v %v, want 0600", filepath.Base(file), info.Mode(), err)
		}
		if err := os.Chmod(file, 0o640); err != nil {
			t.Fatal(err)
		}
		if _, err := oauth.OpenKeys(dir); err == nil {
			t.Errorf("%s was used although its group can read it", filepath.Base(file))
		}
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(files[0], []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := oauth.OpenKeys(dir); err == nil {
		t.Errorf("a broken %s was accepted", filepath.Base(files[0]))
	}
}

func TestOtherKeysAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		others, err := oauth.OpenKeys(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := oauth.Open(t.Context(), w.DB, others, w.Consents, oauth.Options{}); err == nil {
			t.Error("a database was opened with other keys than it was written with")
		}
		if _, err := oauth.Open(t.Context(), w.DB, w.Keys, w.Consents, oauth.Options{}); err != nil {
			t.Errorf("with its own keys: %v", err)
		}
	})
}

func TestSeal(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		ada := w.NewVisitor("ada").SignIn(Ada)
		bob := w.NewVisitor("bob").SignIn(Bob)
		one, two := ada.Connect(Ada), bob.Connect(Bob)
		sealed, err := w.Store.Seal(t.Context(), one, "outbox.message", []byte("dear Bob"))
		if err != nil || bytes.Contains(sealed, []byte("dear")) {
			t.Fatalf("sealing: %v", err)
		}
		if plain, err := w.Store.Unseal(t.Context(), one, "outbox.message", sealed); err != nil || string(plain) != "dear Bob" {
			t.Errorf("got %q %v", plain, err)
		}
		flipped := bytes.Clone(sealed)
		flipped[len(flipped)-1] ^= 1
		for name, open := range map[string]func() ([]byte, error){
			"another account": func() ([]byte, error) { return w.Store.Unseal(t.Context(), two, "outbox.message", sealed) },
			"another column":  func() ([]byte, error) { return w.Store.Unseal(t.Context(), one, "drafts.message", sealed) },
			"changed":         func() ([]byte, error) { return w.Store.Unseal(t.Context(), one, "outbox.message", flipped) },
			"empty":           func() ([]byte, error) { return w.Store.Unseal(t.Context(), one, "outbox.message", nil) },
		} {
			if plain, err := open(); err == nil {
				t.Errorf("%s: opened as %q", name, plain)
			}
		}
		if _, err := w.Store.Seal(t.Context(), "nobody", "outbox.message", nil); !errors.Is(err, policy.ErrUnknown) {
			t.Errorf("an unknown account: got %v, want ErrUnknown", err)
		}
		// A key copied into another account's row opens nothing there.
		w.Exec(`UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE account = $1) WHERE account = $2`, string(two), string(one))
		if _, err := w.Store.Seal(t.Context(), one, "outbox.message", nil); err == nil {
			t.Error("another account's key was accepted")
		}
	})
}
