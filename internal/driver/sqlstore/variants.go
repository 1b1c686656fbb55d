package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

// variantRow is a variant with its file lists as stored.
type variantRow struct {
	ota.Variant
	bundle  int64
	files   []byte // ids of stored files, aligned with the bundle's tree
	entries []byte // or, imported, the entries themselves
}

const variantColumns = `id, bundle_id, key_id, session_key, checksum, checksum_v2, external_url, zip, zip_size`

func scanVariant(r scanner) (v variantRow, err error) {
	var zip []byte
	err = r.Scan(&v.ID, &v.bundle, &v.KeyID, &v.SessionKey, &v.Checksum, &v.ChecksumV2, &v.ExternalURL, &zip, &v.ZipSize)
	copy(v.Zip[:], zip)
	return v, err
}

func scanVariantLists(r scanner) (v variantRow, err error) {
	var zip []byte
	err = r.Scan(&v.ID, &v.bundle, &v.KeyID, &v.SessionKey, &v.Checksum, &v.ChecksumV2, &v.ExternalURL, &zip, &v.ZipSize, &v.files, &v.entries)
	copy(v.Zip[:], zip)
	return v, err
}

// variants reads the variants of bundles without their files.
func (s reads) variants(ctx context.Context, bundles []int64) (rows []variantRow, err error) {
	err = inChunks(bundles, func(ids []int64) error {
		more, err := selectAll(ctx, s.q, scanVariant,
			`SELECT `+variantColumns+` FROM variants WHERE bundle_id IN (`+placeholders(1, len(ids))+`) ORDER BY id`, anys(ids)...)
		rows = append(rows, more...)
		return err
	})
	return rows, err
}

// variantLists reads the variants of bundles with their lists.
func (s reads) variantLists(ctx context.Context, bundles []int64) (rows []variantRow, err error) {
	err = inChunks(bundles, func(ids []int64) error {
		more, err := selectAll(ctx, s.q, scanVariantLists,
			`SELECT `+variantColumns+`, files, entries FROM variants WHERE bundle_id IN (`+placeholders(1, len(ids))+`) ORDER BY id`, anys(ids)...)
		rows = append(rows, more...)
		return err
	})
	return rows, err
}

// VariantFiles implements [control.Reader].
func (s reads) VariantFiles(ctx context.Context, bundleID int64, keyID string) ([]ota.VariantFile, error) {
	v, err := selectOne(ctx, s.q, ota.NotFound(control.CodeVariantNotFound, "the bundle has no variant for key %q", keyID), scanVariantLists,
		`SELECT `+variantColumns+`, files, entries FROM variants WHERE bundle_id = $1 AND key_id = $2`, bundleID, keyID)
	if err != nil {
		return nil, err
	}
	if len(v.entries) > 0 {
		return decodeEntries(v.entries)
	}
	ids, err := decodeIDs(v.files)
	if err != nil || len(ids) == 0 {
		return []ota.VariantFile{}, err
	}
	tree, err := s.BundleTree(ctx, bundleID)
	if err != nil {
		return nil, err
	}
	stored := map[int64]ota.VariantFile{}
	if err := s.storedByID(ctx, ids, stored); err != nil {
		return nil, err
	}
	return align(ids, tree, stored)
}

// align makes the file list of a variant from its ids and its bundle's tree.
func align(ids []int64, tree []ota.TreeFile, stored map[int64]ota.VariantFile) ([]ota.VariantFile, error) {
	if len(ids) != len(tree) {
		return nil, ota.Errorf(ota.KindInternal, "internal", "a variant has %d files, its bundle %d", len(ids), len(tree))
	}
	files := make([]ota.VariantFile, len(ids))
	for i, id := range ids {
		f, ok := stored[id]
		if !ok || f.Hash != tree[i].Hash {
			return nil, ota.Errorf(ota.KindInternal, "internal", "stored file %d of %q is not there", id, tree[i].Path)
		}
		f.Name = pack.WireName(tree[i].Path, f.Brotli)
		files[i] = f
	}
	return files, nil
}

func (t *txn) insertVariant(ctx context.Context, b *ota.Bundle, v *ota.Variant, tree []ota.TreeFile) error {
	files, entries := []byte{}, []byte{}
	var err error
	switch {
	case len(v.Files) == 0:
	case len(tree) > 0:
		var ids []int64
		if ids, err = t.storeFiles(ctx, b.App, ota.Encoding{KeyID: v.KeyID, SessionKey: v.SessionKey}, v.Files); err == nil {
			files = encodeIDs(ids)
		}
	default:
		entries, err = encodeEntries(v.Files)
	}
	if err != nil {
		return err
	}
	v.ID, err = t.insert(ctx, `INSERT INTO variants
		(bundle_id, key_id, session_key, checksum, checksum_v2, external_url, zip, zip_size, files, entries)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
		b.ID, v.KeyID, v.SessionKey, v.Checksum, v.ChecksumV2, v.ExternalURL, digestBytes(v.Zip), v.ZipSize, files, entries)
	return err
}
