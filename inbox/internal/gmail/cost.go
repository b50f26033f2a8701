package gmail

import (
	"bytes"
	"io"
	"net/http"

	"github.com/totalengage/webmail/policy"
)

// units is Google's table of quota units for projects made since 2026-05-01 (GMAIL.md 2.1). Older projects
// pay less for some methods; counting too much is the safe side.
var units = map[policy.Operation]int{
	"getProfile": 1, "watch": 100, "labels.list": 1, "labels.get": 1, "messages.list": 5, "messages.get": 20, "messages.attachments.get": 20,
	"messages.batchModify": 50, "threads.get": 40, "threads.modify": 10, "threads.trash": 20, "threads.untrash": 10,
	"history.list": 2, "drafts.list": 5, "drafts.get": 20, "drafts.create": 10, "drafts.update": 15, "drafts.delete": 10, "drafts.send": 100,
}

// once are the operations whose repetition after an unknown outcome could do something twice.
var once = map[policy.Operation]bool{"drafts.create": true, "drafts.send": true, "drafts.update": true}

// costOf says what a request that does this costs, and whether it may be repeated.
func costOf(uses []policy.Target) (n need, idempotent bool) {
	idempotent, n.parts = true, len(uses)
	for _, t := range uses {
		n.units += units[t.Operation]
		idempotent = idempotent && !once[t.Operation]
	}
	return n, idempotent
}

// peekError classifies an error answer and leaves its body to be read again.
func peekError(res *http.Response) *Error {
	data, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(data))
	if err != nil {
		return &Error{Kind: Upstream, Status: res.StatusCode, Err: err}
	}
	probe := *res
	probe.Body = io.NopCloser(bytes.NewReader(data))
	return envelopeError(&probe)
}
