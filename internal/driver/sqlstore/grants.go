package sqlstore

import (
	"context"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
)

const grantColumns = `id, subject_kind, subject_id, role, org, app, channel, created_at, created_by`

func scanGrant(r scanner) (g ota.RoleGrant, err error) {
	return g, r.Scan(&g.ID, &g.SubjectKind, &g.SubjectID, &g.Role, &g.Scope.Org, &g.Scope.App, &g.Scope.Channel, &g.CreatedAt, &g.CreatedBy)
}

// Grant implements [directory.Reader].
func (s reads) Grant(ctx context.Context, id int64) (ota.RoleGrant, error) {
	return selectOne(ctx, s.q, ota.NotFound(directory.CodeGrantNotFound, "there is no grant %d", id), scanGrant,
		`SELECT `+grantColumns+` FROM grants WHERE id = $1`, id)
}

// GrantsOf implements [directory.Reader].
func (s reads) GrantsOf(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.RoleGrant, error) {
	return selectAll(ctx, s.q, scanGrant, `SELECT `+grantColumns+` FROM grants
		WHERE subject_kind = $1 AND subject_id = $2 ORDER BY id`, string(kind), id)
}

// Grants implements [directory.Reader].
func (s reads) Grants(ctx context.Context, in ota.Reach, p ota.Page) ([]ota.RoleGrant, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	where, args := within(in, 2, "org", "app", "channel")
	items, err := selectAll(ctx, s.q, scanGrant, `SELECT `+grantColumns+` FROM grants WHERE id < $1 AND `+where+
		` ORDER BY id DESC LIMIT `+strconv.Itoa(limit+1), append([]any{before}, args...)...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(g ota.RoleGrant) int64 { return g.ID })
	return items, next, nil
}

// GrantsIn implements [directory.Reader].
func (s reads) GrantsIn(ctx context.Context, org string) ([]ota.RoleGrant, error) {
	return selectAll(ctx, s.q, scanGrant, `SELECT `+grantColumns+` FROM grants WHERE org = $1 ORDER BY id`, org)
}

// HeldGrants implements [directory.Reader].
func (s reads) HeldGrants(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.RoleGrant, error) {
	if kind != ota.SubjectUser {
		return s.GrantsOf(ctx, kind, id)
	}
	return selectAll(ctx, s.q, scanGrant, `SELECT `+grantColumns+` FROM grants
		WHERE subject_kind = 'user' AND subject_id = $1
		OR subject_kind = 'group' AND subject_id IN (SELECT group_id FROM group_members WHERE user_id = $1) ORDER BY id`, id)
}

// EffectiveGrants returns what a user holds directly and through groups, or a
// group or service account holds. A disabled subject, and one that does not
// exist, holds nothing.
func (s reads) EffectiveGrants(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.Grant, error) {
	enabled, err := s.subjectEnabled(ctx, kind, id)
	if err != nil || !enabled {
		return nil, err
	}
	held, err := s.HeldGrants(ctx, kind, id)
	if err != nil {
		return nil, err
	}
	seen := make(map[ota.Grant]struct{}, len(held))
	out := make([]ota.Grant, 0, len(held))
	for _, g := range held {
		if _, twice := seen[g.Grant]; !twice {
			seen[g.Grant] = struct{}{}
			out = append(out, g.Grant)
		}
	}
	return out, nil
}

func (s reads) subjectEnabled(ctx context.Context, kind ota.SubjectKind, id int64) (bool, error) {
	query := ""
	switch kind {
	case ota.SubjectUser:
		query = `SELECT COUNT(*) FROM users WHERE id = $1 AND disabled_at = 0`
	case ota.SubjectService:
		query = `SELECT COUNT(*) FROM service_accounts WHERE id = $1 AND disabled_at = 0`
	case ota.SubjectGroup:
		query = `SELECT COUNT(*) FROM groups WHERE id = $1`
	default:
		return false, nil
	}
	n, err := selectOne(ctx, s.q, nil, scanInt, query, id)
	return n > 0, err
}

// DirectOwners implements [directory.Reader].
func (s reads) DirectOwners(ctx context.Context) ([]int64, error) {
	return selectAll(ctx, s.q, scanInt, `SELECT u.id FROM users u JOIN grants g ON g.subject_kind = 'user' AND g.subject_id = u.id
		WHERE u.disabled_at = 0 AND g.role = $1 AND g.org = $2 AND g.app = '' AND g.channel = '' ORDER BY u.id`,
		string(ota.RoleOwner), ota.MainOrg)
}

// InsertGrant implements [directory.Tx].
func (t *txn) InsertGrant(ctx context.Context, g ota.RoleGrant) (ota.RoleGrant, error) {
	var err error
	g.ID, err = t.insert(ctx, `INSERT INTO grants (subject_kind, subject_id, role, org, app, channel, created_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`, string(g.SubjectKind), g.SubjectID, string(g.Role),
		g.Scope.Org, g.Scope.App, g.Scope.Channel, g.CreatedAt, string(g.CreatedBy))
	return g, err
}

// DeleteGrant implements [directory.Tx].
func (t *txn) DeleteGrant(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM grants WHERE id = $1`, id)
	return err
}
