package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

const bundleColumns = `id, app, version, tree, file_count, size, min_native, link, comment, native_packages, created_at, created_by, deleted_at,
	sbom, provenance, signed_by, held, held_at, held_by, held_reason`

func scanBundle(r scanner) (ota.Bundle, error) {
	var b ota.Bundle
	var tree, sbom, provenance []byte
	var packages, signedBy string
	var held ota.Held
	err := r.Scan(&b.ID, &b.App, &b.Version, &tree, &b.FileCount, &b.Size, &b.MinNative, &b.Link, &b.Comment,
		&packages, &b.CreatedAt, &b.CreatedBy, &b.DeletedAt, &sbom, &provenance, &signedBy,
		&held.State, &held.At, &held.By, &held.Reason)
	if err != nil {
		return b, err
	}
	copy(b.Tree[:], tree)
	if held.State != ota.NotHeld {
		b.Held = &held
	}
	b.SBOM, b.Provenance = digestOf(sbom), digestOf(provenance)
	if err := json.Unmarshal([]byte(signedBy), &b.SignedBy); err != nil {
		return b, fmt.Errorf("signers of bundle %d: %w", b.ID, err)
	}
	if len(b.SignedBy) == 0 {
		b.SignedBy = nil
	}
	if err := json.Unmarshal([]byte(packages), &b.NativePackages); err != nil {
		return b, fmt.Errorf("native packages of bundle %d: %w", b.ID, err)
	}
	return b, nil
}

// Bundles implements [control.Reader].
func (s reads) Bundles(ctx context.Context, app string, p ota.Page) ([]ota.Bundle, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanBundle,
		`SELECT `+bundleColumns+` FROM bundles WHERE app = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, app, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(b ota.Bundle) int64 { return b.ID })
	return items, next, s.addVariants(ctx, items)
}

// Bundle implements [control.Reader].
func (s reads) Bundle(ctx context.Context, app, version string) (ota.Bundle, error) {
	b, err := selectOne(ctx, s.q, ota.NotFound(control.CodeBundleNotFound, "app %q has no version %q", app, version), scanBundle,
		`SELECT `+bundleColumns+` FROM bundles WHERE app = $1 AND version = $2`, app, version)
	if err != nil {
		return b, err
	}
	one := []ota.Bundle{b}
	err = s.addVariants(ctx, one)
	return one[0], err
}

// addVariants fills in the variants, without files, in the order of their making.
func (s reads) addVariants(ctx context.Context, bundles []ota.Bundle) error {
	at := make(map[int64]int, len(bundles))
	ids := make([]int64, len(bundles))
	for i := range bundles {
		bundles[i].Variants = []ota.Variant{}
		at[bundles[i].ID], ids[i] = i, bundles[i].ID
	}
	rows, err := s.variants(ctx, ids)
	if err != nil {
		return err
	}
	for _, v := range rows {
		b := &bundles[at[v.bundle]]
		b.Variants = append(b.Variants, v.Variant)
	}
	return nil
}

// BundleTree implements [control.Reader].
func (s reads) BundleTree(ctx context.Context, bundleID int64) ([]ota.TreeFile, error) {
	raw, err := selectOne(ctx, s.q, ota.NotFound(control.CodeBundleNotFound, "there is no such bundle"),
		func(r scanner) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT files FROM bundles WHERE id = $1`, bundleID)
	if err != nil {
		return nil, err
	}
	return decodeTree(raw)
}

// InsertBundle implements [control.Tx].
func (t *txn) InsertBundle(ctx context.Context, b ota.Bundle, tree []ota.TreeFile) (ota.Bundle, error) {
	if b.NativePackages == nil {
		b.NativePackages = []ota.NativePackage{}
	}
	packages, err := json.Marshal(b.NativePackages)
	if err != nil {
		return b, fmt.Errorf("encode native packages: %w", err)
	}
	signers, err := json.Marshal(append([]string{}, b.SignedBy...))
	if err != nil {
		return b, fmt.Errorf("encode signers: %w", err)
	}
	b.ID, err = t.insert(ctx, `INSERT INTO bundles
		(app, version, tree, files, file_count, size, min_native, link, comment, native_packages, created_at, created_by, sbom, provenance, signed_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id`,
		b.App, b.Version, digestBytes(b.Tree), encodeTree(tree), b.FileCount, b.Size, b.MinNative, b.Link, b.Comment,
		string(packages), b.CreatedAt, b.CreatedBy, digestBytes(b.SBOM), digestBytes(b.Provenance), string(signers))
	if err != nil {
		return b, err
	}
	b.Variants = slices.Clone(b.Variants)
	for i := range b.Variants {
		if err := t.insertVariant(ctx, &b, &b.Variants[i], tree); err != nil {
			return b, err
		}
		b.Variants[i].Files = nil
	}
	return b, nil
}

// UpdateBundle implements [control.Tx].
func (t *txn) UpdateBundle(ctx context.Context, b ota.Bundle) error {
	_, err := t.exec(ctx, `UPDATE bundles SET min_native = $1, link = $2, comment = $3, deleted_at = $4 WHERE id = $5`,
		b.MinNative, b.Link, b.Comment, b.DeletedAt, b.ID)
	return err
}

// digestBytes is nothing for "none".
func digestBytes(d ota.Digest) []byte {
	if d.IsZero() {
		return []byte{}
	}
	return d[:]
}

// digestOf reads what digestBytes wrote.
func digestOf(b []byte) (d ota.Digest) {
	copy(d[:], b)
	return d
}

// inChunks calls fn with slices of ids short enough for a statement's parameters.
func inChunks[T any](ids []T, fn func([]T) error) error {
	for chunk := range slices.Chunk(ids, 500) {
		if err := fn(chunk); err != nil {
			return err
		}
	}
	return nil
}

func anys[T any](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}
