package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Bounds of what a stranger's host may cost.
const (
	MaxAnswer    = 8 << 20          // bytes of an answer's body
	publicTime   = 15 * time.Second // for all of a request, redirects and body included
	maxRedirects = 3
	maxHeader    = 64 << 10 // bytes of an answer's header
	maxAddresses = 4        // of a host that are tried
	atOnce       = 32       // requests of the whole process
)

// userAgent is what every stranger's host sees: nothing of the reader, the browser or the version.
const userAgent = "Mozilla/5.0 (compatible; WebmailProxy)"

// ErrTooLarge is returned while reading an answer of more than MaxAnswer bytes.
var ErrTooLarge = errors.New("egress: the answer is too large")

// Resolver finds the addresses of a host; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Public is the way out to hosts that a mail names: its images, and the address at which its sender takes an
// unsubscription. Whoever wrote the mail chose the URL, so the URL may lead to public hosts only, and the
// request says nothing about the reader:
//
//   - http and https at their own ports; no user name in the URL; no host that is a number in disguise
//   - every address of the host must be public, and the address that is connected to is looked at once more,
//     after the last resolution there is: a name that resolves differently the second time changes nothing
//   - at most three redirects, each checked like the first URL, never from https to http
//   - no proxy, cookie, Referer, credentials or header of the caller's but Accept and Content-Type
//   - bounded in time, bytes and number; no compressed answer is asked for or taken, so none can unfold
//
// Public decides nothing about whether the owner wants the request: that is the gate's, before it is made.
// A request costs a lookup and a connection: none is kept open, for an idle one would tell the host how
// long the message is being read.
type Public struct {
	resolve Resolver
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	next    *http.Transport
	slots   chan struct{}
}

// NewPublic makes the way out to public hosts. Nothing about it can be configured.
func NewPublic() *Public { return newPublic(net.DefaultResolver, nil) }

func newPublic(r Resolver, trust *tls.Config) *Public {
	p := &Public{resolve: r, slots: make(chan struct{}, atOnce)}
	p.dial = (&net.Dialer{Timeout: 5 * time.Second, ControlContext: onlyPublic}).DialContext
	p.next = &http.Transport{
		Proxy:                  nil,
		DialContext:            p.connect,
		TLSClientConfig:        trust,
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  10 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
	}
	return p
}

// Client returns a client that follows redirects, each under the same rules.
func (p *Public) Client() *http.Client {
	return &http.Client{Transport: p, Timeout: publicTime, CheckRedirect: checkRedirect}
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d redirects", ErrForbidden, maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("%w: a redirect from https to http", ErrForbidden)
	}
	return nil
}

// RoundTrip implements http.RoundTripper. Every redirect is a round trip of its own.
func (p *Public) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if err := checkURL(req.URL); err != nil {
		return nil, err
	}
	select {
	case p.slots <- struct{}{}:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	free := sync.OnceFunc(func() { <-p.slots })
	res, err := p.next.RoundTrip(anonymous(req))
	if err != nil {
		free()
		return nil, err
	}
	if err := checkAnswer(res); err != nil {
		res.Body.Close()
		free()
		return nil, err
	}
	res.Header.Del("Set-Cookie")
	res.Body = &bounded{ReadCloser: res.Body, left: MaxAnswer, closed: free}
	return res, nil
}

// anonymous copies a request without anything that tells of the reader.
func anonymous(req *http.Request) *http.Request {
	out := req.Clone(req.Context())
	out.Header = http.Header{"User-Agent": {userAgent}}
	for _, name := range []string{"Accept", "Content-Type"} {
		if v := req.Header.Get(name); v != "" {
			out.Header.Set(name, v)
		}
	}
	return out
}

// checkURL refuses what no honest mail needs. What the host resolves to is looked at when it is connected to.
func checkURL(u *url.URL) error {
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	switch {
	case port == "":
		return fmt.Errorf("%w: neither http nor https", ErrForbidden)
	case u.User != nil:
		return fmt.Errorf("%w: a user name in the URL", ErrForbidden)
	case u.Port() != "" && u.Port() != port:
		return fmt.Errorf("%w: another port than %s", ErrForbidden, port)
	}
	return checkHost(u.Hostname())
}

// checkHost refuses names that cannot be a public host's, and numbers in forms that a resolver might read as
// an address: "127.1", "0x7f000001", "2130706433", "0177.0.0.1".
func checkHost(host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		if !public(a) {
			return fmt.Errorf("%w: not a public address", ErrForbidden)
		}
		return nil
	}
	labels := strings.Split(strings.ToLower(strings.TrimSuffix(host, ".")), ".")
	last := labels[len(labels)-1]
	switch {
	case len(host) > 253 || len(labels) < 2:
		return fmt.Errorf("%w: not a public host's name", ErrForbidden)
	case last != "" && last[0] >= '0' && last[0] <= '9':
		return fmt.Errorf("%w: a number in disguise", ErrForbidden)
	}
	for _, zone := range []string{"localhost", "local", "internal", "lan", "home", "corp", "intranet", "private", "arpa", "onion"} {
		if last == zone {
			return fmt.Errorf("%w: not a public host's name", ErrForbidden)
		}
	}
	for _, l := range labels {
		if !plainLabel(l) {
			return fmt.Errorf("%w: not a public host's name", ErrForbidden)
		}
	}
	return nil
}

// plainLabel says whether a part of a name is made of letters, digits, '-' and '_'. Names in other scripts
// come in their "xn--" form.
func plainLabel(l string) bool {
	if l == "" || len(l) > 63 {
		return false
	}
	for i := range len(l) {
		c := l[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// connect resolves the host once, refuses it when any of its addresses is not public (a mixture is an
// attempt), and connects to one of just these addresses.
func (p *Public) connect(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	found, err := p.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	for i, a := range found {
		if found[i] = a.Unmap(); !public(found[i]) {
			return nil, fmt.Errorf("%w: not a public address", ErrForbidden)
		}
	}
	err = errors.New("egress: the host has no address")
	for _, a := range found[:min(len(found), maxAddresses)] {
		var conn net.Conn
		if conn, err = p.dial(ctx, network, net.JoinHostPort(a.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (p *Public) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	found, err := p.resolve.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, errors.New("egress: the host's name is not known") // the resolver's error would name it
	}
	return found, nil
}

// onlyPublic is asked by the dialer with the address that the socket is about to connect to.
func onlyPublic(_ context.Context, network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" || !public(to.Addr().Unmap()) || to.Port() != 80 && to.Port() != 443 {
		return fmt.Errorf("%w: not a public address", ErrForbidden)
	}
	return nil
}

// checkAnswer refuses what could grow while it is read.
func checkAnswer(res *http.Response) error {
	if res.ContentLength > MaxAnswer {
		return ErrTooLarge
	}
	if e := res.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return fmt.Errorf("%w: a compressed answer that was not asked for", ErrForbidden)
	}
	return nil
}

// bounded is a body of at most left bytes; a longer one is an error, not a shorter one.
type bounded struct {
	io.ReadCloser
	left   int64
	closed func()
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// The end may be just here: one byte more tells.
		var one [1]byte
		n, err := b.ReadCloser.Read(one[:])
		if n > 0 {
			return 0, ErrTooLarge
		}
		return 0, err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}

func (b *bounded) Close() error {
	defer b.closed()
	return b.ReadCloser.Close()
}
