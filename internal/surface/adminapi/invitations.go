package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type invitationInput struct {
	Request
	ID int64 `path:"id" minimum:"1"`
}

type invitationsInput struct {
	Request
	PageParams
}

// base is the address that the caller sees the server at.
func (s *server) baseOf(c *call) string { return s.deps.Base(requestOf(c.http)) }

func (s *server) registerInvitations() {
	const tag = "sign-in"
	register(s, route{
		id: "list-invitations", method: http.MethodGet, path: "/invitations", action: "invitation.list", tag: tag, somewhere: true,
		summary: "List the invitations to where the caller may see who is invited, newest first",
	},
		func(c *call, in *invitationsInput, _ none) (list[ota.Invitation], error) {
			return listOf(s.deps.Identity.Invitations(c, c.reach, in.page()))
		})
	register(s, route{
		id: "create-invitation", method: http.MethodPost, path: "/invitations", action: "invitation.create", tag: tag, status: http.StatusCreated, somewhere: true,
		summary: "Invite somebody, with grants that the caller may give; the link is mailed to them, or shown only this once",
	},
		func(c *call, _ *Request, body ota.NewInvitation) (ota.Invited, error) {
			if len(body.Grants) == 0 {
				if err := c.may("invitation.create", ota.Scope{Org: ota.MainOrg}); err != nil {
					return ota.Invited{}, err
				}
			}
			for _, g := range body.Grants {
				if err := c.mayGrant("invitation.create", g); err != nil {
					return ota.Invited{}, err
				}
			}
			return s.deps.Identity.Invite(c, c.principal, s.baseOf(c), body)
		})
	register(s, route{
		id: "delete-invitation", method: http.MethodDelete, path: "/invitations/{id}", action: "invitation.delete", tag: tag, status: http.StatusNoContent, somewhere: true,
		summary: "Revoke an invitation",
	},
		func(c *call, in *invitationInput, _ none) (none, error) {
			return none{}, s.deps.Identity.RevokeInvitation(c, c.principal, c.reach, in.ID)
		})
	register(s, route{
		id: "create-setup-link", method: http.MethodPost, path: "/setup-link", action: "setup.create", tag: tag, status: http.StatusCreated,
		summary: "Make the link for the first user of a server that has none",
	},
		func(c *call, _ *Request, _ none) (ota.Link, error) {
			return s.deps.Identity.SetupLink(c, c.actor, s.baseOf(c))
		})
	register(s, route{
		id: "create-reset-link", method: http.MethodPost, path: "/users/{id}/reset-link", action: "user.reset", tag: tag, status: http.StatusCreated, somewhere: true,
		summary: "Make a link with which a user replaces how they sign in; shown only this once",
	},
		func(c *call, in *userInput, _ none) (ota.Link, error) {
			if err := s.personInReach(c, in.ID); err != nil {
				return ota.Link{}, err
			}
			return s.deps.Identity.ResetLink(c, c.principal, s.baseOf(c), in.ID)
		})
}
