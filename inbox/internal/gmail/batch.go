package gmail

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"time"
)

// batchPath is the documented one; Gmail also answers at /batch.
const batchPath = "/batch/gmail/v1"

// Answer is one part's result.
type Answer[T any] struct {
	ID    string // that the part named
	Value T
	Err   error
}

// batch makes a call of n inner requests. They travel in as few requests as the account's allowance has
// room for; parts that Gmail throttled or failed are repeated, the others are not. Only a read may be repeated
// under its grant: for a change the throttled parts come back as errors.
func batch[T any](n int, part func(i int) (id string, req *http.Request)) Call[[]Answer[T]] {
	return Call[[]Answer[T]]{
		parts: func() ([]*http.Request, error) {
			requests := make([]*http.Request, n)
			for i := range n {
				_, requests[i] = part(i)
			}
			return requests, nil
		},
		run: func(ctx context.Context, w wire) ([]Answer[T], error) {
			answers := make([]Answer[T], n)
			pending := make([]int, n)
			for i := range n {
				pending[i] = i
			}
			for attempt := 0; len(pending) > 0; attempt++ {
				if err := sendParts(ctx, w, pending, part, answers); err != nil {
					return nil, err
				}
				if urgencyOf(ctx) >= Ahead {
					break // nobody waits for it
				}
				var wait time.Duration
				if pending, wait = repeatable(pending, part, answers, attempt); len(pending) == 0 {
					break
				}
				if err := sleep(ctx, wait); err != nil {
					return nil, err
				}
			}
			return answers, nil
		},
	}
}

// sendParts sends the pending parts, in several batches at once if need be.
func sendParts[T any](ctx context.Context, w wire, pending []int, part func(int) (string, *http.Request), answers []Answer[T]) error {
	size := w.allowance.batchSize()
	var wg sync.WaitGroup
	errs := make([]error, (len(pending)+size-1)/size)
	for i := range errs {
		chunk := pending[i*size : min((i+1)*size, len(pending))]
		wg.Go(func() {
			if errs[i] = sendBatch(ctx, w, chunk, part, answers); errs[i] == nil {
				w.allowance.learn(size, heed(w.allowance, chunk, answers))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// heed tells the allowance what Gmail said in refusing parts, and returns whether they were too many at once.
func heed[T any](a *allowance, chunk []int, answers []Answer[T]) (crowded bool) {
	for _, i := range chunk {
		var e *Error
		if errors.As(answers[i].Err, &e) {
			a.heed(e)
			crowded = crowded || e.Crowded
		}
	}
	return crowded
}

func sendBatch[T any](ctx context.Context, w wire, chunk []int, part func(int) (string, *http.Request), answers []Answer[T]) error {
	body, contentType, err := encodeBatch(chunk, part)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(w.base, "/")+batchPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", userAgent)
	res, err := w.client.Do(req)
	if err != nil {
		return unwrapURL(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return envelopeError(res)
	}
	for _, i := range chunk {
		answers[i].ID, _ = part(i)
		answers[i].Err = &Error{Kind: Upstream, Status: res.StatusCode} // until its part arrives
	}
	return decodeBatch(res, chunk, answers)
}

func encodeBatch(chunk []int, part func(int) (string, *http.Request)) (body []byte, contentType string, err error) {
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for _, i := range chunk {
		_, req := part(i)
		header := textproto.MIMEHeader{"Content-Type": {"application/http"}, "Content-Id": {"<" + strconv.Itoa(i) + ">"}}
		p, err := w.CreatePart(header)
		if err != nil {
			return nil, "", err
		}
		fmt.Fprintf(p, "%s %s HTTP/1.1\r\n", req.Method, req.URL.RequestURI())
		if err := req.Header.Write(p); err != nil {
			return nil, "", err
		}
		fmt.Fprint(p, "\r\n")
		if req.Body != nil {
			if _, err := io.Copy(p, req.Body); err != nil {
				return nil, "", err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return buf.Bytes(), "multipart/mixed; boundary=" + w.Boundary(), nil
}

// decodeBatch matches parts by Content-ID, never by position.
func decodeBatch[T any](res *http.Response, chunk []int, answers []Answer[T]) error {
	_, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		return &Error{Kind: Upstream, Status: res.StatusCode, Err: errors.New("a batch answer without a boundary")}
	}
	asked := map[string]int{}
	for _, i := range chunk {
		asked["<response-"+strconv.Itoa(i)+">"] = i
	}
	parts := multipart.NewReader(io.LimitReader(res.Body, maxBatchAnswer), params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil { // its text quotes the answer
			return &Error{Kind: Upstream, Status: res.StatusCode, Err: errors.New("a batch answer that is malformed or cut short")}
		}
		i, ok := asked[p.Header.Get("Content-Id")]
		if !ok {
			continue // not ours; what is missing stays an error
		}
		answers[i].Value, answers[i].Err = decodePart[T](p)
	}
}

// maxBatchAnswer bounds what one batch may bring into memory.
const maxBatchAnswer = 64 << 20

func decodePart[T any](p io.Reader) (value T, err error) {
	res, err := http.ReadResponse(bufio.NewReader(p), nil)
	if err != nil { // its text quotes the answer
		return value, &Error{Kind: Upstream, Err: errors.New("a part that is not an HTTP answer")}
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return value, envelopeError(res)
	}
	if res.StatusCode == http.StatusNoContent {
		return value, nil
	}
	if err := json.NewDecoder(res.Body).Decode(&value); err != nil {
		return value, &Error{Kind: Upstream, Status: res.StatusCode, Err: errors.New("an answer that is not JSON")}
	}
	return value, nil
}

// envelopeError reads Gmail's error envelope.
func envelopeError(res *http.Response) *Error {
	var body struct {
		Error struct {
			Message string `json:"message"`
			Errors  []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	_ = json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&body) // an HTML error page leaves it empty
	reason := ""
	if len(body.Error.Errors) > 0 {
		reason = body.Error.Errors[0].Reason
	}
	return answered(res.StatusCode, reason, body.Error.Message, res.Header, time.Now())
}

// repeatable picks the parts worth sending again and how long to wait before.
func repeatable[T any](sent []int, part func(int) (string, *http.Request), answers []Answer[T], attempt int) (again []int, wait time.Duration) {
	wait = backoff(attempt)
	for _, i := range sent {
		var e *Error
		_, req := part(i)
		if !errors.As(answers[i].Err, &e) || req.Method != http.MethodGet || !e.worthRepeating(attempt) {
			continue
		}
		again = append(again, i)
		wait = max(wait, time.Until(e.RetryAt)+afterwards)
	}
	if wait > maxWait {
		return nil, 0
	}
	return again, wait
}

func setBody(req *http.Request, body []byte) {
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.ContentLength = int64(len(body))
}
