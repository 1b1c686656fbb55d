package console

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type planView struct {
	View    ota.RolloutView
	Channel ota.Channel
	Choices choices // that can be rolled out
	Presets []string
	Device  *ota.RolloutDevice // that was asked about
	Asked   string
}

// planNames are the plans that come with the program.
var planNames = []string{"careful", "standard", "fast"}

func (c *Console) registerPlan() {
	const one = "/apps/{app}/channels/{channel}/rollout"
	c.page(route{method: "GET", path: one, action: "channel.get"}, c.showPlan)
	c.act(route{method: "POST", path: one + "/plan", action: "rollout.set"}, c.setPlan, c.showPlan)
	c.act(route{method: "POST", path: one + "/let", action: "rollout.let"}, c.letRollout, c.showPlan)
}

func (c *Console) showPlan(r *request) (answer, error) {
	v := planView{Presets: planNames, Asked: r.query("device")}
	var err error
	if v.Channel, err = r.api.Channel(r, r.app(), r.channel()); err != nil {
		return answer{}, err
	}
	if v.View, err = r.api.Rollout(r, r.app(), r.channel()); err != nil {
		return answer{}, err
	}
	if v.View.Rollout == nil {
		if v.Choices, err = c.choices(r); err != nil {
			return answer{}, err
		}
	}
	if id, ok := ota.ParseDeviceID(v.Asked); ok && v.View.Rollout != nil {
		d, err := r.api.RolloutDevice(r, r.app(), r.channel(), id)
		if err != nil {
			return answer{}, err
		}
		v.Device = &d
	}
	return r.show("plan", "Rollout on "+v.Channel.Name, v), nil
}

func (c *Console) setPlan(r *request) (answer, error) {
	in := ota.RolloutRequest{Version: r.text("version"), Preset: r.text("preset")}
	if in.Preset != "none" {
		in.Plan = &ota.RolloutPlan{Target: r.text("target")}
		if text := r.text("deadline"); text != "" {
			at, err := time.Parse("2006-01-02T15:04", text)
			if err != nil {
				return answer{}, ota.Invalid("deadline_invalid", "the deadline is no time such as 2026-12-24T18:00").WithField("deadline")
			}
			in.Plan.Mandatory, in.Plan.DeadlineAt = true, at.UnixMilli()
		}
		switch r.text("promote") {
		case "yes":
			in.Plan.Promote = new(true)
		case "no":
			in.Plan.Promote = new(false)
		}
	}
	_, err := r.api.SetRollout(r, r.app(), r.channel(), in)
	return r.done("plan_set", "apps", r.app(), "channels", r.channel(), "rollout"), err
}

func (c *Console) letRollout(r *request) (answer, error) {
	_, err := r.api.LetRolloutGo(r, r.app(), r.channel())
	return r.done("rollout_let", "apps", r.app(), "channels", r.channel(), "rollout"), err
}

// soakText writes how long a step soaks.
func soakText(minutes int) string {
	switch {
	case minutes == 0:
		return "none"
	case minutes%(24*60) == 0:
		return numText(minutes/(24*60)) + " d"
	case minutes%60 == 0:
		return numText(minutes/60) + " h"
	}
	return numText(minutes) + " min"
}
