package gmail_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

func TestDataReader(t *testing.T) {
	content := bytes.Repeat([]byte{0, 0xfb, 0xff, 'x'}, 1000)
	padded, bare := base64.URLEncoding.EncodeToString(content[:1000]), base64.RawURLEncoding.EncodeToString(content[:1000])
	for _, c := range []struct {
		name, answer string
		want         []byte
		fails        bool
	}{
		{"padded", `{"size":1000,"data":"` + padded + `"}`, content[:1000], false},
		{"bare", `{"data":"` + bare + `"}`, content[:1000], false},
		{"escaped padding", `{"data":"` + strings.ReplaceAll(padded, "=", `\u003d`) + `"}`, content[:1000], false},
		{"spaces", "\n{\n  \"size\": 1000,\n  \"data\" : \"" + padded + "\"\n}\n", content[:1000], false},
		{"data first", `{"data":"` + padded + `","size":1000,"attachmentId":"ANGjdJ"}`, content[:1000], false},
		{"nothing attached", `{"size":0}`, nil, false},
		{"empty data", `{"data":""}`, nil, false},
		{"cut in the data", `{"data":"` + padded[:500], nil, true},
		{"cut after the data", `{"data":"` + padded + `"`, nil, true},
		{"data twice", `{"data":"AAAA","data":"AAAA"}`, nil, true},
		{"not base64", `{"data":"canary!"}`, nil, true},
		{"an array", `["AAAA"]`, nil, true},
		{"an error page", `<html>canary</html>`, nil, true},
		{"no answer", ``, nil, true},
		{"another escape", `{"data":"\n"}`, nil, true},
	} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(c.answer), "byte by byte": iotest.OneByteReader(strings.NewReader(c.answer))} {
			got, err := io.ReadAll(gmail.NewDataReader(r))
			if (err != nil) != c.fails || !c.fails && !bytes.Equal(got, c.want) {
				t.Errorf("%s, %s: got %d bytes, %v; want %d, failing %v", c.name, name, len(got), err, len(c.want), c.fails)
			}
			var e *gmail.Error
			if err != nil && (!errors.As(err, &e) || e.Kind != gmail.Upstream || strings.Contains(err.Error()+fmt.Sprint(e.Err), "canary")) {
				t.Errorf("%s: got %v, want *gmail.Error without text", c.name, err)
			}
		}
	}
}

func FuzzDataReader(f *testing.F) {
	f.Add([]byte("content"), `{"size":7,"data":"`, `"}`)
	f.Add([]byte{}, `{"data":"`, `"`)
	f.Fuzz(func(t *testing.T, content []byte, before, after string) {
		_, _ = io.ReadAll(gmail.NewDataReader(strings.NewReader(before + after)))
		whole := `{"data":"` + base64.URLEncoding.EncodeToString(content) + `"}`
		if got, err := io.ReadAll(gmail.NewDataReader(strings.NewReader(whole))); err != nil || !bytes.Equal(got, content) {
			t.Errorf("got %q, %v; want %q", got, err, content)
		}
		if got, err := io.ReadAll(gmail.NewDataReader(strings.NewReader(whole[:len(whole)-1]))); err == nil {
			t.Errorf("half an answer gave %q", got)
		}
	})
}

// pattern is a message of any size that is nowhere in memory.
type pattern struct {
	size    int64
	changes bool // every reading is another one
	read    *int
}

func (p pattern) Size() int64 { return p.size }

func (p pattern) Open() (io.ReadCloser, error) {
	*p.read++
	head := "From: ann@example.com\r\nTo: bob@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	if p.changes {
		head = strings.Replace(head, "bob", "b"+fmt.Sprint(*p.read)+"b", 1)
	}
	return io.NopCloser(io.MultiReader(strings.NewReader(head), io.LimitReader(&spaces{}, p.size-int64(len(head))))), nil
}

// TestStreamedSend: a message of 34 MiB is decided, checked and sent without being in memory, and is the one that
// was decided or does not arrive.
func TestStreamedSend(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var before, most, arrived, whole uint64
	w := newWorldWith(t, func(req *http.Request) *http.Response {
		buf := make([]byte, 1<<20)
		whole = uint64(req.ContentLength)
		for next := uint64(4 << 20); ; {
			n, err := req.Body.Read(buf)
			arrived += uint64(n)
			if arrived >= next {
				next += 4 << 20
				most = max(most, heap())
			}
			if errors.Is(err, io.EOF) {
				return answer(200, `{"id":"m1"}`)
			}
			if err != nil {
				return nil
			}
		}
	})
	before = heap()
	const size = 34 << 20
	if _, err := do(t, w, gmail.UploadSend("d1", pattern{size: size, read: new(int)}, "")); err != nil {
		t.Fatal(err)
	}
	if arrived < size {
		t.Errorf("%d bytes arrived, want the message's %d", arrived, size)
	}
	if got := int64(most) - int64(before); got > 16<<20 {
		t.Errorf("%d MB of heap in use while sending, want less than 16", got>>20)
	}
	arrived = 0
	_, err := do(t, w, gmail.UploadSend("d1", pattern{size: size, read: new(int), changes: true}, ""))
	var not *policy.NotCovered
	if !errors.As(err, &not) || arrived != 0 {
		t.Errorf("a message that changes after the decision: got %v and %d bytes, want *policy.NotCovered and none", err, arrived)
	}
	arrived = 0
	call := gmail.UploadSend("d1", &swapped{pattern: pattern{size: size, read: new(int)}, after: 2}, "") // decided, checked, then swapped
	if _, err = do(t, w, call); err == nil || arrived >= whole {
		t.Errorf("a message that changes after the check: got %v and %d bytes, want an error and less than the request's %d", err, arrived, whole)
	}
}

// swapped is one message for the first readings and another one after.
type swapped struct {
	pattern
	after int
}

func (s *swapped) Open() (io.ReadCloser, error) {
	if s.changes = s.after <= *s.read; s.changes {
		*s.read = 99 // to another recipient
	}
	return s.pattern.Open()
}

// TestStreamedAttachment: what is read ahead of the reader is bounded.
func TestStreamedAttachment(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	w := newWorld(t, func(int, hit) *http.Response {
		return answer(200, `{"size":1048576,"data":"`+base64.URLEncoding.EncodeToString(content)+`"}`)
	})
	call := gmail.StreamAttachment("m1", "ANGjdJ")
	target, err := call.Target()
	if err != nil {
		t.Fatal(err)
	}
	same, err := gmail.GetAttachment("m1", "ANGjdJ").Target()
	if err != nil || fmt.Sprint(target) != fmt.Sprint(same) {
		t.Errorf("streamed it is %+v, whole %+v, %v", target, same, err)
	}
	body, err := call.Open(t.Context(), w.client, w.grant(t, target))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, content) {
		t.Errorf("got %d bytes, %v; want %d", len(got), err, len(content))
	}
	other, err := gmail.StreamAttachment("m2", "ANGjdJ").Open(t.Context(), w.client, w.grant(t, target))
	var not *policy.NotCovered
	if !errors.As(err, &not) || other != nil {
		t.Errorf("another message's attachment: got %v, want *policy.NotCovered", err)
	}
}
