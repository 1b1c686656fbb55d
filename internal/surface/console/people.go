package console

import (
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type usersView struct {
	Users []ota.User
	Next  string
}

type userView struct {
	User     client.UserDetail
	Sessions []ota.Session
	SeesThem bool // the visitor may see sessions
	Roles    []ota.Role
	Self     bool
}

func (c *Console) registerPeople() {
	c.page(route{method: "GET", path: "/people", action: "access.matrix", somewhere: true}, c.showPeople)
	c.page(route{method: "GET", path: "/people/users", action: "user.list", somewhere: true}, c.showUsers)
	const one = "/people/users/{user}"
	c.page(route{method: "GET", path: one, action: "user.get", somewhere: true}, c.showUser)
	c.act(route{method: "POST", path: one + "/name", action: "user.update", somewhere: true}, c.renameUser, c.showUser)
	c.act(route{method: "POST", path: one + "/enable", action: "user.update", somewhere: true}, c.enableUser, c.showUser)
	c.confirmed(route{path: one + "/disable", action: "user.disable", somewhere: true}, c.askDisableUser, c.disableUser)
	c.confirmed(route{path: one + "/reset", action: "user.reset"}, c.askReset, c.resetUser)
	c.confirmed(route{path: one + "/sign-out", action: "session.delete"}, c.askEndUserSessions, c.endUserSessions)
}

// showPeople leads to the first tab that the visitor may see.
func (c *Console) showPeople(r *request) (answer, error) {
	if r.mayAnywhere("user.list") {
		return answer{to: address("people", "users")}, nil
	}
	return answer{to: address("people", "roles")}, nil
}

func (c *Console) showUsers(r *request) (answer, error) {
	users, next, err := r.api.Users(r, r.query("org"), r.listPage())
	return r.show("users", "Users", usersView{users, next}), err
}

func (r *request) user() (client.UserDetail, error) {
	id, err := r.id("user")
	if err != nil {
		return client.UserDetail{}, err
	}
	return r.api.User(r, id)
}

func (c *Console) showUser(r *request) (answer, error) {
	u, err := r.user()
	if err != nil {
		return answer{}, err
	}
	v := userView{User: u, Roles: ota.Roles(), Self: r.visitor.Principal.Person == u.ID}
	v.Sessions, err = r.api.Sessions(r, u.ID)
	if v.SeesThem = err == nil; err != nil && ota.KindOf(err) != ota.KindForbidden {
		return answer{}, err
	}
	return r.show("user", u.Email, v), nil
}

func userPage(id int64) []string { return []string{"people", "users", strconv.FormatInt(id, 10)} }

func (c *Console) renameUser(r *request) (answer, error) {
	id, err := r.id("user")
	name := r.text("name")
	if err == nil {
		_, err = r.api.UpdateUser(r, id, ota.UserPatch{Name: &name})
	}
	return r.done("user_changed", userPage(id)...), err
}

func (c *Console) setDisabled(r *request, disabled bool) (int64, error) {
	id, err := r.id("user")
	if err == nil {
		_, err = r.api.UpdateUser(r, id, ota.UserPatch{Disabled: &disabled})
	}
	return id, err
}

func (c *Console) enableUser(r *request) (answer, error) {
	id, err := c.setDisabled(r, false)
	return r.done("user_enabled", userPage(id)...), err
}

func (c *Console) askDisableUser(r *request) (confirmView, error) {
	u, err := r.user()
	return confirmView{
		Heading: "Disable a user", Facts: [][2]string{{"User", u.Email}}, Button: "Disable", Back: address(userPage(u.ID)...),
		What: []string{"They are signed out everywhere and cannot sign in.", "Their tokens stop working at once.", "Their approvals of open requests do not count any more.", "Roles and groups are kept: enabling them again gives all back."},
	}, err
}

func (c *Console) disableUser(r *request) (answer, error) {
	id, err := c.setDisabled(r, true)
	return r.done("user_disabled", userPage(id)...), err
}

func (c *Console) askReset(r *request) (confirmView, error) {
	u, err := r.user()
	return confirmView{
		Heading: "Reset how a user signs in", Facts: [][2]string{{"User", u.Email}}, Button: "Make the link", Back: address(userPage(u.ID)...),
		What: []string{
			"You get a one-time link, shown once. Who opens it replaces the user's passkeys, password and codes: give it to nobody else.",
			"They are signed out everywhere once it is used.",
			"From then on their approval does not count on what you ask for, nor yours on what they ask for: you could have used the link yourself.",
		},
	}, err
}

func (c *Console) resetUser(r *request) (answer, error) {
	u, err := r.user()
	if err != nil {
		return answer{}, err
	}
	link, err := r.api.CreateResetLink(r, u.ID)
	return r.showOnce(secretView{
		Heading: "Reset link", About: "For " + visible(u.Email) + " and nobody else.", Label: "One-time link", Text: link.URL,
		Notes: []string{untilText(link.ExpiresAt)}, Back: address(userPage(u.ID)...), BackTo: "Back to the user",
	}), err
}

func (c *Console) askEndUserSessions(r *request) (confirmView, error) {
	u, err := r.user()
	return confirmView{
		Heading: "Sign a user out everywhere", Facts: [][2]string{{"User", u.Email}}, Button: "Sign out", Back: address(userPage(u.ID)...),
		What: []string{"Every browser they are signed in with asks them to sign in again.", "Their tokens keep working."},
	}, err
}

func (c *Console) endUserSessions(r *request) (answer, error) {
	id, err := r.id("user")
	if err == nil {
		_, err = r.api.EndSessions(r, id)
	}
	return r.done("sessions_ended", userPage(id)...), err
}
