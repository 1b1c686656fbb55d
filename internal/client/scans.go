package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxScan bounds a report.
const maxScan = 64 << 20

// Scans lists the reports of a bundle's scans, newest first.
func (c *Client) Scans(ctx context.Context, app, version string, page ota.Page) ([]ota.ScanReport, string, error) {
	return getList[ota.ScanReport](ctx, c, page, nil, "apps", app, "bundles", version, "scans")
}

// Scan returns a report (id 0 = the latest) in a format: json, sarif, html or
// text; the last three with the policy of a channel ("" = of the app).
func (c *Client) Scan(ctx context.Context, app, version string, id int64, format, channel string) ([]byte, error) {
	q := url.Values{}
	set(q, "format", format)
	set(q, "channel", channel)
	k := call{method: http.MethodGet, path: []string{"apps", app, "bundles", version, "scans", strconv.FormatInt(id, 10)}, query: q}
	res, err := c.exchange(ctx, k)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxScan))
	if err != nil {
		return nil, unreadable(ctx, k, err)
	}
	return body, nil
}

// UploadScan sends the report of a bundle; created is false if it was there.
func (c *Client) UploadScan(ctx context.Context, app, version string, in ota.ScanUpload) (r ota.ScanReport, created bool, err error) {
	r, status, err := sendStatus[ota.ScanReport](ctx, c, http.MethodPost, in, "apps", app, "bundles", version, "scans")
	return r, status == http.StatusCreated, err
}

// ScanVerdict says what the policy of a channel ("" = of the app) makes of a bundle.
func (c *Client) ScanVerdict(ctx context.Context, app, version, channel string) (ota.ScanVerdict, error) {
	q := url.Values{}
	set(q, "channel", channel)
	var out ota.ScanVerdict
	_, err := c.do(ctx, call{method: http.MethodGet, path: []string{"apps", app, "bundles", version, "scan-verdict"}, query: q, out: &out})
	return out, err
}

// Rescan asks the server to scan a bundle again.
func (c *Client) Rescan(ctx context.Context, app, version string) (ota.ScanJob, error) {
	return send[ota.ScanJob](ctx, c, http.MethodPost, nil, "apps", app, "bundles", version, "scans", "rescan")
}

// ScanTrend lists what the scans of an app's latest bundles found, oldest first.
func (c *Client) ScanTrend(ctx context.Context, app string, limit int) ([]ota.ScanTrend, error) {
	items, _, err := getList[ota.ScanTrend](ctx, c, ota.Page{Limit: limit}, nil, "apps", app, "scan-trend")
	return items, err
}

// policyPath is where the scan policy of an app or a channel is.
func policyPath(app, channel string) []string {
	if channel == "" {
		return []string{"apps", app, "scan-policy"}
	}
	return []string{"apps", app, "channels", channel, "scan-policy"}
}

// ScanPolicy returns the scan policy that holds for a channel; "" = that of the app.
func (c *Client) ScanPolicy(ctx context.Context, app, channel string) (ota.ScanPolicyInfo, error) {
	return get[ota.ScanPolicyInfo](ctx, c, policyPath(app, channel)...)
}

// SetScanPolicy sets the scan policy of a channel; "" = that of the app.
func (c *Client) SetScanPolicy(ctx context.Context, app, channel string, in ota.ScanPolicy) (ota.ScanPolicyInfo, error) {
	return send[ota.ScanPolicyInfo](ctx, c, http.MethodPut, in, policyPath(app, channel)...)
}

// ResetScanPolicy takes a channel's own scan policy away.
func (c *Client) ResetScanPolicy(ctx context.Context, app, channel string) (ota.ScanPolicyInfo, error) {
	return send[ota.ScanPolicyInfo](ctx, c, http.MethodDelete, nil, policyPath(app, channel)...)
}

// Suppressions lists the suppressions of an app in a state ("" = all), newest first.
func (c *Client) Suppressions(ctx context.Context, app string, state ota.SuppressionState, page ota.Page) ([]ota.Suppression, string, error) {
	q := url.Values{}
	set(q, "state", string(state))
	return getList[ota.Suppression](ctx, c, page, q, "apps", app, "suppressions")
}

// RequestSuppression asks that findings do not count.
func (c *Client) RequestSuppression(ctx context.Context, app string, in ota.NewSuppression) (ota.Suppression, error) {
	return send[ota.Suppression](ctx, c, http.MethodPost, in, "apps", app, "suppressions")
}

// DecideSuppression approves or rejects a suppression.
func (c *Client) DecideSuppression(ctx context.Context, app string, id int64, approve bool, note string) (ota.Suppression, error) {
	verb := "reject"
	if approve {
		verb = "approve"
	}
	return send[ota.Suppression](ctx, c, http.MethodPost, ota.SuppressionNote{Note: note}, "apps", app, "suppressions", strconv.FormatInt(id, 10), verb)
}

// DeleteSuppression takes a suppression away.
func (c *Client) DeleteSuppression(ctx context.Context, app string, id int64) error {
	return remove(ctx, c, nil, "apps", app, "suppressions", strconv.FormatInt(id, 10))
}
