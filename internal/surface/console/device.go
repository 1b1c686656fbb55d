package console

import (
	"bytes"
	"encoding/json"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type deviceView struct {
	Device   ota.Device
	Events   []ota.Event
	Channels []ota.Channel
	Answer   string // what it would get now
	Trace    []client.ProbeStep
	NoProbe  string // why there is no answer
}

func (c *Console) registerDevice() {
	const one = "/apps/{app}/devices/{device}"
	c.page(route{method: "GET", path: one, action: "device.get"}, c.showDevice)
	c.act(route{method: "POST", path: one + "/failures", action: "device.clear_failures"}, c.clearFailures, c.showDevice)
	c.act(route{method: "POST", path: one + "/override", action: "device.override"}, c.override, c.showDevice)
}

func (r *request) device() (ota.DeviceID, error) {
	id, ok := ota.ParseDeviceID(r.PathValue("device"))
	if !ok {
		return id, ota.NotFound("device_not_found", "this is no device id").WithHint("a device id is a UUID")
	}
	return id, nil
}

func (c *Console) showDevice(r *request) (answer, error) {
	id, err := r.device()
	if err != nil {
		return answer{}, err
	}
	var v deviceView
	if v.Device, err = r.api.Device(r, r.app(), id); err != nil {
		return answer{}, err
	}
	if v.Events, _, err = r.api.Events(r, r.app(), ota.EventFilter{Device: id}, ota.Page{Limit: 10}); err != nil && ota.KindOf(err) != ota.KindForbidden {
		return answer{}, err
	}
	if v.Channels, err = r.api.Channels(r, r.app()); err != nil {
		return answer{}, err
	}
	c.explain(r, &v)
	return r.show("device", "Device "+shortText(id), v), nil
}

// explain asks what the device would get if it asked now as it last did.
func (c *Console) explain(r *request, v *deviceView) {
	d := &v.Device
	if d.FirstSeen == 0 {
		v.NoProbe = "It has not been seen yet, so nothing is known of its platform and native version."
		return
	}
	res, err := r.api.Probe(r, r.app(), ota.ProbeRequest{
		Platform: d.Platform, Native: d.VersionBuild, Current: d.VersionName, Device: d.ID.String(), Plugin: d.PluginVersion,
		Channel: d.DefaultChannel, KeyID: d.KeyID, NoKey: d.KeyID == "", IsProd: &d.IsProd, IsEmulator: d.IsEmulator,
	})
	if err != nil {
		v.NoProbe = asProblem(err).Msg
		return
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, res.Answer, "", "  ") != nil {
		pretty.Write(res.Answer)
	}
	v.Answer, v.Trace = pretty.String(), res.Trace
}

func (c *Console) clearFailures(r *request) (answer, error) {
	id, err := r.device()
	if err != nil {
		return answer{}, err
	}
	err = r.api.ClearFailures(r, r.app(), &id, r.PostFormValue("version"))
	return r.done("failures_cleared", "apps", r.app(), "devices", id.String()), err
}

func (c *Console) override(r *request) (answer, error) {
	id, err := r.device()
	if err != nil {
		return answer{}, err
	}
	if r.text("channel") == "" {
		return r.done("override_cleared", "apps", r.app(), "devices", id.String()), r.api.ClearOverride(r, r.app(), id)
	}
	return r.done("override_set", "apps", r.app(), "devices", id.String()), r.api.SetOverride(r, r.app(), id, r.text("channel"))
}
