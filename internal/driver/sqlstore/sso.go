package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
)

const ssoColumns = `id, name, issuer, client_id, client_secret, domains, trusted_domains, create_users, group_claim, group_map, created_at, created_by`

func scanProvider(r scanner) (p identity.Provider, err error) {
	var domains, trusted, groups string
	if err := r.Scan(&p.ID, &p.Name, &p.Issuer, &p.ClientID, &p.Secret, &domains, &trusted, &p.CreateUsers, &p.GroupClaim,
		&groups, &p.CreatedAt, &p.CreatedBy); err != nil {
		return p, err
	}
	err = errors.Join(json.Unmarshal([]byte(domains), &p.Domains), json.Unmarshal([]byte(trusted), &p.TrustedDomains),
		json.Unmarshal([]byte(groups), &p.Groups))
	if err != nil {
		return p, fmt.Errorf("single sign-on provider %s: %w", p.ID, err)
	}
	return p, nil
}

// providerJSON writes the lists of a provider: domains, trusted domains, groups.
func providerJSON(p identity.Provider) (out [3]string, err error) {
	for i, v := range []any{p.Domains, p.TrustedDomains, p.Groups} {
		b, err := json.Marshal(v)
		if err != nil {
			return out, fmt.Errorf("single sign-on provider: %w", err)
		}
		out[i] = string(b)
	}
	return out, nil
}

func noProvider(id string) error {
	return ota.NotFound(identity.CodeProviderNone, "there is no single sign-on provider %q", id)
}

// SSOProvider implements [identity.Reader].
func (s reads) SSOProvider(ctx context.Context, id string) (identity.Provider, error) {
	return selectOne(ctx, s.q, noProvider(id), scanProvider, `SELECT `+ssoColumns+` FROM sso_providers WHERE id = $1`, id)
}

// SSOProviders implements [identity.Reader].
func (s reads) SSOProviders(ctx context.Context) ([]identity.Provider, error) {
	return selectAll(ctx, s.q, scanProvider, `SELECT `+ssoColumns+` FROM sso_providers ORDER BY id LIMIT 100`)
}

// InsertSSOProvider implements [identity.Tx].
func (t *txn) InsertSSOProvider(ctx context.Context, p identity.Provider) error {
	lists, err := providerJSON(p)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO sso_providers (id, name, issuer, client_id, client_secret, domains, trusted_domains,
		create_users, group_claim, group_map, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		p.ID, p.Name, p.Issuer, p.ClientID, p.Secret, lists[0], lists[1], flag(p.CreateUsers), p.GroupClaim, lists[2], p.CreatedAt, string(p.CreatedBy))
	return err
}

// UpdateSSOProvider implements [identity.Tx].
func (t *txn) UpdateSSOProvider(ctx context.Context, p identity.Provider) error {
	lists, err := providerJSON(p)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `UPDATE sso_providers SET name = $1, client_id = $2, client_secret = $3, domains = $4, trusted_domains = $5,
		create_users = $6, group_claim = $7, group_map = $8 WHERE id = $9`,
		p.Name, p.ClientID, p.Secret, lists[0], lists[1], flag(p.CreateUsers), p.GroupClaim, lists[2], p.ID)
	return err
}

// DeleteSSOProvider implements [identity.Tx].
func (t *txn) DeleteSSOProvider(ctx context.Context, id string) error {
	// Who it put into groups leaves them with it.
	if _, err := t.exec(ctx, `DELETE FROM group_members WHERE source = $1`, identity.SSOSource(id)); err != nil {
		return err
	}
	n, err := t.exec(ctx, `DELETE FROM sso_providers WHERE id = $1`, id)
	if err == nil && n == 0 {
		return noProvider(id)
	}
	return err
}

// SSOSubject implements [identity.Reader].
func (s reads) SSOSubject(ctx context.Context, provider, subject string) (int64, error) {
	return selectOne(ctx, s.q, ota.NotFound("sso_subject_not_found", "nobody here is that subject"), scanInt,
		`SELECT user_id FROM sso_subjects WHERE provider = $1 AND subject = $2`, provider, subject)
}

// SSOOf implements [identity.Reader].
func (s reads) SSOOf(ctx context.Context, userID int64) ([]string, error) {
	return selectAll(ctx, s.q, scanText, `SELECT DISTINCT provider FROM sso_subjects WHERE user_id = $1 ORDER BY provider`, userID)
}

// LinkSSO implements [identity.Tx].
func (t *txn) LinkSSO(ctx context.Context, provider, subject string, userID int64) error {
	_, err := t.exec(ctx, `INSERT INTO sso_subjects (provider, subject, user_id) VALUES ($1, $2, $3)`, provider, subject, userID)
	return err
}

// MembershipsFrom implements [identity.Reader].
func (s reads) MembershipsFrom(ctx context.Context, userID int64, source string) ([]int64, error) {
	return selectAll(ctx, s.q, scanInt, `SELECT group_id FROM group_members WHERE user_id = $1 AND source = $2 ORDER BY group_id`, userID, source)
}
