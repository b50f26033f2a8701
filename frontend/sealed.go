package frontend

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// sealed makes URLs of ours that carry something nobody else may read or make up, such as the URL of an image
// that a mail names (I5: nothing of a mail in our URLs). Each is bound to what it is for (kind, account,
// message, session): opened in another place, or after linkLife, it is nothing. It costs about 2 µs.
type sealed struct{ key []byte }

// seal encrypts content as JSON into one path segment.
func (s sealed) seal(now time.Time, content any, bound ...string) (string, error) {
	plain, err := json.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("frontend: sealing a link: %w", err)
	}
	aead, err := s.aead(bound)
	if err != nil {
		return "", err
	}
	token := make([]byte, aead.NonceSize(), aead.NonceSize()+8+len(plain)+aead.Overhead())
	if _, err := rand.Read(token); err != nil {
		return "", fmt.Errorf("frontend: sealing a link: %w", err)
	}
	plain = append(binary.BigEndian.AppendUint64(nil, uint64(now.Add(linkLife).Unix())), plain...)
	return base64.RawURLEncoding.EncodeToString(aead.Seal(token, token, plain, nil)), nil
}

// open reads what seal made for the same place, or fails with errBadLink.
func (s sealed) open(token string, now time.Time, content any, bound ...string) error {
	aead, err := s.aead(bound)
	if err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < aead.NonceSize() {
		return errBadLink
	}
	plain, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], nil)
	if err != nil || len(plain) < 8 || now.Unix() > int64(binary.BigEndian.Uint64(plain)) {
		return errBadLink
	}
	if err := json.Unmarshal(plain[8:], content); err != nil {
		return errBadLink
	}
	return nil
}

// aead is keyed by the place itself, so that no key ever seals so much that its random nonces could meet.
func (s sealed) aead(bound []string) (cipher.AEAD, error) {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte("sealed link"))
	for _, part := range bound {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	block, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("frontend: sealing a link: %w", err)
	}
	return cipher.NewGCM(block)
}
