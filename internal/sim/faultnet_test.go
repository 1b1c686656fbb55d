package sim

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func newFaultNet(state bits, change func(*Network), base trip) *faultNet {
	n := Network{}
	if change != nil {
		change(&n)
	}
	return &faultNet{
		base: base, net: &n, local: true, seen: func(int, time.Duration) {}, now: func() time.Time { return time.UnixMilli(0) },
		dice: newDice(1), state: state, count: &Faults{},
	}
}

func get(t *testing.T, f *faultNet, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f.RoundTrip(req)
}

const here = "http://127.0.0.1:1/x"

func page(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(strings.Repeat("x", 10_000)))}, nil
}

// A server may name other addresses for downloads; they are not asked.
func TestFaultNetAsksNoOtherMachine(t *testing.T) {
	asked := false
	f := newFaultNet(online, nil, func(r *http.Request) (*http.Response, error) { asked = true; return page(r) })
	for _, url := range []string{"http://192.0.2.1/x", "https://localhost.example.com/x", "http://[2001:db8::1]/x"} {
		if _, err := get(t, f, url); ota.CodeOf(err) != "not_this_machine" || asked {
			t.Errorf("%s: asked %v, %v", url, asked, err)
		}
	}
	for _, url := range []string{here, "http://localhost:1/x", "http://[::1]:1/x"} {
		asked = false
		if _, err := get(t, f, url); err != nil || !asked {
			t.Errorf("%s: asked %v, %v", url, asked, err)
		}
	}
}

func TestFaultNetFaults(t *testing.T) {
	f := newFaultNet(0, nil, page)
	if _, err := get(t, f, here); !errors.Is(err, errFault) {
		t.Errorf("offline: %v", err)
	}
	f = newFaultNet(online|portal, nil, page)
	res, err := get(t, f, here)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/html" {
		t.Errorf("behind a portal: %v, %v", res, err)
	}
	f = newFaultNet(online, func(n *Network) { n.CutsPerMB = 1000 }, page)
	res, err = get(t, f, here)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(b) == 0 || len(b) >= 10_000 || f.count.Cut != 1 || f.bytes != int64(len(b)) {
		t.Errorf("cut after %d bytes: %v, %+v", len(b), err, f.count)
	}
	sent := 0
	f = newFaultNet(online, func(n *Network) { n.Loss = 1 }, func(r *http.Request) (*http.Response, error) { sent++; return page(r) })
	for range 100 {
		if _, err := get(t, f, here); !errors.Is(err, errFault) {
			t.Fatalf("lost: %v", err)
		}
	}
	if sent < 30 || sent > 70 || f.count.Lost != 100 {
		t.Errorf("%d of 100 lost requests came to the server, counted %d", sent, f.count.Lost)
	}
}
