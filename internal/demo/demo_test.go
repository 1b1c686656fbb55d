package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/device"
	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// stage is a real server, and before it a proxy that may spoil the story.
type stage struct {
	url    string // of the proxy
	client *client.Client
}

// newStage starts both. spoil may answer a request itself (true), or change
// what it finds; nil leaves everything alone. change edits answers.
func newStage(t *testing.T, spoil func(w http.ResponseWriter, r *http.Request) bool, change func(*http.Response) error) *stage {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.Listen = t.TempDir(), "127.0.0.1:0"
	s, err := run.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	target, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	// The Host of the request stays, so that addresses in answers lead here too.
	rp := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ModifyResponse: change,
		ErrorLog:       log.New(io.Discard, "", 0), // devices that give up are part of the test
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if spoil == nil || !spoil(w, r) {
			rp.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		proxy.Close()
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("server: %v", err)
		}
	})
	c, err := client.New(client.Config{URL: proxy.URL, Token: secret.New(s.Bootstrap())})
	if err != nil {
		t.Fatal(err)
	}
	return &stage{url: proxy.URL, client: c}
}

func (st *stage) play(t *testing.T) Report {
	t.Helper()
	rep, err := Run(t.Context(), Options{Client: st.client, URL: st.url, Dir: t.TempDir(), Patience: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestStoryHolds(t *testing.T) {
	rep := newStage(t, nil, nil).play(t)
	for _, s := range rep.Steps {
		if !s.OK {
			t.Errorf("%s: %s", s.Name, s.Seen)
		}
	}
	if !rep.Held || len(rep.Steps) != 9 || len(rep.Phones) != phones {
		t.Fatalf("report %+v", rep)
	}
	failed := 0
	for _, p := range rep.Phones {
		if p.Failed == broken {
			failed++
		}
		if p.Runs != good || p.Status != string(device.Success) || (p.Failed == "") != (p.Second == 0) {
			t.Errorf("phone %+v", p)
		}
	}
	if failed != minAttempts {
		t.Errorf("%d phones failed, want %d", failed, minAttempts)
	}
}

// A demo that says "ok" whatever happens proves nothing: each of these servers
// does one thing wrong, and the story must end there.
func TestStoryDoesNotHold(t *testing.T) {
	var mu sync.Mutex
	var offer []byte // the first answer that offered the broken version
	for name, tt := range map[string]struct {
		spoil  func(w http.ResponseWriter, r *http.Request) bool
		change func(*http.Response) error
		step   string
	}{
		"reports get lost": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/stats" {
				return false
			}
			_, _ = io.WriteString(w, `{"status":"ok"}`)
			return true
		}, nil, "the server knows who runs it"},
		"downloads are changed": {nil, func(res *http.Response) error {
			if !strings.HasPrefix(res.Request.URL.Path, "/files/") || res.StatusCode != 200 {
				return nil
			}
			return edit(res, func(b []byte) []byte {
				if len(b) > 0 {
					b[len(b)/2] ^= 1
				}
				return b
			})
		}, "the fleet installs 1.0.0"},
		"the guard is off": {func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPatch {
				body := `{"strategy":"none","auto_halt":{"enabled":false}}`
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			}
			return false
		}, nil, "2.0.0 fails on phone after phone"},
		"the failed version is offered again": {nil, func(res *http.Response) error {
			if res.Request.URL.Path != "/updates" {
				return nil
			}
			return edit(res, func(b []byte) []byte {
				mu.Lock()
				defer mu.Unlock()
				if offer == nil && bytes.Contains(b, []byte(`"version":"2.0.0"`)) {
					offer = bytes.Clone(b)
				}
				if offer != nil {
					return offer
				}
				return b
			})
		}, "2.0.0 fails on phone after phone"},
	} {
		t.Run(name, func(t *testing.T) {
			rep := newStage(t, tt.spoil, tt.change).play(t)
			last := rep.Steps[len(rep.Steps)-1]
			if rep.Held || last.OK || last.Name != tt.step {
				t.Errorf("held %v, ended with %+v, want it to end at %q", rep.Held, last, tt.step)
			}
		})
	}
}

func edit(res *http.Response, f func([]byte) []byte) error {
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	b = f(b)
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	res.Header.Del("Content-Length")
	return nil
}

func TestStoryNeedsAFreshApp(t *testing.T) {
	st := newStage(t, nil, nil)
	if _, err := st.client.CreateApp(t.Context(), ota.NewApp{ID: App}); err != nil {
		t.Fatal(err)
	}
	if rep := st.play(t); rep.Held || len(rep.Steps) != 1 || rep.Steps[0].OK {
		t.Errorf("report %+v", rep)
	}
}
