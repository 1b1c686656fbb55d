package hook

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Allowed is what may be reached besides https on the public internet: whole
// networks, and hosts by name. To both, plain http and any port may be used.
type Allowed struct {
	nets  []netip.Prefix
	hosts []string // name, or name:port
}

// ParseAllowed reads a list of networks (10.1.0.0/16), addresses and host
// names, each of the latter with a port if wanted, separated by commas.
func ParseAllowed(list string) (Allowed, error) {
	var a Allowed
	for item := range strings.SplitSeq(list, ",") {
		item = strings.ToLower(strings.TrimSpace(item))
		if item == "" {
			continue
		}
		if p, err := netip.ParsePrefix(item); err == nil {
			a.nets = append(a.nets, p.Masked())
			continue
		}
		if ip, err := netip.ParseAddr(item); err == nil && ip.Zone() == "" {
			a.nets = append(a.nets, netip.PrefixFrom(ip, ip.BitLen()))
			continue
		}
		host, port, hasPort := strings.Cut(item, ":")
		if n, err := strconv.Atoi(port); !hostName(host) || hasPort && (err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != port) {
			return a, ota.Invalid("egress_invalid", "%q is neither a network, an address nor a host", item).
				WithHint("write a list like 10.1.0.0/16,hooks.intranet.example,chat.intranet.example:8065")
		}
		a.hosts = append(a.hosts, item)
	}
	return a, nil
}

// host reports whether a host is allowed by name.
func (a *Allowed) host(name, port string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return slices.Contains(a.hosts, name) || slices.Contains(a.hosts, name+":"+port)
}

// address decides whether a connection to an address may be made for a host.
func (a *Allowed) address(ip netip.Addr, host, port string) bool {
	switch {
	case within(a.nets, ip):
		return true
	case within(never, ip):
		return false
	case a.host(host, port):
		return !ip.Is4In6() && ip.Zone() == ""
	}
	return public(ip) && publicPort(port)
}

func publicPort(port string) bool { return port == "443" || port == "8443" }

// hostName accepts the plain ASCII names of hosts; internationalised names come
// in their xn-- form. A name whose last label is a number would be read as an
// address by some (WHATWG URL, inet_aton), so it is none.
func hostName(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
		last = label
	}
	return last[0] < '0' || last[0] > '9'
}
