package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

type orgsView struct {
	Orgs []ota.Org
	Next string
}

func (c *Console) registerOrgs() {
	const all = "/settings/orgs"
	c.page(route{method: "GET", path: all, action: "org.list", somewhere: true}, c.showOrgs)
	c.act(route{method: "POST", path: all, action: "org.create"}, c.createOrg, c.showOrgs)
	c.act(route{method: "POST", path: all + "/{org}/name", action: "org.update", somewhere: true}, c.renameOrg, c.showOrgs)
	c.confirmed(route{path: all + "/{org}/delete", action: "org.delete", somewhere: true}, c.askDeleteOrg, c.deleteOrg)
}

func (c *Console) showOrgs(r *request) (answer, error) {
	all, next, err := r.api.Orgs(r, r.listPage())
	return r.show("orgs", "Organisations", orgsView{all, next}), err
}

func (c *Console) createOrg(r *request) (answer, error) {
	_, err := r.api.CreateOrg(r, ota.NewOrg{ID: r.text("id"), Name: r.text("name")})
	return r.done("org_created", "settings", "orgs"), err
}

func (c *Console) renameOrg(r *request) (answer, error) {
	name := r.text("org_name")
	_, err := r.api.UpdateOrg(r, r.PathValue("org"), ota.OrgPatch{Name: &name})
	return r.done("org_changed", "settings", "orgs"), err
}

func (c *Console) askDeleteOrg(r *request) (confirmView, error) {
	o, err := r.api.Org(r, r.PathValue("org"))
	return confirmView{
		Heading: "Delete an organisation", Facts: [][2]string{{"Organisation", o.ID}, {"Name", o.Name}}, Button: "Delete", Back: address("settings", "orgs"),
		What: []string{"Its groups, service accounts, tokens of those, and grants are gone for good.", "It must have no apps: delete them first.", "The audit log keeps what happened in it."},
	}, err
}

func (c *Console) deleteOrg(r *request) (answer, error) {
	err := r.api.DeleteOrg(r, r.PathValue("org"))
	return r.done("org_deleted", "settings", "orgs"), err
}
