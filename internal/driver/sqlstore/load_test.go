package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// fill makes an app with a channel, and releases one bundle after the other on
// it. Each bundle has files files, a few of which differ from the one before.
func fill(t testing.TB, db *DB, app string, bundles, files, changed int) {
	t.Helper()
	ctx := t.Context()
	err := db.Update(ctx, "test", 1, func(tx control.Tx) (ota.Change, error) {
		if err := tx.InsertApp(ctx, ota.App{ID: app}); err != nil {
			return ota.Change{}, err
		}
		ch, err := tx.InsertChannel(ctx, ota.Channel{App: app, Name: "production", Policy: ota.DefaultPolicy()})
		if err != nil {
			return ota.Change{}, err
		}
		for n := range bundles {
			b, tree := exampleBundle(app, n, files, changed)
			if b, err = tx.InsertBundle(ctx, b, tree); err != nil {
				return ota.Change{}, err
			}
			var parent int64
			if ch.Release != nil {
				parent = ch.Release.ID
			}
			r, err := tx.InsertRelease(ctx, ch.ID, ota.Release{BundleID: b.ID, Version: b.Version, Kind: ota.ReleasePublish, Parent: parent})
			if err != nil {
				return ota.Change{}, err
			}
			ch.Release = &r
		}
		return ota.Change{Action: "test.fill", App: app, Object: app, Detail: "{}"}, tx.UpdateChannel(ctx, ch)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func exampleBundle(app string, n, files, changed int) (ota.Bundle, []ota.TreeFile) {
	b := ota.Bundle{App: app, Version: fmt.Sprintf("1.%d.0", n), FileCount: files}
	va := ota.Variant{KeyID: "MIIBCgKCAQEAkey1", SessionKey: "session", Checksum: "sum", Zip: ota.Sum(fmt.Append(nil, app, n)), ZipSize: 5}
	var tree []ota.TreeFile
	for i := range files {
		rev := 0
		if i < changed {
			rev = n
		}
		h := ota.Sum(fmt.Append(nil, i, rev))
		tree = append(tree, ota.TreeFile{Path: fmt.Sprintf("assets/file%05d.js", i), Hash: h, Size: int64(i)})
		va.Files = append(va.Files, ota.VariantFile{
			Name: tree[i].Path, Hash: h, Size: int64(i), Blob: ota.Sum(h[:]), StoredSize: int64(i),
			WireHash: fmt.Sprintf("%0512d", i),
		})
	}
	b.Tree = ota.TreeDigest(tree)
	b.Variants = []ota.Variant{va}
	return b, tree
}

func nothingKnown(int64) bool { return false }

func TestLoadApp(t *testing.T) {
	db := temp(t)
	fill(t, db, "com.example.a", 25, 30, 2)
	fill(t, db, "com.example.b", 1, 1, 1)
	l, err := db.LoadApp(t.Context(), "com.example.a", nothingKnown)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Versions) != 25 || len(l.Channels) != 1 || len(l.Channels[0].Chain) != snap.MaxChain || len(l.Bundles) != snap.MaxChain || l.ChangedAt != 1 {
		t.Errorf("%d versions, %d channels, chain of %d, %d bundles, changed at %d",
			len(l.Versions), len(l.Channels), len(l.Channels[0].Chain), len(l.Bundles), l.ChangedAt)
	}
	for _, r := range l.Channels[0].Chain {
		want, _ := exampleBundle("com.example.a", int(r.BundleID-1), 30, 2)
		got := l.Bundles[r.BundleID]
		if r.Version != want.Version || got.Version != want.Version || got.Tree != want.Tree {
			t.Errorf("release %d is %s of bundle %s", r.ID, r.Version, got.Version)
		}
		got.Variants = slices.Clone(got.Variants)
		got.Variants[0].ID = 0
		if diff := cmp.Diff(want.Variants, got.Variants); diff != "" {
			t.Errorf("variants of %s (-want +got):\n%s", r.Version, diff)
		}
	}
	known, err := db.LoadApp(t.Context(), "com.example.a", func(id int64) bool { return id != 25 })
	if err != nil {
		t.Fatal(err)
	}
	for id, b := range known.Bundles {
		if want := id == 25; (len(b.Variants) == 1) != want {
			t.Errorf("bundle %d has %d variants", id, len(b.Variants))
		}
	}
	if _, err := db.LoadApp(t.Context(), "com.example.gone", nothingKnown); ota.CodeOf(err) != control.CodeAppNotFound {
		t.Errorf("err = %v", err)
	}
	ids, err := db.AppIDs(t.Context())
	if err != nil || !slices.Equal(ids, []string{"com.example.a", "com.example.b"}) {
		t.Errorf("apps = %v, %v", ids, err)
	}
}

// The load must be of one moment, or a channel could refer to a bundle that was
// not read.
func TestLoadAppDuringWrites(t *testing.T) {
	db := temp(t)
	fill(t, db, "com.example.a", 1, 3, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; n < 60; n++ {
			err := db.Update(context.Background(), "test", 1, func(tx control.Tx) (ota.Change, error) {
				ch, err := tx.Channel(context.Background(), "com.example.a", "production")
				if err != nil {
					return ota.Change{}, err
				}
				b, tree := exampleBundle("com.example.a", n, 3, 1)
				if b, err = tx.InsertBundle(context.Background(), b, tree); err != nil {
					return ota.Change{}, err
				}
				r, err := tx.InsertRelease(context.Background(), ch.ID, ota.Release{BundleID: b.ID, Parent: ch.Release.ID})
				if err != nil {
					return ota.Change{}, err
				}
				ch.Release = &r
				return ota.Change{Action: "test"}, tx.UpdateChannel(context.Background(), ch)
			})
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		l, err := db.LoadApp(t.Context(), "com.example.a", nothingKnown)
		if err != nil {
			t.Fatal(err)
		}
		chain := l.Channels[0].Chain
		if len(chain) != min(len(l.Versions), snap.MaxChain) {
			t.Fatalf("chain of %d with %d versions", len(chain), len(l.Versions))
		}
		for _, r := range chain {
			if b := l.Bundles[r.BundleID]; len(b.Variants) != 1 || len(b.Variants[0].Files) != 3 {
				t.Fatalf("bundle %d was not read", r.BundleID)
			}
		}
	}
}

// An app of 200 bundles of the size of a real one: read whole, and after a change.
func BenchmarkRefresh(b *testing.B) {
	db := temp(b)
	fill(b, db, "com.example.a", 200, 460, 8)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if err := snap.NewHolder(db).Refresh(b.Context(), "com.example.a"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		h := snap.NewHolder(db)
		for b.Loop() {
			if err := h.Refresh(b.Context(), "com.example.a"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A server's start, per 100 apps of 200 bundles each.
func BenchmarkLoad100Apps(b *testing.B) {
	db := temp(b)
	for i := range 100 {
		fill(b, db, fmt.Sprintf("com.example.app%d", i), 200, 2, 1)
	}
	for b.Loop() {
		if err := snap.NewHolder(db).Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
