package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type releasesInput struct {
	Request
	AppParams
	Channel string `path:"channel" doc:"channel name"`
	PageParams
}

func (s *server) registerReleases() {
	const tag = "releases"
	const channel = "/apps/{app}/channels/{channel}"
	register(s, route{
		id: "list-releases", method: http.MethodGet, path: channel + "/releases", action: "release.list", tag: tag,
		summary: "List a channel's history, newest first",
	},
		func(c *call, in *releasesInput, _ none) (list[ota.Release], error) {
			return listOf(s.deps.Control.Releases(c, in.App, in.Channel, in.page()))
		})
	register(s, route{
		id: "create-release", method: http.MethodPost, path: channel + "/releases", action: "release.create", tag: tag,
		status: http.StatusCreated, also: http.StatusOK,
		waits:   true,
		summary: "Put a version on a channel; 200 = if_new, and the channel had it",
	},
		func(c *call, in *channelInput, body ota.ReleaseRequest) (ota.Release, error) {
			r, done, err := s.deps.Control.Release(c, c.principal, in.App, in.Channel, body)
			c.createdIf(done)
			return r, err
		})
	register(s, route{
		id: "rollback", method: http.MethodPost, path: channel + "/rollback", action: "release.rollback", tag: tag, status: http.StatusCreated,
		summary: "Take a channel back to an earlier release, as a new release",
	},
		func(c *call, in *channelInput, body ota.RollbackRequest) (ota.Release, error) {
			return s.deps.Control.Rollback(c, c.actor, in.App, in.Channel, body)
		})
	register(s, route{
		id: "set-rollout", method: http.MethodPut, path: channel + "/rollout", action: "rollout.set", tag: tag,
		waits:   true,
		summary: "Start or change a channel's rollout",
	},
		func(c *call, in *channelInput, body ota.RolloutRequest) (ota.Rollout, error) {
			return s.setRollout(c, in, &body)
		})
	register(s, route{
		id: "promote-rollout", method: http.MethodPost, path: channel + "/rollout/promote", action: "rollout.promote", tag: tag, status: http.StatusCreated,
		waits:   true,
		summary: "Make the rollout's version the channel's release",
	},
		func(c *call, in *channelInput, _ none) (ota.Release, error) {
			return s.deps.Control.PromoteRollout(c, c.principal, in.App, in.Channel)
		})
	register(s, route{
		id: "abort-rollout", method: http.MethodDelete, path: channel + "/rollout", action: "rollout.abort", tag: tag, status: http.StatusNoContent,
		summary: "End the rollout; its devices go back to the channel's release",
	},
		func(c *call, in *channelInput, _ none) (none, error) {
			return none{}, s.abortRollout(c, in)
		})
}
