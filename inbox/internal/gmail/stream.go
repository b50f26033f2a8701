package gmail

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"

	"github.com/totalengage/webmail/policy"
)

// Stream is GetAttachment read as it comes: the same call for policy and wire, but its content is never in memory as
// a whole, which Google's client would have it twice.
type Stream struct {
	message, attachment string
}

// StreamAttachment asks for the content of one attachment (20 units).
func StreamAttachment(message, attachment string) Stream { return Stream{message, attachment} }

// Target says what the call would do.
func (s Stream) Target() (policy.Target, error) {
	return Call[struct{}]{run: func(ctx context.Context, w wire) (struct{}, error) {
		res, err := s.ask(ctx, w)
		if err == nil {
			res.Body.Close()
		}
		return struct{}{}, err
	}}.Target()
}

func (s Stream) ask(ctx context.Context, w wire) (*http.Response, error) {
	url := w.base + usersPath[1:] + "messages/" + escaped(s.message) + "/attachments/" + escaped(s.attachment) + "?alt=json&prettyPrint=false"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", userAgent)
	return w.client.Do(req)
}

// Open sends the call under a grant. What is read from the result is the attachment's content; an error of the
// connection comes as *Error from Read. The caller closes it.
func (s Stream) Open(ctx context.Context, c *Client, grant *policy.Grant) (io.ReadCloser, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	res, err := s.ask(ctx, c.wire(grant))
	if err != nil {
		cancel()
		return nil, translate(unwrapURL(err))
	}
	if res.StatusCode >= 300 {
		defer cancel()
		defer res.Body.Close()
		return nil, envelopeError(res)
	}
	return &attachmentBody{Reader: NewDataReader(res.Body), body: res.Body, cancel: cancel}, nil
}

type attachmentBody struct {
	io.Reader
	body   io.Closer
	cancel context.CancelFunc
}

func (a *attachmentBody) Close() error {
	defer a.cancel()
	return a.body.Close()
}

// NewDataReader reads the bytes of member "data" of a MessagePartBody: a flat JSON object of numbers and strings,
// with base64url in "data". It fails on anything else, and on an object that does not end.
func NewDataReader(r io.Reader) io.Reader {
	scan := &dataScanner{r: bufio.NewReaderSize(r, 32<<10)}
	return &upstreamReader{base64.NewDecoder(base64.RawURLEncoding, scan)}
}

var errNotData = errors.New("an attachment that is not as expected")

// upstreamReader makes errors of the content Gmail's: their texts can quote it.
type upstreamReader struct{ r io.Reader }

func (u *upstreamReader) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	var known *Error
	if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, &known) && !errors.Is(err, context.Canceled) {
		err = &Error{Kind: Upstream, Status: http.StatusOK, Err: errNotData}
	}
	return n, err
}

// dataScanner gives the characters of "data", without padding.
type dataScanner struct {
	r      *bufio.Reader
	inside bool
	ended  bool
}

func (d *dataScanner) Read(p []byte) (n int, err error) {
	if d.ended {
		return 0, io.EOF
	}
	if !d.inside {
		found, err := d.members()
		if err != nil {
			return 0, err
		}
		if !found { // an attachment without content
			d.ended = true
			return 0, io.EOF
		}
		d.inside = true
	}
	for n < len(p) {
		c, err := d.character()
		switch {
		case err != nil:
			return n, err
		case c == '"':
			d.ended = true
			if more, err := d.membersAfter(); err != nil || more {
				return n, errNotData
			}
			return n, nil
		case c == '=':
			continue // padding
		}
		p[n] = c
		n++
	}
	return n, nil
}

// character reads one character of a string: '"' is its end. Google may write '=' as \u003d.
func (d *dataScanner) character() (byte, error) {
	c, err := d.r.ReadByte()
	if err != nil {
		return 0, cutShort(err)
	}
	if c != '\\' {
		return c, nil
	}
	var escape [5]byte
	if _, err := io.ReadFull(d.r, escape[:]); err != nil {
		return 0, cutShort(err)
	}
	if s := string(escape[:]); s != "u003d" && s != "u003D" {
		return 0, errNotData
	}
	return '=', nil
}

func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// members reads up to the content of "data", or to the end of the object when there is none.
func (d *dataScanner) members() (found bool, err error) {
	if c, err := d.visible(); err != nil || c != '{' {
		return false, orNotData(err)
	}
	return d.next(true)
}

func (d *dataScanner) membersAfter() (found bool, err error) { return d.next(false) }

// next goes from a place between members to the next "data". A first member has no comma before it.
func (d *dataScanner) next(first bool) (found bool, err error) {
	for ; ; first = false {
		c, err := d.visible()
		if err != nil {
			return false, err
		}
		if c == '}' {
			return false, nil
		}
		if !first {
			if c != ',' {
				return false, errNotData
			}
			if c, err = d.visible(); err != nil {
				return false, err
			}
		}
		if c != '"' {
			return false, errNotData
		}
		name, err := d.short()
		if err != nil {
			return false, err
		}
		if c, err := d.visible(); err != nil || c != ':' {
			return false, orNotData(err)
		}
		if c, err = d.visible(); err != nil {
			return false, err
		}
		switch {
		case c == '"' && name == "data":
			return true, nil
		case c == '"':
			if _, err := d.short(); err != nil {
				return false, err
			}
		case c >= '0' && c <= '9':
			if err := d.number(); err != nil {
				return false, err
			}
		default:
			return false, errNotData
		}
	}
}

func (d *dataScanner) number() error {
	for {
		c, err := d.r.ReadByte()
		if err != nil {
			return cutShort(err)
		}
		if c < '0' || c > '9' {
			return d.r.UnreadByte()
		}
	}
}

// short reads the rest of a string that is not long: a name, or an attachment id.
func (d *dataScanner) short() (string, error) {
	var text []byte
	for len(text) < 1<<10 {
		c, err := d.character()
		if err != nil {
			return "", err
		}
		if c == '"' {
			return string(text), nil
		}
		text = append(text, c)
	}
	return "", errNotData
}

// visible returns the next character that is not white space.
func (d *dataScanner) visible() (byte, error) {
	for {
		c, err := d.r.ReadByte()
		if err != nil {
			return 0, cutShort(err)
		}
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c, nil
		}
	}
}

func orNotData(err error) error {
	if err != nil {
		return err
	}
	return errNotData
}
