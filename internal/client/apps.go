package client

import (
	"context"
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CreateApp creates an app with a public channel "production".
func (c *Client) CreateApp(ctx context.Context, in ota.NewApp) (ota.App, error) {
	return send[ota.App](ctx, c, http.MethodPost, in, "apps")
}

// Apps lists apps.
func (c *Client) Apps(ctx context.Context, page ota.Page) ([]ota.App, string, error) {
	return getList[ota.App](ctx, c, page, nil, "apps")
}

// App returns one app.
func (c *Client) App(ctx context.Context, id string) (ota.App, error) {
	return get[ota.App](ctx, c, "apps", id)
}

// UpdateApp changes an app's settings.
func (c *Client) UpdateApp(ctx context.Context, id string, in ota.AppPatch) (ota.App, error) {
	return send[ota.App](ctx, c, http.MethodPatch, in, "apps", id)
}

// DeleteApp deletes an app with all that belongs to it.
func (c *Client) DeleteApp(ctx context.Context, id string) error {
	return remove(ctx, c, nil, "apps", id)
}

// Keys lists an app's signing keys, newest first.
func (c *Client) Keys(ctx context.Context, app string) ([]ota.Key, error) {
	items, _, err := getList[ota.Key](ctx, c, ota.Page{}, nil, "apps", app, "keys")
	return items, err
}

// RegisterKey registers the public half of a signing key (PKCS#1 PEM).
func (c *Client) RegisterKey(ctx context.Context, app, publicPEM string) (ota.Key, error) {
	in := struct {
		PublicPEM string `json:"public_pem"`
	}{publicPEM}
	return send[ota.Key](ctx, c, http.MethodPost, in, "apps", app, "keys")
}

// SetKeyState retires a key or makes it active again.
func (c *Client) SetKeyState(ctx context.Context, app, keyID string, state ota.KeyState) (ota.Key, error) {
	in := struct {
		State ota.KeyState `json:"state"`
	}{state}
	return send[ota.Key](ctx, c, http.MethodPatch, in, "apps", app, "keys", keyID)
}

// Changes lists the record of changes of an app, newest first.
func (c *Client) Changes(ctx context.Context, app string, page ota.Page) ([]ota.Change, string, error) {
	return getList[ota.Change](ctx, c, page, nil, "apps", app, "changes")
}
