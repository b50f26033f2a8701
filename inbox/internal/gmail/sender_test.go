package gmail_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// envelope is Gmail's error envelope, with an address in its text as Gmail has it.
func envelope(status int, reason, message string) *http.Response {
	return answer(status, fmt.Sprintf(`{"error":{"code":%d,"message":%q,"errors":[{"message":%q,"reason":%q}]}}`, status, message, message, reason))
}

const canary = "canary ann@example.com https://gmail.googleapis.com/gmail/v1/users/me/messages/m1?q=secret"

// TestRetries: reads are repeated when Gmail throttles or fails, and nothing else is. Time is the bubble's.
func TestRetries(t *testing.T) {
	read := func(t *testing.T, w *world) error { _, err := do(t, w, gmail.GetMessage("m1")); return err }
	create := func(t *testing.T, w *world) error { _, err := do(t, w, gmail.CreateDraft(small, "")); return err }
	update := func(t *testing.T, w *world) error {
		_, err := do(t, w, gmail.UpdateDraft("d1", small, ""))
		return err
	}
	send := func(t *testing.T, w *world) error { _, err := do(t, w, gmail.SendDraft("d1", small, "")); return err }
	upload := func(t *testing.T, w *world) error { _, err := do(t, w, gmail.SendDraft("d1", large, "")); return err }
	label := func(t *testing.T, w *world) error {
		_, err := do(t, w, gmail.ModifyMessages([]string{"m1"}, []string{"STARRED"}, nil))
		return err
	}
	lost := func() *http.Response { return nil }
	failing := func(status int, reason string) func() *http.Response {
		return func() *http.Response { return envelope(status, reason, canary) }
	}
	for _, c := range []struct {
		name  string
		call  func(*testing.T, *world) error
		fault func() *http.Response
		hits  int // when the fault happens once
		kind  gmail.Kind
	}{
		{"read, 429", read, failing(429, "rateLimitExceeded"), 2, gmail.RateLimited},
		{"read, 403 rate", read, failing(403, "rateLimitExceeded"), 2, gmail.RateLimited},
		{"read, 403 user rate", read, failing(403, "userRateLimitExceeded"), 2, gmail.RateLimited},
		{"read, 500", read, failing(500, "backendError"), 2, gmail.Upstream},
		{"read, 503", read, failing(503, "backendError"), 2, gmail.Upstream},
		{"read, HTML error page", read, func() *http.Response { return answer(502, "<html>"+canary) }, 2, gmail.Upstream},
		{"read, no answer", read, lost, 2, gmail.Upstream},
		{"change of labels, 503", label, failing(503, "backendError"), 2, gmail.Upstream},
		{"read, 400", read, failing(400, "invalidArgument"), 1, gmail.Invalid},
		{"read, 403", read, failing(403, "domainPolicy"), 1, gmail.Forbidden},
		{"read, 404", read, failing(404, "notFound"), 1, gmail.NotFound},
		{"read, 413", read, failing(413, ""), 1, gmail.TooLarge},
		{"create, 429", create, failing(429, "rateLimitExceeded"), 1, gmail.RateLimited},
		{"create, 503", create, failing(503, "backendError"), 1, gmail.Upstream},
		{"create, no answer", create, lost, 1, gmail.Upstream},
		{"update, 503", update, failing(503, "backendError"), 1, gmail.Upstream},
		{"send, 429", send, failing(429, "rateLimitExceeded"), 1, gmail.RateLimited},
		{"send, 500", send, failing(500, "backendError"), 1, gmail.Upstream},
		{"send, no answer", send, lost, 1, gmail.Upstream},
		{"upload, 503", upload, failing(503, "backendError"), 1, gmail.Upstream},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, func(n int, h hit) *http.Response {
					if n == 0 {
						return c.fault()
					}
					return agreeable(n, h)
				})
				err := c.call(t, w)
				if got := w.gmail.count(); got != c.hits {
					t.Errorf("one fault: %d requests, want %d", got, c.hits)
				}
				if (err == nil) != (c.hits == 2) {
					t.Errorf("one fault: got %v after %d requests", err, c.hits)
				}
				for _, h := range w.gmail.hits[1:] {
					if string(h.body) != string(w.gmail.hits[0].body) {
						t.Error("the repetition has another body")
					}
				}
			})
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, func(int, hit) *http.Response { return c.fault() })
				err := c.call(t, w)
				if want := 1 + 3*(c.hits-1); w.gmail.count() != want {
					t.Errorf("lasting fault: %d requests, want %d", w.gmail.count(), want)
				}
				var e *gmail.Error
				if !errors.As(err, &e) || e.Kind != c.kind {
					t.Fatalf("lasting fault: got %v, want an error of kind %d", err, c.kind)
				}
				wantNoCanary(t, err)
				if gmail.IsNotFound(err) != (c.kind == gmail.NotFound) || gmail.Unanswered(err) != (c.kind == gmail.Upstream) {
					t.Errorf("%v is told wrongly", err)
				}
			})
		})
	}
}

// wantNoCanary looks at what a log line would show of an error.
func wantNoCanary(t *testing.T, err error) {
	t.Helper()
	for _, text := range []string{err.Error(), fmt.Sprintf("%v", err), fmt.Sprintf("%s", err)} {
		for _, secret := range []string{"canary", "example.com", "http", "192.0.2.7", "secret", "token-"} {
			if strings.Contains(text, secret) {
				t.Errorf("the error holds %q: %s", secret, text)
			}
		}
	}
}

// TestRetryAfter: the time that Gmail names is waited for when it is near, and handed on when it is not.
func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		until := start.Add(6 * time.Second)
		w := newWorld(t, func(n int, h hit) *http.Response {
			if n == 0 {
				return envelope(429, "rateLimitExceeded", "User-rate limit exceeded.  Retry after "+until.UTC().Format("2006-01-02T15:04:05.000Z"))
			}
			if time.Now().Before(until) {
				t.Errorf("came back after %v, before the time that Gmail named", time.Since(start))
			}
			return agreeable(n, h)
		})
		if _, err := do(t, w, gmail.GetMessage("m1")); err != nil || w.gmail.count() != 2 {
			t.Errorf("got %v after %d requests", err, w.gmail.count())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		until := time.Now().Add(time.Minute).UTC().Truncate(time.Millisecond)
		w := newWorld(t, func(int, hit) *http.Response {
			return envelope(403, "userRateLimitExceeded", "Retry after "+until.Format("2006-01-02T15:04:05.000Z"))
		})
		_, err := do(t, w, gmail.GetMessage("m1"))
		var e *gmail.Error
		if !errors.As(err, &e) || !e.RetryAt.Equal(until) || w.gmail.count() != 1 {
			t.Errorf("got %+v after %d requests, want RetryAt %v after one", e, w.gmail.count(), until)
		}
	})
}

// TestDisconnectWhileWaiting: what waits to be repeated does not leave any more once the account has changed.
func TestDisconnectWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *world
		w = newWorld(t, func(int, hit) *http.Response {
			w.facts.epoch.Add(1)
			return envelope(503, "backendError", canary)
		})
		_, err := do(t, w, gmail.GetMessage("m1"))
		var notCovered *policy.NotCovered
		if !errors.As(err, &notCovered) || w.gmail.count() != 1 {
			t.Errorf("got %v after %d requests, want *policy.NotCovered after one", err, w.gmail.count())
		}
	})
}

// TestUnauthorized: one new token and one repetition, for sends as well, for Gmail did nothing.
func TestUnauthorized(t *testing.T) {
	for _, refusals := range []int{1, 9} {
		w := newWorld(t, func(n int, h hit) *http.Response {
			if n < refusals {
				return envelope(401, "authError", canary)
			}
			return agreeable(n, h)
		})
		_, err := do(t, w, gmail.SendDraft("d1", small, ""))
		if got := w.gmail.count(); got != 2 || (err == nil) != (refusals == 1) {
			t.Errorf("%d refusals: %d requests, %v; want 2", refusals, got, err)
		}
		first, second := w.gmail.hits[0], w.gmail.hits[1]
		if a, b := first.req.Header.Get("Authorization"), second.req.Header.Get("Authorization"); a != "Bearer token-1" || b != "Bearer token-2" {
			t.Errorf("tokens %q and %q", a, b)
		}
		if string(first.body) != string(second.body) || len(first.body) == 0 {
			t.Error("the repetition has another body")
		}
	}
}

func okPart(id string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":\"answer to " + id + "\"}"
}

func errorPart(status int, reason string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\n\r\n"+`{"error":{"code":%d,"message":%q,"errors":[{"reason":%q}]}}`, status, status, canary, reason)
}

// TestBatchByContentID: answers come in any order and are told apart by their ids.
func TestBatchByContentID(t *testing.T) {
	w := newWorld(t, func(_ int, h hit) *http.Response {
		ids := contentIDs(h)
		slices.Reverse(ids)
		return batchAnswer(append([]string{"999"}, ids...), okPart) // one that nobody asked for comes first
	})
	answers, err := do(t, w, gmail.GetRows(ids(60)...))
	if err != nil || len(answers) != 60 || w.gmail.count() != 3 {
		t.Fatalf("got %d answers in %d requests, %v; want 60 in 3", len(answers), w.gmail.count(), err)
	}
	for i, a := range answers {
		if a.Err != nil || a.ID != ids(60)[i] || a.Value.Id != fmt.Sprintf("answer to %d", i) {
			t.Errorf("answer %d: got %q for %q, %v", i, a.Value.Id, a.ID, a.Err)
		}
	}
	for _, h := range w.gmail.hits {
		if n := len(contentIDs(h)); n > 25 {
			t.Errorf("%d parts in one request, want at most 25", n)
		}
	}
}

// TestBatchParts: of a batch, only the parts of reads that failed for a while are repeated.
func TestBatchParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(n int, h hit) *http.Response {
			return batchAnswer(contentIDs(h), func(id string) string {
				switch {
				case id == "1" && n == 0:
					return errorPart(429, "rateLimitExceeded")
				case id == "2":
					return errorPart(404, "notFound")
				}
				return okPart(id)
			})
		})
		answers, err := do(t, w, gmail.GetRows("a", "b", "c"))
		if err != nil || answers[0].Err != nil || answers[1].Err != nil || !gmail.IsNotFound(answers[2].Err) {
			t.Errorf("got %+v, %v", answers, err)
		}
		if w.gmail.count() != 2 || !slices.Equal(contentIDs(w.gmail.hits[1]), []string{"1"}) {
			t.Errorf("%d requests, the second with parts %v; want 2, the throttled part alone", w.gmail.count(), contentIDs(w.gmail.hits[1]))
		}
		wantNoCanary(t, answers[2].Err)
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(_ int, h hit) *http.Response {
			return batchAnswer(contentIDs(h), func(id string) string {
				if id == "1" {
					return errorPart(429, "rateLimitExceeded")
				}
				return okPart(id)
			})
		})
		answers, err := do(t, w, gmail.ModifyThreads([]string{"a", "b"}, []string{"STARRED"}, nil))
		var e *gmail.Error
		if err != nil || answers[0].Err != nil || !errors.As(answers[1].Err, &e) || e.Kind != gmail.RateLimited || w.gmail.count() != 1 {
			t.Errorf("a change: got %+v, %v after %d requests; want one, and its throttled part as an error", answers, err, w.gmail.count())
		}
	})
}

// TestBatchAnswersMissing: what does not come back is an error, never an empty message.
func TestBatchAnswersMissing(t *testing.T) {
	for name, reply := range map[string]func(ids []string) *http.Response{
		"one part missing": func([]string) *http.Response { return batchAnswer([]string{"0"}, okPart) },
		"no part":          func([]string) *http.Response { return batchAnswer(nil, okPart) },
		"another id": func([]string) *http.Response {
			return batchAnswer([]string{"0", "7"}, okPart)
		},
		"a part that is not HTTP": func(ids []string) *http.Response {
			return batchAnswer(ids, func(id string) string {
				if id == "1" {
					return canary
				}
				return okPart(id)
			})
		},
		"a part that is not JSON": func(ids []string) *http.Response {
			return batchAnswer(ids, func(id string) string {
				if id == "1" {
					return "HTTP/1.1 200 OK\r\n\r\n" + canary
				}
				return okPart(id)
			})
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(_ int, h hit) *http.Response { return reply(contentIDs(h)) })
			answers, err := do(t, w, gmail.GetRows("a", "b"))
			if err != nil || answers[1].Err == nil {
				t.Errorf("%s: got %+v, %v; want an error for the second", name, answers, err)
				return
			}
			wantNoCanary(t, answers[1].Err)
		})
	}
	for name, contentType := range map[string]string{"no type": "", "no boundary": "multipart/mixed", "JSON": "application/json"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(int, hit) *http.Response {
				res := answer(200, canary)
				res.Header.Set("Content-Type", contentType)
				return res
			})
			if answers, err := do(t, w, gmail.GetRows("a")); err == nil && answers[0].Err == nil {
				t.Errorf("%s: no error", name)
			} else if err != nil {
				wantNoCanary(t, err)
			}
		})
	}
}

// TestErrorsHoldNoText: whatever Gmail writes, an error repeats none of it.
func TestErrorsHoldNoText(t *testing.T) {
	for name, res := range map[string]func() *http.Response{
		"an unknown reason": func() *http.Response { return envelope(400, canary, canary) },
		"a wrong type":      func() *http.Response { return answer(200, `{"historyId":"canary example.com","id":5}`) },
		"no JSON":           func() *http.Response { return answer(200, canary) },
		"half of it":        func() *http.Response { return answer(200, `{"id":"canary`) },
		"nothing":           func() *http.Response { return answer(200, ``) },
		"a redirect": func() *http.Response {
			res := answer(302, canary)
			res.Header.Set("Location", "https://example.com/canary")
			return res
		},
		"a bad redirect": func() *http.Response {
			res := answer(302, canary)
			res.Header.Set("Location", "https://example.com:canary/%zz")
			return res
		},
	} {
		w := newWorld(t, func(int, hit) *http.Response { return res() })
		_, err := do(t, w, gmail.GetMessage("m1"))
		var e *gmail.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v, want *gmail.Error", name, err)
			continue
		}
		wantNoCanary(t, err)
		for cause := err; cause != nil; cause = errors.Unwrap(cause) {
			if strings.Contains(cause.Error(), "canary") {
				t.Errorf("%s: a cause holds the text: %v", name, cause)
			}
		}
	}
}

func TestRetryAtForms(t *testing.T) {
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		message, header string
		want            time.Time
	}{
		{"User-rate limit exceeded.  Retry after 2026-11-02T09:00:30.123Z", "", now.Add(30*time.Second + 123*time.Millisecond)},
		{"retry after 2026-11-02T10:00:05+01:00 please", "9", now.Add(5 * time.Second)},
		{"", "7", now.Add(7 * time.Second)},
		{"", "Mon, 02 Nov 2026 09:01:00 GMT", now.Add(time.Minute)},
		{"Retry after 2026-13-45T99:00:00Z", "7", now.Add(7 * time.Second)},
		{"", "soon", time.Time{}},
		{"", "1e99", time.Time{}},
		{"", "", time.Time{}},
	} {
		header := http.Header{}
		header.Set("Retry-After", c.header)
		if got := gmail.RetryAt(c.message, header, now); !got.Equal(c.want) {
			t.Errorf("%q, %q: got %v, want %v", c.message, c.header, got, c.want)
		}
	}
}

func FuzzRetryAt(f *testing.F) {
	f.Add("Retry after 2026-11-02T09:00:30.123Z", "7")
	f.Add("", "Mon, 02 Nov 2026 09:01:00 GMT")
	f.Add("Retry after 9999-12-31T23:59:59.999999999999Z", "-9223372036854775808")
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, message, header string) {
		got := gmail.RetryAt(message, http.Header{"Retry-After": {header}}, now)
		if got.IsZero() {
			return
		}
		if y := got.UTC().Year(); y < -1 || y > 10_000 || got.Sub(now) == math.MaxInt64 && y < 2262 {
			t.Errorf("%q, %q: got %v", message, header, got)
		}
	})
}

func FuzzDecodeBatch(f *testing.F) {
	good := batchAnswer([]string{"1", "0"}, okPart)
	body, _ := io.ReadAll(good.Body)
	f.Add(good.Header.Get("Content-Type"), string(body))
	f.Add("multipart/mixed; boundary=b", "--b\r\nContent-Id: <response-0>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\r\n--b--")
	f.Add("multipart/mixed", "--\r\n\r\n----")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		res := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body))}
		answers, err := gmail.DecodeBatch(res, 2)
		if len(answers) != 2 {
			t.Fatalf("got %d answers", len(answers))
		}
		var e *gmail.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("got %v, want *gmail.Error", err)
		}
		for _, a := range answers {
			if a.Err != nil && !errors.As(a.Err, &e) {
				t.Errorf("got %v, want *gmail.Error", a.Err)
			}
			if a.Err == nil && !strings.Contains(body, "<response-") {
				t.Error("an answer out of nothing")
			}
		}
	})
}

// BenchmarkGuard is what the guard costs a batch of 25: everything but the network and Gmail.
func BenchmarkGuard(b *testing.B) {
	w := newWorld(b, func(int, hit) *http.Response { return answer(http.StatusOK, "{}") })
	call := gmail.GetRows(ids(25)...)
	target, err := call.Target()
	if err != nil {
		b.Fatal(err)
	}
	grant := w.grant(b, target)
	var body strings.Builder
	for _, id := range ids(25) {
		body.WriteString(part("", "GET /gmail/v1/users/me/messages/"+id+"?format=metadata&metadataHeaders=From&metadataHeaders=To&metadataHeaders=Cc&metadataHeaders=Subject&metadataHeaders=Date&metadataHeaders=Content-Type HTTP/1.1\r\n\r\n\r\n"))
	}
	body.WriteString("--b--\r\n")
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			targets, err := gmail.TargetsOf(request("POST", "/batch/gmail/v1", boundary, body.String()))
			if err != nil || len(targets) != 25 {
				b.Fatal(len(targets), err)
			}
			if err := w.gate.Use(b.Context(), grant, targets...); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("target", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := call.Target(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
