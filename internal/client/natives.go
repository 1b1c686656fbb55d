package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// NativeBuilds lists the registered native versions of an app, latest first.
// With a channel it says how many devices on it run each.
func (c *Client) NativeBuilds(ctx context.Context, app, channel string) ([]ota.NativeBuild, error) {
	var q url.Values
	if channel != "" {
		q = url.Values{"channel": {channel}}
	}
	items, _, err := getList[ota.NativeBuild](ctx, c, ota.Page{}, q, "apps", app, "natives")
	return items, err
}

// RegisterNative registers what a version of the native app has. created is
// false if it was registered already with the same.
func (c *Client) RegisterNative(ctx context.Context, app string, in ota.NewNativeBuild) (n ota.NativeBuild, created bool, err error) {
	n, status, err := sendStatus[ota.NativeBuild](ctx, c, http.MethodPost, in, "apps", app, "natives")
	return n, status == http.StatusCreated, err
}

// DeleteNative forgets a native version.
func (c *Client) DeleteNative(ctx context.Context, app, platform, version string) error {
	return remove(ctx, c, nil, "apps", app, "natives", platform, version)
}
