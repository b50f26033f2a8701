package emulator

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"
)

// idSource makes message ids: 16 lower-case hex digits, rising with time, unique
// in the whole server, so that a message has another id in every mailbox.
type idSource struct {
	now func() time.Time

	mu   sync.Mutex
	last uint64 // owned by mu
}

func (s *idSource) next() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := uint64(s.now().UnixMilli())<<20 | mathrand.Uint64N(1<<20)
	if id <= s.last {
		id = s.last + 1 + mathrand.Uint64N(64)
	}
	s.last = id
	return fmt.Sprintf("%016x", id)
}

// after makes the ids to come larger than one that exists.
func (s *idSource) after(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last, id)
}

// validID reports whether s can be a message or thread id at all; Gmail tells a
// malformed id (400) from an unknown one (404).
func validID(s string) bool {
	if len(s) == 0 || len(s) > 16 {
		return false
	}
	return strings.Trim(s, "0123456789abcdef") == ""
}

func newDraftID() string { return fmt.Sprintf("r%d", mathrand.Int64()-mathrand.Int64()) }

// attachmentIDs makes Gmail's long attachment ids: another one at every answer,
// good for as long as the server runs. An id is the sealed message id and the
// part's place in the tree, so nothing needs to be remembered.
type attachmentIDs struct{ aead cipher.AEAD }

const (
	attachmentPrefix = "ANGjdJ"
	// 288 sealed bytes make an id of 390 characters; Gmail's have 383 to 404.
	attachmentPlain = 288 - 12 - 16
)

func newAttachmentIDs() attachmentIDs {
	key := make([]byte, 32)
	rand.Read(key) // never fails (crypto/rand)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key length is right
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the right block size
	}
	return attachmentIDs{aead}
}

func (a attachmentIDs) seal(messageID string, part int) string {
	plain := make([]byte, attachmentPlain)
	copy(plain, messageID)
	binary.BigEndian.PutUint32(plain[16:], uint32(part))
	nonce := make([]byte, a.aead.NonceSize())
	rand.Read(nonce)
	return attachmentPrefix + base64.RawURLEncoding.EncodeToString(a.aead.Seal(nonce, nonce, plain, nil))
}

func (a attachmentIDs) open(id string) (messageID string, part int, ok bool) {
	text, ok := strings.CutPrefix(id, attachmentPrefix)
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	n := a.aead.NonceSize()
	if !ok || err != nil || len(sealed) < n {
		return "", 0, false
	}
	plain, err := a.aead.Open(nil, sealed[:n], sealed[n:], nil)
	if err != nil || len(plain) != attachmentPlain {
		return "", 0, false
	}
	return string(plain[:16]), int(binary.BigEndian.Uint32(plain[16:])), true
}

// pageToken is a 20-digit number, opaque to clients: where the last page ended.
// Lists of mail are ordered by (date, sequence), newest first.
type cursor struct {
	date int64 // internalDate, ms
	seq  uint64
}

const (
	dateShift = 5_000_000_000_000 // makes 13 digits of any date that parseDate accepts
	seqRange  = 10_000_000        // messages a mailbox can page over
)

func (c cursor) token() string {
	return fmt.Sprintf("%013d%07d", c.date+dateShift, c.seq%seqRange)
}

func parseCursor(token string) (cursor, bool) {
	var c cursor
	if len(token) != 20 || strings.Trim(token, "0123456789") != "" {
		return c, false
	}
	fmt.Sscanf(token[:13], "%d", &c.date)
	fmt.Sscanf(token[13:], "%d", &c.seq)
	c.date -= dateShift
	return c, true
}
