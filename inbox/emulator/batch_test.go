package emulator_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
)

// batchPart is one answer of a batch.
type batchPart struct {
	status int
	body   string
}

// batch posts inner requests, given with their Content-ID, and returns the answers by Content-ID.
func (w *world) batch(path, token string, inner ...[2]string) (int, map[string]batchPart) {
	w.t.Helper()
	var body strings.Builder
	for _, in := range inner {
		fmt.Fprintf(&body, "--b1\r\nContent-Type: application/http\r\nContent-ID: %s\r\n\r\n%s\r\n", in[0], in[1])
	}
	body.WriteString("--b1--")
	status, header, answer := w.do("POST", path, token, body.String(), "Content-Type", `multipart/mixed; boundary="b1"`)
	if status != 200 {
		return status, map[string]batchPart{"": {status, answer}}
	}
	_, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(params["boundary"], "batch_") {
		w.t.Fatalf("batch answer of type %q", header.Get("Content-Type"))
	}
	out := map[string]batchPart{}
	mr := multipart.NewReader(strings.NewReader(answer), params["boundary"])
	for {
		part, err := mr.NextRawPart()
		if err == io.EOF {
			return status, out
		}
		if err != nil {
			w.t.Fatal(err)
		}
		if got := part.Header.Get("Content-Type"); got != "application/http" {
			w.t.Errorf("part of type %q", got)
		}
		res, err := http.ReadResponse(bufio.NewReader(part), nil)
		if err != nil {
			w.t.Fatal(err)
		}
		data, err := io.ReadAll(res.Body)
		if err != nil {
			w.t.Fatal(err)
		}
		out[part.Header.Get("Content-Id")] = batchPart{res.StatusCode, string(bytes.TrimSpace(data))}
	}
}

func TestBatch(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	v := newValidator(t)
	id := w.insert("Subject: x\r\n\r\ny", testTime, "INBOX")
	w.srv.ResetStats()
	get := "GET /gmail/v1/users/me/messages/" + id
	for _, path := range []string{"/batch", "/batch/gmail/v1?prettyPrint=false"} {
		status, got := w.batch(path, "alice",
			[2]string{"<5b0b-uuid + 1>", get + "?format=minimal HTTP/1.1\r\nMIME-Version: 1.0\r\nHost: gmail.googleapis.com\r\n\r\n"},
			[2]string{"plain", "POST /gmail/v1/users/me/messages/" + id + "/modify HTTP/1.1\nContent-Type: application/json\n\n{\"addLabelIds\":[\"STARRED\"]}"},
			[2]string{"<missing>", "GET /gmail/v1/users/me/messages/00000000000000ff\r\n\r\n"},
			[2]string{"<bob>", "GET /gmail/v1/users/me/profile HTTP/1.1\r\nAuthorization: Bearer bob\r\n\r\n"},
			[2]string{"<upload>", "POST /upload/gmail/v1/users/me/messages HTTP/1.1\r\n\r\n"},
			[2]string{"<junk>", "what is this"},
		)
		if status != 200 || len(got) != 6 {
			t.Fatalf("%s: %d with %d parts", path, status, len(got))
		}
		for cid, want := range map[string]struct {
			status int
			text   string
		}{
			"<response-5b0b-uuid + 1>": {200, id},
			"response-plain":           {200, "STARRED"},
			"<response-missing>":       {404, "notFound"},
			"<response-bob>":           {200, "bob@example.com"},
			"<response-upload>":        {400, "Media upload is not supported in a batch."},
			"<response-junk>":          {400, "malformed inner request"},
		} {
			p, ok := got[cid]
			if !ok || p.status != want.status || !strings.Contains(p.body, want.text) {
				t.Errorf("%s %s: %d %s", path, cid, p.status, p.body)
			}
		}
		v.check("GET", "/gmail/v1/users/me/messages/"+id, 200, "application/json; charset=UTF-8", []byte(got["<response-5b0b-uuid + 1>"].body))
	}
	if s := w.srv.Stats(); s.Trips != 2 || s.Requests != 8 || s.Methods["messages.get"] != 4 || s.Units != 2*(20+5+20+1) {
		t.Errorf("stats %+v", s)
	}
}

func TestBatchRefusals(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	var many [][2]string
	for i := range 101 {
		many = append(many, [2]string{fmt.Sprint(i), "GET /gmail/v1/users/me/profile HTTP/1.1\r\n\r\n"})
	}
	if status, got := w.batch("/batch", "alice", many[:100]...); status != 200 || len(got) != 100 {
		t.Errorf("100 parts: %d with %d answers", status, len(got))
	}
	if status, got := w.batch("/batch", "alice", many...); status != 400 || !strings.Contains(got[""].body, "Inner request count exceeds the limit. Received: 101, Limit: 100") {
		t.Errorf("101 parts: %d %s", status, got[""].body)
	}
	if status, _ := w.batch("/batch", "bad", many[:2]...); status != 401 {
		t.Errorf("bad outer token: %d, want 401", status)
	}
	if status, got := w.batch("/batch", "", many[:2]...); status != 200 || got["response-0"].status != 401 {
		t.Errorf("no token: %d, part %d", status, got["response-0"].status)
	}
	if status, _, _ := w.do("POST", "/batch", "alice", "x", "Content-Type", "text/plain"); status != 400 {
		t.Errorf("no multipart: %d, want 400", status)
	}
	if status, _, _ := w.do("GET", "/batch", "alice", ""); status != 404 {
		t.Errorf("GET: %d, want 404", status)
	}
}

func TestConcurrencyLimit(t *testing.T) {
	w := newWorld(t, emulator.Options{Concurrency: 10})
	var inner [][2]string
	for i := range 15 {
		inner = append(inner, [2]string{fmt.Sprint(i), "GET /gmail/v1/users/me/profile HTTP/1.1\r\n\r\n"})
	}
	_, got := w.batch("/batch", "alice", inner...)
	refused := 0
	for _, p := range got {
		if p.status == 429 && strings.Contains(p.body, "Too many concurrent requests for user") {
			refused++
		}
	}
	if refused != 5 {
		t.Errorf("%d of 15 refused, want 5", refused)
	}
	must[*gmail.Profile](t)(w.client("alice").GetProfile("me").Do())
}
