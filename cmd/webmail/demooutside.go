//go:build !release

package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/totalengage/webmail/cmd/webmail/demodata"
	"github.com/totalengage/webmail/internal/egress"
)

// demoOutside answers for the hosts that the demo's mail names, from memory: they are under names that are
// reserved for examples (RFC 2606) and exist nowhere. Every other host, as imported mail may name it, is reached
// as it would be by serve. No connection is made to this machine either way.
type demoOutside struct{ next http.RoundTripper }

func newDemoOutside() *http.Client {
	client := egress.NewPublic().Client()
	client.Transport = demoOutside{next: client.Transport}
	return client
}

// RoundTrip implements http.RoundTripper.
func (d demoOutside) RoundTrip(req *http.Request) (*http.Response, error) {
	if !reserved(req.URL.Hostname()) {
		return d.next.RoundTrip(req)
	}
	if req.Body != nil {
		defer req.Body.Close()
	}
	res := &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Request: req, Body: http.NoBody}
	picture, ok := demodata.RemotePicture(req.URL.Path)
	switch {
	case req.Method == http.MethodPost && strings.HasPrefix(req.URL.Path, "/leave/"):
		res.StatusCode = http.StatusAccepted
	case req.Method == http.MethodGet && ok:
		res.StatusCode, res.Body = http.StatusOK, io.NopCloser(bytes.NewReader(picture))
	}
	return res, nil
}

// reserved says whether a name is one of those kept for examples.
func reserved(host string) bool {
	for _, zone := range []string{"example", "example.com", "example.net", "example.org"} {
		if host == zone || strings.HasSuffix(host, "."+zone) {
			return true
		}
	}
	return false
}
