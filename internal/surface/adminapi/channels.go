package adminapi

import (
	"net/http"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type newChannel struct {
	Name   string          `json:"name"`
	Policy ota.PolicyPatch `json:"policy,omitzero" doc:"what differs from the default policy"`
}

type channelInput struct {
	Request
	AppParams
	Channel string `path:"channel" doc:"channel name"`
}

func (s *server) registerChannels() {
	const tag = "channels"
	register(s, route{
		id: "list-channels", method: http.MethodGet, path: "/apps/{app}/channels", action: "channel.list", tag: tag,
		summary: "List an app's channels that the caller may see",
	},
		func(c *call, in *appInput, _ none) (list[ota.Channel], error) {
			channels, err := s.deps.Control.Channels(c, in.App)
			channels = slices.DeleteFunc(channels, func(ch ota.Channel) bool {
				return c.may("channel.get", ota.Scope{App: in.App, Channel: ch.Name}) != nil
			})
			return listOf(channels, "", err)
		})
	register(s, route{
		id: "create-channel", method: http.MethodPost, path: "/apps/{app}/channels", action: "channel.create", tag: tag, status: http.StatusCreated,
		waits:   true,
		summary: "Create a channel",
	},
		func(c *call, in *appInput, body newChannel) (ota.Channel, error) {
			return s.deps.Control.CreateChannel(c, c.principal, in.App, body.Name, body.Policy)
		})
	register(s, route{
		id: "get-channel", method: http.MethodGet, path: "/apps/{app}/channels/{channel}", action: "channel.get", tag: tag,
		summary: "Get a channel with its release and rollout",
	},
		func(c *call, in *channelInput, _ none) (ota.Channel, error) {
			return s.deps.Control.Channel(c, in.App, in.Channel)
		})
	register(s, route{
		id: "update-channel", method: http.MethodPatch, path: "/apps/{app}/channels/{channel}", action: "channel.update", tag: tag,
		waits:   true,
		summary: "Change a channel's policy",
	},
		func(c *call, in *channelInput, body ota.PolicyPatch) (ota.Channel, error) {
			return s.deps.Control.UpdateChannel(c, c.principal, in.App, in.Channel, body)
		})
	register(s, route{
		id: "delete-channel", method: http.MethodDelete, path: "/apps/{app}/channels/{channel}", action: "channel.delete", tag: tag, status: http.StatusNoContent,
		waits:   true,
		summary: "Delete a channel and its history",
	},
		func(c *call, in *channelInput, _ none) (none, error) {
			return none{}, s.deps.Control.DeleteChannel(c, c.principal, in.App, in.Channel)
		})
}
