package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

func (c *Console) registerRollout() {
	const one = "/apps/{app}/channels/{channel}/rollout"
	c.act(route{method: "POST", path: one, action: "rollout.set"}, c.setRollout, c.showChannel)
	c.act(route{method: "POST", path: one + "/promote", action: "rollout.promote"}, c.promoteRollout, c.showChannel)
	c.act(route{method: "POST", path: one + "/abort", action: "rollout.abort"}, c.abortRollout, c.showChannel)
}

func (c *Console) setRollout(r *request) (answer, error) {
	in := ota.RolloutRequest{Version: r.text("version"), Reason: r.text("reason")}
	if r.text("percent") != "" {
		bps, err := r.percent("percent")
		if err != nil {
			return answer{}, err
		}
		in.BPS = &bps
	}
	switch paused := r.text("state"); paused {
	case "pause", "resume":
		on := paused == "pause"
		if in.Paused = &on; on {
			in.BPS = nil // to pause must work with a database that takes nothing else
		}
	}
	changed, err := r.api.SetRollout(r, r.app(), r.channel(), in)
	done := "rollout_changed"
	if changed.Unrecorded {
		done = "halted_unrecorded"
	}
	return r.done(done, "apps", r.app(), "channels", r.channel()), err
}

func (c *Console) promoteRollout(r *request) (answer, error) {
	_, err := r.api.PromoteRollout(r, r.app(), r.channel())
	return r.done("rollout_promoted", "apps", r.app(), "channels", r.channel()), err
}

func (c *Console) abortRollout(r *request) (answer, error) {
	recorded, err := r.api.AbortRollout(r, r.app(), r.channel())
	done := "rollout_aborted"
	if err == nil && !recorded {
		done = "halted_unrecorded"
	}
	return r.done(done, "apps", r.app(), "channels", r.channel()), err
}
