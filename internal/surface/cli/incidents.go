package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newIncidentsCommand(g *Globals) *cobra.Command {
	c := newGroup("incidents", "Lead through an emergency: declare, contain, recover, write down",
		newIncidentsDeclareCommand(g), newIncidentsListCommand(g), newIncidentsShowCommand(g), newIncidentsDevicesCommand(g),
		newIncidentsContainCommand(g), newIncidentsRecoverCommand(g),
		newIncidentsSayCommand(g, "note"), newIncidentsSayCommand(g, "resolve"), newIncidentsSayCommand(g, "close"),
		newIncidentsReportCommand(g))
	c.Aliases = []string{"incident"}
	c.Long = `Lead through an emergency: declare it, see whom the bad version reached, contain
it, take devices off it, watch them leave, and export what happened. The practised
way is in docs/incidents.md; try it without risk with: waxwing drill`
	return c
}

func newIncidentsDeclareCommand(g *Globals) *cobra.Command {
	var in ota.NewIncident
	var severity string
	c := &cobra.Command{
		Use:   "declare",
		Short: "Declare an incident about a channel, a version or something else",
		Example: "  waxwing incidents declare --app com.example.shop --channel production --title 'Checkout stays white' --severity critical\n" +
			"  waxwing incidents declare --app com.example.shop --version 2.0.0 --from alert:12 --title 'Failure rate'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			in.Severity = ota.IncidentSeverity(severity)
			i, err := cl.DeclareIncident(cmd.Context(), in)
			if err != nil {
				return err
			}
			return g.Print(i, func(w io.Writer) {
				fmt.Fprintln(w, clean(fmt.Sprintf("incident %d declared about %s", i.ID, aboutIncident(&i))))
				if i.Version == "" && i.Channel == "" {
					fmt.Fprintln(w, "it names no version and no channel, so there is nothing to contain or recover by itself:")
					fmt.Fprintln(w, "declare it with --version or --channel, or say what to stop: waxwing incidents contain "+strconv.FormatInt(i.ID, 10)+" --revoke-token ID")
					return
				}
				fmt.Fprintf(w, "next: waxwing incidents show %d, then contain and recover\n", i.ID)
			})
		},
	}
	appFlag(c, &in.App)
	f := c.Flags()
	f.StringVar(&in.Channel, "channel", "", "channel that serves the bad version")
	f.StringVar(&in.Version, "version", "", "bad version (default: what the channel rolls out, or else serves)")
	f.StringVar(&in.Subject, "from", "", "what it is declared from: release:CHANNEL, bundle:VERSION, device:ID, error:ID or alert:ID")
	f.StringVar(&in.Title, "title", "", "what is wrong, in a few words (required)")
	f.StringVar(&severity, "severity", "major", "critical, major or minor")
	f.StringVar(&in.Commander, "commander", "", "who leads (default: you)")
	require(c, "title")
	return c
}

func aboutIncident(i *ota.Incident) string {
	var parts []string
	if i.Version != "" {
		parts = append(parts, "version "+i.Version)
	}
	if i.Channel != "" {
		parts = append(parts, "channel "+i.Channel)
	}
	if len(parts) == 0 {
		parts = append(parts, "app "+i.App)
	}
	return strings.Join(parts, " on ")
}

func newIncidentsListCommand(g *Globals) *cobra.Command {
	var f ota.IncidentFilter
	var state string
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List incidents, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			f.State = ota.IncidentState(state)
			items, next, err := cl.Incidents(cmd.Context(), f, page)
			if err != nil {
				return err
			}
			head := []string{"ID", "STATE", "SEVERITY", "APP", "CHANNEL", "VERSION", "DECLARED", "TITLE"}
			return printList(g, items, next, head, func(i ota.Incident) []string {
				return []string{
					strconv.FormatInt(i.ID, 10), string(i.State), string(i.Severity), i.App, i.Channel, i.Version, when(i.OpenedAt), i.Title,
				}
			})
		},
	}
	c.Flags().StringVar(&f.App, "app", "", "only of this app")
	c.Flags().StringVar(&state, "state", "", "only open, contained, recovering, resolved or closed ones")
	pageFlags(c.Flags(), &page)
	return c
}

// incidentID reads the id of an incident.
func incidentID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id <= 0 {
		return 0, usagef("%q is not the id of an incident", arg).WithHint("see: waxwing incidents list")
	}
	return id, nil
}

func newIncidentsDevicesCommand(g *Globals) *cobra.Command {
	var state string
	var page ota.Page
	c := &cobra.Command{
		Use:   "devices ID",
		Short: "List the devices that had to do with the bad version",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := incidentID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.IncidentDevices(cmd.Context(), id, state, page)
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"DEVICE", "PLATFORM", "NATIVE", "STATE", "REASON", "RUNS NOW", "LAST SEEN"}, func(d ota.AffectedDevice) []string {
				return []string{d.ID.String(), d.Platform, d.Native, d.State, d.Reason, d.VersionName, when(d.LastSeen)}
			})
		},
	}
	c.Flags().StringVar(&state, "state", "", "only offered, downloading, downloaded, installed, healthy, failed or rolled_back ones")
	pageFlags(c.Flags(), &page)
	return c
}
