package decisionlog

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// proofHeader is the first line of a C2SP tlog-proof (https://c2sp.org/tlog-proof@v1).
const proofHeader = "c2sp.org/tlog-proof@v1"

// Proof is an offline proof that one event is in the log: its body, where it stands, and the hashes that lead
// from it to a signed checkpoint.
type Proof struct {
	Index      int64
	Body       []byte
	Hashes     tlog.RecordProof
	Checkpoint []byte
}

// BadProof: a proof does not show that its event is in the log.
type BadProof struct{ Reason string }

func (e *BadProof) Error() string { return "decisionlog: the proof is bad: " + e.Reason }

// Prove returns the proof of an event under the log's present checkpoint. It fails like [Log.Record].
func (l *Log) Prove(ctx context.Context, index int64) (Proof, error) {
	record, err := l.Record(ctx, index)
	if err != nil {
		return Proof{}, err
	}
	checkpoint, tree, err := l.Checkpoint(ctx)
	if err != nil {
		return Proof{}, err
	}
	hashes, err := tlog.ProveRecord(tree.N, index, l.Hashes(ctx))
	if err != nil {
		return Proof{}, fmt.Errorf("decisionlog: proving an event: %w", err)
	}
	return Proof{Index: index, Body: record.Body, Hashes: hashes, Checkpoint: checkpoint}, nil
}

// Marshal returns the proof as a C2SP tlog-proof. The event itself is its extra data, so that the one file
// holds all that is needed, besides the log's public key, to check it.
func (p Proof) Marshal() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nextra %s\nindex %d\n", proofHeader, base64.StdEncoding.EncodeToString(p.Body), p.Index)
	for _, h := range p.Hashes {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteByte('\n')
	b.Write(p.Checkpoint)
	return b.Bytes()
}

// VerifyProof checks a proof against the log's origin and public key alone, without the log. It fails with
// [*BadProof] or [*BadCheckpoint].
func VerifyProof(text []byte, origin string, verifier note.Verifier) (Proof, tlog.Tree, error) {
	p, err := parseProof(text)
	if err != nil {
		return Proof{}, tlog.Tree{}, &BadProof{err.Error()}
	}
	tree, err := OpenCheckpoint(p.Checkpoint, origin, verifier)
	if err != nil {
		return Proof{}, tlog.Tree{}, err
	}
	if err := tlog.CheckRecord(p.Hashes, tree.N, tree.Hash, p.Index, tlog.RecordHash(p.Body)); err != nil {
		return Proof{}, tlog.Tree{}, &BadProof{"its event is not at that place in the signed tree"}
	}
	return p, tree, nil
}

// maxProofHashes bounds a proof: a tree has fewer than 64 levels.
const maxProofHashes = 64

func parseProof(text []byte) (Proof, error) {
	head, checkpoint, ok := strings.Cut(string(text), "\n\n")
	if !ok {
		return Proof{}, errors.New("it has no checkpoint")
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != proofHeader {
		return Proof{}, errors.New("it does not begin with " + proofHeader + ", an extra and an index line")
	}
	extra, isExtra := strings.CutPrefix(lines[1], "extra ")
	index, isIndex := strings.CutPrefix(lines[2], "index ")
	if !isExtra || !isIndex {
		return Proof{}, errors.New("its second line must be the event (extra), its third the index")
	}
	if len(lines)-3 > maxProofHashes {
		return Proof{}, errors.New("it has too many hashes")
	}
	p := Proof{Checkpoint: []byte(checkpoint)}
	var err error
	if p.Body, err = base64.StdEncoding.Strict().DecodeString(extra); err != nil {
		return Proof{}, errors.New("its event is not in base64")
	}
	if p.Index, err = strconv.ParseInt(index, 10, 64); err != nil || p.Index < 0 || strconv.FormatInt(p.Index, 10) != index {
		return Proof{}, errors.New("its index is not a plain number")
	}
	for _, line := range lines[3:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return Proof{}, errors.New("one of its hashes is not one")
		}
		p.Hashes = append(p.Hashes, h)
	}
	return p, nil
}
