package sqlstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
)

// sealedTree is the tree of the log of sealed updates.
var sealedTree = treeTable{table: "sealedlog_hashes", code: "sealed_log_damaged", what: "log of sealed updates"}

// OnSealedLeaf has fn called after each commit that added to the log of sealed
// updates. Set it before the database is used by others.
func (db *DB) OnSealedLeaf(fn func()) { db.sealed = fn }

// AppendSealedLeaf adds an entry to the log of sealed updates, in the transaction
// of what it is about. A document that is in the log already stays where it is.
func (t *txn) AppendSealedLeaf(ctx context.Context, kind string, digest ota.Digest) error {
	if !tlogproof.Kind(kind).Valid() || digest.IsZero() {
		return ota.Errorf(ota.KindInternal, "internal", "the log has no entries of kind %q", kind)
	}
	switch _, err := t.SealedLeaf(ctx, kind, digest); {
	case err == nil:
		return nil
	case ota.KindOf(err) != ota.KindNotFound:
		return err
	}
	_, err := t.appendSealed(ctx, kind, digest)
	return err
}

// AppendSealedDocument adds an entry about a document that the log must not tell:
// the digest is salted, salt and document stay in the database. One that is the
// same as the last about that thing is not added again.
func (t *txn) AppendSealedDocument(ctx context.Context, kind, app, what, name string, document []byte) (bool, error) {
	if !tlogproof.Kind(kind).Salted() {
		return false, ota.Errorf(ota.KindInternal, "internal", "entries of kind %q have no salt", kind)
	}
	last, err := selectOne(ctx, t.q, nil, func(r scanner) (b []byte, err error) { return b, r.Scan(&b) },
		`SELECT document FROM sealedlog_documents WHERE app = $1 AND what = $2 AND name = $3 AND kind = $4 ORDER BY leaf DESC LIMIT 1`,
		app, what, name, kind)
	if err != nil || last != nil && bytes.Equal(last, document) {
		return false, err
	}
	var salt tlogproof.Salt
	if _, err := rand.Read(salt[:]); err != nil {
		return false, fmt.Errorf("make a salt: %w", err)
	}
	leaf, err := t.appendSealed(ctx, kind, tlogproof.Salted(salt, document))
	if err != nil {
		return false, err
	}
	_, err = t.exec(ctx, `INSERT INTO sealedlog_documents (leaf, kind, app, what, name, salt, document) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		leaf, kind, app, what, name, salt[:], document)
	return true, err
}

// SealedApp implements [control.SealedTx].
func (s reads) SealedApp(ctx context.Context, app string) (bool, error) {
	n, err := selectOne(ctx, s.q, nil, scanInt, `SELECT COUNT(*) FROM (SELECT 1 FROM sealed_documents WHERE app = $1 LIMIT 1) x`, app)
	return n > 0, err
}

// UnruledApps lists the apps with sealed updates of which no rule is in the log.
func (s reads) UnruledApps(ctx context.Context) ([]string, error) {
	return selectAll(ctx, s.q, scanText, `SELECT DISTINCT app FROM sealed_documents WHERE app NOT IN (SELECT app FROM sealedlog_documents WHERE kind = 'rule') ORDER BY app`)
}

func (t *txn) appendSealed(ctx context.Context, kind string, digest ota.Digest) (int64, error) {
	if err := t.lockLog(ctx); err != nil {
		return 0, err
	}
	leaf, err := t.SealedSize(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := t.exec(ctx, `INSERT INTO sealedlog_leaves (leaf, kind, digest, at) VALUES ($1, $2, $3, $4)`, leaf, kind, digest[:], t.at); err != nil {
		return 0, err
	}
	t.sealed = true
	return leaf, t.appendHash(ctx, sealedTree, leaf, tlogproof.LeafHash(tlogproof.Kind(kind), digest))
}

// SealedSize returns how many entries the log of sealed updates has. It fails with
// sealed_log_damaged if rows and hashes differ.
func (s reads) SealedSize(ctx context.Context) (int64, error) {
	var last, lowest, highest int64
	err := s.q.QueryRowContext(ctx, `SELECT COALESCE((SELECT MAX(idx) FROM sealedlog_hashes), -1),
		COALESCE((SELECT MIN(leaf) FROM sealedlog_leaves), 0), COALESCE((SELECT MAX(leaf) FROM sealedlog_leaves), -1)`).Scan(&last, &lowest, &highest)
	if err != nil {
		return 0, storeError("find the end of the log", err)
	}
	size, err := sealedTree.size(last)
	if err == nil && (lowest != 0 || highest != size-1) {
		err = sealedTree.damaged("its rows and its hashes differ in number")
	}
	return size, err
}

// SealedHashes returns stored hashes by the numbers that package tlog gives them.
func (s reads) SealedHashes(ctx context.Context, idx []int64) ([]tlog.Hash, error) {
	return s.treeHashes(ctx, sealedTree, idx)
}

// SealedLeaf finds the entry of a document.
func (s reads) SealedLeaf(ctx context.Context, kind string, digest ota.Digest) (int64, error) {
	return selectOne(ctx, s.q, ota.NotFound("entry_not_found", "the log has no entry of that %s", kind), scanInt,
		`SELECT leaf FROM sealedlog_leaves WHERE kind = $1 AND digest = $2`, kind, digest[:])
}

const sealedEntryColumns = `SELECT l.leaf, l.kind, l.digest, l.at, d.leaf IS NOT NULL, COALESCE(d.app, ''), COALESCE(d.what, ''), COALESCE(d.name, ''), d.salt, d.document
	FROM sealedlog_leaves l LEFT JOIN sealedlog_documents d ON d.leaf = l.leaf `

func scanSealedEntry(r scanner) (e ota.LogEntry, err error) {
	var digest, salt, text []byte
	var kept bool
	d := &ota.LogDocument{}
	if err := r.Scan(&e.Leaf, &e.Kind, &digest, &e.At, &kept, &d.App, &d.What, &d.Name, &salt, &text); err != nil {
		return e, err
	}
	if copy(e.Digest[:], digest) != len(e.Digest) {
		return e, sealedTree.damaged(fmt.Sprintf("entry %d is no digest", e.Leaf))
	}
	if kept {
		d.Salt, d.Text = hex.EncodeToString(salt), string(text)
		e.Document = d
	}
	return e, nil
}

// SealedEntries returns up to limit entries from a leaf on, in the order of the log.
func (s reads) SealedEntries(ctx context.Context, from int64, limit int) ([]ota.LogEntry, error) {
	return selectAll(ctx, s.q, scanSealedEntry, sealedEntryColumns+`WHERE l.leaf >= $1 ORDER BY l.leaf LIMIT $2`, from, limit)
}

// SealedEntry returns the entry of a leaf.
func (s reads) SealedEntry(ctx context.Context, leaf int64) (ota.LogEntry, error) {
	return selectOne(ctx, s.q, ota.NotFound("entry_not_found", "the log has no entry %d", leaf), scanSealedEntry, sealedEntryColumns+`WHERE l.leaf = $1`, leaf)
}

// SealedSearch lists the entries that a filter selects, newest first.
func (s reads) SealedSearch(ctx context.Context, f ota.LogFilter, p ota.Page) ([]ota.LogEntry, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	// A cursor is a leaf plus one, since cursors are positive.
	where, args := `WHERE l.leaf < $1 - 1`, []any{before}
	for _, c := range []struct{ column, value string }{{"l.kind", f.Kind}, {"d.app", f.App}, {"d.what", f.What}, {"d.name", f.Name}} {
		if c.value != "" {
			args = append(args, c.value)
			where += fmt.Sprintf(" AND %s = $%d", c.column, len(args))
		}
	}
	args = append(args, limit+1)
	items, err := selectAll(ctx, s.q, scanSealedEntry, sealedEntryColumns+where+fmt.Sprintf(` ORDER BY l.leaf DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(e ota.LogEntry) int64 { return e.Leaf + 1 })
	return items, next, nil
}

// SealedCheckpoint returns the longest checkpoint that was signed, or of those the
// longest that was published. Its size is -1 if there is none.
func (s reads) SealedCheckpoint(ctx context.Context, published bool) (ota.AuditCheckpoint, error) {
	cp := ota.AuditCheckpoint{Size: -1}
	err := s.q.QueryRowContext(ctx, `SELECT size, note FROM sealedlog_checkpoints WHERE published OR NOT $1 ORDER BY size DESC LIMIT 1`, published).Scan(&cp.Size, &cp.Note)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return cp, storeError("query", err)
	}
	return cp, nil
}

// SealedLog is the database as the plane of the log of sealed updates sees it.
type SealedLog struct{ *DB }

// PutSealedCheckpoint stores a checkpoint, longer than all before, or more
// signatures of the longest. It is refused by the database if it would go back.
func (s SealedLog) PutSealedCheckpoint(ctx context.Context, size int64, note string, at int64, published bool) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if res, err := tx.ExecContext(ctx, `UPDATE sealedlog_checkpoints SET note = $1, published = $2 WHERE size = $3`, note, published, size); err != nil {
			return storeError("write", err)
		} else if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sealedlog_checkpoints (size, note, at, published) VALUES ($1, $2, $3, $4)`, size, note, at, published)
		if err != nil {
			return storeError("write", err)
		}
		return nil
	})
}
