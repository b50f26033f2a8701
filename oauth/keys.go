package oauth

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// The key files. Each is made once, readable by its owner only, and must be backed up apart from the
// database: whoever has both can read what is sealed.
const (
	masterFile    = "master-keyset.json" // Tink keyset in JSON, XAES-256-GCM
	pseudonymFile = "pseudonym.key"      // 32 random bytes
	lookupFile    = "lookup.key"         // 32 random bytes
)

// Keys are the secrets of a deployment. All nodes of one deployment have the same.
type Keys struct {
	master    tink.AEAD
	pseudonym []byte
	lookup    []byte
}

// OpenKeys loads the keys from dir, making the directory (0700) and the files (0600) that are not there yet.
// It refuses a key file that others than its owner can read.
func OpenKeys(dir string) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("oauth: key directory: %w", err)
	}
	text, err := keyFile(dir, masterFile, newMasterKeyset)
	if err != nil {
		return nil, err
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, fmt.Errorf("oauth: %s is not a keyset", masterFile) // the cause may quote the file
	}
	k := &Keys{}
	if k.master, err = aead.New(handle); err != nil {
		return nil, fmt.Errorf("oauth: %s does not hold AEAD keys", masterFile)
	}
	if k.pseudonym, err = keyFile(dir, pseudonymFile, newRandomKey); err != nil {
		return nil, err
	}
	if k.lookup, err = keyFile(dir, lookupFile, newRandomKey); err != nil {
		return nil, err
	}
	if len(k.pseudonym) < sha256.Size || len(k.lookup) < sha256.Size {
		return nil, fmt.Errorf("oauth: a key file in %s is too short", filepath.Base(dir))
	}
	return k, nil
}

// Pseudonym returns the key of the pseudonyms that the policy gate gives to staff.
func (k *Keys) Pseudonym() []byte { return bytes.Clone(k.pseudonym) }

// keyFile reads a file of dir, or makes it from fresh key material. Of several processes that start at once,
// one makes the file and all read that one.
func keyFile(dir, name string, fresh func() ([]byte, error)) ([]byte, error) {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createKeyFile(dir, name, fresh); err != nil {
			return nil, fmt.Errorf("oauth: making %s: %w", name, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("oauth: key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("oauth: %s can be read by others than its owner (mode %o): it must be 0600", name, info.Mode().Perm())
	}
	return os.ReadFile(path)
}

// createKeyFile writes the whole file under another name first, so that nobody ever reads half a key.
func createKeyFile(dir, name string, fresh func() ([]byte, error)) error {
	content, err := fresh()
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	// A link fails where the name exists; a rename would replace another process' key.
	if err := os.Link(tmp.Name(), filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close()) // the name must outlive a crash as well
}

func newMasterKeyset() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.XAES256GCM192BitNonceKeyTemplate())
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text))
	return text.Bytes(), err
}

func newRandomKey() ([]byte, error) {
	key := make([]byte, 32)
	_, err := rand.Read(key)
	return key, err
}

// digest is the HMAC under which a value is looked up: the value itself is not in the database. kind keeps
// an address and a subject number with the same text apart.
func (k *Keys) digest(kind, value string) []byte {
	mac := hmac.New(sha256.New, k.lookup)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

// seal encrypts what belongs to no mailbox, such as a session, under the master keyset. place binds the
// ciphertext to its row and column: moved elsewhere it does not open.
func (k *Keys) seal(place string, plaintext []byte) ([]byte, error) {
	return k.master.Encrypt(plaintext, []byte(place))
}

func (k *Keys) unseal(place string, ciphertext []byte) ([]byte, error) {
	plaintext, err := k.master.Decrypt(ciphertext, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("oauth: %s does not open under this deployment's keys", place)
	}
	return plaintext, nil
}
