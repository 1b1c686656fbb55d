package client

import (
	"context"
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CreateChannel creates a channel with the default policy, changed by policy.
func (c *Client) CreateChannel(ctx context.Context, app, name string, policy ota.PolicyPatch) (ota.Channel, error) {
	in := struct {
		Name   string          `json:"name"`
		Policy ota.PolicyPatch `json:"policy"`
	}{name, policy}
	return send[ota.Channel](ctx, c, http.MethodPost, in, "apps", app, "channels")
}

// Channels lists an app's channels by name.
func (c *Client) Channels(ctx context.Context, app string) ([]ota.Channel, error) {
	items, _, err := getList[ota.Channel](ctx, c, ota.Page{}, nil, "apps", app, "channels")
	return items, err
}

// Channel returns one channel with its current release and rollout.
func (c *Client) Channel(ctx context.Context, app, name string) (ota.Channel, error) {
	return get[ota.Channel](ctx, c, "apps", app, "channels", name)
}

// UpdateChannel changes a channel's policy.
func (c *Client) UpdateChannel(ctx context.Context, app, name string, policy ota.PolicyPatch) (ota.Channel, error) {
	return send[ota.Channel](ctx, c, http.MethodPatch, policy, "apps", app, "channels", name)
}

// DeleteChannel deletes a channel and its history.
func (c *Client) DeleteChannel(ctx context.Context, app, name string) error {
	return remove(ctx, c, nil, "apps", app, "channels", name)
}

// Release puts a version on a channel. done is false if the request said IfNew
// and the channel had the version before.
func (c *Client) Release(ctx context.Context, app, channel string, in ota.ReleaseRequest) (r ota.Release, done bool, err error) {
	r, status, err := sendStatus[ota.Release](ctx, c, http.MethodPost, in, "apps", app, "channels", channel, "releases")
	return r, status == http.StatusCreated, err
}

// Releases lists a channel's history, newest first.
func (c *Client) Releases(ctx context.Context, app, channel string, page ota.Page) ([]ota.Release, string, error) {
	return getList[ota.Release](ctx, c, page, nil, "apps", app, "channels", channel, "releases")
}

// Rollback takes a channel back, as a new release.
func (c *Client) Rollback(ctx context.Context, app, channel string, in ota.RollbackRequest) (ota.Release, error) {
	return send[ota.Release](ctx, c, http.MethodPost, in, "apps", app, "channels", channel, "rollback")
}

// SetRollout starts or changes a channel's rollout.
func (c *Client) SetRollout(ctx context.Context, app, channel string, in ota.RolloutRequest) (ota.Rollout, error) {
	return send[ota.Rollout](ctx, c, http.MethodPut, in, "apps", app, "channels", channel, "rollout")
}

// PromoteRollout makes the rollout's version the channel's release.
func (c *Client) PromoteRollout(ctx context.Context, app, channel string) (ota.Release, error) {
	return send[ota.Release](ctx, c, http.MethodPost, nil, "apps", app, "channels", channel, "rollout", "promote")
}

// AbortRollout ends the rollout; its devices go back to the channel's release.
// recorded is false if offers are stopped and the server's database takes no
// writes yet.
func (c *Client) AbortRollout(ctx context.Context, app, channel string) (recorded bool, err error) {
	status, err := c.do(ctx, call{method: http.MethodDelete, path: []string{"apps", app, "channels", channel, "rollout"}})
	return status != http.StatusAccepted, err
}
