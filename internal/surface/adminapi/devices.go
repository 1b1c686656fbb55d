package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type devicesInput struct {
	Request
	AppParams
	Platform string `query:"platform" doc:"ios, android or electron"`
	Version  string `query:"version" doc:"the version it runs"`
	Channel  string `query:"channel" doc:"the channel it named last"`
	CustomID string `query:"custom_id"`
	PageParams
}

type deviceInput struct {
	Request
	AppParams
	Device string `path:"device" doc:"device id (UUID)"`
}

type override struct {
	Channel string `json:"channel" doc:"name of the channel to bind the device to"`
}

type deviceFailuresInput struct {
	Request
	AppParams
	Device  string `path:"device" doc:"device id (UUID)"`
	Version string `query:"version" doc:"only this version; empty = every one"`
}

type failuresInput struct {
	Request
	AppParams
	Version string `query:"version" doc:"only this version; empty = every one"`
}

func (s *server) registerDevices() {
	const tag = "devices"
	const one = "/apps/{app}/devices/{device}"
	register(s, route{
		id: "list-devices", method: http.MethodGet, path: "/apps/{app}/devices", action: "device.list", tag: tag,
		summary: "List devices, last seen first; a page of a search may be short, even empty, and yet have a next one",
	},
		func(c *call, in *devicesInput, _ none) (list[ota.Device], error) {
			f := ota.DeviceFilter{Platform: in.Platform, Version: in.Version, Channel: in.Channel, CustomID: in.CustomID}
			return listOf(s.deps.Control.Devices(c, in.App, f, in.page()))
		})
	register(s, route{
		id: "get-device", method: http.MethodGet, path: one, action: "device.get", tag: tag,
		summary: "Get a device",
	},
		func(c *call, in *deviceInput, _ none) (ota.Device, error) {
			id, err := deviceID(in.Device)
			if err != nil {
				return ota.Device{}, err
			}
			d, err := s.deps.Control.Device(c, in.App, id)
			if err != nil {
				return ota.Device{}, err
			}
			d.Outcomes, err = s.deps.Insight.DeviceOutcomes(c, in.App, id)
			return d, err
		})
	register(s, route{
		id: "set-override", method: http.MethodPut, path: one + "/override", action: "device.override", tag: tag, status: http.StatusNoContent,
		summary: "Bind a device to a channel, seen before or not",
	},
		func(c *call, in *deviceInput, body override) (none, error) {
			id, err := deviceID(in.Device)
			if err != nil {
				return none{}, err
			}
			return none{}, s.deps.Control.SetOverride(c, c.actor, in.App, id, body.Channel)
		})
	register(s, route{
		id: "clear-override", method: http.MethodDelete, path: one + "/override", action: "device.override", tag: tag, status: http.StatusNoContent,
		summary: "Let a device choose its channel again",
	},
		func(c *call, in *deviceInput, _ none) (none, error) {
			id, err := deviceID(in.Device)
			if err != nil {
				return none{}, err
			}
			return none{}, s.deps.Control.ClearOverride(c, c.actor, in.App, id)
		})
	s.registerFailures()
}

func (s *server) registerFailures() {
	const tag = "devices"
	register(s, route{
		id: "clear-device-failures", method: http.MethodDelete, path: "/apps/{app}/devices/{device}/failures", action: "device.clear_failures", tag: tag, status: http.StatusNoContent,
		summary: "Forget that versions failed on a device, so that they are offered again",
	},
		func(c *call, in *deviceFailuresInput, _ none) (none, error) {
			id, err := deviceID(in.Device)
			if err != nil {
				return none{}, err
			}
			return none{}, s.deps.Control.ClearFailures(c, c.actor, in.App, &id, in.Version)
		})
	register(s, route{
		id: "clear-failures", method: http.MethodDelete, path: "/apps/{app}/failures", action: "device.clear_failures", tag: tag, status: http.StatusNoContent,
		summary: "Forget that versions failed, on every device of the app",
	},
		func(c *call, in *failuresInput, _ none) (none, error) {
			return none{}, s.deps.Control.ClearFailures(c, c.actor, in.App, nil, in.Version)
		})
}

func deviceID(s string) (ota.DeviceID, error) {
	id, ok := ota.ParseDeviceID(s)
	if !ok {
		return id, ota.Invalid("device_id_invalid", "device id %q is not a UUID", clip(s)).WithField("device")
	}
	return id, nil
}
