package sqlstore

import (
	"context"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/rollup"
)

// keepPresence is for how long a device's turns are remembered after the last
// one, in ms. A report that is older than rollup.MaxLate does not ask for them.
const keepPresence = 30 * rollup.DayMS

// PurgeRollups removes up to limit rows of steps that are older at now (Unix ms)
// than their resolution is kept, as PurgeEvents does with reports.
func (db *DB) PurgeRollups(ctx context.Context, now int64, limit int) (int64, error) {
	var removed int64
	for _, t := range reportedTables {
		if t.name != "rollup_counts" && t.name != "rollup_reasons" && t.name != "rollup_launches" && t.name != "rollup_active" {
			continue
		}
		for _, res := range rollup.Resolutions {
			t.old = fmt.Sprintf("at < $1 AND res = %d AND app IN (%s)", res, appsIn)
			n, err := db.purgeTable(ctx, t, nil, now-res.Keep(), int64(limit)-removed)
			removed += n
			if err != nil || removed >= int64(limit) {
				return removed, err
			}
		}
	}
	// There is no index on when a device was seen, which would cost every session a
	// write. So readers look first whether the walk is worth the writer's while.
	var some int64
	if err := db.r.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM rollup_presence WHERE seen < $1 LIMIT 1) AS some`,
		now-keepPresence).Scan(&some); err != nil {
		return removed, storeError("query", err)
	}
	if some == 0 {
		return removed, nil
	}
	n, err := db.purgeTable(ctx, reported{"rollup_presence", "app, device", "seen < $1"}, nil, now-keepPresence, int64(limit)-removed)
	return removed + n, err
}
