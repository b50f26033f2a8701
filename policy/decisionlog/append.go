package decisionlog

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// maxBatch is how many events one transaction collects from waiting callers. Larger ones gain nothing:
	// at this size the disk's sync is already shared by hundreds.
	maxBatch = 512

	// maxAppend bounds one AppendAll.
	maxAppend = 4096

	// queueLength is how many callers may wait for the committer; further ones wait to get into the queue.
	queueLength = 1024
)

// request is one caller's wish: entries that go into the log together.
type request struct {
	entries []Entry
	drop    int64 // if not 0, drop the events before this index in the same transaction

	// Set by the committer before it closes done.
	first int64
	err   error
	done  chan struct{}
}

// Append adds an event and returns its index once it is durable: written, in the Merkle tree, and covered by a
// signed checkpoint. An error means that the caller must act as if there were no record; after [ErrUnknown]
// there may be one nevertheless.
//
// Once queued the event is written whatever becomes of ctx; a caller whose ctx ends leaves early with its
// error. Callers that must know pass context.WithoutCancel.
//
// Concurrent calls share transactions (group commit): the committer takes all that is waiting, never waits for more.
func (l *Log) Append(ctx context.Context, entry Entry) (index int64, err error) {
	return l.submit(ctx, &request{entries: []Entry{entry}})
}

// AppendAll adds several events, at most 4,096, in one transaction and at consecutive indexes, of which it
// returns the first. Otherwise it is like [Log.Append].
func (l *Log) AppendAll(ctx context.Context, entries []Entry) (first int64, err error) {
	if len(entries) == 0 || len(entries) > maxAppend {
		return 0, fmt.Errorf("%w: %d entries at once, want 1 to %d", ErrBadEntry, len(entries), maxAppend)
	}
	return l.submit(ctx, &request{entries: append([]Entry(nil), entries...)})
}

func (l *Log) submit(ctx context.Context, r *request) (first int64, err error) {
	if l.cfg.Signer == nil {
		return 0, ErrReadOnly
	}
	for i := range r.entries {
		if err := r.entries[i].check(); err != nil {
			return 0, err
		}
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	r.done = make(chan struct{})
	select {
	case l.queue <- r:
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-l.closing:
		return 0, ErrClosed
	}
	select {
	case <-r.done:
		return r.first, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-l.stopped:
	}
	select {
	case <-r.done: // answered by the committer's last act
		return r.first, r.err
	default: // queued too late for it
		return 0, ErrClosed
	}
}

// commitQueue is the committer: the one goroutine that writes, from Open to Close.
func (l *Log) commitQueue() {
	defer close(l.stopped)
	for {
		select {
		case r := <-l.queue:
			l.commitRequests(l.collect(r))
		case <-l.closing:
			for {
				select {
				case r := <-l.queue:
					l.commitRequests(l.collect(r))
				default:
					return
				}
			}
		}
	}
}

// collect adds to the first request those that are waiting already, as far as they fit into one transaction.
func (l *Log) collect(first *request) []*request {
	batch, events := []*request{first}, len(first.entries)
	for events < maxBatch && first.drop == 0 {
		select {
		case r := <-l.queue:
			batch = append(batch, r)
			events += len(r.entries)
			if r.drop != 0 {
				return batch
			}
		default:
			return batch
		}
	}
	return batch
}

// commitRequests writes a batch and answers everyone in it.
func (l *Log) commitRequests(requests []*request) {
	b := newBatch(l, requests)
	err := b.commit()
	l.remember(err)
	next := b.first
	for _, r := range requests {
		r.first, r.err = next, err
		next += int64(len(r.entries))
		if err != nil {
			r.first = 0
		}
		close(r.done)
	}
}

// remember turns the result of a commit into the log's state and wakes those who follow the log.
func (l *Log) remember(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.Size = l.head.tree.N
	close(l.grown)
	l.grown = make(chan struct{})
	if errors.Is(l.state.Err, ErrClosed) {
		return
	}
	if open := err == nil; open != l.state.Open {
		l.state.Open, l.state.Since = open, l.Now()
	}
	l.state.Err = err
}

// stamp gives an entry without a time the log's, and moves the log's clock up to all others.
func (l *Log) stamp(e *Entry) {
	if e.At.IsZero() {
		e.At = l.Now()
		return
	}
	e.At = e.At.Truncate(time.Microsecond)
	l.notBefore(e.At.UnixMicro())
}
