package publish

import (
	"context"
	"errors"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// release puts the version on the channel, unless it is or was there.
func (p *push) release(ctx context.Context) error {
	if p.o.NoRelease {
		p.result.Skipped = SkippedAsked
		return nil
	}
	p.progress.Phase("releasing")
	p.checkChannel()
	if p.o.RolloutBPS != nil || p.o.RolloutPlan != nil || p.o.RolloutPreset != "" {
		return p.rollout(ctx, p.o.RolloutBPS)
	}
	var r ota.Release
	var done bool
	err := p.patient(ctx, func() (err error) {
		r, done, err = p.server.Release(ctx, p.o.App, p.o.Channel, ota.ReleaseRequest{Version: p.o.Version, Note: p.o.Note, IfNew: true})
		return err
	})
	if err != nil {
		return p.waits(err)
	}
	p.result.Released, p.result.Release = done, &r
	if !done {
		p.result.Skipped = SkippedHad
		if cur := p.target.channel.Release; cur == nil || cur.Version != p.o.Version {
			p.warn("not_current", "channel %s had version %s before and now serves another; put it back with: waxwing release %s --app %s --channel %s",
				p.o.Channel, p.o.Version, p.o.Version, p.o.App, p.o.Channel)
		}
	}
	return nil
}

// waits notes what others must approve first, which is no failure of the push.
func (p *push) waits(err error) error {
	wait, ok := errors.AsType[*client.PendingError](err)
	if !ok {
		return err
	}
	p.result.Skipped, p.result.Approval = SkippedWaits, &wait.Approval
	return nil
}

// rollout starts a rollout of the version. One that runs keeps its share: a
// repeated push must not take the version from devices that have it.
func (p *push) rollout(ctx context.Context, bps *int) error {
	ch := p.target.channel
	if r := ch.Release; r != nil && r.Version == p.o.Version {
		p.result.Skipped, p.result.Release = SkippedHad, r
		return nil
	}
	if r := ch.Rollout; r != nil && r.Version == p.o.Version {
		p.result.Skipped, p.result.Rollout = SkippedRollout, r
		if bps != nil && r.BPS != *bps {
			p.warn("rollout_kept", "a rollout of version %s to %d.%02d %% runs; change it with: waxwing rollout set %s --app %s --percent N",
				p.o.Version, r.BPS/100, r.BPS%100, p.o.Channel, p.o.App)
		}
		return nil
	}
	var r ota.Rollout
	err := p.patient(ctx, func() (err error) {
		r, err = p.server.SetRollout(ctx, p.o.App, p.o.Channel, ota.RolloutRequest{
			Version: p.o.Version, BPS: bps, Plan: p.o.RolloutPlan, Preset: p.o.RolloutPreset, Reason: p.o.Note,
		})
		return err
	})
	if err != nil {
		return p.waits(err)
	}
	p.result.Released, p.result.Rollout = true, &r
	return nil
}
