package mailhtml_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html/charset"
)

// corpus returns a folder of the mail corpora, which stand beside the
// repository, or "" when they are absent.
func corpus(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("WEBMAIL_CORPORA")
	if dir == "" {
		root, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for !exists(filepath.Join(root, "go.mod")) {
			if root == filepath.Dir(root) {
				t.Fatal("no go.mod above the test")
			}
			root = filepath.Dir(root)
		}
		dir = filepath.Join(root, "..", "shared", "corpora")
	}
	dir = filepath.Join(dir, filepath.FromSlash(name))
	if !exists(dir) {
		t.Logf("the mail corpora are absent (no %s): only the cases written in the tests are checked", name)
		return ""
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// A payload is one adversarial body.
type payload struct {
	set  string
	ID   string `json:"id"`
	HTML string `json:"payload"`
}

func payloads(t testing.TB) []payload {
	t.Helper()
	dir := corpus(t, "html-adversarial/payloads")
	if dir == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no payload files: %v", err)
	}
	var list []payload
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p := payload{set: strings.TrimSuffix(filepath.Base(file), ".jsonl")}
			if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			list = append(list, p)
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// filesUnder returns the files with an extension, in a fixed order.
func filesUnder(t testing.TB, dir, ext string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.EqualFold(filepath.Ext(path), ext) {
			list = append(list, path)
		}
		return err
	})
	if err != nil || len(list) == 0 {
		t.Fatalf("no %s files: %v", ext, err)
	}
	return list
}

// bodies returns the decoded text parts of a mail of one media type.
func bodies(raw []byte, mediaType string) []string {
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return nil
	}
	return partBodies(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, mediaType, 0)
}

func partBodies(contentType, encoding string, r io.Reader, want string, depth int) []string {
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		mediaType = "text/plain"
	}
	if strings.HasPrefix(mediaType, "multipart/") && depth < 5 {
		var list []string
		parts := multipart.NewReader(r, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err != nil {
				return list
			}
			list = append(list, partBodies(part.Header.Get("Content-Type"),
				part.Header.Get("Content-Transfer-Encoding"), part, want, depth+1)...)
		}
	}
	if mediaType != want {
		return nil
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	if name := params["charset"]; name != "" {
		if decoded, err := charset.NewReaderLabel(name, r); err == nil {
			r = decoded
		}
	}
	body, err := io.ReadAll(r)
	if err != nil && len(body) == 0 {
		return nil
	}
	return []string{string(body)}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}
