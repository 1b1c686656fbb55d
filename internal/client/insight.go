package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// AppSummaries lists apps with their channels and how many devices they have.
func (c *Client) AppSummaries(ctx context.Context, page ota.Page) ([]ota.AppSummary, string, error) {
	return getList[ota.AppSummary](ctx, c, page, nil, "overview", "apps")
}

// Attention lists what a person should look at.
func (c *Client) Attention(ctx context.Context) ([]ota.Attention, error) {
	items, _, err := getList[ota.Attention](ctx, c, ota.Page{}, nil, "overview", "attention")
	return items, err
}

// Stats says what an app's devices run and how it went over the last hours (0 = 24).
func (c *Client) Stats(ctx context.Context, app string, hours int) (ota.AppStats, error) {
	var out ota.AppStats
	q := url.Values{}
	if hours != 0 {
		q.Set("hours", strconv.Itoa(hours))
	}
	_, err := c.do(ctx, call{method: http.MethodGet, path: []string{"apps", app, "stats"}, query: q, out: &out})
	return out, err
}

// Impact says whom a rollback to a version ("" = the one before) would reach.
func (c *Client) Impact(ctx context.Context, app, channel, to string) (ota.Impact, error) {
	var out ota.Impact
	q := url.Values{}
	set(q, "to", to)
	_, err := c.do(ctx, call{method: http.MethodGet, path: []string{"apps", app, "channels", channel, "impact"}, query: q, out: &out})
	return out, err
}
