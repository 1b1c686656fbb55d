package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/insight"
)

// DeviceTotals implements [insight.Store].
func (s reads) DeviceTotals(ctx context.Context, apps []string) (map[string]int64, error) {
	out := make(map[string]int64, len(apps))
	if len(apps) == 0 {
		return out, nil
	}
	_, err := selectAll(ctx, s.q, func(row scanner) (_ struct{}, err error) {
		var app string
		var n int64
		err = row.Scan(&app, &n)
		out[app] = n
		return struct{}{}, err
	}, `SELECT app, n FROM device_totals WHERE app IN (`+placeholders(1, len(apps))+`)`, anys(apps)...)
	return out, err
}

func scanDeviceCount(row scanner) (c insight.DeviceCount, err error) {
	return c, row.Scan(&c.Version, &c.Platform, &c.Named, &c.Bound, &c.N)
}

// DeviceCounts implements [insight.Store].
func (s reads) DeviceCounts(ctx context.Context, app string, limit int) ([]insight.DeviceCount, error) {
	return selectAll(ctx, s.q, scanDeviceCount, `SELECT version, platform, channel, '', n FROM device_counts
		WHERE app = $1 ORDER BY n DESC LIMIT $2`, app, limit)
}

// BoundCounts implements [insight.Store].
func (s reads) BoundCounts(ctx context.Context, app string, limit int) (counts []insight.DeviceCount, err error) {
	return selectAll(ctx, s.q, scanDeviceCount, `SELECT d.version_name, d.platform, d.default_channel, c.name, count(*)
		FROM (SELECT device, channel_id FROM device_overrides WHERE app = $1 LIMIT $2) o
		JOIN devices d ON d.app = $1 AND d.id = o.device JOIN channels c ON c.id = o.channel_id
		GROUP BY d.version_name, d.platform, d.default_channel, c.name`, app, limit)
}

// OutcomeHours implements [insight.Store].
func (s reads) OutcomeHours(ctx context.Context, app string, since int64, limit int) ([]ota.OutcomeHour, error) {
	return selectAll(ctx, s.q, func(row scanner) (h ota.OutcomeHour, err error) {
		return h, row.Scan(&h.At, &h.Version, &h.Took, &h.Failed)
	}, `SELECT hour, version, took, failed FROM outcome_counts WHERE app = $1 AND hour >= $2 ORDER BY hour, version LIMIT $3`, app, since, limit)
}

// OutcomeTotals implements [insight.Store].
func (s reads) OutcomeTotals(ctx context.Context, app string, limit int) ([]ota.VersionStats, error) {
	return selectAll(ctx, s.q, func(row scanner) (v ota.VersionStats, err error) {
		return v, row.Scan(&v.Version, &v.Took, &v.Failed)
	}, `SELECT version, sum(took), sum(failed) FROM
		(SELECT version, took, failed FROM outcome_counts WHERE app = $1 ORDER BY hour DESC LIMIT $2) AS latest
		GROUP BY version`, app, limit)
}

// CheckQuarters implements [insight.Store].
func (s reads) CheckQuarters(ctx context.Context, app string, since int64) ([]ota.CheckQuarter, error) {
	return selectAll(ctx, s.q, func(row scanner) (q ota.CheckQuarter, err error) {
		return q, row.Scan(&q.At, &q.Answer, &q.N)
	}, `SELECT quarter, answer, n FROM check_quarters WHERE app = $1 AND quarter >= $2 ORDER BY quarter, answer`, app, since)
}

// ChannelsOf implements [insight.Store].
func (s reads) ChannelsOf(ctx context.Context, apps []string) ([]ota.Channel, error) {
	if len(apps) == 0 {
		return nil, nil
	}
	return selectAll(ctx, s.q, scanChannel, `SELECT `+channelColumns+fromChannels+
		` WHERE c.app IN (`+placeholders(1, len(apps))+`) ORDER BY c.app, c.name, c.id`, anys(apps)...)
}

// Watched implements [insight.Store]. Both are JSON that this program wrote, so
// their texts can be told apart.
func (s reads) Watched(ctx context.Context, limit int) ([]ota.Channel, error) {
	return selectAll(ctx, s.q, scanChannel, `SELECT `+channelColumns+fromChannels+
		` WHERE c.rollout <> '' OR c.policy NOT LIKE '%"last_triggered_at":0%' ORDER BY c.id DESC LIMIT $1`, limit)
}
