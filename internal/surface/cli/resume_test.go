package cli

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/publish"
	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// cutter is a proxy that breaks the first upload of much data in the middle.
type cutter struct {
	next    http.Handler
	cut     atomic.Bool
	resumed atomic.Int64 // uploads that began later than at 0
}

func (c *cutter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut && r.URL.Query().Get("offset") != "" {
		c.resumed.Add(1)
	}
	if r.Method == http.MethodPut && (r.ContentLength > 1<<20 || r.ContentLength < 0) && c.cut.CompareAndSwap(false, true) {
		r.Body = io.NopCloser(io.LimitReader(r.Body, 700_000))
		r.ContentLength = -1
		c.next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler) // the client sees its connection break
	}
	c.next.ServeHTTP(w, r)
}

// A push over a connection that breaks goes on where the server says it ended.
func TestPushResumesOverABrokenConnection(t *testing.T) {
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.BootstrapToken = t.TempDir(), "127.0.0.1:0", secret.New(storyToken)
	s, err := run.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	target, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := &cutter{next: httputil.NewSingleHostReverseProxy(target)}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)

	cl, err := client.New(client.Config{URL: front.URL, Token: secret.New(storyToken)})
	if err != nil {
		t.Fatal(err)
	}
	const app = "com.example.cut"
	key, err := seal.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = cl.CreateApp(ctx, ota.NewApp{ID: app}); err == nil {
		_, err = cl.RegisterKey(ctx, app, key.Public().PEM())
	}
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 3<<20)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	res, err := publish.Push(ctx, cl, publish.Options{
		App: app, Version: "1.0.0", Channel: "production", Keys: []*seal.PrivateKey{key}, TempDir: t.TempDir(),
		Dir: fstest.MapFS{
			"index.html": {Data: []byte("<script>notifyAppReady()</script>" + strings.Repeat(" ", 100))},
			"big.bin":    {Data: noise},
		},
	})
	if err != nil || !res.Created {
		t.Fatalf("got %+v, %v", res, err)
	}
	if !proxy.cut.Load() || proxy.resumed.Load() == 0 {
		t.Errorf("cut %v, resumed %d times", proxy.cut.Load(), proxy.resumed.Load())
	}
	rep, err := publish.Verify(ctx, cl, publish.Published{App: app, Version: "1.0.0", Key: key.Public(), TempDir: t.TempDir()})
	if err != nil || !rep.OK {
		t.Errorf("got %+v, %v", rep, err)
	}
}
