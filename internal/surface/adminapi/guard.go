package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type guardInput struct {
	Request
	AppParams
	Channel string `path:"channel" doc:"channel name"`
	Rollout string `query:"rollout" maxLength:"100" doc:"id of a rollout, or release- and the id of a release; empty = what the channel serves now"`
}

type guardRowsInput struct {
	Request
	AppParams
	Channel string `path:"channel" doc:"channel name"`
	Rollout string `query:"rollout" maxLength:"100" doc:"id of a rollout, or release- and the id of a release; empty = what the channel serves now"`
	PageParams
}

type guardListInput struct {
	Request
	AppParams
	Channel string `path:"channel" doc:"channel name"`
	PageParams
}

func (s *server) registerGuard() {
	const tag = "guard"
	const path = "/apps/{app}/channels/{channel}/guard"
	register(s, route{
		id: "get-guard", method: http.MethodGet, path: path, action: "guard.get", tag: tag,
		summary: "Say what the guard knows of a rollout or release",
	},
		func(c *call, in *guardInput, _ none) (ota.GuardView, error) {
			return s.deps.Guards.On(c, in.App, in.Channel, in.Rollout)
		})
	register(s, route{
		id: "list-guard-watches", method: http.MethodGet, path: path + "/watches", action: "guard.get", tag: tag,
		summary: "List the rollouts and releases of a channel that the guard watched, newest first",
	},
		func(c *call, in *guardListInput, _ none) (list[ota.GuardWatch], error) {
			return listOf(s.deps.Guards.List(c, in.App, in.Channel, in.page()))
		})
	register(s, route{
		id: "list-guard-inputs", method: http.MethodGet, path: path + "/inputs", action: "guard.get", tag: tag,
		summary: "Export a page of what the guard was told and what came of it, to compute it again",
	},
		func(c *call, in *guardRowsInput, _ none) (ota.GuardExport, error) {
			return s.deps.Guards.Inputs(c, in.App, in.Channel, in.Rollout, in.page())
		})
	register(s, route{
		id: "halt-release", method: http.MethodPost, path: path + "/halt", action: "guard.halt", tag: tag,
		summary: "Stop offers of a version at once, even if that cannot be recorded yet",
	},
		func(c *call, in *channelInput, body ota.GuardHaltRequest) (ota.GuardHaltAnswer, error) {
			return s.deps.Guards.Stop(c, c.actor, in.App, in.Channel, body)
		})
}
