package run_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

// jam keeps the database file from being written, from outside: another program
// holds its write lock. It returns what ends that.
func jam(s *story, data string) (free func()) {
	s.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "waxwing.db")+"?_pragma=busy_timeout(20000)")
	s.ok(err)
	ctx := context.WithoutCancel(s.t.Context())
	conn, err := db.Conn(ctx)
	s.ok(err)
	_, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	s.ok(err)
	held := true
	free = func() {
		if held {
			held = false
			if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
				s.t.Error(err)
			}
			_ = conn.Close()
			_ = db.Close()
		}
	}
	s.t.Cleanup(free)
	return free
}

// watched starts a server with a rollout of 1.2.0 on half of the devices, and
// returns the devices that were offered it.
func watched(t *testing.T) (s *story, data string, treated []int) {
	t.Helper()
	return watchedIn(t, t.TempDir())
}

// watchedIn does it with a data folder that is given.
func watchedIn(t *testing.T, dir string) (s *story, data string, treated []int) {
	t.Helper()
	data = dir
	srv := live.Start(t, data, func(c *config.Config) { c.TrustProxy = true })
	s = &story{t: t, Server: srv, c: srv.Client}
	must(s, func() (ota.App, error) { return s.c.CreateApp(t.Context(), ota.NewApp{ID: app, Name: "Jammed"}) })
	s.publish("1.1.0")
	s.release("production", "1.1.0")
	s.publish("1.2.0")
	off := false
	must(s, func() (ota.Channel, error) {
		return s.c.UpdateChannel(t.Context(), app, "production", ota.PolicyPatch{AutoHalt: &ota.AutoHaltPatch{Enabled: &off}})
	})
	s.roll()
	for n := range 60 {
		if s.gets(n) {
			treated = append(treated, n)
		}
	}
	if len(treated) < 14 {
		t.Fatalf("%d of 60 devices were offered the rollout", len(treated))
	}
	s.until("all exposures", func() bool {
		v := must(s, func() (ota.GuardView, error) { return s.c.Guard(t.Context(), app, "production", "") })
		return v.Treated+v.Control == 60
	})
	return s, data, treated
}

func (s *story) roll() {
	bps := 5000
	must(s, func() (ota.Rollout, error) {
		return s.c.SetRollout(s.t.Context(), app, "production", ota.RolloutRequest{Version: "1.2.0", BPS: &bps})
	})
}

// gets asks as device n, which must be answered in no time, and reports
// whether it was offered the rollout.
func (s *story) gets(n int) bool {
	s.t.Helper()
	since := time.Now()
	got := s.call("/updates", n, `"version_name":"1.1.0"`)["version"] == "1.2.0"
	if took := time.Since(since); took > 2*time.Second {
		s.t.Errorf("an update check took %v", took)
	}
	return got
}

func (s *story) rolling() *ota.Rollout {
	return must(s, func() (ota.Channel, error) { return s.c.Channel(s.t.Context(), app, "production") }).Rollout
}

// A rollout that fails while nothing can be written is stopped by the guard at
// once, for devices; it is recorded when the database takes writes again.
func TestGuardStopsWithoutADatabase(t *testing.T) {
	s, data, treated := watched(t)
	free := jam(s, data)
	var waiting sync.WaitGroup
	for _, n := range treated[:14] { // their reports wait for the database
		waiting.Go(func() {
			s.tells(n, "set")
			s.tells(n, "update_fail")
		})
	}
	last := treated[len(treated)-1]
	s.until("offers to stop", func() bool { return !s.gets(last) })
	if r := s.rolling(); r == nil || r.PausedAt != 0 {
		t.Errorf("the rollout is %+v, with a database that nobody can write", r)
	}
	free()
	waiting.Wait()
	s.until("the record", func() bool { r := s.rolling(); return r == nil || r.PausedAt != 0 })
	if s.gets(last) {
		t.Error("it is offered again")
	}
}

// People can stop offers while nothing can be written, and are told so.
func TestPeopleStopWithoutADatabase(t *testing.T) {
	s, data, treated := watched(t)
	ctx, last := t.Context(), treated[len(treated)-1]
	over := func(r *ota.Rollout) bool { return r == nil || r.PausedAt != 0 }
	for _, tt := range []struct {
		name string
		stop func() bool // reports whether it was recorded
	}{
		{"rollout pause", func() bool {
			on := true
			r := must(s, func() (ota.Rollout, error) {
				return s.c.SetRollout(ctx, app, "production", ota.RolloutRequest{Paused: &on, Reason: "it hurts"})
			})
			if r.PausedAt == 0 || r.Version != "1.2.0" {
				t.Errorf("the answer is %+v", r)
			}
			return !r.Unrecorded
		}},
		{"guard halt", func() bool {
			return must(s, func() (ota.GuardHaltAnswer, error) {
				return s.c.GuardHalt(ctx, app, "production", ota.GuardHaltRequest{Action: ota.HaltPause, Reason: "it hurts"})
			}).Recorded
		}},
		{"rollout abort", func() bool {
			return must(s, func() (bool, error) { return s.c.AbortRollout(ctx, app, "production") })
		}},
	} {
		if !s.gets(last) {
			t.Fatalf("%s: it is not offered to begin with", tt.name)
		}
		free := jam(s, data)
		if tt.stop() {
			t.Errorf("%s: recorded in a database that nobody can write", tt.name)
		}
		if s.gets(last) {
			t.Errorf("%s: it is still offered", tt.name)
		}
		if over(s.rolling()) {
			t.Errorf("%s: the database was written", tt.name)
		}
		free()
		s.until(tt.name+" to be recorded", func() bool { return over(s.rolling()) })
		if s.gets(last) {
			t.Errorf("%s: it is offered again once recorded", tt.name)
		}
		if s.rolling() != nil {
			on := false
			must(s, func() (ota.Rollout, error) {
				return s.c.SetRollout(ctx, app, "production", ota.RolloutRequest{Paused: &on})
			})
		}
	}
}

// tells sends what device n did with 1.2.0. Whether it is told that it was
// stored does not matter.
func (s *story) tells(n int, action string) {
	body := fmt.Sprintf(`{"app_id":%q,"device_id":"0b000000-0000-4000-8000-%012x","platform":"android","version_build":"1.0.0","version_code":"1",
		"version_os":"15","plugin_version":"8.51.23","is_emulator":false,"is_prod":true,"action":%q,"version_name":"1.2.0"}`, app, n, action)
	req, err := http.NewRequestWithContext(context.WithoutCancel(s.t.Context()), http.MethodPost, s.URL+"/stats", strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.7", n%200))
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
	}
}
