package publish

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

func pageWith(script string) fs.FS {
	return fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html>" + script)},
		"app.js":     {Data: []byte("CapacitorUpdater.notifyAppReady()")},
	}
}

// TestPushScans pushes a clean and a bad build under several policies.
func TestPushScans(t *testing.T) {
	clean, bad := pageWith(""), pageWith(`<script src="https://evil.example.org/a.js"></script>`)
	for _, c := range []struct {
		name   string
		build  fs.FS
		change func(*fake, *Options)
		code   string
		sent   int
	}{
		{"clean", clean, nil, "", 1},
		{"bad", bad, nil, "scan_blocked", 0},
		{"bad, not scanned", bad, func(_ *fake, o *Options) { o.NoScan = true }, "", 0},
		{"not scanned, a report of the server will do", clean, func(f *fake, o *Options) { o.NoScan, f.policy.Demand = true, ota.DemandServer }, "", 0},
		{"not scanned, any report is demanded", clean, func(f *fake, o *Options) { o.NoScan, f.policy.Demand = true, ota.DemandCLI }, "scan_required", 0},
		{"not scanned, a signed one is", clean, func(f *fake, o *Options) { o.NoScan, f.policy.Demand = true, ota.DemandSigned }, "scan_required", 0},
		{"the policy lets it pass", bad, func(f *fake, _ *Options) { f.policy.OnBlock = ota.ScanWarn }, "", 1},
		{"suppressed", bad, func(f *fake, _ *Options) {
			f.suppressions = []ota.Suppression{{Rule: "ST-004", Path: "index.html", State: ota.SuppressionApproved, ExpiresAt: 1 << 60}}
		}, "", 1},
		{"suppressed until now", bad, func(f *fake, _ *Options) {
			f.suppressions = []ota.Suppression{{Rule: "ST-004", Path: "index.html", State: ota.SuppressionApproved, ExpiresAt: 1}}
		}, "scan_blocked", 0},
		{"the token may not read policies", bad, func(f *fake, _ *Options) {
			f.policyErr = ota.Errorf(ota.KindForbidden, "not_allowed", "no")
		}, "scan_blocked", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, err := seal.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			f := newFake(key)
			o := Options{App: testApp, Version: "1.0.1", Channel: "production", Dir: c.build, Keys: []*seal.PrivateKey{key}, TempDir: t.TempDir()}
			if c.change != nil {
				c.change(f, &o)
			}
			res, err := Push(t.Context(), f, o)
			if got := ota.CodeOf(err); err == nil && c.code != "" || err != nil && got != c.code {
				t.Fatalf("got %v, want %q", err, c.code)
			}
			if len(f.uploads) != c.sent || err != nil && f.writes > 0 {
				t.Fatalf("%d reports sent, %d writes", len(f.uploads), f.writes)
			}
			if c.sent == 0 {
				return
			}
			up := f.uploads[0]
			z, err := gzip.NewReader(bytes.NewReader(up.Report))
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(z)
			if err != nil || ota.Sum(raw) != up.Digest || !res.Scan.Sent || !res.Scan.Signed {
				t.Errorf("%v, %+v", err, res.Scan)
			}
			d, err := key.Public().OpenStatement(ota.ScanStatementKind, up.Signature)
			if err != nil || d != ota.ScanStatement(testApp, "1.0.1", res.Tree, up.Digest) {
				t.Errorf("the signature is of something else, %v", err)
			}
		})
	}
}
