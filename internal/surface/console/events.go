package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

type eventsView struct {
	Events []ota.Event
	Next   string
	Filter ota.EventFilter
	Device string
}

func (c *Console) registerEvents() {
	c.page(route{method: "GET", path: "/apps/{app}/events", action: "event.list"}, c.showEvents)
	c.page(route{method: "GET", path: "/apps/{app}/events.csv", action: "event.list"}, c.downloadEvents)
}

func eventFilter(r *request) (ota.EventFilter, error) {
	f := ota.EventFilter{Action: r.query("action"), Version: r.query("version")}
	if s := r.query("device"); s != "" {
		id, ok := ota.ParseDeviceID(s)
		if !ok {
			return f, ota.Invalid("device_id_invalid", "this is no device id").WithField("device").WithHint("a device id is a UUID")
		}
		f.Device = id
	}
	return f, nil
}

func (c *Console) showEvents(r *request) (answer, error) {
	f, err := eventFilter(r)
	if err != nil {
		r.problem = asProblem(err)
		return r.show("events", "Events", eventsView{Filter: f, Device: r.query("device")}), nil
	}
	events, next, err := r.api.Events(r, r.app(), f, r.listPage())
	return r.show("events", "Events", eventsView{events, next, f, r.query("device")}), err
}

func (c *Console) downloadEvents(r *request) (answer, error) {
	f, err := eventFilter(r)
	if err != nil {
		return answer{}, err
	}
	rows := [][]string{{"received_at", "device", "action", "version", "old_version", "native", "platform", "plugin", "channel"}}
	page := ota.Page{Limit: 500}
	for len(rows) <= maxDownload {
		events, next, err := r.api.Events(r, r.app(), f, page)
		if err != nil {
			return answer{}, err
		}
		for _, e := range events {
			rows = append(rows, []string{
				stamp(e.ReceivedAt), e.Device.String(), e.Action, e.VersionName, e.OldVersionName, e.VersionBuild, e.Platform, e.PluginVersion, e.Channel,
			})
		}
		if page.After = next; next == "" {
			break
		}
	}
	return table("events.csv", rows), nil
}
