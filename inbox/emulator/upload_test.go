package emulator_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"

	"github.com/totalengage/webmail/inbox/emulator"
)

func bigMail(size int) []byte {
	return append([]byte("To: bob@example.com\r\nSubject: big\r\n\r\n"), bytes.Repeat([]byte("0123456789abcde\n"), size/16)...)
}

// TestMediaUpload lets Google's client choose its protocol: one multipart request
// below 16 MiB, resumable chunks from there.
func TestMediaUpload(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	first := w.insert("Message-ID: <1@x>\r\nSubject: big\r\n\r\none", testTime)
	for _, size := range []int{1 << 10, 6 << 20, 20 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			raw := append([]byte("References: <1@x>\r\n"), bigMail(size)...)
			got, err := alice.Messages.Insert("me", &gmail.Message{ThreadId: first, LabelIds: []string{"STARRED"}}).
				Media(bytes.NewReader(raw), googleapi.ContentType("message/rfc822")).Do()
			if err != nil {
				t.Fatal(err)
			}
			if got.ThreadId != first || len(got.LabelIds) != 1 || got.LabelIds[0] != "STARRED" {
				t.Errorf("the metadata part is lost: %+v", got)
			}
			back := must[*gmail.Message](t)(alice.Messages.Get("me", got.Id).Format("raw").Do())
			if decode(t, back.Raw) != string(raw) {
				t.Error("the message changed on its way")
			}
		})
	}
}

func TestUploadLimits(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	_, err := alice.Messages.Send("me", &gmail.Message{}).Media(strings.NewReader("x"), googleapi.ContentType("application/pdf")).Do()
	wantError(t, err, 400, "badRequest", "Media type 'application/pdf' is not supported. Valid media types: [message/*]")
	_, err = alice.Messages.Send("me", &gmail.Message{}).Media(bytes.NewReader(bigMail(36<<20)), googleapi.ContentType("message/rfc822")).Do()
	if err == nil || !strings.Contains(err.Error(), "413") {
		t.Errorf("36 MiB: %v, want 413", err)
	}
	status, _, _ := w.do("POST", "/upload/gmail/v1/users/me/labels?uploadType=media", "alice", "x", "Content-Type", "message/rfc822")
	if status != 404 {
		t.Errorf("upload to a method without media: %d, want 404", status)
	}
}

func TestSimpleUpload(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for _, prefix := range []string{"/upload", "/resumable/upload"} {
		status, _, body := w.do("POST", prefix+"/gmail/v1/users/me/messages?uploadType=media&fields=id", "alice", "Subject: x\r\n\r\ny", "Content-Type", "message/rfc822")
		if status != 200 || !strings.Contains(body, `"id"`) || strings.Contains(body, "threadId") {
			t.Errorf("%s: %d %s", prefix, status, body)
		}
	}
}

// TestNodeMultipart has what Google's Node client writes: lower-case part headers
// and no line end after the last boundary.
func TestNodeMultipart(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	body := "--b\r\ncontent-type: application/json\r\n\r\n{\"labelIds\":[\"INBOX\"]}\r\n--b\r\ncontent-type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n--b--"
	status, _, answer := w.do("POST", "/upload/gmail/v1/users/me/messages?uploadType=multipart&prettyPrint=false", "alice", body, "Content-Type", "multipart/related; boundary=b")
	if status != 200 || !strings.Contains(answer, `"labelIds":["INBOX"]`) {
		t.Errorf("%d %s", status, answer)
	}
	status, _, _ = w.do("POST", "/upload/gmail/v1/users/me/messages?uploadType=multipart", "alice", strings.Replace(body, "--b--", "--b\r\n\r\nthird\r\n--b--", 1), "Content-Type", "multipart/related; boundary=b")
	if status != 400 {
		t.Errorf("three parts: %d, want 400", status)
	}
}

// TestResumablePut is the protocol of Python and curl: PUT and a real 308.
func TestResumablePut(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	raw := bigMail(700 << 10)
	status, header, _ := w.do("POST", "/upload/gmail/v1/users/me/messages/send?uploadType=resumable", "alice", "{}",
		"Content-Type", "application/json", "X-Upload-Content-Type", "message/rfc822", "X-Upload-Content-Length", fmt.Sprint(len(raw)))
	location := strings.TrimPrefix(header.Get("Location"), w.url)
	if status != 200 || !strings.Contains(location, "upload_id=") {
		t.Fatalf("start: %d, Location %q", status, location)
	}
	put := func(chunk []byte, contentRange string) (int, http.Header, string) {
		return w.do("PUT", location, "alice", string(chunk), "Content-Range", contentRange)
	}
	const unit = 256 << 10
	total := len(raw)
	if status, _, _ := put(raw[:1000], fmt.Sprintf("bytes 0-999/%d", total)); status != 400 {
		t.Errorf("a chunk that is no multiple of 256 KiB: %d, want 400", status)
	}
	if status, header, _ := put(raw[:unit], fmt.Sprintf("bytes 0-%d/%d", unit-1, total)); status != 308 || header.Get("Range") != fmt.Sprintf("bytes=0-%d", unit-1) {
		t.Errorf("first chunk: %d %q", status, header.Get("Range"))
	}
	if status, header, _ := put(nil, fmt.Sprintf("bytes */%d", total)); status != 308 || header.Get("Range") != fmt.Sprintf("bytes=0-%d", unit-1) {
		t.Errorf("status: %d %q", status, header.Get("Range"))
	}
	if status, _, _ := put(raw[2*unit:], fmt.Sprintf("bytes %d-%d/%d", 2*unit, total-1, total)); status != 308 {
		t.Errorf("a gap: %d, want 308", status)
	}
	status, _, body := put(raw[unit:], fmt.Sprintf("bytes %d-%d/%d", unit, total-1, total))
	if status != 200 || !strings.Contains(body, "SENT") {
		t.Fatalf("last chunk: %d %s", status, body)
	}
	if status, _, again := put(nil, fmt.Sprintf("bytes */%d", total)); status != 200 || again != body {
		t.Errorf("asked again: %d %s", status, again)
	}
	if l := must[*gmail.ListMessagesResponse](t)(w.client("bob").Messages.List("me").Do()); len(l.Messages) != 1 {
		t.Errorf("sent %d times", len(l.Messages))
	}
	if status, _, _ := w.do("PUT", "/upload/gmail/v1/users/me/messages?uploadType=resumable&upload_id=gone", "alice", "x"); status != 404 {
		t.Errorf("unknown session: %d, want 404", status)
	}
}

// TestResumableWholeWithoutRange sends everything in one PUT without Content-Range.
func TestResumableWholeWithoutRange(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	_, header, _ := w.do("POST", "/resumable/upload/gmail/v1/users/me/messages?uploadType=resumable", "alice", "")
	status, _, body := w.do("PUT", strings.TrimPrefix(header.Get("Location"), w.url), "alice", "Subject: x\r\n\r\ny")
	if status != 200 || !strings.Contains(body, `"id"`) {
		t.Errorf("%d %s", status, body)
	}
}

// TestResumableResumes breaks a chunk off and goes on from where the server is.
func TestResumableResumes(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	raw := bigMail(600 << 10)
	_, header, _ := w.do("POST", "/upload/gmail/v1/users/me/messages?uploadType=resumable", "alice", "")
	location := header.Get("Location")
	req, err := http.NewRequest("PUT", location, io.MultiReader(bytes.NewReader(raw[:300<<10]), brokenReader{}))
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = int64(len(raw))
	req.Header.Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(raw)-1, len(raw)))
	if res, err := http.DefaultTransport.RoundTrip(req); err == nil {
		res.Body.Close()
		t.Fatal("the broken upload was answered")
	}
	var have int
	for range 100 { // the server may still be reading what arrived
		_, header, _ := w.do("PUT", strings.TrimPrefix(location, w.url), "alice", "", "Content-Range", "bytes */*")
		if n, _ := fmt.Sscanf(header.Get("Range"), "bytes=0-%d", &have); n == 1 {
			have++
			break
		}
	}
	status, _, body := w.do("PUT", strings.TrimPrefix(location, w.url), "alice", string(raw[have:]), "Content-Range", fmt.Sprintf("bytes %d-%d/%d", have, len(raw)-1, len(raw)))
	if status != 200 {
		t.Fatalf("rest from %d: %d %s", have, status, body)
	}
	m := w.only(w.client("alice"), "subject:big")
	if m.SizeEstimate != int64(len(raw)) {
		t.Errorf("%d bytes arrived, want %d", m.SizeEstimate, len(raw))
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
