package adminapi

import (
	"encoding/json"
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type eventsInput struct {
	Request
	AppParams
	Device  string `query:"device" doc:"device id (UUID)"`
	Action  string `query:"action"`
	Version string `query:"version" doc:"version_name, exactly as reported"`
	Since   int64  `query:"since" minimum:"0" doc:"received then or later"`
	PageParams
}

type trafficInput struct {
	Request
	AppParams
	Device string `query:"device" doc:"device id (UUID); only downloads whose address named it count"`
	Days   int    `query:"days" minimum:"0" maximum:"400" doc:"how many days, today included; 0 = 30"`
}

// probeAnswer is what a device would be told, and why.
type probeAnswer struct {
	Answer json.RawMessage `json:"answer" doc:"exactly what the wire would carry"`
	Trace  []decide.Step   `json:"trace" nullable:"false" doc:"the rules in the order they were asked"`
}

func (s *server) registerEvents() {
	register(s, route{
		id: "list-events", method: http.MethodGet, path: "/apps/{app}/events", action: "event.list", tag: "events",
		summary: "List what devices reported, newest first; a page of a search may be short, even empty, and yet have a next one",
	},
		func(c *call, in *eventsInput, _ none) (list[ota.Event], error) {
			f := ota.EventFilter{Action: in.Action, Version: in.Version, Since: in.Since}
			if in.Device != "" {
				id, err := deviceID(in.Device)
				if err != nil {
					return list[ota.Event]{}, err
				}
				f.Device = id
			}
			return listOf(s.deps.Control.Events(c, in.App, f, in.page()))
		})
	register(s, route{
		id: "list-traffic", method: http.MethodGet, path: "/apps/{app}/traffic", action: "traffic.list", tag: "events",
		summary: "List the bytes that were downloaded per day, latest first",
	},
		func(c *call, in *trafficInput, _ none) (list[ota.Traffic], error) {
			var device *ota.DeviceID
			if in.Device != "" {
				id, err := deviceID(in.Device)
				if err != nil {
					return list[ota.Traffic]{}, err
				}
				device = &id
			}
			days, err := s.deps.Control.Traffic(c, in.App, device, in.Days)
			return listOf(days, "", err)
		})
	register(s, route{
		id: "probe", method: http.MethodPost, path: "/apps/{app}/probe", action: "probe", tag: "devices",
		summary: "Ask what a device would get now, and why; changes nothing",
	},
		func(c *call, in *appInput, body ota.ProbeRequest) (probeAnswer, error) {
			answer, trace, err := s.deps.Probe(c, in.App, body, requestOf(c.http))
			if trace == nil {
				trace = []decide.Step{}
			}
			return probeAnswer{Answer: answer, Trace: trace}, err
		})
}
