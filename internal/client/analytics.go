package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Analytics answers one question about an app's devices over time.
func (c *Client) Analytics(ctx context.Context, app string, q ota.AnalyticsQuery) (ota.Analytics, error) {
	var out ota.Analytics
	_, err := c.do(ctx, call{method: http.MethodGet, path: []string{"apps", app, "analytics", q.Name}, query: analyticsQuery(q), out: &out})
	return out, err
}

// AnalyticsCSV is Analytics as a table. The caller must close it.
func (c *Client) AnalyticsCSV(ctx context.Context, app string, q ota.AnalyticsQuery) (io.ReadCloser, error) {
	query := analyticsQuery(q)
	query.Set("format", "csv")
	res, err := c.exchange(ctx, call{method: http.MethodGet, path: []string{"apps", app, "analytics", q.Name}, query: query})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

func analyticsQuery(q ota.AnalyticsQuery) url.Values {
	v := url.Values{}
	set(v, "step", q.Step)
	set(v, "version", q.Version)
	for name, at := range map[string]int64{"from": q.From, "to": q.To} {
		if at != 0 {
			v.Set(name, strconv.FormatInt(at, 10))
		}
	}
	return v
}
