package frontend

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/totalengage/webmail/inbox"
)

// sniffed is how much of a file says what it is; net/http looks at no more than its first 512 bytes, a text is
// looked at as a whole part.
const sniffed = 32 << 10

// shownTypes are the files that can be looked at without downloading them, by what their bytes say that they are:
// nothing that a browser would run in our origin. Text of any kind, HTML and SVG among it, is shown as plain text.
var shownTypes = []string{
	"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp",
	"application/pdf",
	"audio/mpeg", "audio/wave", "audio/basic", "audio/aiff", "application/ogg", "video/mp4", "video/webm",
}

const noPreview = "This file cannot be shown here. Download it to open it with a program of your own."

// preview shows one attachment in a frame or as an image of the page: never as a page to navigate to, always in a
// sandbox of its own, and under the type that its bytes have.
func (s *Server) preview(v *visit) error {
	if err := destination(v.r, "image", "iframe", "frame", "video", "audio"); err != nil {
		return err
	}
	a, err := s.Inbox.OpenAttachment(v.r.Context(), v.inbox, v.param("message"), v.param("part"))
	if err != nil {
		return err
	}
	defer a.Content.Close()
	first, rest, err := begin(a.Content)
	if err != nil {
		return err
	}
	kind := shownAs(first)
	h := v.w.Header()
	inert(h)
	if kind == "" {
		http.Error(v.w, noPreview, http.StatusUnsupportedMediaType) // read by a person, in the frame
		return nil
	}
	if strings.HasPrefix(kind, "audio/") || strings.HasPrefix(kind, "video/") || kind == "application/ogg" {
		// The browser's player asks for the file again, by itself and as this document: it needs to be of our origin for
		// that. It still runs no script.
		h.Set("Content-Security-Policy", "default-src 'none'; media-src 'self'; sandbox allow-same-origin; frame-ancestors 'self'")
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": safeName(a.Name)}))
	copyAll(v.w, rest)
	return nil
}

// begin reads the head of a file, so that what fails at once is still answered as a problem, and gives all of it.
func begin(content io.Reader) (head []byte, whole io.Reader, err error) {
	head = make([]byte, sniffed)
	n, err := io.ReadFull(content, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil, err
	}
	return head[:n], io.MultiReader(strings.NewReader(string(head[:n])), content), nil
}

// shownAs is the type under which a file that begins so is shown, "" for one that is not.
func shownAs(head []byte) string {
	kind := http.DetectContentType(head)
	if slices.Contains(shownTypes, kind) {
		return kind
	}
	name, params, err := mime.ParseMediaType(kind)
	if err != nil || !strings.HasPrefix(name, "text/") {
		return ""
	}
	charset := params["charset"]
	// What net/http calls UTF-8 is any text without control characters. Cut in the middle of a rune it still is.
	if (charset == "" || charset == "utf-8") && !utf8.Valid(head[:len(head)-partialRune(head)]) {
		charset = "windows-1252"
	}
	if charset == "" {
		charset = "utf-8"
	}
	return mime.FormatMediaType("text/plain", map[string]string{"charset": charset})
}

// partialRune is the number of bytes at the end that begin a rune without ending it.
func partialRune(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if last := b[len(b)-n:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return n
			}
			return 0
		}
	}
	return 0
}

// copyAll sends what is left of a file; half of it must not look like the whole.
func copyAll(w io.Writer, from io.Reader) {
	if _, err := io.Copy(w, from); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// attachments serves all files of a message in one zip, each fetched while it is sent: none is ever in memory as a
// whole. They are stored as they are, for most are compressed already.
func (s *Server) attachments(v *visit) error {
	m, err := s.Inbox.Message(v.r.Context(), v.inbox, v.param("message"))
	if err != nil {
		return err
	}
	files := slices.DeleteFunc(slices.Clone(m.Attachments), func(a inbox.AttachmentInfo) bool { return a.Inline })
	if len(files) == 0 {
		return inbox.ErrNotFound
	}
	first, err := s.Inbox.OpenAttachment(v.r.Context(), v.inbox, m.ID, files[0].PartID)
	if err != nil {
		return err
	}
	h := v.w.Header()
	inert(h)
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="attachments.zip"`)
	archive, names := zip.NewWriter(v.w), map[string]bool{}
	for i, file := range files {
		opened := first
		if i > 0 {
			if opened, err = s.Inbox.OpenAttachment(v.r.Context(), v.inbox, m.ID, file.PartID); err != nil {
				panic(http.ErrAbortHandler) // the answer has begun: it must not look complete
			}
		}
		pack(archive, unlike(names, safeName(file.Name)), opened.Content)
	}
	if err := archive.Close(); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

func pack(archive *zip.Writer, name string, content io.ReadCloser) {
	defer content.Close()
	w, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	copyAll(w, content)
}

// unlike makes a name that no other file of the archive has, on no kind of disk: "a.txt", then "a (2).txt".
func unlike(taken map[string]bool, name string) string {
	end := path.Ext(name)
	base := strings.TrimSuffix(name, end)
	for n := 2; taken[strings.ToLower(name)]; n++ {
		name = fmt.Sprintf("%s (%d)%s", base, n, end)
	}
	taken[strings.ToLower(name)] = true
	return name
}
