package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type orgInput struct {
	Request
	Org string `path:"org" doc:"organisation id, such as main"`
}

func (s *server) registerOrgs() {
	const tag = "organisations"
	register(s, route{
		id: "list-orgs", method: http.MethodGet, path: "/orgs", action: "org.list", tag: tag, somewhere: true,
		summary: "List the organisations in which the caller holds a role",
	},
		func(c *call, in *appsInput, _ none) (list[ota.Org], error) {
			return listOf(s.deps.Directory.Orgs(c, c.reach.AnyOrgs(), in.page()))
		})
	register(s, route{
		id: "create-org", method: http.MethodPost, path: "/orgs", action: "org.create", tag: tag, status: http.StatusCreated,
		summary: "Create an organisation",
	},
		func(c *call, _ *Request, body ota.NewOrg) (ota.Org, error) {
			return s.deps.Directory.CreateOrg(c, c.principal, body)
		})
	register(s, route{
		id: "get-org", method: http.MethodGet, path: "/orgs/{org}", action: "org.get", tag: tag,
		summary: "Get an organisation",
	},
		func(c *call, in *orgInput, _ none) (ota.Org, error) { return s.deps.Directory.Org(c, in.Org) })
	register(s, route{
		id: "update-org", method: http.MethodPatch, path: "/orgs/{org}", action: "org.update", tag: tag,
		summary: "Rename an organisation",
	},
		func(c *call, in *orgInput, body ota.OrgPatch) (ota.Org, error) {
			return s.deps.Directory.UpdateOrg(c, c.principal, in.Org, body)
		})
	register(s, route{
		id: "delete-org", method: http.MethodDelete, path: "/orgs/{org}", action: "org.delete", tag: tag, status: http.StatusNoContent,
		summary: "Delete an organisation that has no apps, with its groups, service accounts and grants",
	},
		func(c *call, in *orgInput, _ none) (none, error) {
			return none{}, s.deps.Directory.DeleteOrg(c, c.principal, in.Org)
		})
}
