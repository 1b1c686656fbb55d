package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type appInput struct {
	Request
	AppParams
}

type appsInput struct {
	Request
	PageParams
}

type changesInput struct {
	Request
	AppParams
	PageParams
}

func (s *server) registerApps() {
	const tag = "apps"
	register(s, route{
		id: "list-apps", method: http.MethodGet, path: "/apps", action: "app.list", tag: tag, somewhere: true,
		summary: "List the apps that the caller may see",
	},
		func(c *call, in *appsInput, _ none) (list[ota.App], error) {
			return listOf(s.deps.Control.AppsIn(c, c.reach, in.page()))
		})
	register(s, route{
		id: "create-app", method: http.MethodPost, path: "/apps", action: "app.create", tag: tag, status: http.StatusCreated, somewhere: true,
		summary: "Create an app, with a public channel production",
	},
		func(c *call, _ *Request, body ota.NewApp) (ota.App, error) {
			if err := c.may("app.create", ota.Scope{Org: orgNamed(body.Org)}); err != nil {
				return ota.App{}, err
			}
			return s.deps.Control.CreateApp(c, c.actor, body)
		})
	register(s, route{
		id: "get-app", method: http.MethodGet, path: "/apps/{app}", action: "app.get", tag: tag,
		summary: "Get an app",
	},
		func(c *call, in *appInput, _ none) (ota.App, error) {
			return s.deps.Control.App(c, in.App)
		})
	register(s, route{
		id: "update-app", method: http.MethodPatch, path: "/apps/{app}", action: "app.update", tag: tag,
		summary: "Change an app's settings",
	},
		func(c *call, in *appInput, body ota.AppPatch) (ota.App, error) {
			return s.deps.Control.UpdateApp(c, c.actor, in.App, body)
		})
	register(s, route{
		id: "delete-app", method: http.MethodDelete, path: "/apps/{app}", action: "app.delete", tag: tag, status: http.StatusNoContent,
		waits:   true,
		summary: "Delete an app with all that belongs to it",
	},
		func(c *call, in *appInput, _ none) (none, error) {
			return none{}, s.deps.Control.DeleteApp(c, c.principal, in.App)
		})
	register(s, route{
		id: "list-changes", method: http.MethodGet, path: "/apps/{app}/changes", action: "change.list", tag: tag,
		summary: "List who changed what, newest first",
	},
		func(c *call, in *changesInput, _ none) (list[ota.Change], error) {
			return listOf(s.deps.Control.Changes(c, in.App, in.page()))
		})
}

// orgNamed is the organisation that a request means which names none.
func orgNamed(org string) string {
	if org == "" {
		return ota.MainOrg
	}
	return org
}
