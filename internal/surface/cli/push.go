package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/capconfig"
	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/publish"
)

// pushOptions are the flags of push that are not options of package publish.
type pushOptions struct {
	publish.Options
	keys    []string
	rollout percent
	maps    string
	plan    string
	project string
	natives []string

	sbom, osv       string
	allowVulnerable bool
	pass            passphrase
	wait            waiting
	seal            sealedFlags
}

func newPushCommand(g *Globals) *cobra.Command {
	o := pushOptions{pass: passphrase{g: g}}
	c := &cobra.Command{
		Use:   "push DIR",
		Short: "Publish a web build and release it on a channel",
		Long: `Publish the web build in DIR and release it on a channel. The build is checked,
zipped, signed and encrypted on this machine; only what the server lacks is
compressed and uploaded. A push that was cut off is run again and goes on where
it ended. A version never changes: pushing the same content again does nothing,
other content under the same version is refused.

The build is scanned first, as waxwing scan does, by the scan policy of the
channel: what it blocks is not published (exit code 8). The report goes to the
server with the bundle, signed with the first key. --no-scan leaves that out,
unless the policy demands a report.

Source maps (*.map) are never part of the bundle: they are taken out and kept
privately with it, to show the stacks of errors as they are in the sources.

Without WAXWING_TOKEN, a CI run that a trusted publisher lets in exchanges its ID
token for one, as waxwing tokens exchange does; WAXWING_PUBLISHER names the
publisher if several let it in.`,
		Example: "  waxwing push dist --app com.example.shop --version 1.0.1 --channel production --key waxwing-key.pem\n" +
			"  waxwing push dist --app com.example.shop --version 1.1.0 --channel production --key waxwing-key.pem --rollout 5\n" +
			"  waxwing push dist --app com.example.shop --version 1.2.0 --channel beta --sealed --key ci.p256 --epoch-key content.key",
		Args: cobra.ExactArgs(1),
	}
	appFlag(c, &o.App)
	f := c.Flags()
	f.StringVar(&o.Version, "version", "", "semantic version of the bundle (required)")
	require(c, "version")
	f.StringVar(&o.Channel, "channel", "", "channel to release it on")
	f.BoolVar(&o.NoRelease, "no-release", false, "publish it and put it on no channel")
	f.StringArrayVar(&o.keys, "key", nil, "private key file; repeat it for each active key of the app")
	o.pass.bind(f)
	f.BoolVar(&o.Plain, "plain", false, "also publish it unencrypted, if the app allows it")
	f.StringVar(&o.MinNative, "min-native", "", "lowest native version that can run it")
	f.StringVar(&o.Link, "link", "", "link to where it came from, such as a commit")
	f.StringVar(&o.Comment, "comment", "", "what is in it")
	f.StringVar(&o.Note, "note", "", "note of the release")
	f.Var(&o.rollout, "rollout", "start a rollout at this share of the devices instead of releasing it to all")
	f.StringVar(&o.plan, "rollout-plan", "", "start a rollout by this plan instead: careful, standard or fast, or a plan file (.yaml or .json)")
	f.BoolVar(&o.NoManifest, "no-manifest", false, "publish the zip only: every device loads all of it")
	f.BoolVar(&o.AllowNoReady, "allow-no-ready", false, "the build does call notifyAppReady, in a way that is not found")
	f.BoolVar(&o.AllowNativeMismatch, "allow-native-mismatch", false, "publish although devices of the channel lack native packages; recorded")
	f.StringVar(&o.sbom, "sbom", "", "CycloneDX document of what the build is made of, or none (default: made from the project's lock file)")
	f.StringVar(&o.osv, "osv", "", "export of osv.dev (zip, folder or JSON) to hold the packages against")
	f.BoolVar(&o.allowVulnerable, "allow-vulnerable", false, "publish in spite of critical known vulnerabilities")
	f.BoolVar(&o.NoScan, "no-scan", false, "do not scan the build, where the scan policy allows that")
	f.StringSliceVar(&o.natives, "native", nil, "files of what the native build declares, for the scan (default: those of --project)")
	f.StringVar(&o.maps, "source-maps", "", "folder of the source maps, or none to send none (default: those in DIR)")
	f.BoolVar(&o.AllowInlineMaps, "allow-inline-source-maps", false, "publish scripts with their source map inside: devices get the sources")
	f.BoolVar(&o.DryRun, "dry-run", false, "check, and say what would be uploaded")
	f.StringVar(&o.project, "project", ".", "folder of the Capacitor app, whose native plug-ins are recorded")
	o.seal.bind(f)
	o.wait.bind(c)
	c.MarkFlagsMutuallyExclusive("rollout", "no-release", "rollout-plan")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if f.Changed("rollout") {
			bps := int(o.rollout)
			o.RolloutBPS = &bps
		}
		if o.plan != "" {
			var err error
			if o.RolloutPreset, o.RolloutPlan, err = readPlan(o.plan); err != nil {
				return err
			}
		}
		if o.Channel == "" && !o.NoRelease {
			return usagef("no channel was named").WithHint("name one with --channel, or publish without releasing with --no-release")
		}
		return runPush(cmd.Context(), g, o, args[0])
	}
	return c
}

// pushed is what push prints.
type pushed struct {
	publish.Result
	URL string `json:"url"` // of the bundle in the API
}

func runPush(ctx context.Context, g *Globals, o pushOptions, dir string) error {
	cl, err := g.CIClient(ctx)
	if err != nil {
		return err
	}
	if o.Dir, err = buildFolder(dir); err != nil {
		return err
	}
	if err := o.readMaps(); err != nil {
		return err
	}
	if err := o.readProject(g); err != nil {
		return err
	}
	if err := o.readSupply(ctx, g, dir); err != nil {
		return err
	}
	if o.Sealed, err = o.sealed(ctx, g); err != nil {
		return err
	}
	for _, path := range o.keys {
		if o.Sealed != nil {
			break // it names the signer of a role
		}
		k, err := o.pass.read(path)
		if err != nil {
			return err
		}
		o.Keys = append(o.Keys, k)
	}
	o.Tool = readBuild().Version
	if o.Native, err = readNatives(o.natives); err != nil {
		return err
	}
	memo := openScanMemo(o.App)
	o.Memo = memo.Memo
	status := g.Status()
	o.Progress = status
	res, err := publish.Push(ctx, cl, o.Options)
	status.Done()
	memo.save()
	for _, w := range res.Warnings {
		g.Warn("%s (%s)", clean(w.Message), w.Code)
	}
	g.noteScan(res.Scan)
	if err != nil {
		return err
	}
	out := pushed{res, bundleURL(cl.URL(), o.App, o.Version)}
	if res.Approval == nil {
		return g.Print(out, func(w io.Writer) { printPushed(w, out) })
	}
	var failed error
	if failed = o.wait.settle(ctx, g, cl, client.Pending(*res.Approval)); failed == nil {
		out.Released, out.Skipped = true, ""
	} else {
		failed = reported{failed}
	}
	return errors.Join(g.Print(out, func(w io.Writer) { printPushed(w, out) }), failed)
}

// noMaps is what --source-maps takes besides a folder.
const noMaps = "none"

// readMaps opens the folder of source maps that was named.
func (o *pushOptions) readMaps() (err error) {
	switch o.maps {
	case "":
	case noMaps:
		o.NoSourceMaps = true
	default:
		o.SourceMaps, err = buildFolder(o.maps)
	}
	return asField(err, "source-maps")
}

// buildFolder opens the folder of a web build.
func buildFolder(dir string) (fs.FS, error) {
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ota.NotFound("folder_missing", "there is no folder %s", dir).WithHint("build the web app first, and name its output folder")
	case err != nil:
		return nil, ota.Invalid("folder_unreadable", "cannot read %s: %s", dir, err).WithHint("check that you may read it")
	case !st.IsDir():
		return nil, ota.Invalid("folder_invalid", "%s is not a folder", dir).
			WithHint("name the folder of the web build; a zip of another tool goes in with: waxwing bundle import")
	}
	return os.DirFS(dir), nil
}

// readProject takes over what the app's folder says, if it is this app's.
func (o *pushOptions) readProject(g *Globals) error {
	p, err := capconfig.ReadProject(o.project)
	if err != nil {
		return err
	}
	if p.Config == nil {
		return nil
	}
	if id := p.Config.EffectiveAppID(); id.Text != "" && id.Text != o.App {
		g.Note("%s is of app %s: its native plug-ins are not recorded", p.Config.Path, clean(id.Text))
		return nil
	}
	o.NativePackages, o.NativeVersion = p.Native, p.NativeVersion()
	if len(o.natives) == 0 {
		o.natives = nativeFiles(o.project)
	}
	for _, name := range p.Missing {
		g.Note("%s is not installed under node_modules: whether it has native code is unknown", clean(name))
	}
	return nil
}

func printPushed(w io.Writer, r pushed) {
	what := fmt.Sprintf("version %s of %s (%d files, %s)", r.Version, r.App, r.Files, bytesText(r.Size))
	switch {
	case r.DryRun:
		fmt.Fprintf(w, "dry run: %s\n", what)
		for _, v := range r.Variants {
			fmt.Fprintf(w, "  %s: %d files, %s before compression, and the zip\n", variantText(v.KeyID), v.Missing.Count, bytesText(v.Missing.Bytes))
		}
		return
	case r.Created:
		fmt.Fprintf(w, "published %s\n", what)
		fmt.Fprintf(w, "  uploaded %d blobs, %s; reused %d files, %s\n", r.Uploaded.Count, bytesText(r.Uploaded.Bytes), r.Reused.Count, bytesText(r.Reused.Bytes))
		for _, v := range r.Variants {
			fmt.Fprintf(w, "  %s: zip of %s\n", variantText(v.KeyID), bytesText(v.ZipSize))
		}
		if r.SourceMaps > 0 {
			fmt.Fprintf(w, "  %d source maps, which devices do not get\n", r.SourceMaps)
		}
	default:
		fmt.Fprintf(w, "%s was published before, with the same content: nothing was uploaded\n", what)
	}
	printSealed(w, r.Sealed)
	fmt.Fprintf(w, "%s\n", releasedText(r.Result))
	fmt.Fprintf(w, "see it: waxwing bundle show %s --app %s   (%s)\n", r.Version, r.App, r.URL)
}

func variantText(keyID string) string {
	if keyID == "" {
		return "plain"
	}
	return "for key " + keyID
}

// releasedText says what devices will do.
func releasedText(r publish.Result) string {
	switch {
	case r.Released && r.Approval != nil:
		return fmt.Sprintf("others approved it: channel %s has it now", r.Channel)
	case r.Approval != nil:
		return fmt.Sprintf("channel %s waits for the approval of others: %s", r.Channel, clean(r.Approval.Link))
	case r.Released && r.Rollout != nil && r.Rollout.Plan != nil && len(r.Rollout.Plan.Steps) > 0:
		return fmt.Sprintf("channel %s offers it to %s %% of its devices, and goes on by its plan; see: waxwing rollout show %s --app %s",
			r.Channel, percentText(r.Rollout.BPS), r.Channel, r.App)
	case r.Released && r.Rollout != nil:
		return fmt.Sprintf("channel %s offers it to %s %% of its devices; give it to more with: waxwing rollout set %s --app %s --percent N",
			r.Channel, percentText(r.Rollout.BPS), r.Channel, r.App)
	case r.Released:
		return fmt.Sprintf("channel %s serves it: devices load it with their next check, and run it when they go to the background or start again", r.Channel)
	case r.Skipped == publish.SkippedAsked:
		return fmt.Sprintf("it is on no channel yet; put it on one with: waxwing release %s --app %s --channel NAME", r.Version, r.App)
	case r.Skipped == publish.SkippedRollout:
		return fmt.Sprintf("channel %s has a rollout of it already: nothing changed", r.Channel)
	}
	return fmt.Sprintf("channel %s had it already: nothing changed", r.Channel)
}

// bundleURL is where the API has a bundle.
func bundleURL(server, app, version string) string {
	return strings.TrimRight(server, "/") + "/api/v1/apps/" + app + "/bundles/" + version
}

func bytesText(n int64) string { return publish.Bytes(n) }
