package scans

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/core/scan/report"
	"github.com/waxwing-ota/waxwing/internal/core/scanpolicy"
)

// MaxReport bounds the JSON of a report, in bytes.
const MaxReport = 32 << 20

// maxTrend bounds a trend.
const maxTrend = 200

// Reports lists the reports of a bundle, newest first.
func (s *Service) Reports(ctx context.Context, app, version string, p ota.Page) ([]ota.ScanReport, string, error) {
	b, err := s.bundle(ctx, s.d.Store, app, version)
	if err != nil {
		return nil, "", err
	}
	return s.d.Store.ScanReports(ctx, b.ID, p)
}

// Report returns a report of a bundle with its content; id 0 = the latest.
func (s *Service) Report(ctx context.Context, app, version string, id int64) (Stored, error) {
	b, err := s.bundle(ctx, s.d.Store, app, version)
	if err != nil {
		return Stored{}, err
	}
	return s.d.Store.ScanReport(ctx, b.ID, id)
}

// Trend lists what the scans of the latest bundles of an app found, oldest first.
func (s *Service) Trend(ctx context.Context, app string, limit int) ([]ota.ScanTrend, error) {
	if _, err := s.d.Store.App(ctx, app); err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = 50
	}
	return s.d.Store.ScanTrend(ctx, app, min(limit, maxTrend))
}

// The forms that a report is written in. JSON is byte for byte what was scanned;
// the others show what the policy and the suppressions make of it.
const (
	FormatJSON  = "json"
	FormatSARIF = "sarif"
	FormatHTML  = "html"
	FormatText  = "text"
)

// Render returns a report in a form.
func (s *Service) Render(ctx context.Context, st *Stored, policy ota.ScanPolicyInfo, format string) ([]byte, error) {
	raw, err := gunzip(st.Report, MaxReport)
	if err != nil {
		return nil, fmt.Errorf("report %d: %w", st.ID, err)
	}
	if format == FormatJSON {
		return raw, nil
	}
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("report %d: %w", st.ID, err)
	}
	live, err := s.d.Store.LiveSuppressions(ctx, st.App, s.nowMS())
	if err != nil {
		return nil, err
	}
	rep := &doc.Report
	judge(rep, st, policy, live, s.nowMS())
	// Texts about rules are ours: a report could say anything.
	asked := map[string]bool{}
	for _, r := range rep.Rules {
		asked[r.ID] = true
	}
	rep.Rules = slices.Clone(s.rules)
	rep.Rules = slices.DeleteFunc(rep.Rules, func(r scan.Rule) bool { return !asked[r.ID] })
	var b bytes.Buffer
	meta := report.Meta{Version: s.d.Version, Target: st.App + " " + st.Version}
	switch format {
	case FormatSARIF:
		err = report.SARIF(&b, rep, meta)
	case FormatHTML:
		err = report.HTML(&b, rep, meta)
	default:
		report.Text(&b, rep, report.TextOptions{All: true})
	}
	return b.Bytes(), err
}

// judge gives the findings the severities of the policy and their suppressions.
func judge(rep *scan.Report, st *Stored, policy ota.ScanPolicyInfo, live []ota.Suppression, now int64) {
	policy.Demand = ota.DemandNone
	v := scanpolicy.Evaluate(scanpolicy.Input{
		Policy: policy, Suppressions: live, Now: now,
		Reports: []scanpolicy.Report{{ScanReport: st.ScanReport, Findings: findingsOf(rep)}},
	})
	marks := map[[2]string]ota.ScanFinding{}
	for _, f := range v.Findings {
		marks[[2]string{f.Rule, f.Fingerprint}] = f
	}
	rep.Findings = slices.DeleteFunc(rep.Findings, func(f scan.Finding) bool {
		_, on := marks[[2]string{f.Rule, f.Fingerprint}]
		return !on
	})
	for i := range rep.Findings {
		f := &rep.Findings[i]
		m := marks[[2]string{f.Rule, f.Fingerprint}]
		f.Severity = scan.Severity(m.Severity)
		if m.Suppression != nil {
			f.Suppression = &scan.Suppression{Status: m.Suppression.Status, Justification: m.Suppression.Justification, By: m.Suppression.By}
		}
	}
}

// document is the JSON of a report.
type document struct {
	Schema string `json:"schema"`
	Tool   string `json:"tool"`
	scan.Report
}

// findingsOf are the findings as policies see them.
func findingsOf(r *scan.Report) []ota.ScanFinding {
	out := make([]ota.ScanFinding, len(r.Findings))
	for i := range r.Findings {
		f := &r.Findings[i]
		out[i] = ota.ScanFinding{
			Rule: f.Rule, Severity: string(f.Severity), Certainty: string(f.Certainty), Path: f.Path, Line: f.Line, Column: f.Column,
			Offset: f.Offset, Snippet: f.Snippet, Message: f.Message, Fingerprint: f.Fingerprint,
		}
	}
	return out
}

func countsOf(r *scan.Report) ota.ScanCounts {
	c := report.CountsOf(r)
	return ota.ScanCounts{Block: c.Block, Warn: c.Warn, Info: c.Info}
}

func gzipped(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(raw); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

// gunzip reads one gzip stream of at most limit bytes.
func gunzip(raw []byte, limit int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if n, err := b.ReadFrom(io.LimitReader(z, limit+1)); err != nil || n > limit {
		if err == nil {
			err = ota.Errorf(ota.KindTooLarge, CodeReportInvalid, "a report has at most %d bytes", limit).WithField("report")
		}
		return nil, err
	}
	return b.Bytes(), nil
}
