package gmail

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/totalengage/webmail/policy"
)

// Tokens opens access tokens for grants; the token vault implements it.
type Tokens interface {
	// Token returns an access token for the grant's account. It checks the grant itself.
	Token(ctx context.Context, grant *policy.Grant) (string, error)
	// Invalidate drops a token that Gmail refused, so that the next Token is a new one.
	Invalidate(account policy.AccountID, token string)
}

// guard is the transport of a client made for one grant. Nothing passes that the grant does not cover.
type guard struct {
	gate   *policy.Gate
	grant  *policy.Grant
	tokens Tokens
	next   *accountSender // quota, retries, network
	scheme string
	host   string // the only host it speaks to
}

// checkHeaders refuses every header that is not known to change nothing: headers can override the method,
// choose another upload protocol, encode the body or bring credentials.
func checkHeaders(req *http.Request, allowed ...string) error {
	for name, values := range req.Header {
		if !slices.Contains(allowed, name) || len(values) != 1 {
			return fmt.Errorf("%w: an unknown or repeated header", errUnreadable)
		}
	}
	if len(req.TransferEncoding) > 0 || len(req.Trailer) > 0 {
		return fmt.Errorf("%w: a transfer encoding", errUnreadable)
	}
	return nil
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	uses, err := g.check(req)
	if err != nil {
		return nil, ours{err}
	}
	n, idempotent := costOf(uses)
	n.urgency = urgencyOf(req.Context())
	for attempt := 0; ; attempt++ {
		token, err := g.tokens.Token(req.Context(), g.grant)
		if err != nil {
			return nil, ours{err}
		}
		res, err := g.next.send(authorized(req, token), n, idempotent)
		if err != nil || res.StatusCode != http.StatusUnauthorized || attempt > 0 || req.GetBody == nil && req.Body != nil {
			return res, err
		}
		// Gmail sometimes refuses a good token: one new token, one repetition (GMAIL.md 2.4). A request
		// refused with 401 did nothing, so this is safe for sends as well.
		drain(res)
		g.tokens.Invalidate(g.grant.Account(), token)
	}
}

// check reads the request and asks the gate whether the grant covers all that it does.
func (g *guard) check(req *http.Request) ([]policy.Target, error) {
	if req.URL.Scheme != g.scheme || req.URL.Host != g.host || req.Host != "" && req.Host != g.host || req.URL.User != nil {
		return nil, &policy.NotCovered{Why: "another host"}
	}
	if err := checkHeaders(req, "Content-Type", "User-Agent", "X-Goog-Api-Client"); err != nil {
		return nil, &policy.NotCovered{Why: err.Error()}
	}
	uses, err := targetsOf(req)
	if err != nil {
		return nil, &policy.NotCovered{Why: err.Error()}
	}
	return uses, g.gate.Use(req.Context(), g.grant, uses...)
}

// authorized clones the request with the token and a fresh body.
func authorized(req *http.Request, token string) *http.Request {
	out := req.Clone(req.Context())
	out.Header.Set("Authorization", "Bearer "+token)
	if req.GetBody != nil {
		out.Body, _ = req.GetBody() // over bytes in memory: cannot fail
	}
	return out
}

// targetsOf derives what a request does: one target, or one for each part of a batch.
func targetsOf(req *http.Request) ([]policy.Target, error) {
	if req.Method == http.MethodPost && req.URL.Opaque == "" && req.URL.EscapedPath() == batchPath {
		return batchTargets(req)
	}
	t, err := targetOf(req)
	return []policy.Target{t}, err
}

func batchTargets(req *http.Request) ([]policy.Target, error) {
	if req.URL.RawQuery != "" || req.Body == nil {
		return nil, fmt.Errorf("%w: a batch with parameters or without a body", errUnreadable)
	}
	data, err := bodyBytes(req)
	if err != nil {
		return nil, err
	}
	media, params, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || media != "multipart/mixed" || len(params) != 1 {
		return nil, fmt.Errorf("%w: a batch of another content type", errUnreadable)
	}
	var targets []policy.Target
	parts := multipart.NewReader(bytes.NewReader(data), params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return targets, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: a malformed batch", errUnreadable)
		}
		t, err := partTarget(part)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
}

// partTarget reads one part of a batch: exactly one request, with nothing around it that another parser
// could take for something else.
func partTarget(part *multipart.Part) (policy.Target, error) {
	for name := range part.Header {
		if name != "Content-Type" && name != "Content-Id" {
			return policy.Target{}, fmt.Errorf("%w: a part with another header", errUnreadable)
		}
	}
	if part.Header.Get("Content-Type") != "application/http" {
		return policy.Target{}, fmt.Errorf("%w: a part of another content type", errUnreadable)
	}
	r := bufio.NewReader(part)
	inner, err := http.ReadRequest(r)
	if err != nil {
		return policy.Target{}, fmt.Errorf("%w: a malformed part", errUnreadable)
	}
	// An inner header would win over the outer one: no part brings its own credentials or host.
	if err := checkHeaders(inner, "Content-Type", "Content-Length"); err != nil {
		return policy.Target{}, err
	}
	if inner.Host != "" || strings.HasPrefix(inner.URL.Path, "/upload") {
		return policy.Target{}, fmt.Errorf("%w: a part with its own host or upload", errUnreadable)
	}
	t, err := targetOf(inner)
	if err != nil {
		return t, err
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return t, fmt.Errorf("%w: something follows a part's request", errUnreadable)
	}
	return t, nil
}

// bodyBytes reads a body and puts it back.
func bodyBytes(req *http.Request) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(req.Body, maxRequest+1))
	if err != nil || len(data) > maxRequest {
		return nil, fmt.Errorf("%w: its body cannot be read", errUnreadable)
	}
	req.Body.Close()
	req.Body = io.NopCloser(bytes.NewReader(data))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return data, nil
}

func drain(res *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	res.Body.Close()
}
