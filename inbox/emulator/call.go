package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox/emulator/internal/fieldmask"
)

// inbound is one API request, from its own HTTP request or from a batch.
type inbound struct {
	ctx    context.Context
	verb   string
	path   string // escaped, begins /gmail/v1/
	query  url.Values
	header http.Header
	body   []byte
	// media is an uploaded message; nil when the request is no upload.
	media    []byte
	isUpload bool
	// admitted says that the concurrency limit was checked for the whole batch.
	admitted bool
}

// reply is the answer to an inbound.
type reply struct {
	status int
	header http.Header
	body   []byte
	// drop closes the connection instead of answering.
	drop bool
}

// call is a request that passed every check, as a handler sees it.
type call struct {
	srv    *Server
	method *Method
	box    *mailbox
	scopes []string
	// project is the OAuth client that the token was given to.
	project string
	path    map[string]string // path parameters, unescaped
	query   url.Values
	body    []byte
	media   []byte
	upload  bool
	// emptyPage asks history.list for a page without records.
	emptyPage bool
}

const apiPrefix = "/gmail/v1/users/"

// serve answers one API request.
func (s *Server) serve(in *inbound) *reply {
	method, params, user, ok := locate(in)
	if !ok {
		return s.refuse(in, nil, noSuchPath())
	}
	s.stats.add(func(c *Stats) { c.Requests++; c.Methods[method.ID]++ })
	c, mask, err := s.admit(in, method, params, user)
	if err != nil {
		return s.refuse(in, method, err)
	}
	user = c.box.email
	if n := s.inFlight.enter(user, 1); !in.admitted && s.concurrency > 0 && n > s.concurrency {
		s.inFlight.enter(user, -1)
		return s.refuse(in, method, tooConcurrent())
	}
	defer s.inFlight.enter(user, -1)
	fault, faulty := s.faults.next(method.ID, user, c.path)
	if faulty {
		switch fault.Kind {
		case FaultStatus, FaultRetryAfter:
			return s.refuse(in, method, fault.answer(s.now()))
		case FaultDropBefore:
			return &reply{drop: true}
		case FaultSlow:
			wait(in.ctx, time.Duration(fault.DelayMS)*time.Millisecond)
		case FaultEmptyPage:
			c.emptyPage = true
		}
	}
	result, failure := handle(c)
	if faulty && fault.Kind == FaultDropAfter {
		return &reply{drop: true}
	}
	if s.journal.broken() {
		failure = usualError(http.StatusInternalServerError) // what was done is not kept
	}
	if failure != nil {
		return s.refuse(in, method, failure)
	}
	s.logf("%s 200", method.ID)
	if result == nil {
		return &reply{status: http.StatusNoContent, header: http.Header{}}
	}
	return s.answer(in, mask, result)
}

// locate finds the method and splits off the userId.
func locate(in *inbound) (m *Method, params map[string]string, user string, ok bool) {
	rest, ok := strings.CutPrefix(in.path, apiPrefix)
	if !ok {
		return nil, nil, "", false
	}
	segments := strings.Split(rest, "/")
	m, params = route(in.verb, segments[1:])
	if m == nil || in.isUpload && m.MaxMedia == 0 {
		return nil, nil, "", false
	}
	for name, value := range params {
		plain, err := url.PathUnescape(value)
		if err != nil {
			return nil, nil, "", false
		}
		params[name] = plain
	}
	user, err := url.PathUnescape(segments[0])
	return m, params, user, err == nil
}

// admit checks everything that does not depend on the method's own rules: token,
// scope, parameters, whose mailbox, quota, body.
func (s *Server) admit(in *inbound, m *Method, params map[string]string, user string) (*call, fieldmask.Mask, *apiError) {
	token := bearer(in)
	if token == "" {
		return nil, nil, noCredentials(m)
	}
	info, ok := s.auth.Lookup(token)
	if !ok {
		return nil, nil, badCredentials()
	}
	if !m.allows(info.Scopes) {
		return nil, nil, scopeMissing(m)
	}
	mask, err := checkQuery(m, in.query)
	if err != nil {
		return nil, nil, err
	}
	if user != "me" && !strings.EqualFold(user, info.Email) {
		return nil, nil, forbidden("Delegation denied for " + strings.ToLower(info.Email))
	}
	box := s.mailbox(info.Email)
	if box == nil {
		return nil, nil, failedPrecondition("Mail service not enabled")
	}
	units := m.Cost(s.quota.table)
	if err := s.quota.take(info.ClientID, box.email, units); err != nil {
		return nil, nil, err
	}
	s.stats.add(func(c *Stats) { c.Units += units })
	body := in.body
	if len(bytes.TrimSpace(body)) == 0 || m.Request == "" {
		body = []byte("{}")
	} else if err := checkBody(m.Request, body); err != nil {
		return nil, nil, err
	}
	return &call{
		srv: s, method: m, box: box, scopes: info.Scopes, project: info.ClientID, path: params, query: in.query,
		body: body, media: in.media, upload: in.isUpload,
	}, mask, nil
}

// bearer is the access token: in the header, or in the two parameters Google also takes.
func bearer(in *inbound) string {
	if scheme, token, ok := strings.Cut(in.header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if t := in.query.Get("access_token"); t != "" {
		return t
	}
	return in.query.Get("oauth_token")
}

// checkQuery refuses unknown and unreadable parameters and reads the field mask.
func checkQuery(m *Method, query url.Values) (fieldmask.Mask, *apiError) {
	own := parseParams(m.Query)
	for name, values := range query {
		p, known := own[name]
		if !known {
			p, known = globalParams[name]
		}
		if !known && name == "upload_id" {
			continue // the upload protocol's own
		}
		if !known {
			message := "Invalid JSON payload received. Unknown name \"" + name + "\": Cannot bind query parameter. " +
				"Field '" + name + "' could not be found in request message."
			return nil, invalidPayload(message, "")
		}
		for _, v := range values {
			if v != "" && !parses(p.kind, v) {
				return nil, wrongParameter(name, p.kind, v)
			}
		}
	}
	if alt := query.Get("alt"); alt == "media" || alt == "proto" {
		return nil, badRequest("alt=" + alt + " is not supported for this method.")
	}
	if !query.Has("fields") || query.Get("fields") == "" {
		return nil, nil
	}
	mask, err := fieldmask.Parse(query.Get("fields"))
	if err == nil {
		err = mask.Check(func(path []string) bool { return knownPath(m.Response, path) })
	}
	if syntax := (*fieldmask.SyntaxError)(nil); errors.As(err, &syntax) {
		return nil, invalidFields(syntax.Selector)
	}
	return mask, nil
}

func wrongParameter(name, kind, value string) *apiError {
	shown := "TYPE_" + strings.ToUpper(kind)
	if strings.Contains(kind, "|") {
		shown = "type.googleapis.com/google.gmail.v1." + title(name)
	}
	return invalidPayload("Invalid value at '"+snake(name)+"' ("+shown+"), \""+value+"\"", snake(name))
}

// answer encodes a result.
func (s *Server) answer(in *inbound, mask fieldmask.Mask, result any) *reply {
	body, err := json.Marshal(result)
	if err == nil && mask != nil {
		body, err = mask.Apply(body)
	}
	if err != nil {
		panic(err) // our own resources always encode
	}
	return jsonReply(http.StatusOK, body, in.query)
}

func (s *Server) refuse(in *inbound, m *Method, failure error) *reply {
	e := (*apiError)(nil)
	if !errors.As(failure, &e) {
		panic(failure) // handlers fail with apiErrors only
	}
	id := "?"
	if m != nil {
		id = m.ID
	}
	s.logf("%s %d", id, e.code)
	var r *reply
	if e.html {
		r = &reply{status: e.code, header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}}, body: e.body()}
	} else {
		r = jsonReply(e.code, e.body(), in.query)
	}
	for name, values := range e.header {
		r.header[name] = values
	}
	return r
}

func jsonReply(status int, body []byte, query url.Values) *reply {
	if query.Get("prettyPrint") != "false" {
		var out bytes.Buffer
		if err := json.Indent(&out, body, "", "  "); err != nil {
			panic(err) // the body was encoded here
		}
		out.WriteByte('\n')
		body = out.Bytes()
	}
	return &reply{status: status, body: body, header: http.Header{
		"Content-Type": {"application/json; charset=UTF-8"},
		"Vary":         {"Origin", "X-Origin", "Referer"},
	}}
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
