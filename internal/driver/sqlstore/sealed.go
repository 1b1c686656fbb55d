package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/trust"
)

// Trust is the database as the plane of sealed updates sees it.
type Trust struct{ *DB }

var (
	_ trust.Store = Trust{}
	_ trust.Tx    = (*txn)(nil)
)

// Update implements [trust.Store].
func (db Trust) Update(ctx context.Context, actor ota.Actor, at int64, fn func(trust.Tx) (ota.Change, error)) error {
	return db.update(ctx, actor, at, func(t *txn) (ota.Change, error) { return fn(t) })
}

// keptVersions is how many versions of a role other than root stay: a device
// may be in the middle of reading the one before.
const keptVersions = 3

// TrustApps implements [trust.Reader].
func (s reads) TrustApps(ctx context.Context) ([]string, error) {
	return selectAll(ctx, s.q, scanText, `SELECT DISTINCT app FROM sealed_documents ORDER BY app`)
}

// TrustDocuments implements [trust.Reader].
func (s reads) TrustDocuments(ctx context.Context, app string) ([]trust.Document, error) {
	return selectAll(ctx, s.q, func(r scanner) (d trust.Document, err error) {
		var sum []byte
		err = r.Scan(&d.App, &d.Role, &d.Version, &sum, &d.Body, &d.ExpiresAt, &d.CreatedAt, &d.CreatedBy)
		d.SHA256 = digestOf(sum)
		return d, err
	}, `SELECT app, role, version, sha256, body, expires_at, created_at, created_by FROM sealed_documents
		WHERE app = $1 ORDER BY role, version`, app)
}

// PutTrustDocument implements [trust.Tx].
func (t *txn) PutTrustDocument(ctx context.Context, d trust.Document) error {
	if _, err := t.exec(ctx, `INSERT INTO sealed_documents (app, role, version, sha256, body, expires_at, created_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, d.App, d.Role, d.Version, d.SHA256[:], d.Body, d.ExpiresAt, d.CreatedAt, d.CreatedBy); err != nil {
		return err
	}
	if d.Role == ota.TrustRoleRoot {
		return nil
	}
	_, err := t.exec(ctx, `DELETE FROM sealed_documents WHERE app = $1 AND role = $2 AND version <= $3`,
		d.App, d.Role, int64(d.Version)-keptVersions)
	return err
}

// TrustKeys implements [trust.Reader].
func (s reads) TrustKeys(ctx context.Context, app string) ([]trust.Key, error) {
	return selectAll(ctx, s.q, func(r scanner) (k trust.Key, err error) {
		return k, r.Scan(&k.Use, &k.ID, &k.Private, &k.CreatedAt)
	}, `SELECT key_use, key_id, private, created_at FROM sealed_keys WHERE app = $1 ORDER BY id DESC`, app)
}

// PutTrustKey implements [trust.Tx].
func (t *txn) PutTrustKey(ctx context.Context, app string, k trust.Key) error {
	_, err := t.exec(ctx, `INSERT INTO sealed_keys (app, key_use, key_id, private, created_at) VALUES ($1, $2, $3, $4, $5)`,
		app, k.Use, k.ID, k.Private, k.CreatedAt)
	return err
}

const sealedColumns = `m.app, m.bundle_id, b.version, m.digest, m.size, m.class, m.seq, m.floor, m.mode, m.epoch, m.created_at, m.created_by`

func scanSealed(r scanner) (m ota.SealedManifest, err error) {
	var sum []byte
	err = r.Scan(&m.App, &m.BundleID, &m.Version, &sum, &m.Size, &m.Class, &m.Seq, &m.Floor, &m.Mode, &m.Epoch, &m.CreatedAt, &m.CreatedBy)
	m.SHA256 = digestOf(sum)
	return m, err
}

// SealedManifests implements [trust.Reader].
func (s reads) SealedManifests(ctx context.Context, app, version string) ([]ota.SealedManifest, error) {
	var w where
	w.and("m.app = %s", app)
	w.and("b.deleted_at = %s", 0)
	w.andText("b.version", version)
	return selectAll(ctx, s.q, scanSealed, `SELECT `+sealedColumns+` FROM sealed_manifests m JOIN bundles b ON b.id = m.bundle_id
		WHERE `+w.String()+` ORDER BY m.seq DESC`, w.args...)
}

// SealedManifest implements [trust.Reader].
func (s reads) SealedManifest(ctx context.Context, app string, d ota.Digest) (ota.SealedManifest, error) {
	return selectOne(ctx, s.q, ota.NotFound(ota.CodeSealedNone, "app %q has no manifest %s", app, d), scanSealed,
		`SELECT `+sealedColumns+` FROM sealed_manifests m JOIN bundles b ON b.id = m.bundle_id WHERE m.app = $1 AND m.digest = $2`, app, d[:])
}

// HighestSeq implements [trust.Reader].
func (s reads) HighestSeq(ctx context.Context, app string) (int64, error) {
	return selectOne(ctx, s.q, nil, scanInt, `SELECT COALESCE(MAX(seq), 0) FROM sealed_manifests WHERE app = $1`, app)
}

// InsertSealedManifest implements [trust.Tx].
func (t *txn) InsertSealedManifest(ctx context.Context, m ota.SealedManifest, blobs []ota.Digest) error {
	id, err := t.insert(ctx, `INSERT INTO sealed_manifests (app, bundle_id, digest, size, class, seq, floor, mode, epoch, created_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id`,
		m.App, m.BundleID, m.SHA256[:], m.Size, m.Class, m.Seq, m.Floor, m.Mode, m.Epoch, m.CreatedAt, m.CreatedBy)
	if err != nil {
		return err
	}
	st, err := t.tx.PrepareContext(ctx, `INSERT INTO sealed_refs (manifest_id, blob) VALUES ($1, $2) ON CONFLICT DO NOTHING`)
	if err != nil {
		return storeError("prepare", err)
	}
	defer func() { _ = st.Close() }() // it only frees memory
	for i := range blobs {
		if _, err := st.ExecContext(ctx, id, blobs[i][:]); err != nil {
			return storeError("insert", err)
		}
	}
	return nil
}

// sealedBlobs adds the manifests and sealed files of bundles that are needed.
func (s reads) sealedBlobs(ctx context.Context, deletedSince int64, blobs map[ota.Digest]struct{}) error {
	add := func(r scanner) error {
		var blob []byte
		if err := r.Scan(&blob); err != nil {
			return err
		}
		blobs[digestOf(blob)] = struct{}{}
		return nil
	}
	if err := s.each(ctx, `SELECT m.digest FROM sealed_manifests m JOIN bundles b ON b.id = m.bundle_id
		WHERE b.deleted_at = 0 OR b.deleted_at >= $1`, add, deletedSince); err != nil {
		return err
	}
	return s.each(ctx, `SELECT DISTINCT f.blob FROM sealed_refs f JOIN sealed_manifests m ON m.id = f.manifest_id
		JOIN bundles b ON b.id = m.bundle_id WHERE b.deleted_at = 0 OR b.deleted_at >= $1`, add, deletedSince)
}

// SealedKeys implements [trust.Reader].
func (s reads) SealedKeys(ctx context.Context, app string, epoch int64) ([]ota.SealedKey, error) {
	return selectAll(ctx, s.q, func(r scanner) (k ota.SealedKey, err error) {
		return k, r.Scan(&k.App, &k.Epoch, &k.Custody, &k.Recipient, &k.Wrapped, &k.CreatedAt, &k.CreatedBy)
	}, `SELECT app, epoch, custody, recipient, wrapped, created_at, created_by FROM sealed_epochs
		WHERE app = $1 AND epoch = CASE WHEN $2 > 0 THEN $2 ELSE (SELECT MAX(epoch) FROM sealed_epochs WHERE app = $1) END
		ORDER BY custody, recipient`, app, epoch)
}

// InsertSealedKey implements [trust.Tx].
func (t *txn) InsertSealedKey(ctx context.Context, k ota.SealedKey) error {
	_, err := t.exec(ctx, `INSERT INTO sealed_epochs (app, epoch, custody, recipient, wrapped, created_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, k.App, k.Epoch, k.Custody, k.Recipient, k.Wrapped, k.CreatedAt, k.CreatedBy)
	return err
}
