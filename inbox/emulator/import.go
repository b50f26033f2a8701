package emulator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/emulator/internal/mbox"
	"github.com/totalengage/webmail/inbox/emulator/internal/mimetree"
)

// ImportReport says what became of the files of an import.
type ImportReport struct {
	Imported int
	Refused  []Refusal
}

// Refusal is a message that was not imported.
type Refusal struct {
	// File is the path as found; "mail.mbox#12" is the twelfth message of a mailbox.
	File   string
	Reason string
}

// ImportPath reads mail into a mailbox: an mbox file, a Maildir folder, one
// message file or a tree of .eml files. internalDate is the message's own date.
//
// Labels are names as for Insert and go on every message. A Google Takeout mbox
// also brings its own (X-Gmail-Labels), a Maildir its flags (unseen, flagged,
// draft, trashed). Mail that brings none and is given none goes to INBOX.
//
// What cannot be imported is in the report; an error means that the path itself
// could not be read.
func (s *Server) ImportPath(email, path string, labels []string) (ImportReport, error) {
	im := &importer{srv: s, email: email, labels: labels}
	if !s.HasUser(email) {
		return im.report, errors.New("emulator: no such user")
	}
	info, err := os.Stat(path)
	if err != nil {
		return im.report, fmt.Errorf("emulator: import: %w", err)
	}
	switch {
	case isMaildir(path):
		err = im.maildir(path)
	case info.IsDir():
		err = im.tree(path)
	default:
		err = im.file(path)
	}
	if err != nil {
		err = fmt.Errorf("emulator: import: %w", err)
	}
	return im.report, err
}

type importer struct {
	srv    *Server
	email  string
	labels []string
	report ImportReport
}

// add inserts one message with the labels it brings.
func (im *importer) add(name string, raw []byte, own []string) {
	labels := slices.Concat(im.labels, own)
	if len(labels) == 0 {
		labels = []string{"INBOX"}
	}
	if _, err := im.srv.Insert(im.email, raw, labels, time.Time{}); err != nil {
		im.report.Refused = append(im.report.Refused, Refusal{name, strings.TrimPrefix(err.Error(), "emulator: ")})
		return
	}
	im.report.Imported++
}

func (im *importer) tree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() || !strings.EqualFold(filepath.Ext(path), ".eml"):
			return nil
		}
		return im.message(path, nil)
	})
}

// file is a mailbox when it begins with a "From " line, else one message.
func (im *importer) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var start [8]byte
	n, err := io.ReadFull(f, start[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	first := bytes.TrimPrefix(start[:n], []byte("\xef\xbb\xbf"))
	if strings.EqualFold(filepath.Ext(path), ".eml") || !bytes.HasPrefix(first, []byte("From ")) {
		return im.message(path, nil)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return im.mailboxFile(path, f)
}

func (im *importer) mailboxFile(path string, f io.Reader) error {
	r := mbox.NewReader(f)
	for n := 1; ; n++ {
		raw, err := r.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("%s#%d: %w", path, n, err)
		}
		im.add(fmt.Sprintf("%s#%d", path, n), raw, takeoutLabels(raw))
	}
}

func (im *importer) message(path string, own []string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	im.add(path, raw, own)
	return nil
}

// takeoutNames are the names Google Takeout writes for system labels.
var takeoutNames = map[string]string{
	"inbox": "INBOX", "unread": "UNREAD", "sent": "SENT", "starred": "STARRED", "important": "IMPORTANT",
	"spam": "SPAM", "trash": "TRASH", "category updates": "CATEGORY_UPDATES", "category promotions": "CATEGORY_PROMOTIONS",
	"category social": "CATEGORY_SOCIAL", "category forums": "CATEGORY_FORUMS", "category personal": "CATEGORY_PERSONAL",
	"draft": "DRAFT", "drafts": "DRAFT", "archived": "", "opened": "",
}

func takeoutLabels(raw []byte) []string {
	var out []string
	for _, name := range strings.Split(mimetree.Get(mimetree.ParseHeaders(raw), "X-Gmail-Labels"), ",") {
		name = strings.Trim(strings.TrimSpace(name), `"`)
		if system, ok := takeoutNames[strings.ToLower(name)]; ok {
			name = system
		}
		if name != "" {
			out = append(out, name)
		}
	}
	return out
}

func isMaildir(path string) bool {
	for _, sub := range []string{"cur", "new"} {
		if info, err := os.Stat(filepath.Join(path, sub)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

func (im *importer) maildir(dir string) error {
	for _, sub := range []string{"cur", "new"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
				continue
			}
			if err := im.message(filepath.Join(dir, sub, e.Name()), im.maildirLabels(e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// maildirLabels reads the flags behind ":2,".
func (im *importer) maildirLabels(name string) []string {
	_, flags, _ := strings.Cut(name, ":2,")
	var out []string
	if len(im.labels) == 0 && !strings.ContainsAny(flags, "DT") {
		out = append(out, "INBOX")
	}
	if !strings.Contains(flags, "S") {
		out = append(out, "UNREAD")
	}
	for flag, label := range map[string]string{"F": "STARRED", "D": "DRAFT", "T": "TRASH"} {
		if strings.Contains(flags, flag) {
			out = append(out, label)
		}
	}
	return out
}
