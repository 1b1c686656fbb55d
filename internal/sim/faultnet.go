package sim

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// errFault is what a request dies of that the simulated network lost.
var errFault = errors.New("the simulated network lost it")

// faultNet is the network of one session of a device: it loses requests and
// answers, cuts bodies, is slow, or answers as a captive portal does. It may be
// used by several goroutines.
type faultNet struct {
	base  http.RoundTripper
	net   *Network
	local bool // nothing but this machine may be asked
	seen  func(status int, took time.Duration)
	now   func() time.Time

	mu    sync.Mutex
	dice  dice
	state bits
	count *Faults
	bytes int64
}

// connect draws the state of the network for a session.
func (f *faultNet) connect() {
	x := f.dice.Float64()
	switch n := f.net; {
	case x < n.Offline:
		f.count.Offline++
		return
	case x < n.Offline+n.Captive:
		f.count.Captive++
		f.state = portal
	case x < n.Offline+n.Captive+n.Slow:
		f.count.Slow++
		f.state = slow
	case x < n.Offline+n.Captive+n.Slow+n.Lossy:
		f.count.Lossy++
		f.state = lossy
	}
	f.state |= online
}

// draw says what becomes of one request, and after how many bytes its answer is
// cut; negative = not at all.
func (f *faultNet) draw() (reach, float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	loss, cuts := f.net.Loss, f.net.CutsPerMB
	if f.state&lossy != 0 {
		loss, cuts = f.net.LossyLoss, 10*cuts
	}
	at := -1.0
	if cuts > 0 {
		at = f.dice.wait(1e6 / cuts)
	}
	switch {
	case f.state&online == 0:
		return lost, at
	case f.state&portal != 0:
		return faked, at
	case f.dice.chance(loss):
		f.count.Lost++
		if f.dice.chance(0.5) {
			return deaf, at
		}
		return lost, at
	}
	return answered, at
}

const portalPage = "<!doctype html><title>Welcome</title><form>Accept our terms to use this network</form>"

// RoundTrip implements [http.RoundTripper].
func (f *faultNet) RoundTrip(req *http.Request) (*http.Response, error) {
	if f.local && !loopback(req.URL) {
		return nil, notOurs(req.URL)
	}
	got, cutAt := f.draw()
	switch got {
	case lost:
		return nil, errFault
	case faked:
		return &http.Response{
			Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
			Header: http.Header{"Content-Type": {"text/html"}}, ContentLength: int64(len(portalPage)),
			Body: io.NopCloser(strings.NewReader(portalPage)),
		}, nil
	}
	start := f.now()
	res, err := f.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	f.seen(res.StatusCode, f.now().Sub(start))
	if got == deaf {
		_ = res.Body.Close()
		return nil, errFault
	}
	res.Body = &faultBody{ReadCloser: res.Body, f: f, left: cutAt}
	return res, nil
}

// faultBody is an answer that may end early.
type faultBody struct {
	io.ReadCloser
	f    *faultNet
	left float64 // bytes until the cut; negative = none
}

// slowPause is how long a slow network takes for one piece of an answer.
const slowPause = 2 * time.Millisecond

// Read implements [io.Reader].
func (b *faultBody) Read(p []byte) (int, error) {
	if b.f.state&slow != 0 {
		p = p[:min(len(p), 4096)]
		time.Sleep(slowPause)
	}
	n, err := b.ReadCloser.Read(p)
	cut := b.left >= 0 && float64(n) > b.left
	if cut {
		n, err = int(b.left), io.ErrUnexpectedEOF
	}
	if b.left >= 0 {
		b.left -= float64(n)
	}
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	b.f.bytes += int64(n)
	if cut {
		b.f.count.Cut++
	}
	return n, err
}

// loopback reports whether a URL leads to this machine.
func loopback(u *url.URL) bool {
	host := u.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func notOurs(u *url.URL) error {
	return ota.Errorf(ota.KindForbidden, "not_this_machine", "%s is not this machine", u.Host).
		WithHint("a fleet is a load that a server must be meant for; if it is yours, say --i-own-this-server")
}
