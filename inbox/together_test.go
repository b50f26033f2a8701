package inbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// between stands between a service and the emulator, so that a test can change answers.
func (r *reader) between(t *testing.T, change func(*http.Response) error) *inbox.Service {
	t.Helper()
	target, err := url.Parse(r.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{ModifyResponse: change, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.Out.Header.Set("Accept-Encoding", "identity")
		if query := p.Out.URL.Query(); strings.HasSuffix(p.Out.URL.Path, "/history") {
			query.Del("pageToken") // the emulator knows none of those made up here
			p.Out.URL.RawQuery = query.Encode()
		}
	}}
	web := httptest.NewServer(proxy)
	t.Cleanup(web.Close)
	s, err := inbox.New(inbox.Config{Gate: r.gate, Tokens: fixedToken("alice-token"), Endpoint: web.URL, PollEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEqualReadsTravelOnce: of many pages that ask for the same at the same time, one asks Gmail, and each has a
// decision of its own.
func TestEqualReadsTravelOnce(t *testing.T) {
	const pages = 8
	r := newReader(t)
	id := r.put(t, simple(1, "One"), "INBOX")
	r.mail.SetLatency(300 * time.Millisecond)
	var opening sync.WaitGroup
	for range pages {
		opening.Go(func() {
			c, err := r.service.Conversation(t.Context(), at("inbox.read", "thread_view"), id)
			if err != nil || len(c.Messages) != 1 {
				t.Errorf("got %d messages, %v", len(c.Messages), err)
			}
		})
	}
	opening.Wait()
	if got := r.mail.Stats(); got.Trips != 1 {
		t.Errorf("%d equal reads took %d trips, want 1", pages, got.Trips)
	}
	page, err := r.log.Query(t.Context(), decisionlog.Filter{Operation: "threads.get", Limit: 1000})
	if err != nil || len(page.Records) != pages {
		t.Errorf("%d reads left %d decisions, %v; want one for each", pages, len(page.Records), err)
	}
}

// TestStrangerJoinsNothing: a read under way is no way around the policy.
func TestStrangerJoinsNothing(t *testing.T) {
	r := newReader(t)
	id := r.put(t, simple(1, "One"), "INBOX")
	r.mail.SetLatency(300 * time.Millisecond)
	var reading sync.WaitGroup
	reading.Go(func() {
		if _, err := r.service.Conversation(t.Context(), opening, id); err != nil {
			t.Error(err)
		}
	})
	time.Sleep(100 * time.Millisecond) // the read is under way
	stranger := opening
	stranger.Actor.Person = "somebody-else"
	_, err := r.service.Conversation(t.Context(), stranger, id)
	var refused *policy.Refused
	if !errors.As(err, &refused) {
		t.Errorf("got %v, want *policy.Refused", err)
	}
	reading.Wait()
}

// TestHistoryWithoutEnd: a history that goes on and on is read for 20 pages; then everything is read anew.
func TestHistoryWithoutEnd(t *testing.T) {
	r := newReader(t)
	for n := range 3 {
		r.put(t, simple(n, fmt.Sprint(n)), "INBOX")
	}
	var pages atomic.Int64
	s := r.between(t, func(res *http.Response) error {
		if !strings.HasSuffix(res.Request.URL.Path, "/history") {
			return nil
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return err
		}
		var answer map[string]any
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		answer["nextPageToken"] = fmt.Sprint(pages.Add(1))
		body, err = json.Marshal(answer)
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		res.Header.Del("Content-Length")
		return err
	})
	list := func() int {
		page, err := s.Threads(t.Context(), listing, inbox.ListRequest{Label: "INBOX"})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Rows)
	}
	list()
	inbox.Pass(s, time.Minute) // long enough for history to be asked
	r.put(t, simple(3, "3"), "INBOX")
	if got := list(); got != 4 {
		t.Errorf("got %d rows, want the 4 there are", got)
	}
	if got := pages.Load(); got != 20 {
		t.Errorf("%d pages of history were read, want 20", got)
	}
}
