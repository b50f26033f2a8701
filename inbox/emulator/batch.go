package emulator

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
)

const (
	maxBatch     = 100
	maxBatchBody = 50 << 20
)

// serveBatch answers a multipart/mixed of inner requests. They run concurrently
// and in no promised order; answers stand in the order of the requests and carry
// their Content-ID.
func (s *Server) serveBatch(r *http.Request) *reply {
	outer := newInbound(r, "")
	if r.Method != http.MethodPost {
		return s.refuse(outer, nil, noSuchPath())
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/mixed" || params["boundary"] == "" {
		return s.refuse(outer, nil, batchError("Failed to parse batch request, error: Missing multipart/mixed boundary."))
	}
	body, tooBig := readBody(r, maxBatchBody)
	if tooBig != nil {
		return s.refuse(outer, nil, tooBig)
	}
	parts, err := readBatch(body, params["boundary"])
	if err != nil {
		return s.refuse(outer, nil, batchError("Failed to parse batch request, error: "+err.Error()))
	}
	if len(parts) > maxBatch {
		return s.refuse(outer, nil, batchError(fmt.Sprintf("Inner request count exceeds the limit. Received: %d, Limit: %d", len(parts), maxBatch)))
	}
	if token := bearer(outer); token != "" {
		if _, ok := s.auth.Lookup(token); !ok {
			return s.refuse(outer, nil, badCredentials())
		}
	}
	return s.runBatch(outer, parts)
}

func batchError(message string) *apiError {
	return global(400, "INVALID_ARGUMENT", "badRequest", message)
}

// innerRequest is one part of a batch.
type innerRequest struct {
	contentID string // verbatim
	verb      string
	path      string // escaped
	query     url.Values
	header    http.Header
	body      []byte
	bad       string // why it could not be read; "" when it could
}

// readBatch cuts a batch into its inner requests. A part that cannot be read
// fails alone; a broken envelope is an error.
func readBatch(body []byte, boundary string) ([]innerRequest, error) {
	var out []innerRequest
	mr := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := mr.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.New("malformed multipart body")
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, errors.New("malformed multipart body")
		}
		in := parseInner(data)
		in.contentID = part.Header.Get("Content-ID")
		if out = append(out, in); len(out) > 10*maxBatch {
			break // counted far enough to refuse it
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no requests in the batch")
	}
	return out, nil
}

// parseInner reads "GET /path HTTP/1.1", headers, a blank line and a body that
// ends with the part, whatever Content-Length says.
func parseInner(data []byte) innerRequest {
	text := textproto.NewReader(bufio.NewReader(bytes.NewReader(bytes.TrimLeft(data, "\r\n"))))
	line, err := text.ReadLine()
	fields := strings.Fields(line)
	if err != nil && !errors.Is(err, io.EOF) || len(fields) < 2 || len(fields) > 3 || !strings.HasPrefix(fields[1], "/") {
		return innerRequest{bad: "Failed to parse batch request, error: malformed inner request line."}
	}
	header, err := text.ReadMIMEHeader()
	if err != nil && !errors.Is(err, io.EOF) {
		return innerRequest{bad: "Failed to parse batch request, error: malformed inner headers."}
	}
	target, err := url.ParseRequestURI(fields[1])
	if err != nil {
		return innerRequest{bad: "Failed to parse batch request, error: malformed inner URL."}
	}
	body, err := io.ReadAll(text.R)
	if err != nil {
		return innerRequest{bad: "Failed to parse batch request, error: malformed inner body."}
	}
	return innerRequest{
		verb: fields[0], path: target.EscapedPath(), query: target.Query(), header: http.Header(header), body: body,
	}
}

// inherit gives an inner request the outer one's headers, except Content-*, and
// query parameters; its own win.
func (p innerRequest) inherit(outer *inbound) *inbound {
	in := &inbound{ctx: outer.ctx, verb: p.verb, path: p.path, body: p.body, admitted: true}
	in.header, in.query = http.Header{}, maps.Clone(outer.query)
	for name, values := range outer.header {
		if !strings.HasPrefix(name, "Content-") {
			in.header[name] = values
		}
	}
	maps.Copy(in.header, p.header)
	maps.Copy(in.query, p.query)
	return in
}

func (s *Server) runBatch(outer *inbound, parts []innerRequest) *reply {
	replies := make([]*reply, len(parts))
	over := s.overConcurrency(outer, parts)
	var wg sync.WaitGroup
	for i, p := range parts {
		wg.Go(func() { replies[i] = s.runInner(outer, p, i >= over) })
	}
	wg.Wait()
	var body bytes.Buffer
	boundary := "batch_" + newMessageID()[2:34]
	for i, r := range replies {
		if r.drop {
			return r
		}
		writeInner(&body, boundary, parts[i].contentID, r)
	}
	fmt.Fprintf(&body, "--%s--\r\n", boundary)
	return &reply{status: http.StatusOK, body: body.Bytes(), header: http.Header{
		"Content-Type": {"multipart/mixed; boundary=" + boundary},
		"Vary":         {"Origin", "X-Origin", "Referer"},
	}}
}

// overConcurrency is the index from which parts are refused because the user has
// too many calls in flight: all of a batch arrive at once.
func (s *Server) overConcurrency(outer *inbound, parts []innerRequest) int {
	if s.concurrency <= 0 {
		return len(parts)
	}
	info, ok := s.auth.Lookup(bearer(outer))
	if !ok {
		return len(parts)
	}
	return max(0, s.concurrency-s.inFlight.enter(strings.ToLower(info.Email), 0))
}

func (s *Server) runInner(outer *inbound, p innerRequest, refused bool) *reply {
	in := p.inherit(outer)
	switch {
	case p.bad != "":
		return s.refuse(in, nil, batchError(p.bad))
	case refused:
		return s.refuse(in, nil, tooConcurrent())
	case strings.HasPrefix(p.path, "/upload/") || strings.HasPrefix(p.path, "/resumable/"):
		return s.refuse(in, nil, batchError("Media upload is not supported in a batch."))
	case len(p.body) > maxJSONBody:
		return s.refuse(in, nil, tooLarge())
	}
	return s.serve(in)
}

func writeInner(out *bytes.Buffer, boundary, contentID string, r *reply) {
	fmt.Fprintf(out, "--%s\r\nContent-Type: application/http\r\n", boundary)
	if contentID != "" {
		fmt.Fprintf(out, "Content-ID: %s\r\n", responseID(contentID))
	}
	fmt.Fprintf(out, "\r\nHTTP/1.1 %d %s\r\n", r.status, http.StatusText(r.status))
	for _, name := range []string{"Content-Type", "Vary", "Www-Authenticate"} {
		for _, value := range r.header[name] {
			fmt.Fprintf(out, "%s: %s\r\n", name, value)
		}
	}
	if len(r.body) > 0 {
		fmt.Fprintf(out, "Content-Length: %d\r\n", len(r.body))
	}
	out.WriteString("\r\n")
	out.Write(r.body)
	out.WriteString("\r\n")
}

// responseID marks a Content-ID as an answer's: <x> becomes <response-x>, the rest verbatim.
func responseID(id string) string {
	if rest, ok := strings.CutPrefix(id, "<"); ok {
		return "<response-" + rest
	}
	return "response-" + id
}
