package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// DeviceFilter narrows a list of devices.
type DeviceFilter = ota.DeviceFilter

// EventFilter narrows a list of events.
type EventFilter = ota.EventFilter

// Devices lists an app's devices, last seen first.
func (c *Client) Devices(ctx context.Context, app string, f ota.DeviceFilter, page ota.Page) ([]ota.Device, string, error) {
	q := url.Values{}
	set(q, "platform", f.Platform)
	set(q, "version", f.Version)
	set(q, "channel", f.Channel)
	set(q, "custom_id", f.CustomID)
	return getList[ota.Device](ctx, c, page, q, "apps", app, "devices")
}

// Device returns one device.
func (c *Client) Device(ctx context.Context, app string, id ota.DeviceID) (ota.Device, error) {
	return get[ota.Device](ctx, c, "apps", app, "devices", id.String())
}

// SetOverride binds a device to a channel, whether or not it was seen before.
func (c *Client) SetOverride(ctx context.Context, app string, id ota.DeviceID, channel string) error {
	in := struct {
		Channel string `json:"channel"`
	}{channel}
	_, err := c.do(ctx, call{method: http.MethodPut, path: []string{"apps", app, "devices", id.String(), "override"}, in: in})
	return err
}

// ClearOverride lets a device choose its channel again.
func (c *Client) ClearOverride(ctx context.Context, app string, id ota.DeviceID) error {
	return remove(ctx, c, nil, "apps", app, "devices", id.String(), "override")
}

// ClearFailures forgets that a version ("" = every one) failed on a device
// (nil = on every device of the app), so that it is offered again.
func (c *Client) ClearFailures(ctx context.Context, app string, id *ota.DeviceID, version string) error {
	q := url.Values{}
	set(q, "version", version)
	if id == nil {
		return remove(ctx, c, q, "apps", app, "failures")
	}
	return remove(ctx, c, q, "apps", app, "devices", id.String(), "failures")
}

// Events lists what devices reported, newest first.
func (c *Client) Events(ctx context.Context, app string, f ota.EventFilter, page ota.Page) ([]ota.Event, string, error) {
	q := url.Values{}
	if f.Device != (ota.DeviceID{}) {
		q.Set("device", f.Device.String())
	}
	set(q, "action", f.Action)
	set(q, "version", f.Version)
	if f.Since != 0 {
		q.Set("since", strconv.FormatInt(f.Since, 10))
	}
	return getList[ota.Event](ctx, c, page, q, "apps", app, "events")
}

// Traffic lists the bytes that were downloaded per day, latest first: of one
// device (nil = of all), for so many days (0 = 30).
func (c *Client) Traffic(ctx context.Context, app string, device *ota.DeviceID, days int) ([]ota.Traffic, error) {
	q := url.Values{}
	if device != nil {
		q.Set("device", device.String())
	}
	if days != 0 {
		q.Set("days", strconv.Itoa(days))
	}
	items, _, err := getList[ota.Traffic](ctx, c, ota.Page{}, q, "apps", app, "traffic")
	return items, err
}

// ProbeAnswer is what a device would be told now, and why.
type ProbeAnswer struct {
	Answer json.RawMessage `json:"answer"` // exactly what the wire would carry
	Trace  []ProbeStep     `json:"trace"`  // the rules in the order they were asked
}

// ProbeStep is one rule that was asked.
type ProbeStep struct {
	Rule   string `json:"rule"`
	Result string `json:"result"` // pass, stop, skip, choose
	Detail string `json:"detail"`
}

// Probe asks what a device would get now, and why. It changes nothing.
func (c *Client) Probe(ctx context.Context, app string, in ota.ProbeRequest) (ProbeAnswer, error) {
	return send[ProbeAnswer](ctx, c, http.MethodPost, in, "apps", app, "probe")
}

func set(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}
