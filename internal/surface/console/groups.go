package console

import (
	"slices"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type groupsView struct {
	Groups []ota.Group
	Next   string
	Orgs   []ota.Org
}

type groupView struct {
	Group   ota.Group
	Members []ota.Member
	Next    string
	Grants  []ota.RoleGrant
	Roles   []ota.Role
	Others  []ota.User // who could be added
}

func (c *Console) registerGroups() {
	const all, one = "/people/groups", "/people/groups/{group}"
	c.page(route{method: "GET", path: all, action: "group.list", somewhere: true}, c.showGroups)
	c.act(route{method: "POST", path: all, action: "group.create", somewhere: true}, c.createGroup, c.showGroups)
	c.page(route{method: "GET", path: one, action: "group.get", somewhere: true}, c.showGroup)
	c.act(route{method: "POST", path: one + "/name", action: "group.update", somewhere: true}, c.renameGroup, c.showGroup)
	c.page(route{method: "GET", path: one + "/add", action: "group.members", somewhere: true}, c.showAddMember)
	c.act(route{method: "POST", path: one + "/add", action: "group.members", somewhere: true}, c.addMember, c.showAddMember)
	c.confirmed(route{path: one + "/members/{user}/remove", action: "group.members", somewhere: true}, c.askRemoveMember, c.removeMember)
	c.confirmed(route{path: one + "/delete", action: "group.delete", somewhere: true}, c.askDeleteGroup, c.deleteGroup)
}

func (c *Console) showGroups(r *request) (answer, error) {
	v := groupsView{}
	var err error
	if v.Groups, v.Next, err = r.api.Groups(r, r.query("org"), r.listPage()); err != nil {
		return answer{}, err
	}
	v.Orgs, _, err = r.api.Orgs(r, ota.Page{Limit: 200})
	return r.show("groups", "Groups", v), err
}

func (c *Console) createGroup(r *request) (answer, error) {
	g, err := r.api.CreateGroup(r, ota.NewGroup{Org: r.text("org"), Name: r.text("name")})
	return r.done("group_created", groupPage(g.ID)...), err
}

func groupPage(id int64) []string { return []string{"people", "groups", strconv.FormatInt(id, 10)} }

// group finds a group and its members.
func (r *request) group() (v groupView, err error) {
	id, err := r.id("group")
	if err != nil {
		return v, err
	}
	if v.Group, err = r.api.Group(r, id); err != nil {
		return v, err
	}
	v.Members, v.Next, err = r.api.Members(r, id, r.listPage())
	return v, err
}

func (c *Console) showGroup(r *request) (answer, error) {
	v, err := r.group()
	if err != nil {
		return answer{}, err
	}
	v.Roles = ota.Roles()
	if v.Grants, err = grantsOf(r, ota.SubjectGroup, v.Group.ID); err != nil {
		return answer{}, err
	}
	return r.show("group", "Group "+v.Group.Name, v), nil
}

// grantsOf lists what was granted to a subject itself, as far as the visitor may see.
func grantsOf(r *request, kind ota.SubjectKind, id int64) ([]ota.RoleGrant, error) {
	all, err := r.api.GrantsOf(r, kind, id)
	if err != nil && ota.KindOf(err) == ota.KindForbidden {
		return nil, nil
	}
	return all, err
}

func (c *Console) renameGroup(r *request) (answer, error) {
	id, err := r.id("group")
	name := r.text("name")
	if err == nil {
		_, err = r.api.UpdateGroup(r, id, ota.GroupPatch{Name: &name})
	}
	return r.done("group_changed", groupPage(id)...), err
}

func (c *Console) showAddMember(r *request) (answer, error) {
	v, err := r.group()
	if err != nil {
		return answer{}, err
	}
	if v.Others, _, err = r.api.Users(r, "", ota.Page{Limit: 500}); err != nil {
		return answer{}, err
	}
	v.Others = slices.DeleteFunc(v.Others, func(u ota.User) bool {
		return slices.ContainsFunc(v.Members, func(m ota.Member) bool { return m.ID == u.ID })
	})
	if v.Grants, err = grantsOf(r, ota.SubjectGroup, v.Group.ID); err != nil {
		return answer{}, err
	}
	return r.show("addmember", "Add to "+v.Group.Name, v), nil
}

func (c *Console) addMember(r *request) (answer, error) {
	id, err := r.id("group")
	if err != nil {
		return answer{}, err
	}
	user, err := r.formID("user")
	if err == nil {
		err = r.api.AddMember(r, id, user)
	}
	return r.done("member_added", groupPage(id)...), err
}

func (c *Console) askRemoveMember(r *request) (confirmView, error) {
	v, err := r.group()
	if err != nil {
		return confirmView{}, err
	}
	u, err := r.user()
	return confirmView{
		Heading: "Take somebody out of a group", Facts: [][2]string{{"Group", v.Group.Name}, {"User", u.Email}}, Button: "Take out", Back: address(groupPage(v.Group.ID)...),
		What: []string{"They lose at once what they hold through this group only."},
	}, err
}

func (c *Console) removeMember(r *request) (answer, error) {
	id, err := r.id("group")
	if err != nil {
		return answer{}, err
	}
	user, err := r.id("user")
	if err == nil {
		err = r.api.RemoveMember(r, id, user)
	}
	return r.done("member_removed", groupPage(id)...), err
}

func (c *Console) askDeleteGroup(r *request) (confirmView, error) {
	v, err := r.group()
	return confirmView{
		Heading: "Delete a group", Facts: [][2]string{{"Group", v.Group.Name}, {"Organisation", v.Group.Org}}, Button: "Delete", Back: address(groupPage(v.Group.ID)...),
		What: []string{"What was granted to the group is taken from everybody in it.", "The people stay."},
	}, err
}

func (c *Console) deleteGroup(r *request) (answer, error) {
	id, err := r.id("group")
	if err == nil {
		err = r.api.DeleteGroup(r, id)
	}
	return r.done("group_deleted", "people", "groups"), err
}
