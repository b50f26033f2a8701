package emulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// keyBits is the size of Google's own signing keys.
const keyBits = 2048

// keyring signs ID tokens with its newest key and publishes the last two.
type keyring struct {
	mu   sync.RWMutex
	keys []jose.JSONWebKey // private, newest first, one or two
}

func newKeyring() (*keyring, error) {
	k := &keyring{}
	if err := k.rotate(); err != nil {
		return nil, fmt.Errorf("emulator: make signing key: %w", err)
	}
	return k, nil
}

func (k *keyring) rotate() error {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return err
	}
	key := jose.JSONWebKey{Key: private, Algorithm: string(jose.RS256), Use: "sig"}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return err
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)

	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = append([]jose.JSONWebKey{key}, k.keys...)
	k.keys = k.keys[:min(len(k.keys), 2)]
	return nil
}

// signer signs RS256 and nothing else, naming its key in the header.
func (k *keyring) signer() (jose.Signer, error) {
	k.mu.RLock()
	key := k.keys[0]
	k.mu.RUnlock()
	return jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: key},
		(&jose.SignerOptions{}).WithType("JWT"))
}

func (k *keyring) public() jose.JSONWebKeySet {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var set jose.JSONWebKeySet
	for _, key := range k.keys {
		set.Keys = append(set.Keys, key.Public())
	}
	return set
}

func (s *Server) serveKeys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.keys.public())
}
