package alert

import (
	"maps"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Param is a number that an operator may set.
type Param struct {
	Name     string
	Default  float64
	Min, Max float64
	Meaning  string
}

// Kind is a rule as it comes.
type Kind struct {
	Name     ota.AlertKind
	Severity ota.AlertSeverity
	For      int // minutes
	Meaning  string
	Formula  string
	Params   []Param
	eval     func(f *Facts, p params) []Sample
}

// DefaultRepeat is how long receivers hear nothing of an alert that nobody
// acknowledges, in minutes.
const DefaultRepeat = 4 * 60

// What several rules have in common.
const bound = "median + z·max(1.4826·MAD, √median, 1) of the quarters of an hour of the past days"

var (
	zParam    = Param{"z", 6, 2, 100, "how far above the median counts as unusual"}
	daysParam = Param{"days", 7, 1, 14, "days of the past that count as usual"}
)

// Kinds lists the rules, in the order of the documentation.
func Kinds() []Kind { return append(releaseKinds(), trafficKinds()...) }

// releaseKinds are about how releases and apps do.
func releaseKinds() []Kind {
	return []Kind{
		{
			Name: ota.AlertFailureRate, Severity: ota.AlertCritical, Meaning: "a version fails on too many devices",
			Formula: "lower end of the 95 % Wilson interval of failed/installed devices ≥ rate_percent, with failed ≥ min_failures, over the last hours",
			Params: []Param{
				{"rate_percent", 5, 0.01, 100, "failing devices of those that took the version, percent"},
				{"min_failures", 5, 1, 1e6, "devices that must have failed"},
				{"hours", 6, 1, 168, "how far back"},
			},
			eval: failureRate,
		},
		{
			Name: ota.AlertAdoptionStalled, Severity: ota.AlertWarning, For: 15, Meaning: "devices are offered a version, yet hardly any installs it",
			Formula: "installs < taken_percent of the checks that offered the version, with at least min_asked of them over the last hours, grace_hours after its release",
			Params: []Param{
				{"hours", 6, 1, 48, "how far back"},
				{"min_asked", 200, 1, 1e9, "checks that offered the version"},
				{"taken_percent", 2, 0.01, 100, "installs of those checks, percent"},
				{"grace_hours", 2, 0, 168, "how long after its release nothing is said"},
			},
			eval: adoptionStalled,
		},
		{
			Name: ota.AlertNoCheckins, Severity: ota.AlertCritical, For: 10, Meaning: "devices that used to ask at this time of day do not",
			Formula: "checks of the last two whole quarters of an hour ≤ drop_percent of the median at the same time of the past days, if that is at least min_expected",
			Params: []Param{
				{"drop_percent", 5, 0, 90, "checks that are left, percent of what is usual"},
				{"min_expected", 20, 5, 1e9, "checks that are usual, below which nothing is said"},
				daysParam,
			},
			eval: noCheckins,
		},
		{
			Name: ota.AlertErrorNew, Severity: ota.AlertWarning, Meaning: "an error was seen for the first time",
			Formula: "first seen within the last hours, on min_devices devices or more",
			Params: []Param{
				{"min_devices", 3, 1, 1e6, "devices that must have it"},
				{"hours", 24, 1, 168, "how long it counts as new"},
			},
			eval: errorNew,
		},
		{
			Name: ota.AlertErrorRegressed, Severity: ota.AlertWarning, Meaning: "an error that was resolved came back",
			Formula: "seen again after it was resolved, within the last hours",
			Params:  []Param{{"hours", 24, 1, 168, "how long it is told"}},
			eval:    errorRegressed,
		},
	}
}

// trafficKinds are about what is unusual in what devices ask and report, and
// what the server did by itself.
func trafficKinds() []Kind {
	return []Kind{
		{
			Name: ota.AlertKeyMismatch, Severity: ota.AlertCritical, Meaning: "suddenly devices are refused because bundles are signed with another key than theirs",
			Formula: "checks refused with key_id_mismatch in the last 15 minutes > max(min_count, " + bound + "), and ≥ share_percent of all checks",
			Params: []Param{
				zParam,
				{"min_count", 20, 1, 1e9, "refused checks that never alarm"},
				{"share_percent", 1, 0, 100, "of all checks, percent"},
				daysParam,
			},
			eval: keyMismatch,
		},
		{
			Name: ota.AlertSwitching, Severity: ota.AlertWarning, Meaning: "devices choose channels themselves more often than usual",
			Formula: "devices' own channel choices in the last 15 minutes > max(min_count, " + bound + ")",
			Params: []Param{
				zParam,
				{"min_count", 50, 1, 1e9, "choices that never alarm"},
				daysParam,
			},
			eval: switching,
		},
		{
			Name: ota.AlertForged, Severity: ota.AlertWarning, Meaning: "reports look made up: too many devices in one network, versions that were never there, impossible sequences",
			Formula: "devices of one network in 15 minutes ≥ network_devices and ≥ network_percent of all that reported; or reports of versions the app never had, or of impossible sequences, in 15 minutes > max(min_count, " + bound + ")",
			Params: []Param{
				{"network_devices", 200, 10, 1e6, "distinct devices of one /24 or /48"},
				{"network_percent", 20, 1, 100, "of all devices that reported, percent"},
				{"min_count", 30, 1, 1e9, "strange reports that never alarm"},
				zParam, daysParam,
			},
			eval: forged,
		},
		{
			Name: ota.AlertGuardHalt, Severity: ota.AlertCritical, Meaning: "the server halted a release by itself, or the guard finds it worse and may not act",
			Formula: "halted, or found worse by the guard (also notify and held), within the last hours, and nothing else was released on the channel since",
			Params:  []Param{{"hours", 24, 1, 168, "how long it is told"}},
			eval:    guardHalt,
		},
		{
			Name: ota.AlertMetadataExpiry, Severity: ota.AlertWarning, Meaning: "signed metadata of sealed updates expires soon: devices then take nothing new",
			Formula: "root or targets expire within days, staging within staging_days, or what the server signs itself has expired",
			Params: []Param{
				{"days", 21, 1, 365, "how long before root and targets expire it is told"},
				{"staging_days", 7, 1, 90, "how long before staging expires it is told"},
			},
			eval: metadataExpiry,
		},
	}
}

// KindOf returns a rule as it comes; ok is false if there is none of the name.
func KindOf(name ota.AlertKind) (k Kind, ok bool) {
	all := Kinds()
	i := slices.IndexFunc(all, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return all[i], true
}

// Default is the rule of an app as it comes.
func (k Kind) Default(app string) ota.AlertRule {
	r := ota.AlertRule{
		App: app, Kind: k.Name, Enabled: true, Severity: k.Severity, ForMinutes: k.For, RepeatMinutes: DefaultRepeat,
		Params: map[string]float64{}, Meaning: k.Meaning, Formula: k.Formula,
	}
	for _, p := range k.Params {
		r.Params[p.Name] = p.Default
	}
	return r
}

// Stored completes a rule that was stored: parameters that came later have their
// defaults, those that are gone are left out.
func (k Kind) Stored(r ota.AlertRule) ota.AlertRule {
	d := k.Default(r.App)
	for name := range d.Params {
		if v, ok := r.Params[name]; ok {
			d.Params[name] = v
		}
	}
	r.Params, r.Meaning, r.Formula, r.Changed = d.Params, d.Meaning, d.Formula, true
	return r
}

// The bounds of times of rules, in minutes.
const (
	maxFor    = 24 * 60
	maxRepeat = 30 * 24 * 60
	minRepeat = 10
)

// Patch changes a rule, or says what is wrong with the change.
func (k Kind) Patch(r ota.AlertRule, in ota.AlertRulePatch) (ota.AlertRule, error) {
	r.Params = maps.Clone(r.Params)
	if in.Enabled != nil {
		r.Enabled = *in.Enabled
	}
	if in.Severity != nil {
		if r.Severity = *in.Severity; r.Severity != ota.AlertCritical && r.Severity != ota.AlertWarning {
			return r, ota.Invalid("alert_rule_invalid", "there is no severity %.20q", r.Severity).WithField("severity").WithHint("use critical or warning")
		}
	}
	if in.ForMinutes != nil {
		if r.ForMinutes = *in.ForMinutes; r.ForMinutes < 0 || r.ForMinutes > maxFor {
			return r, ota.Invalid("alert_rule_invalid", "for_minutes is %d, it must be 0 to %d", r.ForMinutes, maxFor).WithField("for_minutes")
		}
	}
	if in.RepeatMinutes != nil {
		if r.RepeatMinutes = *in.RepeatMinutes; r.RepeatMinutes != 0 && (r.RepeatMinutes < minRepeat || r.RepeatMinutes > maxRepeat) {
			return r, ota.Invalid("alert_rule_invalid", "repeat_minutes is %d, it must be 0 or %d to %d", r.RepeatMinutes, minRepeat, maxRepeat).WithField("repeat_minutes")
		}
	}
	for name, v := range in.Params {
		i := slices.IndexFunc(k.Params, func(p Param) bool { return p.Name == name })
		if i < 0 {
			return r, ota.Invalid("alert_rule_invalid", "the rule %s has no parameter %.40q", k.Name, name).WithField("params").
				WithHint("its parameters are %s", strings.Join(slices.Sorted(maps.Keys(r.Params)), ", "))
		}
		if p := k.Params[i]; !(v >= p.Min && v <= p.Max) { // not a number is refused too
			return r, ota.Invalid("alert_rule_invalid", "%s is %g, it must be %g to %g", name, v, p.Min, p.Max).WithField("params")
		}
		r.Params[name] = v
	}
	return r, nil
}
