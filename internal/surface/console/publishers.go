package console

import (
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type publishersView struct {
	Publishers []ota.TrustedPublisher
	Next       string
}

type newPublisherView struct {
	Roles  []ota.Role
	Groups []matrixGroup
	Ticked map[string]bool
}

func (c *Console) registerPublishers() {
	const all = "/tokens/publishers"
	c.page(route{method: "GET", path: all, action: "trusted_publisher.list"}, c.showPublishers)
	c.page(route{method: "GET", path: all + "/new", action: "trusted_publisher.create", somewhere: true}, c.showNewPublisher)
	c.act(route{method: "POST", path: all + "/new", action: "trusted_publisher.create", somewhere: true}, c.createPublisher, c.showNewPublisher)
	c.confirmed(route{path: all + "/{publisher}/delete", action: "trusted_publisher.delete", somewhere: true}, c.askDeletePublisher, c.deletePublisher)
}

func (c *Console) showPublishers(r *request) (answer, error) {
	all, next, err := r.api.Publishers(r, r.query("org"), r.listPage())
	return r.show("publishers", "Trusted publishers", publishersView{all, next}), err
}

func (c *Console) showNewPublisher(r *request) (answer, error) {
	v := newPublisherView{Ticked: map[string]bool{}}
	for _, role := range ota.Roles() {
		if role.Level() <= ota.RoleReleaseManager.Level() && role.Level() > 0 {
			v.Roles = append(v.Roles, role)
		}
	}
	for _, a := range r.PostForm["actions"] {
		v.Ticked[a] = true
	}
	rows, err := r.api.AccessMatrix(r)
	v.Groups = matrixGroups(rows)
	return r.show("newpublisher", "New trusted publisher", v), err
}

func (c *Console) createPublisher(r *request) (answer, error) {
	scope, err := ota.ParseScope(r.text("scope"))
	if err != nil {
		return answer{}, err
	}
	_, err = r.api.CreatePublisher(r, ota.NewPublisher{
		Name: r.text("name"), Provider: ota.CIProvider(r.text("provider")), Issuer: r.text("issuer"), RepositoryID: r.text("repository_id"), OwnerID: r.text("owner_id"),
		Repository: r.text("repository"), Workflow: r.text("workflow"), Ref: r.text("ref"), Environment: r.text("environment"), PullRequests: *r.checked("pull_requests"),
		Role: ota.Role(r.text("role")), Scope: scope, Actions: slices.Clone(r.PostForm["actions"]),
	})
	return r.done("publisher_created", "tokens", "publishers"), err
}

// publisher looks for one in the list of its organisation.
func (r *request) publisher() (ota.TrustedPublisher, error) {
	id, err := r.id("publisher")
	if err != nil {
		return ota.TrustedPublisher{}, err
	}
	page := ota.Page{Limit: 500}
	for {
		all, next, err := r.api.Publishers(r, r.query("org"), page)
		if err != nil {
			return ota.TrustedPublisher{}, err
		}
		if i := slices.IndexFunc(all, func(p ota.TrustedPublisher) bool { return p.ID == id }); i >= 0 {
			return all[i], nil
		}
		if page.After = next; next == "" {
			return ota.TrustedPublisher{}, ota.NotFound("publisher_not_found", "there is no trusted publisher %d", id)
		}
	}
}

func (c *Console) askDeletePublisher(r *request) (confirmView, error) {
	p, err := r.publisher()
	return confirmView{
		Heading: "Shut a repository out", Facts: [][2]string{{"Trusted publisher", p.Name}, {"Repository", p.Repository + " (id " + p.RepositoryID + ")"}, {"Workflow", p.Workflow}},
		Button: "Shut it out", Back: address("tokens", "publishers"),
		What: []string{"Its CI runs cannot exchange their token any more.", "Tokens that runs hold now stop working at once."},
	}, err
}

func (c *Console) deletePublisher(r *request) (answer, error) {
	id, err := r.id("publisher")
	if err == nil {
		err = r.api.DeletePublisher(r, id)
	}
	return r.done("publisher_deleted", "tokens", "publishers"), err
}
