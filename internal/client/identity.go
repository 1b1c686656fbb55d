package client

import (
	"context"
	"net/http"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Invitations lists invitations, newest first.
func (c *Client) Invitations(ctx context.Context, p ota.Page) ([]ota.Invitation, string, error) {
	return getList[ota.Invitation](ctx, c, p, nil, "invitations")
}

// CreateInvitation invites somebody; the link is shown only this once.
func (c *Client) CreateInvitation(ctx context.Context, in ota.NewInvitation) (ota.Invited, error) {
	return send[ota.Invited](ctx, c, http.MethodPost, in, "invitations")
}

// DeleteInvitation revokes an invitation.
func (c *Client) DeleteInvitation(ctx context.Context, id int64) error {
	return remove(ctx, c, nil, "invitations", strconv.FormatInt(id, 10))
}

// CreateSetupLink makes the link for the first user of a server that has none.
func (c *Client) CreateSetupLink(ctx context.Context) (ota.Link, error) {
	return send[ota.Link](ctx, c, http.MethodPost, nil, "setup-link")
}

// CreateResetLink makes a link with which a user replaces how they sign in.
func (c *Client) CreateResetLink(ctx context.Context, user int64) (ota.Link, error) {
	return send[ota.Link](ctx, c, http.MethodPost, nil, "users", strconv.FormatInt(user, 10), "reset-link")
}

// SignInMethods returns how the caller can sign in.
func (c *Client) SignInMethods(ctx context.Context) (ota.SignInMethods, error) {
	return get[ota.SignInMethods](ctx, c, "me", "sign-in-methods")
}

// Sessions lists where a user is signed in; 0 = the caller.
func (c *Client) Sessions(ctx context.Context, user int64) ([]ota.Session, error) {
	items, _, err := getList[ota.Session](ctx, c, ota.Page{}, nil, sessionsOf(user)...)
	return items, err
}

// EndSession ends one session of a user; 0 = the caller.
func (c *Client) EndSession(ctx context.Context, user, id int64) error {
	return remove(ctx, c, nil, append(sessionsOf(user), strconv.FormatInt(id, 10))...)
}

// EndSessions signs a user out everywhere and returns how many sessions there
// were; 0 = the caller.
func (c *Client) EndSessions(ctx context.Context, user int64) (int64, error) {
	out, err := send[struct {
		Ended int64 `json:"ended"`
	}](ctx, c, http.MethodDelete, nil, sessionsOf(user)...)
	return out.Ended, err
}

func sessionsOf(user int64) []string {
	if user == 0 {
		return []string{"sessions"}
	}
	return []string{"users", strconv.FormatInt(user, 10), "sessions"}
}

// SSOProviders lists the single sign-on providers.
func (c *Client) SSOProviders(ctx context.Context) ([]ota.SSOProvider, error) {
	items, _, err := getList[ota.SSOProvider](ctx, c, ota.Page{}, nil, "sso", "providers")
	return items, err
}

// SSOProvider returns one.
func (c *Client) SSOProvider(ctx context.Context, id string) (ota.SSOProvider, error) {
	return get[ota.SSOProvider](ctx, c, "sso", "providers", id)
}

// CreateSSOProvider adds a single sign-on provider.
func (c *Client) CreateSSOProvider(ctx context.Context, in ota.NewSSOProvider) (ota.SSOProvider, error) {
	return send[ota.SSOProvider](ctx, c, http.MethodPost, in, "sso", "providers")
}

// UpdateSSOProvider changes a single sign-on provider.
func (c *Client) UpdateSSOProvider(ctx context.Context, id string, in ota.SSOProviderPatch) (ota.SSOProvider, error) {
	return send[ota.SSOProvider](ctx, c, http.MethodPatch, in, "sso", "providers", id)
}

// DeleteSSOProvider removes a single sign-on provider.
func (c *Client) DeleteSSOProvider(ctx context.Context, id string) error {
	return remove(ctx, c, nil, "sso", "providers", id)
}
