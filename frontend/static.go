package frontend

import (
	"bytes"
	"embed"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
)

// The page is built by `make frontend` into dist; a clone without it still compiles.
//
//go:embed all:dist
var dist embed.FS

var (
	errPanic   = errors.New("a handler panicked")
	errNoPage  = []byte("The page is not built. Run `make frontend`, then build the server again.\n")
	themes     = []string{"light", "dark"}
	encodings  = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}
	pagePrefix = []string{"/mail/", "/audit", "/assessment", "/settings", "/staff"}
)

// assets serves the built files, whose names carry a hash of their content, for ever; compressed where the
// build has left a compressed twin.
func assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Join("dist", path.Clean("/"+r.URL.Path))
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r) // no listing of folders (CASA 3.1.6)
			return
		}
		serveFile(w, r, name, "public, max-age=31536000, immutable")
	})
}

func serveFile(w http.ResponseWriter, r *http.Request, name, caching string) {
	data, encoding := readAsset(name, r.Header.Get("Accept-Encoding"))
	if data == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", typeOf(name))
	h.Set("Cache-Control", caching)
	h.Set("Vary", "Accept-Encoding")
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	_, _ = w.Write(data) // the connection may be gone
}

func typeOf(name string) string {
	if strings.HasSuffix(name, ".webmanifest") { // which systems do not know
		return "application/manifest+json"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func readAsset(name, accept string) (data []byte, encoding string) {
	for _, e := range encodings {
		if !strings.Contains(accept, e.name) {
			continue
		}
		if data, err := fs.ReadFile(dist, name+e.suffix); err == nil {
			return data, e.name
		}
	}
	data, err := fs.ReadFile(dist, name)
	if err != nil {
		return nil, ""
	}
	return data, ""
}

// page serves the application for every address that it routes by itself. The theme that the owner chose is
// set here, so that no other one flashes first.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	note(r, "/*page")
	if name := strings.TrimPrefix(path.Clean(r.URL.Path), "/"); !strings.Contains(name, "/") && name != "" && path.Ext(name) != "" {
		serveFile(w, r, path.Join("dist", name), "public, max-age=3600")
		return
	}
	if r.URL.Path != "/" && !slices.ContainsFunc(pagePrefix, func(p string) bool { return strings.HasPrefix(r.URL.Path, p) }) {
		s.answer(w, r, errNoRoute)
		return
	}
	html, err := fs.ReadFile(dist, "dist/index.html")
	if err != nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(errNoPage)
		return
	}
	if c, err := r.Cookie("theme"); err == nil && slices.Contains(themes, c.Value) {
		html = bytes.Replace(html, []byte("<html "), []byte(`<html data-theme="`+c.Value+`" `), 1)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(html)
}

// blank is the document in which the page parses foreign HTML when something is pasted: it can show
// styles and nothing else (FRONTEND 5.3).
func (s *Server) blank(w http.ResponseWriter, r *http.Request) {
	note(r, "/blank")
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=86400")
	_, _ = w.Write([]byte("<!doctype html><html lang=\"en\"><head><title>Paste</title></head><body></body></html>\n"))
}
