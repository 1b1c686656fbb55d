package run

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestCollectorCollectsEveryHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var log bytes.Buffer
		runs := 0
		c := &collector{log: slog.New(slog.NewTextHandler(&log, nil)), collect: func(_ context.Context, by ota.Actor) (ota.GCReport, error) {
			if runs++; by != collectActor {
				t.Errorf("collected by %q", by)
			}
			if runs == 1 {
				return ota.GCReport{}, errors.New("disk on fire")
			}
			return ota.GCReport{Blobs: 3}, nil
		}}
		done := make(chan error, 1)
		go func() { done <- c.run(ctx) }()
		time.Sleep(3*time.Hour + time.Minute)
		synctest.Wait()
		cancel()
		if err := <-done; err != nil || runs != 3 {
			t.Errorf("%d runs in three hours, %v", runs, err)
		}
		if !strings.Contains(log.String(), "disk on fire") || !strings.Contains(log.String(), "blobs=3") {
			t.Errorf("log: %s", log.String())
		}
	})
}

func TestReady(t *testing.T) {
	at := time.UnixMilli(0)
	probes, broken := 0, error(nil)
	r := &ready{now: func() time.Time { return at }, ping: func(context.Context) error { probes++; return broken }}
	ask := func() int {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
		return w.Code
	}
	at = at.Add(time.Hour)
	if first, second := ask(), ask(); first != 200 || second != 200 || probes != 1 {
		t.Errorf("%d and %d: %d probes for two questions at once", first, second, probes)
	}
	broken = errors.New("read-only")
	if at = at.Add(readyFor); ask() != 503 || probes != 2 {
		t.Errorf("after %d probes a broken database is ready", probes)
	}
	broken = nil
	if at = at.Add(readyFor); ask() != 200 {
		t.Error("a mended database is not ready")
	}
}
