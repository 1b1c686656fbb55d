package sqlstore

import (
	"context"
	"database/sql"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

var (
	_ control.Store = (*DB)(nil)
	_ control.Tx    = (*txn)(nil)
	_ snap.Source   = (*DB)(nil)
)

// txn is a write transaction of [DB.Update]. It reads what it wrote.
type txn struct {
	reads
	tx     *sql.Tx
	at     int64 // when, Unix ms
	sealed bool  // it added to the log of sealed updates
}

// Update implements [control.Store].
func (db *DB) Update(ctx context.Context, actor ota.Actor, at int64, fn func(control.Tx) (ota.Change, error)) error {
	return db.update(ctx, actor, at, func(t *txn) (ota.Change, error) { return fn(t) })
}

// update is the only way to administrative writes: it stores the record of the
// change with them. Each plane's Update is this one with its own view of txn.
func (db *DB) update(ctx context.Context, actor ota.Actor, at int64, fn func(*txn) (ota.Change, error)) error {
	tx, err := db.w.BeginTx(ctx, nil)
	if err != nil {
		return storeError("begin", err)
	}
	defer tx.Rollback() // a no-op after the commit
	t := &txn{reads: reads{tx}, tx: tx, at: at}
	c, err := fn(t)
	if err != nil || c.Action == "" {
		return err
	}
	for _, c := range append([]ota.Change{c}, c.More...) {
		if c.Actor == "" {
			c.Actor = actor
		}
		c.At, c.RequestID = at, ota.RequestOf(ctx)
		if err := t.record(ctx, c); err != nil {
			return err
		}
	}
	db.known.forget() // an operator may have cleared failures
	if err := tx.Commit(); err != nil {
		return storeError("commit", err)
	}
	if t.sealed && db.sealed != nil {
		db.sealed()
	}
	if c.Action == "app.delete" {
		db.rollups.drop() // or an app of the same name would begin with its sums
	}
	return nil
}

// exec runs a statement and returns how many rows it changed.
func (t *txn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, storeError("write", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, storeError("write", err)
	}
	return n, nil
}

// insert runs an INSERT ... RETURNING id.
func (t *txn) insert(ctx context.Context, query string, args ...any) (int64, error) {
	var id int64
	if err := t.tx.QueryRowContext(ctx, query, args...).Scan(&id); err != nil {
		return 0, storeError("insert", err)
	}
	return id, nil
}

// Changes lists the record of changes of an app ("" = those of no app), newest first.
func (s reads) Changes(ctx context.Context, app string, p ota.Page) ([]ota.Change, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, func(r scanner) (c ota.Change, err error) {
		return c, r.Scan(&c.ID, &c.At, &c.Actor, &c.Action, &c.App, &c.Object, &c.Detail, &c.Org, &c.Before, &c.After, &c.RequestID)
	}, `SELECT id, at, actor, action, app, object, detail, org, before, after, request_id FROM changes
		WHERE app = $1 AND id < $2 AND kept ORDER BY id DESC LIMIT $3`, app, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(c ota.Change) int64 { return c.ID })
	return items, next, nil
}
