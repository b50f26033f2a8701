package emulator

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxJSONBody is where Google's front end refuses a JSON request: about 5 MB.
const maxJSONBody = 5 << 20

// Handler serves the API. Mount it at the root of a port.
func (s *Server) Handler() http.Handler {
	control := s.control()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.controlled && strings.HasPrefix(r.URL.Path, controlPrefix):
			control.ServeHTTP(w, r)
		case isDiscovery(r):
			s.write(w, r, s.serveDiscovery(r))
		default:
			s.serveHTTP(w, r)
		}
	})
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	s.stats.add(func(c *Stats) { c.Trips++ })
	wait(r.Context(), time.Duration(s.latency.Load()))
	path := r.URL.EscapedPath()
	var out *reply
	switch {
	case path == "/batch" || path == "/batch/gmail/v1":
		out = s.serveBatch(r)
	case strings.HasPrefix(path, "/upload/"):
		out = s.serveUpload(r, strings.TrimPrefix(path, "/upload"))
	case strings.HasPrefix(path, "/resumable/upload/"):
		out = s.serveUpload(r, strings.TrimPrefix(path, "/resumable/upload"))
	default:
		out = s.servePlain(r, path)
	}
	s.write(w, r, out)
}

func (s *Server) servePlain(r *http.Request, path string) *reply {
	in := newInbound(r, path)
	body, err := readBody(r, maxJSONBody)
	if err != nil {
		return s.refuse(in, nil, err)
	}
	in.body = body
	return s.serve(in)
}

func newInbound(r *http.Request, path string) *inbound {
	return &inbound{ctx: r.Context(), verb: r.Method, path: path, query: r.URL.Query(), header: r.Header}
}

// readBody reads at most limit bytes; more is Gmail's 413. A body that breaks off
// is a client gone: the answer reaches nobody.
func readBody(r *http.Request, limit int64) ([]byte, *apiError) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return nil, tooLarge()
	case err != nil:
		return nil, badRequest("The request body could not be read.")
	}
	return body, nil
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, out *reply) {
	if out.drop {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	h := w.Header()
	for name, values := range out.header {
		h[name] = values
	}
	h.Set("Server", "ESF")
	h.Set("Cache-Control", "private")
	h.Set("X-Content-Type-Options", "nosniff")
	body := out.body
	if wantsGzip(r) && len(body) > 0 {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(body); err != nil {
			panic(err) // writing to memory
		}
		if err := z.Close(); err != nil {
			panic(err)
		}
		body = packed.Bytes()
		h.Set("Content-Encoding", "gzip")
	}
	if out.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	s.stats.add(func(c *Stats) { c.BytesOut += int64(len(body)) })
	w.WriteHeader(out.status)
	if _, err := w.Write(body); err != nil && out.status != http.StatusNoContent {
		s.logf("write: client went away")
	}
}

// wantsGzip is Google's rule: the header alone is not enough, the User-Agent must
// name gzip too.
func wantsGzip(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && strings.Contains(r.UserAgent(), "gzip")
}
