package assess

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Files of every pack.
const (
	ManifestFile   = "manifest.note"
	PageFile       = "index.html"
	DataFile       = "assessment.json"
	CheckpointFile = "log/checkpoint"
	LogKeyFile     = "log/key.pub"
	PackKeyFile    = "pack.pub" // the key that signed; a reader compares it with one known from elsewhere
)

// manifestHeader is the first line of a manifest. No checkpoint begins so, so that one key may sign both: a manifest
// is never taken for the head of a log.
const manifestHeader = "webmail.assessment/v1"

// Sealing is what a pack is signed with, and what it says of the log.
type Sealing struct {
	Signer    note.Signer
	PublicKey string // of Signer, as a note verifier key

	LogKey     string // the log's verifier key
	Checkpoint []byte // the log's, as it was when the pack was made
	Tree       tlog.Tree
}

// Write lays the pack down in a new directory and signs a manifest of all its files.
func (p *Pack) Write(dir string, s Sealing) error {
	if err := p.complete(s); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("assess: %w", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("assess: the pack's directory must be a new one: %w", err)
	}
	manifest, err := note.Sign(&note.Note{Text: p.manifest(s)}, s.Signer)
	if err != nil {
		return fmt.Errorf("assess: signing the manifest: %w", err)
	}
	for _, path := range slices.Sorted(maps.Keys(p.files)) {
		if err := writeFile(dir, path, p.files[path]); err != nil {
			return err
		}
	}
	return writeFile(dir, ManifestFile, manifest)
}

// complete adds the files that every pack has.
func (p *Pack) complete(s Sealing) error {
	page, err := p.page()
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return fmt.Errorf("assess: %w", err)
	}
	var errs []error
	for path, content := range map[string][]byte{
		PageFile: page, DataFile: append(data, '\n'), CheckpointFile: s.Checkpoint, LogKeyFile: []byte(s.LogKey + "\n"), PackKeyFile: []byte(s.PublicKey + "\n"),
	} {
		errs = append(errs, p.Add(path, content))
	}
	return errors.Join(errs...)
}

// manifest names each file with its length and SHA-256, and the head of the log.
func (p *Pack) manifest(s Sealing) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nmade %s\nlog %s\nsize %d\nroot %s\n", manifestHeader, p.Made.UTC().Format(time.RFC3339), p.Log, s.Tree.N, base64.StdEncoding.EncodeToString(s.Tree.Hash[:]))
	for _, path := range slices.Sorted(maps.Keys(p.files)) {
		fmt.Fprintf(&b, "%s %d %s\n", digest(p.files[path]), len(p.files[path]), path)
	}
	return b.String()
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func writeFile(dir, path string, content []byte) error {
	name := filepath.Join(dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("assess: %w", err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		return fmt.Errorf("assess: %w", err)
	}
	return nil
}

// Zip writes a pack that lies in fsys as one archive. The same pack gives the same bytes.
func Zip(w io.Writer, fsys fs.FS) error {
	archive := zip.NewWriter(w)
	err := fs.WalkDir(fsys, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, path)
		if err != nil {
			return err
		}
		file, err := archive.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Deflate})
		if err != nil {
			return err
		}
		_, err = file.Write(content)
		return err
	})
	if err := errors.Join(err, archive.Close()); err != nil {
		return fmt.Errorf("assess: the archive: %w", err)
	}
	return nil
}
