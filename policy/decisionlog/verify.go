package decisionlog

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"
)

// VerifyOptions says what to check a log against besides itself.
type VerifyOptions struct {
	// Kept is a checkpoint of the log that the auditor has kept, or got from a witness. Without one, a log that
	// was rolled back to an earlier state, or rewritten and signed anew by someone with the key, looks sound.
	Kept []byte

	// Index derives an event's columns from its body (Body itself may be left out). The columns are not part of
	// the Merkle tree; with Index every one of them is compared, without it they are not checked.
	Index func(body []byte) (Entry, error)

	// Progress, if set, is called now and then with the number of events checked and to be checked.
	Progress func(done, total int64)
}

// Report says what a verification covered.
type Report struct {
	Tree       tlog.Tree // what the log's signed checkpoint commits to, all of which was recomputed
	Checkpoint []byte    // that checkpoint; the one to keep for the next time
	KeptFrom   int64     // bodies begin here; of earlier events only hashes were left to check
	Kept       tlog.Tree // of VerifyOptions.Kept
	Indexed    bool      // the columns were compared
}

// Verify recomputes the whole log from the bodies of its events: each leaf hash, each stored hash above it, the
// root, and compares that with the signed checkpoint and the kept one. It returns nil only if nothing is wrong;
// otherwise an error that holds, for errors.As, the first finding of each kind: [BadCheckpoint], [BadHead],
// [RolledBack], [Forked], [TamperedLeaf], [TamperedHash], [TamperedTree], [TamperedIndex], [Gap], [Surplus],
// [UnannouncedDrop].
//
// It covers the events that are there when it starts; the log may grow meanwhile. It reads the database once from
// one end to the other, a page at a time: memory does not depend on the log's size, a million 1 KB events
// take some ten seconds.
func (l *Log) Verify(ctx context.Context, o VerifyOptions) (Report, error) {
	row, reach, err := readHeadAndExtent(ctx, l.db.Read())
	if err != nil {
		return Report{}, err
	}
	signed, err := OpenCheckpoint([]byte(row.checkpoint), l.cfg.Origin, l.cfg.Verifier)
	if err != nil {
		return Report{}, err
	}
	v := &verification{
		log:      l,
		signed:   signed,
		keptFrom: row.keptFrom,
		index:    o.Index,
		report:   Report{Tree: signed, Checkpoint: []byte(row.checkpoint), Indexed: o.Index != nil},
	}
	if row.tree != signed {
		v.found(&BadHead{"size and root are not those of its signed checkpoint"})
	}
	if o.Kept != nil {
		if v.kept, err = l.openKept(o.Kept); err != nil {
			return Report{}, err
		}
		v.report.Kept = v.kept
		if v.kept.N > signed.N {
			v.found(&RolledBack{Have: signed.N, Known: v.kept.N})
		}
	}
	row.tree = signed
	if surplus := (*Surplus)(nil); errors.As(reach.check(row), &surplus) {
		v.found(surplus)
	}
	if err := v.run(ctx, o.Progress); err != nil {
		return Report{}, err
	}
	v.report.KeptFrom = v.keptFrom
	return v.report, errors.Join(v.findings...)
}

// verifyPage is how many events are read and checked at a time.
const verifyPage = 256

// page is a run of leaves with all that is stored about them. Missing rows are zero: a nil body, an absent hash.
type page struct {
	from   int64
	events []*Record // from, from+1, ...
	hashes map[int64]tlog.Hash
}

// run reads pages in one goroutine and checks them in another.
func (v *verification) run(ctx context.Context, progress func(done, total int64)) error {
	group, both := errgroup.WithContext(ctx)
	pages := make(chan *page, 1)
	group.Go(func() error {
		defer close(pages)
		return v.readPages(both, pages)
	})
	group.Go(func() error {
		v.checkKept()
		for p := range pages {
			if err := v.checkPage(both, p); err != nil {
				return err
			}
			if progress != nil {
				progress(v.byBody.size, v.signed.N)
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return v.conclude(ctx)
}

func (v *verification) readPages(ctx context.Context, pages chan<- *page) error {
	for from := int64(0); from < v.signed.N; from += verifyPage {
		p, err := v.log.readPage(ctx, from, min(from+verifyPage, v.signed.N))
		if err != nil {
			return err
		}
		select {
		case pages <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (l *Log) readPage(ctx context.Context, from, to int64) (*page, error) {
	records, err := readRecords(ctx, l.db.Read(), `SELECT `+eventColumns+` FROM decisionlog_events
		WHERE idx >= $1 AND idx < $2 ORDER BY idx`, from, to)
	if err != nil {
		return nil, err
	}
	p := &page{from: from, events: make([]*Record, to-from), hashes: make(map[int64]tlog.Hash, 2*(to-from))}
	for i := range records {
		p.events[records[i].Index-from] = &records[i]
	}
	rows, err := l.db.Read().QueryContext(ctx, `SELECT idx, hash FROM decisionlog_hashes WHERE idx >= $1 AND idx < $2`,
		tlog.StoredHashCount(from), tlog.StoredHashCount(to))
	if err != nil {
		return nil, fmt.Errorf("decisionlog: read hashes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var (
			index int64
			hash  []byte
			fixed tlog.Hash
		)
		if err := rows.Scan(&index, &hash); err != nil {
			return nil, fmt.Errorf("decisionlog: read hashes: %w", err)
		}
		if len(hash) == tlog.HashSize { // any other length stays zero, which no hash is
			copy(fixed[:], hash)
		}
		p.hashes[index] = fixed
	}
	return p, rows.Err()
}
