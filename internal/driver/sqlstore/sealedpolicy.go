package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/enrol"
)

// SealedPolicy implements [enrol.Reader].
func (s reads) SealedPolicy(ctx context.Context, app string) (p ota.SealedPolicy, err error) {
	return selectOne(ctx, s.q, ota.NotFound("sealed_policy_none", "app %q has no policy for sealed devices", app), func(r scanner) (ota.SealedPolicy, error) {
		var doc string
		var p ota.SealedPolicy
		var at int64
		var by ota.Actor
		if err := r.Scan(&doc, &at, &by); err != nil {
			return p, err
		}
		if err := json.Unmarshal([]byte(doc), &p); err != nil {
			return p, ota.Errorf(ota.KindInternal, "sealed_policy_damaged", "the policy of app %q in the database is damaged", app).WithCause(err)
		}
		p.App, p.UpdatedAt, p.UpdatedBy = app, at, by
		return p, nil
	}, `SELECT doc, updated_at, updated_by FROM sealed_policies WHERE app = $1`, app)
}

// PutSealedPolicy implements [enrol.Tx].
func (t *txn) PutSealedPolicy(ctx context.Context, p ota.SealedPolicy) error {
	doc, err := encodeAll(p)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO sealed_policies (app, doc, signed_reports, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (app) DO UPDATE SET doc = excluded.doc, signed_reports = excluded.signed_reports,
			updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
		p.App, doc[0], p.SignedReports, p.UpdatedAt, string(p.UpdatedBy))
	return err
}

// SealedRevoked implements [enrol.Reader].
func (s reads) SealedRevoked(ctx context.Context, app, device, subject string, serial int64) (bool, error) {
	return s.is(ctx, `SELECT EXISTS (SELECT 1 FROM sealed_revocations WHERE app = $1 AND kind = 'device' AND device = $2)
		OR EXISTS (SELECT 1 FROM sealed_revocations WHERE app = $1 AND kind = 'subject' AND subject = $3 AND subject <> '')
		OR EXISTS (SELECT 1 FROM sealed_revocations WHERE app = $1 AND kind = 'serials' AND from_serial <= $4 AND $4 <= to_serial)`,
		app, device, subject, serial)
}

const revocationColumns = `id, app, kind, device, subject, from_serial, to_serial, reason, at, by_actor`

func scanRevocation(r scanner) (v ota.SealedRevocation, err error) {
	return v, r.Scan(&v.ID, &v.App, &v.Kind, &v.Device, &v.Subject, &v.From, &v.To, &v.Reason, &v.At, &v.By)
}

// SealedRevocations implements [enrol.Reader].
func (s reads) SealedRevocations(ctx context.Context, app string, p ota.Page) ([]ota.SealedRevocation, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanRevocation,
		`SELECT `+revocationColumns+` FROM sealed_revocations WHERE app = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, app, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(v ota.SealedRevocation) int64 { return v.ID })
	return items, next, nil
}

// SealedRevocation implements [enrol.Reader].
func (s reads) SealedRevocation(ctx context.Context, app string, id int64) (ota.SealedRevocation, error) {
	return selectOne(ctx, s.q, ota.NotFound(enrol.CodeRevocation, "there is no revocation %d", id), scanRevocation,
		`SELECT `+revocationColumns+` FROM sealed_revocations WHERE app = $1 AND id = $2`, app, id)
}

// InsertSealedRevocation implements [enrol.Tx].
func (t *txn) InsertSealedRevocation(ctx context.Context, r ota.SealedRevocation) (ota.SealedRevocation, error) {
	var err error
	r.ID, err = t.insert(ctx, `INSERT INTO sealed_revocations (app, kind, device, subject, from_serial, to_serial, reason, at, by_actor)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		r.App, string(r.Kind), r.Device, r.Subject, r.From, r.To, r.Reason, r.At, string(r.By))
	return r, err
}

// DeleteSealedRevocation implements [enrol.Tx].
func (t *txn) DeleteSealedRevocation(ctx context.Context, app string, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM sealed_revocations WHERE app = $1 AND id = $2`, app, id)
	return err
}

// AddSealedUses implements [enrol.Store]. Counts of apps that are gone are dropped.
func (db Enrol) AddSealedUses(ctx context.Context, uses []ota.SealedUse, granted []enrol.Granted) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		t := &txn{reads: reads{tx}, tx: tx}
		for _, u := range uses {
			if _, err := t.exec(ctx, `INSERT INTO sealed_uses (app, hour, what, code, n) SELECT id, $1, $2, $3, $4 FROM apps WHERE id = $5
				ON CONFLICT (app, hour, what, code) DO UPDATE SET n = sealed_uses.n + excluded.n`, u.Hour, u.What, u.Code, u.Count, u.App); err != nil {
				return err
			}
		}
		for _, g := range granted {
			if _, err := t.exec(ctx, `UPDATE sealed_devices SET granted_at = $1, grants = grants + $2 WHERE app = $3 AND thumbprint = $4`,
				g.At, g.N, g.App, g.Thumbprint); err != nil {
				return err
			}
		}
		return nil
	})
}

// SealedUses implements [enrol.Reader].
func (s reads) SealedUses(ctx context.Context, app string, since int64, p ota.Page) ([]ota.SealedUse, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	// An hour is a page's unit: its few rows are never torn apart.
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, func(r scanner) (u ota.SealedUse, err error) {
		return u, r.Scan(&u.App, &u.Hour, &u.What, &u.Code, &u.Count)
	}, `SELECT app, hour, what, code, n FROM sealed_uses WHERE app = $1 AND hour < $2 AND hour >= $3 AND hour IN (
			SELECT DISTINCT hour FROM sealed_uses WHERE app = $1 AND hour < $2 AND hour >= $3 ORDER BY hour DESC LIMIT $4)
		ORDER BY hour DESC, what, code`, app, before, since, limit/10+1)
	if err != nil || len(items) == 0 {
		return items, "", err
	}
	last := items[len(items)-1].Hour
	more, err := s.is(ctx, `SELECT EXISTS (SELECT 1 FROM sealed_uses WHERE app = $1 AND hour < $2 AND hour >= $3)`, app, last, since)
	if err != nil || !more {
		return items, "", err
	}
	_, next := pageNext([]int64{last, 0}, 1, func(n int64) int64 { return n })
	return items, next, nil
}

// SignedReportApps lists the apps of whose sealed releases only signed reports count.
func (db Enrol) SignedReportApps(ctx context.Context) ([]string, error) {
	return selectAll(ctx, db.q, scanText, `SELECT app FROM sealed_policies WHERE signed_reports ORDER BY app`)
}
