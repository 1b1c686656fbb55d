package idtoken

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	maxDocument = 1 << 20 // bytes of what an issuer publishes
	askTime     = 10 * time.Second

	// askEvery is how often one document is loaded at most: anybody can send
	// tokens that name keys which do not exist.
	askEvery = 15 * time.Second
)

// NewClient returns the HTTP client for issuers. Administrators name those, and
// a build system of one's own may well be in one's own network; but nobody's
// issuer is at an address that only the machine itself or its cloud answers.
func NewClient() *http.Client {
	d := &net.Dialer{Timeout: askTime, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if a := at.Addr().Unmap(); a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
			return errors.New("an issuer cannot be at " + a.String())
		}
		return nil
	}}
	return &http.Client{
		Timeout: askTime, CheckRedirect: stay,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: d.DialContext, TLSHandshakeTimeout: askTime,
			ResponseHeaderTimeout: askTime, MaxIdleConns: 4, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
		},
	}
}

func stay(*http.Request, []*http.Request) error { return errors.New("issuers do not redirect") }

// frugal loads each document at most so often, and hands out the copy it has in
// between. It takes https only.
type frugal struct {
	next http.RoundTripper
	now  func() time.Time

	mu   sync.Mutex
	have map[string]document
}

type document struct {
	at     time.Time
	status int
	header http.Header
	body   []byte
}

// RoundTrip implements [http.RoundTripper].
func (f *frugal) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || r.Method != http.MethodGet {
		return nil, errors.New("issuers are asked over https")
	}
	key := r.URL.String()
	f.mu.Lock()
	d, ok := f.have[key]
	f.mu.Unlock()
	if ok && f.now().Sub(d.at) < askEvery {
		return d.response(r), nil
	}
	res, err := f.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxDocument {
		return nil, errors.New("the issuer's document is too large")
	}
	d = document{f.now(), res.StatusCode, res.Header, body}
	f.mu.Lock()
	f.have[key] = d
	f.mu.Unlock()
	return d.response(r), nil
}

func (d document) response(r *http.Request) *http.Response {
	return &http.Response{
		Status: http.StatusText(d.status), StatusCode: d.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: d.header.Clone(), Body: io.NopCloser(bytes.NewReader(d.body)), ContentLength: int64(len(d.body)), Request: r,
	}
}

// unreachable is the error for an issuer that cannot be asked.
func unreachable(ctx context.Context, issuer string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return ota.Errorf(ota.KindUnavailable, "issuer_unreachable", "the issuer %s cannot be asked for its keys", issuer).
		WithHint("try again; the server must reach it over https").WithCause(err)
}
