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

// traffic adds to what was downloaded.
func (w *batch) traffic(t *ingest.TrafficRow) error {
	_, err := w.exec(addTraffic, t.App, t.Day, t.Device[:], t.Downloads, t.Bytes)
	return err
}

// Traffic implements [control.Store].
func (db *DB) Traffic(ctx context.Context, app string, device *ota.DeviceID, since int64) ([]ota.Traffic, error) {
	query, args := `SELECT day, sum(downloads), sum(bytes) FROM traffic WHERE app = $1 AND day >= $2 GROUP BY day ORDER BY day DESC`, []any{app, since}
	if device != nil {
		query = `SELECT day, downloads, bytes FROM traffic WHERE app = $1 AND day >= $2 AND device = $3 ORDER BY day DESC`
		args = append(args, device[:])
	}
	return selectAll(ctx, db.r, func(r scanner) (t ota.Traffic, err error) {
		return t, r.Scan(&t.Day, &t.Downloads, &t.Bytes)
	}, query, args...)
}
