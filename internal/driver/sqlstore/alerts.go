package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/alert"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/alerts"
)

// Alerts is the database as the plane of alerts sees it.
type Alerts struct{ *DB }

var (
	_ alerts.Store = Alerts{}
	_ alerts.Tx    = (*txn)(nil)
)

// Update implements [alerts.Store].
func (db Alerts) Update(ctx context.Context, actor ota.Actor, at int64, fn func(alerts.Tx) (ota.Change, error)) error {
	return db.update(ctx, actor, at, func(t *txn) (ota.Change, error) { return fn(t) })
}

const alertColumns = `a.id, p.org, a.app, a.kind, a.subject, a.open, a.state, a.severity, a.summary, a.value, a.threshold,
	a.since, a.fired_at, a.well_since, a.resolved_at, a.updated_at, a.heard, a.told, a.notified_at, a.acked_at, a.acked_by, a.ack_note`

const fromAlerts = ` FROM alerts a JOIN apps p ON p.id = a.app`

func scanAlert(r scanner) (a alerts.Row, err error) {
	m := &a.Machine
	err = r.Scan(&a.ID, &a.Org, &a.App, &a.Kind, &a.Subject, &a.Open, &a.State, &a.Severity, &a.Summary, &a.Value, &a.Threshold,
		&a.Since, &a.FiredAt, &m.WellSince, &a.ResolvedAt, &a.UpdatedAt, &m.Heard, &a.Notifications, &a.NotifiedAt, &a.AckedAt, &a.AckedBy, &a.AckNote)
	m.Since, m.FiredAt, m.Resolved, m.Told, m.HeardAt, m.AckedAt = a.Since, a.FiredAt, a.ResolvedAt, a.Notifications, a.NotifiedAt, a.AckedAt
	switch a.State {
	case ota.AlertPending:
		m.Phase = alert.Pending
	case ota.AlertFiring:
		m.Phase = alert.Firing
	case ota.AlertResolved:
		m.Phase = alert.Resolved
	}
	return a, err
}

// Alert implements [alerts.Reader].
func (s reads) Alert(ctx context.Context, app string, id int64) (alerts.Row, error) {
	return selectOne(ctx, s.q, ota.NotFound(alerts.CodeAlertNotFound, "app %q has no alert %d", app, id).
		WithHint("list them with: waxwing alerts list"), scanAlert,
		`SELECT `+alertColumns+fromAlerts+` WHERE a.app = $1 AND a.id = $2`, app, id)
}

// Alerts implements [alerts.Reader].
func (s reads) Alerts(ctx context.Context, f ota.AlertFilter, p ota.Page) ([]ota.Alert, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	var w where
	w.and("a.id < %s", before)
	w.andText("a.app", f.App)
	w.andText("a.kind", string(f.Kind))
	w.andText("a.state", string(f.State))
	if f.State == ota.AlertPending || f.State == ota.AlertFiring {
		w.and("a.open = %s", true)
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, func(r scanner) (ota.Alert, error) {
		a, err := scanAlert(r)
		return a.Alert, err
	}, `SELECT `+alertColumns+fromAlerts+` WHERE `+w.String()+` ORDER BY a.id DESC LIMIT `+w.arg(limit+1), w.args...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(a ota.Alert) int64 { return a.ID })
	return items, next, nil
}

// OpenAlerts implements [alerts.Reader].
func (s reads) OpenAlerts(ctx context.Context, app string, limit int) ([]alerts.Row, error) {
	return selectAll(ctx, s.q, scanAlert, `SELECT `+alertColumns+fromAlerts+` WHERE a.open AND ($1 = '' OR a.app = $1) ORDER BY a.id LIMIT $2`, app, limit)
}

// SaveAlert implements [alerts.Tx].
func (t *txn) SaveAlert(ctx context.Context, r alerts.Row) (int64, error) {
	m := &r.Machine
	row := []any{
		r.Open, string(r.State), string(r.Severity), r.Summary, r.Value, r.Threshold,
		m.Since, m.FiredAt, m.WellSince, m.Resolved, r.UpdatedAt, m.Heard, m.Told, m.HeardAt,
	}
	if r.ID == 0 {
		return t.insert(ctx, `INSERT INTO alerts (open, state, severity, summary, value, threshold, since, fired_at, well_since, resolved_at,
			updated_at, heard, told, notified_at, app, kind, subject) VALUES (`+placeholders(1, len(row)+3)+`) RETURNING id`,
			append(row, r.App, string(r.Kind), r.Subject)...)
	}
	_, err := t.exec(ctx, `UPDATE alerts SET open = $1, state = $2, severity = $3, summary = $4, value = $5, threshold = $6, since = $7,
		fired_at = $8, well_since = $9, resolved_at = $10, updated_at = $11, heard = $12, told = $13, notified_at = $14 WHERE id = $15`, append(row, r.ID)...)
	return r.ID, err
}

// AckAlert implements [alerts.Tx].
func (t *txn) AckAlert(ctx context.Context, a ota.Alert) error {
	_, err := t.exec(ctx, `UPDATE alerts SET acked_at = $1, acked_by = $2, ack_note = $3 WHERE id = $4`, a.AckedAt, string(a.AckedBy), a.AckNote, a.ID)
	return err
}

// SaveAlerts implements [alerts.Store].
func (db *DB) SaveAlerts(ctx context.Context, save []alerts.Row, remove []int64) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		t := &txn{reads: reads{tx}, tx: tx}
		for _, r := range save {
			if _, err := t.SaveAlert(ctx, r); err != nil {
				return err
			}
		}
		for _, id := range remove {
			if _, err := t.exec(ctx, `DELETE FROM alerts WHERE id = $1`, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// AlertRules implements [alerts.Reader].
func (s reads) AlertRules(ctx context.Context, app string) ([]ota.AlertRule, error) {
	return selectAll(ctx, s.q, func(r scanner) (ota.AlertRule, error) {
		var text string
		var v, out ota.AlertRule
		if err := r.Scan(&v.App, &v.Kind, &text, &v.UpdatedAt, &v.UpdatedBy); err != nil {
			return v, err
		}
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			return v, fmt.Errorf("alert rule %s of %s: %w", v.Kind, v.App, err)
		}
		out.App, out.Kind, out.UpdatedAt, out.UpdatedBy = v.App, v.Kind, v.UpdatedAt, v.UpdatedBy
		return out, nil
	}, `SELECT app, kind, rule, updated_at, updated_by FROM alert_rules WHERE ($1 = '' OR app = $1) ORDER BY app, kind`, app)
}

// SetAlertRule implements [alerts.Tx].
func (t *txn) SetAlertRule(ctx context.Context, app string, kind ota.AlertKind, r *ota.AlertRule) error {
	if r == nil {
		_, err := t.exec(ctx, `DELETE FROM alert_rules WHERE app = $1 AND kind = $2`, app, string(kind))
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode alert rule: %w", err)
	}
	_, err = t.exec(ctx, `INSERT INTO alert_rules (app, kind, rule, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (app, kind) DO UPDATE SET rule = excluded.rule, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
		app, string(kind), string(text), r.UpdatedAt, string(r.UpdatedBy))
	return err
}
