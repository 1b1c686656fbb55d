package sqlstore

import (
	"context"
	"database/sql"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// auditTree is the tree over the record of changes.
var auditTree = treeTable{table: "audit_hashes", code: "audit_damaged", what: "audit log"}

// record appends a change to the record of changes and to the log over it.
func (t *txn) record(ctx context.Context, c ota.Change) error {
	if err := t.lockLog(ctx); err != nil {
		return err
	}
	var leaf, last, stored int64
	err := t.tx.QueryRowContext(ctx, `SELECT COALESCE((SELECT MAX(leaf) FROM changes), -1) + 1, COALESCE((SELECT MAX(id) FROM changes), 0),
		COALESCE((SELECT MAX(idx) FROM audit_hashes), -1) + 1`).Scan(&leaf, &last, &stored)
	if err != nil {
		return storeError("find the end of the log", err)
	}
	if tlog.StoredHashCount(leaf) != stored {
		return auditTree.damaged("its rows and its hashes differ in number")
	}
	c.ID = last + 1
	if _, err := t.exec(ctx,
		`INSERT INTO changes (id, at, actor, action, app, object, detail, org, before, after, request_id, leaf)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		c.ID, c.At, string(c.Actor), c.Action, c.App, c.Object, c.Detail, c.Org, c.Before, c.After, c.RequestID, leaf); err != nil {
		return err
	}
	return t.appendHash(ctx, auditTree, leaf, auditlog.LeafHash(c))
}

// growBatch is how many leaves of rows from before the log one transaction adds.
const growBatch = 2000

// growLog gives the rows that were there before the log their leaves. It can be
// killed anywhere and goes on at the next start.
func (db *DB) growLog(ctx context.Context) error {
	for {
		var left bool
		err := db.tx(ctx, func(tx *sql.Tx) error {
			t := &txn{reads: reads{tx}, tx: tx}
			size, err := t.treeSize(ctx, auditTree)
			if err != nil {
				return err
			}
			rows, err := t.AuditEntries(ctx, size, growBatch)
			left = len(rows) == growBatch
			for _, e := range rows {
				if e.Leaf != size || !e.Kept {
					left = false
					break // a gap, which verification reports
				}
				if err := t.appendHash(ctx, auditTree, size, auditlog.LeafHash(e.Change)); err != nil {
					return err
				}
				size++
			}
			return err
		})
		if ota.CodeOf(err) == auditTree.code {
			return nil // devices are still answered; who audits gets to know
		}
		if err != nil || !left {
			return err
		}
	}
}
