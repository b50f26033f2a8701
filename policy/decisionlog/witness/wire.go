package witness

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// addCheckpoint is the request of the one call that a witness answers.
type addCheckpoint struct {
	old        int64          // size of the tree that the witness is believed to have signed last
	proof      tlog.TreeProof // that the new tree continues it; empty from size 0 or where nothing grew
	checkpoint []byte
}

// maxRequest bounds a request in bytes: 63 hashes and a checkpoint with a few signatures.
const maxRequest = 64 << 10

// maxProof bounds a consistency proof: the specification allows 63 hashes.
const maxProof = 63

func (a addCheckpoint) marshal() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", a.old)
	for _, h := range a.proof {
		fmt.Fprintf(&b, "%s\n", base64.StdEncoding.EncodeToString(h[:]))
	}
	b.WriteByte('\n')
	b.Write(a.checkpoint)
	return b.Bytes()
}

func parseAddCheckpoint(text []byte) (addCheckpoint, error) {
	head, checkpoint, ok := strings.Cut(string(text), "\n\n")
	if !ok {
		return addCheckpoint{}, errors.New("it has no checkpoint after an empty line")
	}
	lines := strings.Split(head, "\n")
	size, ok := strings.CutPrefix(lines[0], "old ")
	if !ok {
		return addCheckpoint{}, errors.New("its first line is not the old size")
	}
	a := addCheckpoint{checkpoint: []byte(checkpoint)}
	var err error
	if a.old, err = parseSize(size); err != nil {
		return addCheckpoint{}, errors.New("its old size is not a plain number")
	}
	if len(lines)-1 > maxProof {
		return addCheckpoint{}, errors.New("its proof is too long")
	}
	for _, line := range lines[1:] {
		h, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(h) != tlog.HashSize {
			return addCheckpoint{}, errors.New("a hash of its proof is not 32 bytes in base64")
		}
		a.proof = append(a.proof, tlog.Hash(h))
	}
	return a, nil
}

func parseSize(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, errors.New("not a plain number")
	}
	return n, nil
}
