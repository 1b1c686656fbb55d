package hook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

// The bounds of a request.
const (
	totalTime   = 15 * time.Second
	connectTime = 5 * time.Second
	maxHeader   = 16 << 10 // bytes of an answer's headers
	maxKept     = 1 << 10  // bytes of an answer that are kept
	maxAddrs    = 16       // addresses of a name that are looked at
)

// Config is what a Client is built from.
type Config struct {
	Allowed Allowed
	// Lookup finds the addresses of a name; nil = as the system does.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	Roots  *x509.CertPool // nil = the system's
}

// Client sends requests. It may be used by many goroutines.
type Client struct {
	allowed Allowed
	lookup  func(ctx context.Context, host string) ([]netip.Addr, error)
	http    *http.Client
}

var _ notify.Sender = (*Client)(nil)

// New returns a Client.
func New(cfg Config) *Client {
	c := &Client{allowed: cfg.Allowed, lookup: cfg.Lookup}
	if c.lookup == nil {
		c.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	c.http = &http.Client{
		Timeout: totalTime,
		// A redirect would be to an address that nobody chose.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil, // never one of the environment: it would resolve names itself
			DialContext:            c.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.Roots},
			TLSHandshakeTimeout:    connectTime,
			ResponseHeaderTimeout:  totalTime,
			MaxResponseHeaderBytes: maxHeader,
			DisableKeepAlives:      true, // each request is checked anew
			DisableCompression:     true, // what is kept is bounded as it came
		},
	}
	return c
}

// Send implements [notify.Sender].
func (c *Client) Send(ctx context.Context, r notify.Request) (notify.Answer, error) {
	t, err := c.parse(r.URL)
	if err != nil {
		return notify.Answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.String(), bytes.NewReader(r.Body))
	if err != nil {
		return notify.Answer{}, invalid("it cannot be read")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Waxwing-Webhook/1")
	for k, v := range r.Header {
		req.Header[k] = []string{v} // lower case, as the specification writes them
	}
	res, err := c.http.Do(req)
	if err != nil {
		return notify.Answer{}, failure(err)
	}
	defer res.Body.Close()
	// An answer that cannot be read to its end is an answer all the same.
	kept, _ := io.ReadAll(io.LimitReader(res.Body, maxKept))
	return notify.Answer{
		Status: res.StatusCode, Body: strings.ToValidUTF8(string(kept), "\uFFFD"), RetryAfter: retryAfter(res.Header.Get("Retry-After")),
	}, nil
}

// retryAfter reads the header's seconds; dates are not worth their trouble.
func retryAfter(v string) time.Duration {
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 3600)) * time.Second
}

// failure takes the address out of what net/http says: it may hold a secret.
func failure(err error) error {
	if e, ok := errors.AsType[*ota.Error](err); ok {
		return e
	}
	text := "the request failed"
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
		if u.Timeout() {
			return ota.Errorf(ota.KindUnavailable, "webhook_timeout", "there was no answer in time").WithCause(err)
		}
	}
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		text = "its certificate is not to be trusted: " + cert.Err.Error()
	} else if op, ok := errors.AsType[*net.OpError](err); ok {
		text = "no connection: " + op.Err.Error()
	} else if d, ok := errors.AsType[*net.DNSError](err); ok {
		text = "its name cannot be looked up: " + d.Err
	}
	return ota.Errorf(ota.KindUnavailable, "webhook_unreachable", "%s", text).WithCause(err)
}

// dial looks the name up, refuses it if it has any address that is not allowed,
// and connects to one of those it saw: no second look-up can answer otherwise.
func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, invalid("it cannot be read")
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	addrs, err := c.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	for i, ip := range addrs {
		// Resolvers write IPv4 as IPv4-mapped; a literal in that form was refused before.
		addrs[i] = ip.Unmap()
		if !c.allowed.address(addrs[i], host, port) {
			return nil, refused("the name leads to an address that is not one of the public internet, or its port is not 443 or 8443")
		}
	}
	d := net.Dialer{ControlContext: func(_ context.Context, _, at string, _ syscall.RawConn) error {
		return c.control(at, host, port)
	}}
	var errs []error
	for _, ip := range addrs {
		conn, err := d.DialContext(ctx, network, net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (c *Client) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	addrs, err := c.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("the name %s has no address", host)
	}
	return addrs[:min(len(addrs), maxAddrs)], nil
}

// control is asked by the dialer right before it connects, with the very
// address: the last word, whatever came before.
func (c *Client) control(at, host, port string) error {
	ap, err := netip.ParseAddrPort(at)
	if err != nil || !c.allowed.address(ap.Addr(), host, port) || strconv.Itoa(int(ap.Port())) != port {
		return refused("the connection would go to an address that is not one of the public internet")
	}
	return nil
}
