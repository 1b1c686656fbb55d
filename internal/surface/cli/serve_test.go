package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// locked is a buffer that a server's log and a test may use at once.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serving is a serve command that runs.
type serving struct {
	errs locked
	out  *io.PipeReader
	stop func() int // ends it and returns the exit code
}

func serveIn(t *testing.T, env map[string]string, args ...string) *serving {
	t.Helper()
	s := &serving{}
	out, w := io.Pipe()
	s.out = out
	ctx, cancel := context.WithCancel(t.Context())
	root, g := newRoot(Streams{In: strings.NewReader(""), Out: w, Err: &s.errs}, func(k string) string { return env[k] })
	code := make(chan int, 1)
	go func() {
		code <- execute(ctx, root, g, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...))
		_ = w.Close()
	}()
	s.stop = sync.OnceValue(func() int {
		cancel()
		_, _ = io.Copy(io.Discard, out)
		return <-code
	})
	t.Cleanup(func() { s.stop() })
	return s
}

// TestServeJSON: the first start prints one document with the address and the
// owner token; the token works; the second start prints no token.
func TestServeJSON(t *testing.T) {
	dir := t.TempDir()
	s := serveIn(t, nil, "--data", dir, "--json")
	var a started
	if err := json.NewDecoder(s.out).Decode(&a); err != nil {
		t.Fatal(err)
	}
	if a.Event != "bootstrap" || a.Token == "" {
		t.Fatalf("the first start printed %+v", a)
	}
	c, err := client.New(client.Config{URL: a.URL, Token: secret.New(a.Token)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if me, err := c.Me(t.Context()); err != nil || !me.Principal.Is(ota.RoleOwner, ota.Scope{Org: ota.MainOrg}) {
		t.Errorf("%+v, %v", me, err)
	}

	second := invoke(nil, "serve", "--data", dir, "--listen", "127.0.0.1:0")
	if second.code != exitConflict || !strings.Contains(second.err, "data_in_use") {
		t.Errorf("a second server on the directory: %+v", second)
	}

	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, s.errs.String())
	}
	if strings.Contains(s.errs.String(), a.Token) {
		t.Errorf("the token is in the log: %s", s.errs.String())
	}

	again := serveIn(t, nil, "--data", dir, "--json")
	var b started
	if err := json.NewDecoder(again.out).Decode(&b); err != nil {
		t.Fatal(err)
	}
	if b.Event != "listening" || b.Token != "" || b.URL == "" {
		t.Errorf("the second start printed %+v", b)
	}
	if code := again.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestServeWithATokenFromOutside: it is never printed, the address is logged.
func TestServeWithATokenFromOutside(t *testing.T) {
	env := map[string]string{"WAXWING_BOOTSTRAP_TOKEN": "a-token-from-outside-0123456789"}
	s := serveIn(t, env, "--data", t.TempDir(), "--json")
	var a started
	if err := json.NewDecoder(s.out).Decode(&a); err != nil {
		t.Fatal(err)
	}
	if a.Event != "listening" || a.Token != "" {
		t.Errorf("printed %+v", a)
	}
	if code := s.stop(); code != 0 || strings.Contains(s.errs.String(), "from-outside") {
		t.Errorf("exit code %d: %s", code, s.errs.String())
	}
}

func TestServeRefusesBadSettings(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		args []string
		says string
	}{
		{map[string]string{"WAXWING_MAX_BLOB": "many"}, nil, "WAXWING_MAX_BLOB"},
		{map[string]string{"WAXWING_BOOTSTRAP_TOKEN": "short"}, nil, "at least 20"},
		{nil, []string{"--listen", "nowhere"}, "host:port"},
		{nil, []string{"--tls-cert", "c.pem"}, "come together"},
		{nil, []string{"--public-url", "ota"}, "https://ota.example.com"},
	} {
		got := invoke(tt.env, append([]string{"serve", "--data", t.TempDir()}, tt.args...)...)
		if got.code != exitFailure || !strings.Contains(got.err, tt.says) {
			t.Errorf("%v %v: %+v, want exit code 1 and %q", tt.env, tt.args, got, tt.says)
		}
	}
}
