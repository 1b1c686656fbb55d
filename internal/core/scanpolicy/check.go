package scanpolicy

import (
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Severities of findings, and what a rule may be set to.
const (
	severityBlock = "block"
	severityWarn  = "warn"
	severityInfo  = "info"
	ruleOff       = "off"
)

// maxRules bounds the rules that a policy sets.
const maxRules = 200

// Check refuses a policy that cannot be carried out. known are the rules there are.
func Check(p ota.ScanPolicy, known []string) error {
	for _, a := range []struct {
		field  string
		action ota.ScanAction
	}{{"on_block", p.OnBlock}, {"on_warn", p.OnWarn}, {"on_info", p.OnInfo}} {
		if !slices.Contains([]ota.ScanAction{ota.ScanBlock, ota.ScanApprove, ota.ScanWarn, ota.ScanIgnore}, a.action) {
			return ota.Invalid("scan_policy_invalid", "%s is %.40q", a.field, string(a.action)).WithField(a.field).
				WithHint("it must be block, approve, warn or ignore")
		}
	}
	// Or to make a finding graver would let it pass.
	if rank(p.OnBlock) < rank(p.OnWarn) || rank(p.OnWarn) < rank(p.OnInfo) {
		return ota.Invalid("scan_policy_invalid", "on_block, on_warn and on_info are %s, %s and %s: a graver severity cannot get the milder action", p.OnBlock, p.OnWarn, p.OnInfo).
			WithField("on_block").WithHint("from mild to strict the actions are ignore, warn, approve, block")
	}
	if !slices.Contains([]ota.ScanDemand{ota.DemandNone, ota.DemandCLI, ota.DemandServer, ota.DemandSigned}, p.Demand) {
		return ota.Invalid("scan_policy_invalid", "demand is %.40q", string(p.Demand)).WithField("demand").
			WithHint("it must be none, cli, server or signed")
	}
	if len(p.Rules) > maxRules {
		return ota.Invalid("scan_policy_invalid", "a policy sets at most %d rules", maxRules).WithField("rules")
	}
	for rule, to := range p.Rules {
		if !slices.Contains(known, rule) {
			return ota.Invalid("rule_unknown", "there is no rule %.40q", rule).WithField("rules").WithHint("list them with: waxwing scan rules")
		}
		if !slices.Contains([]string{severityBlock, severityWarn, severityInfo, ruleOff}, to) {
			return ota.Invalid("scan_policy_invalid", "rule %s is set to %.40q", rule, to).WithField("rules").
				WithHint("a rule is set to block, warn, info or off")
		}
	}
	return nil
}

// Weaker reports whether a policy lets anything pass that another one does not.
func Weaker(before, after ota.ScanPolicy) bool {
	for _, severity := range []string{severityBlock, severityWarn, severityInfo} {
		if rank(actionOf(after, severity)) < rank(actionOf(before, severity)) {
			return true
		}
	}
	if demands(after.Demand) != demands(before.Demand) && !stricter(before.Demand, after.Demand) || after.NewOnly && !before.NewOnly {
		return true
	}
	// What a rule's findings have by themselves is not known here: a rule that is
	// set to anything but what it was, or more, may be less than it would be.
	rules := map[string]bool{}
	for r := range before.Rules {
		rules[r] = true
	}
	for r := range after.Rules {
		rules[r] = true
	}
	for r := range rules {
		was, is := before.Rules[r], after.Rules[r]
		if was == is || is == severityBlock {
			continue
		}
		if was == "" || is == "" || severityRank(is) < severityRank(was) {
			return true
		}
	}
	return false
}

func demands(d ota.ScanDemand) int {
	return slices.Index([]ota.ScanDemand{ota.DemandNone, ota.DemandCLI, ota.DemandServer, ota.DemandSigned}, d)
}

// stricter reports whether what meets the demand after meets the one before.
// A report that is signed says nothing about one that the server made.
func stricter(before, after ota.ScanDemand) bool {
	switch before {
	case ota.DemandNone:
		return true
	case ota.DemandCLI:
		return after != ota.DemandNone
	case ota.DemandServer, ota.DemandSigned:
	}
	return before == after
}

// actionOf is what a policy does about findings of a severity.
func actionOf(p ota.ScanPolicy, severity string) ota.ScanAction {
	switch severity {
	case severityBlock:
		return p.OnBlock
	case severityWarn:
		return p.OnWarn
	}
	return p.OnInfo
}

func rank(a ota.ScanAction) int {
	return slices.Index([]ota.ScanAction{ota.ScanIgnore, ota.ScanWarn, ota.ScanApprove, ota.ScanBlock}, a)
}

func severityRank(s string) int {
	return slices.Index([]string{ruleOff, severityInfo, severityWarn, severityBlock}, s)
}
