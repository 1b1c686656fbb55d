package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// TLS reports whether the server itself speaks TLS.
func (c *Config) TLS() bool { return c.TLSCert != "" || c.ACMEHosts != "" }

// Hosts are the names that an ACME authority is asked a certificate for.
func (c *Config) Hosts() []string {
	return strings.FieldsFunc(c.ACMEHosts, func(r rune) bool { return r == ',' || r == ' ' })
}

var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// checkTLS refuses to be reachable from other machines without TLS, unless a proxy
// in front does it or the operator insists.
func (c *Config) checkTLS() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return invalid("tls_cert", "a TLS certificate and its key come together")
	}
	if c.TLSCert != "" && c.ACMEHosts != "" {
		return invalid("WAXWING_ACME_HOSTS", "the certificate comes from files or from an ACME authority, not from both")
	}
	for _, h := range c.Hosts() {
		if !hostName.MatchString(h) {
			return invalid("WAXWING_ACME_HOSTS", "%q is no host name that a certificate can be fetched for", h).
				WithHint("write names like updates.example.com, in lower case and without a port")
		}
	}
	if u, err := url.Parse(c.ACMEDirectory); err != nil || u.Scheme != "https" || u.Host == "" {
		return invalid("WAXWING_ACME_DIRECTORY", "%q is no https address", c.ACMEDirectory)
	}
	if c.HTTPListen != "" && !c.TLS() {
		return invalid("WAXWING_HTTP_LISTEN", "WAXWING_HTTP_LISTEN sends on to TLS, and there is none").
			WithHint("give --tls-cert and --tls-key, or WAXWING_ACME_HOSTS")
	}
	if c.TLS() || c.InsecureHTTP || c.TrustProxy || strings.HasPrefix(c.PublicURL, "https://") || loopback(c.Listen) {
		return nil
	}
	return invalid("listen", "other machines can reach %s, and there is no TLS: tokens, passwords and updates would travel readable", c.Listen).
		WithHint("give --tls-cert and --tls-key, or WAXWING_ACME_HOSTS; behind a proxy that does TLS give --trust-proxy; --insecure-http goes without all the same")
}

// loopback reports whether only this machine can reach an address.
func loopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
