package sqlstore

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/alert"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/alerts"
)

const silenceColumns = `id, app, kind, subject, reason, created_at, created_by, until`

func scanSilence(r scanner) (s ota.AlertSilence, err error) {
	return s, r.Scan(&s.ID, &s.App, &s.Kind, &s.Subject, &s.Reason, &s.CreatedAt, &s.CreatedBy, &s.Until)
}

// Silences implements [alerts.Reader].
func (s reads) Silences(ctx context.Context, app string, p ota.Page) ([]ota.AlertSilence, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanSilence, `SELECT `+silenceColumns+` FROM alert_silences WHERE app = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
		app, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(s ota.AlertSilence) int64 { return s.ID })
	return items, next, nil
}

// Silence implements [alerts.Reader].
func (s reads) Silence(ctx context.Context, app string, id int64) (ota.AlertSilence, error) {
	return selectOne(ctx, s.q, ota.NotFound(alerts.CodeSilenceNotFound, "app %q has no silence %d", app, id).
		WithHint("list them with: waxwing alerts silences"), scanSilence,
		`SELECT `+silenceColumns+` FROM alert_silences WHERE app = $1 AND id = $2`, app, id)
}

// LiveSilences implements [alerts.Reader].
func (s reads) LiveSilences(ctx context.Context, app string, at int64) ([]ota.AlertSilence, error) {
	return selectAll(ctx, s.q, scanSilence, `SELECT `+silenceColumns+` FROM alert_silences WHERE ($1 = '' OR app = $1) AND until > $2 ORDER BY id`, app, at)
}

// InsertSilence implements [alerts.Tx].
func (t *txn) InsertSilence(ctx context.Context, s ota.AlertSilence) (int64, error) {
	return t.insert(ctx, `INSERT INTO alert_silences (app, kind, subject, reason, created_at, created_by, until)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`, s.App, s.Kind, s.Subject, s.Reason, s.CreatedAt, string(s.CreatedBy), s.Until)
}

// EndSilence implements [alerts.Tx].
func (t *txn) EndSilence(ctx context.Context, id, at int64) error {
	_, err := t.exec(ctx, `UPDATE alert_silences SET until = $1 WHERE id = $2`, at, id)
	return err
}

// AlertApps implements [alerts.Store].
func (s reads) AlertApps(ctx context.Context) ([]alerts.AppRef, error) {
	return selectAll(ctx, s.q, func(r scanner) (a alerts.AppRef, err error) {
		return a, r.Scan(&a.ID, &a.Org, &a.Devices)
	}, `SELECT a.id, a.org, COALESCE(t.n, 0) FROM apps a LEFT JOIN device_totals t ON t.app = a.id ORDER BY a.id`)
}

// ChecksSince implements [alerts.Store].
func (s reads) ChecksSince(ctx context.Context, app string, since int64, code string) (all, coded int64, err error) {
	row := s.q.QueryRowContext(ctx, `SELECT COALESCE(sum(n), 0), COALESCE(sum(CASE WHEN code = $1 THEN n ELSE 0 END), 0)
		FROM check_counts WHERE app = $2 AND minute >= $3`, code, app, since)
	if err := row.Scan(&all, &coded); err != nil {
		return 0, 0, storeError("count checks", err)
	}
	return all, coded, nil
}

// OffersSince implements [alerts.Store].
func (s reads) OffersSince(ctx context.Context, app string, since int64) ([]alerts.VersionCount, error) {
	return selectAll(ctx, s.q, func(r scanner) (v alerts.VersionCount, err error) {
		return v, r.Scan(&v.Channel, &v.Version, &v.N)
	}, `SELECT channel, version, sum(n) FROM check_counts WHERE app = $1 AND minute >= $2 AND answer = 'update'
		GROUP BY channel, version ORDER BY sum(n) DESC LIMIT 100`, app, since)
}

// CodedQuarters implements [alerts.Store].
func (s reads) CodedQuarters(ctx context.Context, app, code string, from, to int64) ([]alerts.Point, error) {
	return selectAll(ctx, s.q, func(r scanner) (p alerts.Point, err error) {
		return p, r.Scan(&p.Quarter, &p.N)
	}, `SELECT minute - minute % 900000 AS quarter, sum(n) FROM check_counts WHERE app = $1 AND minute >= $2 AND minute < $3 AND code = $4
		GROUP BY quarter ORDER BY quarter`, app, from, to, code)
}

// Series implements [alerts.Store].
func (s reads) Series(ctx context.Context, app string, since int64) ([]alerts.Point, error) {
	return selectAll(ctx, s.q, func(r scanner) (p alerts.Point, err error) {
		return p, r.Scan(&p.Series, &p.Quarter, &p.N)
	}, `SELECT series, quarter, n FROM alert_series WHERE app = $1 AND quarter >= $2 ORDER BY series, quarter`, app, since)
}

// AddSeries implements [alerts.Store].
func (db *DB) AddSeries(ctx context.Context, app string, points []alerts.Point) error {
	if len(points) == 0 {
		return nil
	}
	return db.tx(ctx, func(tx *sql.Tx) error {
		for _, p := range points {
			if _, err := tx.ExecContext(ctx, `INSERT INTO alert_series (app, series, quarter, n) VALUES ($1, $2, $3, $4)
				ON CONFLICT (app, series, quarter) DO UPDATE SET n = excluded.n`, app, p.Series, p.Quarter, p.N); err != nil {
				return storeError("store series", err)
			}
		}
		return nil
	})
}

// PurgeAlerts implements [alerts.Store].
func (db *DB) PurgeAlerts(ctx context.Context, before, seriesBefore int64) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		for _, q := range []struct {
			text string
			at   int64
		}{
			{`DELETE FROM alerts WHERE NOT open AND updated_at < $1`, before},
			{`DELETE FROM alert_silences WHERE until < $1`, before},
			{`DELETE FROM alert_series WHERE quarter < $1`, seriesBefore},
		} {
			if _, err := tx.ExecContext(ctx, q.text, q.at); err != nil {
				return storeError("purge alerts", err)
			}
		}
		return nil
	})
}

// FreshErrors implements [alerts.Store]. What was first seen or came back since a
// time was last seen since then, which has an index.
func (s reads) FreshErrors(ctx context.Context, app string, since int64, limit int) ([]alert.ErrorGroup, error) {
	return selectAll(ctx, s.q, func(r scanner) (g alert.ErrorGroup, err error) {
		var id int64
		err = r.Scan(&id, &g.Title, &g.Version, &g.Devices, &g.FirstSeen, &g.RegressedAt)
		g.ID = strconv.FormatInt(id, 10)
		return g, err
	}, `SELECT id, title, last_version, devices, first_seen, regressed_at FROM error_groups
		WHERE app = $1 AND last_seen >= $2 AND (first_seen >= $2 OR regressed_at >= $2) AND state <> 'ignored' ORDER BY devices DESC, id LIMIT $3`,
		app, since, limit)
}

// DayOfDevices returns how many devices of an app were heard of on a day, and how
// many came to which state.
func (s reads) DayOfDevices(ctx context.Context, app string, day int64) (active int64, came map[string]int64, err error) {
	const res, all = 2, 0 // a day, every device
	if err := s.q.QueryRowContext(ctx, `SELECT COALESCE(sum(n), 0) FROM rollup_active WHERE app = $1 AND res = $2 AND at = $3 AND dim = $4`, app, res, day, all).
		Scan(&active); err != nil {
		return 0, nil, storeError("count active devices", err)
	}
	var v [7]int64
	err = s.q.QueryRowContext(ctx, `SELECT COALESCE(sum(offered), 0), COALESCE(sum(downloading), 0), COALESCE(sum(downloaded), 0), COALESCE(sum(installed), 0),
		COALESCE(sum(healthy), 0), COALESCE(sum(failed), 0), COALESCE(sum(rolled_back), 0) FROM rollup_counts WHERE app = $1 AND res = $2 AND at = $3`, app, res, day).
		Scan(&v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6])
	if err != nil {
		return 0, nil, storeError("count outcomes", err)
	}
	came = map[string]int64{}
	for i, state := range []string{"offered", "downloading", "downloaded", "installed", "healthy", "failed", "rolled_back"} {
		came[state] = v[i]
	}
	return active, came, nil
}
