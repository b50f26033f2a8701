package decisionlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrNoTile is the error for a path that names no tile of the log, or one that the log has not reached.
var ErrNoTile = errors.New("decisionlog: no such tile")

// tileHeight is that of C2SP tlog-tiles: a tile holds up to 256 hashes.
const tileHeight = 8

// Tile returns the file of a path in the layout of C2SP tlog-tiles (https://c2sp.org/tlog-tiles@v1.0.0), relative to the
// log's prefix: "tile/0/x001/234" is a tile of hashes, "tile/0/000.p/3" one that is not full yet, and
// "tile/entries/000" a bundle of events, each after its length in two bytes. It fails with [ErrNoTile], or
// with [ErrDropped] for events that retention has removed.
func (l *Log) Tile(ctx context.Context, path string) ([]byte, error) {
	tile, err := parseTilePath(path)
	if err != nil {
		return nil, err
	}
	row, err := readHead(ctx, l.db.Read())
	if err != nil {
		return nil, err
	}
	first, after := leavesOf(tile)
	if after > row.tree.N {
		return nil, ErrNoTile
	}
	if tile.L >= 0 {
		return tlog.ReadTileData(tile, l.Hashes(ctx))
	}
	if first < row.keptFrom {
		return nil, ErrDropped
	}
	return l.entryBundle(ctx, first, after)
}

// parseTilePath reads a path of tlog-tiles, which leaves out the height that package tlog's paths have, and
// calls "entries" what those call "data".
func parseTilePath(path string) (tlog.Tile, error) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok || strings.HasPrefix(rest, "data/") {
		return tlog.Tile{}, ErrNoTile
	}
	if bundle, ok := strings.CutPrefix(rest, "entries/"); ok {
		rest = "data/" + bundle
	}
	tile, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", tileHeight, rest))
	if err != nil || tile.L > 63/tileHeight {
		return tlog.Tile{}, ErrNoTile
	}
	return tile, nil
}

// tilePath is the inverse of parseTilePath.
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	if bundle, ok := strings.CutPrefix(path, "data/"); ok {
		path = "entries/" + bundle
	}
	return "tile/" + path
}

// leavesOf returns the events on which a tile depends: from first to before after.
func leavesOf(tile tlog.Tile) (first, after int64) {
	level := max(tile.L, 0) * tileHeight
	first = tile.N << tileHeight << level
	after = first + int64(tile.W)<<level
	if first>>level>>tileHeight != tile.N || after < first { // beyond any log there can be
		return 0, 1<<63 - 1
	}
	return first, after
}

func (l *Log) entryBundle(ctx context.Context, first, after int64) ([]byte, error) {
	records, err := readRecords(ctx, l.db.Read(), `SELECT `+eventColumns+` FROM decisionlog_events WHERE idx >= $1 AND idx < $2 ORDER BY idx`, first, after)
	if err != nil {
		return nil, err
	}
	var bundle []byte
	for i, r := range records {
		if r.Index != first+int64(i) {
			return nil, &Gap{"events", first + int64(i)}
		}
		bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(r.Body))) // Append has bounded it
		bundle = append(bundle, r.Body...)
	}
	if n := int64(len(records)); n != after-first {
		return nil, &Gap{"events", first + n}
	}
	return bundle, nil
}

// TilesReport says what an export of tiles holds.
type TilesReport struct {
	Tree     tlog.Tree
	KeptFrom int64 // entry bundles begin here; of earlier events only hashes are left
	Files    int
}

// WriteTiles exports the log as it is now, in the layout of C2SP tlog-tiles: the checkpoint, all tiles of hashes
// and all bundles of events that retention has left. create opens one file for writing; paths use slashes.
// The checkpoint is written last, so that an export that was interrupted has none.
func (l *Log) WriteTiles(ctx context.Context, create func(path string) (io.WriteCloser, error)) (TilesReport, error) {
	checkpoint, tree, err := l.Checkpoint(ctx)
	if err != nil {
		return TilesReport{}, err
	}
	row, err := readHead(ctx, l.db.Read())
	if err != nil {
		return TilesReport{}, err
	}
	report := TilesReport{Tree: tree, KeptFrom: row.keptFrom}
	write := func(path string, content []byte) error {
		report.Files++
		return writeFile(create, path, content)
	}
	for tile := range tilesOf(tree.N) {
		if first, _ := leavesOf(tile); tile.L < 0 && first < report.KeptFrom {
			continue
		}
		path := tilePath(tile)
		content, err := l.Tile(ctx, path)
		if err != nil {
			return report, fmt.Errorf("decisionlog: export of %s: %w", path, err)
		}
		if err := write(path, content); err != nil {
			return report, err
		}
	}
	return report, write("checkpoint", checkpoint)
}

func writeFile(create func(path string) (io.WriteCloser, error), path string, content []byte) error {
	file, err := create(path)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

// tilesOf yields the tiles of a tree of the given size, those of events (level -1) first, each level from the left.
func tilesOf(size int64) func(yield func(tlog.Tile) bool) {
	return func(yield func(tlog.Tile) bool) {
		for level := -1; ; level++ {
			hashes := size >> (max(level, 0) * tileHeight)
			if hashes == 0 {
				return
			}
			for n := int64(0); n<<tileHeight < hashes; n++ {
				width := min(1<<tileHeight, hashes-n<<tileHeight)
				if !yield(tlog.Tile{H: tileHeight, L: level, N: n, W: int(width)}) {
					return
				}
			}
		}
	}
}
