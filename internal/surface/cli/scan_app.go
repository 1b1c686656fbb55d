package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/publish"
)

// findRules asks the server for the policy and suppressions that decide.
func (o *scanOptions) findRules(ctx context.Context, opts *scan.Options) (*publish.Rules, error) {
	cl, err := o.g.Client()
	if err != nil {
		return nil, err
	}
	served := ""
	if o.channel != "" {
		ch, err := cl.Channel(ctx, o.app, o.channel)
		if err != nil {
			return nil, err
		}
		if ch.Release != nil {
			served = ch.Release.Version
		}
	}
	rules, err := publish.FindRules(ctx, cl, o.app, o.channel, served)
	if err != nil {
		return nil, err
	}
	if opts.Baseline != nil {
		rules.Baseline = opts.Baseline
	}
	opts.Baseline = rules.Baseline
	return &rules, nil
}

// judged writes the report as the policy sees it, and ends with its verdict.
func (o *scanOptions) judged(rep *scan.Report, dir string, rules *publish.Rules) error {
	v := rules.Judge(rep, time.Now())
	apply(rep, &v)
	if err := o.write(rep, dir); err != nil {
		return err
	}
	switch v.Decision {
	case ota.ScanRefuses:
		return reported{publish.Blocked(v, "it cannot be published")}
	case ota.ScanAsks:
		o.g.Note("somebody else must approve what was found before a channel has it")
	case ota.ScanPasses, ota.ScanPends, ota.ScanLacks:
	}
	return nil
}

// apply gives a report the severities and suppressions of a verdict.
func apply(rep *scan.Report, v *ota.ScanVerdict) {
	type key struct{ rule, print string }
	marks := map[key]*ota.ScanFinding{}
	for i := range v.Findings {
		marks[key{v.Findings[i].Rule, v.Findings[i].Fingerprint}] = &v.Findings[i]
	}
	rep.Findings = slices.DeleteFunc(rep.Findings, func(f scan.Finding) bool { return marks[key{f.Rule, f.Fingerprint}] == nil })
	for i := range rep.Findings {
		f := &rep.Findings[i]
		m := marks[key{f.Rule, f.Fingerprint}]
		f.Severity = scan.Severity(m.Severity)
		if s := m.Suppression; s != nil {
			f.Suppression = &scan.Suppression{Status: s.Status, Justification: s.Justification, By: s.By}
		}
	}
}

// nativeFiles are what the native builds of a project declare, as far as it is there.
func nativeFiles(project string) []string {
	var out []string
	for _, p := range []string{
		"android/app/src/main/assets/capacitor.config.json", "android/app/src/main/assets/capacitor.plugins.json", "ios/App/App/capacitor.config.json",
	} {
		path := filepath.Join(project, filepath.FromSlash(p))
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
			out = append(out, path)
		}
	}
	return out
}

// noteScan says shortly what the scan of a push found.
func (g *Globals) noteScan(s *publish.ScanSummary) {
	if s == nil {
		return
	}
	g.Note("scan: %d block, %d warn, %d info", s.Counts.Block, s.Counts.Warn, s.Counts.Info)
	shown := 0
	for _, f := range s.Findings {
		if f.Action != ota.ScanBlock && f.Action != ota.ScanApprove || shown == 10 {
			continue
		}
		shown++
		g.Note("  %s  %s  %s  %s", f.Action, f.Rule, clean(findingPlace(&f)), clean(f.Message))
	}
}

func findingPlace(f *ota.ScanFinding) string {
	switch {
	case f.Path == "":
		return "the whole bundle"
	case f.Line == 0:
		return f.Path
	}
	return fmt.Sprintf("%s:%d", f.Path, f.Line)
}

// writeFile writes a result to a file, or to standard output if path is empty.
func (g *Globals) writeFile(path string, body []byte) error {
	if path == "" {
		_, err := g.Out.Write(body)
		return err
	}
	if err := os.WriteFile(path, body, 0o644); err != nil {
		return ota.Invalid("file_unwritable", "cannot write %s: %s", path, err).WithField("output").WithHint("name a file in a folder that exists and that you may write to")
	}
	return g.Print(done{true, path}, func(w io.Writer) { fmt.Fprintf(w, "the report is in %s\n", clean(path)) })
}
