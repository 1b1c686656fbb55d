package console

import (
	"math"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type guardView struct {
	Channel ota.Channel
	Rollout string // that was asked for; "" = what the channel serves now
	Watches []ota.GuardWatch
	Next    string
	Actions []ota.HaltAction
	Numbers guardNumbers
}

// guardNumbers is the part of the page that is sent again when it changes.
type guardNumbers struct {
	Guard *ota.GuardView // nil = the channel serves nothing
	Chart *lines
	Mark  string
}

func (c *Console) registerGuard() {
	const one = "/apps/{app}/channels/{channel}/guard"
	c.page(route{method: "GET", path: one, action: "guard.get"}, c.showGuard)
	c.page(route{method: "GET", path: one + "/live", action: "guard.get"}, c.liveGuard)
	c.act(route{method: "POST", path: one, action: "channel.update"}, c.changeGuard, c.showGuard)
	c.act(route{method: "POST", path: one + "/halt", action: "guard.halt"}, c.haltByHand, c.showGuard)
}

func (c *Console) showGuard(r *request) (answer, error) {
	v := guardView{Rollout: r.query("rollout"), Actions: []ota.HaltAction{ota.HaltPause, ota.HaltRollback, ota.HaltNotify}}
	var err error
	if v.Channel, err = r.api.Channel(r, r.app(), r.channel()); err != nil {
		return answer{}, err
	}
	if v.Watches, v.Next, err = r.api.GuardWatches(r, r.app(), r.channel(), ota.Page{After: r.query("after"), Limit: 20}); err != nil {
		return answer{}, err
	}
	if v.Numbers, err = c.guardNumbers(r, v.Rollout); err != nil {
		return answer{}, err
	}
	return r.show("guard", "Guard of "+v.Channel.Name, v), nil
}

func (c *Console) liveGuard(r *request) (answer, error) {
	return c.watch(r, "guard", liveEvery, func() (any, string, error) {
		n, err := c.guardNumbers(r, r.query("rollout"))
		return n, n.Mark, err
	})
}

func (c *Console) guardNumbers(r *request, rollout string) (n guardNumbers, err error) {
	g, err := r.api.Guard(r, r.app(), r.channel(), rollout)
	switch {
	case ota.KindOf(err) == ota.KindNotFound && rollout == "": // nothing was released yet
		return n, nil
	case err != nil:
		return n, err
	}
	n.Guard, n.Chart = &g, evidenceLines(&g)
	n.Mark, err = markOf(n)
	return n, err
}

// evidenceLines shows how far the evidence is on its way to the threshold. Both
// are compared as logarithms, because evidence multiplies.
func evidenceLines(g *ota.GuardView) *lines {
	c := &lines{ID: "evidence", Name: "Evidence that the release is worse, on the way to where the guard acts (log scale)", Unit: "percent"}
	evidence, limit := line{Name: "evidence", Class: "s0"}, line{Name: "acts", Class: "s1"}
	full := 100.0
	for _, p := range g.Points {
		way := 0.0
		if p.E > 1 && g.Threshold > 1 {
			way = 100 * math.Log(p.E) / math.Log(g.Threshold)
		}
		way = math.Round(10*min(way, 300)) / 10
		c.Times = append(c.Times, p.At)
		evidence.Values, limit.Values = append(evidence.Values, &way), append(limit.Values, &full)
		c.Max = max(c.Max, way, full)
	}
	c.Series = []line{evidence, limit}
	for i := range c.Series {
		c.Series[i].Path = c.path(c.Series[i].Values)
	}
	return c
}

func (c *Console) changeGuard(r *request) (answer, error) {
	action := ota.HaltAction(r.text("guard_action"))
	p := ota.GuardPolicyPatch{Enabled: r.checked("guard_enabled"), AfterFull: r.checked("after_full"), Action: &action}
	for _, f := range []struct {
		name string
		at   **int
	}{
		{"min_devices", &p.MinDevices},
		{"min_networks", &p.MinNetworks},
		{"health_window_minutes", &p.HealthWindowMinutes},
	} {
		n, err := r.number(f.name)
		if err != nil {
			return answer{}, err
		}
		*f.at = &n
	}
	absolute, err := r.percent("absolute")
	if err != nil {
		return answer{}, err
	}
	floor, err := r.percent("floor")
	if err != nil {
		return answer{}, err
	}
	alpha, err := strconv.ParseFloat(r.text("alpha"), 64)
	if err != nil || !(alpha >= 0 && alpha <= 100) { // not NaN, which JSON does not know
		return answer{}, ota.Invalid("number_invalid", "the risk of a false halt must be a percentage such as 1").WithField("alpha")
	}
	tau, err := strconv.ParseFloat(r.text("tau"), 64)
	if err != nil || !(tau >= 0 && tau <= 100) {
		return answer{}, ota.Invalid("number_invalid", "the ratio must be a number such as 1.25").WithField("tau")
	}
	alpha /= 100
	p.AbsoluteBPS, p.FloorBPS, p.Alpha, p.Tau = &absolute, &floor, &alpha, &tau
	_, err = r.api.UpdateChannel(r, r.app(), r.channel(), ota.PolicyPatch{Guard: &p})
	return r.done("guard_changed", "apps", r.app(), "channels", r.channel(), "guard"), err
}

func (c *Console) haltByHand(r *request) (answer, error) {
	a, err := r.api.GuardHalt(r, r.app(), r.channel(), ota.GuardHaltRequest{
		Version: r.text("version"), Action: ota.HaltAction(r.text("action")), Reason: r.text("reason"),
	})
	done := "halted"
	if err == nil && !a.Recorded {
		done = "halted_unrecorded"
	}
	return r.done(done, "apps", r.app(), "channels", r.channel(), "guard"), err
}

// sig writes three significant digits, and whole numbers whole.
func sig(v float64) string {
	if v >= 1000 && v < 1e7 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
