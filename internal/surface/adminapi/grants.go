package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type grantsInput struct {
	Request
	Org     string          `query:"org" maxLength:"64" doc:"only of this organisation; empty = of all that the caller may see"`
	Kind    ota.SubjectKind `query:"subject_kind" enum:"user,group,service" doc:"with subject_id: only what was given to it, all on one page"`
	Subject int64           `query:"subject_id" minimum:"0"`
	PageParams
}

// grantsOf lists what was given to one subject itself, as far as the caller may see.
func (s *server) grantsOf(c *call, in *grantsInput) (list[ota.RoleGrant], error) {
	held, err := s.deps.Directory.Held(c, in.Kind, in.Subject)
	within := c.reachIn(in.Org)
	out := []ota.RoleGrant{}
	for _, g := range held {
		if g.SubjectKind == in.Kind && g.SubjectID == in.Subject && within.Contains(g.Scope) {
			out = append(out, g)
		}
	}
	return listOf(out, "", err)
}

func (s *server) registerGrants() {
	const tag = "people"
	register(s, route{
		id: "list-grants", method: http.MethodGet, path: "/grants", action: "grant.list", tag: tag, somewhere: true,
		summary: "List who holds which role where",
	},
		func(c *call, in *grantsInput, _ none) (list[ota.RoleGrant], error) {
			if in.Kind != "" && in.Subject != 0 {
				return s.grantsOf(c, in)
			}
			return listOf(s.deps.Directory.Grants(c, c.reachIn(in.Org), in.page()))
		})
	register(s, route{
		id: "get-grant", method: http.MethodGet, path: "/grants/{id}", action: "grant.list", tag: tag, somewhere: true,
		summary: "Get who holds which role where",
	},
		func(c *call, in *groupInput, _ none) (ota.RoleGrant, error) {
			g, err := s.deps.Directory.Grant(c, in.ID)
			if err == nil && !c.reach.Contains(g.Scope) {
				return ota.RoleGrant{}, ota.NotFound("grant_not_found", "there is no grant %d", in.ID)
			}
			return g, err
		})
	register(s, route{
		id: "create-grant", method: http.MethodPost, path: "/grants", action: "grant.create", tag: tag, status: http.StatusCreated, somewhere: true,
		summary: "Give a role to a user, group or service account",
	},
		func(c *call, _ *Request, body ota.NewGrant) (ota.RoleGrant, error) {
			if err := c.mayGrant("grant.create", body.Grant); err != nil {
				return ota.RoleGrant{}, err
			}
			return s.deps.Directory.CreateGrant(c, c.principal, body)
		})
	register(s, route{
		id: "delete-grant", method: http.MethodDelete, path: "/grants/{id}", action: "grant.delete", tag: tag, status: http.StatusNoContent, somewhere: true,
		summary: "Take a role away",
	},
		func(c *call, in *groupInput, _ none) (none, error) {
			g, err := s.deps.Directory.Grant(c, in.ID)
			if err == nil && !c.reach.Contains(g.Scope) {
				err = ota.NotFound("grant_not_found", "there is no grant %d", in.ID)
			}
			if err == nil {
				err = c.mayGrant("grant.delete", g.Grant)
			}
			if err != nil {
				return none{}, err
			}
			return none{}, s.deps.Directory.DeleteGrant(c, c.principal, in.ID)
		})
}

// reachIn cuts the caller's reach to an organisation; "" = all of it.
func (c *call) reachIn(org string) ota.Reach {
	if org == "" {
		return c.reach
	}
	if whole := (ota.Scope{Org: org}); c.reach.Contains(whole) {
		return ota.Reach{Scopes: []ota.Scope{whole}}
	}
	var out ota.Reach
	for _, s := range c.reach.Scopes {
		if s.Org == org {
			out.Scopes = append(out.Scopes, s)
		}
	}
	return out
}

// mayGrant asks whether the caller may do an action that gives or takes a role,
// and for a powerful role whether it is really them. That nobody gives more than
// they have is the directory's to say.
func (c *call) mayGrant(action string, g ota.Grant) error {
	if g.Scope.Org == "" || g.Scope.App == "" && g.Scope.Channel != "" {
		return ota.Invalid("scope_invalid", "a scope is an organisation, an app of it, or a channel of that app").WithField("scope").
			WithHint("write it like main, main/com.example.app or main/com.example.app/beta")
	}
	if err := c.may(action, g.Scope); err != nil {
		return err
	}
	if g.Role == ota.RoleOwner || g.Role == ota.RoleAdministrator {
		return c.may("grant.elevate", g.Scope)
	}
	return nil
}
