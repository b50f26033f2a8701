package mbox_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/totalengage/webmail/inbox/emulator/internal/mbox"
)

func readAll(r io.Reader) ([]string, error) {
	var out []string
	for m := mbox.NewReader(r); ; {
		msg, err := m.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, string(msg))
	}
}

func TestReader(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       []string
	}{
		{"empty", "", nil},
		{"one", "From x\nA: b\n\nbody\n", []string{"A: b\n\nbody\n"}},
		{"two", "From x\nA: 1\n\nbody\n\nFrom y\nA: 2\n\nbody\n", []string{"A: 1\n\nbody\n", "A: 2\n\nbody\n"}},
		{"crlf", "From x\r\nA: 1\r\n\r\nb\r\n\r\nFrom y\r\nA: 2\r\n\r\nb\r\n", []string{"A: 1\r\n\r\nb\r\n", "A: 2\r\n\r\nb\r\n"}},
		{"quoted", "From x\nA: 1\n\n>From me\n>>From you\nfrom x\n> From z\n", []string{"A: 1\n\nFrom me\n>From you\nfrom x\n> From z\n"}},
		{"From inside a paragraph", "From x\nA: 1\n\nline\nFrom here on\n", []string{"A: 1\n\nline\nFrom here on\n"}},
		{"no last line end", "From x\nA: 1\n\nb", []string{"A: 1\n\nb"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readAll(strings.NewReader(c.file))
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
	if _, err := readAll(strings.NewReader("Subject: x\n\ny")); !errors.Is(err, mbox.ErrNotMbox) {
		t.Errorf("got %v, want ErrNotMbox", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("From x\nA: 1\n\n>From me\n\nFrom y\nA: 2\n\nb\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		messages, err := readAll(bytes.NewReader(file))
		total := 0
		for _, m := range messages {
			total += len(m)
		}
		if total > len(file) {
			t.Errorf("%d bytes of messages from %d", total, len(file))
		}
		if err != nil && len(messages) > 0 {
			t.Errorf("%v after %d messages", err, len(messages))
		}
	})
}
