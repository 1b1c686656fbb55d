package console

import (
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type incidentsView struct {
	Incidents []ota.Incident
	State     ota.IncidentState // only those; "" = all
	States    []ota.IncidentState
	Next      string
}

func (c *Console) registerIncidents() {
	c.page(route{method: "GET", path: "/incidents", action: "incident.list", somewhere: true}, c.showIncidents)
	const fresh = "/apps/{app}/incidents/new"
	c.page(route{method: "GET", path: fresh, action: "incident.declare"}, c.newIncident)
	c.act(route{method: "POST", path: fresh, action: "incident.declare"}, c.declareIncident, c.newIncident)
	c.registerIncident()
	c.registerContainment()
}

func (c *Console) showIncidents(r *request) (answer, error) {
	v := incidentsView{
		State:  ota.IncidentState(r.query("state")),
		States: []ota.IncidentState{ota.IncidentOpen, ota.IncidentContained, ota.IncidentRecovering, ota.IncidentResolved, ota.IncidentClosed},
	}
	var err error
	v.Incidents, v.Next, err = r.api.Incidents(r, ota.IncidentFilter{App: r.query("app"), State: v.State}, r.listPage())
	return r.show("incidents", "Incidents", v), err
}

// newIncidentView is the form, filled with what the button that led here was about.
type newIncidentView struct {
	Channels                  []ota.Channel
	Channel, Version, Subject string
	Severities                []ota.IncidentSeverity
}

func (c *Console) newIncident(r *request) (answer, error) {
	v := newIncidentView{
		Channel: r.query("channel"), Version: r.query("version"), Subject: r.query("from"),
		Severities: []ota.IncidentSeverity{ota.IncidentCritical, ota.IncidentMajor, ota.IncidentMinor},
	}
	if r.Method != "GET" {
		v.Channel, v.Version, v.Subject = r.text("channel"), r.text("version"), r.text("from")
	}
	var err error
	v.Channels, err = r.api.Channels(r, r.app())
	return r.show("newincident", "Declare an incident", v), err
}

func (c *Console) declareIncident(r *request) (answer, error) {
	i, err := r.api.DeclareIncident(r, ota.NewIncident{
		App: r.app(), Channel: r.text("channel"), Version: r.text("version"), Subject: r.text("from"),
		Title: r.text("title"), Severity: ota.IncidentSeverity(r.text("severity")),
	})
	return r.done("incident_declared", "incidents", numPlain(i.ID)), err
}

// registerContainment has what can be done without an incident.
func (c *Console) registerContainment() {
	const channel, bundle = "/apps/{app}/channels/{channel}", "/apps/{app}/bundles/{version}"
	reasoned := func(path, action, notice string, v confirmView, do func(r *request, reason string) error, back func(r *request) []string) {
		c.confirmed(route{path: path, action: action}, func(r *request) (confirmView, error) {
			v := v
			v.Heading += " " + back(r)[3]
			v.Reason, v.Back = "Why, for the record", address(back(r)...)
			return v, nil
		}, func(r *request) (answer, error) {
			return r.done(notice, back(r)...), do(r, r.text("reason"))
		})
	}
	toChannel := func(r *request) []string { return []string{"apps", r.app(), "channels", r.channel()} }
	toBundle := func(r *request) []string { return []string{"apps", r.app(), "bundles", r.PathValue("version")} }
	reasoned(channel+"/freeze", "channel.freeze", "channel_frozen", confirmView{
		Heading: "Freeze", Button: "Freeze the channel",
		What: []string{"Nothing is released, widened or promoted on the channel until somebody opens it again.", "Its rollout is paused.", "Rolling back stays possible. Nobody has to approve this."},
	}, func(r *request, why string) error { _, err := r.api.Freeze(r, r.app(), r.channel(), why); return err }, toChannel)
	reasoned(channel+"/thaw", "channel.thaw", "channel_thawed", confirmView{
		Heading: "Open", Button: "Open the channel again",
		What: []string{"Releases and rollouts are possible again.", "A rollout stays paused until it is resumed."},
	}, func(r *request, why string) error { _, err := r.api.Thaw(r, r.app(), r.channel(), why); return err }, toChannel)
	for _, h := range []struct {
		verb, heading, button string
		hold                  ota.Hold
		what                  []string
	}{
		{"quarantine", "Quarantine", "Quarantine the version", ota.Quarantined, []string{
			"No channel serves the version, on no path, and links to its files are refused.", "Devices that run it keep it.", "Nobody has to approve this.",
		}},
		{"block", "Block", "Block the version for all devices", ota.Blocked, []string{
			"No channel serves the version, on no path, and links to its files are refused.",
			"Devices that run it get the best other release of their channel at their next check, or else the bundle of the native app.", "Nobody has to approve this.",
		}},
	} {
		reasoned(bundle+"/"+h.verb, "bundle."+h.verb, "bundle_held", confirmView{Heading: h.heading, Button: h.button, What: h.what},
			func(r *request, why string) error {
				_, err := r.api.Hold(r, r.app(), r.PathValue("version"), h.hold, why)
				return err
			}, toBundle)
	}
	reasoned(bundle+"/release", "bundle.release", "bundle_released", confirmView{
		Heading: "Put into service", Button: "Put the version into service again", What: []string{"Channels that have the version serve it again."},
	}, func(r *request, why string) error {
		_, err := r.api.Unhold(r, r.app(), r.PathValue("version"), why)
		return err
	}, toBundle)
}
