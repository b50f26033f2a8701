package assess

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"
)

// secretForms are what secrets look like. None of them matches its own source here.
var secretForms = []struct {
	name string
	form *regexp.Regexp
}{
	{"a private key (PEM)", regexp.MustCompile(`-----BEGIN ([A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}`)},
	{"a private note key", regexp.MustCompile(`PRIVATE\+KEY\+[^+\s"]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{40}`)},
	{"a Tink keyset", regexp.MustCompile(`"primaryKeyId"\s*:\s*\d+[\s\S]{0,400}"value"\s*:\s*"[A-Za-z0-9+/=]{20}`)},
	{"a Google client secret", regexp.MustCompile(`GOCSPX-[A-Za-z0-9_-]{20}`)},
	{"a Google API key", regexp.MustCompile(`AIza[0-9A-Za-z_-]{35}`)},
	{"a Google refresh token", regexp.MustCompile(`\b1//0[A-Za-z0-9_-]{30}`)},
	{"a Google access token", regexp.MustCompile(`\bya29\.[A-Za-z0-9_-]{30}`)},
	{"a GitHub token", regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{36}`)},
	{"an AWS access key", regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`)},
	{"a Slack token", regexp.MustCompile(`\bxox[abprs]-[0-9A-Za-z-]{20}`)},
	{"a signed token (JWT)", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20}`)},
	{"a private key (JWK)", regexp.MustCompile(`"d"\s*:\s*"[A-Za-z0-9_-]{42,}"`)},
}

// Secret is a place in the source that looks like one. What it holds is not repeated.
type Secret struct {
	Path string
	Line int
	What string
}

// maxScanned is the largest file that is looked through; larger ones are counted as left out.
const maxScanned = 8 << 20

// ScanSecrets looks through files of a source tree for what looks like a secret.
func ScanSecrets(fsys fs.FS, paths []string) (found []Secret, scanned, left int, err error) {
	for _, path := range paths {
		info, err := fs.Stat(fsys, path)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxScanned {
			left++ // removed since it was listed, a link, or too large
			continue
		}
		content, err := fs.ReadFile(fsys, path)
		if err != nil {
			return nil, 0, 0, fmt.Errorf("assess: looking for secrets: %w", err)
		}
		scanned++
		for _, s := range secretForms {
			for _, at := range s.form.FindAllIndex(content, -1) {
				if constant(content[at[1]-20 : at[1]]) {
					continue
				}
				found = append(found, Secret{Path: path, Line: 1 + bytes.Count(content[:at[0]], []byte("\n")), What: s.name})
			}
		}
	}
	return found, scanned, left, nil
}

// constant tells a placeholder, one letter over and over, from a secret. Every form ends in at least twenty letters of one.
func constant(tail []byte) bool { return len(bytes.Trim(tail, string(tail[:1]))) == 0 }

// secretsItem shows a scan. paths are the files under version control; nil when there is no source at hand.
func secretsItem(fsys fs.FS, paths []string, at time.Time) Item {
	i := Item{ID: "secrets", Title: "Secrets in the source", From: "all files under version control", At: at, Status: NotRun, Says: "No source tree was given.", Columns: []string{"File", "Line", "Looks like"}}
	if len(paths) == 0 {
		return i
	}
	found, scanned, left, err := ScanSecrets(fsys, paths)
	if err != nil {
		i.Says = "The source could not be read to its end."
		return i
	}
	for _, s := range found {
		i.Rows = append(i.Rows, []string{s.Path, fmt.Sprint(s.Line), s.What})
	}
	i.Status, i.Says = Passed, fmt.Sprintf("%d files were looked through for %d forms of secrets, and none was found.", scanned, len(secretForms))
	if len(found) > 0 {
		i.Status, i.Says = Failed, fmt.Sprintf("%d places in %d files look like secrets.", len(found), scanned)
	}
	if left > 0 {
		i.Says = strings.TrimSuffix(i.Says, ".") + fmt.Sprintf("; %d files could not be looked through.", left)
	}
	return i
}
