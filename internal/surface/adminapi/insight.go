package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type statsInput struct {
	Request
	AppParams
	Hours int `query:"hours" minimum:"0" maximum:"168" doc:"how far back series go; 0 = 24"`
}

type impactInput struct {
	Request
	AppParams
	Channel string `path:"channel" doc:"channel name"`
	To      string `query:"to" doc:"version to go back to; empty = the one before"`
}

func (s *server) registerInsight() {
	const tag = "insight"
	register(s, route{
		id: "list-app-summaries", method: http.MethodGet, path: "/overview/apps", action: "app.list", tag: tag, somewhere: true,
		summary: "List apps with their channels and how many devices they have",
	},
		func(c *call, in *appsInput, _ none) (list[ota.AppSummary], error) {
			return listOf(s.deps.Insight.Apps(c, c.reach, in.page()))
		})
	register(s, route{
		id: "list-attention", method: http.MethodGet, path: "/overview/attention", action: "app.list", tag: tag, somewhere: true,
		summary: "List what a person should look at: halted releases, rollouts",
	},
		func(c *call, _ *Request, _ none) (list[ota.Attention], error) {
			items, err := s.deps.Insight.Attention(c, c.reach)
			return listOf(items, "", err)
		})
	register(s, route{
		id: "get-stats", method: http.MethodGet, path: "/apps/{app}/stats", action: "app.get", tag: tag,
		summary: "Get what an app's devices run, and how versions fare",
	},
		func(c *call, in *statsInput, _ none) (ota.AppStats, error) {
			return s.deps.Insight.Stats(c, in.App, in.Hours)
		})
	register(s, route{
		id: "get-impact", method: http.MethodGet, path: "/apps/{app}/channels/{channel}/impact", action: "channel.get", tag: tag,
		summary: "Get whom a rollback would reach, and what they would get instead",
	},
		func(c *call, in *impactInput, _ none) (ota.Impact, error) {
			ch, to, err := s.deps.Control.RollbackTarget(c, in.App, in.Channel, in.To)
			if err != nil {
				return ota.Impact{}, err
			}
			return s.deps.Insight.Impact(c, ch, to)
		})
}
