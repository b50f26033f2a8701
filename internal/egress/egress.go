// Package egress is the one way out of the process for HTTP (I6). It has two doors.
//
// [Transport] leads to the few destinations that the operator's configuration names: every request passes a
// [Decider] first, and what it does not allow never becomes a connection.
//
// [Public] leads to the hosts that a mail names, and to nothing that is not public: it is what stands between
// a stranger's URL and the inside of the operator's network. Its list of attacks is in public_test.go.
//
// Behind both, redirects are requests of their own and are checked again, and proxies from the environment are
// not used: they would see the way around.
package egress

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// ErrForbidden is wrapped by the error for a destination that is not allowed. It names neither path nor query.
var ErrForbidden = errors.New("egress: destination not allowed")

// Decider says which destinations may be reached; package policy implements it.
type Decider interface {
	// Reach returns nil when the origin (scheme, host, port) may be reached.
	Reach(origin *url.URL) error
}

// Transport is an http.RoundTripper that asks its Decider about each request.
type Transport struct {
	decide Decider
	next   http.RoundTripper
}

// New makes the transport. It keeps connections to Gmail open: most of a call's cost is the round trip.
func New(d Decider) *Transport {
	return &Transport{decide: d, next: &http.Transport{
		Proxy:                 nil,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          512,
		MaxIdleConnsPerHost:   128,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		ResponseHeaderTimeout: 2 * time.Minute,
	}}
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	origin := &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host}
	if err := t.decide.Reach(origin); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	return t.next.RoundTrip(req)
}

// Client returns an HTTP client over the transport, bounded in time.
func (t *Transport) Client(timeout time.Duration) *http.Client {
	return &http.Client{Transport: t, Timeout: timeout}
}
