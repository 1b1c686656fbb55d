package tuf

import (
	"encoding/hex"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	gotuf "github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// TestWeReadGoTUFs: our client, in its foreign reading, takes a repository that
// go-tuf makes, with a nested delegation, and stops where it is changed.
func TestWeReadGoTUFs(t *testing.T) {
	f := gotufRepo(t, day.AddDate(0, 0, 30))
	c, err := tuf.StartForeign(f["metadata/1.root.json"], nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Pull(f.fetch, day); err != nil {
		t.Fatal(err)
	}
	for path, role := range map[string]string{"top.txt": "targets", "a/b/deep.txt": "inner"} {
		if _, by, err := c.PullTarget(path, f.fetch, day); err != nil || by != role {
			t.Error(path, by, err)
		}
		if _, _, holds, err := c.ForeignTarget(path); err != nil || holds([]byte("content of "+path)) != nil || holds([]byte("other")) == nil {
			t.Error(path, err)
		}
	}
	if _, err := tuf.Start(f["metadata/1.root.json"]); err == nil {
		t.Error("a device takes a root that is not of our form")
	}
	for name := range f {
		for _, at := range []int{len(f[name]) / 3, len(f[name]) / 2} {
			g := maps.Clone(f)
			b := append([]byte(nil), f[name]...)
			b[at] ^= 1
			g[name] = b
			if c, err := tuf.StartForeign(g["metadata/1.root.json"], nil); err == nil {
				err = c.Pull(g.fetch, day)
				if err == nil {
					_, _, err = c.PullTarget("a/b/deep.txt", g.fetch, day)
				}
				if err == nil {
					t.Errorf("%s with byte %d changed was taken in", name, at)
				}
			}
		}
	}
}

// gotufRepo is a repository that go-tuf's own types make and sign.
func gotufRepo(t *testing.T, expires time.Time) files {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	f := files{}
	key := func(n int) *gotuf.Key {
		k, err := gotuf.KeyFromPublicKey(&private(n).PublicKey)
		must(err)
		return k
	}
	root := gotuf.Root(expires)
	for role, ns := range map[string][]int{"root": {1, 2}, "targets": {3}, "snapshot": {4}, "timestamp": {5}} {
		for _, n := range ns {
			must(root.Signed.AddKey(key(n), role))
		}
	}
	root.Signed.Roles["root"].Threshold = 2

	target := func(path string) *gotuf.TargetFiles {
		tf, err := gotuf.TargetFile().FromBytes(path, []byte("content of "+path), "sha256")
		must(err)
		return tf
	}
	delegate := func(to *gotuf.Metadata[gotuf.TargetsType], name, pattern string, n int) {
		id, err := key(n).ID()
		must(err)
		to.Signed.Delegations = &gotuf.Delegations{
			Keys:  map[string]*gotuf.Key{id: key(n)},
			Roles: []gotuf.DelegatedRole{{Name: name, KeyIDs: []string{id}, Threshold: 1, Paths: []string{pattern}}},
		}
	}
	top, outer, inner := gotuf.Targets(expires), gotuf.Targets(expires), gotuf.Targets(expires)
	top.Signed.Targets["top.txt"] = target("top.txt")
	delegate(top, "outer", "a/*/*", 6)
	delegate(outer, "inner", "a/b/*", 7)
	inner.Signed.Targets["a/b/deep.txt"] = target("a/b/deep.txt")
	snapshot := gotuf.Snapshot(expires)
	for _, role := range []string{"targets", "outer", "inner"} {
		snapshot.Signed.Meta[role+".json"] = gotuf.MetaFile(1)
	}
	put(t, f, "1.root.json", root, 1, 2)
	put(t, f, "1.targets.json", top, 3)
	put(t, f, "1.outer.json", outer, 6)
	put(t, f, "1.inner.json", inner, 7)
	put(t, f, "1.snapshot.json", snapshot, 4)
	put(t, f, "timestamp.json", gotuf.Timestamp(expires), 5)
	return f
}

func put[T gotuf.Roles](t *testing.T, f files, name string, doc *gotuf.Metadata[T], by ...int) {
	t.Helper()
	for _, n := range by {
		s, err := signature.LoadSigner(private(n), 5) // crypto.SHA256
		if err != nil {
			t.Fatal(err)
		}
		if _, err := doc.Sign(s); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", name, err))
		}
	}
	b, err := doc.ToBytes(true)
	if err != nil {
		t.Fatal(err)
	}
	f["metadata/"+name] = b
}
