package admit_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/delta"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

// patched is a bundle with one file and patches of it, and what they are from.
type patched struct {
	world    *sealedworld.World
	old, new []byte
	blobs    map[string][]byte // of the patches
	intake   *admit.Intake
	plan     *admit.Plan
	fromOld  sealed.Patch
	compress sealed.Patch
}

func newPatched(t *testing.T, mode string) *patched {
	t.Helper()
	p := &patched{world: sealedworld.New(t, app), blobs: map[string][]byte{}}
	p.old = []byte(strings.Repeat("all work and no play makes a dull app; ", 500))
	p.new = append(bytes.Clone(p.old), "and one more line"...)
	w := p.world
	b := w.Make(sealed.ClassProduction, 1, map[string][]byte{"app.js": p.new}, func(m *sealed.Manifest) {
		if mode == sealed.EncryptionNone {
			m.Encryption = sealed.Encryption{Mode: mode}
		}
		p.fromOld = p.patch(t, m, p.old)
		p.compress = p.patch(t, m, nil)
		m.Patches = append(m.Patches, p.fromOld, p.compress)
		if m.Patches[0].From > m.Patches[1].From {
			m.Patches[0], m.Patches[1] = m.Patches[1], m.Patches[0]
		}
	})
	w.Approve(b)
	build := w.Build("android")
	st := admit.Fresh(build)
	d, _, err := admit.Decide(st, w.Input(build, st, b, 1))
	if err != nil || d.Plan == nil {
		t.Fatal("no plan: ", err)
	}
	key, err := w.Source(b).Key(b.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	if p.intake, err = d.Plan.Intake(key); err != nil {
		t.Fatal(err)
	}
	p.plan = d.Plan
	return p
}

func (p *patched) patch(t *testing.T, m *sealed.Manifest, old []byte) sealed.Patch {
	t.Helper()
	plain, err := delta.Make(old, p.new)
	if err != nil {
		t.Fatal(err)
	}
	sum := ota.Sum(plain)
	stored := plain
	if m.Encryption.Mode != sealed.EncryptionNone {
		var out bytes.Buffer
		blob := cobblestone.Blob{Epoch: p.world.Epoch, App: app, Plain: sum, Size: int64(len(plain))}
		if _, err := blob.Seal(&out, bytes.NewReader(sum[:]), bytes.NewReader(plain)); err != nil {
			t.Fatal(err)
		}
		stored = out.Bytes()
	}
	s := sealed.Patch{
		Path: "app.js", From: sealed.HashOf(old), Format: sealed.PatchZstd, Size: int64(len(plain)), SHA256: sum.String(),
		Blob: sealed.HashOf(stored), EncSize: int64(len(stored)),
	}
	p.blobs[s.Blob] = stored
	return s
}

// TestPatches: a file comes about from an earlier one, or from its compressed
// form, encrypted or not, and counts as admitted.
func TestPatches(t *testing.T) {
	for _, mode := range []string{sealed.EncryptionCobblestone, sealed.EncryptionNone} {
		p := newPatched(t, mode)
		for _, c := range []struct {
			patch sealed.Patch
			old   io.Reader
		}{{p.fromOld, bytes.NewReader(p.old)}, {p.compress, nil}} {
			var out bytes.Buffer
			if err := p.intake.Patch(c.patch, bytes.NewReader(p.blobs[c.patch.Blob]), c.old, &out); err != nil || !bytes.Equal(out.Bytes(), p.new) {
				t.Fatalf("%s: %v", mode, err)
			}
			if v, err := p.intake.Finish([]string{"app.js"}); err != nil || !v.Valid() {
				t.Errorf("%s: %v", mode, err)
			}
		}
		all := p.plan.Patches("app.js", func(sum string) bool { return sum == sealed.HashOf(p.old) })
		if len(all) != 2 || all[0] != p.fromOld || all[1] != p.compress {
			t.Errorf("%+v", all)
		}
		if some := p.plan.Patches("app.js", nil); len(some) != 1 || some[0] != p.compress {
			t.Errorf("%+v", some)
		}
		if none := p.plan.Patches("other.js", nil); len(none) != 0 {
			t.Errorf("%+v", none)
		}
	}
}

// TestPatchesRefused: nothing but the signed patch of the signed old file counts,
// and a file that failed is not admitted from before.
func TestPatchesRefused(t *testing.T) {
	p := newPatched(t, sealed.EncryptionCobblestone)
	stored := p.blobs[p.fromOld.Blob]
	flipped := bytes.Clone(stored)
	flipped[len(flipped)-1] ^= 1
	other := func(change func(*sealed.Patch)) sealed.Patch {
		c := p.fromOld
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		patch  sealed.Patch
		stored []byte
		old    io.Reader
	}{
		"damaged":              {p.fromOld, flipped, bytes.NewReader(p.old)},
		"cut":                  {p.fromOld, stored[:len(stored)-1], bytes.NewReader(p.old)},
		"longer":               {p.fromOld, append(bytes.Clone(stored), 0), bytes.NewReader(p.old)},
		"the other patch":      {p.fromOld, p.blobs[p.compress.Blob], bytes.NewReader(p.old)},
		"from the new file":    {p.fromOld, stored, bytes.NewReader(p.new)},
		"from a longer one":    {p.fromOld, stored, io.MultiReader(bytes.NewReader(p.old), strings.NewReader("x"))},
		"from nothing":         {p.fromOld, stored, nil},
		"not in the manifest":  {other(func(s *sealed.Patch) { s.From = p.compress.From }), stored, nil},
		"of no file":           {other(func(s *sealed.Patch) { s.Path = "b.js" }), stored, bytes.NewReader(p.old)},
		"another size, signed": {other(func(s *sealed.Patch) { s.Size++ }), stored, bytes.NewReader(p.old)},
	} {
		if err := p.intake.Patch(p.fromOld, bytes.NewReader(stored), bytes.NewReader(p.old), io.Discard); err != nil {
			t.Fatal(err)
		}
		if err := p.intake.Patch(c.patch, bytes.NewReader(c.stored), c.old, io.Discard); ota.KindOf(err) != ota.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
		if c.patch.Path != "app.js" {
			continue
		}
		if _, err := p.intake.Finish([]string{"app.js"}); ota.CodeOf(err) != admit.CodeFiles {
			t.Errorf("%s: and finished: %v", name, err)
		}
	}
}
