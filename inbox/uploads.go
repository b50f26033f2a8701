package inbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/policy"
)

// Upload is a file put aside for a message being written.
type Upload struct {
	ID, Name, Type string
	Size           int64
}

const (
	// uploadKept is how long an upload waits for its message. Saving a draft copies it into the draft and
	// does not end it, for another save may be on its way; sending removes it.
	uploadKept = 24 * time.Hour
	// maxWaiting bounds what one account can have put aside.
	maxWaiting = 20 * MaxAttachments
)

// Columns as the sealer knows them.
const (
	sealedMeta    = "uploads.meta"
	sealedDetails = "outbox.details"
	sealedRaw     = "outbox.raw"
)

type uploadMeta struct{ Name, Type string }

// PutUpload stores content, sealed as it comes, for a message of the visitor in this mailbox. It reads at most one
// byte more than may be attached; then it fails with ErrTooLarge.
func (s *Service) PutUpload(ctx context.Context, v Visit, name, kind string, content io.Reader) (Upload, error) {
	if err := s.admit(ctx, v); err != nil {
		return Upload{}, err
	}
	if unsafeText(name) {
		return Upload{}, &InvalidError{"file", "its name holds a control character"}
	}
	return s.putAside(ctx, v, Upload{Name: fileName(name), Type: mediaType(kind)}, content, uploadKept)
}

// putAside is PutUpload for a visitor who was admitted.
func (s *Service) putAside(ctx context.Context, v Visit, u Upload, content io.Reader, keep time.Duration) (Upload, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Upload{}, err
	}
	u.ID = id.String()
	size, key, err := uploadShelf.put(ctx, s, v.Account, u.ID, io.LimitReader(content, MaxAttachments+1))
	if err == nil && size > MaxAttachments {
		err = ErrTooLarge
	}
	if err == nil {
		u.Size = size
		err = s.storeUpload(ctx, v, u, key, keep)
	}
	if err != nil {
		ctx := context.WithoutCancel(ctx) // the sweep does it otherwise
		_ = s.db.Write(ctx, func(tx *sql.Tx) error { return uploadShelf.clear(ctx, tx, u.ID) })
		return Upload{}, fmt.Errorf("inbox: storing an upload: %w", err)
	}
	return u, nil
}

func (s *Service) storeUpload(ctx context.Context, v Visit, u Upload, key []byte, keep time.Duration) error {
	meta, err := json.Marshal(uploadMeta{u.Name, u.Type})
	if err != nil {
		return err
	}
	if meta, err = s.seal.Seal(ctx, v.Account, sealedMeta, meta); err != nil {
		return fmt.Errorf("inbox: sealing an upload: %w", err)
	}
	now := s.now()
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var waiting int64
		err := tx.QueryRowContext(ctx, `SELECT CAST(COALESCE(sum(size), 0) AS BIGINT) FROM uploads WHERE account = $1 AND expires > $2`,
			string(v.Account), now.UnixMicro()).Scan(&waiting)
		if err != nil {
			return fmt.Errorf("inbox: counting uploads: %w", err)
		}
		if waiting+u.Size > maxWaiting {
			return &InvalidError{"file", "too many files are waiting for their messages; send or wait a day"}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO uploads (id, account, person, size, created, expires, meta, key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			u.ID, string(v.Account), string(v.Actor.Person), u.Size, now.UnixMicro(), now.Add(keep).UnixMicro(), meta, key)
		if err != nil {
			return fmt.Errorf("inbox: storing an upload: %w", err)
		}
		return nil
	})
}

// upload finds an upload of the visitor. The caller's visit is authorized by what the upload is read for.
func (s *Service) upload(ctx context.Context, v Visit, id string) (Upload, stored, error) {
	u, content := Upload{ID: id}, stored{service: s, shelf: uploadShelf, account: v.Account, id: id}
	var meta []byte
	row := s.db.Read().QueryRowContext(ctx, `SELECT size, meta, key FROM uploads WHERE id = $1 AND account = $2 AND person = $3 AND expires > $4`,
		id, string(v.Account), string(v.Actor.Person), s.now().UnixMicro())
	switch err := row.Scan(&u.Size, &meta, &content.key); {
	case errors.Is(err, sql.ErrNoRows):
		return u, content, ErrNotFound
	case err != nil:
		return u, content, fmt.Errorf("inbox: reading an upload: %w", err)
	}
	m, err := s.openMeta(ctx, v.Account, meta)
	u.Name, u.Type, content.size = m.Name, m.Type, u.Size
	return u, content, err
}

func (s *Service) openMeta(ctx context.Context, account policy.AccountID, sealed []byte) (m uploadMeta, err error) {
	plain, err := s.seal.Unseal(ctx, account, sealedMeta, sealed)
	if err == nil {
		err = json.Unmarshal(plain, &m)
	}
	if err != nil {
		return m, fmt.Errorf("inbox: opening an upload: %w", err)
	}
	return m, nil
}

// admit asks the gate whether the visitor may write mail in this mailbox, for operations that touch only
// what this server holds. It is decided as the least that writing needs: the listing of one draft.
func (s *Service) admit(ctx context.Context, v Visit) error {
	grant, err := s.authorize(ctx, v, policy.Target{
		Operation: "drafts.list", Resource: policy.Collection(policy.Drafts, "", 1), Classes: []policy.DataClass{policy.Metadata},
	})
	if err != nil {
		return err
	}
	grant.Finish(nil, 0, 0)
	return nil
}

// uploadsIn returns the ids of the uploads that a compose uses, as SQL parameters from $first on.
func uploadsIn(c Compose, first int) (placeholders string, ids []any) {
	var list []string
	for _, a := range c.Attachments {
		if a.UploadID != "" {
			list = append(list, fmt.Sprintf("$%d", first+len(ids)))
			ids = append(ids, a.UploadID)
		}
	}
	return strings.Join(list, ", "), ids
}

// keepUploads keeps the uploads of a message in the outbox until the given time: undoing needs them.
func keepUploads(ctx context.Context, tx *sql.Tx, account policy.AccountID, c Compose, until time.Time) error {
	in, ids := uploadsIn(c, 3)
	if len(ids) == 0 {
		return nil
	}
	args := append([]any{until.UnixMicro(), string(account)}, ids...)
	if _, err := tx.ExecContext(ctx, `UPDATE uploads SET expires = $1 WHERE account = $2 AND expires < $1 AND id IN (`+in+`)`, args...); err != nil {
		return fmt.Errorf("inbox: keeping uploads: %w", err)
	}
	return nil
}

func dropUploads(ctx context.Context, tx *sql.Tx, account policy.AccountID, c Compose) error {
	in, ids := uploadsIn(c, 2)
	if len(ids) == 0 {
		return nil
	}
	for _, table := range []string{"uploads", "upload_parts"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE account = $1 AND id IN (`+in+`)`, append([]any{string(account)}, ids...)...); err != nil {
			return fmt.Errorf("inbox: deleting uploads: %w", err)
		}
	}
	return nil
}
