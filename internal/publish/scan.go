package publish

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/core/scan/report"
	"github.com/waxwing-ota/waxwing/internal/core/scanpolicy"
)

// scans is the part of the admin API that concerns scans.
type scans interface {
	ScanPolicy(ctx context.Context, app, channel string) (ota.ScanPolicyInfo, error)
	Suppressions(ctx context.Context, app string, state ota.SuppressionState, page ota.Page) ([]ota.Suppression, string, error)
	Scan(ctx context.Context, app, version string, id int64, format, channel string) ([]byte, error)
	UploadScan(ctx context.Context, app, version string, in ota.ScanUpload) (r ota.ScanReport, created bool, err error)
}

// ScanSummary is what the scan of a push found.
type ScanSummary struct {
	Digest   ota.Digest        `json:"digest"` // of the report
	Decision ota.ScanDecision  `json:"decision"`
	Counts   ota.ScanCounts    `json:"counts"` // of what counts by the policy
	Findings []ota.ScanFinding `json:"findings"`
	Signed   bool              `json:"signed"`
	Sent     bool              `json:"sent"`
}

// maxListed bounds the findings of a summary.
const maxListed = 50

// Rules is what a server says about findings.
type Rules struct {
	Policy       ota.ScanPolicyInfo
	Suppressions []ota.Suppression
	Baseline     *scan.Report // of what the channel serves; nil = not known
}

// FindRules asks a server for the policy of a channel ("" = of the app), the
// suppressions that hold, and the latest report of the version it serves ("" =
// none).
func FindRules(ctx context.Context, c scans, app, channel, served string) (Rules, error) {
	var r Rules
	var err error
	if r.Policy, err = c.ScanPolicy(ctx, app, channel); err != nil {
		return r, err
	}
	var page ota.Page
	for more := true; more; more = page.After != "" {
		page.Limit = 500
		items, next, err := c.Suppressions(ctx, app, ota.SuppressionApproved, page)
		if err != nil {
			return r, err
		}
		r.Suppressions, page.After = append(r.Suppressions, items...), next
	}
	if served == "" || served == ota.Builtin {
		return r, nil
	}
	raw, err := c.Scan(ctx, app, served, 0, "json", "")
	switch ota.KindOf(err) {
	case ota.KindNotFound:
		return r, nil
	default:
		if err != nil {
			return r, err
		}
	}
	var base scan.Report
	if json.Unmarshal(raw, &base) == nil {
		r.Baseline = &base
	}
	return r, nil
}

// Judge says what the rules make of a report that was made here.
func (r *Rules) Judge(rep *scan.Report, now time.Time) ota.ScanVerdict {
	policy := r.Policy
	policy.Demand = ota.DemandNone // whether it is there is for the server to say
	in := scanpolicy.Input{Policy: policy, Suppressions: r.Suppressions, Now: now.UnixMilli()}
	in.Reports = []scanpolicy.Report{{ScanReport: ota.ScanReport{Source: ota.ScanCLI}, Findings: Findings(rep)}}
	if r.Baseline != nil {
		in.Baseline = scanpolicy.Baseline([]scanpolicy.Report{{Findings: Findings(r.Baseline)}})
	}
	return scanpolicy.Evaluate(in)
}

// Findings are those of a report as policies see them.
func Findings(rep *scan.Report) []ota.ScanFinding {
	out := make([]ota.ScanFinding, len(rep.Findings))
	for i := range rep.Findings {
		f := &rep.Findings[i]
		out[i] = ota.ScanFinding{
			Rule: f.Rule, Severity: string(f.Severity), Certainty: string(f.Certainty), Path: f.Path, Line: f.Line, Column: f.Column,
			Offset: f.Offset, Snippet: f.Snippet, Message: f.Message, Fingerprint: f.Fingerprint,
		}
	}
	return out
}

// checkScan scans what is about to be published, unless that is off, and refuses
// what the policy blocks.
func (p *push) checkScan(ctx context.Context) error {
	served := ""
	if ch := p.target.channel; ch != nil && ch.Release != nil && ch.Release.Version != p.o.Version {
		served = ch.Release.Version
	}
	rules, err := FindRules(ctx, p.server, p.o.App, p.o.Channel, served)
	if ota.KindOf(err) == ota.KindForbidden {
		// A token may be limited to what pushes did before there were scans.
		p.warn("scan_policy_unread", "the token may not read the scan policy of app %s: the default one is used here, the server decides by its own", p.o.App)
		rules, err = Rules{Policy: ota.ScanPolicyInfo{ScanPolicy: ota.DefaultScanPolicy(), From: ota.PolicyDefault}}, nil
	}
	if err != nil {
		return err
	}
	if p.o.NoScan {
		if d := rules.Policy.Demand; d == ota.DemandCLI || d == ota.DemandSigned {
			return ota.Conflict("scan_required", "the scan policy demands a report (%s), so the scan cannot be left out", d).
				WithHint("leave out --no-scan")
		}
		return nil
	}
	p.progress.Phase("scanning %d files", len(p.scan.Files))
	rep, err := scan.Run(ctx, p.scanEntries(), scan.Options{
		Native: p.o.Native, Baseline: rules.Baseline, Now: time.Now().Unix(), Memo: p.o.Memo,
	})
	if err != nil {
		return err
	}
	for i := range rep.Findings {
		rep.Findings[i].State = "" // against what, is for the server to say
	}
	rep.Compared, rep.Gone = false, 0
	var raw bytes.Buffer
	// Without a time, so that the same build gives the same report.
	if err := report.JSON(&raw, rep, report.Meta{Version: p.o.Tool, Target: p.o.App + " " + p.o.Version}); err != nil {
		return err
	}
	p.report = raw.Bytes()
	v := rules.Judge(rep, time.Now())
	p.result.Scan = &ScanSummary{
		Digest: ota.Sum(p.report), Decision: v.Decision, Counts: v.Counts, Findings: v.Findings[:min(len(v.Findings), maxListed)],
	}
	if v.Decision == ota.ScanRefuses {
		return Blocked(v, "it is not published")
	}
	return nil
}

// Blocked is the error for a build that a policy blocks.
func Blocked(v ota.ScanVerdict, so string) error {
	var names []string
	n := 0
	for _, f := range v.Findings {
		if f.Action != ota.ScanBlock {
			continue
		}
		if n++; n <= 5 {
			where := f.Path
			if where == "" {
				where = "the whole bundle"
			}
			if f.Line > 0 {
				where = fmt.Sprintf("%s:%d", where, f.Line)
			}
			names = append(names, f.Rule+" at "+where)
		}
	}
	if n > len(names) {
		names = append(names, fmt.Sprintf("%d more", n-len(names)))
	}
	return ota.Conflict("scan_blocked", "the scan found what the policy blocks, so %s: %s", so, strings.Join(names, ", ")).
		WithHint("mend it (waxwing scan DIR says how), or ask for a suppression with a reason: waxwing suppressions request")
}

// scanEntries are just the files that are published.
func (p *push) scanEntries() []scan.Entry {
	out := make([]scan.Entry, len(p.scan.Files))
	for i, f := range p.scan.Files {
		out[i] = scan.Entry{Path: f.Path, Mode: 0o644, Size: f.Size, Open: func() (io.ReadCloser, error) { return p.o.Dir.Open(f.Path) }}
	}
	return out
}

// sendScan sends the report, signed if there is a key, once the bundle is there.
func (p *push) sendScan(ctx context.Context) error {
	if p.report == nil {
		return nil
	}
	p.progress.Phase("sending the scan's report")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(p.report); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	in := ota.ScanUpload{Report: zipped.Bytes(), Digest: p.result.Scan.Digest}
	if len(p.target.keys) > 0 {
		k := p.target.keys[0]
		wire, err := k.SealStatement(ota.ScanStatementKind, ota.ScanStatement(p.o.App, p.o.Version, p.scan.Tree, in.Digest))
		if err != nil {
			return err
		}
		in.KeyID, in.Signature = k.Public().ID(), wire
		p.result.Scan.Signed = true
	}
	_, _, err := p.server.UploadScan(ctx, p.o.App, p.o.Version, in)
	if ota.KindOf(err) == ota.KindForbidden {
		p.warn("scan_not_sent", "the token may not send the scan's report")
		return nil
	}
	p.result.Scan.Sent = err == nil
	return err
}

const (
	scanPatience = 5 * time.Minute // for the server's scan
	scanPause    = time.Second
)

// patient repeats what waits for the server's scan.
func (p *push) patient(ctx context.Context, do func() error) error {
	until := time.Now().Add(scanPatience)
	for said := false; ; {
		err := do()
		if ota.CodeOf(err) != "scan_pending" || time.Now().After(until) {
			return err
		}
		if !said {
			p.progress.Phase("waiting for the server's scan")
			said = true
		}
		if err := pause(ctx, scanPause); err != nil {
			return err
		}
	}
}
