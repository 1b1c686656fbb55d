package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scanpolicy"
)

// scanJob returns the job of the server's scan of a new bundle; ok is false
// for one that the server cannot read.
func (s *Service) scanJob(b *ota.Bundle) (j ota.ScanJob, ok bool) {
	return ota.ScanJob{BundleID: b.ID, State: ota.ScanWaiting, AskedAt: s.nowMS(), AskedBy: ota.Actor(b.CreatedBy)}, ScanReadable(b)
}

// Authors finds the people behind a caller; none = nobody knows.
func (s *Service) Authors(ctx context.Context, p ota.Principal) ([]int64, error) {
	people, _, err := s.authors(ctx, s.store, p)
	return people, err
}

// ScanReadable reports whether the server can read a bundle: there is a plain
// form of it here.
func ScanReadable(b *ota.Bundle) bool {
	return slices.ContainsFunc(b.Variants, func(v ota.Variant) bool {
		return v.SessionKey == "" && v.KeyID == "" && v.ExternalURL == "" && (!v.Zip.IsZero() || !b.Tree.IsZero() || b.FileCount > 0)
	})
}

// scanPolicy finds the policy that holds for a channel; id 0 = the app itself.
func scanPolicy(ctx context.Context, r Reader, app string, channelID int64) (ota.ScanPolicyInfo, error) {
	if channelID != 0 {
		p, set, err := r.ScanPolicy(ctx, app, channelID)
		if p.From = ota.PolicyChannel; set || err != nil {
			return p, err
		}
	}
	p, set, err := r.ScanPolicy(ctx, app, 0)
	if p.From = ota.PolicyApp; set || err != nil {
		return p, err
	}
	return ota.ScanPolicyInfo{ScanPolicy: ota.DefaultScanPolicy(), From: ota.PolicyDefault}, nil
}

// scanVerdict judges a bundle by the policy of a channel; nil = of the app alone.
func (s *Service) scanVerdict(ctx context.Context, r Reader, ch *ota.Channel, b *ota.Bundle) (v ota.ScanVerdict, err error) {
	in := scanpolicy.Input{Readable: ScanReadable(b), Now: s.nowMS()}
	var channelID int64
	if ch != nil {
		channelID = ch.ID
	}
	if in.Policy, err = scanPolicy(ctx, r, b.App, channelID); err != nil {
		return v, err
	}
	if in.Reports, err = r.LatestScans(ctx, b.ID); err != nil {
		return v, err
	}
	if in.Job, err = r.ScanJob(ctx, b.ID); err != nil {
		return v, err
	}
	if in.Suppressions, err = r.LiveSuppressions(ctx, b.App, in.Now); err != nil {
		return v, err
	}
	if ch != nil && ch.Release != nil && ch.Release.BundleID != 0 && ch.Release.BundleID != b.ID {
		served, err := r.LatestScans(ctx, ch.Release.BundleID)
		if err != nil {
			return v, err
		}
		in.Baseline = scanpolicy.Baseline(served)
	}
	return scanpolicy.Evaluate(in), nil
}

// ScanVerdict says what the policy of a channel ("" = of the app) makes of what
// the scans of a bundle found.
func (s *Service) ScanVerdict(ctx context.Context, app, version, channel string) (ota.ScanVerdict, error) {
	b, err := findBundle(ctx, s.store, app, version)
	if err != nil {
		return ota.ScanVerdict{}, err
	}
	if channel == "" {
		return s.scanVerdict(ctx, s.store, nil, &b)
	}
	ch, err := findChannel(ctx, s.store, app, channel)
	if err != nil {
		return ota.ScanVerdict{}, err
	}
	return s.scanVerdict(ctx, s.store, &ch, &b)
}

// guardScan makes a plan that puts a bundle on more devices of a channel obey
// the channel's scan policy. approvedBefore says that what was approved for the
// channel needs no further approval.
func (s *Service) guardScan(ctx context.Context, tx Tx, pl *plan, b ota.Bundle, approvedBefore bool) error {
	if b.ID == 0 {
		return nil // the built-in bundle came with the native app
	}
	ch := pl.channel
	v, err := s.scanVerdict(ctx, tx, ch, &b)
	if err != nil {
		return err
	}
	if v.Decision != ota.ScanPasses && v.Decision != ota.ScanAsks {
		return scanRefusal(ch, &b, &v)
	}
	if v.Decision == ota.ScanPasses {
		return nil
	}
	if pl.scan, err = approve.ScanOf(&v); err != nil {
		return err
	}
	if has(pl.protects, ch.ID) {
		return nil // its own rule asks for at least as many people
	}
	content, err := sealedContent(ctx, tx, ch, b)
	if err != nil {
		return err
	}
	need := *ch
	need.Policy.RequiredApprovals = max(1, need.Policy.RequiredApprovals)
	if approvedBefore {
		ok, err := approvedOn(ctx, tx, ch, content, &need.Policy)
		if err != nil {
			return err
		}
		if ok {
			pl.scan = nil
			return nil
		}
	}
	pl.protects, pl.content = append(pl.protects, need), content
	return nil
}

// scanRefusal says why the scan policy keeps a bundle off a channel.
func scanRefusal(ch *ota.Channel, b *ota.Bundle, v *ota.ScanVerdict) error {
	see := fmt.Sprintf("waxwing scans show %s --app %s --channel %s", b.Version, b.App, ch.Name)
	switch v.Decision {
	case ota.ScanPends:
		return ota.Conflict(CodeScanPending, "version %s cannot go on channel %q yet: %s", b.Version, ch.Name, v.Reason).
			WithHint("try again in a few seconds; see how far it is with: %s", see)
	case ota.ScanLacks:
		hint := "push it again without --no-scan"
		switch v.Policy.Demand {
		case ota.DemandServer:
			hint = fmt.Sprintf("ask for a scan with: waxwing scans rescan %s --app %s; bundles that only devices can read need a policy that demands signed reports", b.Version, b.App)
		case ota.DemandSigned:
			hint += " and with --key, so that the report is signed"
		case ota.DemandNone, ota.DemandCLI:
		}
		return ota.Conflict(CodeScanMissing, "version %s cannot go on channel %q: %s", b.Version, ch.Name, v.Reason).WithHint("%s", hint)
	case ota.ScanPasses, ota.ScanAsks, ota.ScanRefuses:
	}
	return ota.Conflict(CodeScanBlocked, "version %s cannot go on channel %q: the scan found %s", b.Version, ch.Name, blocking(v)).
		WithHint("mend it and push a new version, or ask for a suppression: waxwing suppressions request --app %s --rule RULE --fingerprint FINGERPRINT --reason WHY; see all: %s", b.App, see)
}

// blocking names the first findings that a policy blocks.
func blocking(v *ota.ScanVerdict) string {
	const most = 5
	var names []string
	n := 0
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Action != ota.ScanBlock {
			continue
		}
		if n++; n <= most {
			where := f.Path
			if where == "" {
				where = "the whole bundle"
			}
			if f.Line > 0 {
				where = fmt.Sprintf("%s:%d", where, f.Line)
			}
			names = append(names, fmt.Sprintf("%s at %.120s", f.Rule, where))
		}
	}
	out := strings.Join(names, ", ")
	if n > most {
		out += fmt.Sprintf(" and %d more", n-most)
	}
	return out
}
