package decisionlog_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// fill appends n decisions, many at once.
func fill(tb testing.TB, log *decisionlog.Log, n int) {
	tb.Helper()
	for i := 0; i < n; {
		var entries []decisionlog.Entry
		for ; i < n && len(entries) < 4096; i++ {
			entries = append(entries, decision(i).entry(tb))
		}
		if _, err := log.AppendAll(tb.Context(), entries); err != nil {
			tb.Fatal(err)
		}
	}
}

// export writes a log's tiles to a new directory.
func export(tb testing.TB, log *decisionlog.Log) (dir string, report decisionlog.TilesReport) {
	tb.Helper()
	dir = tb.TempDir()
	report, err := log.WriteTiles(tb.Context(), func(path string) (io.WriteCloser, error) {
		name := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return nil, err
		}
		return os.Create(name)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return dir, report
}

// TestTiles rebuilds the signed root from nothing but the exported files.
func TestTiles(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(*testing.T) *database.DB) {
		cfg := config(t)
		log := openLog(t, open(t), cfg)
		const size = 2*decisionlog.Bundle + 44
		fill(t, log, size)
		dir, report := export(t, log)
		if want := 3 + 3 + 1 + 1; report.Files != want || report.Tree.N != size {
			t.Errorf("the export holds %d files and %d events, want %d and %d", report.Files, report.Tree.N, want, size)
		}
		read := func(path string) []byte {
			content, err := os.ReadFile(filepath.Join(dir, path))
			if err != nil {
				t.Fatal(err)
			}
			return content
		}
		signed, err := decisionlog.OpenCheckpoint(read("checkpoint"), cfg.Origin, cfg.Verifier)
		if err != nil {
			t.Fatal(err)
		}
		var leaves, level0 []byte
		for _, path := range []string{"tile/entries/000", "tile/entries/001", "tile/entries/002.p/44"} {
			for bundle := read(path); len(bundle) > 0; {
				n := binary.BigEndian.Uint16(bundle)
				h := tlog.RecordHash(bundle[2 : 2+n])
				leaves, bundle = append(leaves, h[:]...), bundle[2+n:]
			}
		}
		for _, path := range []string{"tile/0/000", "tile/0/001", "tile/0/002.p/44"} {
			level0 = append(level0, read(path)...)
		}
		if !bytes.Equal(leaves, level0) || len(leaves) != size*tlog.HashSize {
			t.Error("the entries do not hash to the tiles of level 0")
		}
		tiles := tlog.TileHashReader(signed, tileFiles{read})
		if _, err := tlog.ProveRecord(size, 300, tiles); err != nil {
			t.Errorf("package tlog does not accept the tiles: %v", err)
		}
	})
}

// tileFiles gives package tlog the exported tiles. It asks for them by its own paths.
type tileFiles struct{ read func(string) []byte }

func (tileFiles) Height() int { return 8 }

func (f tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		all = append(all, f.read(decisionlog.TilePath(tile)))
	}
	return all, nil
}

func (tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

// TestOutsideTool has an export checked by a program that others wrote for such logs: Tessera's fsck.
func TestOutsideTool(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "log.key")
	signer, verifier, err := decisionlog.LoadOrCreateKey(secret, origin)
	if err != nil {
		t.Fatal(err)
	}
	log := openLog(t, databasetest.Open(t, databasetest.SQLite(t)), decisionlog.Config{Origin: origin, Signer: signer, Verifier: verifier})
	fill(t, log, 1<<16+300) // so that there is a tile at level 2
	dir, _ := export(t, log)

	// Its exit status is 0 even where it stops at a bad bundle: it is the last line that tells. With one worker it
	// waits for ever on logs of this size.
	sound := func() bool {
		out, err := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../../internal/tools/go.mod", "fsck",
			"--storage_url=file://"+dir+"/", "--public_key="+secret+".pub", "--ui=false", "--N=4").CombinedOutput()
		t.Logf("fsck: %v, %.300s", err, out)
		return err == nil && bytes.Contains(out, []byte("Successfully fsck'd log with size 65836"))
	}
	if !sound() {
		t.Fatal("fsck refuses the export")
	}
	for _, path := range []string{"tile/entries/007", "tile/0/007", "tile/1/000", "checkpoint"} {
		name := filepath.Join(dir, filepath.FromSlash(path))
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Clone(content)
		changed[100] ^= 1
		if err := os.WriteFile(name, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if sound() {
			t.Errorf("fsck accepts an export with another %s", path)
		}
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTilesThatAreNot(t *testing.T) {
	log := openLog(t, databasetest.Open(t, databasetest.SQLite(t)), config(t))
	fill(t, log, 300)
	for _, path := range []string{
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/002", "tile/0/001", "tile/0/001.p/45", "tile/0/001.p/0", "tile/0/001.p/256", "tile/1/000", "tile/1/000.p/2",
		"tile/8/0/000", "tile/-1/000", "tile/data/000", "tile/entries/001", "tile/entries/../0/000", "tile/0/1", "tile/0/x999/x999/x999/x999/x999/x999/999",
		"tile/63/000", "tile/7/x900/000", "checkpoint", "/tile/0/000",
	} {
		if got, err := log.Tile(t.Context(), path); !errors.Is(err, decisionlog.ErrNoTile) {
			t.Errorf("%q: got %d bytes, %v, want ErrNoTile", path, len(got), err)
		}
	}
	for _, path := range []string{"tile/0/000", "tile/0/001.p/44", "tile/0/001.p/1", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"} {
		if got, err := log.Tile(t.Context(), path); err != nil || len(got) == 0 {
			t.Errorf("%q: got %d bytes, %v", path, len(got), err)
		}
	}
}

// TestTilesAfterRetention: dropped events are named as such, and everything else is exported.
func TestTilesAfterRetention(t *testing.T) {
	log := openLog(t, databasetest.Open(t, databasetest.SQLite(t)), config(t))
	fill(t, log, 600)
	if _, err := log.Drop(t.Context(), 256, announcement(t, 256)); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Tile(t.Context(), "tile/entries/000"); !errors.Is(err, decisionlog.ErrDropped) {
		t.Errorf("a dropped bundle: %v, want ErrDropped", err)
	}
	dir, report := export(t, log)
	if report.KeptFrom != 256 {
		t.Errorf("the export begins at %d, want 256", report.KeptFrom)
	}
	if _, err := os.Stat(filepath.Join(dir, "tile", "entries", "000")); err == nil {
		t.Error("a dropped bundle was exported")
	}
	for _, path := range []string{"tile/0/000", "tile/entries/001", "checkpoint"} {
		if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
			t.Errorf("%s is not exported", path)
		}
	}
}

// TestInterruptedExport: an export that ends early has no checkpoint.
func TestInterruptedExport(t *testing.T) {
	log := openLog(t, databasetest.Open(t, databasetest.SQLite(t)), config(t))
	fill(t, log, 10)
	full := errors.New("the disk is full")
	_, err := log.WriteTiles(t.Context(), func(path string) (io.WriteCloser, error) {
		if path == "checkpoint" {
			t.Error("the checkpoint is written although a tile is missing")
		}
		return nil, full
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want the error of the disk", err)
	}
}

func FuzzTile(f *testing.F) {
	log := openLog(f, databasetest.Open(f, databasetest.SQLite(f)), config(f))
	fill(f, log, 300)
	f.Add("tile/0/000")
	f.Add("tile/entries/001.p/44")
	f.Fuzz(func(t *testing.T, path string) {
		got, err := log.Tile(t.Context(), path)
		if (err == nil) == (len(got) == 0) || err != nil && !errors.Is(err, decisionlog.ErrNoTile) {
			t.Errorf("%q: %d bytes, %v", path, len(got), err)
		}
	})
}
