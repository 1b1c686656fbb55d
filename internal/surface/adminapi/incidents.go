package adminapi

import (
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

type incidentsInput struct {
	Request
	App   string `query:"app" doc:"only of this app"`
	State string `query:"state" enum:"open,contained,recovering,resolved,closed" doc:"only in this state"`
	PageParams
}

type incidentInput struct {
	Request
	ID int64 `path:"incident" minimum:"1" doc:"id of the incident"`
}

type incidentImpactInput struct {
	Request
	ID int64  `path:"incident" minimum:"1" doc:"id of the incident"`
	To string `query:"to" doc:"version to go back to; empty = the one before"`
}

type incidentDevicesInput struct {
	Request
	ID    int64  `path:"incident" minimum:"1" doc:"id of the incident"`
	State string `query:"state" enum:"offered,downloading,downloaded,installed,healthy,failed,rolled_back" doc:"only devices that came this far"`
	PageParams
}

// incidentScope is the app of an incident. One that does not exist is the server's.
func (s *server) incidentScope(hc huma.Context) (ota.Scope, error) {
	nowhere := ota.Scope{Org: ota.MainOrg}
	id, err := strconv.ParseInt(hc.Param("incident"), 10, 64)
	if err != nil {
		return nowhere, nil
	}
	i, err := s.deps.Incidents.Incident(hc.Context(), id)
	if err != nil && ota.KindOf(err) == ota.KindNotFound {
		return nowhere, nil
	}
	return ota.Scope{Org: i.Org, App: i.App}, err
}

const (
	tagIncidents = "incidents"
	oneIncident  = "/incidents/{incident}"
)

func (s *server) registerIncidents() {
	register(s, route{
		id: "list-incidents", method: http.MethodGet, path: "/incidents", action: "incident.list", tag: tagIncidents, somewhere: true,
		summary: "List incidents, newest first",
	},
		func(c *call, in *incidentsInput, _ none) (list[ota.Incident], error) {
			f := ota.IncidentFilter{App: in.App, State: ota.IncidentState(in.State), Within: c.reach}
			return listOf(s.deps.Incidents.Incidents(c, f, in.page()))
		})
	register(s, route{
		id: "declare-incident", method: http.MethodPost, path: "/apps/{app}/incidents", action: "incident.declare", tag: tagIncidents, status: http.StatusCreated,
		summary: "Declare an incident about a channel, a version or something else of an app",
	},
		func(c *call, in *appInput, body ota.NewIncident) (ota.Incident, error) {
			body.App = in.App
			return s.deps.Incidents.Declare(c, c.principal, body)
		})
	register(s, route{
		id: "get-incident", method: http.MethodGet, path: oneIncident, action: "incident.get", tag: tagIncidents, scope: s.incidentScope,
		summary: "Get an incident with whom it reached and how far the recovery is",
	},
		func(c *call, in *incidentInput, _ none) (ota.IncidentDetail, error) {
			return s.deps.Incidents.Detail(c, in.ID)
		})
	register(s, route{
		id: "list-incident-devices", method: http.MethodGet, path: oneIncident + "/devices", action: "incident.get", tag: tagIncidents, scope: s.incidentScope,
		summary: "List the devices that had to do with the incident's version",
	},
		func(c *call, in *incidentDevicesInput, _ none) (list[ota.AffectedDevice], error) {
			return listOf(s.deps.Incidents.Devices(c, in.ID, in.State, in.page()))
		})
	register(s, route{
		id: "get-incident-impact", method: http.MethodGet, path: oneIncident + "/impact", action: "incident.get", tag: tagIncidents, scope: s.incidentScope,
		summary: "Get what a recovery would do, channel by channel, before it is done",
	},
		func(c *call, in *incidentImpactInput, _ none) (list[ota.Impact], error) {
			items, err := s.incidentImpact(c, in.ID, in.To)
			return listOf(items, "", err)
		})
	register(s, route{
		id: "list-incident-entries", method: http.MethodGet, path: oneIncident + "/timeline", action: "incident.get", tag: tagIncidents, scope: s.incidentScope,
		summary: "List what happened in an incident, oldest first",
	},
		func(c *call, in *incidentInput, _ none) (list[ota.IncidentEntry], error) {
			items, _, err := s.deps.Incidents.Timeline(c, in.ID)
			return listOf(items, "", err)
		})
	register(s, route{
		id: "get-incident-report", method: http.MethodGet, path: oneIncident + "/report", action: "incident.get", tag: tagIncidents, scope: s.incidentScope,
		summary: "Get the post-mortem of an incident as Markdown",
	},
		func(c *call, in *incidentInput, _ none) (ota.IncidentReport, error) {
			return s.deps.Incidents.Report(c, in.ID)
		})
	s.registerIncidentActs()
}

func (s *server) registerIncidentActs() {
	register(s, route{
		id: "contain-incident", method: http.MethodPost, path: oneIncident + "/contain", action: "incident.contain", tag: tagIncidents, scope: s.incidentScope,
		summary: "Freeze channels, quarantine or block versions, retire keys and revoke tokens, all in one act and without approval",
	},
		func(c *call, in *incidentInput, body ota.Containment) (ota.Incident, error) {
			i, err := s.deps.Incidents.Incident(c, in.ID)
			if err == nil && len(body.RetireKeys) > 0 {
				err = c.may("key.update", ota.Scope{Org: i.Org, App: i.App})
			}
			if err != nil {
				return i, err
			}
			return s.deps.Incidents.Contain(c, c.principal, in.ID, body)
		})
	register(s, route{
		id: "recover-incident", method: http.MethodPost, path: oneIncident + "/recover", action: "incident.recover", tag: tagIncidents, scope: s.incidentScope,
		summary: "Take devices off the incident's version: end its rollout, roll its channel back",
	},
		func(c *call, in *incidentInput, body ota.Recovery) (ota.Incident, error) {
			return s.deps.Incidents.Recover(c, c.actor, in.ID, body)
		})
	register(s, route{
		id: "note-incident", method: http.MethodPost, path: oneIncident + "/notes", action: "incident.note", tag: tagIncidents, scope: s.incidentScope,
		summary: "Write down what was seen or done",
	},
		func(c *call, in *incidentInput, body ota.IncidentNote) (ota.Incident, error) {
			return s.deps.Incidents.Note(c, c.actor, in.ID, body.Text)
		})
	register(s, route{
		id: "resolve-incident", method: http.MethodPost, path: oneIncident + "/resolve", action: "incident.resolve", tag: tagIncidents, scope: s.incidentScope,
		summary: "Say by hand that the recovery is done",
	},
		func(c *call, in *incidentInput, body ota.IncidentNote) (ota.Incident, error) {
			return s.deps.Incidents.Resolve(c, c.actor, in.ID, body.Text)
		})
	register(s, route{
		id: "close-incident", method: http.MethodPost, path: oneIncident + "/close", action: "incident.close", tag: tagIncidents, scope: s.incidentScope,
		summary: "Close an incident; one that was not resolved needs to be told why",
	},
		func(c *call, in *incidentInput, body ota.IncidentNote) (ota.Incident, error) {
			return s.deps.Incidents.Close(c, c.actor, in.ID, body.Text)
		})
}

func (s *server) incidentImpact(c *call, id int64, to string) ([]ota.Impact, error) {
	i, err := s.deps.Incidents.Incident(c, id)
	if err != nil {
		return nil, err
	}
	targets, err := s.deps.Control.RecoveryTargets(c, i.App, control.Recovery{Channel: i.Channel, Version: i.Version, To: to})
	if err != nil {
		return nil, err
	}
	var out []ota.Impact
	for _, t := range targets {
		im, err := s.deps.Insight.Impact(c, t.Channel, t.To)
		if err != nil {
			return nil, err
		}
		out = append(out, im)
	}
	return out, nil
}
