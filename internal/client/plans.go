package client

import (
	"context"
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Rollout says where a channel's rollout is; its Rollout is nil if there is none.
func (c *Client) Rollout(ctx context.Context, app, channel string) (ota.RolloutView, error) {
	return get[ota.RolloutView](ctx, c, "apps", app, "channels", channel, "rollout")
}

// LetRolloutGo opens the gate of the step in force of a rollout's plan.
func (c *Client) LetRolloutGo(ctx context.Context, app, channel string) (ota.Rollout, error) {
	return send[ota.Rollout](ctx, c, http.MethodPost, nil, "apps", app, "channels", channel, "rollout", "let")
}

// RolloutDevice says how a channel's rollout concerns a device.
func (c *Client) RolloutDevice(ctx context.Context, app, channel string, id ota.DeviceID) (ota.RolloutDevice, error) {
	return get[ota.RolloutDevice](ctx, c, "apps", app, "channels", channel, "rollout", "devices", id.String())
}

// Cohorts lists an app's cohorts by name, without their lists of ids.
func (c *Client) Cohorts(ctx context.Context, app string) ([]ota.Cohort, error) {
	items, _, err := getList[ota.Cohort](ctx, c, ota.Page{}, nil, "apps", app, "cohorts")
	return items, err
}

// Cohort returns a cohort with its list.
func (c *Client) Cohort(ctx context.Context, app, name string) (ota.Cohort, error) {
	return get[ota.Cohort](ctx, c, "apps", app, "cohorts", name)
}

// SetCohort makes a cohort, or replaces what it is.
func (c *Client) SetCohort(ctx context.Context, app, name string, in ota.CohortRequest) (ota.Cohort, error) {
	return send[ota.Cohort](ctx, c, http.MethodPut, in, "apps", app, "cohorts", name)
}

// DeleteCohort deletes a cohort that nothing names.
func (c *Client) DeleteCohort(ctx context.Context, app, name string) error {
	return remove(ctx, c, nil, "apps", app, "cohorts", name)
}
