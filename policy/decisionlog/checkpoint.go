package decisionlog

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// SignCheckpoint returns the signed checkpoint of a tree in the format of C2SP tlog-checkpoint
// (https://c2sp.org/tlog-checkpoint@v1.0.0): three lines (origin, size, root hash), a blank one, signatures.
func SignCheckpoint(origin string, tree tlog.Tree, signer note.Signer) ([]byte, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, tree.N, base64.StdEncoding.EncodeToString(tree.Hash[:]))
	return note.Sign(&note.Note{Text: text}, signer)
}

// OpenCheckpoint returns the tree that a checkpoint commits to, after checking the verifier's signature and the
// origin. Further signatures, such as a witness's, are allowed and ignored. Every failure is a [*BadCheckpoint].
func OpenCheckpoint(text []byte, origin string, verifier note.Verifier) (tlog.Tree, error) {
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, &BadCheckpoint{Reason: reasonWithoutText(err)}
	}
	tree, signedOrigin, err := parseCheckpoint(signed.Text)
	if err != nil {
		return tlog.Tree{}, &BadCheckpoint{Reason: err.Error()}
	}
	if signedOrigin != origin {
		return tlog.Tree{}, &BadCheckpoint{Reason: fmt.Sprintf("it is of the log %q, not of %q", signedOrigin, origin)}
	}
	return tree, nil
}

// reasonWithoutText keeps the note package's errors short: some of them repeat what they were given.
func reasonWithoutText(err error) string {
	var (
		unverified *note.UnverifiedNoteError
		invalid    *note.InvalidSignatureError
	)
	switch {
	case errors.As(err, &unverified):
		return "it is not signed by this log's key"
	case errors.As(err, &invalid):
		return "its signature is wrong"
	default:
		return "it is not a signed note"
	}
}

// parseCheckpoint reads the signed text. It accepts exactly what SignCheckpoint writes, so that no two texts
// mean the same tree.
func parseCheckpoint(text string) (tree tlog.Tree, origin string, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] == "" {
		return tlog.Tree{}, "", errors.New("it does not consist of origin, size and hash")
	}
	tree.N, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || tree.N < 0 || strconv.FormatInt(tree.N, 10) != lines[1] {
		return tlog.Tree{}, "", errors.New("its size is not a plain number")
	}
	hash, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(hash) != tlog.HashSize {
		return tlog.Tree{}, "", errors.New("its hash is not 32 bytes in base64")
	}
	copy(tree.Hash[:], hash)
	return tree, lines[0], nil
}
