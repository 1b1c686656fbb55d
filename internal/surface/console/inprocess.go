package console

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/client"
)

// newClient returns a client whose requests go to a handler of this process.
func newClient(h http.Handler) (*client.Client, error) {
	return client.New(client.Config{URL: "http://console.invalid", HTTP: &http.Client{Transport: inProcess{h}}})
}

type inProcess struct{ h http.Handler }

type originKey struct{}

// origin is what an inner request takes over from the one that caused it, for
// links in answers and for the log.
type origin struct {
	host, addr string
	tls        *tls.ConnectionState
}

func withOrigin(ctx context.Context, r *http.Request) context.Context {
	return context.WithValue(ctx, originKey{}, origin{r.Host, r.RemoteAddr, r.TLS})
}

// RoundTrip implements [http.RoundTripper].
func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	in := inner(req)
	w := &buffered{header: http.Header{}}
	t.h.ServeHTTP(w, in)
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: req,
	}, nil
}

// inner is the request as the handler gets it.
func inner(req *http.Request) *http.Request {
	in := req.Clone(req.Context())
	in.RequestURI = req.URL.RequestURI()
	if o, ok := req.Context().Value(originKey{}).(origin); ok {
		in.Host, in.RemoteAddr, in.TLS = o.host, o.addr, o.tls
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	return in
}

// buffered keeps an answer.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (b *buffered) Header() http.Header { return b.header }

// WriteHeader implements [http.ResponseWriter].
func (b *buffered) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

// Write implements [http.ResponseWriter].
func (b *buffered) Write(p []byte) (int, error) { return b.body.Write(p) }
