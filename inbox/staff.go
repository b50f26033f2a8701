package inbox

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// Staff see messages by other ways than owners: one message at a time, each time decided anew, always from
// Gmail. What memory holds of a mailbox is its owner's: staff neither get anything from it nor put anything
// into it.

// AgreedMessage is one message that its owner agreed to show, and the decision by which it is shown.
type AgreedMessage struct {
	Message
	Body     Body
	Decision string
}

// ErrEnded says that what was decided no longer held when Gmail had answered, as when the owner ended the agreement
// meanwhile.
var ErrEnded = errors.New("what was agreed to has ended meanwhile")

// Agreed fetches one message under v.Agreement. Its attachments are named, not fetched.
func (s *Service) Agreed(ctx context.Context, v Visit, id string) (AgreedMessage, error) {
	m, decision, err := s.agreed(ctx, v, id)
	if err != nil {
		return AgreedMessage{}, err
	}
	return AgreedMessage{messageOf(m), bodyOf(m), decision}, nil
}

// agreed fetches a message. more are classes of data that will be taken from it beside the message itself.
func (s *Service) agreed(ctx context.Context, v Visit, id string, more ...policy.DataClass) (*gmail.Message, string, error) {
	if v.Agreement == "" {
		return nil, "", errors.New("inbox: staff without an agreement")
	}
	call := gmail.GetMessage(id)
	target, err := call.Target()
	if err != nil {
		return nil, "", &InvalidError{Field: "message", Why: "not a message id"}
	}
	target.Classes = append(slices.Clone(target.Classes), more...)
	grant, err := s.authorize(ctx, v, target)
	if err != nil {
		return nil, "", err
	}
	m, err := gmail.Do(ctx, s.gmail, grant, call)
	if err != nil {
		grant.Finish(err, 0, 0)
		return nil, "", translate(err)
	}
	if err := s.still(ctx, grant); err != nil {
		return nil, "", err
	}
	grant.Finish(nil, 1, m.SizeEstimate)
	return m, grant.DecisionID(), nil
}

// still asks the gate once more, for a call to Gmail takes long enough to change one's mind. Without a yes the
// access has failed: nothing of it is shown.
func (s *Service) still(ctx context.Context, grant *policy.Grant) error {
	err := s.gate.Valid(ctx, grant)
	var uncovered *policy.NotCovered
	if errors.As(err, &uncovered) {
		err = ErrEnded
	}
	if err != nil {
		grant.Finish(err, 0, 0)
	}
	return err
}

// AgreedAttachment fetches one part of a message whose attachments the owner agreed to show. Reading the
// message for it is decided as reading the attachment too: Gmail sends small ones along.
func (s *Service) AgreedAttachment(ctx context.Context, v Visit, messageID, partID string) (AttachmentContent, string, error) {
	m, decision, err := s.agreed(ctx, v, messageID, policy.Attachment)
	if err != nil {
		return AttachmentContent{}, "", err
	}
	parts := anatomy(m.Payload).attachments
	i := slices.IndexFunc(parts, func(a AttachmentInfo) bool { return a.PartID == partID })
	if i < 0 {
		return AttachmentContent{}, "", ErrNotFound
	}
	out := AttachmentContent{AttachmentInfo: parts[i]}
	data := out.data
	if out.attachmentID != "" {
		f, err := fetch(ctx, s, v, gmail.GetAttachment(messageID, out.attachmentID))
		if err != nil {
			return AttachmentContent{}, "", fmt.Errorf("inbox: fetching an attachment: %w", err)
		}
		if err := s.still(ctx, f.grant); err != nil {
			return AttachmentContent{}, "", err
		}
		f.grant.Finish(nil, 1, f.value.Size)
		data, decision = f.value.Data, f.grant.DecisionID()
	}
	out.Content, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(data, "="))
	if err != nil {
		return AttachmentContent{}, "", ErrUpstream
	}
	return out, decision, nil
}
