package hook

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The codes of refused addresses.
const (
	CodeURLInvalid = "webhook_url_invalid"
	CodeURLRefused = "webhook_url_refused"
)

// maxURL bounds an address, in bytes.
const maxURL = 2048

// Check refuses an address that can never be sent to. What a name leads to is
// only known when a request is made, and is checked then.
func (c *Client) Check(raw string) error {
	_, err := c.parse(raw)
	return err
}

// target is a checked address.
type target struct {
	url  *url.URL
	host string // lower case, without a trailing dot
	port string
	ip   netip.Addr // if the host is an address
}

func (c *Client) parse(raw string) (target, error) {
	var t target
	if raw == "" || len(raw) > maxURL || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == '\\' || r > '~' }) {
		return t, invalid("it must be 1 to %d printable ASCII characters without spaces and backslashes", maxURL)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return t, invalid("it cannot be read")
	case u.Scheme != "https" && u.Scheme != "http":
		return t, invalid("it must begin with https://")
	case u.User != nil:
		return t, invalid("it must not contain a user name or password").WithHint("put a token into the path or query if the receiver wants one")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return t, invalid("it must not contain a fragment")
	case u.Opaque != "":
		return t, invalid("it must begin with https://")
	}
	t = target{url: u, host: strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), port: u.Port()}
	if t.port == "" {
		t.port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	if strings.HasSuffix(u.Host, ":") {
		return t, invalid("its port is empty")
	}
	if ip, err := netip.ParseAddr(t.host); err == nil {
		t.ip = ip
		if !c.allowed.address(ip, t.host, t.port) {
			return t, refused("its address is not one of the public internet, or its port is not 443 or 8443")
		}
	} else if !hostName(t.host) {
		return t, invalid("its host is neither a name nor a plain address").
			WithHint("write IPv4 as four decimal numbers, IPv6 in brackets, and international names in their xn-- form")
	}
	return t, c.checkReach(&t)
}

// checkReach refuses names and ports that are not for the public internet.
func (c *Client) checkReach(t *target) error {
	listed := t.ip.IsValid() && within(c.allowed.nets, t.ip) || c.allowed.host(t.host, t.port)
	if listed {
		return nil
	}
	if t.url.Scheme != "https" {
		return refused("it is plain http")
	}
	// A name may also lead into a listed network, where any port is fine; that is
	// seen when the connection is made.
	if !publicPort(t.port) && len(c.allowed.nets) == 0 {
		return refused("port %s is neither 443 nor 8443", t.port)
	}
	if t.ip.IsValid() {
		return nil
	}
	if !strings.Contains(t.host, ".") || localName(t.host) {
		return refused("%s is a name of a local network", t.host)
	}
	return nil
}

// localName reports whether a name is reserved for what is not the internet.
func localName(host string) bool {
	for _, s := range []string{"localhost", "local", "internal", "intranet", "lan", "home", "corp", "localdomain", "home.arpa", "onion", "test", "invalid"} {
		if host == s || strings.HasSuffix(host, "."+s) {
			return true
		}
	}
	return false
}

func invalid(why string, a ...any) *ota.Error {
	return ota.Invalid(CodeURLInvalid, "this address cannot be used: "+why, a...).WithField("url")
}

func refused(why string, a ...any) *ota.Error {
	return ota.Errorf(ota.KindInvalid, CodeURLRefused, "this server does not send there: "+why, a...).WithField("url").
		WithHint("use an https address of the public internet, or let the server's operator list the host in WAXWING_EGRESS_ALLOW")
}
