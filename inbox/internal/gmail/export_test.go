package gmail

import (
	"net/http"
	"time"

	"github.com/totalengage/webmail/policy"
)

// Units and NotRepeated are the tables by operation.
var (
	Units       = units
	NotRepeated = once
)

// Guarded is the transport that Do uses for the grant.
func Guarded(c *Client, grant *policy.Grant) http.RoundTripper {
	return c.wire(grant).client.Transport
}

// TargetsOf is how the guard reads a request.
func TargetsOf(req *http.Request) ([]policy.Target, error) { return targetsOf(req) }

// RetryAt reads the time from an error answer.
func RetryAt(message string, header http.Header, now time.Time) time.Time {
	return retryAt(message, header, now)
}

// DecodeBatch reads a batch's answer for n messages.
func DecodeBatch(res *http.Response, n int) ([]Answer[*Message], error) {
	answers, chunk := make([]Answer[*Message], n), make([]int, n)
	for i := range chunk {
		chunk[i] = i
		answers[i].Err = &Error{Kind: Upstream}
	}
	return answers, decodeBatch(res, chunk, answers)
}

// Operations are what the routes can recognise.
func Operations() (all []policy.Operation) {
	for _, r := range routes {
		all = append(all, r.operation)
	}
	return all
}
