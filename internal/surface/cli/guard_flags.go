package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// guardFlags has a flag for every field of a channel's guard.
type guardFlags struct {
	g               ota.GuardPolicy
	absolute, floor percent
	window          time.Duration
	action          string
}

// bind declares the flags. A flag that is not given leaves its field as it is.
func (o *guardFlags) bind(f *pflag.FlagSet) {
	g := &o.g
	f.BoolVar(&g.Enabled, "guard", false, "compare devices with a new release to devices that are held out, and act when it is worse")
	f.Float64Var(&g.Alpha, "guard-alpha", 0, "risk of a false halt per rollout, such as 0.01")
	f.Float64Var(&g.Tau, "guard-tau", 0, "how many times as often devices with the release may fail, from 1 to 5")
	f.Var(&o.absolute, "guard-absolute", "share of failing devices that is never put up with, such as 10")
	f.IntVar(&g.MinDevices, "guard-min-devices", 0, "devices that must have failed before it acts")
	f.IntVar(&g.MinNetworks, "guard-min-networks", 0, "networks they must come from, 1 to 64")
	f.Var(&o.floor, "guard-floor", "share of failing devices below which it does not act, such as 0.5")
	f.DurationVar(&o.window, "guard-health-window", 0, "how long after an update failures count, and silence becomes one, such as 24h")
	f.StringVar(&o.action, "guard-action", "", "what it does: notify, pause or rollback")
	f.BoolVar(&g.AfterFull, "guard-after-full", false, "go on watching after 100 %")
}

// patch returns what the command line changes, nil if nothing.
func (o *guardFlags) patch(f *pflag.FlagSet) (*ota.GuardPolicyPatch, error) {
	g, absolute, floor, action := &o.g, int(o.absolute), int(o.floor), ota.HaltAction(o.action)
	p := ota.GuardPolicyPatch{
		Enabled: given(f, "guard", &g.Enabled), Alpha: given(f, "guard-alpha", &g.Alpha), Tau: given(f, "guard-tau", &g.Tau),
		AbsoluteBPS: given(f, "guard-absolute", &absolute), MinDevices: given(f, "guard-min-devices", &g.MinDevices),
		MinNetworks: given(f, "guard-min-networks", &g.MinNetworks), FloorBPS: given(f, "guard-floor", &floor),
		Action: given(f, "guard-action", &action), AfterFull: given(f, "guard-after-full", &g.AfterFull),
	}
	var err error
	if p.HealthWindowMinutes, err = minutes(f, "guard-health-window", o.window); err != nil {
		return nil, err
	}
	if p == (ota.GuardPolicyPatch{}) {
		return nil, nil
	}
	return &p, nil
}

func guardText(g *ota.GuardPolicy) string {
	if !g.Enabled {
		return "off"
	}
	after := "until 100 %"
	if g.AfterFull {
		after = "also after 100 %"
	}
	return fmt.Sprintf("%s when the release is worse than tau %s at alpha %s, or over %s %% (at least %d devices of %d networks and %s %%, within %s), %s",
		g.Action, strconv.FormatFloat(g.Tau, 'g', -1, 64), strconv.FormatFloat(g.Alpha, 'g', -1, 64), percentText(g.AbsoluteBPS),
		g.MinDevices, g.MinNetworks, percentText(g.FloorBPS), time.Duration(g.HealthWindowMinutes)*time.Minute, after)
}
