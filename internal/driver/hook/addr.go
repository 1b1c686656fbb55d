package hook

import "net/netip"

// never is what no permission by name opens: a listed name must not lead to
// metadata services. Only a listed network does.
var never = prefixes(
	"0.0.0.0/8",       // this network
	"169.254.0.0/16",  // link-local; cloud metadata
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, broadcast
	"::/128",          // unspecified
	"fe80::/10",       // link-local
	"ff00::/8",        // multicast
	"fd00:ec2::/32",   // cloud metadata
	"100.100.0.0/16",  // cloud metadata
	"168.63.129.0/24", // cloud platform services
	"192.0.0.192/32",  // cloud metadata
)

// private is what is not the public internet.
var private = prefixes(
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // private
	"100.64.0.0/10",                     // carrier-grade NAT
	"127.0.0.0/8",                       // loopback
	"192.0.0.0/24",                      // protocol assignments
	"192.0.2.0/24",                      // documentation
	"198.51.100.0/24", "203.0.113.0/24", // documentation
	"192.88.99.0/24",                 // 6to4 relays
	"198.18.0.0/15",                  // benchmarks
	"::1/128",                        // loopback
	"::/96",                          // IPv4-compatible
	"::ffff:0:0/96",                  // IPv4-mapped
	"::ffff:0:0:0/96",                // IPv4-translated
	"64:ff9b::/96", "64:ff9b:1::/48", // NAT64
	"100::/64",      // discard
	"2001::/23",     // protocol assignments: Teredo, ORCHID, benchmarks
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4
	"3fff::/20",     // documentation
	"5f00::/16",     // segment routing
	"fc00::/7",      // unique local
	"fec0::/10",     // site-local
)

// global is the only part of IPv6 that is assigned to the public internet.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func within(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// public reports whether an address is one of the public internet.
func public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" || within(never, a) || within(private, a) {
		return false
	}
	return a.Is4() || global.Contains(a)
}
