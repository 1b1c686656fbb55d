package run_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

// call sends a request of device n, which has a network of its own.
func (s *story) call(path string, n int, more string) map[string]any {
	s.t.Helper()
	body := fmt.Sprintf(`{"app_id":%q,"device_id":"0b000000-0000-4000-8000-%012x","platform":"android","version_build":"1.0.0",
		"version_code":"1","version_os":"15","plugin_version":"8.51.23","is_emulator":false,"is_prod":true,%s}`, app, n, more)
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
	s.ok(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.7", n%200))
	res, err := http.DefaultClient.Do(req)
	s.ok(err)
	defer res.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d %v %v", path, res.StatusCode, out, err)
	}
	return out
}

// until looks again and again until it sees what it waits for.
func (s *story) until(what string, seen func() bool) {
	s.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !seen() {
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("it waited in vain for %s", what)
		}
	}
}

// A rollout fails on those that were offered it: the guard pauses it, says why,
// and its decisions can be computed again from what the server hands out.
func TestGuardPausesARollout(t *testing.T) {
	srv := live.Start(t, "", func(c *config.Config) { c.TrustProxy = true })
	s := &story{t: t, Server: srv, c: srv.Client}
	ctx := t.Context()
	must(s, func() (ota.App, error) { return s.c.CreateApp(ctx, ota.NewApp{ID: app, Name: "Guarded"}) })
	s.publish("1.1.0")
	s.release("production", "1.1.0")
	s.publish("1.2.0")
	off, bps := false, 2000
	must(s, func() (ota.Channel, error) {
		return s.c.UpdateChannel(ctx, app, "production", ota.PolicyPatch{AutoHalt: &ota.AutoHaltPatch{Enabled: &off}})
	})
	must(s, func() (ota.Rollout, error) {
		return s.c.SetRollout(ctx, app, "production", ota.RolloutRequest{Version: "1.2.0", BPS: &bps})
	})
	var treated []int
	const devices = 150
	for n := range devices {
		if s.call("/updates", n, `"version_name":"1.1.0"`)["version"] == "1.2.0" {
			treated = append(treated, n)
		}
	}
	if len(treated) < 12 {
		t.Fatalf("%d of %d devices were offered the rollout", len(treated), devices)
	}
	look := func() ota.GuardView {
		return must(s, func() (ota.GuardView, error) { return s.c.Guard(ctx, app, "production", "") })
	}
	s.until("all exposures", func() bool { v := look(); return v.Treated+v.Control == devices })
	if v := look(); v.Treated != int64(len(treated)) || v.Mode != ota.GuardControl {
		t.Errorf("%d treated, mode %s, want %d treated", v.Treated, v.Mode, len(treated))
	}
	for _, n := range treated[:12] {
		s.call("/stats", n, `"action":"set","version_name":"1.2.0"`)
		s.call("/stats", n, `"action":"update_fail","version_name":"1.2.0"`)
	}
	channel := func() ota.Channel {
		return must(s, func() (ota.Channel, error) { return s.c.Channel(ctx, app, "production") })
	}
	s.until("the pause", func() bool { r := channel().Rollout; return r == nil || r.PausedAt != 0 })
	id := ""
	if r := channel().Rollout; r != nil {
		id = r.ID
		if !strings.Contains(r.PauseReason, "guard") {
			t.Errorf("paused because %q", r.PauseReason)
		}
	}
	x := must(s, func() (ota.GuardExport, error) { return s.c.GuardInputs(ctx, app, "production", id) })
	state, diffs, err := guard.Replay(&x)
	if err != nil || len(diffs) > 0 || len(x.Decisions) == 0 {
		t.Fatalf("replay: %v %v, %d decisions", err, diffs, len(x.Decisions))
	}
	if v := must(s, func() (ota.GuardView, error) { return s.c.Guard(ctx, app, "production", id) }); v.E != state.View().E || v.State != ota.GuardHalted {
		t.Errorf("the server has E %v and is %s, replayed E is %v", v.E, v.State, state.View().E)
	}
}
