package inbox

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message"

	"github.com/totalengage/webmail/inbox/internal/gmail"
)

// letter is a message with everything it consists of, ready to be written as MIME.
type letter struct {
	from       Address
	compose    Compose // checked: recipients, subject, kind
	date       time.Time
	inReplyTo  string // Message-ID with brackets, or ""
	references []string
	token      string
	draft      bool // to be opened again: carries composeHeader
	html, text string
	inline     []*file // referred to by html as cid:
	attached   []*file
}

// file is one attachment with its content: in memory, or where it can be read.
type file struct {
	name, kind string
	contentID  string // without brackets; "" unless inline
	body       []byte
	large      gmail.Content // in place of body
	source     int           // index among the compose's attachments, -1 for parts of the quoted original
	partID     string        // where Gmail will see it, set by encode
}

func (f *file) size() int64 {
	if f.large != nil {
		return f.large.Size()
	}
	return int64(len(f.body))
}

// encode writes the message: multipart/mixed > multipart/related > multipart/alternative > text, html, each
// container only where it has something to hold.
func (l *letter) encode() ([]byte, error) {
	var buf bytes.Buffer
	if err := l.root().encode(&buf); err != nil {
		return nil, err
	}
	if buf.Len() > gmail.MaxMessage {
		return nil, ErrTooLarge
	}
	return buf.Bytes(), nil
}

// large says whether the message is too large to be written into memory.
func (l *letter) large() bool {
	total := int64(0)
	for _, f := range slices.Concat(l.attached, l.inline) {
		total += f.size()
	}
	return total > largest
}

// largest is how much of attachments a message may have to be handled in memory.
const largest = 1 << 20

// written is a message that is written anew, byte by byte the same, whenever it is read.
type written struct {
	root *entity
	size int64
}

// stream is encode for a message of any size. It is written once to learn its size.
func (l *letter) stream() (*written, error) {
	w := &written{root: l.root()}
	var n counter
	if err := w.root.encode(&n); err != nil {
		return nil, err
	}
	if w.size = int64(n); w.size > gmail.MaxMessage {
		return nil, ErrTooLarge
	}
	return w, nil
}

func (w *written) Size() int64 { return w.size }

func (w *written) Open() (io.ReadCloser, error) {
	r, pipe := io.Pipe()
	go func() { pipe.CloseWithError(w.root.encode(pipe)) }()
	return r, nil
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func (l *letter) root() *entity {
	root := l.tree()
	root.number("")
	l.head(&root.header)
	return root
}

func (e *entity) encode(to io.Writer) error {
	w, err := message.CreateWriter(to, e.header)
	if err == nil {
		err = e.write(w)
	}
	if err != nil {
		return fmt.Errorf("inbox: writing a message: %w", err)
	}
	return nil
}

// entity is one node of a message's tree.
type entity struct {
	header   message.Header
	body     []byte
	children []*entity
	file     *file
}

func (l *letter) tree() *entity {
	root := container("alternative", textEntity("plain", l.text), textEntity("html", l.html))
	if len(l.inline) > 0 {
		root = container("related", append([]*entity{root}, files("inline", l.inline)...)...)
	}
	if len(l.attached) > 0 {
		root = container("mixed", append([]*entity{root}, files("attachment", l.attached)...)...)
	}
	return root
}

func container(kind string, children ...*entity) *entity {
	e := &entity{children: children}
	e.header.Set("Content-Type", "multipart/"+kind+"; boundary="+rand.Text()) // chosen here: each writing is the same
	return e
}

func textEntity(kind, content string) *entity {
	e := &entity{body: []byte(content)}
	e.header.Set("Content-Transfer-Encoding", textEncoding(content))
	e.header.Set("Content-Type", "text/"+kind+"; charset=utf-8")
	if textEncoding(content) == "base64" {
		e.body = []byte(strings.ReplaceAll(strings.ReplaceAll(content, "\r\n", "\n"), "\n", "\r\n"))
	}
	return e
}

// textEncoding takes base64 where quoted-printable, three bytes for each one outside ASCII, would be longer.
func textEncoding(s string) string {
	wide := 0
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			wide++
		}
	}
	if wide > len(s)/6 {
		return "base64"
	}
	return "quoted-printable"
}

func files(disposition string, list []*file) []*entity {
	out := make([]*entity, len(list))
	for i, f := range list {
		e := &entity{body: f.body, file: f}
		if f.contentID != "" {
			e.header.Set("Content-Id", "<"+f.contentID+">")
		}
		e.header.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.name}))
		e.header.Set("Content-Transfer-Encoding", "base64")
		e.header.Set("Content-Type", mime.FormatMediaType(f.kind, map[string]string{"name": f.name}))
		out[i] = e
	}
	return out
}

// number gives every part the id by which Gmail will know it (GMAIL.md 4.1).
func (e *entity) number(id string) {
	if e.file != nil {
		e.file.partID = id
	}
	for i, child := range e.children {
		child.number(strings.TrimPrefix(id+"."+strconv.Itoa(i), "."))
	}
}

func (e *entity) write(w *message.Writer) error {
	if len(e.children) == 0 {
		if err := e.writeBody(w); err != nil {
			return err
		}
		return w.Close()
	}
	for _, child := range e.children {
		part, err := w.CreatePart(child.header)
		if err != nil {
			return err
		}
		if err := child.write(part); err != nil {
			return err
		}
	}
	return w.Close()
}

func (e *entity) writeBody(w io.Writer) error {
	if e.file == nil || e.file.large == nil {
		_, err := w.Write(e.body)
		return err
	}
	body, err := e.file.large.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	n, err := io.Copy(w, body)
	if err == nil && n != e.file.large.Size() {
		err = errors.New("an attachment of another size")
	}
	return err
}

// head sets the message's own headers. A header is written in front of those set before it.
func (l *letter) head(h *message.Header) {
	h.Set("MIME-Version", "1.0")
	h.Set(tokenHeader, l.token)
	if l.draft {
		h.Set(composeHeader, composeNote(l.compose))
		if ambiguous(l.compose) {
			h.Set(recipientsHeader, recipientsNote(l.compose))
		}
	}
	if len(l.references) > 0 {
		h.Set("References", strings.Join(l.references, " "))
	}
	if l.inReplyTo != "" {
		h.Set("In-Reply-To", l.inReplyTo)
	}
	h.Set("Subject", encodeWords(l.compose.Subject))
	setAddresses(h, "Bcc", l.compose.Bcc)
	setAddresses(h, "Cc", l.compose.Cc)
	setAddresses(h, "To", l.compose.To)
	setAddresses(h, "From", []Address{l.from})
	h.Set("Date", l.date.Format(time.RFC1123Z))
}

func setAddresses(h *message.Header, name string, list []Address) {
	if len(list) == 0 {
		return
	}
	texts := make([]string, len(list))
	for i, a := range list {
		if strings.Contains(a.Name, "=?") {
			texts[i] = encodeWords(a.Name) + " <" + a.Email + ">"
		} else {
			texts[i] = (&mail.Address{Name: a.Name, Address: a.Email}).String()
		}
	}
	h.Set(name, strings.Join(texts, ", "))
}

// encodeWords makes encoded-words of text that needs them (RFC 2047). Text that looks like one already
// would be read as one, so it is encoded too, which package mime leaves undone.
func encodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return mime.QEncoding.Encode("utf-8", s)
	}
	var words []string
	for len(s) > 0 {
		n := 0
		for n < len(s) && n < 42 { // 56 characters in base64; a word has at most 75
			_, width := utf8.DecodeRuneInString(s[n:])
			n += width
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, " ")
}

var messageID = regexp.MustCompile(`<[^<>\s]{1,500}>`)

// maxReferences bounds the References header; the first and the latest ids are the ones that matter (RFC 5322 3.6.4).
const maxReferences = 20

// threading returns In-Reply-To and References of an answer to a message with these headers.
func threading(p *gmail.Part) (inReplyTo string, references []string) {
	inReplyTo = messageID.FindString(header(p, "Message-ID"))
	references = messageID.FindAllString(header(p, "References"), -1)
	if len(references) == 0 {
		references = messageID.FindAllString(header(p, "In-Reply-To"), 1)
	}
	if inReplyTo != "" {
		references = append(references, inReplyTo)
	}
	if n := len(references); n > maxReferences {
		references = append(references[:1:1], references[n-maxReferences+1:]...)
	}
	return inReplyTo, references
}

// threadingOf returns the threading headers that a draft has already.
func threadingOf(p *gmail.Part) (inReplyTo string, references []string) {
	return messageID.FindString(header(p, "In-Reply-To")), messageID.FindAllString(header(p, "References"), maxReferences)
}

// mediaType returns the type under which a file travels. What claims to be a container or a message travels
// as bytes: base64 is forbidden for those (RFC 2046 5.2.1), and content must arrive unchanged.
func mediaType(claimed string) string {
	kind, _, err := mime.ParseMediaType(claimed)
	if err != nil || len(kind) > maxMediaType || !strings.Contains(kind, "/") || strings.HasPrefix(kind, "multipart/") || strings.HasPrefix(kind, "message/") {
		return "application/octet-stream"
	}
	return kind
}

// fileName returns a name that every system can store: no path, no control characters, at most 255 bytes.
func fileName(claimed string) string {
	name := claimed[strings.LastIndexAny(claimed, `/\`)+1:]
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_")))
	for len(name) > maxFileName {
		_, width := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-width]
	}
	if name == "" || name == "." || name == ".." {
		return "attachment"
	}
	return name
}
