package sealedworld

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Bundle is a bundle with its bytes.
type Bundle struct {
	Manifest *sealed.Manifest
	Raw      []byte            // the manifest as it is published
	Files    map[string][]byte // plain, by path
	Blobs    map[string][]byte // stored, by address
	Path     string            // its target
	Leaf     int64             // in the log
}

// SHA256 names the bundle.
func (b *Bundle) SHA256() string { return sealed.HashOf(b.Raw) }

// Target is what a director says of it.
func (b *Bundle) Target() sealed.Target {
	return sealed.Target{Path: b.Path, SHA256: b.SHA256(), Seq: b.Manifest.Seq}
}

// Files of a bundle that is like every other but for its seq.
func Files(text string) map[string][]byte {
	return map[string][]byte{
		"index.html": []byte("<!doctype html><script src=app.js></script>"),
		"app.js":     []byte("run(" + text + ")"),
		"img/a.svg":  []byte("<svg/>"),
	}
}

// Make makes a bundle for android and ios without publishing it. change may alter
// the manifest before its files are sealed: everything but them and the tree.
func (w *World) Make(class string, seq int64, files map[string][]byte, change func(*sealed.Manifest)) *Bundle {
	w.T.Helper()
	m := &sealed.Manifest{
		Suite: sealed.SuiteS1, App: w.App, Platforms: []string{"android", "ios"}, Version: "1.0." + itoa(seq), Seq: seq, Class: class,
		Native: sealed.Native{Min: "1.0.0"}, Created: canon.At(w.Now), Patches: []sealed.Patch{},
		Encryption: sealed.Encryption{Mode: sealed.EncryptionCobblestone, Epoch: 1, Dedupe: true},
	}
	if change != nil {
		change(m)
	}
	b := &Bundle{Manifest: m, Files: files, Blobs: map[string][]byte{}}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		m.Files = append(m.Files, w.seal(b, path, files[path]))
	}
	m.Tree = sealed.TreeHash(m.Files)
	var err error
	b.Raw, err = sealed.Encode(m)
	w.must(err)
	b.Path = sealed.TargetPath(class, w.App, seq)
	return b
}

// seal stores a file. Its salt is its hash, so that every run has the same blobs.
func (w *World) seal(b *Bundle, path string, plain []byte) sealed.File {
	f := sealed.File{Path: path, Size: int64(len(plain)), SHA256: sealed.HashOf(plain)}
	stored := plain
	if b.Manifest.Encryption.Mode != sealed.EncryptionNone {
		sum := ota.Sum(plain)
		var out bytes.Buffer
		c := cobblestone.Blob{Epoch: w.Epoch, App: w.App, Plain: sum, Size: f.Size}
		_, err := c.Seal(&out, bytes.NewReader(sum[:]), bytes.NewReader(plain))
		w.must(err)
		stored = out.Bytes()
	}
	f.Blob, f.EncSize = sealed.HashOf(stored), int64(len(stored))
	b.Blobs[f.Blob] = stored
	return f
}

// Release makes, lists, logs and publishes a bundle.
func (w *World) Release(class string, seq int64, change func(*sealed.Manifest)) *Bundle {
	w.T.Helper()
	b := w.Make(class, seq, Files(itoa(seq)), change)
	w.Approve(b)
	return b
}

// Approve lists, logs and publishes a bundle.
func (w *World) Approve(b *Bundle) {
	w.T.Helper()
	role := tuf.RoleTargets
	if b.Manifest.Class == sealed.ClassStaging {
		role = tuf.RoleStaging
	}
	w.List(role, b.Path, b.Raw)
	b.Leaf = w.Tree.Add(b.Raw)
	w.Bundles = append(w.Bundles, b)
	w.Publish()
}

// Source hands out the blobs of a bundle and collects its files.
type Source struct {
	World  *World
	Bundle *Bundle
	Extra  []string // files that are there besides
	Out    map[string]*bytes.Buffer
}

// Source of the bundle.
func (w *World) Source(b *Bundle) *Source {
	return &Source{World: w, Bundle: b, Out: map[string]*bytes.Buffer{}}
}

// Key is the content key of the world.
func (s *Source) Key(m *sealed.Manifest) (cobblestone.Key, error) {
	if m.Encryption.Mode == sealed.EncryptionNone {
		return cobblestone.Key{}, nil
	}
	return s.World.Epoch, nil
}

// Open finds a blob by its address.
func (s *Source) Open(f sealed.File) (io.ReadSeeker, io.Writer, error) {
	stored, ok := s.Bundle.Blobs[f.Blob]
	if !ok {
		return nil, nil, errors.New("no such blob")
	}
	s.Out[f.Path] = &bytes.Buffer{}
	return bytes.NewReader(stored), s.Out[f.Path], nil
}

// Present lists what was written and Extra.
func (s *Source) Present() ([]string, error) {
	return append(slices.Collect(maps.Keys(s.Out)), s.Extra...), nil
}

// minutes is a short word for a duration.
func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }
