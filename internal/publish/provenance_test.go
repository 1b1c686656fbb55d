package publish

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/provenance"
	"github.com/waxwing-ota/waxwing/internal/core/sbom"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

func documented(t *testing.T, keys ...*seal.PrivateKey) Options {
	t.Helper()
	doc, err := sbom.Document(sbom.Subject{App: testApp, Version: "1.0.1"}, []sbom.Package{{Name: "lodash", Version: "4.17.21"}})
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		App: testApp, Version: "1.0.1", Channel: "production", Dir: webApp(""), TempDir: t.TempDir(), Keys: keys, SBOM: doc,
		Provenance: &Provenance{Random: rand.Reader, Facts: provenance.Facts{
			Origin: provenance.Origin{Repository: "https://git.example.com/shop", Commit: strings.Repeat("ab", 20)}, Tool: "1.2.3", At: time.UnixMilli(1_750_000_000_000),
		}},
	}
}

// TestProvenanceIsVerified pushes with and without a key, and lets a server
// change what it serves afterwards.
func TestProvenanceIsVerified(t *testing.T) {
	key := newKey(t)
	stranger := newKey(t)
	for _, c := range []struct {
		name    string
		keys    []*seal.PrivateKey
		trust   *seal.PublicKey
		change  func(f *fake)
		signed  int
		present bool
		problem string // the code of one of the report
	}{
		{name: "signed", keys: []*seal.PrivateKey{key}, trust: key.Public(), signed: 1, present: true},
		{name: "unsigned", present: true},
		{name: "the server swaps the statement", keys: []*seal.PrivateKey{key}, trust: key.Public(), problem: "provenance_invalid", change: func(f *fake) {
			b := f.bundles["1.0.1"]
			forged, err := provenance.Sign(rand.Reader, provenance.New(provenance.Facts{App: testApp, Version: "1.0.1", Tree: ota.TreeDigest(b.Tree), Variants: b.Variants, SBOM: b.SBOM}), []*seal.PrivateKey{stranger})
			if err != nil {
				t.Fatal(err)
			}
			f.blobs[b.Provenance] = forged
		}},
		{name: "the server swaps the SBOM", keys: []*seal.PrivateKey{key}, trust: key.Public(), signed: 1, present: true, problem: "blob_mismatch", change: func(f *fake) {
			f.blobs[f.bundles["1.0.1"].SBOM] = []byte(`{"bomFormat":"CycloneDX","specVersion":"1.7"}`)
		}},
		{name: "the server serves another zip", keys: []*seal.PrivateKey{key}, trust: key.Public(), problem: "provenance_invalid", change: func(f *fake) {
			b := f.bundles["1.0.1"]
			b.Variants = slices.Clone(b.Variants)
			b.Variants[0].Zip = b.Variants[0].Files[0].Blob
			f.bundles["1.0.1"] = b
		}},
		{name: "the server drops the statement", keys: []*seal.PrivateKey{key}, trust: key.Public(), change: func(f *fake) {
			b := f.bundles["1.0.1"]
			b.Provenance = ota.Digest{}
			f.bundles["1.0.1"] = b
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(c.keys...)
			if _, err := Push(t.Context(), f, documented(t, c.keys...)); err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				c.change(f)
			}
			rep, err := Verify(t.Context(), f, Published{App: testApp, Version: "1.0.1", Key: c.trust, TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			p := rep.Provenance
			if p == nil || p.Present != c.present || len(p.SignedBy) != c.signed {
				t.Fatalf("%+v, problems %v", p, rep.Problems)
			}
			if found := slices.ContainsFunc(rep.Problems, func(p Problem) bool { return p.Code == c.problem }); found != (c.problem != "") {
				t.Errorf("problems: %v", rep.Problems)
			}
			if c.present && p.Origin.Repository != "https://git.example.com/shop" {
				t.Errorf("%+v", p.Origin)
			}
			if c.name == "the server drops the statement" && !slices.ContainsFunc(rep.Notes, func(n string) bool { return strings.Contains(n, "does not say where it came from") }) {
				t.Errorf("nobody is told: %v", rep.Notes)
			}
		})
	}
}
