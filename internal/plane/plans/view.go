package plans

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollout"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
	"github.com/waxwing-ota/waxwing/internal/core/target"
)

// CodeNoRollout is the stable code for a channel without a rollout.
const CodeNoRollout = "rollout_not_found"

// View says where the rollout of a channel is; without one, that there is none.
func (s *Service) View(ctx context.Context, app, channel string) (ota.RolloutView, error) {
	ch, err := s.Store.Channel(ctx, app, channel)
	if err != nil || ch.Rollout == nil {
		return ota.RolloutView{}, err
	}
	guard, err := s.guard(ctx, &ch)
	if err != nil {
		return ota.RolloutView{}, err
	}
	v := rollout.View(ch.Rollout, guard, time.LoadLocation, s.Now().UnixMilli())
	if p := ch.Rollout.Plan; p != nil && p.Target != "" {
		if v.Cohorts, err = s.cohorts(ctx, app, p.Target); err != nil {
			return v, err
		}
	}
	return v, nil
}

func (s *Service) cohorts(ctx context.Context, app, src string) ([]string, error) {
	all, err := s.Store.Cohorts(ctx, app)
	if err != nil {
		return nil, err
	}
	set, err := target.NewCohorts(all)
	if err != nil {
		return nil, err
	}
	e, err := target.Parse(src)
	if err != nil {
		return nil, err
	}
	return set.Uses(e), nil
}

// Device says how the rollout of a channel concerns a device: its bucket, with
// which step it comes in, and, if look, what the target says of what the device
// last told.
func (s *Service) Device(ctx context.Context, app, channel string, id ota.DeviceID, look bool) (ota.RolloutDevice, error) {
	view := s.Snap.App(app)
	out := ota.RolloutDevice{Device: id, Step: -1}
	stored, err := s.Store.Channel(ctx, app, channel)
	if err != nil {
		return out, err
	}
	var ch *decide.Channel
	if view != nil {
		ch = view.ChannelByName(channel)
	}
	if ch == nil || ch.Rollout == nil || stored.Rollout == nil {
		return out, ota.NotFound(CodeNoRollout, "channel %q has no rollout", channel)
	}
	out.Bucket = decide.Bucket(ch.Rollout.ID, id)
	out.Step = rollout.StepOf(stored.Rollout.Plan, out.Bucket)
	c := &decide.Check{Device: id}
	if look {
		dev, err := s.Store.Device(ctx, app, id)
		if err != nil && ota.KindOf(err) != ota.KindNotFound {
			return out, err
		}
		out.Known = err == nil
		if out.Known {
			c = checkOf(&dev)
		}
	}
	if out.Known {
		out.Targeted = ch.Rollout.Target == nil || ch.Rollout.Target.Match(c)
		if ch.Rollout.Target != nil {
			out.Why = ch.Rollout.Target.Explain(c)
		}
	}
	r := *ch.Rollout
	if !out.Known {
		r.Target = nil
	}
	out.In, out.Reason = r.Selects(c)
	out.Text = s.text(&out, stored.Rollout)
	out.Note = note(stored.Rollout.Plan, c.Platform)
	return out, nil
}

// text says for people how a rollout concerns a device.
func (s *Service) text(d *ota.RolloutDevice, r *ota.Rollout) string {
	share := percent(r.BPS)
	switch d.Reason {
	case "disabled":
		return "the rollout is turned off"
	case "percentage_zero":
		return "the rollout is at 0 %: nobody has it yet"
	case "on_target":
		return "it runs " + r.Version + " and keeps it"
	case "not_targeted":
		return "the rollout is not for it"
	case "paused":
		return "the rollout is paused, and it does not have the version yet"
	case "everyone":
		return "the rollout is at 100 %: everybody it is for has it"
	case "in_bucket":
		return fmt.Sprintf("its bucket %d is within the %s %% of now", d.Bucket, share)
	}
	if d.Step >= 0 {
		return fmt.Sprintf("its bucket %d is outside of the %s %% of now; it comes in with step %d, at %s %%",
			d.Bucket, share, d.Step+1, percent(r.Plan.Steps[d.Step].BPS))
	}
	return fmt.Sprintf("its bucket %d is outside of the %s %% of now; it comes in above %s %%", d.Bucket, share, percent(d.Bucket))
}

func percent(bps int) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%02d", bps/100, bps%100), "0"), ".")
}

// note says what a device's client cannot do of what a plan asks.
func note(p *ota.RolloutPlan, platform string) string {
	if p == nil || !p.Mandatory {
		return ""
	}
	return decide.MandatoryNote(platform)
}

// checkOf makes the question that a device would ask, from what it last told.
func checkOf(d *ota.Device) *decide.Check {
	c := &decide.Check{
		Device: d.ID, Platform: d.Platform, VersionName: d.VersionName, VersionBuild: d.VersionBuild, Build: d.VersionBuild,
		IsProd: d.IsProd, IsEmulator: d.IsEmulator, DefaultChannel: d.DefaultChannel, KeyID: d.KeyID,
		OS: d.VersionOS, VersionCode: d.VersionCode, InstallSource: d.InstallSource, CustomID: d.CustomID,
	}
	c.Native, _ = semver.Native(d.VersionBuild)
	c.Plugin, _ = semver.Parse(d.PluginVersion)
	return c
}
