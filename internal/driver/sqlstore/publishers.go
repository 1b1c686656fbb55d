package sqlstore

import (
	"context"
	"encoding/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

const publisherColumns = `id, org, name, provider, issuer, repository_id, owner_id, repository, workflow, ref, environment, pull_requests,
	role, app, channel, actions, created_at, created_by, last_used`

func scanPublisher(r scanner) (p ota.TrustedPublisher, err error) {
	var actions string
	err = r.Scan(&p.ID, &p.Org, &p.Name, &p.Provider, &p.Issuer, &p.RepositoryID, &p.OwnerID, &p.Repository, &p.Workflow, &p.Ref,
		&p.Environment, &p.PullRequests, &p.Role, &p.Scope.App, &p.Scope.Channel, &actions, &p.CreatedAt, &p.CreatedBy, &p.LastUsed)
	if err != nil {
		return p, err
	}
	p.Scope.Org = p.Org
	if err := json.Unmarshal([]byte(actions), &p.Actions); err != nil {
		return p, ota.Errorf(ota.KindInternal, "publisher_damaged", "the trusted publisher %d in the database is damaged", p.ID).WithCause(err)
	}
	return p, nil
}

// Publisher implements [token.Reader].
func (s reads) Publisher(ctx context.Context, id int64) (ota.TrustedPublisher, error) {
	return selectOne(ctx, s.q, ota.NotFound(token.CodePublisherNotFound, "there is no trusted publisher %d", id), scanPublisher,
		`SELECT `+publisherColumns+` FROM trusted_publishers WHERE id = $1`, id)
}

// Publishers implements [token.Reader].
func (s reads) Publishers(ctx context.Context, org string, p ota.Page) ([]ota.TrustedPublisher, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanPublisher,
		`SELECT `+publisherColumns+` FROM trusted_publishers WHERE org = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, org, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(p ota.TrustedPublisher) int64 { return p.ID })
	return items, next, nil
}

// IssuerProvider implements [token.Reader].
func (s reads) IssuerProvider(ctx context.Context, issuer string) (ota.CIProvider, error) {
	return selectOne(ctx, s.q, ota.NotFound(token.CodePublisherNotFound, "no trusted publisher names the issuer %q", issuer),
		func(r scanner) (p ota.CIProvider, err error) { return p, r.Scan(&p) },
		`SELECT provider FROM trusted_publishers WHERE issuer = $1 LIMIT 1`, issuer)
}

// PublishersOf implements [token.Reader].
func (s reads) PublishersOf(ctx context.Context, issuer, repositoryID string) ([]ota.TrustedPublisher, error) {
	return selectAll(ctx, s.q, scanPublisher,
		`SELECT `+publisherColumns+` FROM trusted_publishers WHERE issuer = $1 AND repository_id = $2 ORDER BY id`, issuer, repositoryID)
}

// InsertPublisher implements [token.Tx].
func (t *txn) InsertPublisher(ctx context.Context, p ota.TrustedPublisher) (ota.TrustedPublisher, error) {
	taken, err := t.is(ctx, `SELECT EXISTS (SELECT 1 FROM trusted_publishers WHERE org = $1 AND name = $2)`, p.Org, p.Name)
	if err != nil {
		return p, err
	}
	if taken {
		return p, ota.Conflict(token.CodePublisherExists, "there is a trusted publisher %q already", p.Name).WithField("name").
			WithHint("choose another name, or remove that one first")
	}
	if p.Actions == nil {
		p.Actions = []string{}
	}
	actions, err := encodeAll(p.Actions)
	if err != nil {
		return p, err
	}
	p.ID, err = t.insert(ctx, `INSERT INTO trusted_publishers
		(org, name, provider, issuer, repository_id, owner_id, repository, workflow, ref, environment, pull_requests,
		role, app, channel, actions, created_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING id`,
		p.Org, p.Name, string(p.Provider), p.Issuer, p.RepositoryID, p.OwnerID, p.Repository, p.Workflow, p.Ref, p.Environment, p.PullRequests,
		string(p.Role), p.Scope.App, p.Scope.Channel, actions[0], p.CreatedAt, string(p.CreatedBy))
	return p, err
}

// DeletePublisher implements [token.Tx].
func (t *txn) DeletePublisher(ctx context.Context, id int64) error {
	if _, err := t.exec(ctx, `DELETE FROM tokens WHERE owner_kind = 'publisher' AND owner_id = $1`, id); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM trusted_publishers WHERE id = $1`, id)
	return err
}

// TouchPublisher implements [token.Tx].
func (t *txn) TouchPublisher(ctx context.Context, id, at int64) error {
	_, err := t.exec(ctx, `UPDATE trusted_publishers SET last_used = $1 WHERE id = $2`, at, id)
	return err
}

// TakeJTI implements [token.Tx].
func (t *txn) TakeJTI(ctx context.Context, digest ota.Digest, expiresAt int64) (bool, error) {
	n, err := t.exec(ctx, `INSERT INTO exchanged_jtis (digest, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, digest[:], expiresAt)
	return n == 1, err
}

// PurgeExchanges implements [token.Tx].
func (t *txn) PurgeExchanges(ctx context.Context, before int64) error {
	if _, err := t.exec(ctx, `DELETE FROM exchanged_jtis WHERE expires_at < $1`, before); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM tokens WHERE owner_kind = 'publisher' AND expires_at < $1`, before)
	return err
}
