package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// Override implements [control.Reader].
func (s reads) Override(ctx context.Context, app string, id ota.DeviceID) (control.Override, error) {
	return selectOne(ctx, s.q, ota.NotFound(control.CodeNoOverride, "device %s is not bound to a channel", id),
		func(r scanner) (o control.Override, err error) { return o, r.Scan(&o.ChannelID, &o.SelfSet) },
		`SELECT channel_id, self_set FROM device_overrides WHERE app = $1 AND device = $2`, app, id[:])
}

// SetOverride implements [control.Tx].
func (t *txn) SetOverride(ctx context.Context, app string, id ota.DeviceID, o control.Override, at int64) error {
	_, err := t.exec(ctx, `INSERT INTO device_overrides (app, device, channel_id, self_set, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (app, device) DO UPDATE SET channel_id = excluded.channel_id, self_set = excluded.self_set, created_at = excluded.created_at`,
		app, id[:], o.ChannelID, o.SelfSet, at)
	return err
}

// ClearOverride implements [control.Tx].
func (t *txn) ClearOverride(ctx context.Context, app string, id ota.DeviceID) error {
	_, err := t.exec(ctx, `DELETE FROM device_overrides WHERE app = $1 AND device = $2`, app, id[:])
	return err
}

// ClearFailures implements [control.Tx].
func (t *txn) ClearFailures(ctx context.Context, app string, id *ota.DeviceID, version string) ([]ota.DeviceID, error) {
	return clearFailures(ctx, t.tx, app, id, version)
}

// EachFacts implements [snap.Source].
func (s reads) EachFacts(ctx context.Context, app string, fn func(ota.DeviceID, snap.FactsRow) error) error {
	return s.each(ctx, `SELECT device, channel_id, self_set, '' FROM device_overrides WHERE app = $1
		UNION ALL SELECT device, 0, FALSE, version FROM device_failures WHERE app = $1`, func(r scanner) error {
		var id ota.DeviceID
		var device []byte
		var f snap.FactsRow
		if err := r.Scan(&device, &f.Override, &f.SelfSet, &f.Failed); err != nil {
			return err
		}
		copy(id[:], device)
		return fn(id, f)
	}, app)
}
