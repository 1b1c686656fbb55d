package client

import (
	"context"
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Freeze freezes a channel: nothing new goes on it.
func (c *Client) Freeze(ctx context.Context, app, channel, reason string) (ota.Channel, error) {
	return send[ota.Channel](ctx, c, http.MethodPost, ota.Reason{Reason: reason}, "apps", app, "channels", channel, "freeze")
}

// Thaw opens a frozen channel again.
func (c *Client) Thaw(ctx context.Context, app, channel, reason string) (ota.Channel, error) {
	return send[ota.Channel](ctx, c, http.MethodPost, ota.Reason{Reason: reason}, "apps", app, "channels", channel, "thaw")
}

// Hold takes a bundle out of service.
func (c *Client) Hold(ctx context.Context, app, version string, hold ota.Hold, reason string) (ota.Bundle, error) {
	verb := "quarantine"
	if hold == ota.Blocked {
		verb = "block"
	}
	return send[ota.Bundle](ctx, c, http.MethodPost, ota.Reason{Reason: reason}, "apps", app, "bundles", version, verb)
}

// Unhold puts a bundle into service again.
func (c *Client) Unhold(ctx context.Context, app, version, reason string) (ota.Bundle, error) {
	return send[ota.Bundle](ctx, c, http.MethodPost, ota.Reason{Reason: reason}, "apps", app, "bundles", version, "release")
}
