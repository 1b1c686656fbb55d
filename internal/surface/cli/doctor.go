package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/capconfig"
	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// verdict of a check.
type verdict string

const (
	verdictOK   verdict = "ok"
	verdictWarn verdict = "warn"
	verdictFail verdict = "fail"
)

// check is one thing doctor looked at.
type check struct {
	Name    string  `json:"name"`
	Verdict verdict `json:"verdict"`
	Message string  `json:"message"`
	Fix     string  `json:"fix"` // "" = nothing to do
}

// diagnosis is what doctor prints.
type diagnosis struct {
	OK     bool    `json:"ok"` // nothing failed
	Checks []check `json:"checks"`
}

// doctor looks at one app's set-up. Checks that need something that is not
// there are left out; what is missing has its own check.
type doctor struct {
	g       *Globals
	dir     string
	key     string // private key file
	channel string

	client  *client.Client
	project *capconfig.Project
	app     string    // "" = unknown, or not on the server
	keys    []ota.Key // of the app on the server
	base    string    // address devices should use
	public  bool      // the server declares that address
	found   diagnosis
}

func newDoctorCommand(g *Globals) *cobra.Command {
	d := doctor{g: g}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check that server, keys and the app in this folder fit together",
		Long: `Check that the server can be reached, that the app, its keys and its
configuration fit together, and that the installed native plug-ins are those the
channel's current bundle was made with. Each trouble is named with its fix. Ends
with exit code 1 if a check failed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	f := c.Flags()
	f.StringVar(&d.dir, "dir", ".", "folder of the Capacitor app")
	f.StringVar(&d.app, "app", "", "app id (default: that of the configuration)")
	f.StringVar(&d.key, "key", defaultKeyFile, "file of the private key")
	f.StringVar(&d.channel, "channel", "", "channel whose bundle to compare with (default: the public one)")
	return c
}

func (d *doctor) run(ctx context.Context) error {
	d.found = diagnosis{Checks: []check{}}
	if !filepath.IsAbs(d.key) {
		d.key = filepath.Join(d.dir, d.key)
	}
	d.checkServer(ctx)
	d.checkProject()
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.client != nil && d.app != "" {
		d.checkApp(ctx)
	}
	if d.project != nil && d.project.Config != nil {
		d.checkConfig()
		d.checkPlugin()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	d.found.OK = true
	failed := 0
	for _, c := range d.found.Checks {
		if c.Verdict == verdictFail {
			d.found.OK = false
			failed++
		}
	}
	if err := d.g.Print(d.found, func(w io.Writer) { d.print(w) }); err != nil {
		return err
	}
	if failed == 0 {
		return nil
	}
	return reported{ota.Invalid("doctor_failed", "%d of %d checks failed", failed, len(d.found.Checks))}
}

func (d *doctor) print(w io.Writer) {
	styles := map[verdict]style{verdictOK: styleGreen, verdictWarn: styleYellow, verdictFail: styleRed}
	labels := map[verdict]string{verdictOK: "OK  ", verdictWarn: "WARN", verdictFail: "FAIL"}
	for _, c := range d.found.Checks {
		fmt.Fprintf(w, "%s  %s: %s\n", d.g.paint(w, styles[c.Verdict], labels[c.Verdict]), c.Name, clean(c.Message))
		if c.Fix != "" {
			fmt.Fprintf(w, "      fix: %s\n", clean(c.Fix))
		}
	}
}

func (d *doctor) ok(name, format string, a ...any) { d.add(name, verdictOK, "", format, a...) }

func (d *doctor) warn(name, fix, format string, a ...any) {
	d.add(name, verdictWarn, fix, format, a...)
}

func (d *doctor) fail(name, fix, format string, a ...any) {
	d.add(name, verdictFail, fix, format, a...)
}

func (d *doctor) add(name string, v verdict, fix, format string, a ...any) {
	d.found.Checks = append(d.found.Checks, check{name, v, fmt.Sprintf(format, a...), fix})
}

// failWith turns an error into a failed check.
func (d *doctor) failWith(name string, err error) {
	fix := ""
	if e, ok := asOTA(err); ok {
		fix = e.Hint
	}
	d.fail(name, fix, "%s", err)
}
