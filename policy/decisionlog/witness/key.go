package witness

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// LoadOrCreateKey returns a witness's private key from a file that only its owner can read. If there is no file,
// a new Ed25519 key of that name is put there, and its public half, which the log's operator needs, beside it
// with ".pub" appended.
func LoadOrCreateKey(path, name string) (secret string, err error) {
	text, err := os.ReadFile(path)
	if err == nil {
		info, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		if info.Mode().Perm()&0o077 != 0 {
			return "", fmt.Errorf("witness: mode %#o of the key file lets others read it, want 0600", info.Mode().Perm())
		}
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("witness: reading the key: %w", err)
	}
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", fmt.Errorf("witness: making a key: %w", err)
	}
	// The public key says that its signatures are cosignatures, which carry the time.
	if public, err = formats.VKeyToCosignatureV1(public); err != nil {
		return "", fmt.Errorf("witness: making a key: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("witness: writing the key: %w", err)
	}
	_, err = file.WriteString(secret + "\n")
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", fmt.Errorf("witness: writing the key: %w", err)
	}
	return secret, os.WriteFile(path+".pub", []byte(public+"\n"), 0o644)
}

// LoadVerifier reads a witness's public key from a file.
func LoadVerifier(path string) (note.Verifier, error) {
	public, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("witness: reading the public key: %w", err)
	}
	return ParseVerifier(string(public))
}

// ParseVerifier reads a witness's public key.
func ParseVerifier(public string) (note.Verifier, error) {
	v, err := formats.NewVerifierForCosignatureV1(strings.TrimSpace(public))
	if err != nil {
		return nil, errors.New("witness: the public key is not one for cosignatures (name+hash+base64)")
	}
	return v, nil
}
