package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func (s *server) registerSystem() {
	const tag = "system"
	register(s, route{
		id: "get-status", method: http.MethodGet, path: "/status", action: "status.get", tag: tag,
		summary: "Get what the server says of itself",
	},
		func(c *call, _ *Request, _ none) (ota.ServerStatus, error) {
			return s.deps.Status(c)
		})
	register(s, route{
		id: "get-me", method: http.MethodGet, path: "/me", action: "me.get", tag: tag,
		summary: "Get who the caller is",
	},
		func(c *call, _ *Request, _ none) (ota.Me, error) {
			return ota.Me{Actor: c.actor, Principal: c.principal}, nil
		})
	register(s, route{
		id: "collect-garbage", method: http.MethodPost, path: "/gc", action: "gc.run", tag: tag,
		summary: "Remove what nothing refers to any more",
	},
		func(c *call, _ *Request, _ none) (ota.GCReport, error) {
			return s.deps.Control.CollectGarbage(c, c.actor)
		})
}
