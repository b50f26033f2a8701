package decisionlog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// querier is what reading needs of a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// headRow is the head as stored, not yet believed.
type headRow struct {
	tree       tlog.Tree
	keptFrom   int64
	checkpoint string
}

const (
	selectHead = `SELECT size, root, kept_from, checkpoint`
	fromHead   = ` FROM decisionlog_head WHERE id = 0`
)

func readHead(ctx context.Context, q querier) (head headRow, err error) {
	err = head.scan(q.QueryRowContext(ctx, selectHead+fromHead))
	return head, err
}

// scan takes the head from a row of selectHead, and what the statement selects after it into more.
func (h *headRow) scan(row *sql.Row, more ...any) error {
	var root []byte
	err := row.Scan(append([]any{&h.tree.N, &root, &h.keptFrom, &h.checkpoint}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return &BadHead{"it is missing"}
	}
	if err != nil {
		return fmt.Errorf("decisionlog: read the head: %w", err)
	}
	if len(root) != tlog.HashSize || h.tree.N < 0 {
		return &BadHead{"its size or root is not one"}
	}
	copy(h.tree.Hash[:], root)
	return nil
}

// readLastAt returns the latest time of any event, in microseconds; 0 if there is none.
func readLastAt(ctx context.Context, q querier) (at int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT coalesce(max(at), 0) FROM decisionlog_events`).Scan(&at)
	if err != nil {
		return 0, fmt.Errorf("decisionlog: read the time of the last event: %w", err)
	}
	return at, nil
}

// extent is how far the tables reach: the greatest index of each, or -1.
type extent struct{ events, hashes int64 }

// emptyExtent is that of tables without rows.
var emptyExtent = extent{-1, -1}

const selectExtent = `(SELECT coalesce(max(idx), -1) FROM decisionlog_events), (SELECT coalesce(max(idx), -1) FROM decisionlog_hashes)`

// readHeadAndExtent reads both in one statement, hence of one moment, however fast the log grows.
func readHeadAndExtent(ctx context.Context, q querier) (headRow, extent, error) {
	var (
		head  headRow
		reach extent
	)
	err := head.scan(q.QueryRowContext(ctx, selectHead+`, `+selectExtent+fromHead), &reach.events, &reach.hashes)
	return head, reach, err
}

// storedHashes reads hashes of the tree by their tlog index. A missing one is a [*Gap].
func storedHashes(ctx context.Context, q querier) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		if len(indexes) == 0 {
			return nil, nil
		}
		args := make([]any, len(indexes))
		position := make(map[int64]int, len(indexes))
		for i, index := range indexes {
			args[i] = index
			position[index] = i
		}
		rows, err := q.QueryContext(ctx, `SELECT idx, hash FROM decisionlog_hashes WHERE idx IN `+placeholders(1, 1, len(args)), args...)
		if err != nil {
			return nil, fmt.Errorf("decisionlog: read hashes: %w", err)
		}
		defer rows.Close()
		hashes := make([]tlog.Hash, len(indexes))
		for rows.Next() {
			var (
				index int64
				hash  []byte
			)
			if err := rows.Scan(&index, &hash); err != nil {
				return nil, fmt.Errorf("decisionlog: read hashes: %w", err)
			}
			if len(hash) == tlog.HashSize {
				copy(hashes[position[index]][:], hash)
			}
			delete(position, index)
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("decisionlog: read hashes: %w", err)
		}
		for index := range position {
			return nil, &Gap{"hashes", index}
		}
		return hashes, nil
	})
}

// eventColumns lists the columns in the order in which eventValues and scanRecord deal with them.
const eventColumns = `idx, at, kind, decision_id, ref, actor_kind, actor, account, operation, purpose, feature, basis, allowed, clauses, outcome, body`

const eventColumnCount = 16

func eventValues(index int64, e *Entry) []any {
	ref := sql.NullInt64{Int64: e.Ref, Valid: e.Ref != NoRef}
	return []any{
		index, e.At.UnixMicro(), string(e.Kind), e.DecisionID, ref, e.ActorKind, e.Actor, e.Account, e.Operation,
		e.Purpose, e.Feature, e.Basis, e.Allowed, joinClauses(e.Clauses), e.Outcome, e.Body,
	}
}

func scanRecord(rows *sql.Rows) (Record, error) {
	var (
		r       Record
		at      int64
		kind    string
		ref     sql.NullInt64
		clauses string
	)
	err := rows.Scan(&r.Index, &at, &kind, &r.DecisionID, &ref, &r.ActorKind, &r.Actor, &r.Account, &r.Operation,
		&r.Purpose, &r.Feature, &r.Basis, &r.Allowed, &clauses, &r.Outcome, &r.Body)
	if err != nil {
		return Record{}, fmt.Errorf("decisionlog: read an event: %w", err)
	}
	r.At = time.UnixMicro(at).UTC()
	r.Kind = Kind(kind)
	r.Clauses = splitClauses(clauses)
	r.Ref = NoRef
	if ref.Valid {
		r.Ref = ref.Int64
	}
	return r, nil
}

// readRecords runs a query for eventColumns.
func readRecords(ctx context.Context, q querier, query string, args ...any) ([]Record, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("decisionlog: query: %w", err)
	}
	defer rows.Close()
	var records []Record
	for rows.Next() {
		record, err := scanRecord(rows)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("decisionlog: query: %w", err)
	}
	return records, nil
}

// placeholders returns rows groups of columns numbered placeholders, from $first on: ($1,$2),($3,$4).
func placeholders(first, rows, columns int) string {
	var b strings.Builder
	b.Grow(rows * columns * 5)
	for row := range rows {
		if row > 0 {
			b.WriteByte(',')
		}
		for column := range columns {
			b.WriteByte("(,"[min(column, 1)])
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(first + row*columns + column))
		}
		b.WriteByte(')')
	}
	return b.String()
}
