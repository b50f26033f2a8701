package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// DropBefore removes what is older than the given time from the log, in whole bundles, and says so in the log
// itself: each step announces, in its own transaction, the index of the first event that stays. Hashes stay,
// so what remains can still be verified. It returns the index of the first event that
// stays, or 0 when there was nothing to drop.
func (g *Gate) DropBefore(ctx context.Context, before time.Time) (keptFrom int64, err error) {
	for {
		keepFrom, more, err := g.log.Droppable(ctx, before)
		if err != nil || !more {
			return keptFrom, err
		}
		entry, err := dropEntry(keepFrom, g.log.Now())
		if err != nil {
			return keptFrom, err
		}
		if _, err := g.log.Drop(ctx, keepFrom, entry); err != nil {
			return keptFrom, fmt.Errorf("policy: dropping old events: %w", err)
		}
		keptFrom = keepFrom
	}
}

func dropEntry(keepFrom int64, now time.Time) (decisionlog.Entry, error) {
	ev := lifecycleEvent{Kind: string(decisionlog.Lifecycle), Event: decisionlog.OperationDrop, Timestamp: now.UTC(), KeptFrom: keepFrom}
	body, err := json.Marshal(ev)
	if err != nil {
		return decisionlog.Entry{}, fmt.Errorf("policy: encoding a drop: %w", err)
	}
	return lifecycleColumns(ev, body), nil
}
