package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const insertDevice = `INSERT INTO devices
	(app, id, platform, version_name, version_build, version_code, version_os, plugin_version, custom_id,
	 is_prod, is_emulator, default_channel, key_id, install_source, print, first_seen, last_seen, reported_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17)
	ON CONFLICT (app, id) DO UPDATE SET last_seen = excluded.last_seen`

const setInfo = `, platform = excluded.platform, version_build = excluded.version_build,
	version_code = excluded.version_code, version_os = excluded.version_os,
	plugin_version = excluded.plugin_version, custom_id = excluded.custom_id, is_prod = excluded.is_prod,
	is_emulator = excluded.is_emulator, default_channel = excluded.default_channel, key_id = excluded.key_id,
	install_source = excluded.install_source, print = excluded.print, reported_at = max(devices.reported_at, excluded.reported_at)`

// A report that changes nothing is written only when it is a quarter of an
// hour newer than the row: then it costs a read.
const whenOld = `excluded.last_seen >= devices.last_seen + 900000`

// A report that was overtaken by a newer one changes nothing. Order is told by
// when we got them and, for what devices kept for a while before they sent it,
// by their own clocks. A row more than an hour in our future was written by a
// clock that has been put right since.
const whenNew = `(excluded.last_seen >= devices.last_seen + CASE WHEN devices.reported_at > 0 THEN $18 ELSE 0 END OR devices.last_seen > excluded.last_seen + 3600000)
	AND (excluded.reported_at = 0 OR excluded.reported_at >= devices.reported_at)`

// One statement for each [ingest.Reach].
const (
	touchDevice  = insertDevice + ` WHERE ` + whenOld
	informDevice = insertDevice + setInfo + ` WHERE ` + whenNew +
		` AND (` + whenOld + ` OR excluded.print <> devices.print)`
	runDevice = insertDevice + setInfo + `, version_name = excluded.version_name WHERE ` + whenNew +
		` AND (` + whenOld + ` OR excluded.print <> devices.print OR excluded.version_name <> devices.version_name)`
)

// device stores a report on a device.
func (w *batch) device(d *ingest.DeviceRow) error {
	query, version := touchDevice, ""
	switch d.Reach {
	case ingest.Info:
		query = informDevice
	case ingest.Running:
		query, version = runDevice, d.VersionName
	}
	args := []any{
		d.App, d.ID[:], d.Platform, version, d.VersionBuild, d.VersionCode, d.VersionOS,
		d.PluginVersion, d.CustomID, d.IsProd, d.IsEmulator, d.DefaultChannel, d.KeyID, d.InstallSource,
		d.Print, d.LastSeen, d.ReportedAt,
	}
	if d.Reach != ingest.Touch {
		later := 0 // what waited in the queue must be newer than what a device reported, not as new
		if d.Checked {
			later = 1
		}
		args = append(args, later)
	}
	_, err := w.exec(query, args...)
	return err
}

const deviceColumns = `d.app, d.id, d.platform, d.version_name, d.version_build, d.version_code, d.version_os,
	d.plugin_version, d.custom_id, d.is_prod, d.is_emulator, d.default_channel, d.key_id, d.install_source,
	d.first_seen, d.last_seen, COALESCE(c.name, '')`

const deviceJoin = ` LEFT JOIN device_overrides o ON o.app = d.app AND o.device = d.id
	LEFT JOIN channels c ON c.id = o.channel_id`

func scanDevice(s scanner) (ota.Device, error) {
	var d ota.Device
	var id []byte
	err := s.Scan(&d.App, &id, &d.Platform, &d.VersionName, &d.VersionBuild, &d.VersionCode, &d.VersionOS,
		&d.PluginVersion, &d.CustomID, &d.IsProd, &d.IsEmulator, &d.DefaultChannel, &d.KeyID, &d.InstallSource,
		&d.FirstSeen, &d.LastSeen, &d.Override)
	copy(d.ID[:], id)
	return d, err
}

// Devices lists an app's devices that were seen, latest first. A device that
// is seen again while the list is paged through moves to the front. A page of a
// search may hold fewer than there is room for, even none, and yet have a next
// one: no page looks at more than maxLooked devices.
func (s reads) Devices(ctx context.Context, app string, f ota.DeviceFilter, p ota.Page) ([]ota.Device, string, error) {
	after, err := deviceCursor(p)
	if err != nil {
		return nil, "", err
	}
	var w where
	w.and("d.app = %s", app)
	order, err := s.narrow(ctx, &w, app, f)
	if err != nil || order == noDevice {
		return []ota.Device{}, "", err
	}
	w.conds = append(w.conds, "("+order+", d.id) < ("+w.arg(after.seen)+", "+w.arg(after.id)+")")
	next := ""
	if order == byLastSeen && f != (ota.DeviceFilter{}) {
		until, err := s.deviceBound(ctx, app, after)
		if err != nil {
			return nil, "", err
		}
		if until.id != nil {
			w.conds = append(w.conds, "(d.last_seen, d.id) >= ("+w.arg(until.seen)+", "+w.arg(until.id)+")")
			next = until.String()
		}
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanDevice, `SELECT `+deviceColumns+` FROM devices d`+deviceJoin+
		` WHERE `+w.String()+` ORDER BY `+order+` DESC, d.id DESC LIMIT `+w.arg(limit+1), w.args...)
	if err != nil {
		return nil, "", err
	}
	if len(items) > limit {
		items = items[:limit]
		last := items[limit-1]
		next = devicePlace{last.LastSeen, last.ID[:]}.String()
	}
	for i := range items {
		if items[i].FailedVersions, err = s.failedVersions(ctx, app, items[i].ID); err != nil {
			return nil, "", err
		}
	}
	return items, next, nil
}

// Device returns what is known of one device. One that was never seen but has
// an override or a failed version is known too, with FirstSeen 0.
func (s reads) Device(ctx context.Context, app string, id ota.DeviceID) (ota.Device, error) {
	unseen := ota.NotFound("device_not_found", "device %s was not seen in app %q yet", id, app).
		WithHint("a device is known from its first update check or report on")
	d, err := selectOne(ctx, s.q, unseen, scanDevice,
		`SELECT `+deviceColumns+` FROM devices d`+deviceJoin+` WHERE d.app = $1 AND d.id = $2`, app, id[:])
	if ota.KindOf(err) == ota.KindNotFound {
		d = ota.Device{ID: id, App: app}
		d.Override, err = selectOne(ctx, s.q, unseen, func(s scanner) (name string, err error) { return name, s.Scan(&name) },
			`SELECT c.name FROM device_overrides o JOIN channels c ON c.id = o.channel_id WHERE o.app = $1 AND o.device = $2`, app, id[:])
	}
	if err != nil && ota.KindOf(err) != ota.KindNotFound {
		return ota.Device{}, err
	}
	failed, err2 := s.failedVersions(ctx, app, id)
	if err2 != nil {
		return ota.Device{}, err2
	}
	if err != nil && len(failed) == 0 {
		return ota.Device{}, err
	}
	d.FailedVersions = failed
	return d, nil
}
