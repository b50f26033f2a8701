package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/totalengage/webmail/policy/assess"
)

// gathered reads what .ci/assess wrote to a directory. What is not there was not run.
func gathered(dir, repo string, now time.Time) (assess.Source, error) {
	s := assess.Source{At: now}
	if info, ok := debug.ReadBuildInfo(); ok {
		s.Build, s.Module = info, info.Main.Path
	}
	if dir == "" {
		return s, nil
	}
	fsys := os.DirFS(dir)
	var files []byte
	for name, into := range map[string]*[]byte{"packages.json": &s.Packages, "scan.txt": &s.Scan, "files.txt": &files} {
		content, err := fs.ReadFile(fsys, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s, err
		}
		*into = content
	}
	if repo != "" {
		s.Repo, s.Files = os.DirFS(repo), strings.Fields(string(files))
		if lock, err := fs.ReadFile(s.Repo, "frontend/ui/package-lock.json"); err == nil {
			s.Lock = lock
		}
	}
	if commit, err := fs.ReadFile(fsys, "commit.txt"); err == nil {
		s.Commit = strings.TrimSpace(string(commit))
	}
	if err := readResults(fsys, &s); err != nil {
		return s, err
	}
	return s, readRecords(fsys, &s)
}

// readResults reads how the tests ended: those in Go, and those in a browser where they ran.
func readResults(fsys fs.FS, s *assess.Source) error {
	tests, err := fsys.Open("tests.jsonl")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer tests.Close()
	if s.Results, err = assess.ReadResults(tests, s.Module); err != nil {
		return err
	}
	for name, folder := range map[string]string{"pages.json": "frontend/ui/e2e", "walk.json": "frontend/ui/assess"} {
		pages, err := fsys.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		err = s.Results.ReadPages(pages, folder)
		if err := errors.Join(err, pages.Close()); err != nil {
			return err
		}
	}
	return nil
}

// readRecords reads the records of drills, and of walks with the screens beside them.
func readRecords(fsys fs.FS, s *assess.Source) error {
	drills, err := fs.Glob(fsys, "drills/*.json")
	if err != nil {
		return err
	}
	for _, name := range drills {
		var d assess.Drill
		if err := readJSON(fsys, name, &d); err != nil {
			return err
		}
		s.Drills = append(s.Drills, d)
	}
	walks, err := fs.Glob(fsys, "walks/*/record.json")
	if err != nil {
		return err
	}
	for _, name := range walks {
		w := assess.Walk{Images: map[string][]byte{}}
		if err := readJSON(fsys, name, &w); err != nil {
			return err
		}
		for _, picture := range w.Pictures {
			if w.Images[picture.File], err = fs.ReadFile(fsys, filepath.ToSlash(filepath.Join(filepath.Dir(name), filepath.Base(picture.File)))); err != nil {
				return err
			}
		}
		s.Walks = append(s.Walks, w)
	}
	return nil
}

func readJSON(fsys fs.FS, name string, into any) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
