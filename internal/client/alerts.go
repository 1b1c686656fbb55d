package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Alerts lists alerts of an app ("" = of all within reach), newest first.
func (c *Client) Alerts(ctx context.Context, f ota.AlertFilter, page ota.Page) ([]ota.Alert, string, error) {
	q := url.Values{}
	set(q, "state", string(f.State))
	set(q, "rule", string(f.Kind))
	if f.App == "" {
		return getList[ota.Alert](ctx, c, page, q, "alerts")
	}
	return getList[ota.Alert](ctx, c, page, q, "apps", f.App, "alerts")
}

// Alert returns an alert of an app.
func (c *Client) Alert(ctx context.Context, app string, id int64) (ota.Alert, error) {
	return get[ota.Alert](ctx, c, "apps", app, "alerts", decimal(id))
}

// AckAlert says that somebody takes care of an alert.
func (c *Client) AckAlert(ctx context.Context, app string, id int64, note string) (ota.Alert, error) {
	return send[ota.Alert](ctx, c, http.MethodPost, ota.AlertNote{Note: note}, "apps", app, "alerts", decimal(id), "ack")
}

// TestAlerts fires an alert that nothing is wrong with.
func (c *Client) TestAlerts(ctx context.Context, app string) (ota.Alert, error) {
	return send[ota.Alert](ctx, c, http.MethodPost, nil, "apps", app, "alerts", "test")
}

// AlertRules lists the alert rules of an app as they are in force.
func (c *Client) AlertRules(ctx context.Context, app string) ([]ota.AlertRule, error) {
	items, _, err := getList[ota.AlertRule](ctx, c, ota.Page{}, nil, "apps", app, "alert-rules")
	return items, err
}

// SetAlertRule changes an alert rule of an app.
func (c *Client) SetAlertRule(ctx context.Context, app string, rule ota.AlertKind, in ota.AlertRulePatch) (ota.AlertRule, error) {
	return send[ota.AlertRule](ctx, c, http.MethodPatch, in, "apps", app, "alert-rules", string(rule))
}

// ResetAlertRule makes an alert rule of an app what it is as it comes.
func (c *Client) ResetAlertRule(ctx context.Context, app string, rule ota.AlertKind) (ota.AlertRule, error) {
	return send[ota.AlertRule](ctx, c, http.MethodDelete, nil, "apps", app, "alert-rules", string(rule))
}

// Silences lists the silences of an app's alerts, newest first.
func (c *Client) Silences(ctx context.Context, app string, page ota.Page) ([]ota.AlertSilence, string, error) {
	return getList[ota.AlertSilence](ctx, c, page, nil, "apps", app, "silences")
}

// CreateSilence keeps alerts of an app from telling anybody for a while.
func (c *Client) CreateSilence(ctx context.Context, app string, in ota.NewAlertSilence) (ota.AlertSilence, error) {
	return send[ota.AlertSilence](ctx, c, http.MethodPost, in, "apps", app, "silences")
}

// EndSilence ends a silence now.
func (c *Client) EndSilence(ctx context.Context, app string, id int64) error {
	return remove(ctx, c, nil, "apps", app, "silences", decimal(id))
}
