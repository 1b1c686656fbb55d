package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

var (
	_ token.Store = Tokens{}
	_ token.Tx    = (*txn)(nil)
)

// Tokens is the database as the plane of tokens sees it.
type Tokens struct{ *DB }

// Update implements [token.Store].
func (t Tokens) Update(ctx context.Context, actor ota.Actor, at int64, fn func(token.Tx) (ota.Change, error)) error {
	return t.update(ctx, actor, at, func(x *txn) (ota.Change, error) { return fn(x) })
}

// The name, organisation and state of a token's owner are the owner's own.
const (
	tokenColumns = `t.id, t.name, t.owner_kind, t.owner_id, COALESCE(u.email, s.name, p.name, ''), COALESCE(s.org, p.org, 'main'),
		t.grants, t.limits, t.ip_ranges, t.prefix, t.created_at, t.created_by, t.expires_at, t.rotated_at, t.previous_until, t.last_used, t.last_from`
	tokenFrom = ` FROM tokens t
		LEFT JOIN users u ON t.owner_kind = 'user' AND u.id = t.owner_id
		LEFT JOIN service_accounts s ON t.owner_kind = 'service' AND s.id = t.owner_id
		LEFT JOIN trusted_publishers p ON t.owner_kind = 'publisher' AND p.id = t.owner_id `
)

func scanToken(r scanner) (ota.Token, error) { return scanTokenAnd(r) }

// scanTokenAnd reads the columns of a token and further ones.
func scanTokenAnd(r scanner, more ...any) (t ota.Token, err error) {
	var grants, limits, networks string
	err = r.Scan(append([]any{
		&t.ID, &t.Name, &t.Owner.Kind, &t.Owner.ID, &t.Owner.Name, &t.Owner.Org, &grants, &limits, &networks,
		&t.Prefix, &t.CreatedAt, &t.CreatedBy, &t.ExpiresAt, &t.RotatedAt, &t.PreviousUntil, &t.LastUsed, &t.LastFrom,
	}, more...)...)
	if err != nil {
		return t, err
	}
	for _, f := range []struct {
		text string
		into any
	}{{grants, &t.Grants}, {limits, &t.Limits}, {networks, &t.IPRanges}} {
		if err := json.Unmarshal([]byte(f.text), f.into); err != nil {
			return t, ota.Errorf(ota.KindInternal, "token_damaged", "the token %d in the database is damaged", t.ID).WithCause(err)
		}
	}
	return t, nil
}

func tokenMissing() error { return ota.NotFound(token.CodeTokenNotFound, "there is no such token") }

// Token implements [token.Reader].
func (s reads) Token(ctx context.Context, id int64) (ota.Token, error) {
	return selectOne(ctx, s.q, tokenMissing(), scanToken, `SELECT `+tokenColumns+tokenFrom+`WHERE t.id = $1`, id)
}

// TokenByHash implements [token.Reader].
func (s reads) TokenByHash(ctx context.Context, hash ota.Digest) (token.Stored, error) {
	return selectOne(ctx, s.q, tokenMissing(), func(r scanner) (st token.Stored, err error) {
		var there, disabled bool
		st.Token, err = scanTokenAnd(r, &st.Previous, &there, &disabled)
		st.Gone, st.Disabled = !there, disabled
		return st, err
	}, `SELECT `+tokenColumns+`, t.hash <> $1,
		t.owner_kind = 'nobody' OR u.id IS NOT NULL OR s.id IS NOT NULL OR p.id IS NOT NULL,
		COALESCE(u.disabled_at, s.disabled_at, 0) <> 0`+tokenFrom+`WHERE t.hash = $1 OR t.previous_hash = $1`, hash[:])
}

// TokenNamed implements [token.Reader].
func (s reads) TokenNamed(ctx context.Context, o ota.TokenOwner, name string) (ota.Token, error) {
	return selectOne(ctx, s.q, tokenMissing(), scanToken,
		`SELECT `+tokenColumns+tokenFrom+`WHERE t.owner_kind = $1 AND t.owner_id = $2 AND t.name = $3`, string(o.Kind), o.ID, name)
}

// Tokens implements [token.Reader].
func (s reads) Tokens(ctx context.Context, owner *ota.TokenOwner, p ota.Page) ([]ota.Token, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	where, args := `t.owner_kind <> 'publisher'`, []any{before, limit + 1}
	if owner != nil {
		where, args = `t.owner_kind = $3 AND t.owner_id = $4`, append(args, string(owner.Kind), owner.ID)
	}
	items, err := selectAll(ctx, s.q, scanToken,
		`SELECT `+tokenColumns+tokenFrom+`WHERE t.id < $1 AND `+where+` ORDER BY t.id DESC LIMIT $2`, args...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(t ota.Token) int64 { return t.ID })
	return items, next, nil
}

// HasTokens implements [token.Reader].
func (s reads) HasTokens(ctx context.Context) (bool, error) {
	return s.is(ctx, `SELECT EXISTS (SELECT 1 FROM tokens WHERE owner_kind <> 'publisher')`)
}

// OtherWayIn implements [token.Reader].
func (s reads) OtherWayIn(ctx context.Context, withoutToken, at int64) (bool, error) {
	return s.is(ctx, `SELECT EXISTS (SELECT 1 FROM tokens
			WHERE owner_kind = 'nobody' AND id <> $1 AND limits = '{}' AND ip_ranges = '[]' AND (expires_at = 0 OR expires_at > $2))
		OR EXISTS (SELECT 1 FROM grants g JOIN users u ON g.subject_kind = 'user' AND u.id = g.subject_id
			WHERE u.disabled_at = 0 AND g.role = 'owner' AND g.org = 'main' AND g.app = '' AND (
				EXISTS (SELECT 1 FROM passkeys k WHERE k.user_id = u.id)
				OR EXISTS (SELECT 1 FROM passwords p WHERE p.user_id = u.id AND p.phc <> '')
				OR EXISTS (SELECT 1 FROM sso_subjects s WHERE s.user_id = u.id)))`, withoutToken, at)
}

// is runs a query for one truth value.
func (s reads) is(ctx context.Context, query string, args ...any) (bool, error) {
	return selectOne(ctx, s.q, nil, func(r scanner) (yes bool, err error) { return yes, r.Scan(&yes) }, query, args...)
}

// TokenAccount implements [token.Reader].
func (s reads) TokenAccount(ctx context.Context, org, name string) (token.Account, error) {
	return selectOne(ctx, s.q,
		ota.NotFound(token.CodeAccountNotFound, "there is no service account %q in %s", name, org).WithField("service"),
		func(r scanner) (a token.Account, err error) { return a, r.Scan(&a.ID, &a.Disabled) },
		`SELECT id, disabled_at <> 0 FROM service_accounts WHERE org = $1 AND name = $2`, org, name)
}

// InsertToken implements [token.Tx].
func (t *txn) InsertToken(ctx context.Context, tok ota.Token, hash ota.Digest) (ota.Token, error) {
	_, err := t.TokenNamed(ctx, tok.Owner, tok.Name)
	if err == nil {
		err = ota.Conflict(token.CodeTokenExists, "there is a token %q already", tok.Name).WithField("name").
			WithHint("choose another name, or delete that one first")
	}
	if ota.KindOf(err) != ota.KindNotFound {
		return tok, err
	}
	if tok.Grants == nil {
		tok.Grants = []ota.Grant{}
	}
	if tok.IPRanges == nil {
		tok.IPRanges = []string{}
	}
	columns, err := encodeAll(tok.Grants, tok.Limits, tok.IPRanges)
	if err != nil {
		return tok, err
	}
	tok.ID, err = t.insert(ctx, `INSERT INTO tokens
		(name, owner_kind, owner_id, hash, previous_hash, prefix, grants, limits, ip_ranges, created_at, created_by, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id`,
		tok.Name, string(tok.Owner.Kind), tok.Owner.ID, hash[:], []byte{}, tok.Prefix,
		columns[0], columns[1], columns[2], tok.CreatedAt, string(tok.CreatedBy), tok.ExpiresAt)
	return tok, err
}

// encodeAll writes values as JSON columns.
func encodeAll(values ...any) ([]string, error) {
	out := make([]string, len(values))
	for i, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, storeError("encode", err)
		}
		out[i] = string(b)
	}
	return out, nil
}

// RotateToken implements [token.Tx].
func (t *txn) RotateToken(ctx context.Context, tok ota.Token, hash ota.Digest) error {
	_, err := t.exec(ctx, `UPDATE tokens SET previous_hash = hash, previous_until = $1, hash = $2, prefix = $3, expires_at = $4, rotated_at = $5
		WHERE id = $6`, tok.PreviousUntil, hash[:], tok.Prefix, tok.ExpiresAt, tok.RotatedAt, tok.ID)
	return err
}

// DeleteToken implements [token.Tx].
func (t *txn) DeleteToken(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM tokens WHERE id = $1`, id)
	return err
}

// TouchToken implements [token.Store].
func (db *DB) TouchToken(ctx context.Context, id, at int64, from string) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET last_used = $1, last_from = $2 WHERE id = $3`, at, from, id); err != nil {
			return storeError("write", err)
		}
		return nil
	})
}
