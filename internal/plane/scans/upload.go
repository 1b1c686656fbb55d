package scans

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// schema names the form of reports that are taken.
const schema = "waxwing.scan/1"

// maxFindings bounds the findings of a report.
const maxFindings = 5000

// Upload takes the report that a publisher's machine made of a bundle. The same
// report again changes nothing (created is false).
func (s *Service) Upload(ctx context.Context, actor ota.Actor, app, version string, in ota.ScanUpload) (r ota.ScanReport, created bool, err error) {
	b, err := s.bundle(ctx, s.d.Store, app, version)
	if err != nil {
		return r, false, err
	}
	if b.DeletedAt != 0 {
		return r, false, ota.Conflict("bundle_deleted", "version %s was deleted", version).WithField("version")
	}
	doc, err := parse(in)
	if err != nil {
		return r, false, err
	}
	tree, err := s.d.Store.BundleTree(ctx, b.ID)
	if err != nil {
		return r, false, err
	}
	if err := sameFiles(doc.Files, tree); err != nil {
		return r, false, err
	}
	if err := s.checkSignature(ctx, &b, in); err != nil {
		return r, false, err
	}
	st := Stored{
		ScanReport: ota.ScanReport{
			App: app, Version: version, BundleID: b.ID, Source: ota.ScanCLI, Digest: in.Digest, Tool: doc.Tool, Rules: s.rulesOf(&doc.Report),
			Counts: countsOf(&doc.Report), KeyID: in.KeyID, Signature: in.Signature, CreatedAt: s.nowMS(), CreatedBy: actor,
		},
		Findings: findingsOf(&doc.Report), Report: in.Report,
	}
	err = s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		latest, _, err := tx.ScanReports(ctx, b.ID, ota.Page{Limit: 100})
		if err != nil {
			return ota.Change{}, err
		}
		at := slices.IndexFunc(latest, func(o ota.ScanReport) bool { return o.Source == ota.ScanCLI })
		if at >= 0 && latest[at].Digest == in.Digest && (latest[at].KeyID != "" || in.KeyID == "") {
			st.ScanReport = latest[at]
			return ota.Change{}, nil
		}
		if i := slices.IndexFunc(latest, func(o ota.ScanReport) bool {
			return o.Source == ota.ScanCLI && o.Digest == in.Digest && o.KeyID != ""
		}); i >= 0 && in.KeyID == "" {
			// It was signed before, and is the very same.
			st.KeyID, st.Signature = latest[i].KeyID, latest[i].Signature
		}
		created = true
		if st, err = tx.InsertScanReport(ctx, st); err != nil {
			return ota.Change{}, err
		}
		return change("scan.report", version, detail(&st)), nil
	})
	return st.ScanReport, created, err
}

// detail is what the record says of a report.
func detail(st *Stored) map[string]any {
	return map[string]any{
		"report": st.ID, "source": st.Source, "digest": st.Digest.String(), "tool": st.Tool, "rules": st.Rules, "counts": st.Counts, "key": st.KeyID,
	}
}

// parse reads a report that somebody else made.
func parse(in ota.ScanUpload) (*document, error) {
	invalid := func(format string, a ...any) error {
		return ota.Invalid(CodeReportInvalid, format, a...).WithField("report").WithHint("send what waxwing push of this version makes")
	}
	raw, err := gunzip(in.Report, MaxReport)
	if ota.KindOf(err) == ota.KindTooLarge {
		return nil, err
	}
	if err != nil {
		return nil, invalid("the report is not compressed with gzip")
	}
	if ota.Sum(raw) != in.Digest {
		return nil, invalid("the report has another SHA-256 than the digest says")
	}
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, invalid("the report is not the JSON of one")
	}
	if doc.Schema != schema {
		return nil, invalid("the report is of the form %.40q, this server takes %q", doc.Schema, schema)
	}
	if len(doc.Findings) > maxFindings || len(doc.Tool) > 200 {
		return nil, invalid("a report has at most %d findings", maxFindings)
	}
	for i := range doc.Findings {
		if !sound(&doc.Findings[i]) {
			return nil, invalid("finding %d of the report is not one", i)
		}
	}
	return &doc, nil
}

// sound reports whether a finding has the form of one. Those of a publisher's
// machine come without suppressions: those are the server's.
func sound(f *scan.Finding) bool {
	print, err := hex.DecodeString(f.Fingerprint)
	f.Suppression = nil
	return err == nil && len(print) == 16 && f.Severity.Rank() > 0 &&
		f.Rule != "" && len(f.Rule) <= 32 && len(f.Path) <= 4096 && len(f.Message) <= 4096 && len(f.Snippet) <= 4096 &&
		f.Line >= 0 && f.Column >= 0 && f.Offset >= 0
}

// sameFiles checks that a report is of just the files of a bundle.
func sameFiles(files []scan.Artifact, tree []ota.TreeFile) error {
	if len(tree) == 0 {
		return ota.Invalid(CodeReportOther, "the bundle was made by another tool: which files are in it is not known, so no report can be bound to it").WithField("report").
			WithHint("push the build with waxwing")
	}
	other := func(format string, a ...any) error {
		return ota.Invalid(CodeReportOther, format, a...).WithField("report").WithHint("scan just the files that are published")
	}
	if len(files) != len(tree) {
		return other("the report is of %d files, the bundle has %d", len(files), len(tree))
	}
	have := make(map[string]string, len(files))
	for _, f := range files {
		have[f.Path] = f.SHA256
	}
	for _, t := range tree {
		if have[t.Path] != t.Hash.String() {
			return other("%.200q in the report is not what the bundle has", t.Path)
		}
	}
	return nil
}

// checkSignature checks that an active key of the app signed the report for just
// this bundle, if it is signed.
func (s *Service) checkSignature(ctx context.Context, b *ota.Bundle, in ota.ScanUpload) error {
	if in.KeyID == "" && in.Signature == "" {
		return nil
	}
	wrong := func(format string, a ...any) *ota.Error {
		return ota.Invalid(CodeReportSignature, format, a...).WithField("signature").
			WithHint("sign with the private key of an active key of the app: waxwing push --key FILE")
	}
	keys, err := s.d.Store.Keys(ctx, b.App)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(keys, func(k ota.Key) bool { return k.ID == in.KeyID && k.State == ota.KeyActive })
	if at < 0 {
		return wrong("app %q has no active key %.40q", b.App, in.KeyID)
	}
	pub, err := seal.ParsePublicKey([]byte(keys[at].PublicPEM))
	if err != nil {
		return err
	}
	d, err := pub.OpenStatement(ota.ScanStatementKind, in.Signature)
	if err != nil {
		return wrong("the signature does not open with key %s", in.KeyID).WithCause(err)
	}
	if d != ota.ScanStatement(b.App, b.Version, b.Tree, in.Digest) {
		return wrong("key %s signed another report, or this one for another bundle", in.KeyID)
	}
	return nil
}

// rulesOf names the set of rules of a report.
func (s *Service) rulesOf(r *scan.Report) string {
	if len(r.Rules) == len(s.rules) && slices.EqualFunc(r.Rules, s.rules, func(a, b scan.Rule) bool { return ota.JSON(a) == ota.JSON(b) }) {
		return s.ruleSet
	}
	return "other"
}
