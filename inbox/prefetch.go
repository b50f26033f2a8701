package inbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/totalengage/webmail/inbox/internal/gmail"
)

// Prefetch reads a conversation that its owner may open next into memory, so that opening it takes no trip. It shows
// nothing to anybody: that is decided when the conversation is opened. It is recorded under its own feature, so that
// nobody takes it for a read by the person.
//
// It spends only what nobody needs: when units are not plentiful, or anything of the mailbox waits for Gmail, it does
// nothing, and that is no error.
func (s *Service) Prefetch(ctx context.Context, v Visit, thread string) error {
	b := s.boxes.of(v.Account)
	if _, held := b.conversation(thread); held || !s.gmail.Plentiful(v.Account) {
		return nil
	}
	call := gmail.GetThread(thread)
	target, err := call.Target()
	if err != nil {
		return fmt.Errorf("inbox: planning a thread: %w", err)
	}
	grant, err := s.authorize(ctx, v, target)
	if err != nil {
		return err
	}
	t, err := together(gmail.WithUrgency(ctx, gmail.Ahead), s, grant, target, true, call)
	if err != nil {
		grant.Finish(err, 0, 0)
		var e *gmail.Error
		if errors.As(err, &e) {
			return nil // nobody asked for it
		}
		return err
	}
	grant.Finish(nil, len(t.Messages), size(t.Messages))
	b.open(thread, t.Messages)
	return nil
}
