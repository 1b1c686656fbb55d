package sqlstore

import (
	"context"
	"database/sql"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// EnsureSetting returns the server's own value under a key, such as a secret it
// made at its first start. If there is none, fresh becomes it. Settings are the
// server's, not an operator's, so they leave no record of a change.
func (db *DB) EnsureSetting(ctx context.Context, key string, fresh []byte) ([]byte, error) {
	var value []byte
	err := db.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, key, fresh); err != nil {
			return storeError("write", err)
		}
		var err error
		value, err = selectOne(ctx, tx, ota.Errorf(ota.KindInternal, "internal", "the setting %q is gone", key),
			func(r scanner) (v []byte, err error) { return v, r.Scan(&v) }, `SELECT value FROM settings WHERE key = $1`, key)
		return err
	})
	return value, err
}
