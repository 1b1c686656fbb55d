package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func (s *server) registerContainment() {
	const channel, bundle = "/apps/{app}/channels/{channel}", "/apps/{app}/bundles/{version}"
	register(s, route{
		id: "freeze-channel", method: http.MethodPost, path: channel + "/freeze", action: "channel.freeze", tag: "channels",
		summary: "Freeze a channel: nothing is released, widened or promoted on it, and its rollout is paused",
	},
		func(c *call, in *channelInput, body ota.Reason) (ota.Channel, error) {
			return s.deps.Control.Freeze(c, c.principal, in.App, in.Channel, body.Reason)
		})
	register(s, route{
		id: "thaw-channel", method: http.MethodPost, path: channel + "/thaw", action: "channel.thaw", tag: "channels",
		summary: "Open a frozen channel again; a rollout stays paused",
	},
		func(c *call, in *channelInput, body ota.Reason) (ota.Channel, error) {
			return s.deps.Control.Thaw(c, c.actor, in.App, in.Channel, body.Reason)
		})
	for _, h := range []struct {
		verb, summary string
		hold          ota.Hold
	}{
		{"quarantine", "Take a bundle out of service: no channel serves it, and links to its files are refused", ota.Quarantined},
		{"block", "Block a version for all devices: those that run it are moved to the best other release, or to the built-in bundle", ota.Blocked},
	} {
		register(s, route{
			id: h.verb + "-bundle", method: http.MethodPost, path: bundle + "/" + h.verb, action: "bundle." + h.verb, tag: "bundles",
			summary: h.summary,
		},
			func(c *call, in *bundleInput, body ota.Reason) (ota.Bundle, error) {
				return s.deps.Control.Hold(c, c.principal, in.App, in.Version, h.hold, body.Reason)
			})
	}
	register(s, route{
		id: "release-bundle", method: http.MethodPost, path: bundle + "/release", action: "bundle.release", tag: "bundles",
		summary: "Put a bundle that was quarantined or blocked into service again",
	},
		func(c *call, in *bundleInput, body ota.Reason) (ota.Bundle, error) {
			return s.deps.Control.Unhold(c, c.actor, in.App, in.Version, body.Reason)
		})
}
