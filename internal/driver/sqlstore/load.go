package sqlstore

import (
	"context"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// LoadApp implements [snap.Source]. It reads one state of the database, however
// many queries that takes.
func (db *DB) LoadApp(ctx context.Context, id string, known func(bundleID int64) bool) (snap.Loaded, error) {
	tx, err := db.r.BeginTx(ctx, nil)
	if err != nil {
		return snap.Loaded{}, storeError("begin", err)
	}
	defer tx.Rollback() // nothing was written
	return reads{tx}.loadApp(ctx, id, known)
}

func (s reads) loadApp(ctx context.Context, id string, known func(int64) bool) (snap.Loaded, error) {
	l := snap.Loaded{Bundles: map[int64]ota.Bundle{}}
	var err error
	if l.App, err = s.App(ctx, id); err != nil {
		return l, err
	}
	if l.Keys, err = s.Keys(ctx, id); err != nil {
		return l, err
	}
	if l.Natives, err = s.NativeBuilds(ctx, id); err != nil {
		return l, err
	}
	channels, err := s.Channels(ctx, id)
	if err != nil {
		return l, err
	}
	reach := map[int64]struct{}{}
	if slices.ContainsFunc(channels, snap.NeedsCohorts) {
		if l.Cohorts, err = s.Cohorts(ctx, id); err != nil {
			return l, err
		}
	}
	for _, c := range channels {
		history, err := s.lineage(ctx, c.ID)
		if err != nil {
			return l, err
		}
		l.Channels = append(l.Channels, withHistory(c, history, reach))
	}
	if l.Versions, err = selectAll(ctx, s.q, scanText, `SELECT version FROM bundles WHERE app = $1`, id); err != nil {
		return l, err
	}
	held, err := selectAll(ctx, s.q, scanInt, `SELECT id FROM bundles WHERE app = $1 AND held <> ''`, id)
	if err != nil {
		return l, err
	}
	for _, id := range held {
		reach[id] = struct{}{}
	}
	if err := s.loadBundles(ctx, reach, known, l.Bundles); err != nil {
		return l, err
	}
	l.ChangedAt, err = selectOne(ctx, s.q, nil, scanInt, `SELECT COALESCE(MAX(at), 0) FROM changes
		WHERE id = (SELECT MAX(id) FROM changes WHERE app = $1)`, id)
	return l, err
}

// lineage reads of a channel's history what says which releases follow from
// which; there may be thousands.
func (s reads) lineage(ctx context.Context, channelID int64) ([]ota.Release, error) {
	return selectAll(ctx, s.q, func(row scanner) (r ota.Release, err error) {
		return r, row.Scan(&r.ID, &r.Parent, &r.BundleID, &r.Version)
	}, `SELECT r.id, r.parent, COALESCE(r.bundle_id, 0), COALESCE(b.version, 'builtin')
		FROM releases r LEFT JOIN bundles b ON b.id = r.bundle_id WHERE r.channel_id = $1 ORDER BY r.id DESC`, channelID)
}

// withHistory adds the ids of the bundles that the channel reaches to reach.
func withHistory(c ota.Channel, history []ota.Release, reach map[int64]struct{}) snap.LoadedChannel {
	out := snap.LoadedChannel{Channel: c}
	if c.Release != nil {
		out.Chain, out.Withdrawn = snap.Lineage(c.Release.ID, history)
	}
	out.Chain = out.Chain[:min(len(out.Chain), snap.MaxChain)]
	for _, r := range out.Chain {
		if r.BundleID != 0 {
			reach[r.BundleID] = struct{}{}
		}
	}
	if c.Rollout != nil {
		reach[c.Rollout.BundleID] = struct{}{}
	}
	return out
}

// loadBundles reads the bundles in reach, and the variants with files of those
// that are not known.
func (s reads) loadBundles(ctx context.Context, reach map[int64]struct{}, known func(int64) bool, out map[int64]ota.Bundle) error {
	all := make([]int64, 0, len(reach))
	var fresh []int64
	for id := range reach {
		all = append(all, id)
		if !known(id) {
			fresh = append(fresh, id)
		}
	}
	if err := inChunks(all, func(ids []int64) error {
		rows, err := selectAll(ctx, s.q, scanBundle, `SELECT `+bundleColumns+` FROM bundles WHERE id IN (`+placeholders(1, len(ids))+`)`, anys(ids)...)
		for _, b := range rows {
			out[b.ID] = b
		}
		return err
	}); err != nil {
		return err
	}
	return s.loadVariants(ctx, fresh, out)
}

func (s reads) loadVariants(ctx context.Context, bundles []int64, out map[int64]ota.Bundle) error {
	rows, err := s.variantLists(ctx, bundles)
	if err != nil {
		return err
	}
	ids := make([][]int64, len(rows))
	need := map[int64]struct{}{}
	for i := range rows {
		if ids[i], err = decodeIDs(rows[i].files); err != nil {
			return err
		}
		for _, id := range ids[i] {
			need[id] = struct{}{}
		}
	}
	list := make([]int64, 0, len(need))
	for id := range need {
		list = append(list, id)
	}
	stored := make(map[int64]ota.VariantFile, len(list))
	if err := s.storedByID(ctx, list, stored); err != nil {
		return err
	}
	trees := map[int64][]ota.TreeFile{}
	for i := range rows {
		v := &rows[i]
		if len(v.entries) > 0 {
			v.Files, err = decodeEntries(v.entries)
		} else if len(ids[i]) > 0 {
			v.Files, err = s.alignedFiles(ctx, v.bundle, ids[i], trees, stored)
		}
		if err != nil {
			return err
		}
		b := out[v.bundle]
		b.Variants = append(b.Variants, v.Variant)
		out[v.bundle] = b
	}
	return nil
}

// alignedFiles is align with a tree that is read once for all variants of a bundle.
func (s reads) alignedFiles(ctx context.Context, bundle int64, ids []int64, trees map[int64][]ota.TreeFile,
	stored map[int64]ota.VariantFile,
) ([]ota.VariantFile, error) {
	tree, ok := trees[bundle]
	if !ok {
		var err error
		if tree, err = s.BundleTree(ctx, bundle); err != nil {
			return nil, err
		}
		trees[bundle] = tree
	}
	return align(ids, tree, stored)
}
