package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type groupInput struct {
	Request
	ID int64 `path:"id" minimum:"1"`
}

type membersInput struct {
	Request
	ID int64 `path:"id" minimum:"1"`
	PageParams
}

type memberInput struct {
	Request
	ID   int64 `path:"id" minimum:"1"`
	User int64 `path:"user" minimum:"1"`
}

func (s *server) registerGroups() {
	const tag, one = "people", "/groups/{id}"
	register(s, route{
		id: "list-groups", method: http.MethodGet, path: "/groups", action: "group.list", tag: tag, somewhere: true,
		summary: "List groups",
	},
		func(c *call, in *peopleInput, _ none) (list[ota.Group], error) {
			return listOf(s.deps.Directory.Groups(c, c.orgsAsked(in.Org), in.page()))
		})
	register(s, route{
		id: "create-group", method: http.MethodPost, path: "/groups", action: "group.create", tag: tag, status: http.StatusCreated, somewhere: true,
		summary: "Create a group",
	},
		func(c *call, _ *Request, body ota.NewGroup) (ota.Group, error) {
			if err := c.may("group.create", ota.Scope{Org: orgNamed(body.Org)}); err != nil {
				return ota.Group{}, err
			}
			return s.deps.Directory.CreateGroup(c, c.principal, body)
		})
	register(s, route{
		id: "get-group", method: http.MethodGet, path: one, action: "group.get", tag: tag, somewhere: true,
		summary: "Get a group",
	},
		func(c *call, in *groupInput, _ none) (ota.Group, error) { return s.groupInReach(c, in.ID) })
	register(s, route{
		id: "update-group", method: http.MethodPatch, path: one, action: "group.update", tag: tag, somewhere: true,
		summary: "Rename a group",
	},
		func(c *call, in *groupInput, body ota.GroupPatch) (ota.Group, error) {
			if _, err := s.groupInReach(c, in.ID); err != nil {
				return ota.Group{}, err
			}
			return s.deps.Directory.UpdateGroup(c, c.principal, in.ID, body)
		})
	register(s, route{
		id: "delete-group", method: http.MethodDelete, path: one, action: "group.delete", tag: tag, status: http.StatusNoContent, somewhere: true,
		summary: "Delete a group with what was granted to it",
	},
		func(c *call, in *groupInput, _ none) (none, error) {
			if _, err := s.groupInReach(c, in.ID); err != nil {
				return none{}, err
			}
			return none{}, s.deps.Directory.DeleteGroup(c, c.principal, in.ID)
		})
	s.registerMembers()
}

func (s *server) registerMembers() {
	const tag = "people"
	register(s, route{
		id: "list-members", method: http.MethodGet, path: "/groups/{id}/members", action: "group.get", tag: tag, somewhere: true,
		summary: "List who is in a group",
	},
		func(c *call, in *membersInput, _ none) (list[ota.Member], error) {
			if _, err := s.groupInReach(c, in.ID); err != nil {
				return list[ota.Member]{}, err
			}
			return listOf(s.deps.Directory.Members(c, in.ID, in.page()))
		})
	register(s, route{
		id: "add-member", method: http.MethodPut, path: "/groups/{id}/members/{user}", action: "group.members", tag: tag, status: http.StatusNoContent, somewhere: true,
		summary: "Put a user into a group",
	},
		func(c *call, in *memberInput, _ none) (none, error) {
			if _, err := s.groupInReach(c, in.ID); err != nil {
				return none{}, err
			}
			return none{}, s.deps.Directory.AddMember(c, c.principal, in.ID, in.User)
		})
	register(s, route{
		id: "remove-member", method: http.MethodDelete, path: "/groups/{id}/members/{user}", action: "group.members", tag: tag, status: http.StatusNoContent, somewhere: true,
		summary: "Take a user out of a group",
	},
		func(c *call, in *memberInput, _ none) (none, error) {
			if _, err := s.groupInReach(c, in.ID); err != nil {
				return none{}, err
			}
			return none{}, s.deps.Directory.RemoveMember(c, c.principal, in.ID, in.User)
		})
}

// groupInReach returns a group; one that is out of the caller's reach is not there.
func (s *server) groupInReach(c *call, id int64) (ota.Group, error) {
	g, err := s.deps.Directory.Group(c, id)
	if err == nil && !c.reach.Contains(ota.Scope{Org: g.Org}) {
		return ota.Group{}, ota.NotFound("group_not_found", "there is no group %d", id)
	}
	return g, err
}
