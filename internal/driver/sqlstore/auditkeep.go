package sqlstore

import (
	"context"
	"database/sql"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Audit is the database as the audit log's plane sees it.
type Audit struct{ *DB }

// AuditBlank takes the text of entries that are older than before, up to limit
// of the oldest ones; their hashes stay. record makes the change that tells of
// it: how many, and below which leaf all are blank now. Nothing to blank changes nothing.
func (a Audit) AuditBlank(ctx context.Context, actor ota.Actor, at, before int64, limit int, record func(n, upto int64) ota.Change) (int64, error) {
	var n int64
	err := a.update(ctx, actor, at, func(t *txn) (ota.Change, error) {
		have, err := selectOne(ctx, t.q, nil, scanInt, `SELECT upto FROM audit_retention`)
		if err != nil {
			return ota.Change{}, err
		}
		// All before the first that is young enough: a prefix of the log.
		upto, err := selectOne(ctx, t.q, nil, scanInt,
			`SELECT COALESCE((SELECT leaf FROM changes WHERE leaf >= $1 AND at >= $2 ORDER BY leaf LIMIT 1),
				(SELECT COALESCE(MAX(leaf), -1) + 1 FROM changes))`, have, before)
		if err != nil {
			return ota.Change{}, err
		}
		upto = min(upto, have+int64(limit))
		if upto <= have {
			return ota.Change{}, nil
		}
		if _, err := t.exec(ctx, `UPDATE audit_retention SET upto = $1`, upto); err != nil {
			return ota.Change{}, err
		}
		n, err = t.exec(ctx, `UPDATE changes SET actor = '', object = '', detail = '', before = '', after = '', request_id = '', kept = FALSE
			WHERE leaf >= $1 AND leaf < $2`, have, upto)
		return record(n, upto), err
	})
	return n, err
}

// AuditCursor returns how far a reader of the log has come, 0 at first.
func (a Audit) AuditCursor(ctx context.Context, reader string) (int64, error) {
	return selectOne(ctx, a.q, nil, scanInt, `SELECT COALESCE((SELECT leaf FROM audit_cursors WHERE reader = $1), 0)`, reader)
}

// SetAuditCursor notes how far a reader of the log has come.
func (a Audit) SetAuditCursor(ctx context.Context, reader string, leaf int64) error {
	return a.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO audit_cursors (reader, leaf) VALUES ($1, $2)
			ON CONFLICT (reader) DO UPDATE SET leaf = EXCLUDED.leaf`, reader, leaf); err != nil {
			return storeError("write", err)
		}
		return nil
	})
}
