package inbox_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/internal/database"
	"github.com/totalengage/webmail/internal/database/databasetest"
)

// noise is content of any size that nothing can compress, the same for each seed.
func noise(seed uint64, size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{byte(seed)}), size)
}

// TestLargeAttachmentArrives: a file of several megabytes goes from the composer into a draft, is opened from there,
// sent, and arrives as it was; nothing of it is left here.
func TestLargeAttachmentArrives(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, open func(t *testing.T) *database.DB) {
		o, p := openOffice(t, open(t))
		const size = 5 << 20
		u, err := o.PutUpload(t.Context(), writing(alice), "film.bin", "video/mp4", noise(1, size))
		if err != nil || u.Size != size {
			t.Fatalf("got %+v, %v", u, err)
		}
		c := letterTo(bob, "Film", "<p>see</p>")
		c.Attachments = []inbox.ComposeAttachment{{UploadID: u.ID}}
		d, err := o.CreateDraft(t.Context(), writing(alice), c)
		if err != nil {
			t.Fatal(err)
		}
		// The draft's attachment is now a part of the draft: it is fetched from Gmail to be sent.
		o.send(t, d.Compose, newKey())
		o.settle(t)
		var list listed
		p.get(t, bob, "messages?labelIds=INBOX", &list)
		if len(list.Messages) != 1 {
			t.Fatalf("bob has %d messages, want 1", len(list.Messages))
		}
		visit := writing(bob).For("inbox.read", "attachment_view")
		m, err := o.Message(t.Context(), writing(bob).For("inbox.read", "message_view"), list.Messages[0].ID)
		if err != nil || len(m.Attachments) != 1 {
			t.Fatalf("%d attachments, %v; want 1", len(m.Attachments), err)
		}
		a, err := o.OpenAttachment(t.Context(), visit, m.ID, m.Attachments[0].PartID)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(a.Content)
		want, _ := io.ReadAll(noise(1, size))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes arrived, %v; want the %d that were attached", len(got), err, len(want))
		}
		if err := a.Content.Close(); err != nil {
			t.Error(err)
		}
		if n := o.rows(t, "outbox_parts"); n != 0 {
			t.Errorf("%d parts of the message are left", n)
		}
		o.pass(25 * time.Hour)
		if err := o.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := o.rows(t, "upload_parts"); n != 0 {
			t.Errorf("%d parts of the file are left after a day", n)
		}
		o.accountedFor(t)
	})
}

// TestDamagedParts: a row that is missing, exchanged or cut is never read as content.
func TestDamagedParts(t *testing.T) {
	for name, damage := range map[string]string{
		"the last row is missing":  `DELETE FROM upload_parts WHERE n = (SELECT max(n) FROM upload_parts)`,
		"a row is another's":       `UPDATE upload_parts SET body = (SELECT body FROM upload_parts WHERE n = 2) WHERE n = 1`,
		"the first row is missing": `DELETE FROM upload_parts WHERE n = 0`,
		"a row is cut":             `UPDATE upload_parts SET body = substr(body, 1, 1000) WHERE n = 3`,
	} {
		t.Run(name, func(t *testing.T) {
			db := databasetest.Open(t, "sqlite:"+t.TempDir()+"/db")
			o, _ := openOffice(t, db)
			u, err := o.PutUpload(t.Context(), writing(alice), "a", "", noise(2, 2<<20))
			if err != nil {
				t.Fatal(err)
			}
			err = db.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), damage)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			c := letterTo(bob, "x", "y")
			c.Attachments = []inbox.ComposeAttachment{{UploadID: u.ID}}
			if _, err := o.CreateDraft(t.Context(), writing(alice), c); err == nil {
				t.Error("a damaged file became part of a draft")
			}
		})
	}
}

// TestMemoryOfLargeMail: 25 MB going up, being sent and coming down each cost less than 16 MB of memory. The heap in
// use is looked at, after a collection, every few megabytes and every 20 ms.
func TestMemoryOfLargeMail(t *testing.T) {
	const size = 25 << 20
	var highest atomic.Uint64
	look := func() {
		// What is allocated while the collector runs counts as in use whether it is or not, and the more so the
		// busier the machine: it is left out. A buffer that holds a file outlives a collection.
		var before, m runtime.MemStats
		runtime.ReadMemStats(&before)
		runtime.GC()
		runtime.ReadMemStats(&m)
		meanwhile := m.TotalAlloc - before.TotalAlloc
		for now := m.HeapAlloc - min(m.HeapAlloc, meanwhile); ; {
			if was := highest.Load(); now <= was || highest.CompareAndSwap(was, now) {
				return
			}
		}
	}
	var uploaded atomic.Int64
	gmail := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/upload/"):
			n, err := io.Copy(io.Discard, &watched{Reader: r.Body, every: 4 << 20, look: look})
			uploaded.Add(n)
			if err != nil {
				return
			}
			if strings.HasSuffix(r.URL.Path, "/send") {
				fmt.Fprint(w, `{"id":"5e","threadId":"5e"}`)
				return
			}
			fmt.Fprint(w, `{"id":"d1","message":{"id":"4d","threadId":"4d"}}`)
		case strings.Contains(r.URL.Path, "/attachments/"):
			fmt.Fprintf(w, `{"size":%d,"data":"`, size)
			to := base64.NewEncoder(base64.URLEncoding, w)
			_, _ = io.Copy(to, noise(3, size))
			to.Close()
			fmt.Fprint(w, `"}`)
		default:
			fmt.Fprintf(w, `{"id":"a1","threadId":"a1","sizeEstimate":%d,"payload":{"mimeType":"multipart/mixed","parts":[{"partId":"0","mimeType":"video/mp4","filename":"f","body":{"attachmentId":"ANGjdJ","size":%d}}]}}`, size, size)
		}
	}))
	defer gmail.Close()
	o := newOffice(t, databasetest.Open(t, "sqlite:"+t.TempDir()+"/db"), t.TempDir(), gmail.URL+"/", &clock{}, held)
	measure := func(what string, do func()) {
		t.Helper()
		highest.Store(0)
		look()
		before := highest.Load()
		done := make(chan struct{})
		var looking sync.WaitGroup
		looking.Go(func() {
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				select {
				case <-tick.C:
					look()
				case <-done:
					return
				}
			}
		})
		do()
		close(done)
		looking.Wait()
		cost := float64(highest.Load()-before) / (1 << 20)
		t.Logf("%s: %.1f MB", what, cost)
		if cost >= 16 {
			t.Errorf("%s costs %.1f MB of memory, want less than 16", what, cost)
		}
	}
	c := letterTo(bob, "Large", "<p>x</p>")
	measure("a file put aside", func() {
		u, err := o.PutUpload(t.Context(), writing(alice), "f", "video/mp4", &watched{Reader: noise(3, size), every: 4 << 20, look: look})
		if err != nil {
			t.Fatal(err)
		}
		c.Attachments = []inbox.ComposeAttachment{{UploadID: u.ID}}
	})
	var item inbox.OutboxItem
	measure("a message accepted", func() { item = o.send(t, c, newKey()) })
	measure("a message sent", func() {
		o.pass(held)
		if _, err := o.SendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if got := o.state(t, item.ID); got.State != inbox.Sent || uploaded.Load() < 2*size {
		t.Errorf("it is %s after %d bytes, want sent", got.State, uploaded.Load())
	}
	measure("a file fetched", func() {
		a, err := o.OpenAttachment(t.Context(), writing(alice).For("inbox.read", "attachment_view"), "a1", "0")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Content.Close()
		if n, err := io.Copy(io.Discard, &watched{Reader: a.Content, every: 4 << 20, look: look}); err != nil || n != size {
			t.Errorf("got %d bytes, %v; want %d", n, err, size)
		}
	})
	o.accountedFor(t)
}

// watched looks each time that so many bytes have passed.
type watched struct {
	io.Reader
	every, passed int64
	look          func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if w.passed += int64(n); w.passed >= w.every {
		w.passed = 0
		w.look()
	}
	return n, err
}

// TestAttachmentBreaksOff: a download that Gmail does not finish is an error, and recorded as failed.
func TestAttachmentBreaksOff(t *testing.T) {
	gmail := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/attachments/") {
			fmt.Fprint(w, `{"id":"a1","threadId":"a1","payload":{"mimeType":"video/mp4","filename":"f","body":{"attachmentId":"ANGjdJ","size":9000}}}`)
			return
		}
		fmt.Fprint(w, `{"size":9000,"data":"`+strings.Repeat("AAAA", 2000))
	}))
	defer gmail.Close()
	o := newOffice(t, databasetest.Open(t, "sqlite:"+t.TempDir()+"/db"), t.TempDir(), gmail.URL+"/", &clock{}, held)
	a, err := o.OpenAttachment(context.Background(), writing(alice).For("inbox.read", "attachment_view"), "a1", "")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, a.Content); !errors.Is(err, inbox.ErrUpstream) {
		t.Errorf("half an answer gave %d bytes, %v; want ErrUpstream", n, err)
	}
	a.Content.Close()
	o.accountedFor(t)
}
