package console

import (
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type channelView struct {
	Channel    ota.Channel
	Releases   []ota.Release
	Next       string
	Choices    choices // that can be released
	Strategies []ota.Strategy
	Actions    []ota.HaltAction
	MaxNeeded  int
	Guard      *ota.GuardView // nil = there is nothing to watch
}

func (c *Console) registerChannel() {
	const one = "/apps/{app}/channels/{channel}"
	c.page(route{method: "GET", path: one, action: "channel.get"}, c.showChannel)
	c.act(route{method: "POST", path: one + "/policy", action: "channel.update"}, c.changePolicy, c.showChannel)
	c.act(route{method: "POST", path: one + "/release", action: "release.create"}, c.release, c.showChannel)
}

func (c *Console) showChannel(r *request) (answer, error) {
	v := channelView{
		Strategies: []ota.Strategy{ota.StrategyNone, ota.StrategyMajor, ota.StrategyMinor, ota.StrategyPatch, ota.StrategyVersionNumber},
		Actions:    []ota.HaltAction{ota.HaltRollback, ota.HaltPause, ota.HaltNotify}, MaxNeeded: ota.MaxApprovals,
	}
	var err error
	if v.Channel, err = r.api.Channel(r, r.app(), r.channel()); err != nil {
		return answer{}, err
	}
	if v.Releases, v.Next, err = r.api.Releases(r, r.app(), r.channel(), ota.Page{After: r.query("after"), Limit: 20}); err != nil {
		return answer{}, err
	}
	g, err := r.api.Guard(r, r.app(), r.channel(), "")
	switch ota.KindOf(err) {
	case ota.KindNotFound, ota.KindForbidden:
	default:
		if err != nil {
			return answer{}, err
		}
		v.Guard = &g
	}
	if v.Choices, err = c.choices(r); err != nil {
		return answer{}, err
	}
	return r.show("channel", "Channel "+v.Channel.Name, v), nil
}

func (c *Console) release(r *request) (answer, error) {
	_, _, err := r.api.Release(r, r.app(), r.channel(), ota.ReleaseRequest{Version: r.text("version"), Note: r.text("note")})
	return r.done("released", "apps", r.app(), "channels", r.channel()), err
}

func (c *Console) changePolicy(r *request) (answer, error) {
	p, err := policyOf(r)
	if err != nil {
		return answer{}, err
	}
	_, err = r.api.UpdateChannel(r, r.app(), r.channel(), p)
	return r.done("policy_changed", "apps", r.app(), "channels", r.channel()), err
}

// policyOf reads the whole policy from the form.
func policyOf(r *request) (ota.PolicyPatch, error) {
	strategy, native, action := ota.Strategy(r.text("strategy")), r.text("min_native"), ota.HaltAction(r.text("halt_action"))
	halt := &ota.AutoHaltPatch{Enabled: r.checked("halt_enabled"), Action: &action}
	p := ota.PolicyPatch{
		Public: r.checked("public"), AllowSelfSet: r.checked("allow_self_set"),
		IOS: r.checked("ios"), Android: r.checked("android"), Electron: r.checked("electron"),
		AllowDev: r.checked("allow_dev"), AllowProd: r.checked("allow_prod"),
		AllowEmulator: r.checked("allow_emulator"), AllowDevice: r.checked("allow_device"),
		Strategy: &strategy, UnderNative: r.checked("under_native_guard"), MinNative: &native, FreshKey: r.checked("fresh_key"), AutoHalt: halt,
		IndependentApprovers: r.checked("independent_approvers"),
	}
	for _, f := range []struct {
		name string
		at   **int
	}{
		{"min_attempts", &halt.MinAttempts},
		{"min_failures", &halt.MinFailures},
		{"window_minutes", &halt.WindowMinutes},
		{"cooldown_minutes", &halt.CooldownMinutes},
		{"required_approvals", &p.RequiredApprovals},
		{"approval_ttl_minutes", &p.ApprovalTTL},
	} {
		n, err := r.number(f.name)
		if err != nil {
			return p, err
		}
		*f.at = &n
	}
	bps, err := r.percent("failure_rate")
	if err != nil {
		return p, err
	}
	confidence, err := strconv.ParseFloat(r.text("confidence"), 64)
	if err != nil || !(confidence >= 0 && confidence <= 1) { // not NaN, which JSON does not know
		return p, ota.Invalid("number_invalid", "confidence must be a number such as 0.95").WithField("confidence")
	}
	halt.FailureRateBPS, halt.Confidence = &bps, &confidence
	return p, nil
}

// percent reads a percentage from the form into 1/10 000.
func (r *request) percent(name string) (int, error) {
	v, err := strconv.ParseFloat(r.text(name), 64)
	if err != nil || !(v >= 0 && v <= 100) {
		return 0, ota.Invalid("percent_invalid", "%q is no percentage from 0 to 100", r.text(name)).WithField(name)
	}
	return int(v*100 + 0.5), nil
}
