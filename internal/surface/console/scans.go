package console

import (
	"maps"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// scansView is how an app's bundles were, and what its channels make of that.
type scansView struct {
	Trend    []ota.ScanTrend // newest first
	Chart    *chart
	Policy   *scanPolicyForm // nil = not for this visitor
	Channels []channelPolicy
}

type channelPolicy struct {
	Name string
	ota.ScanPolicyInfo
}

type channelPolicyView struct {
	Channel string
	Policy  *scanPolicyForm
}

// scanPolicyForm is a scan policy to be changed.
type scanPolicyForm struct {
	Info  ota.ScanPolicyInfo
	Rules []ruleChoice
	Set   int // rules that the policy sets
	To    string
	May   bool
}

// ruleChoice is a rule with the severity that a policy gives it; "" = its own.
type ruleChoice struct{ ID, Title, Own, To string }

// trendBundles is how many bundles the chart shows at most, and trendLeast how
// many it leaves room for.
const trendBundles, trendLeast = 50, 12

func (c *Console) registerScans() {
	const own, channel = "/apps/{app}/scans", "/apps/{app}/channels/{channel}/scan-policy"
	c.page(route{method: "GET", path: own, action: "scan.list"}, c.showScans)
	c.act(route{method: "POST", path: own + "/policy", action: "scan_policy.set"}, c.setScanPolicy, c.showScans)
	c.page(route{method: "GET", path: channel, action: "scan_policy.get"}, c.showChannelScanPolicy)
	c.act(route{method: "POST", path: channel, action: "scan_policy.set"}, c.setScanPolicy, c.showChannelScanPolicy)
	c.act(route{method: "POST", path: channel + "/reset", action: "scan_policy.set"}, c.resetScanPolicy, c.showChannelScanPolicy)
}

func (c *Console) showScans(r *request) (answer, error) {
	var v scansView
	var err error
	if v.Trend, err = r.api.ScanTrend(r, r.app(), trendBundles); err != nil {
		return answer{}, err
	}
	v.Chart = trendChart(v.Trend)
	slices.Reverse(v.Trend)
	if !r.may("scan_policy.get") {
		return r.show("scans", "Scans", v), nil
	}
	info, err := r.api.ScanPolicy(r, r.app(), "")
	if err != nil {
		return answer{}, err
	}
	v.Policy = c.scanPolicyForm(r, info, address("apps", r.app(), "scans", "policy"))
	channels, err := r.api.Channels(r, r.app())
	if err != nil {
		return answer{}, err
	}
	for i := range channels {
		p, err := r.api.ScanPolicy(r, r.app(), channels[i].Name)
		if ota.KindOf(err) == ota.KindForbidden {
			continue
		}
		if err != nil {
			return answer{}, err
		}
		v.Channels = append(v.Channels, channelPolicy{channels[i].Name, p})
	}
	return r.show("scans", "Scans", v), nil
}

// trendChart draws the findings of bundles, oldest first, one bar for each.
func trendChart(trend []ota.ScanTrend) *chart {
	c := &chart{Name: "Findings per bundle", Series: []series{{Name: "info", Class: "calm"}, {Name: "warn", Class: "warn"}, {Name: "block", Class: "bad"}}}
	n := max(len(trend), trendLeast)
	for i := range n {
		c.Times = append(c.Times, int64(i))
	}
	for i := range c.Series {
		c.Series[i].Values = make([]int64, n)
	}
	for i, t := range trend {
		for s, found := range []int{t.Counts.Info, t.Counts.Warn, t.Counts.Block} {
			c.add(s, int64(i), int64(found))
		}
	}
	return c.draw()
}

func (c *Console) scanPolicyForm(r *request, info ota.ScanPolicyInfo, to string) *scanPolicyForm {
	f := &scanPolicyForm{Info: info, To: to, Set: len(info.Rules), May: r.may("scan_policy.set")}
	left := maps.Clone(info.Rules)
	for _, rule := range c.rules.Rules {
		f.Rules = append(f.Rules, ruleChoice{rule.ID, rule.Title, rule.Severity, info.Rules[rule.ID]})
		delete(left, rule.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		f.Rules = append(f.Rules, ruleChoice{ID: id, To: left[id]})
	}
	return f
}

func (c *Console) showChannelScanPolicy(r *request) (answer, error) {
	info, err := r.api.ScanPolicy(r, r.app(), r.channel())
	if err != nil {
		return answer{}, err
	}
	v := channelPolicyView{r.channel(), c.scanPolicyForm(r, info, address("apps", r.app(), "channels", r.channel(), "scan-policy"))}
	return r.show("scanpolicy", "Scan policy of "+r.channel(), v), nil
}

// rulePrefix begins the names of the form's fields for rules.
const rulePrefix = "rule_"

// setScanPolicy sets the policy of the channel in the address, or else the app's.
func (c *Console) setScanPolicy(r *request) (answer, error) {
	in := ota.ScanPolicy{
		OnBlock: ota.ScanAction(r.text("on_block")), OnWarn: ota.ScanAction(r.text("on_warn")), OnInfo: ota.ScanAction(r.text("on_info")),
		Demand: ota.ScanDemand(r.text("demand")), NewOnly: *r.checked("new_only"), Rules: map[string]string{},
	}
	for name := range r.PostForm {
		if rule, ok := strings.CutPrefix(name, rulePrefix); ok && r.text(name) != "" {
			in.Rules[rule] = r.text(name)
		}
	}
	_, err := r.api.SetScanPolicy(r, r.app(), r.channel(), in)
	if r.channel() == "" {
		return r.done("scan_policy_changed", "apps", r.app(), "scans"), err
	}
	return r.done("scan_policy_changed", "apps", r.app(), "channels", r.channel(), "scan-policy"), err
}

func (c *Console) resetScanPolicy(r *request) (answer, error) {
	_, err := r.api.ResetScanPolicy(r, r.app(), r.channel())
	return r.done("scan_policy_reset", "apps", r.app(), "channels", r.channel(), "scan-policy"), err
}
