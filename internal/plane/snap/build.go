package snap

import (
	"cmp"
	"maps"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// Build makes the snapshot of a loaded app. It is pure. prev is the snapshot
// before, or nil: its device facts are carried over, and so is the content of
// its bundles, which never changes. A bundle of which nothing changed keeps its
// very pointers, so that what was derived from them stays valid.
func Build(l Loaded, prev *decide.App) *decide.App {
	app := &decide.App{
		ID: l.App.ID, Org: l.App.Org, ExposeMetadata: l.App.ExposeMetadata, AllowCustomID: l.App.AllowCustomID,
		Channels: make([]*decide.Channel, 0, len(l.Channels)), Versions: decide.NewVersions(l.Versions),
	}
	var old map[int64]*decide.Bundle
	if prev != nil {
		app.Devices = prev.Devices
		old = bundlesOf(prev)
	}
	bundles := buildBundles(l, old)
	app.Natives = buildNatives(l)
	targets := newTargets(l)
	for i := range l.Channels {
		ch := buildChannel(&l.Channels[i], bundles)
		if ch.Rollout != nil {
			r := l.Channels[i].Rollout
			ch.Rollout.Target, ch.Rollout.Mandatory = targets.of(r), r.Plan != nil && r.Plan.Mandatory
		}
		app.Channels = append(app.Channels, ch)
	}
	app.Held, app.Refused = buildHeld(bundles)
	slices.SortFunc(app.Channels, func(a, b *decide.Channel) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return app
}

// bundlesOf collects the bundles that a snapshot holds.
func bundlesOf(app *decide.App) map[int64]*decide.Bundle {
	out := map[int64]*decide.Bundle{}
	for _, b := range app.Held {
		out[b.ID] = b
	}
	for _, ch := range app.Channels {
		for _, r := range ch.Chain {
			if r.Bundle != nil {
				out[r.Bundle.ID] = r.Bundle
			}
		}
		if ch.Rollout != nil {
			out[ch.Rollout.Bundle.ID] = ch.Rollout.Bundle
		}
	}
	return out
}

func buildBundles(l Loaded, old map[int64]*decide.Bundle) map[int64]*decide.Bundle {
	rank := make(map[string]int, len(l.Keys))
	for i, k := range l.Keys {
		rank[k.ID] = i
	}
	out := make(map[int64]*decide.Bundle, len(l.Bundles))
	var in intern
	for _, id := range slices.Sorted(maps.Keys(l.Bundles)) {
		b := l.Bundles[id]
		have := old[id]
		if have != nil && sameFacts(have, &b) {
			out[id] = have
			continue
		}
		if in == nil && have == nil {
			in = newIntern(old)
		}
		out[id] = buildBundle(&b, have, rank, in)
	}
	return out
}

func sameFacts(have *decide.Bundle, b *ota.Bundle) bool {
	min, has := minNative(b.MinNative)
	return have.Deleted == (b.DeletedAt != 0) && have.Held == holdOf(b) && have.Link == b.Link && have.Comment == b.Comment &&
		have.HasMinNative == has && have.MinNative == min
}

func buildBundle(b *ota.Bundle, have *decide.Bundle, rank map[string]int, in intern) *decide.Bundle {
	out := &decide.Bundle{ID: b.ID, Version: b.Version, Deleted: b.DeletedAt != 0, Held: holdOf(b), Link: b.Link, Comment: b.Comment}
	out.Semver, _ = semver.Parse(b.Version)
	out.MinNative, out.HasMinNative = minNative(b.MinNative)
	if have != nil {
		for _, va := range have.Variants {
			out.Variants = append(out.Variants, &decide.Variant{Variant: va.Variant, Bundle: out})
		}
		return out
	}
	for _, va := range b.Variants {
		in.files(va.Files)
		out.Variants = append(out.Variants, &decide.Variant{Variant: va, Bundle: out})
	}
	slices.SortStableFunc(out.Variants, func(a, b *decide.Variant) int {
		return cmp.Compare(keyRank(rank, a.KeyID), keyRank(rank, b.KeyID))
	})
	return out
}

// keyRank orders variants: the newest key first, unknown ones behind, plain last.
func keyRank(rank map[string]int, keyID string) int {
	if keyID == "" {
		return len(rank) + 1
	}
	if n, ok := rank[keyID]; ok {
		return n
	}
	return len(rank)
}

func minNative(s string) (semver.Version, bool) {
	if s == "" {
		return semver.Version{}, false
	}
	return semver.Native(s)
}

func buildChannel(l *LoadedChannel, bundles map[int64]*decide.Bundle) *decide.Channel {
	ch := &decide.Channel{ID: l.ID, Name: l.Name, Policy: l.Policy}
	ch.MinNative, _ = minNative(l.Policy.MinNative)
	ch.Chain = make([]decide.Release, 0, len(l.Chain))
	for _, r := range l.Chain {
		rel := decide.Release{ID: r.ID}
		if r.BundleID != 0 {
			if rel.Bundle = bundles[r.BundleID]; rel.Bundle == nil {
				continue
			}
		}
		ch.Chain = append(ch.Chain, rel)
	}
	if r := l.Rollout; r != nil && bundles[r.BundleID] != nil {
		ch.Rollout = &decide.Rollout{
			ID: r.ID, Bundle: bundles[r.BundleID], BPS: r.BPS, Enabled: r.Enabled, Paused: r.PausedAt != 0 || l.Frozen != nil,
		}
	}
	if len(l.Withdrawn) > 0 {
		ch.Withdrawn = make(map[string]struct{}, len(l.Withdrawn))
		for _, v := range l.Withdrawn {
			ch.Withdrawn[v] = struct{}{}
		}
	}
	return ch
}

// intern keeps one copy of each string of an app's file entries: most files are
// the same from release to release, and a signed hash alone has 512 characters.
type intern map[string]string

func newIntern(old map[int64]*decide.Bundle) intern {
	in := intern{}
	for _, b := range old {
		for _, va := range b.Variants {
			for i := range va.Files {
				in.one(va.Files[i].Name)
				in.one(va.Files[i].WireHash)
			}
		}
	}
	return in
}

// files replaces the strings of entries that are not published yet.
func (in intern) files(files []ota.VariantFile) {
	for i := range files {
		f := &files[i]
		f.Name, f.WireHash = in.one(f.Name), in.one(f.WireHash)
	}
}

func (in intern) one(s string) string {
	if have, ok := in[s]; ok {
		return have
	}
	in[s] = s
	return s
}
