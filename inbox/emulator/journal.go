package emulator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// journal keeps the mailboxes in one file. Each line is one change of one mailbox:
// a checksum and the entries as JSON, written in one piece before the change is
// answered. A program that is killed loses nothing that it answered; a machine that
// loses power may lose what its system had not written yet. The file is written anew,
// without what is no longer there, at each start.
type journal struct {
	lock *os.File

	mu     sync.Mutex
	file   *os.File // owned by mu
	failed error    // the first write that failed: nothing is kept after it; owned by mu
}

const journalName = "mailboxes.journal"

// journalLine is what stands behind the checksum.
type journalLine struct {
	User    string  `json:"user"`
	Entries []entry `json:"do"`
}

// Keep restores what an earlier server kept in a directory, which is made when absent,
// and keeps every change from now on there: users, mail, labels, history and settings,
// in clear text. Call it before users are added and before Handler serves; afterwards
// HasUser tells who is there already. A second server in the same directory is refused
// where the system has file locks. After a failed write every call answers 500.
func (s *Server) Keep(dir string) error {
	if len(s.Users()) > 0 {
		return errors.New("emulator: Keep after users were added")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("emulator: keep: %w", err)
	}
	j := &journal{}
	var err error
	if j.lock, err = lockFile(filepath.Join(dir, "lock")); err != nil {
		return fmt.Errorf("emulator: keep: %w", err)
	}
	if err := s.keep(j, filepath.Join(dir, journalName)); err != nil {
		j.lock.Close()
		return fmt.Errorf("emulator: keep: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = j
	for _, b := range s.users {
		b.journal = j
	}
	return nil
}

func (s *Server) keep(j *journal, path string) error {
	if err := s.restore(path); err != nil {
		return err
	}
	fresh := path + ".new"
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err = s.writeState(f); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(fresh, path) // until here the old file is whole
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	j.file = f
	return nil
}

func (s *Server) writeState(f *os.File) error {
	out := bufio.NewWriterSize(f, 1<<20)
	for _, email := range s.order {
		b := s.users[email]
		b.mu.RLock()
		err := b.stateLocked(func(e entry) error {
			_, err := out.Write(formatLine(email, []entry{e}))
			return err
		})
		b.mu.RUnlock()
		if err != nil {
			return err
		}
	}
	return out.Flush()
}

func formatLine(user string, entries []entry) []byte {
	text, err := json.Marshal(journalLine{user, entries})
	if err != nil {
		panic(err) // our own records always encode
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE(text), text)
}

func parseLine(line []byte) (journalLine, bool) {
	var out journalLine
	sum, text, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
	if !ok || string(sum) != fmt.Sprintf("%08x", crc32.ChecksumIEEE(text)) {
		return out, false
	}
	return out, json.Unmarshal(text, &out) == nil
}

// restore reads a journal. A damaged last line is a change that was never answered
// and is left out; damage before it is an error.
func (s *Server) restore(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return err
		}
		if len(line) == 0 || err == io.EOF {
			return nil // the end, or a line that was not finished
		}
		l, ok := parseLine(line)
		if _, end := in.Peek(1); !ok && end == io.EOF {
			return nil
		}
		if !ok || !s.replay(l) {
			return fmt.Errorf("%s is damaged in line %d", path, n)
		}
	}
}

func (s *Server) replay(l journalLine) bool {
	for _, e := range l.Entries {
		if e.Name != nil {
			if s.AddUser(l.User, *e.Name) != nil {
				return false
			}
			continue
		}
		b := s.mailbox(l.User)
		if b == nil || !b.applyLocked(e) {
			return false
		}
	}
	return true
}

// append writes one change; nil keeps nothing.
func (j *journal) append(user string, entries []entry) {
	if j == nil {
		return
	}
	line := formatLine(user, entries)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil {
		_, j.failed = j.file.Write(line)
	}
}

// broken reports whether a change could not be kept.
func (j *journal) broken() bool {
	if j == nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed != nil
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil {
		j.failed = os.ErrClosed
	}
	return errors.Join(j.file.Sync(), j.file.Close(), j.lock.Close())
}
