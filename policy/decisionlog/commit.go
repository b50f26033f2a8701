package decisionlog

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/internal/database"
)

// batch is one transaction of the committer: the entries of one or more requests, in order.
type batch struct {
	log     *Log
	entries []Entry
	leaves  []tlog.Hash // of the entries
	drop    int64       // drop the events before this index; 0 for none

	// Of the latest attempt:
	prepared bool  // every statement has been carried out; only the commit was left
	first    int64 // index of the first entry
	next     head  // the head after the batch
}

func newBatch(l *Log, requests []*request) *batch {
	b := &batch{log: l}
	for _, r := range requests {
		b.entries = append(b.entries, r.entries...)
		b.drop = max(b.drop, r.drop)
	}
	b.leaves = make([]tlog.Hash, len(b.entries))
	for i := range b.entries {
		l.stamp(&b.entries[i])
		b.leaves[i] = tlog.RecordHash(b.entries[i].Body)
	}
	return b
}

// errHeadMoved says that someone else replaced the head although we hold the lock: a writer that does not lock.
var errHeadMoved = errors.New("decisionlog: the head was moved by a writer that does not hold the log's lock")

// maxAttempts is how often a batch starts again after errHeadMoved, which leaves nothing behind.
const maxAttempts = 3

// commit writes the batch. On success the log's head includes it.
func (b *batch) commit() (err error) {
	for range maxAttempts {
		if err = b.attempt(); !errors.Is(err, errHeadMoved) {
			return err
		}
	}
	return err
}

// attempt tries once. Its transaction either lands whole or not at all, so there are three cases: an error
// before the commit (nothing is there), success, and a commit whose answer is an error. The last is settled
// by asking the database.
func (b *batch) attempt() error {
	ctx, cancel := context.WithTimeout(context.Background(), b.log.cfg.Timeout)
	defer cancel()
	b.prepared = false
	err := b.log.step("commit", func() error { return b.log.write(ctx, func(tx transaction) error { return b.write(ctx, tx) }) })
	if err == nil {
		b.log.head = b.next
		return nil
	}
	if !b.prepared {
		return err
	}
	return b.settle(err)
}

// write carries out the statements of the batch. Whatever order they come in, none is visible before the commit;
// the compare-and-swap is first because it makes unlocked writers wait for each other at the head row.
func (b *batch) write(ctx context.Context, tx transaction) error {
	l := b.log
	if err := l.lockHead(ctx, tx); err != nil {
		return err
	}
	b.first = l.head.tree.N
	hashes := b.grow()
	if err := b.swapHead(ctx, tx); err != nil {
		return err
	}
	if err := b.insertEvents(ctx, tx); err != nil {
		return err
	}
	if err := b.insertHashes(ctx, tx, hashes); err != nil {
		return err
	}
	if err := b.dropEvents(ctx, tx); err != nil {
		return err
	}
	b.prepared = true
	return l.fail("commit", false)
}

// grow computes the head after the batch and returns the hashes to be stored.
func (b *batch) grow() []tlog.Hash {
	b.next = b.log.head
	b.next.edge = b.log.head.edge.clone()
	b.next.keptFrom = max(b.next.keptFrom, b.drop)
	stored := make([]tlog.Hash, 0, 2*len(b.leaves))
	for _, leaf := range b.leaves {
		stored = append(stored, b.next.edge.add(leaf)...)
	}
	b.next.tree = b.next.edge.tree()
	return stored
}

func (b *batch) swapHead(ctx context.Context, tx transaction) error {
	l := b.log
	text, err := SignCheckpoint(l.cfg.Origin, b.next.tree, l.cfg.Signer)
	if err != nil {
		return fmt.Errorf("decisionlog: sign: %w", err)
	}
	return l.step("swap head", func() error {
		result, err := tx.ExecContext(ctx, swapHead,
			b.next.tree.N, b.next.tree.Hash[:], b.next.keptFrom, string(text), l.head.tree.N, l.head.tree.Hash[:])
		if err != nil {
			return fmt.Errorf("decisionlog: swap the head: %w", err)
		}
		if changed, err := result.RowsAffected(); err != nil || changed != 1 {
			return errors.Join(errHeadMoved, err)
		}
		return nil
	})
}

// swapHead replaces the head if it still is what we took it for.
const swapHead = `UPDATE decisionlog_head SET size = $1, root = $2, kept_from = $3, checkpoint = $4
	WHERE id = 0 AND size = $5 AND root = $6`

func insertEvents(rows int) string {
	return `INSERT INTO decisionlog_events (` + eventColumns + `) VALUES ` + placeholders(1, rows, eventColumnCount)
}

func insertHashes(rows int) string {
	return `INSERT INTO decisionlog_hashes (idx, hash) VALUES ` + placeholders(1, rows, 2)
}

// eventsAStatement and hashesAStatement are the rows of one INSERT. More gain little, and each number of rows
// is a statement of its own in PostgreSQL's cache.
const (
	eventsAStatement = 32
	hashesAStatement = 128
)

func (b *batch) insertEvents(ctx context.Context, tx transaction) error {
	for start := 0; start < len(b.entries); start += eventsAStatement {
		rows := min(eventsAStatement, len(b.entries)-start)
		args := make([]any, 0, rows*eventColumnCount)
		for i := start; i < start+rows; i++ {
			args = append(args, eventValues(b.first+int64(i), &b.entries[i])...)
		}
		err := b.log.step("insert events", func() error {
			_, err := tx.ExecContext(ctx, insertEvents(rows), args...)
			return err
		})
		if err != nil {
			return fmt.Errorf("decisionlog: insert events: %w", err)
		}
	}
	return nil
}

func (b *batch) insertHashes(ctx context.Context, tx transaction, hashes []tlog.Hash) error {
	index := tlog.StoredHashCount(b.first)
	for start := 0; start < len(hashes); start += hashesAStatement {
		rows := min(hashesAStatement, len(hashes)-start)
		args := make([]any, 0, rows*2)
		for i := start; i < start+rows; i++ {
			args = append(args, index+int64(i), hashes[i][:])
		}
		err := b.log.step("insert hashes", func() error {
			_, err := tx.ExecContext(ctx, insertHashes(rows), args...)
			return err
		})
		if err != nil {
			return fmt.Errorf("decisionlog: insert hashes: %w", err)
		}
	}
	return nil
}

// settle finds out whether a commit landed whose answer was an error. It takes the log's lock, for which it waits
// until the doubtful transaction has ended on the server too, and looks whether the log now contains our batch.
func (b *batch) settle(cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), b.log.cfg.Timeout)
	defer cancel()
	landed := false
	err := b.log.step("settle", func() error {
		return b.log.write(ctx, func(tx transaction) error {
			if err := b.log.lockHead(ctx, tx); err != nil {
				return err
			}
			switch err := extends(b.next.tree, b.log.head.tree, storedHashes(ctx, tx)); err.(type) {
			case nil:
				landed = true
			case *RolledBack, *Forked: // shorter than with our batch, or others' events in its place
			default:
				return err
			}
			return nil
		})
	})
	switch {
	case landed:
		return nil // whatever became of the asking transaction: it wrote nothing
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnknown, errors.Join(cause, err))
	default:
		return cause
	}
}

// lock makes nodes that append to one PostgreSQL database queue up. SQLite's write transaction is such a lock.
func (l *Log) lock(ctx context.Context, tx transaction) error {
	if l.db.Dialect() != database.PostgreSQL {
		return nil
	}
	return l.step("lock", func() error {
		_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.decisionlog', 0))`)
		if err != nil {
			return fmt.Errorf("decisionlog: take the lock: %w", err)
		}
		return nil
	})
}

// lockHead takes the lock and brings l.head up to date with what other nodes have appended. It refuses a head
// that does not continue the one we know: what we acknowledged would be gone.
func (l *Log) lockHead(ctx context.Context, tx transaction) error {
	if err := l.lock(ctx, tx); err != nil {
		return err
	}
	var row headRow
	err := l.step("read head", func() (err error) {
		row, err = readHead(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	if row.tree == l.head.tree {
		l.head.keptFrom = row.keptFrom
		return nil
	}
	if row.tree.N <= l.head.tree.N {
		return extends(l.head.tree, row.tree, nil)
	}
	found, err := l.believe(ctx, tx, row)
	if err != nil {
		return err
	}
	if err := extends(l.head.tree, found.tree, storedHashes(ctx, tx)); err != nil {
		return err
	}
	l.head = found
	return nil
}

// step carries out one step of a write, giving tests the chance to fail it before or after. The commit's
// "before" is called by batch.write, inside the transaction.
func (l *Log) step(name string, do func() error) error {
	if name != "commit" {
		if err := l.fail(name, false); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	return l.fail(name, true)
}

func (l *Log) fail(step string, after bool) error {
	if l.fault == nil {
		return nil
	}
	return l.fault(step, after)
}
