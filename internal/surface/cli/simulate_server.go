package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/sim"
)

// serverOptions are the flags of simulate that are about a running server.
type serverOptions struct {
	sim.DriveOptions

	publicKey string
	bad       string
	seal      sealedFleetFlags
}

func (o *serverOptions) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.URL, "server", "", "ask this running server over HTTP, with real devices, instead of the virtual clock")
	f.StringVar(&o.App, "app", "", "with --server: app id")
	f.DurationVar(&o.Duration, "duration", 30*time.Second, "with --server: time in which the apps are opened")
	f.IntVar(&o.Opens, "opens", 3, "with --server: how often each app is opened")
	f.IntVar(&o.Concurrency, "concurrency", 32, "with --server: how many devices are at work at the same time")
	f.StringVar(&o.publicKey, "public-key", "", "with --server: file of the public key the app embeds; with it nothing unsigned is taken")
	f.StringVar(&o.Channel, "channel", "", "with --server: channel the app was built with")
	f.StringVar(&o.Native, "native", "1.0.0", "with --server: version of the native app")
	f.StringVar(&o.bad, "bad", "", "with --server: VERSION or VERSION=SHARE that never starts on that share of devices, such as 1.2.0=0.3")
	f.StringVar(&o.Dir, "state", "", "with --server: folder of the devices, with which a second run goes on (default: a temporary one)")
	o.seal.bind(f)
	f.BoolVar(&o.Own, "i-own-this-server", false, "with --server: it is another machine than this one, and meant to bear the load")
}

// run sends the fleet.
func (o *serverOptions) run(ctx context.Context, g *Globals, s sim.Scenario, devices int, seed uint64) error {
	d := o.DriveOptions
	d.Scenario, d.Devices, d.Seed, d.Now = s, devices, seed, time.Now
	var err error
	if d.Sealed, err = o.seal.fleet(o.publicKey != ""); err != nil {
		return err
	}
	if o.publicKey != "" {
		pem, err := os.ReadFile(o.publicKey)
		if err != nil {
			return ota.NotFound("key_file_missing", "cannot read the public key file %s", o.publicKey).WithCause(err)
		}
		d.PublicKeyPEM = string(pem)
	}
	if o.bad != "" {
		version, share, given := strings.Cut(o.bad, "=")
		d.BadVersion, d.BadShare = version, 1
		if given {
			var err error
			if d.BadShare, err = strconv.ParseFloat(share, 64); err != nil {
				return usagef("--bad %q: write VERSION=SHARE, such as 1.2.0=0.3", o.bad)
			}
		}
	}
	if d.Dir == "" {
		dir, err := os.MkdirTemp("", "waxwing-fleet-")
		if err != nil {
			return ota.Errorf(ota.KindInternal, "fleet_folder", "cannot make a temporary folder").WithCause(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		d.Dir = dir
	}
	t := &http.Transport{MaxIdleConnsPerHost: d.Concurrency, MaxConnsPerHost: 4 * d.Concurrency}
	defer t.CloseIdleConnections()
	d.HTTP = t
	r, err := sim.Drive(ctx, d)
	if err != nil {
		return err
	}
	return g.Print(r, func(w io.Writer) { driveText(w, &r) })
}

// driveText writes what was seen of a server.
func driveText(w io.Writer, r *sim.DriveReport) {
	fmt.Fprintf(w, "%d devices, %d sessions in %.1f s against %s (%d not run)\n\n", r.Devices, r.Sessions, r.Seconds, clean(r.Server), r.Late)
	a := &r.Attempts
	rows := [][]string{
		row("answers", counts(r.Answers)),
		row("update attempts", fmt.Sprintf("%d, %.1f %% of those that ended succeeded", a.Started, 100*max(a.Rate, 0))),
		row("failed", counts(r.Downloads)),
		row("rolled back", strconv.Itoa(r.RolledBack)),
		row("devices run", counts(r.Versions)),
		row("reports waiting", strconv.Itoa(r.Queued)),
		row("bytes", strconv.FormatInt(r.Bytes, 10)),
		row("statuses", counts(r.Statuses)),
		row("answer after", fmt.Sprintf("%.1f ms (half), %.1f ms (90 %%), %.1f ms (99 %%)", r.Latency.Half, r.Latency.Ninety, r.Latency.NinetyNine)),
		row("faults", fmt.Sprintf("%d offline, %d captive, %d slow, %d lossy sessions; %d requests lost, %d downloads cut",
			r.Faults.Offline, r.Faults.Captive, r.Faults.Slow, r.Faults.Lossy, r.Faults.Lost, r.Faults.Cut)),
	}
	table(w, append(rows, sealedRows(r.Sealed)...))
}

func counts(list []sim.Named) string {
	var parts []string
	for _, n := range list {
		parts = append(parts, fmt.Sprintf("%s %d", clean(n.Name), n.N))
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}
