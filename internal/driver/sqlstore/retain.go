package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

// RetireBundles implements [control.Tx].
func (t *txn) RetireBundles(ctx context.Context, since, at int64) ([]ota.Bundle, error) {
	old, err := selectAll(ctx, t.q, scanBundle,
		`SELECT `+bundleColumns+` FROM bundles WHERE deleted_at = 0 AND created_at < $1 ORDER BY id`, since)
	if err != nil || len(old) == 0 {
		return nil, err
	}
	keep, err := t.serving(ctx, since)
	if err != nil {
		return nil, err
	}
	var retired []ota.Bundle
	for _, b := range old {
		if _, ok := keep[b.ID]; ok {
			continue
		}
		b.DeletedAt = at
		if err := t.UpdateBundle(ctx, b); err != nil {
			return nil, err
		}
		retired = append(retired, b)
	}
	return retired, nil
}

// serving returns the bundles that channels serve, or served at since or later.
// A release served until the next one of its channel.
func (t *txn) serving(ctx context.Context, since int64) (map[int64]struct{}, error) {
	ids, err := selectAll(ctx, t.q, scanInt, `SELECT bundle_id FROM (
			SELECT bundle_id, COALESCE(LEAD(created_at) OVER (PARTITION BY channel_id ORDER BY id), $1) AS until FROM releases) spans
		WHERE until >= $1 AND bundle_id IS NOT NULL
		UNION SELECT r.bundle_id FROM channels c JOIN releases r ON r.id = c.release_id WHERE r.bundle_id IS NOT NULL
		UNION SELECT p.bundle_id FROM channels c JOIN releases r ON r.id = c.release_id JOIN releases p ON p.id = r.parent
			WHERE p.bundle_id IS NOT NULL`, since)
	if err != nil {
		return nil, err
	}
	keep := make(map[int64]struct{}, len(ids))
	for _, id := range ids {
		keep[id] = struct{}{}
	}
	channels, err := selectAll(ctx, t.q, scanChannel, `SELECT `+channelColumns+fromChannels+` WHERE c.rollout <> ''`)
	for _, c := range channels {
		keep[c.Rollout.BundleID] = struct{}{}
	}
	return keep, err
}

// BlobUse implements [control.Store].
func (db *DB) BlobUse(ctx context.Context, deletedSince int64) (control.BlobUse, error) {
	u := control.BlobUse{Blobs: map[ota.Digest]struct{}{}}
	tx, err := db.r.BeginTx(ctx, nil)
	if err != nil {
		return u, storeError("begin", err)
	}
	defer tx.Rollback() // nothing was written
	s := reads{tx}
	files, err := s.neededFiles(ctx, deletedSince, u.Blobs)
	if err != nil {
		return u, err
	}
	err = s.each(ctx, `SELECT id, blob FROM stored_files`, func(r scanner) error {
		var id int64
		var blob []byte
		if err := r.Scan(&id, &blob); err != nil {
			return err
		}
		if _, ok := files[id]; ok {
			u.Blobs[digestOf(blob)] = struct{}{}
		} else {
			u.Files = append(u.Files, id)
		}
		return nil
	})
	if err != nil {
		return u, err
	}
	u.Variants, err = selectAll(ctx, s.q, scanInt, `SELECT v.id FROM variants v JOIN bundles b ON b.id = v.bundle_id
		WHERE b.deleted_at <> 0 AND b.deleted_at < $1 AND length(v.files) + length(v.entries) + length(v.zip) > 0`, deletedSince)
	return u, err
}

// neededFiles returns the stored files that bundles need, and adds the blobs
// that bundles name themselves to blobs.
func (s reads) neededFiles(ctx context.Context, deletedSince int64, blobs map[ota.Digest]struct{}) (map[int64]struct{}, error) {
	files := map[int64]struct{}{}
	err := s.each(ctx, `SELECT v.files, v.entries, v.zip FROM variants v JOIN bundles b ON b.id = v.bundle_id
		WHERE b.deleted_at = 0 OR b.deleted_at >= $1`, func(r scanner) error {
		var list, entries, zip []byte
		if err := r.Scan(&list, &entries, &zip); err != nil {
			return err
		}
		ids, err := decodeIDs(list)
		if err != nil {
			return err
		}
		for _, id := range ids {
			files[id] = struct{}{}
		}
		own, err := decodeEntries(entries)
		if err != nil {
			return err
		}
		for _, f := range own {
			blobs[f.Blob] = struct{}{}
		}
		if len(zip) > 0 {
			blobs[digestOf(zip)] = struct{}{}
		}
		return nil
	}, deletedSince)
	if err != nil {
		return nil, err
	}
	err = s.each(ctx, `SELECT sbom, provenance FROM bundles
		WHERE (deleted_at = 0 OR deleted_at >= $1) AND length(sbom) + length(provenance) > 0`, func(r scanner) error {
		var sbom, provenance []byte
		if err := r.Scan(&sbom, &provenance); err != nil {
			return err
		}
		for _, d := range [][]byte{sbom, provenance} {
			if len(d) > 0 {
				blobs[digestOf(d)] = struct{}{}
			}
		}
		return nil
	}, deletedSince)
	if err != nil {
		return nil, err
	}
	if err := s.sourceMapBlobs(ctx, deletedSince, blobs); err != nil {
		return nil, err
	}
	return files, s.sealedBlobs(ctx, deletedSince, blobs)
}

// each calls fn for every row of a query that may have very many.
func (s reads) each(ctx context.Context, query string, fn func(scanner) error, args ...any) error {
	rows, err := s.q.QueryContext(ctx, query, args...)
	if err != nil {
		return storeError("query", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return storeError("read", err)
		}
	}
	if err := rows.Err(); err != nil {
		return storeError("read", err)
	}
	return nil
}

// Forget implements [control.Tx].
func (t *txn) Forget(ctx context.Context, u control.BlobUse) error {
	if err := inChunks(u.Variants, func(ids []int64) error {
		_, err := t.exec(ctx, `UPDATE variants SET files = $1, entries = $1, zip = $1 WHERE id IN (`+placeholders(2, len(ids))+`)`,
			append([]any{[]byte{}}, anys(ids)...)...)
		return err
	}); err != nil {
		return err
	}
	return inChunks(u.Files, func(ids []int64) error {
		_, err := t.exec(ctx, `DELETE FROM stored_files WHERE id IN (`+placeholders(1, len(ids))+`)`, anys(ids)...)
		return err
	})
}
