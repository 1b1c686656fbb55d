package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Outcomes lists how far devices came with a version.
func (c *Client) Outcomes(ctx context.Context, app string, f ota.OutcomeFilter, page ota.Page) ([]ota.DeviceOutcome, string, error) {
	q := url.Values{}
	set(q, "version", f.Version)
	set(q, "state", f.State)
	set(q, "reason", f.Reason)
	return getList[ota.DeviceOutcome](ctx, c, page, q, "apps", app, "outcomes")
}

// OutcomeSummary counts how far devices came with a version.
func (c *Client) OutcomeSummary(ctx context.Context, app, version string) (ota.OutcomeSummary, error) {
	return get[ota.OutcomeSummary](ctx, c, "apps", app, "bundles", version, "outcomes")
}

// RolloutBucket says where a device falls in a channel's rollout.
func (c *Client) RolloutBucket(ctx context.Context, app, channel string, id ota.DeviceID) (ota.RolloutBucket, error) {
	var out ota.RolloutBucket
	q := url.Values{"device": {id.String()}}
	_, err := c.do(ctx, call{method: http.MethodGet, path: []string{"apps", app, "channels", channel, "bucket"}, query: q, out: &out})
	return out, err
}
