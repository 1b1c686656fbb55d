package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// reported is a table of what devices reported.
type reported struct {
	name string
	key  string // its primary key
	old  string // condition for rows before $1 that needs no walk over the table; "" = rows never age
}

// reportedTables are purged in this order.
var reportedTables = []reported{
	// Ids grow with the time of arrival, so the first rows are the oldest.
	{"events", "id", "received_at < $1 AND id IN (SELECT id FROM events ORDER BY id LIMIT $2)"},
	{"device_outcomes", "app, version, device", "first_at < $1"},
	{"rollout_exposures", "app, rollout, device", "at < $1"},
	{"outcome_waits", "app, device, version, rollout", "due < $1"},
	{"check_counts", "app, minute, channel, answer, code, version", "minute < $1 AND app IN (" + appsIn + ")"},
	{"check_quarters", "app, quarter, answer", "quarter < $1 AND app IN (" + appsIn + ")"},
	{"traffic", "app, day, device", "day < $1"},
	{"traffic_days", "app, day", "day < $1 AND app IN (" + appsIn + ")"},
	{"error_groups", "id", "last_seen < $1"},
	{"guard_inputs", "app, rollout, seq", "(app, rollout) IN (SELECT app, rollout FROM guard_watches WHERE updated_at < $1)"},
	{"guard_decisions", "app, rollout, seq, n", "(app, rollout) IN (SELECT app, rollout FROM guard_watches WHERE updated_at < $1)"},
	{"guard_watches", "app, rollout", "updated_at < $1"},
	{"rollup_counts", "app, res, at, version", ""}, // these five have ages of their own: PurgeRollups
	{"rollup_reasons", "app, res, at, version, reason", ""},
	{"rollup_launches", "app, res, at, version", ""},
	{"rollup_active", "app, res, at, dim, name", ""},
	{"rollup_presence", "app, device", ""},
	{"devices", "app, id", ""},
	{"device_failures", "app, device, version", ""},
}

// PurgeEvents removes up to limit rows of what devices reported before the
// time, or of apps that are gone, oldest events first, and says how many. An
// answer below limit means that nothing is left to remove.
//
// Each call is one short transaction, so that reports can be stored in between.
func (db *DB) PurgeEvents(ctx context.Context, before int64, limit int) (int64, error) {
	var removed int64
	for _, t := range reportedTables {
		gone, err := goneApps(ctx, db.r, t.name)
		if err != nil {
			return removed, err
		}
		n, err := db.purgeTable(ctx, t, gone, before, int64(limit)-removed)
		removed += n
		if err != nil || removed >= int64(limit) {
			return removed, err
		}
	}
	return removed, nil
}

func (db *DB) purgeTable(ctx context.Context, t reported, gone []string, before, limit int64) (int64, error) {
	if t.old == "" && len(gone) == 0 {
		return 0, nil
	}
	var removed int64
	err := db.tx(ctx, func(tx *sql.Tx) error {
		removed = 0
		drop := func(cond string, arg any) error {
			res, err := tx.ExecContext(ctx, fmt.Sprintf(
				`DELETE FROM %[1]s WHERE (%[2]s) IN (SELECT %[2]s FROM %[1]s WHERE `+cond+` LIMIT $2)`, t.name, t.key), arg, limit-removed)
			if err != nil {
				return storeError("purge", err)
			}
			n, err := res.RowsAffected()
			removed += n
			return err
		}
		if t.old != "" {
			if err := drop(t.old, before); err != nil {
				return err
			}
		}
		for _, app := range gone {
			if removed >= limit {
				break
			}
			if err := drop("app = $1", app); err != nil {
				return err
			}
		}
		db.known.forget()
		return nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// appsIn lists the apps that have rows in a table, named %[1]s. It jumps from
// app to app in the table's index rather than walk its rows.
const appsIn = `WITH RECURSIVE seen(app) AS (
		SELECT min(app) FROM %[1]s
		UNION ALL
		SELECT (SELECT min(app) FROM %[1]s WHERE app > seen.app) FROM seen WHERE app IS NOT NULL)
	SELECT app FROM seen WHERE app IS NOT NULL`

// goneApps returns the apps that have rows in the table but do not exist.
func goneApps(ctx context.Context, q querier, table string) ([]string, error) {
	return selectAll(ctx, q, func(s scanner) (app string, err error) { return app, s.Scan(&app) },
		fmt.Sprintf(appsIn, table)+` AND app NOT IN (SELECT id FROM apps)`)
}
