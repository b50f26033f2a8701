package inbox

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/streamingaead"

	"github.com/totalengage/webmail/policy"
)

// A shelf holds what is too large to be in memory as a whole: files being attached, and messages with them. Each
// thing is sealed as a stream (Tink's streaming AEAD) under a key of its own, which is sealed with the account's key,
// and lies in rows of partSize. The stream authenticates order and end of its rows; the key is bound to the account
// by the sealer, and the ciphertext to the thing's id. Reading or writing costs well under 1 MB of memory.
type shelf struct{ table, column string }

var (
	uploadShelf = shelf{"upload_parts", "uploads.key"}
	outboxShelf = shelf{"outbox_parts", "outbox.key"}
)

const (
	partSize = 256 << 10
	// orphaned is when parts without a row are swept: what was being written when the program ended.
	orphaned = time.Hour
)

// put writes a thing and returns its size and its sealed key. What it wrote before it failed is swept.
func (sh shelf) put(ctx context.Context, s *Service, account policy.AccountID, id string, content io.Reader) (size int64, key []byte, err error) {
	handle, err := keyset.NewHandle(streamingaead.AES256GCMHKDF4KBKeyTemplate())
	if err != nil {
		return 0, nil, fmt.Errorf("inbox: making a key: %w", err)
	}
	primitive, err := streamingaead.New(handle)
	if err != nil {
		return 0, nil, fmt.Errorf("inbox: making a key: %w", err)
	}
	var plain bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&plain)); err != nil {
		return 0, nil, fmt.Errorf("inbox: making a key: %w", err)
	}
	if key, err = s.seal.Seal(ctx, account, sh.column, plain.Bytes()); err != nil {
		return 0, nil, fmt.Errorf("inbox: sealing a key: %w", err)
	}
	rows := &rowWriter{ctx: ctx, service: s, table: sh.table, id: id, account: account}
	sealed, err := primitive.NewEncryptingWriter(rows, []byte(id))
	if err != nil {
		return 0, nil, fmt.Errorf("inbox: sealing: %w", err)
	}
	if size, err = io.Copy(sealed, content); err != nil {
		return size, nil, err
	}
	if err := sealed.Close(); err != nil {
		return size, nil, fmt.Errorf("inbox: sealing: %w", err)
	}
	return size, key, rows.flush()
}

// stored is a thing on a shelf, as content that can be read again and again.
type stored struct {
	service *Service
	shelf   shelf
	account policy.AccountID
	id      string
	key     []byte // sealed
	size    int64
}

// Size is the thing's own, without what sealing adds.
func (t stored) Size() int64 { return t.size }

// Open reads the thing. Rows that are missing, exchanged or cut off are an error at the latest at the end.
func (t stored) Open() (io.ReadCloser, error) {
	ctx := context.Background() // ends with the reader: each row is a query of its own
	plain, err := t.service.seal.Unseal(ctx, t.account, t.shelf.column, t.key)
	if err != nil {
		return nil, fmt.Errorf("inbox: opening a key: %w", err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(plain)))
	if err != nil {
		return nil, errUnreadable // the cause may quote the key
	}
	primitive, err := streamingaead.New(handle)
	if err != nil {
		return nil, errUnreadable
	}
	r, err := primitive.NewDecryptingReader(&rowReader{ctx: ctx, service: t.service, table: t.shelf.table, id: t.id}, []byte(t.id))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return io.NopCloser(r), nil
}

// rowWriter gathers ciphertext and writes it row by row, each in a transaction of its own: a slow sender must not
// keep the database's one writer waiting.
type rowWriter struct {
	ctx     context.Context
	service *Service
	table   string
	id      string
	account policy.AccountID
	n       int64
	buffer  []byte
}

func (w *rowWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if w.buffer == nil {
			w.buffer = make([]byte, 0, partSize)
		}
		taken := min(len(rest), partSize-len(w.buffer))
		w.buffer = append(w.buffer, rest[:taken]...)
		rest = rest[taken:]
		if len(w.buffer) == partSize {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

func (w *rowWriter) flush() error {
	if len(w.buffer) == 0 {
		return nil
	}
	err := w.service.db.Write(w.ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(w.ctx, `INSERT INTO `+w.table+` (id, n, account, created, body) VALUES ($1, $2, $3, $4, $5)`,
			w.id, w.n, string(w.account), w.service.now().UnixMicro(), w.buffer)
		return err
	})
	if err != nil {
		return fmt.Errorf("inbox: storing a part: %w", err)
	}
	w.n++
	w.buffer = w.buffer[:0]
	return nil
}

// rowReader reads the rows one after the other.
type rowReader struct {
	ctx     context.Context
	service *Service
	table   string
	id      string
	n       int64
	rest    []byte
	ended   bool
}

func (r *rowReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.ended {
			return 0, io.EOF
		}
		err := r.service.db.Read().QueryRowContext(r.ctx, `SELECT body FROM `+r.table+` WHERE id = $1 AND n = $2`, r.id, r.n).Scan(&r.rest)
		if errors.Is(err, sql.ErrNoRows) {
			r.ended = true
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("inbox: reading a part: %w", err)
		}
		r.n++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// clear removes a thing. The caller's row names it no more.
func (sh shelf) clear(ctx context.Context, tx *sql.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM `+sh.table+` WHERE id = $1`, id); err != nil {
		return fmt.Errorf("inbox: deleting parts: %w", err)
	}
	return nil
}
