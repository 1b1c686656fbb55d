package console

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type invitationsView struct {
	Invitations []ota.Invitation
	Next        string
	Now         int64
}

type inviteView struct {
	Roles []ota.Role
	Orgs  []ota.Org
}

func (c *Console) registerInvitations() {
	const all = "/people/invitations"
	c.page(route{method: "GET", path: all, action: "invitation.list"}, c.showInvitations)
	c.page(route{method: "GET", path: all + "/new", action: "invitation.create"}, c.showInvite)
	c.act(route{method: "POST", path: all + "/new", action: "invitation.create"}, c.invite, c.showInvite)
	c.act(route{method: "POST", path: all, action: "invitation.delete"}, c.revokeInvitation, c.showInvitations)
}

func (c *Console) showInvitations(r *request) (answer, error) {
	all, next, err := r.api.Invitations(r, r.listPage())
	return r.show("invitations", "Invitations", invitationsView{all, next, c.deps.Now().UnixMilli()}), err
}

func (c *Console) showInvite(r *request) (answer, error) {
	orgs, _, err := r.api.Orgs(r, ota.Page{Limit: 200})
	return r.show("invite", "Invite somebody", inviteView{ota.Roles(), orgs}), err
}

func (c *Console) invite(r *request) (answer, error) {
	in := ota.NewInvitation{Email: r.text("email")}
	if role := r.text("role"); role != "" {
		scope, err := ota.ParseScope(r.text("scope"))
		if err != nil {
			return answer{}, err
		}
		in.Grants = []ota.Grant{{Role: ota.Role(role), Scope: scope}}
	}
	out, err := r.api.CreateInvitation(r, in)
	return r.showOnce(secretView{
		Heading: "Invitation", About: "For " + visible(out.Invitation.Email) + ": who opens it becomes that user, with the roles you chose.",
		Label: "One-time link", Text: out.Link.URL, Notes: []string{untilText(out.Link.ExpiresAt), "When they approve what you asked for, or you what they did, it shows that you invited them; a channel can refuse that."},
		Back: address("people", "invitations"), BackTo: "All invitations",
	}), err
}

func (c *Console) revokeInvitation(r *request) (answer, error) {
	id, err := r.formID("invitation")
	if err == nil {
		err = r.api.DeleteInvitation(r, id)
	}
	return r.done("invitation_revoked", "people", "invitations"), err
}

// untilText says until when something is good.
func untilText(ms int64) string {
	if ms == 0 {
		return "It does not expire."
	}
	return "Good until " + time.UnixMilli(ms).UTC().Format("2 January 2006, 15:04 UTC") + "."
}
