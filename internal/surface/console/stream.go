package console

import (
	"io"
	"net/http"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/client"
)

// newStreamClient is newClient for answers of any size: they are read while the
// handler writes them.
func newStreamClient(h http.Handler) (*client.Client, error) {
	return client.New(client.Config{URL: "http://console.invalid", HTTP: &http.Client{Transport: streaming{h}}})
}

type streaming struct{ h http.Handler }

// RoundTrip implements [http.RoundTripper]. It returns once the handler began to
// answer; the handler goes on for as long as somebody reads.
func (t streaming) RoundTrip(req *http.Request) (*http.Response, error) {
	in := inner(req)
	body, w := io.Pipe()
	p := &piped{header: http.Header{}, out: w, begun: make(chan struct{})}
	go func() {
		defer func() {
			if fault := recover(); fault != nil { // http.ErrAbortHandler: the answer is not whole
				p.WriteHeader(http.StatusInternalServerError)
				_ = w.CloseWithError(io.ErrUnexpectedEOF)
				return
			}
			p.WriteHeader(http.StatusOK)
			_ = w.Close()
		}()
		t.h.ServeHTTP(p, in)
	}()
	<-p.begun
	return &http.Response{
		StatusCode: p.status, Status: http.StatusText(p.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: p.sent,
		Body: body, ContentLength: -1, Request: req,
	}, nil
}

// piped passes an answer on.
type piped struct {
	header, sent http.Header
	status       int
	out          *io.PipeWriter
	once         sync.Once
	begun        chan struct{}
}

// Header implements [http.ResponseWriter].
func (p *piped) Header() http.Header { return p.header }

// WriteHeader implements [http.ResponseWriter].
func (p *piped) WriteHeader(status int) {
	p.once.Do(func() {
		p.status, p.sent = status, p.header.Clone()
		close(p.begun)
	})
}

// Write implements [http.ResponseWriter].
func (p *piped) Write(b []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	return p.out.Write(b)
}
