package cli

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// beforeStart says what somebody who starts a rollout may not expect: that one
// of the version runs already, which is changed then and keeps its target, and
// that the version was halted or taken back lately.
func beforeStart(ctx context.Context, g *Globals, app, channel string, in *ota.RolloutRequest) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	ch, err := cl.Channel(ctx, app, channel)
	if err != nil {
		return err
	}
	warnHalted(ctx, g, cl, app, channel, in.Version)
	r := ch.Rollout
	if r == nil || r.Version != in.Version {
		return nil
	}
	g.Note("a rollout of %s runs already: this changes it, and who comes first stays as it was drawn", clean(r.Version))
	if r.Plan != nil && r.Plan.Target != "" && in.Plan == nil && in.Preset == "" {
		g.Note("it is still for: %s", clean(r.Plan.Target))
	}
	if r.PausedAt != 0 {
		g.Note("it is paused, and stays so until: waxwing rollout resume %s --app %s", clean(channel), clean(app))
	}
	return nil
}

// haltsSeen is how many of the releases and rollouts that the guard watched last
// are looked at, and historySeen how many releases.
const haltsSeen, historySeen = 10, 50

// warnHalted says that the version was taken back on the channel, by the guard,
// the threshold rule or people, or that the guard halted its rollout. That this
// cannot be asked keeps nobody from anything.
func warnHalted(ctx context.Context, g *Globals, cl *client.Client, app, channel, version string) {
	if history, _, err := cl.Releases(ctx, app, channel, ota.Page{Limit: historySeen}); err == nil {
		if r, ok := ota.TakenBack(history)[version]; ok {
			why := ""
			if r.Note != "" {
				why = ": " + r.Note
			}
			g.Note("warning: %s was taken back on %s by %s%s", clean(version), clean(channel), clean(r.CreatedBy), clean(why))
			return
		}
	}
	watches, _, err := cl.GuardWatches(ctx, app, channel, ota.Page{Limit: haltsSeen})
	if err != nil {
		return
	}
	for _, w := range watches {
		if w.Version != version {
			continue
		}
		v, err := cl.Guard(ctx, app, channel, w.Rollout)
		if err != nil || v.State != ota.GuardHalted {
			continue
		}
		why := ""
		for _, d := range v.Decisions {
			if d.Kind != "gate_open" && d.Kind != "held" {
				why = ": " + d.Text
			}
		}
		g.Note("warning: the guard halted %s on %s%s", clean(version), clean(channel), clean(why))
		return
	}
}
