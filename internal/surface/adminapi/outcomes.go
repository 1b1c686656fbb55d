package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/insight"
)

type outcomesInput struct {
	Request
	AppParams
	Version string `query:"version" required:"true" maxLength:"256"`
	State   string `query:"state" doc:"offered, downloading, downloaded, installed, healthy, failed or rolled_back; empty = any"`
	Reason  string `query:"reason" maxLength:"100" doc:"only devices that failed for it, such as update_fail or silent"`
	PageParams
}

type outcomeSummaryInput struct {
	Request
	AppParams
	Version string `path:"version"`
}

type bucketInput struct {
	Request
	AppParams
	Channel string `path:"channel" doc:"channel name"`
	Device  string `query:"device" required:"true" doc:"device id (UUID), known or not"`
}

func (s *server) registerOutcomes() {
	register(s, route{
		id: "list-outcomes", method: http.MethodGet, path: "/apps/{app}/outcomes", action: "device.list", tag: "devices",
		summary: "List how far devices came with a version; a page of a search by reason may be short and yet have a next one",
	},
		func(c *call, in *outcomesInput, _ none) (list[ota.DeviceOutcome], error) {
			f := ota.OutcomeFilter{Version: in.Version, State: in.State, Reason: in.Reason}
			return listOf(s.deps.Insight.Outcomes(c, in.App, f, in.page()))
		})
	register(s, route{
		id: "get-outcomes", method: http.MethodGet, path: "/apps/{app}/bundles/{version}/outcomes", action: "app.get", tag: "insight",
		summary: "Count how far devices came with a version, by state, reason and platform",
	},
		func(c *call, in *outcomeSummaryInput, _ none) (ota.OutcomeSummary, error) {
			return s.deps.Insight.OutcomeSummary(c, in.App, in.Version)
		})
	register(s, route{
		id: "get-bucket", method: http.MethodGet, path: "/apps/{app}/channels/{channel}/bucket", action: "channel.get", tag: "channels",
		summary: "Say where a device falls in the channel's rollout",
	},
		func(c *call, in *bucketInput, _ none) (ota.RolloutBucket, error) {
			id, err := deviceID(in.Device)
			if err != nil {
				return ota.RolloutBucket{}, err
			}
			ch, err := s.deps.Control.Channel(c, in.App, in.Channel)
			if err != nil {
				return ota.RolloutBucket{}, err
			}
			return insight.Bucket(&ch, id)
		})
}
