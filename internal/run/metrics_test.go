package run_test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// fetch asks for a page as somebody, by a name of the host.
func fetch(t *testing.T, url, token, host string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if host != "" {
		req.Host = host
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// TestMetrics: whom the page is shown to, and that it has what the server knows.
func TestMetrics(t *testing.T) {
	cfg := settings(t, filepath.Join(t.TempDir(), "data"))
	cfg.BootstrapToken, cfg.DebugListen = secret.New("an-owner-token-for-tests"), "127.0.0.1:0"
	s := mustNew(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	cl, err := client.New(client.Config{URL: s.URL(), Token: cfg.BootstrapToken})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cl.CreateApp(ctx, ota.NewApp{ID: "com.example.app"}); err != nil {
		t.Fatal(err)
	}
	a, err := cl.TestAlerts(ctx, "com.example.app")
	if err != nil || a.State != ota.AlertFiring {
		t.Fatalf("%+v, %v", a, err)
	}
	viewer, _, err := cl.CreateToken(ctx, ota.NewToken{Name: "viewer", Actions: []string{"app.get"}})
	if err != nil {
		t.Fatal(err)
	}
	debug := "http://" + s.DebugAddr().String()
	for _, tt := range []struct {
		name, url, token, host string
		status                 int
		has                    string
	}{
		{"nobody", s.URL() + "/metrics", "", "", 401, "token_missing"},
		{"a token for something else", s.URL() + "/metrics", viewer.Reveal(), "", 403, "not_allowed"},
		{"the owner", s.URL() + "/metrics", cfg.BootstrapToken.Reveal(), "", 200, `waxwing_alerts{app="com.example.app",rule="test",severity="warning",state="firing"} 1`},
		{"no profiles for the world", s.URL() + "/debug/pprof/", cfg.BootstrapToken.Reveal(), "", 404, ""},
		{"the machine itself", debug + "/metrics", "", "", 200, `waxwing_snapshot_refresh_seconds_count`},
		{"its profiles", debug + "/debug/pprof/goroutine?debug=1", "", "", 200, "goroutine profile"},
		{"a page that had its name pointed here", debug + "/metrics", "", "evil.example:6060", 403, ""},
	} {
		status, body := fetch(t, tt.url, tt.token, tt.host)
		if status != tt.status || !strings.Contains(body, tt.has) {
			t.Errorf("%s: %d %.300s", tt.name, status, body)
		}
	}
}

// TestMetricsPublic: by the setting, the page is for everybody.
func TestMetricsPublic(t *testing.T) {
	cfg := settings(t, filepath.Join(t.TempDir(), "data"))
	cfg.MetricsPublic = true
	s := mustNew(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if status, body := fetch(t, s.URL()+"/metrics", "", ""); status != 200 || !strings.Contains(body, "waxwing_build_info") {
		t.Errorf("%d %.300s", status, body)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
