package decisionlog_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// A fixed key, so that the checkpoint below is the same for ever.
const (
	fixedSecret = "PRIVATE+KEY+example.com/log+1dde4531+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	fixedPublic = "example.com/log+1dde4531+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
)

func fixedKey(tb testing.TB) (note.Signer, note.Verifier) {
	tb.Helper()
	signer, err := note.NewSigner(fixedSecret)
	if err != nil {
		tb.Fatal(err)
	}
	verifier, err := note.NewVerifier(fixedPublic)
	if err != nil {
		tb.Fatal(err)
	}
	return signer, verifier
}

// TestCheckpointFormat pins the bytes: auditors keep checkpoints for years.
func TestCheckpointFormat(t *testing.T) {
	signer, verifier := fixedKey(t)
	tree := tlog.Tree{N: 21, Hash: tlog.RecordHash([]byte("root"))}
	text, err := decisionlog.SignCheckpoint("example.com/log", tree, signer)
	if err != nil {
		t.Fatal(err)
	}
	const want = "example.com/log\n21\nPAb5plclr2BSYfY2ZyyWINQJcx2JpFHXRV/pxK4WeCk=\n\n— example.com/log Hd5FMTfOfUdAtdE297H2OaGox23gNu3B/n2JqQ3mpLgqSbMQDToZ8acHwajlqW++xQDYwVFjfm+Fqeb/XRoKLJFOpwY=\n"
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	got, err := decisionlog.OpenCheckpoint(text, "example.com/log", verifier)
	if err != nil || got != tree {
		t.Errorf("got %v, %v, want %v", got, err, tree)
	}
}

// TestCosignedCheckpoint: a witness's signature beside ours does no harm.
func TestCosignedCheckpoint(t *testing.T) {
	signer, verifier := fixedKey(t)
	witness, _ := key(t)
	tree := tlog.Tree{N: 1, Hash: tlog.RecordHash(nil)}
	text, err := decisionlog.SignCheckpoint("example.com/log", tree, signer)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	cosigned, err := note.Sign(opened, witness)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decisionlog.OpenCheckpoint(cosigned, "example.com/log", verifier); err != nil || got != tree {
		t.Errorf("got %v, %v, want %v", got, err, tree)
	}
}

func TestCheckpointIsRefused(t *testing.T) {
	signer, verifier := fixedKey(t)
	hash := strings.Repeat("A", 43) + "="
	for name, body := range map[string]string{
		"two lines":          "example.com/log\n1\n",
		"an extra line":      "example.com/log\n1\n" + hash + "\nextra\n",
		"another origin":     "example.com/other\n1\n" + hash + "\n",
		"no origin":          "\n1\n" + hash + "\n",
		"a negative size":    "example.com/log\n-1\n" + hash + "\n",
		"a padded size":      "example.com/log\n01\n" + hash + "\n",
		"a signed size":      "example.com/log\n+1\n" + hash + "\n",
		"a huge size":        "example.com/log\n99999999999999999999\n" + hash + "\n",
		"a short hash":       "example.com/log\n1\nAAAA\n",
		"no base64":          "example.com/log\n1\n" + strings.Repeat("!", 44) + "\n",
		"loose base64":       "example.com/log\n1\n" + strings.Repeat("A", 42) + "B=\n",
		"a hash with spaces": "example.com/log\n1\n" + hash + " \n",
	} {
		text, err := note.Sign(&note.Note{Text: body}, signer)
		if err != nil {
			t.Fatal(err)
		}
		var bad *decisionlog.BadCheckpoint
		if _, err := decisionlog.OpenCheckpoint(text, "example.com/log", verifier); !errors.As(err, &bad) {
			t.Errorf("%s: got %v, want BadCheckpoint", name, err)
		}
	}
}

// FuzzOpenCheckpoint signs whatever it is given. What is then accepted must be the one spelling of its tree.
func FuzzOpenCheckpoint(f *testing.F) {
	f.Add("example.com/log\n1\n" + strings.Repeat("A", 43) + "=\n")
	f.Add("example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
	f.Add("\n\n\n")
	signer, verifier := fixedKey(f)
	f.Fuzz(func(t *testing.T, body string) {
		text, err := note.Sign(&note.Note{Text: body}, signer)
		if err != nil {
			return // not a note
		}
		tree, err := decisionlog.OpenCheckpoint(text, "example.com/log", verifier)
		if err != nil {
			var bad *decisionlog.BadCheckpoint
			if !errors.As(err, &bad) {
				t.Errorf("got %T, want *BadCheckpoint", err)
			}
			return
		}
		again, err := decisionlog.SignCheckpoint("example.com/log", tree, signer)
		if err != nil || !bytes.Equal(again, text) {
			t.Errorf("%q was accepted but is spelt %q, %v", text, again, err)
		}
	})
}

// FuzzOpenUnsigned: nothing that our key has not signed is ever a checkpoint.
func FuzzOpenUnsigned(f *testing.F) {
	_, verifier := fixedKey(f)
	f.Add([]byte("example.com/log\n1\n" + strings.Repeat("A", 43) + "=\n\n— example.com/log Hd5FMTfO\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if tree, err := decisionlog.OpenCheckpoint(text, "example.com/log", verifier); err == nil {
			t.Errorf("%q was accepted as %v", text, tree)
		}
	})
}
