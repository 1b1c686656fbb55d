package notify_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// channel makes a channel that serves a version, and returns its release.
func (w *world) channel(name, version string, public bool) int64 {
	w.Helper()
	var release int64
	w.do(name, "channel.create", func(ctx context.Context, tx control.Tx) error {
		b, err := tx.InsertBundle(ctx, ota.Bundle{App: app, Version: version, CreatedAt: 1}, nil)
		if err != nil {
			return err
		}
		c, err := tx.InsertChannel(ctx, ota.Channel{App: app, Name: name, Policy: ota.Policy{Public: public}})
		if err != nil {
			return err
		}
		r, err := tx.InsertRelease(ctx, c.ID, ota.Release{Kind: ota.ReleasePublish, BundleID: b.ID, Version: version, CreatedAt: time.Now().UnixMilli()})
		if err != nil {
			return err
		}
		release, c.Release = r.ID, &r
		return tx.UpdateChannel(ctx, c)
	})
	return release
}

// devices reports n devices, numbered from first, that run a version.
func (w *world) devices(first, n int, channel, version string) {
	w.Helper()
	var rows []ingest.DeviceRow
	for i := range n {
		d := ota.Device{App: app, Platform: "ios", VersionName: version, DefaultChannel: channel, LastSeen: time.Now().UnixMilli(), FirstSeen: 1}
		d.ID[0], d.ID[1], d.ID[2] = 1, byte((first+i)>>8), byte(first+i)
		w.seen++
		rows = append(rows, ingest.DeviceRow{Device: d, Reach: ingest.Running, Print: int64(w.seen)})
	}
	if _, err := w.db.Write(w.Context(), &ingest.Batch{Devices: rows}); err != nil {
		w.Fatal(err)
	}
}

// TestAdoption: thresholds are told once per release, the highest that was
// reached; devices that are gone, on other channels or other versions count for
// what they are.
func TestAdoption(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		prod, beta := w.channel("production", "2.0.0", true), w.channel("beta", "3.0.0", false)
		w.devices(500, 300, "", "1.0.0") // a long time ago
		w.pass(48 * time.Hour)
		w.devices(0, 100, "", "1.0.0")
		w.devices(200, 10, "beta", "1.0.0")
		_, _ = w.hook(ota.NewWebhook{Name: "ci", Events: []string{"adoption.reached"}})
		w.start()
		type told struct {
			Channel                    string
			Release, Threshold, On, Of float64
		}
		heard := func() []told {
			var out []told
			for _, s := range w.out.all() {
				var e struct {
					Data struct {
						Channel                             string
						Release, Threshold, Devices, Active float64
					}
				}
				if err := json.Unmarshal(s.Body, &e); err != nil {
					t.Fatal(err)
				}
				d := e.Data
				out = append(out, told{d.Channel, d.Release, d.Threshold, d.Devices, d.Active})
			}
			return out
		}
		for _, step := range []struct {
			from, n          int
			channel, version string
			want             []told
		}{
			{0, 49, "", "2.0.0", nil},
			{49, 1, "production", "2.0.0", []told{{"production", float64(prod), 50, 50, 100}}},
			{50, 39, "", "2.0.0", nil},
			{200, 10, "beta", "3.0.0", []told{{"beta", float64(beta), 95, 10, 10}}},
			{89, 11, "", "2.0.0", []told{{"production", float64(prod), 95, 100, 100}}},
			{0, 100, "", "1.0.0", nil},
			{0, 100, "", "2.0.0", nil},
		} {
			before := len(heard())
			w.devices(step.from, step.n, step.channel, step.version)
			w.pass(2*time.Minute + 2*time.Second)
			if d := cmp.Diff(step.want, append([]told(nil), heard()[before:]...)); d != "" {
				t.Errorf("%d devices to %s (-want +got):\n%s", step.n, step.version, d)
			}
		}
	})
}
