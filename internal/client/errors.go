package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Errors lists groups of errors.
func (c *Client) Errors(ctx context.Context, app string, f ota.ErrorFilter, page ota.Page) ([]ota.ErrorGroup, string, error) {
	q := url.Values{}
	for k, v := range map[string]string{
		"state": string(f.State), "kind": f.Kind, "version": f.Version, "platform": f.Platform, "text": f.Text, "sort": string(f.Sort),
	} {
		set(q, k, v)
	}
	if f.Since > 0 {
		q.Set("since", strconv.FormatInt(f.Since, 10))
	}
	return getList[ota.ErrorGroup](ctx, c, page, q, "apps", app, "errors")
}

// Error returns a group with its samples; the stack is that of a sample (0 = the
// newest).
func (c *Client) Error(ctx context.Context, app string, id, sample int64) (ota.ErrorGroupDetail, error) {
	var out ota.ErrorGroupDetail
	q := url.Values{}
	if sample != 0 {
		q.Set("sample", strconv.FormatInt(sample, 10))
	}
	_, err := c.do(ctx, call{method: http.MethodGet, path: []string{"apps", app, "errors", strconv.FormatInt(id, 10)}, query: q, out: &out})
	return out, err
}

// ResolveError marks a group as resolved.
func (c *Client) ResolveError(ctx context.Context, app string, id int64, in ota.ResolveError) (ota.ErrorGroup, error) {
	return send[ota.ErrorGroup](ctx, c, http.MethodPost, in, "apps", app, "errors", strconv.FormatInt(id, 10), "resolve")
}

// IgnoreError marks a group as one that nobody wants to hear of.
func (c *Client) IgnoreError(ctx context.Context, app string, id int64) (ota.ErrorGroup, error) {
	return send[ota.ErrorGroup](ctx, c, http.MethodPost, nil, "apps", app, "errors", strconv.FormatInt(id, 10), "ignore")
}

// ReopenError takes back that a group was resolved or ignored.
func (c *Client) ReopenError(ctx context.Context, app string, id int64) (ota.ErrorGroup, error) {
	return send[ota.ErrorGroup](ctx, c, http.MethodPost, nil, "apps", app, "errors", strconv.FormatInt(id, 10), "reopen")
}

// SymbolicateErrors groups stored errors again with the maps there are now.
func (c *Client) SymbolicateErrors(ctx context.Context, app string) (ota.Symbolication, error) {
	return send[ota.Symbolication](ctx, c, http.MethodPost, nil, "apps", app, "symbolicate")
}

// SourceMaps lists the source maps of a bundle.
func (c *Client) SourceMaps(ctx context.Context, app, version string) ([]ota.SourceMap, error) {
	items, _, err := getList[ota.SourceMap](ctx, c, ota.Page{}, nil, "apps", app, "bundles", version, "sourcemaps")
	return items, err
}

// AddSourceMaps adds source maps that were uploaded as blobs to a bundle.
func (c *Client) AddSourceMaps(ctx context.Context, app, version string, in ota.NewSourceMaps) error {
	_, err := c.do(ctx, call{method: http.MethodPost, path: []string{"apps", app, "bundles", version, "sourcemaps"}, in: in})
	return err
}
