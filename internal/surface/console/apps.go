package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

type appsView struct {
	Apps []ota.AppSummary
	Next string
}

func (c *Console) registerApps() {
	c.page(route{method: "GET", path: "/apps", action: "app.list", somewhere: true}, c.showApps)
	c.act(route{method: "POST", path: "/apps", action: "app.create", somewhere: true}, c.createApp, c.showApps)
}

func (c *Console) showApps(r *request) (answer, error) {
	apps, next, err := r.api.AppSummaries(r, r.listPage())
	return r.show("apps", "Apps", appsView{apps, next}), err
}

func (c *Console) createApp(r *request) (answer, error) {
	app, err := r.api.CreateApp(r, ota.NewApp{ID: r.text("id"), Name: r.text("name")})
	return r.done("app_created", "apps", app.ID), err
}
