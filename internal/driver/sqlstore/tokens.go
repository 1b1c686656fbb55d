package sqlstore

import (
	"context"
	"database/sql"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

const tokenColumns = `id, name, role, prefix, created_at, last_used`

func scanToken(r scanner) (t ota.Token, err error) {
	return t, r.Scan(&t.ID, &t.Name, &t.Role, &t.Prefix, &t.CreatedAt, &t.LastUsed)
}

// Tokens implements [control.Reader].
func (s reads) Tokens(ctx context.Context) ([]ota.Token, error) {
	return selectAll(ctx, s.q, scanToken, `SELECT `+tokenColumns+` FROM tokens ORDER BY id DESC`)
}

// TokenByHash implements [control.Reader].
func (s reads) TokenByHash(ctx context.Context, hash ota.Digest) (ota.Token, error) {
	return selectOne(ctx, s.q, ota.NotFound(control.CodeTokenNotFound, "there is no such token"), scanToken,
		`SELECT `+tokenColumns+` FROM tokens WHERE hash = $1`, hash[:])
}

// InsertToken implements [control.Tx].
func (t *txn) InsertToken(ctx context.Context, tok ota.Token, hash ota.Digest) (ota.Token, error) {
	var err error
	tok.ID, err = t.insert(ctx, `INSERT INTO tokens (name, role, hash, prefix, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
		tok.Name, tok.Role, hash[:], tok.Prefix, tok.CreatedAt)
	return tok, err
}

// DeleteToken implements [control.Tx].
func (t *txn) DeleteToken(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM tokens WHERE id = $1`, id)
	return err
}

// TouchToken implements [control.Store].
func (db *DB) TouchToken(ctx context.Context, id, at int64) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET last_used = $1 WHERE id = $2`, at, id); err != nil {
			return storeError("write", err)
		}
		return nil
	})
}
