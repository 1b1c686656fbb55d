package snap

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func loaded() Loaded {
	rel := func(id, bundle, parent int64) ota.Release {
		return ota.Release{ID: id, BundleID: bundle, Parent: parent}
	}
	file := func(name string) ota.VariantFile {
		return ota.VariantFile{Name: strings.Clone(name), WireHash: strings.Clone("hash of " + name), Hash: ota.Sum([]byte(name))}
	}
	return Loaded{
		App:  ota.App{ID: "a", AllowCustomID: true},
		Keys: []ota.Key{{ID: "new"}, {ID: "old"}},
		Channels: []LoadedChannel{
			{
				Channel: ota.Channel{ID: 2, Name: "production", Policy: ota.Policy{MinNative: "1.2", Public: true}},
				Chain:   []ota.Release{rel(9, 11, 8), rel(8, 0, 7), rel(7, 10, 0)}, Withdrawn: []string{"1.9.0"},
			},
			{Channel: ota.Channel{ID: 1, Name: "beta", Rollout: &ota.Rollout{ID: "r", BundleID: 11, BPS: 50, Enabled: true, PausedAt: 3}}},
		},
		Bundles: map[int64]ota.Bundle{
			10: {ID: 10, Version: "1.0.0", Variants: []ota.Variant{{Files: []ota.VariantFile{file("x"), file("y")}}}},
			11: {ID: 11, Version: "1.1.0-rc.1", MinNative: "2", Link: "l", Comment: "c", Variants: []ota.Variant{
				{KeyID: ""}, {KeyID: "old"}, {KeyID: "unknown"}, {KeyID: "new", Files: []ota.VariantFile{file("x"), file("z")}},
			}},
		},
		Versions: []string{"1.0.0", "1.1.0-rc.1", "1.9.0"},
	}
}

func TestBuild(t *testing.T) {
	app := Build(loaded(), nil)
	if app.ID != "a" || !app.AllowCustomID || app.Versions.Len() != 3 || app.Channels[0].Name != "beta" {
		t.Fatalf("app = %+v", app)
	}
	prod := app.ChannelByName("production")
	if prod.MinNative.Minor != 2 || !prod.Policy.Public || len(prod.Chain) != 3 || prod.Chain[1].Bundle != nil || prod.Chain[0].ID != 9 {
		t.Errorf("production = %+v", prod)
	}
	if _, ok := prod.Withdrawn["1.9.0"]; !ok || len(prod.Withdrawn) != 1 {
		t.Errorf("withdrawn = %v", prod.Withdrawn)
	}
	r := app.ChannelByName("beta").Rollout
	if r.ID != "r" || r.BPS != 50 || !r.Enabled || !r.Paused || r.Bundle != prod.Chain[0].Bundle {
		t.Errorf("rollout = %+v", r)
	}
	b := r.Bundle
	if b.Semver.Pre != "rc.1" || !b.HasMinNative || b.MinNative.Major != 2 || b.Link != "l" || b.Comment != "c" || b.Deleted {
		t.Errorf("bundle = %+v", b)
	}
	var keys []string
	for _, va := range b.Variants {
		keys = append(keys, va.KeyID)
		if va.Bundle != b {
			t.Error("a variant of another bundle")
		}
	}
	if diff := cmp.Diff([]string{"new", "old", "unknown", ""}, keys); diff != "" {
		t.Errorf("newest key first, plain last (-want +got):\n%s", diff)
	}
}

func TestBuildSharesText(t *testing.T) {
	app := Build(loaded(), nil)
	chain := app.ChannelByName("production").Chain
	x1, x2 := chain[0].Bundle.Variants[0].Files[0], chain[2].Bundle.Variants[0].Files[0]
	if x1.WireHash != x2.WireHash || unsafe.StringData(x1.WireHash) != unsafe.StringData(x2.WireHash) {
		t.Error("two copies of a file's hash")
	}
}

// describe writes down what a snapshot holds.
func describe(app *decide.App) []string {
	out := []string{fmt.Sprintf("%s %v %v %v", app.ID, app.ExposeMetadata, app.AllowCustomID, *app.Versions)}
	for _, ch := range app.Channels {
		out = append(out, fmt.Sprintf("%s %+v %v", ch.Name, ch.Policy, ch.Withdrawn))
		for _, r := range ch.Chain {
			out = append(out, fmt.Sprint(r.ID))
			if b := r.Bundle; b != nil {
				out = append(out, fmt.Sprintf("%s %v %q %q %v", b.Version, b.Deleted, b.Link, b.Comment, b.MinNative))
				for _, va := range b.Variants {
					out = append(out, fmt.Sprintf("%+v", va.Variant))
				}
			}
		}
	}
	return out
}

// A refresh must not touch what readers hold, and keep what did not change.
func TestBuildAgain(t *testing.T) {
	first := Build(loaded(), nil)
	first.Devices = newGather().table()
	want := Build(loaded(), nil)
	want.Devices = first.Devices

	l := loaded()
	kept := l.Bundles[10]
	kept.Variants = nil // known, so not loaded
	changed := l.Bundles[11]
	changed.Variants, changed.DeletedAt, changed.Comment = nil, 5, "new"
	l.Bundles[10], l.Bundles[11] = kept, changed
	file := ota.VariantFile{Name: strings.Clone("x"), WireHash: strings.Clone("hash of x")}
	l.Bundles[12] = ota.Bundle{ID: 12, Version: "1.2.0", Variants: []ota.Variant{{Files: []ota.VariantFile{file}}}}
	l.Channels[0].Chain = append([]ota.Release{{ID: 10, BundleID: 12}}, l.Channels[0].Chain...)
	second := Build(l, first)

	if diff := cmp.Diff(describe(want), describe(first)); diff != "" {
		t.Errorf("the first snapshot changed:\n%s", diff)
	}
	if second.Devices != first.Devices {
		t.Error("facts of devices are gone")
	}
	before, after := first.ChannelByName("production").Chain, second.ChannelByName("production").Chain
	if after[3].Bundle != before[2].Bundle {
		t.Error("an unchanged bundle was built anew")
	}
	b := after[1].Bundle
	if b == before[0].Bundle || !b.Deleted || b.Comment != "new" || len(b.Variants) != 4 || b.Variants[0].Bundle != b || len(b.Variants[0].Files) != 2 {
		t.Errorf("changed bundle = %+v", b)
	}
	if unsafe.StringData(after[0].Bundle.Variants[0].Files[0].WireHash) != unsafe.StringData(before[0].Bundle.Variants[0].Files[0].WireHash) {
		t.Error("a new bundle does not share the text of an old one")
	}
}

func TestLineage(t *testing.T) {
	history := []ota.Release{ // newest first
		{ID: 5, BundleID: 3, Version: "1.2.0", Parent: 4},
		{ID: 4, BundleID: 1, Version: "1.0.0", Parent: 0},
		{ID: 3, BundleID: 2, Version: "1.1.0", Parent: 2},
		{ID: 2, BundleID: 0, Version: "builtin", Parent: 1},
		{ID: 1, BundleID: 1, Version: "1.0.0", Parent: 0},
	}
	chain, withdrawn := Lineage(5, history)
	if len(chain) != 2 || chain[0].ID != 5 || chain[1].ID != 4 {
		t.Errorf("chain = %+v", chain)
	}
	if diff := cmp.Diff([]string{"1.1.0"}, withdrawn); diff != "" {
		t.Errorf("withdrawn (-want +got):\n%s", diff)
	}
	if chain, _ := Lineage(0, history); len(chain) != 0 {
		t.Errorf("chain of nothing = %+v", chain)
	}
	circle := []ota.Release{{ID: 1, Parent: 2}, {ID: 2, Parent: 1}}
	if chain, _ := Lineage(1, circle); len(chain) != 2 {
		t.Errorf("chain of a circle has %d", len(chain))
	}
}
