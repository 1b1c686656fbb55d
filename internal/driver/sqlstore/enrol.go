package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
)

const enrolColumns = `id, kind, email, user_id, grants, maker, delivered, created_at, created_by, expires_at, used_at, revoked_at`

func scanEnrolLink(r scanner) (l identity.EnrolLink, err error) {
	var grants string
	if err := r.Scan(&l.ID, &l.Kind, &l.Email, &l.UserID, &grants, &l.Maker, &l.Delivered, &l.CreatedAt, &l.CreatedBy, &l.ExpiresAt, &l.UsedAt, &l.RevokedAt); err != nil {
		return l, err
	}
	if err := json.Unmarshal([]byte(grants), &l.Grants); err != nil {
		return l, fmt.Errorf("grants of a link: %w", err)
	}
	return l, nil
}

func noLink() error { return ota.NotFound("invitation_not_found", "there is no such invitation") }

// EnrolLink implements [identity.Reader].
func (s reads) EnrolLink(ctx context.Context, kind identity.LinkKind, id int64) (identity.EnrolLink, error) {
	return selectOne(ctx, s.q, noLink(), scanEnrolLink, `SELECT `+enrolColumns+` FROM enrol_links WHERE kind = $1 AND id = $2`, string(kind), id)
}

// EnrolLinkByHash implements [identity.Reader].
func (s reads) EnrolLinkByHash(ctx context.Context, hash ota.Digest) (identity.EnrolLink, error) {
	return selectOne(ctx, s.q, noLink(), scanEnrolLink, `SELECT `+enrolColumns+` FROM enrol_links WHERE hash = $1`, hash[:])
}

// EnrolLinks implements [identity.Reader].
func (s reads) EnrolLinks(ctx context.Context, kind identity.LinkKind, p ota.Page) ([]identity.EnrolLink, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanEnrolLink,
		`SELECT `+enrolColumns+` FROM enrol_links WHERE kind = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, string(kind), before, limit+1)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(l identity.EnrolLink) int64 { return l.ID })
	return items, next, nil
}

// OpenInvitations implements [identity.Reader].
func (s reads) OpenInvitations(ctx context.Context, email string) ([]identity.EnrolLink, error) {
	return selectAll(ctx, s.q, scanEnrolLink, `SELECT `+enrolColumns+` FROM enrol_links WHERE kind = $1 AND email = $2
		AND used_at = 0 AND revoked_at = 0 ORDER BY id`, string(identity.LinkInvite), email)
}

// InsertEnrolLink implements [identity.Tx].
func (t *txn) InsertEnrolLink(ctx context.Context, l identity.EnrolLink, hash ota.Digest) (identity.EnrolLink, error) {
	if l.Grants == nil {
		l.Grants = []ota.Grant{}
	}
	grants, err := json.Marshal(l.Grants)
	if err != nil {
		return l, fmt.Errorf("grants of a link: %w", err)
	}
	l.ID, err = t.insert(ctx, `INSERT INTO enrol_links (kind, hash, email, user_id, grants, maker, delivered, created_at, created_by, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
		string(l.Kind), hash[:], l.Email, l.UserID, string(grants), l.Maker, l.Delivered, l.CreatedAt, string(l.CreatedBy), l.ExpiresAt)
	return l, err
}

// UseEnrolLink implements [identity.Tx].
func (t *txn) UseEnrolLink(ctx context.Context, id, at int64) (bool, error) {
	n, err := t.exec(ctx, `UPDATE enrol_links SET used_at = $1 WHERE id = $2 AND used_at = 0 AND revoked_at = 0 AND expires_at > $1`, at, id)
	return n == 1, err
}

// RevokeEnrolLinks implements [identity.Tx].
func (t *txn) RevokeEnrolLinks(ctx context.Context, kind identity.LinkKind, userID int64, email string, at int64) error {
	_, err := t.exec(ctx, `UPDATE enrol_links SET revoked_at = $1 WHERE kind = $2 AND user_id = $3 AND email = $4
		AND used_at = 0 AND revoked_at = 0`, at, string(kind), userID, email)
	return err
}

// RevokeEnrolLink implements [identity.Tx].
func (t *txn) RevokeEnrolLink(ctx context.Context, id, at int64) error {
	_, err := t.exec(ctx, `UPDATE enrol_links SET revoked_at = $1 WHERE id = $2 AND used_at = 0 AND revoked_at = 0`, at, id)
	return err
}
