package gmail_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
)

const crowd = "Too many concurrent requests for user"

// limited gives the world a client with another quota.
func (w *world) limited(t *testing.T, units int) {
	t.Helper()
	var err error
	w.client, err = gmail.New(gmail.Config{Gate: w.gate, Tokens: w.vault, Transport: w.gmail, Units: units})
	if err != nil {
		t.Fatal(err)
	}
}

// TestBatchSize: batches shrink when Gmail says that too much runs at the same time, only what it refused is sent
// again, and they grow back when it is quiet.
func TestBatchSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bearable = 10 // inner calls of one batch
		calm := false
		w := newWorld(t, func(_ int, h hit) *http.Response {
			parts := contentIDs(h)
			return batchAnswer(parts, func(id string) string {
				if !calm && slices.Index(parts, id) >= bearable {
					return strings.ReplaceAll(errorPart(429, "rateLimitExceeded"), canary, crowd)
				}
				return okPart(id)
			})
		})
		answers, err := do(t, w, gmail.GetRows(ids(25)...))
		if err != nil {
			t.Fatal(err)
		}
		asked := map[string]int{}
		for _, h := range w.gmail.hits {
			for _, id := range contentIDs(h) {
				asked[id]++
			}
		}
		for i, a := range answers {
			if a.Err != nil {
				t.Errorf("part %d: %v", i, a.Err)
			}
			if want := 1; i < bearable && asked[fmt.Sprint(i)] != want {
				t.Errorf("part %d, which was answered, was sent %d times, want %d", i, asked[fmt.Sprint(i)], want)
			}
		}
		if n := len(contentIDs(w.gmail.hits[1])); n > 12 {
			t.Errorf("after the refusal a batch has %d parts, want at most half of 25", n)
		}
		calm = true
		for range 12 {
			if _, err := do(t, w, gmail.GetRows(ids(50)...)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute) // quota
		}
		if n := len(contentIDs(w.gmail.hits[len(w.gmail.hits)-1])); n != 25 {
			t.Errorf("after a while without refusals a batch has %d parts, want 25", n)
		}
	})
}

// TestNobodyComesEarly: the time that Gmail names in refusing one request holds for all requests of the account.
func TestNobodyComesEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		until := time.Now().Add(5 * time.Second)
		w := newWorld(t, func(n int, h hit) *http.Response {
			if n == 0 {
				return envelope(403, "rateLimitExceeded", "User-rate limit exceeded.  Retry after "+until.UTC().Format("2006-01-02T15:04:05.000Z"))
			}
			if time.Now().Before(until) {
				t.Errorf("request %d came %v early", n, time.Until(until))
			}
			return agreeable(n, h)
		})
		var reading sync.WaitGroup
		for i := range 5 {
			reading.Go(func() {
				time.Sleep(time.Duration(i) * time.Second) // the first one is refused, the others come while the window is closed
				if _, err := do(t, w, gmail.GetMessage(fmt.Sprint("m", i))); err != nil {
					t.Errorf("request %d: %v", i, err)
				}
			})
		}
		reading.Wait()
		if got := w.gmail.count(); got != 6 {
			t.Errorf("%d requests for 5 messages, want one more for the one refused", got)
		}
	})
	synctest.Test(t, func(t *testing.T) { // longer than anybody waits: nothing is sent, and the caller learns the time
		until := time.Now().Add(time.Minute).UTC().Truncate(time.Millisecond)
		w := newWorld(t, func(int, hit) *http.Response {
			return envelope(429, "rateLimitExceeded", "Retry after "+until.Format("2006-01-02T15:04:05.000Z"))
		})
		for range 3 {
			_, err := do(t, w, gmail.GetMessage("m1"))
			var e *gmail.Error
			if !errors.As(err, &e) || e.Kind != gmail.RateLimited || !e.RetryAt.Equal(until) {
				t.Errorf("got %v, want a refusal until %v", err, until)
			}
		}
		if w.gmail.count() != 1 {
			t.Errorf("%d requests, want 1", w.gmail.count())
		}
	})
}

// TestPersonFirst: when units are short, background work waits for the person at the page, and what is read ahead
// does not go at all.
func TestPersonFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		w := newWorld(t, func(n int, h hit) *http.Response {
			order = append(order, h.req.URL.Path[len("/gmail/v1/users/me/messages/"):])
			return agreeable(n, h)
		})
		w.limited(t, 120) // 60 at once, 1 a second: three messages, then one each 20 s
		read := func(u gmail.Urgency, id string) error {
			call := gmail.GetMessage(id)
			target, err := call.Target()
			if err != nil {
				return err
			}
			_, err = gmail.Do(gmail.WithUrgency(t.Context(), u), w.client, w.grant(t, target), call)
			return err
		}
		for range 2 {
			if err := read(gmail.Page, "first"); err != nil {
				t.Fatal(err)
			}
		}
		var running sync.WaitGroup
		for i := range 2 {
			running.Go(func() {
				if err := read(gmail.Background, fmt.Sprint("later", i)); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if err := read(gmail.Ahead, "ahead"); err == nil {
			t.Error("what nobody asked for was read while units were short")
		}
		for i := range 2 {
			running.Go(func() {
				if err := read(gmail.Page, fmt.Sprint("page", i)); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		running.Wait()
		want := []string{"first", "first", "page0", "page1"}
		if len(order) != 6 || !slices.Equal(order[:4], want) {
			t.Errorf("order %v, want %v and then the two that can wait", order, want)
		}
		time.Sleep(2 * time.Minute)
		if err := read(gmail.Ahead, "ahead"); err != nil {
			t.Errorf("read ahead with all units there: %v", err)
		}
	})
}

// TestPrecondition: Gmail's 400 "Precondition check failed." is tried once more, another 400 is not.
func TestPrecondition(t *testing.T) {
	for _, c := range []struct {
		message string
		hits    int
	}{{"Precondition check failed.", 2}, {"Filter already exists", 1}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(int, hit) *http.Response { return envelope(400, "failedPrecondition", c.message) })
			_, err := do(t, w, gmail.GetMessage("m1"))
			var e *gmail.Error
			if !errors.As(err, &e) || e.Kind != gmail.Invalid || w.gmail.count() != c.hits {
				t.Errorf("%q: got %v after %d requests, want Invalid after %d", c.message, err, w.gmail.count(), c.hits)
			}
		})
	}
}

// TestAnswerBound: an answer larger than any message of Gmail's is refused before it fills the memory.
func TestAnswerBound(t *testing.T) {
	endless := &spaces{}
	w := newWorld(t, func(int, hit) *http.Response {
		res := answer(200, "")
		res.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"id":"m1","snippet":"`), endless))
		return res
	})
	_, err := do(t, w, gmail.GetMessage("m1"))
	var e *gmail.Error
	if !errors.As(err, &e) || e.Kind != gmail.TooLarge {
		t.Errorf("got %v, want an error of kind TooLarge", err)
	}
	if endless.read > 96<<20 {
		t.Errorf("%d bytes were read, want at most 96 MiB", endless.read)
	}
}

// spaces never end.
type spaces struct{ read int }

func (s *spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	s.read += len(p)
	return len(p), nil
}
