package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// SourceMaps implements [errtrack.Reader].
func (s reads) SourceMaps(ctx context.Context, app, version string) ([]ota.SourceMap, error) {
	return selectAll(ctx, s.q, func(r scanner) (m ota.SourceMap, err error) {
		var blob []byte
		err = r.Scan(&m.Path, &blob, &m.Size, &m.At, &m.By)
		m.Blob = digestOf(blob)
		return m, err
	}, `SELECT m.path, m.blob, m.size, m.created_at, m.created_by FROM source_maps m JOIN bundles b ON b.id = m.bundle_id
		WHERE b.app = $1 AND b.version = $2 AND b.deleted_at = 0 ORDER BY m.path`, app, version)
}

// SetSourceMap implements [errtrack.Tx].
func (t *txn) SetSourceMap(ctx context.Context, bundleID int64, m ota.SourceMap) error {
	_, err := t.exec(ctx, `INSERT INTO source_maps (bundle_id, path, blob, size, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (bundle_id, path) DO UPDATE SET blob = excluded.blob, size = excluded.size, created_at = excluded.created_at, created_by = excluded.created_by`,
		bundleID, m.Path, m.Blob[:], m.Size, m.At, string(m.By))
	return err
}

// sourceMapBlobs adds the blobs of source maps of bundles that are needed.
func (s reads) sourceMapBlobs(ctx context.Context, deletedSince int64, blobs map[ota.Digest]struct{}) error {
	return s.each(ctx, `SELECT m.blob FROM source_maps m JOIN bundles b ON b.id = m.bundle_id
		WHERE b.deleted_at = 0 OR b.deleted_at >= $1`, func(r scanner) error {
		var blob []byte
		if err := r.Scan(&blob); err != nil {
			return err
		}
		blobs[digestOf(blob)] = struct{}{}
		return nil
	}, deletedSince)
}
