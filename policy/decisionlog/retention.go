package decisionlog

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Bundle is how many events are dropped together: the entry bundles of C2SP tlog-tiles hold 256.
const Bundle = 256

// maxDrop bounds one Drop, which deletes in a single transaction while appends wait: about 10 ms.
const maxDrop = 64 * Bundle

// OperationDrop is the [Entry.Operation] of the event that announces a drop.
const OperationDrop = "log.drop"

// Droppable returns how far retention may drop now: the index before which whole bundles of events are older
// than before. It goes at most 16,384 events beyond those already dropped; ask again after [Log.Drop]. ok tells
// whether there is anything to drop. The newest event always stays.
func (l *Log) Droppable(ctx context.Context, before time.Time) (keepFrom int64, ok bool, err error) {
	head, err := readHead(ctx, l.db.Read())
	if err != nil {
		return 0, false, err
	}
	end := min(head.keptFrom+maxDrop+1, head.tree.N)
	var firstKept int64
	err = l.db.Read().QueryRowContext(ctx, `SELECT coalesce(min(idx), $1) FROM decisionlog_events
		WHERE idx >= $2 AND idx < $1 AND at >= $3`, end-1, head.keptFrom, before.UnixMicro()).Scan(&firstKept)
	if err != nil {
		return 0, false, fmt.Errorf("decisionlog: look for old events: %w", err)
	}
	keepFrom = firstKept / Bundle * Bundle
	return keepFrom, keepFrom > head.keptFrom, nil
}

// Drop removes the rows of all events before keepFrom, which comes from [Log.Droppable], and appends, in the
// same transaction, the event that says so: a lifecycle entry with operation [OperationDrop] and Ref keepFrom.
// The tree's hashes stay, so everything that remains can still be verified.
func (l *Log) Drop(ctx context.Context, keepFrom int64, announcement Entry) (index int64, err error) {
	a := &announcement
	if a.Kind != Lifecycle || a.Operation != OperationDrop || a.Ref != keepFrom || keepFrom <= 0 || keepFrom%Bundle != 0 {
		return 0, fmt.Errorf("%w: a drop needs a lifecycle event with operation %s and the first index kept, a multiple of %d, as ref",
			ErrBadEntry, OperationDrop, Bundle)
	}
	head, err := readHead(ctx, l.db.Read())
	if err != nil {
		return 0, err
	}
	if keepFrom <= head.keptFrom || keepFrom > head.keptFrom+maxDrop || keepFrom >= head.tree.N {
		return 0, fmt.Errorf("decisionlog: cannot drop events before %d: %w", keepFrom, errNotDroppable)
	}
	return l.submit(ctx, &request{entries: []Entry{announcement}, drop: keepFrom})
}

var errNotDroppable = errors.New("they are gone already, too many at once, or not in the log")

// dropEvents deletes what the batch's drop, if it has one, says.
func (b *batch) dropEvents(ctx context.Context, tx transaction) error {
	if b.drop == 0 {
		return nil
	}
	return b.log.step("drop", func() error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM decisionlog_events WHERE idx < $1`, b.drop); err != nil {
			return fmt.Errorf("decisionlog: drop events: %w", err)
		}
		return nil
	})
}
