package frontend

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/frontend/traffic"
)

// request is the record of one request: filled on its way, logged once at its end. It holds no path
// variables, no query and no address.
type request struct {
	id      string
	route   string // pattern, not path
	status  int
	problem string // code
	cause   error
}

type requestKey struct{}

func recordOf(r *http.Request) *request {
	rec, _ := r.Context().Value(requestKey{}).(*request)
	if rec == nil {
		return &request{}
	}
	return rec
}

func note(r *http.Request, route string) { recordOf(r).route = route }

func noteProblem(r *http.Request, p api.Problem, cause error) {
	rec := recordOf(r)
	rec.problem, rec.cause = p.Code, cause
}

func requestID(r *http.Request) string { return recordOf(r).id }

// observe gives each request an id and logs it once. A panic becomes an internal error.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, start := &request{id: rand.Text()}, time.Now()
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, rec))
		sw := &statusWriter{ResponseWriter: w}
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler {
				// The panic's value can hold data of the request: only where it happened is logged.
				s.Logger.Error("panic", "request", rec.id, "route", rec.route, "stack", places(debug.Stack()))
				if sw.status == 0 {
					s.answer(sw, r, errPanic)
				}
			}
			rec.status = sw.status
			s.log(r.Method, rec, time.Since(start))
			s.count(r.Method, rec, sw.Header(), time.Since(start))
			if p == http.ErrAbortHandler {
				panic(p) // the connection ends here: what was sent must not look complete
			}
		}()
		next.ServeHTTP(sw, r)
	})
}

// count adds the request to the figures that operations see: by route, never by account.
func (s *Server) count(method string, rec *request, h http.Header, took time.Duration) {
	if strings.HasPrefix(h.Get("Content-Type"), "text/event-stream") {
		took = traffic.Streamed
	}
	s.traffic.Add(method, rec.route, rec.status, took)
}

func (s *Server) log(method string, rec *request, took time.Duration) {
	level, attrs := slog.LevelDebug, []any{"request", rec.id, "method", method, "route", rec.route, "status", rec.status, "ms", took.Milliseconds()}
	if rec.problem != "" {
		attrs = append(attrs, "problem", rec.problem)
	}
	if rec.status >= 500 {
		level = slog.LevelError
		attrs = append(attrs, "cause", causeOf(rec.cause))
	}
	s.Logger.Log(context.Background(), level, "request", attrs...)
}

// causeOf names an error for operators: the room and what it attempted. What a library adds can hold addresses
// and is cut off; an error of a library alone is cut to its type.
func causeOf(err error) string {
	if err == nil {
		return ""
	}
	if problemOf(err).Code != "internal" {
		return problemOf(err).Code
	}
	room, rest, ok := strings.Cut(err.Error(), ": ")
	if !ok || !slices.Contains(rooms, room) {
		return fmt.Sprintf("%T", err)
	}
	what, _, _ := strings.Cut(rest, ": ")
	return room + ": " + what
}

// rooms are the packages whose errors begin with their name and what was attempted.
var rooms = []string{"agreement", "inbox", "oauth", "consent", "policy", "decisionlog", "database", "frontend", "gmail", "platform", "aggregate"}

// places keeps the function lines of a stack trace, which hold no values.
func places(stack []byte) string {
	var out []string
	for line := range strings.Lines(string(stack)) {
		if strings.HasPrefix(line, "\t") {
			file, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			out = append(out, file[strings.LastIndexByte(file, '/')+1:])
		}
	}
	return strings.Join(out, " ")
}

// statusWriter remembers the status; flushing reaches the writer below through Unwrap.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// secure sets the headers that every answer has, unless its handler sets stricter ones, and bounds what a
// request may bring.
func (s *Server) secure(next http.Handler) http.Handler {
	csp := s.pagePolicy()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()")
		if s.origin.Scheme == "https" {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
		next.ServeHTTP(w, r)
	})
}

// pagePolicy is the page's Content-Security-Policy (FRONTEND 6): no inline script or style, nothing from
// elsewhere, and DOM sinks only through the one policy that Svelte names. Forms may lead to the sign-in
// providers, because Chromium applies form-action to the redirects that follow a form.
func (s *Server) pagePolicy() string {
	return strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "font-src 'self'", "connect-src 'self'", "frame-src 'self'",
		"manifest-src 'self'", "base-uri 'none'", "form-action " + strings.Join(append([]string{"'self'"}, s.forms...), " "), "frame-ancestors 'none'",
		"require-trusted-types-for 'script'", "trusted-types svelte-trusted-html",
	}, "; ")
}
