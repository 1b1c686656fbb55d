package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/hll"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/errtrack"
)

// Errors is the database as error tracking sees it.
type Errors struct{ *DB }

var (
	_ errtrack.Store = Errors{}
	_ errtrack.Tx    = (*txn)(nil)
)

// Update implements [errtrack.Store].
func (db Errors) Update(ctx context.Context, actor ota.Actor, at int64, fn func(errtrack.Tx) (ota.Change, error)) error {
	return db.update(ctx, actor, at, func(t *txn) (ota.Change, error) { return fn(t) })
}

const errorColumns = `id, app, kind, title, culprit, mapped, state, first_seen, last_seen, first_version, last_version, count, devices,
	resolved_in, resolved_at, resolved_by, regressed_at`

func scanErrorGroup(r scanner) (g ota.ErrorGroup, err error) {
	return g, r.Scan(&g.ID, &g.App, &g.Kind, &g.Title, &g.Culprit, &g.Symbolicated, &g.State, &g.FirstSeen, &g.LastSeen, &g.FirstVersion, &g.LastVersion,
		&g.Count, &g.Devices, &g.ResolvedIn, &g.ResolvedAt, &g.ResolvedBy, &g.RegressedAt)
}

// errorOrders are the columns of the orders of a list.
var errorOrders = map[ota.ErrorSort]struct {
	column string
	value  func(ota.ErrorGroup) int64
}{
	"":                    {"last_seen", func(g ota.ErrorGroup) int64 { return g.LastSeen }},
	ota.ErrorsByLastSeen:  {"last_seen", func(g ota.ErrorGroup) int64 { return g.LastSeen }},
	ota.ErrorsByFirstSeen: {"first_seen", func(g ota.ErrorGroup) int64 { return g.FirstSeen }},
	ota.ErrorsByCount:     {"count", func(g ota.ErrorGroup) int64 { return g.Count }},
	ota.ErrorsByDevices:   {"devices", func(g ota.ErrorGroup) int64 { return g.Devices }},
}

// ErrorGroups implements [errtrack.Reader].
func (s reads) ErrorGroups(ctx context.Context, app string, f ota.ErrorFilter, p ota.Page) ([]ota.ErrorGroup, string, error) {
	order, ok := errorOrders[f.Sort]
	if !ok {
		return nil, "", fmt.Errorf("no order %q of error groups", f.Sort)
	}
	var w where
	w.and("app = %s", app)
	w.andText("state", string(f.State))
	w.andText("kind", f.Kind)
	if f.Since > 0 {
		w.and("last_seen >= %s", f.Since)
	}
	if f.Version != "" {
		w.and("EXISTS (SELECT 1 FROM error_versions v WHERE v.grp = error_groups.id AND v.version = %s)", f.Version)
	}
	if f.Platform != "" {
		w.and("EXISTS (SELECT 1 FROM error_versions v WHERE v.grp = error_groups.id AND v.platform = %s)", f.Platform)
	}
	if f.Text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(f.Text)) + "%"
		w.and(`lower(title || ' ' || culprit) LIKE %s ESCAPE '\'`, like)
	}
	if p.After != "" {
		value, id, err := errorCursor(p.After)
		if err != nil {
			return nil, "", err
		}
		at := w.arg(value)
		w.conds = append(w.conds, "("+order.column+" < "+at+" OR "+order.column+" = "+at+" AND id < "+w.arg(id)+")")
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanErrorGroup,
		`SELECT `+errorColumns+` FROM error_groups WHERE `+w.String()+` ORDER BY `+order.column+` DESC, id DESC LIMIT `+w.arg(limit+1), w.args...)
	if err != nil || len(items) <= limit {
		return items, "", err
	}
	items = items[:limit]
	last := items[limit-1]
	return items, strconv.FormatInt(order.value(last), 36) + "." + strconv.FormatInt(last.ID, 36), nil
}

func errorCursor(s string) (value, id int64, err error) {
	a, b, ok := strings.Cut(s, ".")
	value, err1 := strconv.ParseInt(a, 36, 64)
	id, err2 := strconv.ParseInt(b, 36, 64)
	if !ok || err1 != nil || err2 != nil {
		return 0, 0, ota.Invalid("cursor_invalid", "the page cursor %q is not one this server gave", s).WithHint("leave it out to start over").WithField("after")
	}
	return value, id, nil
}

// ErrorGroup implements [errtrack.Reader].
func (s reads) ErrorGroup(ctx context.Context, app string, id int64) (ota.ErrorGroup, error) {
	return selectOne(ctx, s.q, ota.NotFound(errtrack.CodeErrorNotFound, "app %q has no error %d", app, id).
		WithHint("list them with: waxwing errors list --app %s", app), scanErrorGroup,
		`SELECT `+errorColumns+` FROM error_groups WHERE app = $1 AND id = $2`, app, id)
}

// ErrorVersions implements [errtrack.Reader].
func (s reads) ErrorVersions(ctx context.Context, id int64) ([]ota.ErrorVersion, error) {
	return selectAll(ctx, s.q, func(r scanner) (v ota.ErrorVersion, err error) {
		return v, r.Scan(&v.Version, &v.Platform, &v.Count, &v.FirstSeen, &v.LastSeen)
	}, `SELECT version, platform, n, first_seen, last_seen FROM error_versions WHERE grp = $1 ORDER BY n DESC, version, platform LIMIT 500`, id)
}

// ErrorHours implements [errtrack.Reader].
func (s reads) ErrorHours(ctx context.Context, id, since int64) ([]ota.ErrorHour, error) {
	return selectAll(ctx, s.q, func(r scanner) (v ota.ErrorHour, err error) {
		return v, r.Scan(&v.At, &v.Version, &v.Count)
	}, `SELECT hour, version, n FROM error_hours WHERE grp = $1 AND hour >= $2 ORDER BY hour, version LIMIT 5000`, id, since)
}

// ErrorSamples implements [errtrack.Reader].
func (s reads) ErrorSamples(ctx context.Context, id int64) ([]ota.ErrorSample, error) {
	return selectAll(ctx, s.q, func(r scanner) (v ota.ErrorSample, err error) {
		var device []byte
		var meta string
		if err := r.Scan(&v.ID, &v.At, &device, &v.Action, &v.Version, &v.VersionBuild, &v.Platform, &v.PluginVersion, &meta); err != nil {
			return v, err
		}
		copy(v.Device[:], device)
		return v, json.Unmarshal([]byte(meta), &v.Metadata)
	}, `SELECT id, at, device, action, version, version_build, platform, plugin_version, metadata FROM error_samples
		WHERE grp = $1 ORDER BY id DESC`, id)
}

// UnmappedErrors implements [errtrack.Reader].
func (s reads) UnmappedErrors(ctx context.Context, app string, after int64) ([]ota.ErrorGroup, error) {
	return selectAll(ctx, s.q, scanErrorGroup, `SELECT `+errorColumns+` FROM error_groups
		WHERE app = $1 AND id > $2 AND NOT mapped ORDER BY id LIMIT 100`, app, after)
}

// SetErrorState implements [errtrack.Tx].
func (t *txn) SetErrorState(ctx context.Context, g ota.ErrorGroup) error {
	_, err := t.exec(ctx, `UPDATE error_groups SET state = $1, resolved_in = $2, resolved_at = $3, resolved_by = $4 WHERE id = $5`,
		string(g.State), g.ResolvedIn, g.ResolvedAt, string(g.ResolvedBy), g.ID)
	return err
}

// RegroupError implements [errtrack.Tx].
func (t *txn) RegroupError(ctx context.Context, id int64, f ota.Fault) (merged bool, err error) {
	var app string
	var sketch []byte
	if err := t.tx.QueryRowContext(ctx, `SELECT app, sketch FROM error_groups WHERE id = $1`, id).Scan(&app, &sketch); err != nil {
		return false, storeError("query", err)
	}
	others, err := selectAll(ctx, t.q, func(r scanner) (v struct {
		id     int64
		sketch []byte
	}, err error,
	) {
		return v, r.Scan(&v.id, &v.sketch)
	}, `SELECT id, sketch FROM error_groups WHERE app = $1 AND fingerprint = $2 AND id <> $3`, app, f.Print[:], id)
	if err != nil {
		return false, err
	}
	if len(others) == 0 {
		_, err := t.exec(ctx, `UPDATE error_groups SET fingerprint = $1, title = $2, culprit = $3, mapped = $4 WHERE id = $5`,
			f.Print[:], f.Title, f.Culprit, f.Mapped, id)
		return false, err
	}
	devices, err := hll.Decode(others[0].sketch)
	if err != nil {
		return false, err
	}
	more, err := hll.Decode(sketch)
	if err != nil {
		return false, err
	}
	devices.Merge(&more)
	return true, t.mergeErrors(ctx, id, others[0].id, &devices)
}

// mergeErrors adds a group to another and removes it.
func (t *txn) mergeErrors(ctx context.Context, from, to int64, devices *hll.Set) error {
	for _, q := range []struct {
		query string
		args  []any
	}{
		{`INSERT INTO error_versions (grp, version, platform, n, first_seen, last_seen)
			SELECT CAST($1 AS BIGINT), version, platform, n, first_seen, last_seen FROM error_versions WHERE grp = $2
			ON CONFLICT (grp, version, platform) DO UPDATE SET n = error_versions.n + excluded.n,
				first_seen = CASE WHEN excluded.first_seen < error_versions.first_seen THEN excluded.first_seen ELSE error_versions.first_seen END,
				last_seen = CASE WHEN excluded.last_seen > error_versions.last_seen THEN excluded.last_seen ELSE error_versions.last_seen END`, []any{to, from}},
		{`INSERT INTO error_hours (grp, hour, version, n) SELECT CAST($1 AS BIGINT), hour, version, n FROM error_hours WHERE grp = $2
			ON CONFLICT (grp, hour, version) DO UPDATE SET n = error_hours.n + excluded.n`, []any{to, from}},
		{`UPDATE error_samples SET grp = $1 WHERE grp = $2`, []any{to, from}},
		{dropErrorSamples, []any{to, keptSamples}},
		{`UPDATE error_groups SET count = count + (SELECT f.count FROM error_groups f WHERE f.id = $1), devices = $2, sketch = $3,
			first_seen = (SELECT min(first_seen) FROM error_groups WHERE id IN ($1, $4)),
			last_seen = (SELECT max(last_seen) FROM error_groups WHERE id IN ($1, $4)) WHERE id = $4`, []any{from, devices.Count(), devices.Append(nil), to}},
		{`DELETE FROM error_groups WHERE id = $1`, []any{from}},
	} {
		if _, err := t.exec(ctx, q.query, q.args...); err != nil {
			return err
		}
	}
	return nil
}
