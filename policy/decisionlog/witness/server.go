package witness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// ServerConfig is what a witness is made of.
type ServerConfig struct {
	Key  string          // the witness's private key, a note key as [NewKey] makes it
	Logs []note.Verifier // the logs it looks after; a verifier's name is its log's origin
	Dir  string          // where it keeps the last checkpoint that it has signed of each log
}

// Server is a witness. It answers POST /add-checkpoint and is safe for concurrent use; two servers must not
// share a directory.
type Server struct {
	signer note.Signer
	logs   map[string]note.Verifier
	dir    string

	mu sync.Mutex // one checkpoint at a time, so that a log cannot have two continuations signed
}

// NewServer makes a witness.
func NewServer(c ServerConfig) (*Server, error) {
	signer, err := formats.NewSignerForCosignatureV1(c.Key)
	if err != nil {
		return nil, errors.New("witness: the key is not a note key for Ed25519")
	}
	if len(c.Logs) == 0 {
		return nil, errors.New("witness: a witness needs the public key of at least one log")
	}
	s := &Server{signer: signer, logs: map[string]note.Verifier{}, dir: c.Dir}
	for _, log := range c.Logs {
		s.logs[log.Name()] = log
	}
	return s, os.MkdirAll(c.Dir, 0o700)
}

// refusal is an answer other than a cosignature.
type refusal struct {
	status int
	reason string
	size   int64 // with http.StatusConflict: the size that the witness has signed
}

func (r *refusal) Error() string { return r.reason }

// ServeHTTP answers add-checkpoint as C2SP tlog-witness has it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/add-checkpoint" {
		http.Error(w, "a witness answers /add-checkpoint alone", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "add-checkpoint is a POST", http.StatusMethodNotAllowed)
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "the request is too long or was cut off", http.StatusBadRequest)
		return
	}
	cosignature, err := s.cosign(text)
	var refused *refusal
	switch {
	case err == nil:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(cosignature) // the log asks again if the answer was lost
	case errors.As(err, &refused) && refused.status == http.StatusConflict:
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, "%d\n", refused.size)
	case errors.As(err, &refused):
		http.Error(w, refused.reason, refused.status)
	default:
		http.Error(w, "the witness cannot keep its record; ask again later", http.StatusInternalServerError)
	}
}

// cosign checks a request against what was signed last, keeps the new checkpoint, and only then signs it.
func (s *Server) cosign(text []byte) ([]byte, error) {
	asked, err := parseAddCheckpoint(text)
	if err != nil {
		return nil, &refusal{status: http.StatusBadRequest, reason: "the request is malformed: " + err.Error()}
	}
	origin, _, _ := strings.Cut(string(asked.checkpoint), "\n")
	log, known := s.logs[origin]
	if !known {
		return nil, &refusal{status: http.StatusNotFound, reason: "this witness does not look after that log"}
	}
	tree, err := decisionlog.OpenCheckpoint(asked.checkpoint, origin, log)
	if err != nil {
		return nil, &refusal{status: http.StatusForbidden, reason: "the checkpoint does not carry the log's own signature"}
	}
	if asked.old > tree.N {
		return nil, &refusal{status: http.StatusBadRequest, reason: "the old size is beyond the new one"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	last, err := s.last(log)
	if err != nil {
		return nil, err
	}
	if err := continues(asked, tree, last); err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: textOf(asked.checkpoint)}, s.signer)
	if err != nil {
		return nil, err
	}
	if err := s.keep(origin, asked.checkpoint); err != nil {
		return nil, err
	}
	_, lines, _ := bytes.Cut(signed, []byte("\n\n"))
	return lines, nil
}

// continues checks that tree contains all that last commits to.
func continues(asked addCheckpoint, tree, last tlog.Tree) error {
	if asked.old != last.N {
		return &refusal{status: http.StatusConflict, size: last.N, reason: "another size was signed last"}
	}
	switch {
	case tree.N == last.N && tree.Hash != last.Hash && last.N > 0:
		return &refusal{status: http.StatusConflict, size: last.N, reason: "a tree of the same size with another root was signed"}
	case tree.N == last.N || last.N == 0:
		if len(asked.proof) > 0 {
			return &refusal{status: http.StatusUnprocessableEntity, reason: "there is nothing to prove"}
		}
		return nil
	}
	if err := tlog.CheckTree(asked.proof, tree.N, tree.Hash, last.N, last.Hash); err != nil {
		return &refusal{status: http.StatusUnprocessableEntity, reason: "the new tree does not continue the one that was signed"}
	}
	return nil
}

// textOf returns the part of a signed note that is signed.
func textOf(signed []byte) string {
	text, _, _ := strings.Cut(string(signed), "\n\n")
	return text + "\n"
}

func (s *Server) file(origin string) string {
	return filepath.Join(s.dir, fmt.Sprintf("%x.checkpoint", tlog.RecordHash([]byte(origin))))
}

// last returns the tree that was signed last; the empty one if there is none. A file that is there but does not
// verify stops the witness: it must never start anew by itself.
func (s *Server) last(log note.Verifier) (tlog.Tree, error) {
	text, err := os.ReadFile(s.file(log.Name()))
	if errors.Is(err, os.ErrNotExist) {
		return tlog.Tree{}, nil
	}
	if err != nil {
		return tlog.Tree{}, err
	}
	return decisionlog.OpenCheckpoint(text, log.Name(), log)
}

// keep replaces the file of the log, durably.
func (s *Server) keep(origin string, checkpoint []byte) error {
	temporary, err := os.CreateTemp(s.dir, "new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(checkpoint)
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary.Name(), s.file(origin)); err != nil {
		return err
	}
	dir, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
