package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/incidents"
)

// Incidents is the database as the plane of incidents sees it.
type Incidents struct{ *DB }

var (
	_ incidents.Store = Incidents{}
	_ incidents.Tx    = (*txn)(nil)
)

// Update implements [incidents.Store].
func (db Incidents) Update(ctx context.Context, actor ota.Actor, at int64, fn func(incidents.Tx) (ota.Change, error)) error {
	return db.update(ctx, actor, at, func(t *txn) (ota.Change, error) { return fn(t) })
}

const incidentColumns = `id, org, app, channel, version, subject, title, severity, commander, state, opened_by,
	released_at, opened_at, contained_at, recovering_at, resolved_at, closed_at, recovered_to, baseline, affected, left_it`

func scanIncident(r scanner) (i ota.Incident, err error) {
	return i, r.Scan(&i.ID, &i.Org, &i.App, &i.Channel, &i.Version, &i.Subject, &i.Title, &i.Severity, &i.Commander, &i.State, &i.OpenedBy,
		&i.ReleasedAt, &i.OpenedAt, &i.ContainedAt, &i.RecoveringAt, &i.ResolvedAt, &i.ClosedAt, &i.RecoveredTo, &i.Baseline, &i.Affected, &i.Left)
}

// Incident implements [incidents.Reader].
func (s reads) Incident(ctx context.Context, id int64) (ota.Incident, error) {
	return selectOne(ctx, s.q, ota.NotFound(incidents.CodeNotFound, "there is no incident %d", id).WithHint("see: waxwing incidents list"), scanIncident,
		`SELECT `+incidentColumns+` FROM incidents WHERE id = $1`, id)
}

// IncidentAlert implements [incidents.Reader].
func (s reads) IncidentAlert(ctx context.Context, app string, id int64) (ota.Alert, error) {
	row, err := s.Alert(ctx, app, id)
	return row.Alert, err
}

// Incidents implements [incidents.Reader].
func (s reads) Incidents(ctx context.Context, f ota.IncidentFilter, p ota.Page) ([]ota.Incident, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	where, args := []string{"id < $1"}, []any{before}
	for _, c := range []struct{ column, value string }{{"app", f.App}, {"state", string(f.State)}} {
		if c.value != "" {
			args = append(args, c.value)
			where = append(where, fmt.Sprintf("%s = $%d", c.column, len(args)))
		}
	}
	cond, more := within(f.Within, len(args)+1, "org", "app")
	args = append(append(args, more...), limit+1)
	where = append(where, cond)
	items, err := selectAll(ctx, s.q, scanIncident, `SELECT `+incidentColumns+` FROM incidents WHERE `+strings.Join(where, " AND ")+
		fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(i ota.Incident) int64 { return i.ID })
	return items, next, nil
}

// IncidentsIn implements [incidents.Reader].
func (s reads) IncidentsIn(ctx context.Context, state ota.IncidentState, limit int) ([]ota.Incident, error) {
	return selectAll(ctx, s.q, scanIncident, `SELECT `+incidentColumns+` FROM incidents
		WHERE state = $1 AND state <> 'closed' ORDER BY id LIMIT $2`, string(state), limit)
}

// InsertIncident implements [incidents.Tx].
func (t *txn) InsertIncident(ctx context.Context, i ota.Incident) (ota.Incident, error) {
	var err error
	i.ID, err = t.insert(ctx, `INSERT INTO incidents (org, app, channel, version, subject, title, severity, commander, state, opened_by, released_at, opened_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id`,
		i.Org, i.App, i.Channel, i.Version, i.Subject, i.Title, string(i.Severity), i.Commander, string(i.State), i.OpenedBy, i.ReleasedAt, i.OpenedAt)
	return i, err
}

// UpdateIncident implements [incidents.Tx].
func (t *txn) UpdateIncident(ctx context.Context, i ota.Incident) error {
	_, err := t.exec(ctx, `UPDATE incidents SET title = $1, severity = $2, commander = $3, state = $4, contained_at = $5, recovering_at = $6,
		resolved_at = $7, closed_at = $8, recovered_to = $9, baseline = $10, affected = $11, left_it = $12 WHERE id = $13`,
		i.Title, string(i.Severity), i.Commander, string(i.State), i.ContainedAt, i.RecoveringAt,
		i.ResolvedAt, i.ClosedAt, i.RecoveredTo, i.Baseline, i.Affected, i.Left, i.ID)
	return err
}

// IncidentSamples implements [incidents.Reader].
func (s reads) IncidentSamples(ctx context.Context, id int64) ([]ota.IncidentSample, error) {
	return selectAll(ctx, s.q, func(r scanner) (v ota.IncidentSample, err error) {
		return v, r.Scan(&v.At, &v.Affected, &v.Left)
	}, `SELECT at, affected, left_it FROM incident_samples WHERE incident = $1 ORDER BY at`, id)
}

// NoteProgress implements [incidents.Store]. It is what the server watched, not
// what somebody did, so it leaves no record of a change.
func (db Incidents) NoteProgress(ctx context.Context, i ota.Incident, sample *ota.IncidentSample) error {
	tx, err := db.w.BeginTx(ctx, nil)
	if err != nil {
		return storeError("begin", err)
	}
	defer tx.Rollback() // a no-op after the commit
	t := &txn{reads: reads{tx}, tx: tx}
	// Somebody may have begun another recovery meanwhile.
	if _, err := t.exec(ctx, `UPDATE incidents SET baseline = $1, affected = $2, left_it = $3 WHERE id = $4 AND state = 'recovering' AND recovering_at = $5`,
		i.Baseline, i.Affected, i.Left, i.ID, i.RecoveringAt); err != nil {
		return err
	}
	if sample != nil {
		if _, err := t.exec(ctx, `INSERT INTO incident_samples (incident, at, affected, left_it) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			i.ID, sample.At, sample.Affected, sample.Left); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return storeError("commit", err)
	}
	return nil
}

// IncidentChanges implements [incidents.Reader].
func (s reads) IncidentChanges(ctx context.Context, app string, since, until int64, limit int) ([]ota.Change, error) {
	return selectAll(ctx, s.q, func(r scanner) (c ota.Change, err error) {
		return c, r.Scan(&c.ID, &c.At, &c.Actor, &c.Action, &c.App, &c.Object, &c.Detail)
	}, `SELECT id, at, actor, action, app, object, detail FROM changes
		WHERE app = $1 AND at >= $2 AND at <= $3 AND kept AND action NOT LIKE 'device.%' ORDER BY id LIMIT $4`, app, since, until, limit)
}
