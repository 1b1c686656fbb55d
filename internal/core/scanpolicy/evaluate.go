package scanpolicy

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Report is a scan's report with its findings.
type Report struct {
	ota.ScanReport
	Findings []ota.ScanFinding
}

// Input is what a decision stands on.
type Input struct {
	Policy  ota.ScanPolicyInfo
	Reports []Report     // of the bundle, newest first
	Job     *ota.ScanJob // nil = the server has nothing to do
	// Readable is whether the server can read the bundle.
	Readable     bool
	Suppressions []ota.Suppression
	// Baseline are the fingerprints of what the channel serves now; nil = that is
	// not known, so everything is new.
	Baseline map[string]bool
	Now      int64 // Unix ms
}

// Evaluate decides about a bundle.
func Evaluate(in Input) ota.ScanVerdict {
	v := ota.ScanVerdict{Decision: ota.ScanPasses, Policy: in.Policy, Reports: []ota.ScanReport{}, Job: in.Job, Findings: []ota.ScanFinding{}}
	used := used(in.Policy.Demand, in.Reports)
	for i := range used {
		v.Reports = append(v.Reports, used[i].ScanReport)
	}
	worst := ota.ScanIgnore
	for _, f := range merged(used) {
		if !in.mark(&f) {
			continue
		}
		if rank(f.Action) > rank(worst) {
			worst = f.Action
		}
		if f.Action != ota.ScanIgnore {
			count(&v.Counts, f.Severity)
		}
		v.Findings = append(v.Findings, f)
	}
	slices.SortStableFunc(v.Findings, func(a, b ota.ScanFinding) int {
		return cmp.Or(cmp.Compare(rank(b.Action), rank(a.Action)), cmp.Compare(severityRank(b.Severity), severityRank(a.Severity)))
	})
	if v.Decision, v.Reason = in.lacks(used); worst == ota.ScanBlock {
		v.Decision, v.Reason = ota.ScanRefuses, "findings that the policy blocks"
	}
	if v.Decision == ota.ScanPasses && worst == ota.ScanApprove {
		v.Decision, v.Reason = ota.ScanAsks, "findings that somebody else must approve"
	}
	return v
}

// used picks the reports that count: the latest of the server and the latest of
// the publisher, and if a signature is demanded the latest that has one too: one
// without adds to it, and does not stand in for it.
func used(demand ota.ScanDemand, reports []Report) []Report {
	var out []Report
	have := map[ota.ScanSource]bool{}
	signed := demand != ota.DemandSigned
	for _, r := range reports {
		missed := !signed && r.Source == ota.ScanCLI && r.KeyID != ""
		if have[r.Source] && !missed {
			continue
		}
		have[r.Source] = true
		signed = signed || missed
		out = append(out, r)
	}
	// What the server saw comes first.
	slices.SortStableFunc(out, func(a, b Report) int { return cmp.Compare(b.Source, a.Source) })
	return out
}

// merged is every finding once. Where reports differ about the severity of one,
// the graver counts.
func merged(reports []Report) []ota.ScanFinding {
	var out []ota.ScanFinding
	at := map[[2]string]int{}
	for _, r := range reports {
		for _, f := range r.Findings {
			key := [2]string{f.Rule, f.Fingerprint}
			i, ok := at[key]
			if !ok {
				at[key] = len(out)
				out = append(out, f)
			} else if severityRank(f.Severity) > severityRank(out[i].Severity) {
				out[i].Severity = f.Severity
			}
		}
	}
	return out
}

// mark says what the policy makes of a finding; false if its rule is off.
func (in *Input) mark(f *ota.ScanFinding) bool {
	f.State, f.Suppression, f.Action = "", nil, ""
	switch to := in.Policy.Rules[f.Rule]; to {
	case "":
	case ruleOff:
		return false
	default:
		f.Severity = to
	}
	f.Action = actionOf(in.Policy.ScanPolicy, f.Severity)
	if in.Baseline != nil {
		f.State = "new"
		if in.Baseline[f.Fingerprint] {
			f.State = "unchanged"
		}
	}
	if f.State == "unchanged" && in.Policy.NewOnly {
		f.Action = ota.ScanIgnore
	}
	f.Suppression = suppressed(f, in.Suppressions, in.Now)
	if f.Suppression != nil && f.Suppression.Status == "accepted" {
		f.Action = ota.ScanIgnore
	}
	return true
}

// suppressed finds the suppression of a finding: one that holds, or else one that
// waits.
func suppressed(f *ota.ScanFinding, list []ota.Suppression, now int64) *ota.ScanSuppression {
	var waits *ota.ScanSuppression
	for i := range list {
		s := &list[i]
		if s.Rule != f.Rule || s.ExpiresAt <= now || s.Fingerprint == "" && s.Path == "" ||
			s.Fingerprint != "" && s.Fingerprint != f.Fingerprint || !matches(s.Path, f.Path) {
			continue
		}
		switch s.State {
		case ota.SuppressionApproved:
			return &ota.ScanSuppression{ID: s.ID, Status: "accepted", Justification: s.Reason, By: string(s.DecidedBy)}
		case ota.SuppressionRequested:
			waits = &ota.ScanSuppression{ID: s.ID, Status: "underReview", Justification: s.Reason, By: string(s.RequestedBy)}
		case ota.SuppressionRejected:
		}
	}
	return waits
}

func count(c *ota.ScanCounts, severity string) {
	switch severity {
	case severityBlock:
		c.Block++
	case severityWarn:
		c.Warn++
	default:
		c.Info++
	}
}

// lacks says whether the report that is demanded is there.
func (in *Input) lacks(have []Report) (ota.ScanDecision, string) {
	switch in.Policy.Demand {
	case ota.DemandNone:
		return ota.ScanPasses, ""
	case ota.DemandCLI:
		if len(have) > 0 {
			return ota.ScanPasses, ""
		}
		if in.waiting() {
			return ota.ScanPends, "the server's scan of it is not done yet"
		}
		return ota.ScanLacks, "the policy demands a report, and there is none"
	case ota.DemandServer:
		return in.lacksServer(have)
	case ota.DemandSigned:
		for i := range have {
			if have[i].KeyID != "" {
				return ota.ScanPasses, ""
			}
		}
		return ota.ScanLacks, "the policy demands a report that a key of the app signed, and there is none"
	}
	return ota.ScanLacks, fmt.Sprintf("the policy demands %q, which this program does not know", in.Policy.Demand)
}

func (in *Input) lacksServer(have []Report) (ota.ScanDecision, string) {
	for i := range have {
		if have[i].Source == ota.ScanServer {
			return ota.ScanPasses, ""
		}
	}
	switch {
	case in.waiting():
		return ota.ScanPends, "the server's scan of it is not done yet"
	case !in.Readable:
		return ota.ScanLacks, "the policy demands a scan of the server, which cannot read this bundle"
	case in.Job != nil:
		return ota.ScanLacks, "the policy demands a scan of the server, which failed: " + in.Job.Error
	}
	return ota.ScanLacks, "the policy demands a scan of the server, which was not asked for one"
}

func (in *Input) waiting() bool { return in.Job != nil && in.Job.State == ota.ScanWaiting }

// Baseline are the fingerprints that the reports of a bundle have; nil if there
// is no report.
func Baseline(reports []Report) map[string]bool {
	if len(reports) == 0 {
		return nil
	}
	out := map[string]bool{}
	for _, r := range reports {
		for i := range r.Findings {
			out[r.Findings[i].Fingerprint] = true
		}
	}
	return out
}
