package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/totalengage/webmail/policy"
)

// Stored is what this package keeps at rest of a mailbox, in the clear, for its owner's copy.
type Stored struct {
	Outbox  []StoredMessage `json:"outbox"`
	Uploads []StoredUpload  `json:"uploads"`
}

// StoredMessage is one row of the outbox. Once it was sent, only its numbers are left.
type StoredMessage struct {
	ID      string    `json:"id"`
	State   string    `json:"state"`
	Created time.Time `json:"created"`
	Due     time.Time `json:"due"`
	Draft   string    `json:"draft,omitempty"`   // Gmail's number of the draft that is sent
	Message string    `json:"message,omitempty"` // Gmail's number of the message that was sent
	Compose *Compose  `json:"compose,omitempty"`
}

// StoredUpload is a file put aside for a message. Its content is not copied: whoever put it here less than a
// day ago has it.
type StoredUpload struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	Size    int64     `json:"size"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Stored reads what is kept of a mailbox. Its caller has a grant for that (store.export).
func (s *Service) Stored(ctx context.Context, account policy.AccountID) (Stored, error) {
	out := Stored{Outbox: []StoredMessage{}, Uploads: []StoredUpload{}}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, state, created, due, draft, message, details FROM outbox WHERE account = $1 ORDER BY created, id`, string(account))
	if err != nil {
		return out, fmt.Errorf("inbox: reading the outbox: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var m StoredMessage
		var created, due int64
		var sealed []byte
		if err := rows.Scan(&m.ID, &m.State, &created, &due, &m.Draft, &m.Message, &sealed); err != nil {
			return out, fmt.Errorf("inbox: reading the outbox: %w", err)
		}
		m.Created, m.Due = time.UnixMicro(created).UTC(), time.UnixMicro(due).UTC()
		if sealed != nil {
			d, err := s.openDetails(ctx, account, sealed)
			if err != nil {
				return out, err
			}
			m.Compose = &d.Compose
		}
		out.Outbox = append(out.Outbox, m)
	}
	if err := rows.Err(); err != nil {
		return out, fmt.Errorf("inbox: reading the outbox: %w", err)
	}
	out.Uploads, err = s.storedUploads(ctx, account)
	return out, err
}

func (s *Service) storedUploads(ctx context.Context, account policy.AccountID) ([]StoredUpload, error) {
	list := []StoredUpload{}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, size, created, expires, meta FROM uploads WHERE account = $1 ORDER BY created, id`, string(account))
	if err != nil {
		return nil, fmt.Errorf("inbox: reading uploads: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var u StoredUpload
		var created, expires int64
		var sealed []byte
		if err := rows.Scan(&u.ID, &u.Size, &created, &expires, &sealed); err != nil {
			return nil, fmt.Errorf("inbox: reading uploads: %w", err)
		}
		meta, err := s.openMeta(ctx, account, sealed)
		if err != nil {
			return nil, err
		}
		u.Name, u.Type, u.Created, u.Expires = meta.Name, meta.Type, time.UnixMicro(created).UTC(), time.UnixMicro(expires).UTC()
		list = append(list, u)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("inbox: reading uploads: %w", err)
	}
	return list, nil
}
