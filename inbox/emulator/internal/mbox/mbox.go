// Package mbox cuts a mailbox file (RFC 4155, mboxo and mboxrd) into messages.
//
// A message begins at a line "From " that is first in the file or follows a blank
// line. The blank line before the next separator belongs to the file, not to the
// message, and one ">" is taken off quoted ">From " lines (mboxrd). The reader
// holds one message at a time.
package mbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxMessage bounds one message, in bytes: Gmail imports no larger one.
const MaxMessage = 150 << 20

// ErrNotMbox says that the file does not begin with a "From " line.
var ErrNotMbox = errors.New(`mbox: no "From " line at the beginning`)

// Reader yields the messages of one file in order.
type Reader struct {
	in      *bufio.Reader
	started bool
	done    bool
}

// NewReader reads from r.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(r, 64<<10)} }

// Next returns the next message, or io.EOF after the last one.
func (r *Reader) Next() ([]byte, error) {
	if r.done {
		return nil, io.EOF
	}
	if !r.started {
		if err := r.start(); err != nil {
			r.done = true
			return nil, err
		}
	}
	var msg []byte
	blank := false
	for {
		line, err := r.in.ReadBytes('\n')
		if blank && bytes.HasPrefix(line, []byte("From ")) {
			return cutBlankLine(msg), nil
		}
		msg = append(msg, unquote(line)...)
		if len(msg) > MaxMessage {
			r.done = true
			return nil, fmt.Errorf("mbox: message larger than %d bytes", MaxMessage)
		}
		blank = len(bytes.TrimRight(line, "\r\n")) == 0
		if err != nil {
			r.done = true
			if err == io.EOF {
				return cutBlankLine(msg), nil
			}
			return nil, err
		}
	}
}

// start skips blank lines and the first separator.
func (r *Reader) start() error {
	r.started = true
	for {
		line, err := r.in.ReadBytes('\n')
		switch {
		case bytes.HasPrefix(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")), []byte("From ")):
			return nil
		case err == io.EOF && len(bytes.TrimSpace(line)) == 0:
			return io.EOF
		case err != nil && err != io.EOF:
			return err
		case len(bytes.TrimSpace(line)) > 0:
			return ErrNotMbox
		}
	}
}

func unquote(line []byte) []byte {
	if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) && line[0] == '>' {
		return line[1:]
	}
	return line
}

func cutBlankLine(msg []byte) []byte {
	for _, eol := range []string{"\r\n", "\n"} {
		if rest, ok := bytes.CutSuffix(msg, []byte(eol)); ok {
			if bytes.HasSuffix(rest, []byte("\n")) || len(rest) == 0 {
				return rest
			}
			return msg
		}
	}
	return msg
}
