package emulator

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// uploads are the open resumable sessions.
type uploads struct {
	mu       sync.Mutex
	sessions map[string]*uploadSession // by upload_id; owned by mu
}

// uploadSession is one message arriving in chunks.
type uploadSession struct {
	begun time.Time
	max   int64

	mu    sync.Mutex // one chunk at a time
	start *inbound   // the request that opened it: token, parameters, metadata
	media []byte     // owned by mu
	total int64      // -1 until known; owned by mu
	done  *reply     // the answer once complete, repeated on request; owned by mu
}

const (
	uploadLifetime = 7 * 24 * time.Hour
	// chunkUnit is what all chunks but the last must be a multiple of.
	chunkUnit = 256 << 10
	maxOpen   = 1000 // sessions
)

// startUpload opens a session. The token and parameters are checked when the
// message is complete; here only what would waste the upload.
func (s *Server) startUpload(in *inbound, r *http.Request, m *Method) *reply {
	token := bearer(in)
	if token == "" {
		return s.refuse(in, m, noCredentials(m))
	}
	if _, ok := s.auth.Lookup(token); !ok {
		return s.refuse(in, m, badCredentials())
	}
	body, tooBig := readBody(r, maxJSONBody)
	if tooBig != nil {
		return s.refuse(in, m, tooBig)
	}
	total := int64(-1)
	if n, err := strconv.ParseInt(r.Header.Get("X-Upload-Content-Length"), 10, 64); err == nil && n >= 0 {
		total = n
	}
	ctype := r.Header.Get("X-Upload-Content-Type")
	if ctype == "" {
		ctype = "message/rfc822"
	}
	if err := checkMedia(m, ctype, max(total, 0)); err != nil {
		return s.refuse(in, m, err)
	}
	in.body, in.header = body, r.Header.Clone()
	id, ok := s.uploads.open(&uploadSession{begun: s.now(), max: m.MaxMedia, start: in, total: total})
	if !ok {
		return s.refuse(in, m, usualError(503))
	}
	query := url.Values{"uploadType": {"resumable"}, "upload_id": {id}}
	return &reply{status: http.StatusOK, header: http.Header{
		"Location":                  {scheme(r) + "://" + r.Host + r.URL.EscapedPath() + "?" + query.Encode()},
		"X-Guploader-Uploadid":      {id},
		"X-Goog-Upload-Status":      {"active"},
		"X-Goog-Upload-Granularity": {strconv.Itoa(chunkUnit)},
	}}
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

func (u *uploads) open(s *uploadSession) (id string, ok bool) {
	b := make([]byte, 32)
	rand.Read(b)
	id = hex.EncodeToString(b)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sessions == nil {
		u.sessions = map[string]*uploadSession{}
	}
	for old, o := range u.sessions {
		if s.begun.Sub(o.begun) > uploadLifetime {
			delete(u.sessions, old)
		}
	}
	if len(u.sessions) >= maxOpen {
		return "", false
	}
	u.sessions[id] = s
	return id, true
}

func (u *uploads) find(id string, now time.Time) *uploadSession {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.sessions[id]
	if s == nil || now.Sub(s.begun) > uploadLifetime {
		return nil
	}
	return s
}

func (u *uploads) close(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.sessions, id)
}

// resume takes a chunk, the whole message, or a question how far the session is.
// DELETE gives it up.
func (s *Server) resume(in *inbound, r *http.Request) *reply {
	id := in.query.Get("upload_id")
	u := s.uploads.find(id, s.now())
	if u == nil {
		return s.refuse(in, nil, notFound())
	}
	if r.Method == http.MethodDelete {
		s.uploads.close(id)
		return &reply{status: 499, header: http.Header{}}
	}
	if r.Method != http.MethodPut && r.Method != http.MethodPost {
		return s.refuse(in, nil, noSuchPath())
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done != nil {
		return u.done
	}
	first, total, probe, ok := contentRange(r.Header.Get("Content-Range"))
	if !ok {
		return s.refuse(in, nil, badRequest("Failed to parse Content-Range header."))
	}
	if probe {
		return u.progress(r)
	}
	chunk, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, u.max+1))
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) {
		return s.refuse(in, nil, tooLarge())
	}
	if first < 0 { // no Content-Range: the whole message
		first = 0
		if err == nil {
			total = int64(len(chunk))
		}
	}
	// A chunk that broke off counts as far as it came: that is what resuming is for.
	if end := first + int64(len(chunk)); err == nil && end != total && end != u.total && len(chunk)%chunkUnit != 0 {
		return s.refuse(in, nil, badRequest("Invalid chunk size: all chunks but the last must be a multiple of 262144 bytes."))
	}
	if skip := int64(len(u.media)) - first; skip >= 0 && skip < int64(len(chunk)) {
		u.media = append(u.media, chunk[skip:]...)
	}
	if int64(len(u.media)) > u.max {
		return s.refuse(in, nil, tooLarge())
	}
	if total >= 0 {
		u.total = total
	}
	if u.total < 0 || int64(len(u.media)) < u.total {
		return u.progress(r)
	}
	return s.finishUpload(id, u, r)
}

// finishUpload serves the call as the request that opened the session meant it.
// The answer is kept for a client that asks again; after a dropped connection the
// session is gone (404), as when Google lost it.
func (s *Server) finishUpload(id string, u *uploadSession, r *http.Request) *reply {
	u.start.ctx, u.start.media = r.Context(), u.media
	u.media = nil
	out := s.serve(u.start)
	if out.drop {
		s.uploads.close(id)
		return out
	}
	u.done, u.start = out, nil
	return out
}

// progress says how many bytes have arrived: 308, or for clients that cannot take
// one (X-GUploader-No-308) a 200 that names it in a header.
func (u *uploadSession) progress(r *http.Request) *reply {
	h := http.Header{"X-Goog-Upload-Status": {"active"}}
	if n := len(u.media); n > 0 {
		h["Range"] = []string{fmt.Sprintf("bytes=0-%d", n-1)}
	}
	if strings.EqualFold(r.Header.Get("X-GUploader-No-308"), "yes") {
		h["X-Http-Status-Code-Override"] = []string{"308"}
		return &reply{status: http.StatusOK, header: h}
	}
	return &reply{status: http.StatusPermanentRedirect, header: h}
}

// contentRange reads "bytes 0-99/200", "bytes 0-99/*" and the question "bytes */200".
// Without the header first is -1: the body is the whole message.
func contentRange(s string) (first, total int64, probe, ok bool) {
	if s == "" {
		return -1, -1, false, true
	}
	span, size, found := strings.Cut(strings.TrimSpace(strings.TrimPrefix(s, "bytes")), "/")
	if !found {
		return 0, 0, false, false
	}
	total = -1
	if size != "*" {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil || n < 0 {
			return 0, 0, false, false
		}
		total = n
	}
	if span == "*" {
		return 0, total, true, true
	}
	from, to, found := strings.Cut(span, "-")
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	if !found || err1 != nil || err2 != nil || first < 0 || last < first {
		return 0, 0, false, false
	}
	return first, total, false, true
}
