package egress

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"syscall"
)

// NewPublicVia is NewPublic with a resolver of the test's, trust in the test's certificates, and connections
// that end at the test's servers: dial is called with the public address that would have been connected to.
func NewPublicVia(r Resolver, trust *tls.Config, dial func(ctx context.Context, network, address string) (net.Conn, error)) *Public {
	p := newPublic(r, trust)
	if dial != nil {
		p.dial = dial
	}
	return p
}

// IsPublic is the judgement of one address.
func IsPublic(a netip.Addr) bool { return public(a) }

// OnlyPublic is what the dialer asks about the address of a socket.
func OnlyPublic(network, address string) error {
	return onlyPublic(context.Background(), network, address, syscall.RawConn(nil))
}

// Concurrent is how many requests run at once.
const Concurrent = atOnce
