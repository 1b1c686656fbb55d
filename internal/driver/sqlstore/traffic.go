package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// addTraffic counts for the device only if the app has it: what a request
// claims must not grow the table.
const addTraffic = `INSERT INTO traffic (app, day, device, downloads, bytes)
	VALUES ($1, $2, CASE WHEN EXISTS (SELECT 1 FROM devices WHERE app = $1 AND id = $3) THEN $3 ELSE X'' END, $4, $5)
	ON CONFLICT (app, day, device) DO UPDATE SET downloads = traffic.downloads + excluded.downloads, bytes = traffic.bytes + excluded.bytes`

// addTrafficDay counts for the whole app.
const addTrafficDay = `INSERT INTO traffic_days (app, day, downloads, bytes) VALUES ($1, $2, $3, $4)
	ON CONFLICT (app, day) DO UPDATE SET downloads = traffic_days.downloads + excluded.downloads, bytes = traffic_days.bytes + excluded.bytes`

// traffic adds to what was downloaded, by device and by day. A batch has many
// devices of few days.
func (w *batch) traffic(rows []ingest.TrafficRow) error {
	type appDay struct {
		app string
		day int64
	}
	days := map[appDay]ota.Traffic{}
	for i := range rows {
		t := &rows[i]
		if _, err := w.exec(addTraffic, t.App, t.Day, t.Device[:], t.Downloads, t.Bytes); err != nil {
			return err
		}
		w.roll.delta.Download(t.App, t.At, t.Downloads, t.Bytes)
		sum := days[appDay{t.App, t.Day}]
		sum.Downloads, sum.Bytes = sum.Downloads+t.Downloads, sum.Bytes+t.Bytes
		days[appDay{t.App, t.Day}] = sum
	}
	for k, sum := range days {
		if _, err := w.exec(addTrafficDay, k.app, k.day, sum.Downloads, sum.Bytes); err != nil {
			return err
		}
	}
	return nil
}

// Traffic implements [control.Store].
func (db *DB) Traffic(ctx context.Context, app string, device *ota.DeviceID, since int64) ([]ota.Traffic, error) {
	query, args := `SELECT day, downloads, bytes FROM traffic_days WHERE app = $1 AND day >= $2 ORDER BY day DESC`, []any{app, since}
	if device != nil {
		query = `SELECT day, downloads, bytes FROM traffic WHERE app = $1 AND day >= $2 AND device = $3 ORDER BY day DESC`
		args = append(args, device[:])
	}
	return selectAll(ctx, db.r, func(r scanner) (t ota.Traffic, err error) {
		return t, r.Scan(&t.Day, &t.Downloads, &t.Bytes)
	}, query, args...)
}
