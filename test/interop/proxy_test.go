package interop

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// proxy stands between a device and the server, counts downloads and can cut one.
// It keeps the server's own address in the links it hands on, so it also
// rewrites them to its own.
type proxy struct {
	url string
	s   *server

	mu      sync.Mutex
	fetched int
	partial int
	cutAt   int64 // 0 = do not cut
}

func newProxy(t *testing.T, s *server) *proxy {
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{s: s}
	rev := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: p.modify,
	}
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { _ = recover() }() // a cut aborts the handler; that is the point
		rev.ServeHTTP(w, r)
	}))
	t.Cleanup(ts.Close)
	p.url = ts.URL
	return p
}

// route makes the device talk through the proxy.
func (p *proxy) route(d *device) {
	for i, a := range d.args {
		d.args[i] = strings.Replace(a, p.s.url, p.url, 1)
	}
}

func (p *proxy) cutOnce(after int64) { p.mu.Lock(); p.cutAt = after; p.mu.Unlock() }

func (p *proxy) downloads() int { p.mu.Lock(); defer p.mu.Unlock(); return p.fetched }
func (p *proxy) partials() int  { p.mu.Lock(); defer p.mu.Unlock(); return p.partial }

func (p *proxy) modify(res *http.Response) error {
	if !strings.HasPrefix(res.Request.URL.Path, "/files/") {
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return err
		}
		res.Body.Close()
		text := strings.ReplaceAll(string(body), p.s.url, p.url)
		res.Body = io.NopCloser(strings.NewReader(text))
		res.ContentLength = int64(len(text))
		res.Header.Del("Content-Length")
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fetched++
	if res.StatusCode == http.StatusPartialContent {
		p.partial++
	}
	if p.cutAt > 0 && res.ContentLength > p.cutAt {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, p.cutAt), res.Body}
		p.cutAt = 0
	}
	return nil
}
