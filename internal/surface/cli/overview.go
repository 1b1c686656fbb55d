package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// overview is what status prints.
type overview struct {
	URL    string           `json:"url"`
	Me     ota.Actor        `json:"me"`
	Server ota.ServerStatus `json:"server"`
	Apps   []ota.App        `json:"apps,omitempty"` // without --app
	App    *appOverview     `json:"app,omitempty"`  // with --app
}

// appOverview is what is released, and who runs what.
type appOverview struct {
	ID       string        `json:"id"`
	Keys     []ota.Key     `json:"keys"`
	Channels []ota.Channel `json:"channels"`
	// Versions counts the devices seen last, at most Counted of them.
	Versions []versionCount `json:"versions"`
	Counted  int            `json:"counted"`
	More     bool           `json:"more"` // there are devices that were not counted
}

type versionCount struct {
	Version string `json:"version"` // as devices report it
	Devices int    `json:"devices"`
	Failed  int    `json:"failed"` // devices on which it failed
}

func newStatusCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "status",
		Short: "Show the server, or what an app has released and its devices run",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), g, app) },
	}
	c.Flags().StringVar(&app, "app", "", "app id")
	return c
}

func runStatus(ctx context.Context, g *Globals, app string) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	o := overview{URL: cl.URL()}
	me, err := cl.Me(ctx)
	if err != nil {
		return err
	}
	o.Me = me.Actor
	if o.Server, err = cl.Status(ctx); err != nil {
		return err
	}
	if app == "" {
		if o.Apps, _, err = cl.Apps(ctx, ota.Page{Limit: 500}); err != nil {
			return err
		}
	} else if o.App, err = viewApp(ctx, cl, app); err != nil {
		return err
	}
	return g.Print(o, func(w io.Writer) {
		if o.App != nil {
			printAppOverview(w, o.App)
			return
		}
		printOverview(w, o)
	})
}

// countPages bounds how many pages of devices status counts.
const countPages = 4

func viewApp(ctx context.Context, cl *client.Client, id string) (*appOverview, error) {
	v := &appOverview{ID: id}
	var err error
	if v.Keys, err = cl.Keys(ctx, id); err != nil {
		return nil, err
	}
	if v.Channels, err = cl.Channels(ctx, id); err != nil {
		return nil, err
	}
	page := ota.Page{Limit: 500}
	counts := map[string]*versionCount{}
	at := func(version string) *versionCount {
		if counts[version] == nil {
			counts[version] = &versionCount{Version: version}
		}
		return counts[version]
	}
	for range countPages {
		devices, next, err := cl.Devices(ctx, id, ota.DeviceFilter{}, page)
		if err != nil {
			return nil, err
		}
		for _, d := range devices {
			v.Counted++
			at(d.VersionName).Devices++
			for _, f := range d.FailedVersions {
				at(f).Failed++
			}
		}
		v.More, page.After = next != "", next
		if next == "" {
			break
		}
	}
	v.Versions = []versionCount{}
	for _, c := range counts {
		v.Versions = append(v.Versions, *c)
	}
	slices.SortFunc(v.Versions, func(a, b versionCount) int {
		return cmp.Or(cmp.Compare(b.Devices, a.Devices), cmp.Compare(a.Version, b.Version))
	})
	return v, nil
}

func printOverview(w io.Writer, o overview) {
	s := o.Server
	facts(w, "server", o.URL+" ("+s.Version+")", "public address", cmp.Or(s.PublicURL, "as asked"), "you are", string(o.Me), "up since", when(s.StartedAt),
		"device requests", strconv.FormatInt(s.Requests, 10), "events", strconv.FormatInt(s.Events, 10), "auto-halts", strconv.FormatInt(s.AutoHalts, 10))
	if s.ReadOnlyDB {
		facts(w, "trouble", "the database takes no writes: is the disk full?")
	}
	if len(o.Apps) == 0 {
		fmt.Fprintln(w, "no apps yet; in your app's folder: waxwing init")
		return
	}
	fmt.Fprintln(w)
	rows := [][]string{{"APP", "NAME"}}
	for _, a := range o.Apps {
		rows = append(rows, row(a.ID, a.Name))
	}
	table(w, rows)
}

func printAppOverview(w io.Writer, v *appOverview) {
	rows := [][]string{channelHead()}
	for _, ch := range v.Channels {
		rows = append(rows, row(channelCells(ch)...))
	}
	table(w, rows)
	for _, k := range v.Keys {
		fmt.Fprintf(w, "\nkey %s (%s)", clean(k.ID), k.State)
	}
	fmt.Fprintln(w)
	if v.Counted == 0 {
		fmt.Fprintln(w, "\nno device was seen yet")
		return
	}
	rows = [][]string{{"VERSION", "DEVICES", "FAILED ON"}}
	for _, c := range v.Versions {
		rows = append(rows, row(c.Version, strconv.Itoa(c.Devices), strconv.Itoa(c.Failed)))
	}
	fmt.Fprintln(w)
	table(w, rows)
	if v.More {
		fmt.Fprintf(w, "counted the %d devices seen last\n", v.Counted)
	}
}
