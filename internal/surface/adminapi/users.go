package adminapi

import (
	"net/http"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type userInput struct {
	Request
	ID int64 `path:"id" minimum:"1"`
}

// peopleInput lists what belongs to organisations.
type peopleInput struct {
	Request
	Org string `query:"org" maxLength:"64" doc:"only of this organisation; empty = of all that the caller may see"`
	PageParams
}

type usersInput struct {
	Request
	Org   string `query:"org" maxLength:"64" doc:"only of this organisation; empty = of all that the caller may see"`
	Email string `query:"email" maxLength:"254" doc:"only the one with this mail address"`
	PageParams
}

// orgsAsked cuts the organisations within reach to the one that was asked for.
func (c *call) orgsAsked(org string) []string {
	switch {
	case org == "":
		return c.reach.Orgs()
	case c.reach.Contains(ota.Scope{Org: org}):
		return []string{org}
	}
	return []string{}
}

// userDetail is a user with what the caller may see of their roles.
type userDetail struct {
	ota.User
	Groups []ota.Group     `json:"groups" nullable:"false"`
	Grants []ota.RoleGrant `json:"grants" nullable:"false" doc:"own and those of the groups"`
}

func (s *server) registerUsers() {
	const tag = "people"
	register(s, route{
		id: "list-users", method: http.MethodGet, path: "/users", action: "user.list", tag: tag, somewhere: true,
		summary: "List the users of the organisations whose people the caller may see",
	},
		func(c *call, in *usersInput, _ none) (list[ota.User], error) {
			if in.Email != "" {
				return listOf(s.userWithEmail(c, in))
			}
			orgs := c.orgsAsked(in.Org)
			if in.Org == "" && c.reach.Contains(ota.Scope{Org: ota.MainOrg}) {
				orgs = nil // users belong to the server
			}
			return listOf(s.deps.Directory.Users(c, orgs, in.page()))
		})
	register(s, route{
		id: "create-user", method: http.MethodPost, path: "/users", action: "user.create", tag: tag, status: http.StatusCreated, somewhere: true,
		summary: "Add a user with a first role, to sign in later",
	},
		func(c *call, _ *Request, body ota.NewUser) (ota.User, error) {
			if err := c.mayGrant("user.create", body.Grant); err != nil {
				return ota.User{}, err
			}
			return s.deps.Directory.CreateUser(c, c.principal, body)
		})
	register(s, route{
		id: "get-user", method: http.MethodGet, path: "/users/{id}", action: "user.get", tag: tag, somewhere: true,
		summary: "Get a user with groups and grants",
	}, s.getUser)
	register(s, route{
		id: "update-user", method: http.MethodPatch, path: "/users/{id}", action: "user.update", tag: tag, somewhere: true,
		summary: "Change a user; disabling one takes away every right at once",
	},
		func(c *call, in *userInput, body ota.UserPatch) (ota.User, error) {
			_, orgs, err := s.userInReach(c, in.ID)
			if err == nil && body.Disabled != nil {
				err = c.may("user.disable", ota.Scope{Org: orgs[0]})
			}
			if err != nil {
				return ota.User{}, err
			}
			return s.deps.Directory.UpdateUser(c, c.principal, in.ID, body)
		})
}

// userWithEmail lists the one user who has a mail address, if the caller would
// find them in the whole list.
func (s *server) userWithEmail(c *call, in *usersInput) ([]ota.User, string, error) {
	none := []ota.User{}
	u, err := s.deps.Directory.UserByEmail(c, in.Email)
	if err == nil {
		_, _, err = s.userInReach(c, u.ID)
	}
	if err == nil && in.Org != "" {
		var orgs []string
		if orgs, err = s.deps.Directory.OrgsOfUser(c, u.ID); !slices.Contains(orgs, in.Org) || !c.reach.Contains(ota.Scope{Org: in.Org}) {
			return none, "", err
		}
	}
	if ota.KindOf(err) == ota.KindNotFound && err != nil {
		return none, "", nil
	}
	return []ota.User{u}, "", err
}

func (s *server) getUser(c *call, in *userInput, _ none) (userDetail, error) {
	u, _, err := s.userInReach(c, in.ID)
	if err != nil {
		return userDetail{}, err
	}
	out := userDetail{User: u, Groups: []ota.Group{}, Grants: []ota.RoleGrant{}}
	groups, err := s.deps.Directory.GroupsOf(c, in.ID)
	if err != nil {
		return out, err
	}
	for _, g := range groups {
		if c.reach.Contains(ota.Scope{Org: g.Org}) {
			out.Groups = append(out.Groups, g)
		}
	}
	held, err := s.deps.Directory.Held(c, ota.SubjectUser, in.ID)
	for _, g := range held {
		if c.reach.Contains(g.Scope) {
			out.Grants = append(out.Grants, g)
		}
	}
	return out, err
}

// userInReach returns a user of an organisation within the caller's reach, and
// those organisations. Users belong to the server too: a role in the main
// organisation reaches all of them.
func (s *server) userInReach(c *call, id int64) (ota.User, []string, error) {
	u, err := s.deps.Directory.User(c, id)
	if err != nil {
		return u, nil, err
	}
	orgs, err := s.deps.Directory.OrgsOfUser(c, id)
	if err != nil {
		return u, nil, err
	}
	orgs = slices.DeleteFunc(append(orgs, ota.MainOrg), func(o string) bool { return !c.reach.Contains(ota.Scope{Org: o}) })
	if len(orgs) == 0 {
		return ota.User{}, nil, ota.NotFound("user_not_found", "there is no user %d", id)
	}
	return u, orgs, nil
}

// personInReach checks that a user's account as a whole is within the caller's
// reach, as it must be for how the user signs in and where: whoever holds roles
// elsewhere too is not the caller's alone, and whoever holds none here is not there.
func (s *server) personInReach(c *call, id int64) error {
	if c.reach.Contains(ota.Scope{Org: ota.MainOrg}) {
		_, err := s.deps.Directory.User(c, id) // users belong to the server
		return err
	}
	held, err := s.deps.Directory.Held(c, ota.SubjectUser, id)
	if err != nil {
		return err
	}
	here := 0
	for _, g := range held {
		if c.reach.Contains(g.Scope) {
			here++
		}
	}
	switch here {
	case 0:
		return ota.NotFound("user_not_found", "there is no user %d", id)
	case len(held):
		return nil
	}
	return ota.Errorf(ota.KindForbidden, "outranked", "this user holds roles elsewhere, too").
		WithHint("ask an owner of the organisation %s", ota.MainOrg)
}
