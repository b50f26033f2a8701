package inbox_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/mail"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/internal/database/databasetest"
)

// desk opens an office on SQLite: what is tested here does not depend on the database.
func desk(t *testing.T) (*office, *post) {
	t.Helper()
	return openOffice(t, databasetest.Open(t, databasetest.SQLite(t)))
}

// draftRaw saves a compose as a draft and returns it with its bytes at Gmail.
func draftRaw(t *testing.T, o *office, p *post, c inbox.Compose) (inbox.Draft, []byte) {
	t.Helper()
	d, err := o.CreateDraft(t.Context(), writing(alice), c)
	if err != nil {
		t.Fatal(err)
	}
	return d, p.raw(t, alice, d.MessageID)
}

func upload(t *testing.T, o *office, name, kind, content string) inbox.ComposeAttachment {
	t.Helper()
	u, err := o.PutUpload(t.Context(), writing(alice), name, kind, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return inbox.ComposeAttachment{UploadID: u.ID, Name: u.Name, Type: u.Type, Size: u.Size}
}

// shape writes a message's tree as nested media types.
func shape(t *testing.T, e *message.Entity) string {
	t.Helper()
	kind, _, err := e.Header.ContentType()
	if err != nil {
		t.Fatal(err)
	}
	r := e.MultipartReader()
	if r == nil {
		return kind
	}
	var parts []string
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return kind + "(" + strings.Join(parts, " ") + ")"
		}
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, shape(t, p))
	}
}

func parse(t *testing.T, raw []byte) *message.Entity {
	t.Helper()
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("the message does not parse: %v\n%s", err, raw)
	}
	return e
}

// TestShape: the tree is only as deep as needed.
func TestShape(t *testing.T) {
	o, p := desk(t)
	original := p.receive(t, alice, originalWithImage)
	plain := letterTo(bob, "x", "<p>hi</p>")
	attached := plain
	attached.Attachments = []inbox.ComposeAttachment{upload(t, o, "a.pdf", "application/pdf", "%PDF")}
	answer := plain
	answer.Kind, answer.InReplyTo, answer.Quote = inbox.ComposeReply, original, true
	both := plain
	both.Attachments = []inbox.ComposeAttachment{upload(t, o, "b.pdf", "application/pdf", "%PDF")}
	both.Kind, both.InReplyTo, both.Quote = inbox.ComposeForward, original, true
	for name, c := range map[string]struct {
		compose inbox.Compose
		want    string
	}{
		"plain":              {plain, "multipart/alternative(text/plain text/html)"},
		"attachment":         {attached, "multipart/mixed(multipart/alternative(text/plain text/html) application/pdf)"},
		"quoted image":       {answer, "multipart/related(multipart/alternative(text/plain text/html) image/png)"},
		"image and attached": {both, "multipart/mixed(multipart/related(multipart/alternative(text/plain text/html) image/png) application/pdf)"},
	} {
		item := o.send(t, c.compose, newKey())
		o.pass(held)
		o.settle(t)
		raw := p.raw(t, alice, o.state(t, item.ID).MessageID)
		if got := shape(t, parse(t, raw)); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

const originalWithImage = `From: "Böb, the <Builder>" <bob@example.com>
To: alice@example.com
Cc: Carol <carol@example.com>
Subject: Plans
Date: Tue, 3 Feb 2026 16:05:00 +0100
Message-ID: <original@example.com>
References: <first@example.com>
MIME-Version: 1.0
Content-Type: multipart/related; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p>look: <img src="cid:pic1"> <script>steal()</script></p>
--b
Content-Type: image/png; name=pic.png
Content-ID: <pic1>
Content-Disposition: inline; filename=pic.png
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--b--
`

func TestHeaders(t *testing.T) {
	o, p := desk(t)
	c := inbox.Compose{
		To:      []inbox.Address{{Name: `Quote "me", <please>`, Email: "bob@example.com"}, {Name: "Zoë 漢字", Email: "zoe@bücher.example"}},
		Cc:      []inbox.Address{{Name: "=?utf-8?q?not_a_word?=", Email: "cc@example.com"}},
		Bcc:     []inbox.Address{{Email: "bcc@example.com"}},
		Subject: "Grüße =?utf-8?q?x?= " + strings.Repeat("漢字", 60), HTML: "x",
	}
	_, raw := draftRaw(t, o, p, c)
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]inbox.Address{
		"From": {{Name: "Alice Exämple", Email: alice}},
		"To":   {c.To[0], {Name: "Zoë 漢字", Email: "zoe@xn--bcher-kva.example"}}, "Cc": c.Cc, "Bcc": c.Bcc,
	} {
		list, err := m.Header.AddressList(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []inbox.Address
		for _, a := range list {
			got = append(got, inbox.Address{Name: a.Name, Email: a.Address})
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	if got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || got != c.Subject {
		t.Errorf("Subject: got %q, %v; want %q", got, err, c.Subject)
	}
	if at, err := m.Header.Date(); err != nil || o.now().Sub(at).Abs() > time.Hour {
		t.Errorf("Date: got %v, %v", at, err)
	}
	for i, line := range bytes.Split(raw, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n") || bytes.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Errorf("line %d is not a line of mail: %q", i, line)
		}
	}
	if m.Header.Get("X-Webmail-Token") == "" {
		t.Error("no token")
	}
}

func TestReplyIsQuotedAndThreaded(t *testing.T) {
	o, p := desk(t)
	original := p.receive(t, alice, originalWithImage)
	item := o.send(t, inbox.Compose{Kind: inbox.ComposeReply, InReplyTo: original, To: []inbox.Address{{Email: bob}}, HTML: "<p>mine</p>", Quote: true}, newKey())
	o.pass(held)
	o.settle(t)
	sent := o.state(t, item.ID)
	if sent.ThreadID != original {
		t.Errorf("it is in thread %q, want the original's %q", sent.ThreadID, original)
	}
	raw := p.raw(t, alice, sent.MessageID)
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Subject": "Re: Plans", "In-Reply-To": "<original@example.com>", "References": "<first@example.com> <original@example.com>", "X-Webmail-Compose": "",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	_, body := bodies(t, parse(t, raw))
	for _, want := range []string{
		"<p>mine</p>", "On Tue, Feb 3, 2026 at 4:05 PM, Böb, the &lt;Builder&gt; &lt;<a href=\"mailto:bob@example.com\">bob@example.com</a>&gt; wrote:",
		`<blockquote type="cite" class="gmail_quote"`, `src="cid:pic1"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the body lacks %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "steal") {
		t.Error("the quotation was not cleaned")
	}
}

func TestForwardCarriesHeadersAndAttachments(t *testing.T) {
	o, p := desk(t)
	original := p.receive(t, alice, originalWithFile)
	item := o.send(t, inbox.Compose{
		Kind: inbox.ComposeForward, InReplyTo: original, To: []inbox.Address{{Email: bob}}, HTML: "fyi", Quote: true,
		Attachments: []inbox.ComposeAttachment{{MessageID: original, PartID: "1"}},
	}, newKey())
	o.pass(held)
	o.settle(t)
	raw := p.raw(t, alice, o.state(t, item.ID).MessageID)
	e := parse(t, raw)
	if got, err := e.Header.Text("Subject"); err != nil || got != "Fwd: Report" {
		t.Errorf("Subject: got %q, %v", got, err)
	}
	text, body := bodies(t, e)
	for _, want := range []string{"Forwarded message", "From: ", "Date: Tue, Feb 3, 2026", "Subject: Report", "line one<br>", "a &lt; b"} {
		if !strings.Contains(body, want) {
			t.Errorf("the body lacks %q:\n%s", want, body)
		}
	}
	if !strings.Contains(text, "a < b") {
		t.Errorf("the text lacks the original:\n%s", text)
	}
	got := attachments(t, parse(t, raw))
	if want := map[string]string{"übersicht.txt": "content of the file\r\n"}; !reflect.DeepEqual(got, want) {
		t.Errorf("attachments: got %q, want %q", got, want)
	}
}

const originalWithFile = `From: bob@example.com
To: alice@example.com
Subject: Report
Date: Tue, 3 Feb 2026 16:05:00 +0100
Message-ID: <report@example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

line one
a < b
--b
Content-Type: text/plain; name*=utf-8''%C3%BCbersicht.txt
Content-Disposition: attachment; filename*=utf-8''%C3%BCbersicht.txt

content of the file

--b--
`

// bodies returns the text and the HTML of a message.
func bodies(t *testing.T, e *message.Entity) (text, html string) {
	t.Helper()
	err := e.Walk(func(_ []int, p *message.Entity, err error) error {
		if err != nil {
			return err
		}
		kind, _, _ := p.Header.ContentType()
		disposition, _, _ := p.Header.ContentDisposition()
		if disposition == "attachment" || !strings.HasPrefix(kind, "text/") {
			return nil
		}
		content, err := io.ReadAll(p.Body)
		if kind == "text/html" {
			html = string(content)
		} else {
			text = string(content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text, html
}

// attachments returns the content of attachments by name, as the standard library reads names (RFC 2231).
func attachments(t *testing.T, e *message.Entity) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := e.Walk(func(_ []int, p *message.Entity, err error) error {
		if err != nil {
			return err
		}
		disposition, params, _ := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		if disposition != "attachment" {
			return nil
		}
		content, err := io.ReadAll(p.Body)
		found[params["filename"]] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSubjectFor(t *testing.T) {
	for _, c := range []struct {
		kind           inbox.ComposeKind
		original, want string
	}{
		{inbox.ComposeReply, "Plans", "Re: Plans"}, {inbox.ComposeReply, "RE: Plans", "RE: Plans"}, {inbox.ComposeReplyAll, "re[2]: Plans", "re[2]: Plans"},
		{inbox.ComposeReply, "Fwd: Plans", "Re: Fwd: Plans"}, {inbox.ComposeReply, "", "Re:"}, {inbox.ComposeReply, "Regards: x", "Re: Regards: x"},
		{inbox.ComposeForward, "Plans", "Fwd: Plans"}, {inbox.ComposeForward, "FW: Plans", "FW: Plans"}, {inbox.ComposeForward, "Re: Plans", "Fwd: Re: Plans"},
		{inbox.ComposeNew, "Plans", "Plans"},
	} {
		if got := inbox.SubjectFor(c.kind, c.original); got != c.want {
			t.Errorf("%s of %q: got %q, want %q", c.kind, c.original, got, c.want)
		}
	}
}

func TestRefusedComposes(t *testing.T) {
	o, _ := desk(t)
	with := func(change func(*inbox.Compose)) inbox.Compose {
		c := letterTo(bob, "s", "b")
		change(&c)
		return c
	}
	many := make([]inbox.Address, 501)
	for i := range many {
		many[i].Email = bob
	}
	for name, c := range map[string]struct {
		compose inbox.Compose
		field   string
	}{
		"header in subject":  {with(func(c *inbox.Compose) { c.Subject = "a\r\nBcc: eve@example.com" }), "subject"},
		"header in name":     {with(func(c *inbox.Compose) { c.To[0].Name = "a\nBcc: eve@example.com" }), "to"},
		"header in address":  {with(func(c *inbox.Compose) { c.To[0].Email = "bob@example.com\r\nBcc: eve@example.com" }), "to"},
		"two in one":         {with(func(c *inbox.Compose) { c.To[0].Email = "bob@example.com, eve@example.com" }), "to"},
		"no address":         {with(func(c *inbox.Compose) { c.Cc = []inbox.Address{{Name: "Bob"}} }), "cc"},
		"no domain":          {with(func(c *inbox.Compose) { c.Bcc = []inbox.Address{{Email: "bob@"}} }), "bcc"},
		"nobody":             {with(func(c *inbox.Compose) { c.To = nil }), "to"},
		"too many":           {with(func(c *inbox.Compose) { c.To = many }), "to"},
		"long subject":       {with(func(c *inbox.Compose) { c.Subject = strings.Repeat("x", 2001) }), "subject"},
		"unknown kind":       {with(func(c *inbox.Compose) { c.Kind = "bounce" }), "kind"},
		"forward of nothing": {with(func(c *inbox.Compose) { c.Kind, c.Quote = inbox.ComposeForward, true }), "inReplyTo"},
		"foreign id":         {with(func(c *inbox.Compose) { c.Kind, c.InReplyTo = inbox.ComposeReply, "../drafts" }), "inReplyTo"},
		"gone original":      {with(func(c *inbox.Compose) { c.Kind, c.InReplyTo = inbox.ComposeReply, "1234567890abcdef" }), "inReplyTo"},
		"two sources": {with(func(c *inbox.Compose) {
			c.Attachments = []inbox.ComposeAttachment{{UploadID: "a", MessageID: "b"}}
		}), "attachments"},
		"gone upload": {with(func(c *inbox.Compose) { c.Attachments = []inbox.ComposeAttachment{{UploadID: "a"}} }), "attachments"},
		"header in file name": {with(func(c *inbox.Compose) {
			c.Attachments = []inbox.ComposeAttachment{{UploadID: "a", Name: "x\r\nX: y"}}
		}), "attachments"},
	} {
		_, err := o.Send(t.Context(), sending(alice), inbox.SendRequest{Compose: c.compose, IdempotencyKey: newKey()})
		var invalid *inbox.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != c.field {
			t.Errorf("%s: got %v, want InvalidError of %s", name, err, c.field)
		}
		if err != nil && strings.Contains(err.Error(), "eve") {
			t.Errorf("%s: the error repeats what was given: %v", name, err)
		}
	}
	var invalid *inbox.InvalidError
	if _, err := o.Send(t.Context(), sending(alice), inbox.SendRequest{Compose: letterTo(bob, "s", "b"), IdempotencyKey: "short"}); !errors.As(err, &invalid) {
		t.Errorf("a short key: got %v", err)
	}
	if n := o.rows(t, "outbox"); n != 0 {
		t.Errorf("%d rows in the outbox, want 0", n)
	}
}

func TestUploads(t *testing.T) {
	o, p := desk(t)
	big := strings.Repeat("0123456789abcdef", inbox.MaxAttachments/16)
	a := upload(t, o, `C:\dir\big.bin`, "application/x-thing; a=b", big)
	if a.Name != "big.bin" || a.Type != "application/x-thing" || a.Size != inbox.MaxAttachments {
		t.Errorf("got %+v", a)
	}
	if _, err := o.PutUpload(t.Context(), writing(alice), "x", "", strings.NewReader(big+"1")); !errors.Is(err, inbox.ErrTooLarge) {
		t.Errorf("one byte more: got %v, want ErrTooLarge", err)
	}
	c := letterTo(bob, "Largest", "x")
	c.Attachments = []inbox.ComposeAttachment{{UploadID: a.UploadID}, upload(t, o, "one.bin", "", "1")}
	if _, err := o.CreateDraft(t.Context(), writing(alice), c); !errors.Is(err, inbox.ErrTooLarge) {
		t.Errorf("one byte more in two files: got %v, want ErrTooLarge", err)
	}
	c.Attachments = c.Attachments[:1]
	item := o.send(t, c, newKey())
	o.pass(held)
	o.settle(t)
	if got := attachments(t, parse(t, p.raw(t, alice, o.state(t, item.ID).MessageID))); got["big.bin"] != big {
		t.Errorf("the largest attachment arrived with %d bytes, want %d", len(got["big.bin"]), len(big))
	}
	if n := o.rows(t, "uploads"); n != 1 {
		t.Errorf("%d uploads are left, want only the one that was not sent", n)
	}
	o.pass(25 * time.Hour)
	c.Attachments = []inbox.ComposeAttachment{upload(t, o, "new", "", "x")}
	stale := c
	stale.Attachments = []inbox.ComposeAttachment{{UploadID: a.UploadID}}
	var invalid *inbox.InvalidError
	if _, err := o.CreateDraft(t.Context(), writing(alice), stale); !errors.As(err, &invalid) {
		t.Errorf("an upload of yesterday: got %v, want InvalidError", err)
	}
	if _, err := o.CreateDraft(t.Context(), writing(alice), c); err != nil {
		t.Error(err)
	}
}

// TestUndoKeepsUploads: what comes back can be sent again, also when it took days to fail.
func TestUndoKeepsUploads(t *testing.T) {
	o, p := desk(t)
	c := letterTo(bob, "With a file", "x")
	c.Attachments = []inbox.ComposeAttachment{upload(t, o, "f.txt", "text/plain", "content")}
	item := o.send(t, c, newKey())
	o.vault.gone.Store(true)
	o.pass(held)
	o.settle(t)
	o.vault.gone.Store(false)
	o.pass(3 * 24 * time.Hour)
	if err := o.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	back, err := o.Undo(t.Context(), writing(alice), item.ID)
	if err != nil {
		t.Fatal(err)
	}
	again := o.send(t, back, newKey())
	o.pass(held)
	o.settle(t)
	if got := attachments(t, parse(t, p.raw(t, alice, o.state(t, again.ID).MessageID))); got["f.txt"] != "content" {
		t.Errorf("attachments: got %q", got)
	}
}

func TestDraftConflict(t *testing.T) {
	o, _ := desk(t)
	first, err := o.CreateDraft(t.Context(), writing(alice), letterTo(bob, "v1", "x"))
	if err != nil {
		t.Fatal(err)
	}
	c := first.Compose
	c.Subject = "v2"
	second, err := o.UpdateDraft(t.Context(), writing(alice), first.ID, c)
	if err != nil {
		t.Fatal(err)
	}
	if second.ID != first.ID || second.MessageID == first.MessageID {
		t.Errorf("got draft %s with message %s, want the same draft with another message", second.ID, second.MessageID)
	}
	c.Subject = "v3, from a window that knows only v1"
	if _, err := o.UpdateDraft(t.Context(), writing(alice), first.ID, c); !errors.Is(err, inbox.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	got, err := o.GetDraft(t.Context(), writing(alice), first.ID)
	if err != nil || got.Compose.Subject != "v2" {
		t.Errorf("got %q, %v; want v2", got.Compose.Subject, err)
	}
	for range 2 {
		if err := o.DeleteDraft(t.Context(), writing(alice), first.ID); err != nil {
			t.Errorf("deleting: %v", err)
		}
	}
	if _, err := o.GetDraft(t.Context(), writing(alice), first.ID); !errors.Is(err, inbox.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	o.accountedFor(t)
}

// TestDraftFaults: a save whose answer gets lost is one save.
func TestDraftFaults(t *testing.T) {
	o, p := desk(t)
	p.emulator.InjectFault(dropAfter("drafts.create"))
	d, err := o.CreateDraft(t.Context(), writing(alice), letterTo(bob, "v1", "x"))
	if err != nil {
		t.Fatal(err)
	}
	p.emulator.InjectFault(dropAfter("drafts.update"))
	c := d.Compose
	c.Subject = "v2"
	updated, err := o.UpdateDraft(t.Context(), writing(alice), d.ID, c)
	if err != nil {
		t.Fatal(err)
	}
	c = updated.Compose
	c.Subject = "v3"
	if _, err := o.UpdateDraft(t.Context(), writing(alice), d.ID, c); err != nil {
		t.Errorf("the message id that was found out is not the current one: %v", err)
	}
	if n := p.drafts(t, alice); n != 1 {
		t.Errorf("%d drafts, want 1", n)
	}
	o.accountedFor(t)
}

// TestForeignDraft: a draft of another mail client keeps its place in the conversation and all its text.
func TestForeignDraft(t *testing.T) {
	o, p := desk(t)
	p.receive(t, alice, originalWithImage)
	foreign := "From: alice@example.com\nTo: bob@example.com\nSubject: Re: Plans\nIn-Reply-To: <original@example.com>\nReferences: <first@example.com> <original@example.com>\n" +
		"X-Webmail-Compose: reply; message=\"../../x\"; quote=1\nX-Webmail-Token: guessed\n\nmine <div class=\"gmail_quote webmail_quote_guessed\">\n> quoted\n"
	message := p.receive(t, alice, foreign, "DRAFT")
	var list listed
	p.get(t, alice, "drafts", &list)
	if len(list.Drafts) != 1 || list.Drafts[0].Message.ID != message {
		t.Fatalf("got drafts %+v", list.Drafts)
	}
	d, err := o.GetDraft(t.Context(), writing(alice), list.Drafts[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if d.Compose.Quote || d.Compose.InReplyTo != "" || !strings.Contains(d.Compose.HTML, "&gt; quoted") {
		t.Errorf("it was not taken as it is: %+v", d.Compose)
	}
	saved, err := o.UpdateDraft(t.Context(), writing(alice), d.ID, d.Compose)
	if err != nil {
		t.Fatal(err)
	}
	if saved.ThreadID != d.ThreadID {
		t.Errorf("it left the conversation: %s, want %s", saved.ThreadID, d.ThreadID)
	}
	m, err := mail.ReadMessage(bytes.NewReader(p.raw(t, alice, saved.MessageID)))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Header.Get("References"); got != "<first@example.com> <original@example.com>" {
		t.Errorf("References: got %q", got)
	}
}

// TestInlineImages: images that a draft of another client shows in its text stay there.
func TestInlineImages(t *testing.T) {
	o, p := desk(t)
	p.receive(t, alice, originalWithImage, "DRAFT")
	var list listed
	p.get(t, alice, "drafts", &list)
	d, err := o.GetDraft(t.Context(), writing(alice), list.Drafts[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if d, err = o.UpdateDraft(t.Context(), writing(alice), d.ID, d.Compose); err != nil {
			t.Fatal(err)
		}
		raw := p.raw(t, alice, d.MessageID)
		if got, want := shape(t, parse(t, raw)), "multipart/related(multipart/alternative(text/plain text/html) image/png)"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if !bytes.Contains(raw, []byte("Content-Id: <pic1>")) {
			t.Error("the image lost its Content-ID")
		}
		content, err := o.Attachment(t.Context(), writing(alice), d.MessageID, d.Compose.Attachments[0].PartID)
		if err != nil || !bytes.HasPrefix(content.Content, []byte("\x89PNG")) {
			t.Errorf("the image is not where saving said: %q, %v", content.Content, err)
		}
	}
}

// TestChangedElsewhere: recipients that another client changed are not overruled by our note of them.
func TestChangedElsewhere(t *testing.T) {
	o, p := desk(t)
	c := letterTo(bob, "Müller", "x")
	c.To[0].Name = "Müller, Hans"
	d, raw := draftRaw(t, o, p, c)
	if !bytes.Contains(raw, []byte("X-Webmail-Recipients")) {
		t.Fatal("there is no note to overrule")
	}
	got, err := o.GetDraft(t.Context(), writing(alice), d.ID)
	if err != nil || !reflect.DeepEqual(got.Compose.To, c.To) {
		t.Errorf("got %+v, %v; want %+v", got.Compose.To, err, c.To)
	}
	for _, to := range []string{"carol@example.com", "=?utf-8?q?M=C3=BCller=2C_Hans?= <bob@example.com>, carol@example.com"} {
		changed := regexp.MustCompile(`(?m)^To: .*\r\n`).ReplaceAll(raw, []byte("To: "+to+"\r\n"))
		id, err := p.emulator.Insert(alice, changed, []string{"DRAFT"}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		var list listed
		p.get(t, alice, "drafts", &list)
		for _, draft := range list.Drafts {
			if draft.Message.ID != id {
				continue
			}
			got, err := o.GetDraft(t.Context(), writing(alice), draft.ID)
			if err != nil || !slices.ContainsFunc(got.Compose.To, func(a inbox.Address) bool { return a.Email == "carol@example.com" }) {
				t.Errorf("to %s: got %+v, %v; want Carol among them", to, got.Compose.To, err)
			}
		}
	}
}

// TestRoundTrip: what is saved is what is opened again, whatever it is, and however often.
func TestRoundTrip(t *testing.T) {
	o, p := desk(t)
	original := p.receive(t, alice, originalWithImage)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 25 {
		o.Forget(alice) // its quota: the client's own limit would slow this down
		c, contents := randomCompose(t, o, random, original)
		draft, err := o.CreateDraft(t.Context(), writing(alice), c)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		compareComposes(t, draft.Compose, c)
		for round := range 3 {
			got, err := o.GetDraft(t.Context(), writing(alice), draft.ID)
			if err != nil {
				t.Fatal(err)
			}
			compareComposes(t, got.Compose, c)
			if !slices.Equal(byName(got.Compose.Attachments), byName(draft.Compose.Attachments)) {
				t.Errorf("attachments: got %+v, want as saving said %+v", got.Compose.Attachments, draft.Compose.Attachments)
			}
			for _, a := range got.Compose.Attachments {
				content, err := o.Attachment(t.Context(), writing(alice), a.MessageID, a.PartID)
				if err != nil || string(content.Content) != contents[a.Name] {
					t.Errorf("attachment %q: got %q, %v; want %q", a.Name, content.Content, err, contents[a.Name])
				}
			}
			if draft, err = o.UpdateDraft(t.Context(), writing(alice), draft.ID, got.Compose); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		if err := o.DeleteDraft(t.Context(), writing(alice), draft.ID); err != nil {
			t.Fatal(err)
		}
	}
	o.accountedFor(t)
}

func byName(list []inbox.ComposeAttachment) []inbox.ComposeAttachment {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b inbox.ComposeAttachment) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// compareComposes compares what the editor shows; attachments by name, type and size.
func compareComposes(t *testing.T, got, want inbox.Compose) {
	t.Helper()
	plain := func(c inbox.Compose) inbox.Compose {
		c.ThreadID, c.DraftID, c.IfMessageID = "", "", ""
		if c.Kind == "" {
			c.Kind = inbox.ComposeNew
		}
		if c.Subject == "" && c.InReplyTo != "" {
			c.Subject = inbox.SubjectFor(c.Kind, "Plans")
		}
		c.HTML = strings.ReplaceAll(c.HTML, "\r\n", "\n")
		c.To, c.Cc, c.Bcc = append([]inbox.Address{}, c.To...), append([]inbox.Address{}, c.Cc...), append([]inbox.Address{}, c.Bcc...)
		list := byName(c.Attachments)
		for i := range list {
			list[i].UploadID, list[i].MessageID, list[i].PartID = "", "", ""
		}
		c.Attachments = append([]inbox.ComposeAttachment{}, list...)
		return c
	}
	if got, want := plain(got), plain(want); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func randomCompose(t *testing.T, o *office, r *rand.Rand, original string) (c inbox.Compose, contents map[string]string) {
	t.Helper()
	text := func(most int) string {
		alphabet := []rune("abc XYZ 012.,;:!?\"'()<>@[]\\/&%$#-_=+*~äöüß漢字🙂é|{}^`")
		out := make([]rune, r.IntN(most+1))
		for i := range out {
			out[i] = alphabet[r.IntN(len(alphabet))]
		}
		return strings.Join(strings.Fields(string(out)), " ")
	}
	addresses := func() []inbox.Address {
		list := make([]inbox.Address, r.IntN(4))
		for i := range list {
			list[i] = inbox.Address{Name: text(30), Email: fmt.Sprintf("user%d+%d@host-%d.example.com", r.IntN(99), i, r.IntN(9))}
		}
		return list
	}
	c = inbox.Compose{Subject: text(200), To: addresses(), Cc: addresses(), Bcc: addresses()}
	for range r.IntN(5) {
		c.HTML += "<p>" + strings.NewReplacer("<", "&lt;", "&", "&amp;").Replace(text(300)) + "</p>\n"
	}
	c.HTML += "." // text at the end of a part keeps its blanks and line ends
	if kind := []inbox.ComposeKind{"", inbox.ComposeNew, inbox.ComposeReply, inbox.ComposeReplyAll, inbox.ComposeForward}[r.IntN(5)]; kind != "" {
		if c.Kind = kind; kind != inbox.ComposeNew {
			c.InReplyTo, c.Quote = original, r.IntN(2) == 0
		}
	}
	contents = map[string]string{}
	for i := range r.IntN(4) {
		name := fmt.Sprintf("%d %s", i, strings.Map(func(r rune) rune {
			if strings.ContainsRune(`/\`, r) {
				return '_'
			}
			return r
		}, text(40))) + "x.bin"
		content := make([]byte, r.IntN(5000))
		for i := range content {
			content[i] = byte(r.Uint32())
		}
		contents[name] = string(content)
		kind := []string{"application/pdf", "image/png", "text/plain", "text/html", "application/octet-stream"}[r.IntN(5)]
		c.Attachments = append(c.Attachments, upload(t, o, name, kind, string(content)))
	}
	return c, contents
}

func FuzzNormalAddress(f *testing.F) {
	for _, seed := range []string{"bob@example.com", "BOB+x@Example.COM", "a@bücher.example", "a@b\r\nBcc: c@d", `"quoted local"@example.com`, "a@[127.0.0.1]", "@", "a@b@c", "<a@b>", "a@b,c@d", "é@example.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, email string) {
		normal, why := inbox.NormalAddress(email)
		if (normal == "") == (why == "") {
			t.Fatalf("%q: got %q and %q, want one of them", email, normal, why)
		}
		if why != "" {
			return
		}
		list, err := mail.ParseAddressList(normal)
		if err != nil || len(list) != 1 || list[0].Address != normal || strings.ContainsAny(normal, "\r\n,;<> ") {
			t.Errorf("%q became %q, which is not one address: %v", email, normal, err)
		}
		if again, why := inbox.NormalAddress(normal); again != normal {
			t.Errorf("%q became %q and then %q (%s)", email, normal, again, why)
		}
	})
}

func FuzzDraftOf(f *testing.F) {
	f.Add("bob@example.com", "Re: x", "reply; message=18c0ffee; quote=1", "token", `<p>a</p><div class="gmail_quote webmail_quote_token">b</div>`, "multipart/alternative")
	f.Add("", "", "new", "", "", "")
	f.Add("", "", "", "", "", "\x01/\r\n")
	f.Add("a, b <c@d>, \"", "\r\n", "forward; message=../x", "x", "<div", "text/plain")
	f.Fuzz(func(t *testing.T, to, subject, note, token, content, kind string) {
		encoded, err := json.Marshal(map[string]any{"id": "r1", "message": map[string]any{"id": "18c0ffee", "threadId": "18c0ffee", "payload": map[string]any{
			"mimeType": kind,
			"headers": []map[string]string{
				{"name": "To", "value": to}, {"name": "subject", "value": subject}, {"name": "X-Webmail-Compose", "value": note}, {"name": "X-Webmail-Token", "value": token},
			},
			"body":  map[string]any{"size": 0},
			"parts": []any{map[string]any{"partId": "0", "mimeType": "text/html", "body": map[string]any{"data": base64.URLEncoding.EncodeToString([]byte(content))}}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		var draft gmail.Draft
		if err := json.Unmarshal(encoded, &draft); err != nil {
			t.Fatal(err)
		}
		d := inbox.DraftOf(&draft)
		c := d.Compose
		if c.To == nil || c.Cc == nil || c.Bcc == nil || c.Attachments == nil {
			t.Error("a list is nil")
		}
		if c.Quote && (c.InReplyTo == "" || strings.Contains(c.HTML, "webmail_quote_"+token+`"`)) {
			t.Errorf("a quotation was split badly: %+v", c)
		}
		c.To = nil // what is not an address is the person's to finish
		if !utf8.ValidString(c.HTML) || !utf8.ValidString(subject) || strings.ContainsFunc(subject, unicode.IsControl) || utf8.RuneCountInString(subject) > 2000 {
			return
		}
		if _, err := inbox.Checked(c); err != nil {
			t.Errorf("what was read cannot be saved: %v: %+v", err, c)
		}
	})
}
