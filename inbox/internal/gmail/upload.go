package gmail

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
)

// Content is a message that need not be in memory as a whole. It can be read any number of times, and is always the
// same. What is decided is a digest of it, so a content that changes is not sent.
type Content interface {
	Open() (io.ReadCloser, error)
	Size() int64
}

// inMemory is content that is in memory after all.
type inMemory []byte

func (b inMemory) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
func (b inMemory) Size() int64                  { return int64(len(b)) }

// UploadDraft is CreateDraft for a message of any size, read as it is sent (10 units).
func UploadDraft(c Content, thread string) Call[*Draft] {
	return upload[*Draft](http.MethodPost, "drafts", &Draft{Message: &Message{ThreadId: thread}}, c)
}

// UploadUpdate is UpdateDraft for a message of any size (15 units).
func UploadUpdate(id string, c Content, thread string) Call[*Draft] {
	return upload[*Draft](http.MethodPut, "drafts/"+escaped(id), &Draft{Message: &Message{ThreadId: thread}}, c)
}

// UploadSend is SendDraft for a message of any size (100 units).
func UploadSend(id string, c Content, thread string) Call[*Message] {
	return upload[*Message](http.MethodPost, "drafts/send", &Draft{Id: id, Message: &Message{ThreadId: thread}}, c)
}

// upload sends a draft in one multipart request; resuming is of no use to a send that must not be repeated. Google's
// client would do it, but it cannot read its media twice: once to decide, once to send.
func upload[T any](verb, path string, d *Draft, c Content) Call[T] {
	return Call[T]{run: func(ctx context.Context, w wire) (none T, err error) {
		meta, err := json.Marshal(d)
		if err != nil {
			return none, err
		}
		boundary := rand.Text()
		p := parcel{
			head: fmt.Sprintf("--%s\r\nContent-Type: application/json\r\n\r\n%s\r\n--%s\r\nContent-Type: message/rfc822\r\n\r\n", boundary, meta, boundary),
			tail: fmt.Sprintf("\r\n--%s--\r\n", boundary), content: c,
		}
		req, err := http.NewRequestWithContext(ctx, verb, strings.TrimSuffix(w.base, "/")+"/upload"+usersPath+path+"?alt=json&prettyPrint=false&uploadType=multipart", nil)
		if err != nil {
			return none, err
		}
		req.Header.Set("Content-Type", "multipart/related; boundary="+boundary)
		req.Header.Set("User-Agent", userAgent)
		req.ContentLength = int64(len(p.head)) + c.Size() + int64(len(p.tail))
		req.GetBody = func() (io.ReadCloser, error) { return p.open(), nil }
		req.Body = p.open()
		res, err := w.client.Do(req)
		if err != nil {
			return none, unwrapURL(err)
		}
		defer res.Body.Close()
		if res.StatusCode >= 300 {
			return none, envelopeError(res)
		}
		var answer T
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			return none, &Error{Kind: Upstream, Status: res.StatusCode, Err: errors.New("an answer that is not JSON")}
		}
		return answer, nil
	}}
}

// parcel is the body of an upload: metadata, then the message.
type parcel struct {
	head, tail string
	content    Content
}

func (p parcel) open() io.ReadCloser {
	message := &opened{open: p.content.Open}
	return &unpacked{io.MultiReader(strings.NewReader(p.head), message, strings.NewReader(p.tail)), message}
}

type unpacked struct {
	io.Reader
	io.Closer
}

// opened opens its content at the first Read: many bodies are made that nobody reads.
type opened struct {
	open func() (io.ReadCloser, error)
	body io.ReadCloser
	err  error
}

func (o *opened) Read(p []byte) (int, error) {
	if o.body == nil && o.err == nil {
		o.body, o.err = o.open()
	}
	if o.err != nil {
		return 0, o.err
	}
	return o.body.Read(p)
}

func (o *opened) Close() error {
	if o.body == nil {
		o.err = errors.New("gmail: a body that was closed")
		return nil
	}
	return o.body.Close()
}

// readUpload takes an upload apart without holding it, and pins it: from here on its body is the one that was read,
// or it does not come to its end.
func readUpload(req *http.Request, boundary string) (content, error) {
	body, err := req.GetBody()
	if err != nil {
		return content{}, fmt.Errorf("%w: its body cannot be read", errUnreadable)
	}
	defer body.Close()
	counted := &count{hash: sha256.New()}
	tee := io.TeeReader(io.LimitReader(body, maxRequest+1), counted)
	c, err := parseUpload(multipart.NewReader(tee, boundary))
	if err != nil {
		return c, err
	}
	if _, err := io.Copy(io.Discard, tee); err != nil || counted.n > maxRequest {
		return c, fmt.Errorf("%w: its body is larger than %d bytes", errUnreadable, maxRequest)
	}
	again := req.GetBody
	if p, ok := body.(*pinned); ok {
		again = p.again
	}
	want := [sha256.Size]byte(counted.hash.Sum(nil))
	req.GetBody = func() (io.ReadCloser, error) {
		body, err := again()
		return &pinned{ReadCloser: body, again: again, hash: sha256.New(), want: want, left: counted.n}, err
	}
	req.Body.Close()
	req.Body, err = req.GetBody()
	req.ContentLength = counted.n
	return c, err
}

// count hashes and counts what is written to it.
type count struct {
	hash hash.Hash
	n    int64
}

func (c *count) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.hash.Write(p)
}

// errChanged: a content is not what was decided. What is left of it is not sent, so that Gmail gets half a request.
var errChanged = errors.New("gmail: the message is not the one that was decided")

// pinned is a body that must have a known hash. Its last bytes are handed out when it has.
type pinned struct {
	io.ReadCloser
	again func() (io.ReadCloser, error)
	hash  hash.Hash
	want  [sha256.Size]byte
	left  int64
}

func (p *pinned) Read(buf []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n, err := p.ReadCloser.Read(buf[:min(int64(len(buf)), p.left)])
	p.hash.Write(buf[:n])
	p.left -= int64(n)
	switch {
	case p.left == 0 && [sha256.Size]byte(p.hash.Sum(nil)) != p.want, p.left > 0 && errors.Is(err, io.EOF):
		p.left = 0
		return 0, ours{errChanged}
	case p.left == 0:
		return n, io.EOF
	}
	return n, err
}
