package scanpolicy

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const now = int64(1_000_000)

// print makes a fingerprint out of a digit.
func print(d string) string {
	out := ""
	for range 32 {
		out += d
	}
	return out
}

func finding(rule, severity, path, p string) ota.ScanFinding {
	return ota.ScanFinding{Rule: rule, Severity: severity, Path: path, Fingerprint: print(p)}
}

func reported(source ota.ScanSource, key string, fs ...ota.ScanFinding) Report {
	return Report{ScanReport: ota.ScanReport{Source: source, KeyID: key}, Findings: fs}
}

func policy(change func(p *ota.ScanPolicy)) ota.ScanPolicyInfo {
	p := ota.DefaultScanPolicy()
	if change != nil {
		change(&p)
	}
	return ota.ScanPolicyInfo{ScanPolicy: p}
}

func demand(d ota.ScanDemand) ota.ScanPolicyInfo {
	return policy(func(p *ota.ScanPolicy) { p.Demand = d })
}

func TestEvaluate(t *testing.T) {
	blocks := finding("ST-003", "block", "assets/a.js", "1")
	warns := finding("WB-001", "warn", "index.html", "2")
	waiting := &ota.ScanJob{State: ota.ScanWaiting}
	failed := &ota.ScanJob{State: ota.ScanFailed, Error: "broken"}
	suppress := func(change func(s *ota.Suppression)) []ota.Suppression {
		s := ota.Suppression{Rule: "ST-003", Fingerprint: print("1"), State: ota.SuppressionApproved, ExpiresAt: now + 1}
		if change != nil {
			change(&s)
		}
		return []ota.Suppression{s}
	}
	with := func(in Input, fs ...ota.ScanFinding) Input {
		in.Reports = append(in.Reports, reported(ota.ScanServer, "", fs...))
		if in.Policy.OnBlock == "" {
			in.Policy = policy(nil)
		}
		return in
	}
	approves := policy(func(p *ota.ScanPolicy) { p.OnWarn = ota.ScanApprove })
	for name, tc := range map[string]struct {
		in     Input
		want   ota.ScanDecision
		counts ota.ScanCounts
	}{
		"nothing known":        {Input{Policy: policy(nil)}, ota.ScanPasses, ota.ScanCounts{}},
		"nothing found":        {with(Input{}), ota.ScanPasses, ota.ScanCounts{}},
		"block":                {with(Input{}, blocks, warns), ota.ScanRefuses, ota.ScanCounts{Block: 1, Warn: 1}},
		"warn":                 {with(Input{}, warns), ota.ScanPasses, ota.ScanCounts{Warn: 1}},
		"warn needs approval":  {with(Input{Policy: approves}, warns), ota.ScanAsks, ota.ScanCounts{Warn: 1}},
		"block beats approval": {with(Input{Policy: approves}, warns, blocks), ota.ScanRefuses, ota.ScanCounts{Block: 1, Warn: 1}},
		"rule off":             {with(Input{Policy: policy(func(p *ota.ScanPolicy) { p.Rules = map[string]string{"ST-003": "off"} })}, blocks), ota.ScanPasses, ota.ScanCounts{}},
		"rule raised":          {with(Input{Policy: policy(func(p *ota.ScanPolicy) { p.Rules = map[string]string{"WB-001": "block"} })}, warns), ota.ScanRefuses, ota.ScanCounts{Block: 1}},
		"rule lowered":         {with(Input{Policy: policy(func(p *ota.ScanPolicy) { p.Rules = map[string]string{"ST-003": "info"} })}, blocks), ota.ScanPasses, ota.ScanCounts{Info: 1}},
		"ignored": {with(Input{Policy: policy(func(p *ota.ScanPolicy) {
			p.OnBlock, p.OnWarn, p.OnInfo = ota.ScanIgnore, ota.ScanIgnore, ota.ScanIgnore
		})}, blocks), ota.ScanPasses, ota.ScanCounts{}},
		"suppressed":              {with(Input{Suppressions: suppress(nil)}, blocks), ota.ScanPasses, ota.ScanCounts{}},
		"suppression expired":     {with(Input{Suppressions: suppress(func(s *ota.Suppression) { s.ExpiresAt = now })}, blocks), ota.ScanRefuses, ota.ScanCounts{Block: 1}},
		"suppression requested":   {with(Input{Suppressions: suppress(func(s *ota.Suppression) { s.State = ota.SuppressionRequested })}, blocks), ota.ScanRefuses, ota.ScanCounts{Block: 1}},
		"suppression rejected":    {with(Input{Suppressions: suppress(func(s *ota.Suppression) { s.State = ota.SuppressionRejected })}, blocks), ota.ScanRefuses, ota.ScanCounts{Block: 1}},
		"suppression of another":  {with(Input{Suppressions: suppress(func(s *ota.Suppression) { s.Fingerprint = print("9") })}, blocks), ota.ScanRefuses, ota.ScanCounts{Block: 1}},
		"suppression, other rule": {with(Input{Suppressions: suppress(func(s *ota.Suppression) { s.Rule = "ST-004" })}, blocks), ota.ScanRefuses, ota.ScanCounts{Block: 1}},
		"suppression of all":      {with(Input{Suppressions: suppress(func(s *ota.Suppression) { s.Fingerprint = "" })}, blocks), ota.ScanRefuses, ota.ScanCounts{Block: 1}},
		"suppression by path":     {with(Input{Suppressions: suppress(func(s *ota.Suppression) { s.Fingerprint, s.Path = "", "assets/*.js" })}, blocks), ota.ScanPasses, ota.ScanCounts{}},
		"path and other print":    {with(Input{Suppressions: suppress(func(s *ota.Suppression) { s.Fingerprint, s.Path = print("9"), "assets/*.js" })}, blocks), ota.ScanRefuses, ota.ScanCounts{Block: 1}},
		"served already":          {with(Input{Baseline: map[string]bool{print("1"): true}}, blocks), ota.ScanRefuses, ota.ScanCounts{Block: 1}},
		"served already, new only": {
			with(Input{Policy: policy(func(p *ota.ScanPolicy) { p.NewOnly = true }), Baseline: map[string]bool{print("1"): true}}, blocks),
			ota.ScanPasses,
			ota.ScanCounts{},
		},
		"new, new only": {
			with(Input{Policy: policy(func(p *ota.ScanPolicy) { p.NewOnly = true }), Baseline: map[string]bool{print("2"): true}}, blocks),
			ota.ScanRefuses,
			ota.ScanCounts{Block: 1},
		},
		"new only, nothing to compare": {
			with(Input{Policy: policy(func(p *ota.ScanPolicy) { p.NewOnly = true })}, blocks), ota.ScanRefuses, ota.ScanCounts{Block: 1},
		},
		"any report, none":            {Input{Policy: demand(ota.DemandCLI)}, ota.ScanLacks, ota.ScanCounts{}},
		"any report, waits":           {Input{Policy: demand(ota.DemandCLI), Job: waiting}, ota.ScanPends, ota.ScanCounts{}},
		"any report":                  {with(Input{Policy: demand(ota.DemandCLI)}), ota.ScanPasses, ota.ScanCounts{}},
		"server, none":                {Input{Policy: demand(ota.DemandServer), Readable: true}, ota.ScanLacks, ota.ScanCounts{}},
		"server, waits":               {Input{Policy: demand(ota.DemandServer), Readable: true, Job: waiting}, ota.ScanPends, ota.ScanCounts{}},
		"server, failed":              {Input{Policy: demand(ota.DemandServer), Readable: true, Job: failed}, ota.ScanLacks, ota.ScanCounts{}},
		"server, there and waits":     {with(Input{Policy: demand(ota.DemandServer), Readable: true, Job: waiting}), ota.ScanPasses, ota.ScanCounts{}},
		"server, only the publishers": {Input{Policy: demand(ota.DemandServer), Reports: []Report{reported(ota.ScanCLI, "k")}}, ota.ScanLacks, ota.ScanCounts{}},
		"signed":                      {Input{Policy: demand(ota.DemandSigned), Reports: []Report{reported(ota.ScanCLI, "k")}}, ota.ScanPasses, ota.ScanCounts{}},
		"signed, it is not":           {Input{Policy: demand(ota.DemandSigned), Reports: []Report{reported(ota.ScanCLI, "")}}, ota.ScanLacks, ota.ScanCounts{}},
		"signed, only the servers":    {with(Input{Policy: demand(ota.DemandSigned)}), ota.ScanLacks, ota.ScanCounts{}},
		"signed, a later one hides nothing": {
			Input{Policy: demand(ota.DemandSigned), Reports: []Report{reported(ota.ScanCLI, ""), reported(ota.ScanCLI, "k", blocks)}},
			ota.ScanRefuses,
			ota.ScanCounts{Block: 1},
		},
		"the server sees more than the publisher says": {
			Input{Policy: policy(nil), Reports: []Report{reported(ota.ScanCLI, ""), reported(ota.ScanServer, "", blocks)}},
			ota.ScanRefuses,
			ota.ScanCounts{Block: 1},
		},
		"the publisher knows more than the server": {
			Input{Policy: policy(nil), Reports: []Report{reported(ota.ScanServer, ""), reported(ota.ScanCLI, "", blocks)}},
			ota.ScanRefuses,
			ota.ScanCounts{Block: 1},
		},
		"the graver of two": {
			Input{Policy: policy(nil), Reports: []Report{reported(ota.ScanServer, "", finding("ST-003", "info", "a", "1")), reported(ota.ScanCLI, "", blocks)}},
			ota.ScanRefuses,
			ota.ScanCounts{Block: 1},
		},
		"an older report does not count": {
			Input{Policy: policy(nil), Reports: []Report{reported(ota.ScanServer, ""), reported(ota.ScanServer, "", blocks)}}, ota.ScanPasses, ota.ScanCounts{},
		},
		"a demand of a later program": {Input{Policy: demand("quantum")}, ota.ScanLacks, ota.ScanCounts{}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.in.Now = now
			v := Evaluate(tc.in)
			if v.Decision != tc.want || v.Counts != tc.counts {
				t.Errorf("%s (%s), counts %+v; want %s, %+v", v.Decision, v.Reason, v.Counts, tc.want, tc.counts)
			}
			if (v.Reason == "") != (v.Decision == ota.ScanPasses) {
				t.Errorf("%s has the reason %q", v.Decision, v.Reason)
			}
		})
	}
}

// lax orders decisions: what is later lets less pass.
func lax(d ota.ScanDecision) int {
	return map[ota.ScanDecision]int{ota.ScanPasses: 0, ota.ScanAsks: 1, ota.ScanPends: 2, ota.ScanLacks: 2, ota.ScanRefuses: 3}[d]
}

func genFinding(t *rapid.T) ota.ScanFinding {
	return finding(rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "rule"), rapid.SampledFrom([]string{"block", "warn", "info"}).Draw(t, "severity"),
		rapid.SampledFrom([]string{"index.html", "assets/a.js"}).Draw(t, "path"), rapid.SampledFrom([]string{"0", "1", "2", "3"}).Draw(t, "print"))
}

func genPolicy(t *rapid.T) ota.ScanPolicy {
	action := rapid.SampledFrom([]ota.ScanAction{ota.ScanBlock, ota.ScanApprove, ota.ScanWarn, ota.ScanIgnore})
	of := []ota.ScanAction{action.Draw(t, "one"), action.Draw(t, "two"), action.Draw(t, "three")}
	slices.SortFunc(of, func(a, b ota.ScanAction) int { return rank(b) - rank(a) })
	return ota.ScanPolicy{
		OnBlock: of[0], OnWarn: of[1], OnInfo: of[2],
		Demand:  rapid.SampledFrom([]ota.ScanDemand{ota.DemandNone, ota.DemandCLI, ota.DemandServer, ota.DemandSigned}).Draw(t, "demand"),
		NewOnly: rapid.Bool().Draw(t, "new only"),
		Rules: rapid.MapOfN(rapid.SampledFrom([]string{"A", "B", "C"}), rapid.SampledFrom([]string{"block", "warn", "info", "off"}), 0, 3).
			Draw(t, "rules"),
	}
}

func genInput(t *rapid.T) Input {
	in := Input{Policy: ota.ScanPolicyInfo{ScanPolicy: genPolicy(t)}, Readable: rapid.Bool().Draw(t, "readable"), Now: now}
	for range rapid.IntRange(0, 3).Draw(t, "reports") {
		in.Reports = append(in.Reports, reported(rapid.SampledFrom([]ota.ScanSource{ota.ScanCLI, ota.ScanServer}).Draw(t, "source"),
			rapid.SampledFrom([]string{"", "k"}).Draw(t, "key"), rapid.SliceOfN(rapid.Custom(genFinding), 0, 4).Draw(t, "findings")...))
	}
	if rapid.Bool().Draw(t, "compared") {
		in.Baseline = map[string]bool{print(rapid.SampledFrom([]string{"0", "1"}).Draw(t, "served")): true}
	}
	for range rapid.IntRange(0, 2).Draw(t, "suppressions") {
		in.Suppressions = append(in.Suppressions, ota.Suppression{
			Rule: rapid.SampledFrom([]string{"A", "B"}).Draw(t, "of"), Path: rapid.SampledFrom([]string{"", "assets/**"}).Draw(t, "glob"),
			Fingerprint: rapid.SampledFrom([]string{"", print("1")}).Draw(t, "one"),
			State:       rapid.SampledFrom([]ota.SuppressionState{ota.SuppressionApproved, ota.SuppressionRequested, ota.SuppressionRejected}).Draw(t, "state"),
			ExpiresAt:   now + int64(rapid.IntRange(-1, 1).Draw(t, "expiry")),
		})
	}
	return in
}

// Whatever is not called weaker lets nothing pass that did not pass before.
func TestWeaker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := genInput(t)
		before := Evaluate(in)
		after := in
		after.Policy.ScanPolicy = genPolicy(t)
		if Weaker(in.Policy.ScanPolicy, after.Policy.ScanPolicy) {
			return
		}
		if got := Evaluate(after); lax(got.Decision) < lax(before.Decision) {
			t.Fatalf("%s became %s", before.Decision, got.Decision)
		}
	})
}

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := genInput(t)
		v := Evaluate(in)
		// A suppression that does not hold changes nothing but what is said.
		bare := in
		bare.Suppressions = nil
		holds := false
		for _, s := range in.Suppressions {
			holds = holds || s.State == ota.SuppressionApproved && s.ExpiresAt > now && (s.Path != "" || s.Fingerprint != "")
		}
		b := Evaluate(bare)
		if lax(b.Decision) < lax(v.Decision) || !holds && (b.Decision != v.Decision || b.Counts != v.Counts) {
			t.Fatalf("without suppressions %s %+v, with %s %+v", b.Decision, b.Counts, v.Decision, v.Counts)
		}
		// A report of the publisher never makes up for one of the server.
		for i, r := range in.Reports {
			if r.Source != ota.ScanCLI || in.Policy.Demand != ota.DemandNone {
				continue
			}
			less := in
			less.Reports = append(append([]Report{}, in.Reports[:i]...), in.Reports[i+1:]...)
			cli := 0
			for _, r := range in.Reports {
				if r.Source == ota.ScanCLI {
					cli++
				}
			}
			if cli == 1 && lax(Evaluate(less).Decision) > lax(v.Decision) {
				t.Fatalf("a report of the publisher made %s of %s", v.Decision, Evaluate(less).Decision)
			}
		}
		// The gravest come first, and no rule that is off is there.
		for i, f := range v.Findings {
			if in.Policy.Rules[f.Rule] == "off" || i > 0 && rank(f.Action) > rank(v.Findings[i-1].Action) {
				t.Fatalf("findings %+v", v.Findings)
			}
		}
	})
}
