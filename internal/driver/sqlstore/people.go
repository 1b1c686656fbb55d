package sqlstore

import (
	"context"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
)

var (
	_ directory.Store = Directory{}
	_ directory.Tx    = (*txn)(nil)
)

// Directory is the database as plane/directory sees it.
type Directory struct{ *DB }

// Update implements [directory.Store].
func (d Directory) Update(ctx context.Context, actor ota.Actor, at int64, fn func(directory.Tx) (ota.Change, error)) error {
	return d.update(ctx, actor, at, func(t *txn) (ota.Change, error) { return fn(t) })
}

const userColumns = `id, email, name, created_at, created_by, invited_by, invited_via, disabled_at, last_seen`

func scanUser(r scanner) (u ota.User, err error) {
	return u, r.Scan(&u.ID, &u.Email, &u.Name, &u.CreatedAt, &u.CreatedBy, &u.InvitedBy, &u.InvitedVia, &u.DisabledAt, &u.LastSeen)
}

// User implements [directory.Reader].
func (s reads) User(ctx context.Context, id int64) (ota.User, error) {
	return selectOne(ctx, s.q, ota.NotFound(directory.CodeUserNotFound, "there is no user %d", id), scanUser,
		`SELECT `+userColumns+` FROM users WHERE id = $1`, id)
}

// UserByEmail implements [directory.Reader].
func (s reads) UserByEmail(ctx context.Context, email string) (ota.User, error) {
	return selectOne(ctx, s.q, ota.NotFound(directory.CodeUserNotFound, "there is no user %q", email), scanUser,
		`SELECT `+userColumns+` FROM users WHERE email = $1`, directory.FoldEmail(email))
}

// Users implements [directory.Reader].
func (s reads) Users(ctx context.Context, p ota.Page) ([]ota.User, string, error) {
	return s.users(ctx, p, "")
}

// UsersOf implements [directory.Reader].
func (s reads) UsersOf(ctx context.Context, orgs []string, p ota.Page) ([]ota.User, string, error) {
	if len(orgs) == 0 {
		return []ota.User{}, "", nil
	}
	in := placeholders(2, len(orgs))
	return s.users(ctx, p, ` AND (
		id IN (SELECT subject_id FROM grants WHERE subject_kind = 'user' AND org IN (`+in+`))
		OR id IN (SELECT m.user_id FROM group_members m JOIN groups g ON g.id = m.group_id WHERE g.org IN (`+in+`)))`, anys(orgs)...)
}

func (s reads) users(ctx context.Context, p ota.Page, where string, args ...any) ([]ota.User, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanUser, `SELECT `+userColumns+` FROM users WHERE id < $1`+where+
		` ORDER BY id DESC LIMIT `+strconv.Itoa(limit+1), append([]any{before}, args...)...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(u ota.User) int64 { return u.ID })
	return items, next, nil
}

// OrgsOfUser implements [directory.Reader].
func (s reads) OrgsOfUser(ctx context.Context, id int64) ([]string, error) {
	return selectAll(ctx, s.q, scanText, `SELECT org FROM grants WHERE subject_kind = 'user' AND subject_id = $1
		UNION SELECT g.org FROM group_members m JOIN groups g ON g.id = m.group_id WHERE m.user_id = $1 ORDER BY 1`, id)
}

// InsertUser implements [directory.Tx].
func (t *txn) InsertUser(ctx context.Context, u ota.User) (ota.User, error) {
	var err error
	u.Email = directory.FoldEmail(u.Email)
	u.ID, err = t.insert(ctx, `INSERT INTO users (email, name, created_at, created_by, invited_by, invited_via, disabled_at, last_seen)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
		u.Email, u.Name, u.CreatedAt, string(u.CreatedBy), u.InvitedBy, u.InvitedVia, u.DisabledAt, u.LastSeen)
	return u, err
}

// UpdateUser implements [directory.Tx].
func (t *txn) UpdateUser(ctx context.Context, u ota.User) error {
	if _, err := t.exec(ctx, `INSERT INTO former_emails (email, user_id) SELECT email, id FROM users WHERE id = $1 AND email <> $2
		ON CONFLICT DO NOTHING`, u.ID, directory.FoldEmail(u.Email)); err != nil {
		return err
	}
	_, err := t.exec(ctx, `UPDATE users SET email = $1, name = $2, disabled_at = $3, last_seen = $4 WHERE id = $5`,
		directory.FoldEmail(u.Email), u.Name, u.DisabledAt, u.LastSeen, u.ID)
	return err
}

const accountColumns = `id, org, name, created_at, created_by, disabled_at`

func scanAccount(r scanner) (a ota.ServiceAccount, err error) {
	return a, r.Scan(&a.ID, &a.Org, &a.Name, &a.CreatedAt, &a.CreatedBy, &a.DisabledAt)
}

// ServiceAccount implements [directory.Reader].
func (s reads) ServiceAccount(ctx context.Context, id int64) (ota.ServiceAccount, error) {
	return selectOne(ctx, s.q, ota.NotFound(directory.CodeServiceNotFound, "there is no service account %d", id), scanAccount,
		`SELECT `+accountColumns+` FROM service_accounts WHERE id = $1`, id)
}

// ServiceAccountByName implements [directory.Reader].
func (s reads) ServiceAccountByName(ctx context.Context, org, name string) (ota.ServiceAccount, error) {
	return selectOne(ctx, s.q, ota.NotFound(directory.CodeServiceNotFound, "there is no service account %q", name), scanAccount,
		`SELECT `+accountColumns+` FROM service_accounts WHERE org = $1 AND name = $2`, org, name)
}

// ServiceAccounts implements [directory.Reader].
func (s reads) ServiceAccounts(ctx context.Context, orgs []string, p ota.Page) ([]ota.ServiceAccount, string, error) {
	return pageOfOrgs(ctx, s, orgs, p, scanAccount, `SELECT `+accountColumns+` FROM service_accounts`,
		func(a ota.ServiceAccount) int64 { return a.ID })
}

// InsertServiceAccount implements [directory.Tx].
func (t *txn) InsertServiceAccount(ctx context.Context, a ota.ServiceAccount) (ota.ServiceAccount, error) {
	var err error
	a.ID, err = t.insert(ctx, `INSERT INTO service_accounts (org, name, created_at, created_by, disabled_at)
		VALUES ($1, $2, $3, $4, $5) RETURNING id`, a.Org, a.Name, a.CreatedAt, string(a.CreatedBy), a.DisabledAt)
	return a, err
}

// UpdateServiceAccount implements [directory.Tx].
func (t *txn) UpdateServiceAccount(ctx context.Context, a ota.ServiceAccount) error {
	_, err := t.exec(ctx, `UPDATE service_accounts SET name = $1, disabled_at = $2 WHERE id = $3`, a.Name, a.DisabledAt, a.ID)
	return err
}

// DeleteServiceAccount implements [directory.Tx].
func (t *txn) DeleteServiceAccount(ctx context.Context, id int64) error {
	if _, err := t.exec(ctx, `DELETE FROM grants WHERE subject_kind = 'service' AND subject_id = $1`, id); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM service_accounts WHERE id = $1`, id)
	return err
}
