package scan

import (
	"fmt"
	"slices"
	"strings"
)

// defaultNewShare is the share of new texts from which a change is large.
const defaultNewShare = 0.6

// minTexts is how many texts both bundles must have before shares mean anything.
const minTexts = 20

func largeChange() detector {
	return detector{rule: "ST-008", bundle: func(b *bundle) {
		base := b.e.opts.Baseline
		if base == nil || len(b.facts.Texts) < minTexts || len(base.Facts.Texts) < minTexts {
			return
		}
		limit := b.e.opts.NewShare
		if limit <= 0 {
			limit = defaultNewShare
		}
		if share := b.facts.Texts.NewShare(base.Facts.Texts); share > limit {
			b.add("ST-008", "", "share", fmt.Sprintf("about %.0f %% of texts, routes and message keys are new; the limit is %.0f %%", share*100, limit*100))
		}
	}}
}

func hosts() detector {
	return detector{rule: "ST-015", address: hostAddress, bundle: newHosts}
}

// hostAddress remembers every host, and reports the suspicious ones at once.
func hostAddress(f *file, a *address) {
	if a.loopback() || f.e.listed("vocabularies", a.host) {
		return
	}
	allowed := slices.ContainsFunc(f.e.opts.Allowed.Hosts, func(h string) bool { return a.host == h || strings.HasSuffix(a.host, "."+h) })
	if !allowed && a.use != useLink {
		h := hit{rule: "ST-015", at: a.at, text: "suspicious " + a.host}
		switch {
		case strings.HasSuffix(a.host, ".onion"):
			f.report(h, "an onion service: %s", a.host)
		case f.e.listed("suspicious", a.host):
			f.report(h, "dynamic DNS, a tunnel or a paste site: %s", a.host)
		case isIPv4(a.host) && !isPrivate(a.host) && a.host != "0.0.0.0", strings.HasPrefix(a.host, "["):
			f.report(h, "a bare IP address: %s", a.host)
		}
	}
	if !allowed {
		f.remember(keyHost+a.host, hit{rule: "ST-015", at: a.at, text: a.host}, "the host %s is not in the baseline", a.host)
	}
}

func newHosts(b *bundle) {
	base := b.e.opts.Baseline
	if base == nil {
		return
	}
	for _, h := range b.keys(keyHost) {
		if fd := b.seen[keyHost+h]; !slices.Contains(base.Facts.Hosts, h) && fd.Rule != "" {
			b.report.Findings = append(b.report.Findings, fd)
		}
	}
}
