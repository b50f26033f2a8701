package egress

import "net/netip"

// special are the ranges that no public host has: IANA's special-purpose registries (RFC 6890 and later),
// and one address inside the public space at which a cloud keeps its machines' secrets.
var special = prefixes(
	"0.0.0.0/8",         // this network
	"10.0.0.0/8",        // private
	"100.64.0.0/10",     // carrier-grade NAT; Alibaba's metadata is 100.100.100.200
	"127.0.0.0/8",       // loopback
	"168.63.129.16/32",  // Azure's wire server
	"169.254.0.0/16",    // link-local; the metadata of most clouds is 169.254.169.254
	"172.16.0.0/12",     // private
	"192.0.0.0/24",      // protocol assignments; Oracle's metadata is 192.0.0.192
	"192.0.2.0/24",      // documentation
	"192.31.196.0/24",   // AS112
	"192.52.193.0/24",   // AMT
	"192.88.99.0/24",    // 6to4 relay
	"192.168.0.0/16",    // private
	"192.175.48.0/24",   // AS112
	"198.18.0.0/15",     // benchmarks
	"198.51.100.0/24",   // documentation
	"203.0.113.0/24",    // documentation
	"224.0.0.0/4",       // multicast
	"240.0.0.0/4",       // reserved, and broadcast
	"2001::/23",         // protocol assignments: Teredo, benchmarks, ORCHID and others
	"2001:db8::/32",     // documentation
	"2002::/16",         // 6to4: holds an IPv4 address of anybody's choice
	"2620:4f:8000::/48", // AS112
	"3fff::/20",         // documentation
)

// global is all the IPv6 space in which public hosts are. Outside lie, among others, ::1, the forms that
// hold an IPv4 address (::ffff:0:0/96, ::/96, 64:ff9b::/96), fc00::/7, fe80::/10 and ff00::/8.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// public says whether an address belongs to a host on the public internet. Every form that it does not
// know is not.
func public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" || a.Is6() && !global.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
