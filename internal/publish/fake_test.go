package publish

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// fake is a server in memory, with the rules that publishing depends on.
type fake struct {
	natives []ota.NativeBuild

	policy       ota.ScanPolicyInfo
	policyErr    error
	suppressions []ota.Suppression
	uploads      []ota.ScanUpload

	sourceMaps map[string]ota.Digest
	mapsErr    error

	mu       sync.Mutex
	app      ota.App
	keys     []ota.Key
	channel  ota.Channel
	blobs    map[ota.Digest][]byte
	partial  map[ota.Digest][]byte
	known    map[ota.Encoding][]ota.VariantFile
	bundles  map[string]ota.NewBundle
	imported []ota.ImportBundle
	had      map[string]bool // versions the channel ever had
	writes   int             // of anything

	puts int
	// cut, if set, is asked how many bytes arrive of the nth upload of a blob;
	// -1 means all of them.
	cut   func(nth, size int) int
	tries map[ota.Digest]int
	err   error // of every upload
}

func newFake(keys ...*seal.PrivateKey) *fake {
	f := &fake{
		app: ota.App{ID: testApp}, blobs: map[ota.Digest][]byte{}, partial: map[ota.Digest][]byte{},
		known: map[ota.Encoding][]ota.VariantFile{}, bundles: map[string]ota.NewBundle{}, had: map[string]bool{}, tries: map[ota.Digest]int{},
		channel: ota.Channel{Name: "production", App: testApp, Policy: ota.DefaultPolicy()},
		policy:  ota.ScanPolicyInfo{ScanPolicy: ota.DefaultScanPolicy(), From: ota.PolicyDefault},
	}
	for _, k := range keys {
		f.keys = append(f.keys, ota.Key{ID: k.Public().ID(), PublicPEM: k.Public().PEM(), State: ota.KeyActive})
	}
	return f
}

func (f *fake) App(_ context.Context, id string) (ota.App, error) {
	if id != f.app.ID {
		return ota.App{}, ota.NotFound("app_not_found", "no app %s", id)
	}
	return f.app, nil
}

func (f *fake) Keys(context.Context, string) ([]ota.Key, error) { return slices.Clone(f.keys), nil }

func (f *fake) Channel(_ context.Context, _, name string) (ota.Channel, error) {
	if name != f.channel.Name {
		return ota.Channel{}, ota.NotFound("channel_not_found", "no channel %s", name)
	}
	return f.channel, nil
}

func (f *fake) Missing(_ context.Context, _ string, q ota.MissingQuery) (ota.MissingAnswer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var a ota.MissingAnswer
	if b, ok := f.bundles[q.Version]; ok {
		a.Exists, a.Same = true, ota.TreeDigest(b.Tree) == q.Tree
	}
	for _, e := range q.Encodings {
		var list []ota.VariantFile
		for _, k := range f.known[e] {
			if slices.ContainsFunc(q.Files, func(t ota.TreeFile) bool { return t.Hash == k.Hash }) {
				list = append(list, k)
			}
		}
		a.Known = append(a.Known, list)
	}
	return a, nil
}

func (f *fake) BlobOffset(_ context.Context, _ string, d ota.Digest) (int64, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b, ok := f.blobs[d]; ok {
		return int64(len(b)), true, nil
	}
	return int64(len(f.partial[d])), false, nil
}

func (f *fake) PutBlob(_ context.Context, _ string, d ota.Digest, off int64, r io.Reader) (bool, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.puts++
	f.writes++
	if f.err != nil {
		return false, f.err
	}
	if _, ok := f.blobs[d]; ok {
		return true, nil
	}
	if off != int64(len(f.partial[d])) {
		return false, ota.Conflict("offset_mismatch", "have %d bytes", len(f.partial[d]))
	}
	arrived := len(b)
	if f.tries[d]++; f.cut != nil {
		if n := f.cut(f.tries[d], len(b)); n >= 0 {
			arrived = min(n, len(b))
		}
	}
	whole := append(bytes.Clone(f.partial[d]), b[:arrived]...)
	if arrived < len(b) {
		f.partial[d] = whole
		return false, ota.Errorf(ota.KindUnavailable, "server_unreachable", "cut")
	}
	if ota.Sum(whole) != d {
		delete(f.partial, d)
		return false, ota.Invalid("blob_digest_mismatch", "not %s", d)
	}
	delete(f.partial, d)
	f.blobs[d] = whole
	return true, nil
}

func (f *fake) CreateBundle(_ context.Context, _ string, in ota.NewBundle) (ota.Bundle, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	for _, v := range in.Variants {
		if _, ok := f.blobs[v.Zip]; !ok {
			return ota.Bundle{}, false, ota.Conflict("blob_missing", "the zip is not there")
		}
		for _, file := range v.Files {
			if _, ok := f.blobs[file.Blob]; !ok {
				return ota.Bundle{}, false, ota.Conflict("blob_missing", "%s is not there", file.Name)
			}
			e := ota.Encoding{KeyID: v.KeyID, SessionKey: v.SessionKey}
			f.known[e] = append(f.known[e], file)
		}
	}
	f.bundles[in.Version] = in
	return ota.Bundle{Version: in.Version, Variants: in.Variants}, true, nil
}

func (f *fake) Release(_ context.Context, _, _ string, in ota.ReleaseRequest) (ota.Release, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := ota.Release{Version: in.Version, Note: in.Note}
	if in.IfNew && f.had[in.Version] {
		return r, false, nil
	}
	f.writes++
	f.had[in.Version] = true
	f.channel.Release = &r
	return r, true, nil
}

func (f *fake) SetRollout(_ context.Context, _, _ string, in ota.RolloutRequest) (ota.Rollout, error) {
	f.writes++
	r := ota.Rollout{Version: in.Version, BPS: *in.BPS, Enabled: true}
	f.channel.Rollout = &r
	return r, nil
}

func (f *fake) Bundle(_ context.Context, _, version string) (ota.Bundle, error) {
	b := f.bundles[version]
	out := ota.Bundle{App: testApp, Version: version, Variants: b.Variants, MinNative: b.MinNative, SBOM: b.SBOM, Provenance: b.Provenance}
	if len(b.Tree) > 0 {
		out.Tree = ota.TreeDigest(b.Tree)
	}
	return out, nil
}

func (f *fake) VariantFiles(_ context.Context, _, version, keyID string) (ota.Variant, error) {
	for _, v := range f.bundles[version].Variants {
		if v.KeyID == keyID {
			v.Files = slices.Clone(v.Files)
			return v, nil
		}
	}
	return ota.Variant{}, ota.NotFound("variant_not_found", "no variant")
}

func (f *fake) OpenBlob(_ context.Context, _ string, d ota.Digest) (io.ReadCloser, int64, error) {
	b, ok := f.blobs[d]
	if !ok {
		return nil, 0, ota.NotFound("blob_not_found", "no blob %s", d)
	}
	return io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
}

func (f *fake) ImportBundle(_ context.Context, _ string, in ota.ImportBundle) (ota.Bundle, bool, error) {
	f.imported = append(f.imported, in)
	return ota.Bundle{Version: in.Version, Variants: []ota.Variant{in.Variant}}, true, nil
}

func (f *fake) SBOM(_ context.Context, _, version string) ([]byte, error) {
	return f.blobs[f.bundles[version].SBOM], nil
}

func (f *fake) Provenance(_ context.Context, _, version string) ([]byte, error) {
	return f.blobs[f.bundles[version].Provenance], nil
}

func (f *fake) NativeBuilds(context.Context, string, string) ([]ota.NativeBuild, error) {
	return f.natives, nil
}

func (f *fake) ScanPolicy(context.Context, string, string) (ota.ScanPolicyInfo, error) {
	return f.policy, f.policyErr
}

func (f *fake) Suppressions(context.Context, string, ota.SuppressionState, ota.Page) ([]ota.Suppression, string, error) {
	return f.suppressions, "", nil
}

func (f *fake) Scan(context.Context, string, string, int64, string, string) ([]byte, error) {
	return nil, ota.NotFound("scan_report_not_found", "there is no report")
}

func (f *fake) UploadScan(_ context.Context, _, _ string, in ota.ScanUpload) (ota.ScanReport, bool, error) {
	f.uploads = append(f.uploads, in)
	return ota.ScanReport{}, true, nil
}

const testApp = "com.example.push"

// webApp is a build with every odd kind of file.
func webApp(change string) fstest.MapFS {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s), Mode: 0o644} }
	noise := make([]byte, 40_000)
	for i := range noise {
		noise[i] = byte(i * i * 2654435761 >> 13)
	}
	return fstest.MapFS{
		"index.html":         file("<!doctype html><script src=app.js></script>" + change),
		"app.js":             file("CapacitorUpdater.notifyAppReady();" + string(bytes.Repeat([]byte("console.log('x');"), 2000))),
		"same.css":           file(string(bytes.Repeat([]byte("body{margin:0}\n"), 800))),
		"empty.txt":          file(""),
		"sub/empty2.txt":     file(""),
		"already.js.br":      file("only by name"),
		"assets/noise.png":   {Data: noise, Mode: 0o644},
		"assets/naïve ü.txt": file("ü"),
	}
}

// newKey makes a key for one test; RSA takes a moment, so few tests make two.
func newKey(t testing.TB) *seal.PrivateKey {
	t.Helper()
	k, err := seal.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (f *fake) AddSourceMaps(_ context.Context, _, _ string, in ota.NewSourceMaps) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range in.Maps {
		if _, ok := f.blobs[m.Blob]; !ok {
			return ota.Conflict("source_map_blob_missing", "%s is not there", m.Path)
		}
		if f.sourceMaps == nil {
			f.sourceMaps = map[string]ota.Digest{}
		}
		f.sourceMaps[m.Path] = m.Blob
	}
	return f.mapsErr
}
