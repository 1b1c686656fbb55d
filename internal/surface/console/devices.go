package console

import (
	"strconv"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type devicesView struct {
	Devices []ota.Device
	Next    string
	Query   string
	Filter  ota.DeviceFilter
}

func (c *Console) registerDevices() {
	c.page(route{method: "GET", path: "/apps/{app}/devices", action: "device.list"}, c.showDevices)
	c.page(route{method: "GET", path: "/apps/{app}/devices.csv", action: "device.list"}, c.downloadDevices)
}

func filterOf(r *request) ota.DeviceFilter {
	return ota.DeviceFilter{Platform: r.query("platform"), Version: r.query("version"), Channel: r.query("channel"), CustomID: r.query("q")}
}

// showDevices lists devices. Who types a device's id goes straight to it.
func (c *Console) showDevices(r *request) (answer, error) {
	q := r.query("q")
	if id, ok := ota.ParseDeviceID(q); ok {
		return answer{to: address("apps", r.app(), "devices", id.String())}, nil
	}
	f := filterOf(r)
	devices, next, err := r.api.Devices(r, r.app(), f, r.listPage())
	return r.show("devices", "Devices", devicesView{devices, next, q, f}), err
}

// maxDownload bounds the rows of a file.
const maxDownload = 5000

func (c *Console) downloadDevices(r *request) (answer, error) {
	rows := [][]string{{"id", "platform", "runs", "native", "plugin", "channel", "bound_to", "custom_id", "failed", "first_seen", "last_seen"}}
	page := ota.Page{Limit: 500}
	for len(rows) <= maxDownload {
		devices, next, err := r.api.Devices(r, r.app(), filterOf(r), page)
		if err != nil {
			return answer{}, err
		}
		for _, d := range devices {
			rows = append(rows, []string{
				d.ID.String(), d.Platform, d.VersionName, d.VersionBuild, d.PluginVersion, d.DefaultChannel, d.Override, d.CustomID,
				strconv.Itoa(len(d.FailedVersions)), stamp(d.FirstSeen), stamp(d.LastSeen),
			})
		}
		if page.After = next; next == "" {
			break
		}
	}
	return table("devices.csv", rows), nil
}

func stamp(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}
