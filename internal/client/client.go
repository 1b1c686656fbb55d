// Package client is the typed Go client of the admin API. Its methods are named
// as those of the control plane, take and return the nouns of package ota, and
// fail with the *ota.Error that the server meant, kind, code, hint and field
// included.
//
// It must never decide, cache or retry: what a call did is what the server said.
package client

import (
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Config says which server to talk to, and as whom.
type Config struct {
	URL   string       // of the server, such as "https://ota.example.com"; a path is kept
	Token secret.Text  // API token; may be none for a server's public routes
	HTTP  *http.Client // nil = one of its own, made for many small uploads
}

// Client talks to one server. It may be used from several goroutines.
type Client struct {
	base  string // without a slash at the end
	token secret.Text
	http  *http.Client
}

// New returns a client; it does not connect yet. It fails with KindInvalid
// ("url_invalid") if the URL is not an absolute http or https URL.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, ota.Invalid("url_invalid", "%q is not the address of a server", cfg.URL).
			WithField("url").WithHint("write it like https://ota.example.com")
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, ota.Invalid("url_invalid", "the server's address must be scheme, host and path only").WithField("url")
	}
	h := cfg.HTTP
	if h == nil {
		h = &http.Client{Transport: newTransport(), CheckRedirect: refuseRedirect}
	}
	return &Client{base: strings.TrimRight(u.String(), "/"), token: cfg.Token, http: h}, nil
}

// URL returns the server's address without a slash at the end.
func (c *Client) URL() string { return c.base }

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func newTransport() *http.Transport {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   max(16, 4*runtime.GOMAXPROCS(0)), // uploads of a push run side by side
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 5 * time.Minute, // the answer to a large upload waits for the disk
		ForceAttemptHTTP2:     true,
	}
	return t
}

// refuseRedirect stops at a redirect: following one would send the token, and
// for a write the body, to an address nobody named.
func refuseRedirect(req *http.Request, _ []*http.Request) error {
	return ota.Invalid("redirected", "the server sends clients on to %s", req.URL.Redacted()).
		WithField("url").WithHint("use that address as the server's URL")
}
