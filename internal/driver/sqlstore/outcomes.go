package sqlstore

import (
	"context"
	"database/sql"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const (
	insertFailure = `INSERT INTO device_failures (app, device, version, action, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (app, device, version) DO UPDATE SET action = excluded.action, at = excluded.at`

	failuresOverCap = `SELECT version FROM device_failures WHERE app = $1 AND device = $2
		ORDER BY at DESC, version LIMIT 1000 OFFSET $3`

	dropFailure = `DELETE FROM device_failures WHERE app = $1 AND device = $2 AND version = $3`
)

// failure remembers that a version failed on a device, and forgets the oldest
// of too many.
func (w *batch) failure(e *ingest.EventRow) error {
	if _, err := w.exec(insertFailure, e.App, e.Device[:], e.Version, e.Action, e.ReceivedAt); err != nil {
		return err
	}
	over, err := w.failuresOverCap(e.App, e.Device)
	if err != nil {
		return err
	}
	for _, version := range over {
		if _, err := w.exec(dropFailure, e.App, e.Device[:], version); err != nil {
			return err
		}
		w.out.Dropped = append(w.out.Dropped, ingest.Dropped{App: e.App, Device: e.Device, Version: version})
	}
	return nil
}

func (w *batch) failuresOverCap(app string, id ota.DeviceID) ([]string, error) {
	rows, err := w.stmt(failuresOverCap).QueryContext(w.ctx, app, id[:], ingest.MaxFailures) //nolint:sqlclosecheck // the transaction closes its statements
	if err != nil {
		return nil, storeError("query", err)
	}
	defer rows.Close()
	var over []string
	for rows.Next() {
		var version string
		if err := rows.Scan(&version); err != nil {
			return nil, storeError("scan", err)
		}
		over = append(over, version)
	}
	if err := rows.Err(); err != nil {
		return nil, storeError("read", err)
	}
	return over, nil
}

// failedVersions lists the versions that failed on a device, latest first.
func (s reads) failedVersions(ctx context.Context, app string, id ota.DeviceID) ([]string, error) {
	return selectAll(ctx, s.q, func(s scanner) (version string, err error) { return version, s.Scan(&version) },
		`SELECT version FROM device_failures WHERE app = $1 AND device = $2 ORDER BY at DESC, version`, app, id[:])
}

// clearFailures forgets that a version ("" = every one) failed on a device (nil
// = on every device of the app), for offers and for automatic halts, and
// returns the devices it was remembered of.
func clearFailures(ctx context.Context, tx *sql.Tx, app string, id *ota.DeviceID, version string) ([]ota.DeviceID, error) {
	var w where
	w.and("app = %s", app)
	if id != nil {
		w.and("device = %s", id[:])
	}
	w.andText("version", version)
	devices, err := selectAll(ctx, tx, scanDeviceID, `SELECT DISTINCT device FROM device_failures WHERE `+w.String(), w.args...)
	if err != nil {
		return nil, err
	}
	// What fell silent or crashed is forgotten too, though it was never kept from the device.
	for _, q := range []string{
		`DELETE FROM device_outcomes WHERE state >= 6 AND reason <> '' AND ` + w.String(),
		`DELETE FROM device_failures WHERE ` + w.String(),
	} {
		if _, err := tx.ExecContext(ctx, q, w.args...); err != nil {
			return nil, storeError("clear failures", err)
		}
	}
	if len(devices) == 0 {
		return nil, nil
	}
	return devices, nil
}

// Outcomes counts the distinct devices that took a version, and those of them
// that reported that it failed, at since (Unix ms) or later.
func (s reads) Outcomes(ctx context.Context, app, version string, since int64) (attempts, failures int, err error) {
	row := s.q.QueryRowContext(ctx, `SELECT count(*), COALESCE(sum(CASE WHEN failed THEN 1 ELSE 0 END), 0)
		FROM device_outcomes WHERE app = $1 AND version = $2 AND at >= $3 AND at > 0`, app, version, since)
	if err := row.Scan(&attempts, &failures); err != nil {
		return 0, 0, storeError("count outcomes", err)
	}
	return attempts, failures, nil
}
