package assess

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// maxManifest bounds what is read before a signature is known.
const maxManifest = 4 << 20

// Report says what of a pack was checked.
type Report struct {
	Signer string    // name of the key that signed it
	OwnKey bool      // it was checked with the key that came with it, which shows damage and not forgery
	Made   time.Time // by its own word
	Log    string
	Tree   tlog.Tree // of the log, by its signed checkpoint
	Files  int
	Proofs int
}

// BadPack lists all that is wrong with a pack.
type BadPack struct{ Findings []string }

func (e *BadPack) Error() string {
	return "assess: the pack is not as it was signed: " + strings.Join(e.Findings, "; ")
}

// Verify checks a pack: the signature over its manifest by one of keys, each file against the manifest, that
// there is no other file, the log's checkpoint, and each offline proof against that. Without keys the pack's own is used.
// Whatever is wrong with it is a [*BadPack]; any other error is one of reading.
func Verify(fsys fs.FS, keys ...note.Verifier) (Report, error) {
	v := &verification{fsys: fsys}
	if err := v.open(keys); err != nil {
		return v.report, err
	}
	if err := v.checkFiles(); err != nil {
		return v.report, err
	}
	if len(v.findings) == 0 { // what a file says counts only once it is known to be the signed one
		if err := v.checkLog(); err != nil {
			return v.report, err
		}
	}
	if len(v.findings) > 0 {
		return v.report, &BadPack{v.findings}
	}
	return v.report, nil
}

type verification struct {
	fsys     fs.FS
	report   Report
	root     tlog.Tree // by the manifest
	files    map[string]file
	findings []string
}

type file struct {
	sha256 string
	size   int64
}

func (v *verification) found(format string, args ...any) {
	v.findings = append(v.findings, fmt.Sprintf(format, args...))
}

// open reads the manifest and checks who signed it.
func (v *verification) open(keys []note.Verifier) error {
	signed, err := v.read(ManifestFile, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return &BadPack{[]string{"it has no " + ManifestFile}}
	}
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		v.report.OwnKey = true
		own, err := v.key(PackKeyFile)
		if err != nil {
			return err
		}
		keys = []note.Verifier{own}
	}
	opened, err := note.Open(signed, note.VerifierList(keys...))
	if unsigned := (*note.UnverifiedNoteError)(nil); errors.As(err, &unsigned) {
		return &BadPack{[]string{"its manifest is signed by none of the keys given"}}
	}
	if err != nil {
		return &BadPack{[]string{"the signature of its manifest is wrong, or it is no signed note"}}
	}
	v.report.Signer = opened.Sigs[0].Name
	if err := v.parse(opened.Text); err != nil {
		return &BadPack{[]string{"its manifest: " + err.Error()}}
	}
	return nil
}

// parse reads the signed text, which is exactly what Pack.manifest writes.
func (v *verification) parse(text string) error {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 5 || lines[0] != manifestHeader {
		return errors.New("it does not begin as a manifest does")
	}
	var values [4]string
	for i, name := range []string{"made", "log", "size", "root"} {
		var ok bool
		if values[i], ok = strings.CutPrefix(lines[i+1], name+" "); !ok {
			return fmt.Errorf("it does not say %q", name)
		}
	}
	var err error
	if v.report.Made, err = time.Parse(time.RFC3339, values[0]); err != nil {
		return errors.New("its time is none")
	}
	v.report.Log = values[1]
	if v.root.N, err = strconv.ParseInt(values[2], 10, 64); err != nil || v.root.N < 0 {
		return errors.New("its size of the log is none")
	}
	if v.root.Hash, err = tlog.ParseHash(values[3]); err != nil {
		return errors.New("its root of the log is none")
	}
	v.files = map[string]file{}
	for _, line := range lines[5:] {
		fields := strings.Split(line, " ")
		if len(fields) != 3 || len(fields[0]) != 2*sha256.Size || !fs.ValidPath(fields[2]) || !plainPath(fields[2]) {
			return errors.New("one of its lines is no file")
		}
		size, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil || size < 0 {
			return errors.New("one of its lengths is none")
		}
		if _, twice := v.files[fields[2]]; twice {
			return errors.New("it names a file twice")
		}
		v.files[fields[2]] = file{fields[0], size}
	}
	return nil
}

// checkFiles compares what there is with what was signed.
func (v *verification) checkFiles() error {
	seen := map[string]bool{}
	err := fs.WalkDir(v.fsys, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == ManifestFile {
			return err
		}
		want, listed := v.files[path]
		switch {
		case !listed:
			v.found("%s is not in the manifest", path)
			return nil
		case !entry.Type().IsRegular():
			v.found("%s is not a plain file", path)
			return nil
		}
		seen[path] = true
		size, sum, err := v.sum(path, want.size)
		if err != nil {
			return err
		}
		if size != want.size || sum != want.sha256 {
			v.found("%s was changed", path)
		}
		return nil
	})
	for path := range v.files {
		if !seen[path] {
			v.found("%s is missing", path)
		}
	}
	slices.Sort(v.findings)
	v.report.Files = len(seen)
	return err
}

// sum reads no more of a file than one byte beyond what it should have.
func (v *verification) sum(path string, size int64) (int64, string, error) {
	f, err := v.fsys.Open(path)
	if err != nil {
		return 0, "", fmt.Errorf("assess: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, size+1))
	if err != nil {
		return 0, "", fmt.Errorf("assess: reading %s: %w", path, err)
	}
	return n, hex.EncodeToString(h.Sum(nil)), nil
}

// checkLog checks the checkpoint and the proofs with the log's key, which the manifest covers.
func (v *verification) checkLog() error {
	key, err := v.key(LogKeyFile)
	if err != nil {
		return err
	}
	checkpoint, err := v.read(CheckpointFile, maxManifest)
	if err != nil {
		return fmt.Errorf("assess: %w", err)
	}
	if v.report.Tree, err = decisionlog.OpenCheckpoint(checkpoint, v.report.Log, key); err != nil {
		v.found("%v", err)
		return nil
	}
	if v.report.Tree != v.root {
		v.found("its checkpoint is not the one that the manifest names")
	}
	for name := range v.files {
		if path.Dir(name) != "proofs" || path.Ext(name) != ".proof" {
			continue
		}
		text, err := v.read(name, 1<<20)
		if err != nil {
			return fmt.Errorf("assess: %w", err)
		}
		switch _, tree, err := decisionlog.VerifyProof(text, v.report.Log, key); {
		case err != nil:
			v.found("%s: %v", name, err)
		case tree != v.root:
			v.found("%s is of another state of the log", name)
		default:
			v.report.Proofs++
		}
	}
	slices.Sort(v.findings)
	return nil
}

func (v *verification) key(name string) (note.Verifier, error) {
	text, err := v.read(name, 1<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &BadPack{[]string{name + " is missing"}}
	}
	if err != nil {
		return nil, err
	}
	key, err := note.NewVerifier(string(bytes.TrimSpace(text)))
	if err != nil {
		return nil, &BadPack{[]string{name + " holds no public key"}}
	}
	return key, nil
}

func (v *verification) read(name string, limit int64) ([]byte, error) {
	f, err := v.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("assess: reading %s: %w", name, err)
	}
	if int64(len(content)) > limit {
		return nil, &BadPack{[]string{name + " is too large"}}
	}
	return content, nil
}
