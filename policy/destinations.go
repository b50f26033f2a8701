package policy

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
)

// Destinations are the origins that the process may speak to: Gmail, the two sign-in providers, and
// nothing that a mail can name. They come from the operator's configuration and do not change while the
// process runs; the start event in the log names them.
type Destinations struct{ origins []string }

// ErrDestination is returned for an origin outside the list.
var ErrDestination = errors.New("policy: not a registered destination")

// NewDestinations makes the list from URLs, of which scheme, host and port count. Plain HTTP is for
// loopback alone: tokens and mail never cross a network in the clear (SEC-1).
func NewDestinations(urls ...string) (*Destinations, error) {
	d := &Destinations{}
	for _, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("policy: a destination must be http(s)://host[:port]")
		}
		if u.Scheme == "http" && !Loopback(u.Hostname()) {
			return nil, fmt.Errorf("policy: plain HTTP is only for loopback, not for %s; use https", u.Hostname())
		}
		if o := u.Scheme + "://" + u.Host; !slices.Contains(d.origins, o) {
			d.origins = append(d.origins, o)
		}
	}
	slices.Sort(d.origins)
	return d, nil
}

// Reach implements the egress decider.
func (d *Destinations) Reach(origin *url.URL) error {
	if slices.Contains(d.origins, origin.Scheme+"://"+origin.Host) {
		return nil
	}
	return ErrDestination
}

// Origins lists the destinations, sorted.
func (d *Destinations) Origins() []string { return slices.Clone(d.origins) }

// Loopback says whether a host name is this machine's own.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
