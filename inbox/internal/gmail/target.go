package gmail

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/totalengage/webmail/policy"
)

// errUnreadable is wrapped by every reason for which the guard cannot say what a request does.
var errUnreadable = errors.New("a request that cannot be recognised")

// route says how to recognise one Gmail method on the wire. Segments of pattern in braces are ids of the
// route's resource; other variables become parameters, and so are bound exactly.
type route struct {
	verb, pattern string
	operation     policy.Operation
	kind          policy.ResourceKind
	query         []string // parameters it may carry, beside those every call carries
	repeated      []string // of these, the ones that may occur several times
	free          []string // of these, the ones a grant leaves open: only history's position
	classes       []policy.DataClass
	byFormat      bool // classes depend on the format parameter
	fresh         bool // makes a resource
	upload        bool // may carry its message as an upload
	message       bool // must carry its message: what was decided is what leaves
	fixed         int  // members of a collection that has no maxResults
	ids           func(map[string]any) ([]string, error)
}

// routes are the methods that this client can call, and no others (MIN-1).
var routes = []route{
	{verb: "GET", pattern: "profile", operation: "getProfile", kind: policy.Mailbox, fixed: 1, classes: list(policy.Metadata)},
	{verb: "POST", pattern: "watch", operation: "watch", kind: policy.Mailbox, fresh: true, classes: list(policy.Metadata)},
	{verb: "GET", pattern: "labels", operation: "labels.list", kind: policy.Labels, fixed: 1000, classes: list(policy.Label)},
	{verb: "GET", pattern: "labels/{id}", operation: "labels.get", kind: policy.Labels, classes: list(policy.Label)},
	{verb: "GET", pattern: "messages", operation: "messages.list", kind: policy.Messages, classes: list(policy.Metadata),
		query: list("q", "labelIds", "maxResults", "pageToken", "includeSpamTrash", "fields")},
	{verb: "GET", pattern: "messages/{id}", operation: "messages.get", kind: policy.Messages, byFormat: true,
		query: list("format", "metadataHeaders", "fields"), repeated: list("metadataHeaders")},
	{verb: "GET", pattern: "messages/{id}/attachments/:attachment", operation: "messages.attachments.get", kind: policy.Messages, classes: list(policy.Attachment)},
	{verb: "POST", pattern: "messages/batchModify", operation: "messages.batchModify", kind: policy.Messages, classes: list(policy.Label), ids: idsInBody},
	{verb: "GET", pattern: "threads/{id}", operation: "threads.get", kind: policy.Threads, byFormat: true,
		query: list("format", "metadataHeaders", "fields"), repeated: list("metadataHeaders")},
	{verb: "POST", pattern: "threads/{id}/modify", operation: "threads.modify", kind: policy.Threads, classes: list(policy.Label, policy.Metadata), query: list("fields")},
	{verb: "POST", pattern: "threads/{id}/trash", operation: "threads.trash", kind: policy.Threads, classes: list(policy.Label, policy.Metadata), query: list("fields")},
	{verb: "POST", pattern: "threads/{id}/untrash", operation: "threads.untrash", kind: policy.Threads, classes: list(policy.Label, policy.Metadata), query: list("fields")},
	{verb: "GET", pattern: "history", operation: "history.list", kind: policy.History, classes: list(policy.Metadata, policy.Label),
		query: list("startHistoryId", "maxResults", "pageToken", "historyTypes"), repeated: list("historyTypes"), free: list("startHistoryId", "pageToken")},
	{verb: "GET", pattern: "drafts", operation: "drafts.list", kind: policy.Drafts, classes: list(policy.Metadata),
		query: list("q", "maxResults", "pageToken", "fields")},
	{verb: "GET", pattern: "drafts/{id}", operation: "drafts.get", kind: policy.Drafts, byFormat: true, query: list("format", "fields")},
	{verb: "POST", pattern: "drafts", operation: "drafts.create", kind: policy.Drafts, fresh: true, upload: true, classes: written, query: list("fields")},
	{verb: "PUT", pattern: "drafts/{id}", operation: "drafts.update", kind: policy.Drafts, upload: true, classes: written, query: list("fields")},
	{verb: "DELETE", pattern: "drafts/{id}", operation: "drafts.delete", kind: policy.Drafts, classes: list(policy.Metadata)},
	{verb: "POST", pattern: "drafts/send", operation: "drafts.send", kind: policy.Drafts, upload: true, message: true, classes: written, query: list("fields"), ids: idInBody},
}

var written = []policy.DataClass{policy.Header, policy.Body, policy.Attachment}

func list[T any](items ...T) []T { return items }

// usersPath is where every method starts; the client speaks for "me" alone.
const usersPath = "/gmail/v1/users/me/"

// targetOf derives what a single request does, from nothing but the request itself.
func targetOf(req *http.Request) (policy.Target, error) {
	if req.Header.Get("X-HTTP-Method-Override") != "" {
		return policy.Target{}, fmt.Errorf("%w: a method override", errUnreadable)
	}
	path, upload := strings.CutPrefix(req.URL.EscapedPath(), "/upload")
	rest, ok := strings.CutPrefix(path, usersPath)
	if !ok || req.URL.Opaque != "" { // an opaque URL would be sent instead of the path
		return policy.Target{}, fmt.Errorf("%w: an unknown path", errUnreadable)
	}
	for _, r := range routes {
		if vars, ok := r.match(req.Method, rest); ok {
			return r.target(req, vars, upload)
		}
	}
	return policy.Target{}, fmt.Errorf("%w: an unknown method", errUnreadable)
}

// match compares path segments; a literal pattern comes before the one with a variable in the table only
// where both could match ("messages/batchModify" is a POST, "messages/{id}" a GET).
func (r route) match(verb, path string) (map[string]string, bool) {
	if verb != r.verb {
		return nil, false
	}
	want, got := strings.Split(r.pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	vars := map[string]string{}
	for i, w := range want {
		if w != "{id}" && !strings.HasPrefix(w, ":") {
			if w != got[i] {
				return nil, false
			}
			continue
		}
		v, err := url.PathUnescape(got[i])
		if err != nil || v == "" || strings.ContainsAny(v, "/?#") || v == "." || v == ".." {
			return nil, false
		}
		vars[strings.Trim(w, "{}:")] = v
	}
	return vars, true
}

func (r route) target(req *http.Request, vars map[string]string, upload bool) (policy.Target, error) {
	t := policy.Target{Operation: r.operation, Resource: policy.Resource{Kind: r.kind, New: r.fresh, Max: r.fixed}}
	body, err := readBody(req)
	if err != nil {
		return t, err
	}
	// An upload says so in path, parameter and body, or Gmail would read its body in another way than this.
	if upload != body.upload || upload != req.URL.Query().Has("uploadType") || upload && !r.upload {
		return t, fmt.Errorf("%w: half an upload", errUnreadable)
	}
	if r.message && !body.hasRaw {
		return t, fmt.Errorf("%w: a send without its message", errUnreadable)
	}
	if id := vars["id"]; id != "" {
		t.Resource.IDs = []string{id}
	}
	if r.ids != nil {
		if t.Resource.IDs, err = r.ids(body.fields); err != nil {
			return t, err
		}
	}
	params, format, err := r.params(req.URL, vars, &t.Resource)
	if err != nil {
		return t, err
	}
	t.Params, t.Body = params, body.digest()
	t.Classes = r.classes
	if r.upload && body.plain {
		t.Classes = writtenPlain
	}
	if r.byFormat {
		t.Classes = classesOf(format)
	}
	return t, nil
}

// params gives the canonical query: sorted, without what every call carries, without the free ones. Label
// and size of a listing become part of its resource.
func (r route) params(u *url.URL, vars map[string]string, res *policy.Resource) (canonical, format string, err error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", "", fmt.Errorf("%w: a malformed query", errUnreadable)
	}
	kept := url.Values{}
	for name, values := range query {
		switch {
		case name == "alt" && values[0] == "json", name == "prettyPrint" && values[0] == "false", name == "uploadType" && values[0] == "multipart":
			if len(values) != 1 {
				return "", "", fmt.Errorf("%w: a repeated parameter", errUnreadable)
			}
			continue
		case !slices.Contains(r.query, name):
			return "", "", fmt.Errorf("%w: an unknown parameter", errUnreadable)
		case len(values) != 1 && !slices.Contains(r.repeated, name):
			return "", "", fmt.Errorf("%w: a repeated parameter", errUnreadable)
		case name == "labelIds":
			res.Label = values[0]
		case name == "maxResults":
			if res.Max, err = strconv.Atoi(values[0]); err != nil || res.Max < 1 {
				return "", "", fmt.Errorf("%w: a bad maxResults", errUnreadable)
			}
		case slices.Contains(r.free, name):
			// position in the history: a grant covers the polls that follow each other
		default:
			slices.Sort(values)
			kept[name] = values
		}
	}
	for name, value := range vars {
		if name != "id" {
			kept.Set(name, value)
		}
	}
	return kept.Encode(), query.Get("format"), nil
}

// classesOf says what an answer in the given format holds. Every format carries the snippet, an excerpt of the body.
func classesOf(format string) []policy.DataClass {
	switch format {
	case "minimal":
		return list(policy.Metadata, policy.Body)
	case "metadata", "full", "":
		return list(policy.Metadata, policy.Header, policy.Body)
	default: // raw, and whatever may come
		return list(policy.Metadata, policy.Header, policy.Body, policy.Attachment)
	}
}

// content is a request's body taken apart: the JSON without ids and without the message, and the message's hash.
type content struct {
	fields map[string]any
	raw    [sha256.Size]byte
	hasRaw bool
	plain  bool // the message is one text
	upload bool
}

// digest binds the body in canonical form, the same for a message in JSON and in an upload.
func (c content) digest() policy.Digest {
	if len(c.fields) == 0 && !c.hasRaw {
		return policy.Digest{}
	}
	canonical, err := json.Marshal(c.fields) // sorted keys
	if err != nil {
		panic(err) // decoded from JSON
	}
	return sha256.Sum256(append(append(canonical, 0), c.raw[:]...))
}

// readBody takes the body apart and puts it back.
func readBody(req *http.Request) (content, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return content{}, nil
	}
	if media, params, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err == nil && media == "multipart/related" && req.GetBody != nil {
		return readUpload(req, params["boundary"])
	}
	data, err := io.ReadAll(io.LimitReader(req.Body, maxRequest+1))
	if err != nil {
		return content{}, fmt.Errorf("%w: its body cannot be read", errUnreadable)
	}
	req.Body.Close()
	if len(data) > maxRequest {
		return content{}, fmt.Errorf("%w: its body is larger than %d bytes", errUnreadable, maxRequest)
	}
	req.Body = io.NopCloser(bytes.NewReader(data))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	req.ContentLength = int64(len(data))
	return parseContent(req.Header.Get("Content-Type"), data)
}

// maxRequest is a little above Gmail's 35 MiB for an upload and its envelope.
const maxRequest = 36<<20 + 1<<16

func parseContent(contentType string, data []byte) (content, error) {
	if len(data) == 0 {
		return content{}, nil
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return content{}, fmt.Errorf("%w: no content type", errUnreadable)
	}
	switch media {
	case "application/json":
		if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
			return content{}, fmt.Errorf("%w: another charset", errUnreadable)
		}
		return parseJSON(data)
	case "multipart/related":
		return parseUpload(multipart.NewReader(bytes.NewReader(data), params["boundary"]))
	}
	return content{}, fmt.Errorf("%w: an unknown content type", errUnreadable)
}

func parseJSON(data []byte) (content, error) {
	var c content
	if repeatedKey(json.NewDecoder(bytes.NewReader(data))) {
		return c, fmt.Errorf("%w: its JSON says something twice", errUnreadable)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&c.fields); err != nil {
		return c, fmt.Errorf("%w: its JSON does not parse", errUnreadable)
	}
	if _, err := dec.Token(); err != io.EOF {
		return c, fmt.Errorf("%w: something follows its JSON", errUnreadable)
	}
	holder := c.fields
	if m, ok := c.fields["message"].(map[string]any); ok {
		holder = m
	}
	if raw, ok := holder["raw"].(string); ok {
		message, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(raw, "="))
		if err != nil {
			return c, fmt.Errorf("%w: its message is not base64url", errUnreadable)
		}
		c.raw, c.hasRaw, c.plain = sha256.Sum256(message), true, plainText(message)
		delete(holder, "raw")
	}
	return c, nil
}

// repeatedKey says whether an object of the document names a key twice: parsers differ in which they believe.
func repeatedKey(dec *json.Decoder) bool {
	type level struct {
		keys map[string]bool // nil in an array
		key  bool            // a key comes next
	}
	var open []level
	for {
		token, err := dec.Token()
		if err != nil {
			return false // the end, or an error that decoding will find
		}
		top := len(open) - 1
		if delim, ok := token.(json.Delim); ok {
			switch delim {
			case '{':
				open = append(open, level{keys: map[string]bool{}, key: true})
			case '[':
				open = append(open, level{})
			default:
				open = open[:top]
				top--
				if top >= 0 {
					open[top].key = open[top].keys != nil
				}
			}
			continue
		}
		if top < 0 || open[top].keys == nil {
			continue
		}
		if open[top].key {
			name, _ := token.(string)
			if open[top].keys[name] {
				return true
			}
			open[top].keys[name] = true
		}
		open[top].key = !open[top].key
	}
}

// parseUpload reads a multipart/related upload: exactly the JSON, then the message.
func parseUpload(r *multipart.Reader) (content, error) {
	meta, err := r.NextRawPart()
	if err != nil {
		return content{}, fmt.Errorf("%w: an upload without metadata", errUnreadable)
	}
	if !plainPart(meta, "application/json") {
		return content{}, fmt.Errorf("%w: an upload of an unknown shape", errUnreadable)
	}
	data, err := io.ReadAll(meta)
	if err != nil {
		return content{}, fmt.Errorf("%w: an upload cut short", errUnreadable)
	}
	c, err := parseJSON(data)
	if err != nil {
		return c, err
	}
	message, err := r.NextRawPart()
	if err != nil || c.hasRaw || !plainPart(message, "message/rfc822") {
		return c, fmt.Errorf("%w: an upload of an unknown shape", errUnreadable)
	}
	h := sha256.New()
	if _, err := io.Copy(h, message); err != nil {
		return c, fmt.Errorf("%w: an upload cut short", errUnreadable)
	}
	if _, err := r.NextRawPart(); err != io.EOF {
		return c, fmt.Errorf("%w: an upload with more than two parts", errUnreadable)
	}
	h.Sum(c.raw[:0])
	c.hasRaw, c.upload = true, true
	return c, nil
}

// plainPart says whether a part has this content type and no other header.
func plainPart(p *multipart.Part, want string) bool {
	media, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
	return err == nil && media == want && len(p.Header) == 1
}

func idsInBody(fields map[string]any) ([]string, error) {
	items, _ := fields["ids"].([]any)
	ids := make([]string, 0, len(items))
	for _, item := range items {
		id, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("%w: ids that are not strings", errUnreadable)
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w: no ids", errUnreadable)
	}
	delete(fields, "ids")
	return ids, nil
}

func idInBody(fields map[string]any) ([]string, error) {
	id, ok := fields["id"].(string)
	if !ok || id == "" {
		return nil, fmt.Errorf("%w: no draft id", errUnreadable)
	}
	delete(fields, "id")
	return []string{id}, nil
}
