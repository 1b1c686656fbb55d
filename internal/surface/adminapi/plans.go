package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type rolloutDeviceInput struct {
	Request
	AppParams
	Channel string `path:"channel" doc:"channel name"`
	Device  string `path:"device" doc:"device id, a UUID; it need not be known"`
}

func (s *server) registerPlans() {
	const tag = "releases"
	const rollout = "/apps/{app}/channels/{channel}/rollout"
	register(s, route{
		id: "get-rollout", method: http.MethodGet, path: rollout, action: "channel.get", tag: tag,
		summary: "Say where a channel's rollout is, what it waits for and when its next step is due",
	},
		func(c *call, in *channelInput, _ none) (ota.RolloutView, error) {
			if _, err := s.deps.Control.Channel(c, in.App, in.Channel); err != nil {
				return ota.RolloutView{}, err
			}
			return s.deps.Plans.View(c, in.App, in.Channel)
		})
	register(s, route{
		id: "let-rollout", method: http.MethodPost, path: rollout + "/let", action: "rollout.let", tag: tag,
		summary: "Let a rollout's plan go on from the step in force, whatever its gate waits for; its soak stays",
	},
		func(c *call, in *channelInput, _ none) (ota.Rollout, error) {
			r, err := s.deps.Control.LetRolloutGo(c, c.actor, in.App, in.Channel)
			if err == nil {
				s.deps.Plans.Wake()
			}
			return r, err
		})
	register(s, route{
		id: "explain-rollout", method: http.MethodGet, path: rollout + "/devices/{device}", action: "rollout.explain", tag: tag,
		summary: "Say how a channel's rollout concerns a device: its bucket, its step, and what the target says of it",
	},
		func(c *call, in *rolloutDeviceInput, _ none) (ota.RolloutDevice, error) {
			if _, err := s.deps.Control.Channel(c, in.App, in.Channel); err != nil {
				return ota.RolloutDevice{}, err
			}
			id, err := deviceID(in.Device)
			if err != nil {
				return ota.RolloutDevice{}, err
			}
			look := c.may("device.get", ota.Scope{App: in.App}) == nil // otherwise what it told is not theirs to see
			return s.deps.Plans.Device(c, in.App, in.Channel, id, look)
		})
}
