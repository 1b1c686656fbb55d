package sqlstore

import (
	"context"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
)

const groupColumns = `id, org, name, created_at`

func scanGroup(r scanner) (g ota.Group, err error) {
	return g, r.Scan(&g.ID, &g.Org, &g.Name, &g.CreatedAt)
}

// Group implements [directory.Reader].
func (s reads) Group(ctx context.Context, id int64) (ota.Group, error) {
	return selectOne(ctx, s.q, ota.NotFound(directory.CodeGroupNotFound, "there is no group %d", id), scanGroup,
		`SELECT `+groupColumns+` FROM groups WHERE id = $1`, id)
}

// GroupByName implements [directory.Reader].
func (s reads) GroupByName(ctx context.Context, org, name string) (ota.Group, error) {
	return selectOne(ctx, s.q, ota.NotFound(directory.CodeGroupNotFound, "there is no group %q", name), scanGroup,
		`SELECT `+groupColumns+` FROM groups WHERE org = $1 AND name = $2`, org, name)
}

// Groups implements [directory.Reader].
func (s reads) Groups(ctx context.Context, orgs []string, p ota.Page) ([]ota.Group, string, error) {
	return pageOfOrgs(ctx, s, orgs, p, scanGroup, `SELECT `+groupColumns+` FROM groups`, func(g ota.Group) int64 { return g.ID })
}

// GroupsOf implements [directory.Reader].
func (s reads) GroupsOf(ctx context.Context, userID int64) ([]ota.Group, error) {
	return selectAll(ctx, s.q, scanGroup, `SELECT g.id, g.org, g.name, g.created_at
		FROM group_members m JOIN groups g ON g.id = m.group_id WHERE m.user_id = $1 ORDER BY g.id`, userID)
}

// Members implements [directory.Reader].
func (s reads) Members(ctx context.Context, groupID int64, p ota.Page) ([]ota.Member, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, func(r scanner) (m ota.Member, err error) {
		u := &m.User
		return m, r.Scan(&u.ID, &u.Email, &u.Name, &u.CreatedAt, &u.CreatedBy, &u.InvitedBy, &u.InvitedVia, &u.DisabledAt, &u.LastSeen, &m.Source)
	}, `SELECT `+userColumns+`, source FROM users JOIN group_members ON user_id = id
		WHERE group_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, groupID, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(m ota.Member) int64 { return m.ID })
	return items, next, nil
}

// InsertGroup implements [directory.Tx].
func (t *txn) InsertGroup(ctx context.Context, g ota.Group) (ota.Group, error) {
	var err error
	g.ID, err = t.insert(ctx, `INSERT INTO groups (org, name, created_at) VALUES ($1, $2, $3) RETURNING id`, g.Org, g.Name, g.CreatedAt)
	return g, err
}

// UpdateGroup implements [directory.Tx].
func (t *txn) UpdateGroup(ctx context.Context, g ota.Group) error {
	_, err := t.exec(ctx, `UPDATE groups SET name = $1 WHERE id = $2`, g.Name, g.ID)
	return err
}

// DeleteGroup implements [directory.Tx].
func (t *txn) DeleteGroup(ctx context.Context, id int64) error {
	for _, q := range []string{
		`DELETE FROM grants WHERE subject_kind = 'group' AND subject_id = $1`,
		`DELETE FROM group_members WHERE group_id = $1`,
		`DELETE FROM groups WHERE id = $1`,
	} {
		if _, err := t.exec(ctx, q, id); err != nil {
			return err
		}
	}
	return nil
}

// AddMember implements [directory.Tx].
func (t *txn) AddMember(ctx context.Context, groupID, userID int64, source string) error {
	_, err := t.exec(ctx, `INSERT INTO group_members (group_id, user_id, source) VALUES ($1, $2, $3)
		ON CONFLICT (group_id, user_id) DO NOTHING`, groupID, userID, source)
	return err
}

// RemoveMember implements [directory.Tx].
func (t *txn) RemoveMember(ctx context.Context, groupID, userID int64) error {
	n, err := t.exec(ctx, `DELETE FROM group_members WHERE group_id = $1 AND user_id = $2`, groupID, userID)
	if err == nil && n == 0 {
		return ota.NotFound(directory.CodeNotMember, "user %d is not in group %d", userID, groupID)
	}
	return err
}

// pageOfOrgs reads a page, newest first, of a table that has the columns id and
// org; nil orgs = of every organisation.
func pageOfOrgs[T any](ctx context.Context, s reads, orgs []string, p ota.Page, scan func(scanner) (T, error), query string, key func(T) int64) ([]T, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	query += ` WHERE id < $1`
	args := []any{before}
	if orgs != nil {
		if len(orgs) == 0 {
			return []T{}, "", nil
		}
		query += ` AND org IN (` + placeholders(2, len(orgs)) + `)`
		args = append(args, anys(orgs)...)
	}
	items, err := selectAll(ctx, s.q, scan, query+` ORDER BY id DESC LIMIT `+strconv.Itoa(limit+1), args...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, key)
	return items, next, nil
}
