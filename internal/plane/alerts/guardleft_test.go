package alerts_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/guards"
)

// TestGuardLeft: what the guard found worse and left in service alarms too; an
// open gate does not, nor does another version.
func TestGuardLeft(t *testing.T) {
	for kind, fires := range map[string]bool{"held": true, "notify": true, "gate_open": false, "old": false} {
		t.Run(kind, func(t *testing.T) {
			w := start(t)
			w.do("release.publish", func(ctx context.Context, tx control.Tx) error {
				ch, err := tx.InsertChannel(ctx, ota.Channel{App: app, Name: "production", Policy: ota.DefaultPolicy()})
				if err != nil {
					return err
				}
				b, err := tx.InsertBundle(ctx, ota.Bundle{App: app, Version: "2.0.0", CreatedAt: 1}, nil)
				if err != nil {
					return err
				}
				r, err := tx.InsertRelease(ctx, ch.ID, ota.Release{Kind: ota.ReleasePublish, BundleID: b.ID, Version: "2.0.0", CreatedAt: 1})
				if ch.Release = &r; err != nil {
					return err
				}
				return tx.UpdateChannel(ctx, ch)
			})
			at, version, said := w.now.UnixMilli()-1000, "2.0.0", kind
			if kind == "old" {
				version, said = "1.0.0", "held"
			}
			if err := w.db.SaveGuard(t.Context(), []guards.Batch{{
				Watch:     guards.Watch{App: app, GuardWatch: ota.GuardWatch{Rollout: "r", Channel: "production", Version: version, StartedAt: 1}, UpdatedAt: at},
				Decisions: []guards.Decision{{GuardDecision: ota.GuardDecision{Input: 2, At: at, Kind: said, Text: "it looks bad"}, Done: true}},
			}}); err != nil {
				t.Fatal(err)
			}
			w.look(0)
			var want []note
			if fires {
				want = []note{{"alert.fire", "guard_halt production", 0}}
			}
			if d := cmp.Diff(want, w.heard()); d != "" {
				t.Fatal(d)
			}
		})
	}
}
