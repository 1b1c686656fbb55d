package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

type orgRow struct {
	seq int64
	ota.Org
}

func scanOrg(r scanner) (o orgRow, err error) { return o, r.Scan(&o.seq, &o.ID, &o.Name, &o.CreatedAt) }

// Org implements [control.Reader].
func (s reads) Org(ctx context.Context, id string) (ota.Org, error) {
	o, err := selectOne(ctx, s.q, ota.NotFound(control.CodeOrgNotFound, "there is no organisation %q", id).WithField("org"), scanOrg,
		`SELECT seq, id, name, created_at FROM orgs WHERE id = $1`, id)
	return o.Org, err
}

// Orgs implements [directory.Reader].
func (s reads) Orgs(ctx context.Context, only []string, p ota.Page) ([]ota.Org, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	query, args := `SELECT seq, id, name, created_at FROM orgs WHERE seq < $1`, []any{before}
	if only != nil {
		if len(only) == 0 {
			return []ota.Org{}, "", nil
		}
		query += ` AND id IN (` + placeholders(2, len(only)) + `)`
		args = append(args, anys(only)...)
	}
	rows, err := selectAll(ctx, s.q, scanOrg, query+` ORDER BY seq DESC LIMIT `+placeholders(len(args)+1, 1), append(args, limit+1)...)
	if err != nil {
		return nil, "", err
	}
	rows, next := pageNext(rows, limit, func(o orgRow) int64 { return o.seq })
	orgs := make([]ota.Org, len(rows))
	for i, o := range rows {
		orgs[i] = o.Org
	}
	return orgs, next, nil
}

// OrgHasApps implements [directory.Reader].
func (s reads) OrgHasApps(ctx context.Context, id string) (bool, error) {
	n, err := selectOne(ctx, s.q, nil, scanInt, `SELECT COUNT(*) FROM apps WHERE org = $1`, id)
	return n > 0, err
}

// InsertOrg implements [directory.Tx].
func (t *txn) InsertOrg(ctx context.Context, o ota.Org) error {
	_, err := t.exec(ctx, `INSERT INTO orgs (id, name, created_at) VALUES ($1, $2, $3)`, o.ID, o.Name, o.CreatedAt)
	return err
}

// UpdateOrg implements [directory.Tx].
func (t *txn) UpdateOrg(ctx context.Context, o ota.Org) error {
	_, err := t.exec(ctx, `UPDATE orgs SET name = $1 WHERE id = $2`, o.Name, o.ID)
	return err
}

// DeleteOrg implements [directory.Tx]. Groups, service accounts and grants of
// the organisation go with it, and what was granted to those.
func (t *txn) DeleteOrg(ctx context.Context, id string) error {
	for _, q := range []string{
		`DELETE FROM grants WHERE subject_kind = 'group' AND subject_id IN (SELECT id FROM groups WHERE org = $1)`,
		`DELETE FROM grants WHERE subject_kind = 'service' AND subject_id IN (SELECT id FROM service_accounts WHERE org = $1)`,
		`DELETE FROM grants WHERE org = $1`,
		`DELETE FROM orgs WHERE id = $1`,
	} {
		if _, err := t.exec(ctx, q, id); err != nil {
			return err
		}
	}
	return nil
}
