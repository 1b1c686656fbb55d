package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func ofRollout(rollout string) url.Values {
	if rollout == "" {
		return nil
	}
	return url.Values{"rollout": {rollout}}
}

// Guard tells what the guard knows of a rollout or release of a channel; "" =
// what it serves now.
func (c *Client) Guard(ctx context.Context, app, channel, rollout string) (v ota.GuardView, err error) {
	_, err = c.do(ctx, call{
		method: http.MethodGet, path: []string{"apps", app, "channels", channel, "guard"}, query: ofRollout(rollout), out: &v,
	})
	return v, err
}

// GuardWatches lists what the guard watched on a channel, newest first.
func (c *Client) GuardWatches(ctx context.Context, app, channel string, page ota.Page) ([]ota.GuardWatch, string, error) {
	return getList[ota.GuardWatch](ctx, c, page, nil, "apps", app, "channels", channel, "guard", "watches")
}

// GuardInputs exports all that the guard was told of a rollout or release.
func (c *Client) GuardInputs(ctx context.Context, app, channel, rollout string) (ota.GuardExport, error) {
	var all ota.GuardExport
	query := url.Values{"limit": {"500"}}
	if rollout != "" {
		query.Set("rollout", rollout)
	}
	for {
		var x ota.GuardExport
		if _, err := c.do(ctx, call{
			method: http.MethodGet, path: []string{"apps", app, "channels", channel, "guard", "inputs"}, query: query, out: &x,
		}); err != nil {
			return all, err
		}
		if all.App == "" {
			all = x
		} else {
			all.Head = x.Head // it grew while this was read
			all.Rows, all.Decisions = append(all.Rows, x.Rows...), append(all.Decisions, x.Decisions...)
		}
		if all.Next = ""; x.Next == "" {
			return all, nil
		}
		query.Set("after", x.Next)
		query.Set("rollout", x.Watch.Rollout) // the channel may serve another by now
	}
}

// GuardHalt stops offers of a version at once.
func (c *Client) GuardHalt(ctx context.Context, app, channel string, in ota.GuardHaltRequest) (ota.GuardHaltAnswer, error) {
	return send[ota.GuardHaltAnswer](ctx, c, http.MethodPost, in, "apps", app, "channels", channel, "guard", "halt")
}
