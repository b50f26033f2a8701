package decisionlog

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// LoadOrCreateKey returns the key that signs a log's checkpoints, from the file at path: one line in the format
// of golang.org/x/mod/sumdb/note, readable by its owner only. If there is no file, a new Ed25519 key named
// after the origin is put there, and its public half, which auditors need, beside it with ".pub" appended.
//
// Programs that start at once over an empty directory end up with the same key.
func LoadOrCreateKey(path, origin string) (note.Signer, note.Verifier, error) {
	secret, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createKey(path, origin); err != nil {
			return nil, nil, fmt.Errorf("decisionlog: create the log's key: %w", err)
		}
		secret, err = readKey(path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("decisionlog: read the log's key: %w", err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, nil, errors.New("decisionlog: the key file does not hold a note private key")
	}
	if signer.Name() != origin {
		return nil, nil, fmt.Errorf("decisionlog: the key is of the log %q, not of %q", signer.Name(), origin)
	}
	public, err := publicKey(secret)
	if err != nil {
		return nil, nil, err
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return nil, nil, fmt.Errorf("decisionlog: derive the log's public key: %w", err)
	}
	if err := writePublicKey(path+".pub", public); err != nil {
		return nil, nil, err
	}
	return signer, verifier, nil
}

// LoadVerifier returns the public key in a file that LoadOrCreateKey wrote.
func LoadVerifier(path string) (note.Verifier, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("decisionlog: read the log's public key: %w", err)
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("decisionlog: read the log's public key: %w", err)
	}
	return verifier, nil
}

func readKey(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("file mode %#o lets others read it, want 0600", info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}

// createKey makes the file appear whole or not at all, and never replaces one.
func createKey(path, origin string) error {
	secret, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(secret + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func writePublicKey(path, public string) error {
	if have, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(have)) == public {
		return nil
	}
	if err := os.WriteFile(path, []byte(public+"\n"), 0o644); err != nil {
		return fmt.Errorf("decisionlog: write the log's public key: %w", err)
	}
	return nil
}

// publicKey derives the verifier key of a private note key, PRIVATE+KEY+name+hash+base64(1, seed), which
// note.NewSigner has accepted.
func publicKey(secret string) (string, error) {
	fields := strings.SplitN(secret, "+", 5)
	key, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil {
		return "", errors.New("decisionlog: the key file does not hold a note private key")
	}
	private := ed25519.NewKeyFromSeed(key[1:])
	return note.NewEd25519VerifierKey(fields[2], private.Public().(ed25519.PublicKey))
}
