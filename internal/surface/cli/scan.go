package cli

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/core/scan/report"
	"github.com/waxwing-ota/waxwing/internal/publish"
)

// scanOptions are the flags of scan.
type scanOptions struct {
	g        *Globals
	native   []string
	baseline string
	format   string
	output   string
	failOn   string
	off      []string
	all      bool
	osv      string
	sbom     string

	app     string // whose policy and suppressions decide; "" = --fail-on does
	channel string
}

func newScanCommand(g *Globals) *cobra.Command {
	o := scanOptions{g: g}
	c := &cobra.Command{
		Use:   "scan DIR",
		Short: "Check a web build against store rules, for weak spots and secrets",
		Long: `Check a web build, as a folder or a zip, against the rules of the stores, for
weak spots of its pages, and for secrets. It runs here: no server, no network.
Every finding has a severity: block (publishing should be refused), warn
(somebody must look) or info. What the rules check: waxwing scan rules.

Ends with exit code 1 if there is a finding of the severity of --fail-on or a
higher one, 0 if there is none, 2 if the command line is wrong.

With --app the scan policy of the app (or of --channel) on the server decides,
and its suppressions hold: exit code 8 if the policy blocks the build, 0 if not.
Without --baseline it is compared with what the channel serves.

--native names what the native build declares, so that plug-ins it lacks are
found: capacitor.config.json or capacitor.plugins.json of the native project, or
package.json, whose names are a guess. --baseline names an earlier build: new
hosts, new capabilities and large changes are told then, and what is new.`,
		Example: "  waxwing scan dist\n" +
			"  waxwing scan dist --native android/app/src/main/assets/capacitor.plugins.json --baseline released.zip\n" +
			"  waxwing scan dist --format sarif --output scan.sarif --fail-on warn",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.run(cmd.Context(), args[0])
		},
	}
	f := c.Flags()
	f.StringSliceVar(&o.native, "native", nil, "files of what the native build declares")
	f.StringVar(&o.baseline, "baseline", "", "folder or zip of the build to compare with")
	f.StringVar(&o.format, "format", "text", "text, json, sarif or html (--json is --format json)")
	f.StringVar(&o.output, "output", "", "file for the report; a summary goes to standard output then")
	f.StringVar(&o.failOn, "fail-on", "block", "severity from which the command fails: block, warn, info or none")
	f.StringSliceVar(&o.off, "off", nil, "rules that are not asked")
	f.StringVar(&o.osv, "osv", "", "export of osv.dev (zip, folder or JSON) for known vulnerabilities (ST-017)")
	f.StringVar(&o.sbom, "sbom", "", "with --osv: CycloneDX document of what the build is made of (default: the project's lock file)")
	f.StringVar(&o.app, "app", "", "app whose scan policy and suppressions on the server decide")
	f.StringVar(&o.channel, "channel", "", "with --app, channel whose policy decides")
	f.BoolVar(&o.all, "all", false, "in text, every place of every rule")
	c.AddCommand(newScanRulesCommand(g))
	return c
}

func (o *scanOptions) check() error {
	if o.channel != "" && o.app == "" {
		return usagef("--channel is of an app, and none was named").WithField("app").WithHint("name it with --app")
	}
	if o.g.JSON {
		if o.format != "text" && o.format != "json" {
			return usagef("--json and --format %s are two formats", o.format).WithHint("leave one of them out")
		}
		o.format = "json"
	}
	if !slices.Contains([]string{"text", "json", "sarif", "html"}, o.format) {
		return usagef("there is no format %q", o.format).WithField("format").WithHint("--format takes text, json, sarif or html")
	}
	if o.failOn != "none" && scan.Severity(o.failOn).Rank() == 0 {
		return usagef("there is no severity %q", o.failOn).WithField("fail-on").WithHint("--fail-on takes block, warn, info or none")
	}
	return nil
}

func (o *scanOptions) run(ctx context.Context, dir string) error {
	opts := scan.Options{Off: o.off, Now: time.Now().Unix(), Workers: runtime.GOMAXPROCS(0)}
	var err error
	if opts.Native, err = readNatives(o.native); err != nil {
		return err
	}
	if err := o.readKnown(dir, &opts); err != nil {
		return err
	}
	if o.baseline != "" {
		if opts.Baseline, err = scanAt(ctx, o.baseline, scan.Options{Off: o.off, Now: opts.Now, Workers: opts.Workers, Native: opts.Native}); err != nil {
			return err
		}
	}
	var rules *publish.Rules
	if o.app != "" {
		if rules, err = o.findRules(ctx, &opts); err != nil {
			return err
		}
	}
	rep, err := scanAt(ctx, dir, opts)
	if err != nil {
		return err
	}
	if rules != nil {
		return o.judged(rep, dir, rules)
	}
	if err := o.write(rep, dir); err != nil {
		return err
	}
	if n := rep.Count(scan.Severity(o.failOn), true); o.failOn != "none" && n > 0 {
		return reported{ota.Invalid("scan_failed", "%d findings of severity %s or higher", n, o.failOn).
			WithHint("each finding names its fix; --fail-on sets from which severity the command fails")}
	}
	return nil
}

// write puts the report where it is wanted.
func (o *scanOptions) write(rep *scan.Report, target string) error {
	meta := report.Meta{Version: readBuild().Version, Target: filepath.ToSlash(target), Time: time.Now().UTC().Format(time.RFC3339)}
	var b bytes.Buffer
	switch o.format {
	case "json":
		if err := report.JSON(&b, rep, meta); err != nil {
			return err
		}
	case "sarif":
		if err := report.SARIF(&b, rep, meta); err != nil {
			return err
		}
	case "html":
		if err := report.HTML(&b, rep, meta); err != nil {
			return err
		}
	default:
		report.Text(&b, rep, report.TextOptions{All: o.all || o.output != "", Paint: o.paint})
	}
	if o.output == "" {
		_, err := o.g.Out.Write(b.Bytes())
		return err
	}
	if err := os.WriteFile(o.output, b.Bytes(), 0o644); err != nil {
		return ota.Invalid("file_unwritable", "cannot write %s: %s", o.output, err).WithField("output").WithHint("name a file in a folder that exists and that you may write to")
	}
	counts := report.CountsOf(rep)
	return o.g.Print(struct {
		Output string        `json:"output"`
		Counts report.Counts `json:"counts"`
	}{o.output, counts}, func(w io.Writer) {
		fmt.Fprintf(w, "%d block, %d warn, %d info; the report is in %s\n", counts.Block, counts.Warn, counts.Info, clean(o.output))
	})
}

func (o *scanOptions) paint(s scan.Severity, text string) string {
	if o.output != "" {
		return text
	}
	st := map[scan.Severity]style{scan.Block: styleRed, scan.Warn: styleYellow, scan.Info: styleDim}[s]
	return o.g.paint(o.g.Out, st, text)
}

// scanAt scans a folder or a zip.
func scanAt(ctx context.Context, path string, opts scan.Options) (*scan.Report, error) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ota.NotFound("file_missing", "%s does not exist", clean(path)).WithHint("name the folder of the web build, or a zip of one")
	case err != nil:
		return nil, ota.Invalid("file_unreadable", "cannot read %s: %s", clean(path), err).WithHint("check that you may read it")
	case st.IsDir():
		entries, err := scan.FromFS(os.DirFS(path))
		if err != nil {
			return nil, ota.Invalid("file_unreadable", "cannot read %s: %s", clean(path), err).WithHint("check that you may read it")
		}
		return scan.Run(ctx, entries, opts)
	}
	z, err := zip.OpenReader(path)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, ota.Invalid("zip_invalid", "%s is neither a folder nor a zip", clean(path)).WithHint("name the folder of the web build, or a zip of one")
	}
	rep, err := scan.Run(ctx, scan.FromZip(&z.Reader), opts)
	return rep, errors.Join(err, z.Close())
}

// maxNativeFile bounds what is read of a native build.
const maxNativeFile = 4 << 20

// readNatives reads what the native build declares; nil if nothing was named.
func readNatives(paths []string) (*scan.Native, error) {
	var all *scan.Native
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			return nil, ota.NotFound("file_missing", "cannot open %s: %s", clean(p), err).WithField("native").WithHint("name a file of the native project")
		}
		text, err := io.ReadAll(io.LimitReader(f, maxNativeFile+1))
		f.Close()
		if err != nil || len(text) > maxNativeFile {
			return nil, ota.Invalid("file_unreadable", "cannot read %s, or it is over %d bytes", clean(p), maxNativeFile).WithField("native").WithHint("check that it is the right file")
		}
		n, err := scan.ReadNative(filepath.ToSlash(p), text)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = n
		} else {
			all.Merge(n)
		}
	}
	return all, nil
}

func newScanRulesCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "rules [RULE…]",
		Short: "List the rules of the scan, or explain some of them",
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := scan.Rules()
			if err != nil {
				return err
			}
			for _, id := range args {
				if !slices.ContainsFunc(list, func(r scan.Rule) bool { return r.ID == id }) {
					return ota.NotFound("rule_unknown", "there is no rule %q", id).WithHint("list them with: waxwing scan rules")
				}
			}
			if len(args) > 0 {
				list = slices.DeleteFunc(list, func(r scan.Rule) bool { return !slices.Contains(args, r.ID) })
			}
			return g.Print(list, func(w io.Writer) {
				if len(args) == 0 {
					rows := [][]string{{"RULE", "SEVERITY", "CERTAINTY", "TITLE"}}
					for _, r := range list {
						rows = append(rows, []string{r.ID, r.Severity, r.Certainty, r.Title})
					}
					table(w, rows)
					return
				}
				for _, r := range list {
					fmt.Fprintf(w, "%s  %s\n  severity   %s, %s\n  checks     %s\n  why        %s\n  fix        %s\n  reference  %s\n             %s\n  tags       %s\n",
						r.ID, r.Title, r.Severity, r.Certainty, r.What, r.Why, r.Fix, r.Reference, r.Help, strings.Join(r.Tags, " "))
				}
			})
		},
	}
}
