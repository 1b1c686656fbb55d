package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Incidents lists incidents, newest first.
func (c *Client) Incidents(ctx context.Context, f ota.IncidentFilter, page ota.Page) ([]ota.Incident, string, error) {
	q := url.Values{}
	set(q, "app", f.App)
	set(q, "state", string(f.State))
	return getList[ota.Incident](ctx, c, page, q, "incidents")
}

// DeclareIncident declares an incident of in.App.
func (c *Client) DeclareIncident(ctx context.Context, in ota.NewIncident) (ota.Incident, error) {
	return send[ota.Incident](ctx, c, http.MethodPost, in, "apps", in.App, "incidents")
}

// Incident returns an incident with what is known of it now.
func (c *Client) Incident(ctx context.Context, id int64) (ota.IncidentDetail, error) {
	return get[ota.IncidentDetail](ctx, c, "incidents", strconv.FormatInt(id, 10))
}

// IncidentDevices lists the devices that had to do with the incident's version,
// of a state or ("") of all.
func (c *Client) IncidentDevices(ctx context.Context, id int64, state string, page ota.Page) ([]ota.AffectedDevice, string, error) {
	q := url.Values{}
	set(q, "state", state)
	return getList[ota.AffectedDevice](ctx, c, page, q, "incidents", strconv.FormatInt(id, 10), "devices")
}

// IncidentImpact says what a recovery would do, channel by channel.
func (c *Client) IncidentImpact(ctx context.Context, id int64, to string) ([]ota.Impact, error) {
	q := url.Values{}
	set(q, "to", to)
	items, _, err := getList[ota.Impact](ctx, c, ota.Page{}, q, "incidents", strconv.FormatInt(id, 10), "impact")
	return items, err
}

// IncidentTimeline lists what happened, oldest first.
func (c *Client) IncidentTimeline(ctx context.Context, id int64) ([]ota.IncidentEntry, error) {
	items, _, err := getList[ota.IncidentEntry](ctx, c, ota.Page{}, nil, "incidents", strconv.FormatInt(id, 10), "timeline")
	return items, err
}

// IncidentReport returns the post-mortem as Markdown.
func (c *Client) IncidentReport(ctx context.Context, id int64) (ota.IncidentReport, error) {
	return get[ota.IncidentReport](ctx, c, "incidents", strconv.FormatInt(id, 10), "report")
}

// ContainIncident does all of a containment in one act.
func (c *Client) ContainIncident(ctx context.Context, id int64, in ota.Containment) (ota.Incident, error) {
	return c.onIncident(ctx, id, "contain", in)
}

// RecoverIncident takes devices off the incident's version.
func (c *Client) RecoverIncident(ctx context.Context, id int64, in ota.Recovery) (ota.Incident, error) {
	return c.onIncident(ctx, id, "recover", in)
}

// NoteIncident writes down what was seen or done.
func (c *Client) NoteIncident(ctx context.Context, id int64, text string) (ota.Incident, error) {
	return c.onIncident(ctx, id, "notes", ota.IncidentNote{Text: text})
}

// ResolveIncident says by hand that the recovery is done.
func (c *Client) ResolveIncident(ctx context.Context, id int64, text string) (ota.Incident, error) {
	return c.onIncident(ctx, id, "resolve", ota.IncidentNote{Text: text})
}

// CloseIncident closes an incident.
func (c *Client) CloseIncident(ctx context.Context, id int64, text string) (ota.Incident, error) {
	return c.onIncident(ctx, id, "close", ota.IncidentNote{Text: text})
}

func (c *Client) onIncident(ctx context.Context, id int64, do string, in any) (ota.Incident, error) {
	return send[ota.Incident](ctx, c, http.MethodPost, in, "incidents", strconv.FormatInt(id, 10), do)
}
