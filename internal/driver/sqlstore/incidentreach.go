package sqlstore

import (
	"context"
	"encoding/hex"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/incidents"
)

// OnVersion implements [control.IncidentTx].
func (s reads) OnVersion(ctx context.Context, app, version string, since int64) (all, active int64, err error) {
	if all, err = selectOne(ctx, s.q, nil, scanInt, `SELECT COALESCE(sum(n), 0) FROM device_counts WHERE app = $1 AND version = $2`, app, version); err != nil {
		return 0, 0, err
	}
	active, err = selectOne(ctx, s.q, nil, scanInt, `SELECT count(*) FROM devices WHERE app = $1 AND version_name = $2 AND last_seen >= $3`, app, version, since)
	return all, active, err
}

// OnVersionNatives implements [incidents.Reader].
func (s reads) OnVersionNatives(ctx context.Context, app, version string, limit int) ([]incidents.NativeCount, error) {
	return selectAll(ctx, s.q, func(r scanner) (c incidents.NativeCount, err error) {
		return c, r.Scan(&c.Platform, &c.Native, &c.N)
	}, `SELECT platform, version_build, count(*) FROM
		(SELECT platform, version_build FROM devices WHERE app = $1 AND version_name = $2 LIMIT $3) AS some
		GROUP BY platform, version_build ORDER BY count(*) DESC, platform, version_build`, app, version, limit)
}

// VersionOutcomes implements [incidents.Reader]. It reads counts that are kept.
func (s reads) VersionOutcomes(ctx context.Context, app, version string, limit int) ([]incidents.OutcomeCount, error) {
	return selectAll(ctx, s.q, func(r scanner) (c incidents.OutcomeCount, err error) {
		return c, r.Scan(&c.State, &c.Reason, &c.Platform, &c.N)
	}, `SELECT state, reason, platform, n FROM outcome_states WHERE app = $1 AND version = $2 ORDER BY state, reason, platform LIMIT $3`, app, version, limit)
}

// AffectedDevices implements [incidents.Reader].
func (s reads) AffectedDevices(ctx context.Context, app, version string, state outcome.State, p ota.Page) ([]ota.AffectedDevice, string, error) {
	after, err := hex.DecodeString(p.After)
	if err != nil || p.After != "" && len(after) != len(ota.DeviceID{}) {
		return nil, "", ota.Invalid("cursor_invalid", "the page cursor %q is not one this server gave", p.After).
			WithHint("leave it out to start over").WithField("after")
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanAffected, `SELECT o.device, o.state, o.reason,
		COALESCE(d.platform, ''), COALESCE(d.version_name, ''), COALESCE(d.version_build, ''), COALESCE(d.last_seen, 0)
		FROM device_outcomes o LEFT JOIN devices d ON d.app = o.app AND d.id = o.device
		WHERE o.app = $1 AND o.version = $2 AND o.device > $3 AND ($4 = 0 OR o.state = $4 OR $4 = 6 AND o.state = 7 AND o.reason <> '') ORDER BY o.device LIMIT $5`,
		app, version, after, int64(state), limit+1)
	if err != nil || len(items) <= limit {
		return items, "", err
	}
	return items[:limit], hex.EncodeToString(items[limit-1].ID[:]), nil
}

func scanAffected(r scanner) (d ota.AffectedDevice, err error) {
	var id []byte
	var state outcome.State
	err = r.Scan(&id, &state, &d.Reason, &d.Platform, &d.VersionName, &d.Native, &d.LastSeen)
	copy(d.ID[:], id)
	d.State = state.String()
	return d, err
}
