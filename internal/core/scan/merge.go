package scan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/scan/rules"
)

// bundle is all files together, for the checks at the end.
type bundle struct {
	e       *engine
	entries []Entry
	facts   Facts
	// seen are the first places of what files remembered, by what it is.
	seen   map[string]Finding
	report *Report
}

// add reports on the whole bundle.
func (b *bundle) add(rule string, severity Severity, text, message string) {
	r, on := b.e.on[rule]
	if !on {
		return
	}
	if severity == "" {
		severity = Severity(r.Severity)
	}
	b.report.Findings = append(b.report.Findings, Finding{
		Rule: rule, Severity: severity, Certainty: Certainty(r.Certainty),
		Message: message, Fingerprint: fingerprint(rule, "", text, 0),
	})
}

// keys returns what was seen under a prefix, sorted, without the prefix.
func (b *bundle) keys(prefix string) []string {
	var list []string
	for k := range b.seen {
		if len(k) > len(prefix) && k[:len(prefix)] == prefix {
			list = append(list, k[len(prefix):])
		}
	}
	slices.Sort(list)
	return list
}

// merge puts the files' results together, in the order of their paths, and asks
// the checks that need all of them.
func (e *engine) merge(entries []Entry, results []*result) *Report {
	rep := &Report{Findings: []Finding{}, Files: []Artifact{}, Omitted: map[string]int{}, Rules: []rules.Rule{}}
	b := &bundle{e: e, entries: entries, seen: map[string]Finding{}, report: rep}
	var hashes []uint64
	for _, res := range results {
		rep.Files = append(rep.Files, res.artifact)
		rep.Bytes += res.artifact.Size
		for _, f := range res.files {
			rep.Findings = append(rep.Findings, f.findings...)
			for r, n := range f.omitted {
				rep.Omitted[r] += n
			}
			for k, fd := range f.seen {
				if _, ok := b.seen[k]; !ok {
					b.seen[k] = fd
				}
			}
			hashes = append(hashes, f.facts.hashes...)
			b.facts.Libraries = append(b.facts.Libraries, f.facts.libraries...)
		}
	}
	b.join()
	b.facts.Plugins, b.facts.Hosts = b.keys(keyPlugin), b.keys(keyHost)
	b.facts.Capabilities, b.facts.Texts = b.keys(keyCapability), newSketch(hashes)
	for _, d := range e.dets {
		if d.bundle != nil {
			d.bundle(b)
		}
	}
	rep.Facts = b.facts
	for _, r := range e.set.Rules {
		if _, on := e.on[r.ID]; on {
			rep.Rules = append(rep.Rules, r)
		}
	}
	rep.finish(e.limits.Findings)
	if base := e.opts.Baseline; base != nil {
		rep.compare(base)
	}
	return rep
}

// finish sorts the findings and keeps the gravest if there are too many.
func (r *Report) finish(limit int) {
	if len(r.Findings) > limit {
		slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(b.Severity.Rank(), a.Severity.Rank()) })
		for _, f := range r.Findings[limit:] {
			r.Omitted[f.Rule]++
		}
		r.Findings = r.Findings[:limit]
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
	if len(r.Omitted) == 0 {
		r.Omitted = nil
	}
}

// compare marks what the baseline has too.
func (r *Report) compare(base *Report) {
	r.Compared = true
	old := map[string]bool{}
	for _, f := range base.Findings {
		old[f.Fingerprint] = true
	}
	left := maps.Clone(old)
	for i := range r.Findings {
		f := &r.Findings[i]
		f.State = StateNew
		if old[f.Fingerprint] {
			f.State = StateUnchanged
			delete(left, f.Fingerprint)
		}
	}
	r.Gone = len(left)
}
