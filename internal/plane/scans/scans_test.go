package scans_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"hash/crc32"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/driver/blob/mem"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/scans"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

const (
	app   = "com.example.shop"
	actor = ota.Actor("token:test")
	prod  = control.FirstChannel
)

var who = ota.Principal{Kind: ota.PrincipalToken, Name: "test"}

// env is the two planes on a real database.
type env struct {
	t     *testing.T
	db    *sqlstore.DB
	blobs *mem.Store
	ctl   *control.Service
	scans *scans.Service
	at    time.Time
}

func newEnv(t *testing.T, limits scan.Limits) *env {
	t.Helper()
	e := &env{t: t, at: time.UnixMilli(1_750_000_000_000)}
	var err error
	if e.db, err = sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "waxwing.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.db.Close(); err != nil {
			t.Error(err)
		}
	})
	now := func() time.Time { return e.at }
	e.blobs = mem.New(now)
	e.scans, err = scans.New(scans.Deps{
		Store: sqlstore.Scans{DB: e.db}, Blobs: e.blobs, Now: now, Log: slog.New(slog.DiscardHandler), Version: "1.2.3", Limits: limits,
		Readable: control.ScanReadable,
		Authors:  func(ctx context.Context, p ota.Principal) ([]int64, error) { return e.ctl.Authors(ctx, p) },
	})
	e.do(err)
	e.ctl = control.New(control.Deps{
		Store: e.db, Blobs: e.blobs, Snap: snap.NewHolder(e.db), Now: now, Rand: rand.Reader, Rules: e.scans.RuleIDs(), ScanAsked: e.scans.Wake,
	})
	_, err = e.ctl.CreateApp(t.Context(), actor, ota.NewApp{ID: app})
	e.do(err)
	return e
}

func (e *env) do(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) put(b []byte) ota.Digest {
	e.t.Helper()
	d := ota.Sum(b)
	_, err := e.ctl.PutBlob(e.t.Context(), app, d, 0, bytes.NewReader(b))
	e.do(err)
	return d
}

func zipOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range treeOf(files) {
		w, err := z.CreateRaw(&zip.FileHeader{
			Name: f.Path, Method: zip.Store, CRC32: crc(files[f.Path]), CompressedSize64: uint64(f.Size), UncompressedSize64: uint64(f.Size),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, files[f.Path]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func treeOf(files map[string]string) []ota.TreeFile {
	var tree []ota.TreeFile
	for p, text := range files {
		tree = append(tree, ota.TreeFile{Path: p, Hash: ota.Sum([]byte(text)), Size: int64(len(text))})
	}
	slices.SortFunc(tree, func(a, b ota.TreeFile) int { return strings.Compare(a.Path, b.Path) })
	return tree
}

// plain makes a plain variant: app.js is stored as brotli, the rest as it is.
func (e *env) plain(files, inZip map[string]string) ota.Variant {
	z := zipOf(e.t, inZip)
	v := ota.Variant{Zip: e.put(z), ZipSize: int64(len(z)), Checksum: ota.Sum(z).String()}
	for _, f := range treeOf(files) {
		raw := []byte(files[f.Path])
		vf := ota.VariantFile{Name: f.Path, Hash: f.Hash, WireHash: f.Hash.String(), Size: f.Size}
		if f.Path == "app.js" {
			var b bytes.Buffer
			w := brotli.NewWriter(&b)
			_, _ = w.Write(raw)
			_ = w.Close()
			raw, vf.Brotli, vf.Name = b.Bytes(), true, f.Path+".br"
		}
		vf.Blob, vf.StoredSize = e.put(raw), int64(len(raw))
		v.Files = append(v.Files, vf)
	}
	return v
}

func (e *env) publish(version string, files map[string]string, v ...ota.Variant) {
	e.t.Helper()
	_, _, err := e.ctl.CreateBundle(e.t.Context(), actor, app, ota.NewBundle{Version: version, Tree: treeOf(files), Variants: v})
	e.do(err)
}

// next lets the server scan, and returns its verdict for the first channel.
func (e *env) next(version string) ota.ScanVerdict {
	e.t.Helper()
	if did, err := e.scans.Next(e.t.Context()); err != nil || !did {
		e.t.Fatalf("scanned %v, %v", did, err)
	}
	return e.verdict(version)
}

func (e *env) verdict(version string) ota.ScanVerdict {
	e.t.Helper()
	v, err := e.ctl.ScanVerdict(e.t.Context(), app, version, prod)
	e.do(err)
	return v
}

func (e *env) policy(change func(p *ota.ScanPolicy)) {
	e.t.Helper()
	p := ota.DefaultScanPolicy()
	change(&p)
	_, err := e.ctl.SetScanPolicy(e.t.Context(), who, app, "", &p)
	e.do(err)
}

// release puts a version on the first channel and returns the code it failed with.
func (e *env) release(version string) string {
	e.t.Helper()
	_, _, err := e.ctl.Release(e.t.Context(), who, app, prod, ota.ReleaseRequest{Version: version})
	if err == nil {
		return ""
	}
	return ota.CodeOf(err)
}

func clean(version string) map[string]string {
	return map[string]string{"index.html": "<!doctype html><title>" + version + "</title>", "app.js": "console.log(1)"}
}

func dirty(version string) map[string]string {
	files := clean(version)
	files["index.html"] += `<script src="https://evil.example.org/a.js"></script>`
	return files
}

func rulesOf(v ota.ScanVerdict, action ota.ScanAction) []string {
	out := []string{}
	for _, f := range v.Findings {
		if f.Action == action && !slices.Contains(out, f.Rule) {
			out = append(out, f.Rule)
		}
	}
	return out
}

func TestServerScans(t *testing.T) {
	e := newEnv(t, scan.Limits{})
	e.policy(func(p *ota.ScanPolicy) { p.Demand = ota.DemandServer })
	e.publish("1.0.0", clean("1.0.0"), e.plain(clean("1.0.0"), clean("1.0.0")))
	if got := e.release("1.0.0"); got != control.CodeScanPending {
		t.Fatalf("before the scan: %q", got)
	}
	if v := e.next("1.0.0"); v.Decision != ota.ScanPasses || len(v.Reports) != 1 || v.Reports[0].Source != ota.ScanServer || v.Job != nil {
		t.Fatalf("%+v", v)
	}
	if got := e.release("1.0.0"); got != "" {
		t.Fatalf("after the scan: %q", got)
	}
	e.publish("1.0.1", dirty("1.0.1"), e.plain(dirty("1.0.1"), dirty("1.0.1")))
	if v := e.next("1.0.1"); v.Decision != ota.ScanRefuses || !slices.Contains(rulesOf(v, ota.ScanBlock), "ST-004") {
		t.Fatalf("%+v", v)
	}
	if got := e.release("1.0.1"); got != control.CodeScanBlocked {
		t.Fatalf("what blocks: %q", got)
	}
	bps := 100
	if _, err := e.ctl.SetRollout(t.Context(), who, app, prod, ota.RolloutRequest{Version: "1.0.1", BPS: &bps}); ota.CodeOf(err) != control.CodeScanBlocked {
		t.Fatalf("a rollout of what blocks: %v", err)
	}
	// Again, with the same rules and content, is the same report.
	before := e.verdict("1.0.1").Reports[0]
	_, err := e.scans.Rescan(t.Context(), actor, app, "1.0.1")
	e.do(err)
	if after := e.next("1.0.1").Reports[0]; after.Digest != before.Digest || after.ID == before.ID {
		t.Errorf("%+v, then %+v", before, after)
	}
	items, _, err := e.scans.Reports(t.Context(), app, "1.0.1", ota.Page{})
	if err != nil || len(items) != 1 {
		t.Errorf("%d reports, %v", len(items), err)
	}
	trend, err := e.scans.Trend(t.Context(), app, 0)
	if err != nil || len(trend) != 2 || trend[0].Version != "1.0.0" || trend[1].Counts.Block == 0 {
		t.Errorf("trend %+v, %v", trend, err)
	}
	if did, err := e.scans.Next(t.Context()); did || err != nil {
		t.Errorf("something was left to do: %v", err)
	}
}

// What was released before is not held back, and to take back never is.
func TestRollbackIsFree(t *testing.T) {
	e := newEnv(t, scan.Limits{})
	for _, v := range []string{"1.0.0", "1.0.1"} {
		e.publish(v, dirty(v), e.plain(dirty(v), dirty(v)))
		if got := e.release(v); got != "" { // nothing is known yet
			t.Fatal(got)
		}
	}
	e.next("1.0.0")
	e.next("1.0.1")
	e.policy(func(p *ota.ScanPolicy) { p.Demand = ota.DemandSigned })
	if _, err := e.ctl.Rollback(t.Context(), actor, app, prod, ota.RollbackRequest{}); err != nil {
		t.Error(err)
	}
	if got := e.release("1.0.1"); got != control.CodeScanBlocked {
		t.Errorf("and forward: %q", got)
	}
}

func TestHostileBundles(t *testing.T) {
	bomb := strings.Repeat("\x00", 8<<20)
	for name, tc := range map[string]struct {
		make   func(e *env) []ota.Variant
		files  map[string]string
		blocks string
		says   string
	}{
		"the zip holds something else": {
			func(e *env) []ota.Variant { return []ota.Variant{e.plain(clean("1"), dirty("1"))} }, clean("1"), "ST-004", "other content than its list of files",
		},
		"the zip is none": {func(e *env) []ota.Variant {
			v := e.plain(clean("1"), clean("1"))
			bad := []byte("PK but no zip")
			v.Zip, v.ZipSize, v.Checksum = e.put(bad), int64(len(bad)), ota.Sum(bad).String()
			return []ota.Variant{v}
		}, clean("1"), "ST-021", "not one that all devices read alike"},
		"a stored file does not unpack": {func(e *env) []ota.Variant {
			v := e.plain(clean("1"), clean("1"))
			bad := []byte("not brotli at all")
			v.Files[0].Blob, v.Files[0].StoredSize = e.put(bad), int64(len(bad))
			return []ota.Variant{v}
		}, clean("1"), "ST-021", "does not unpack"},
		"a stored file unpacks to something else": {func(e *env) []ota.Variant {
			v := e.plain(clean("1"), clean("1"))
			other := e.plain(map[string]string{"app.js": "eval(atob(x))"}, clean("1"))
			v.Files[0].Blob, v.Files[0].StoredSize = other.Files[0].Blob, other.Files[0].StoredSize
			return []ota.Variant{v}
		}, clean("1"), "ST-021", "not the content that the bundle's list"},
		"a stored file unpacks without end": {func(e *env) []ota.Variant {
			v := e.plain(clean("1"), clean("1"))
			other := e.plain(map[string]string{"app.js": bomb}, clean("1"))
			v.Files[0].Blob, v.Files[0].StoredSize = other.Files[0].Blob, other.Files[0].StoredSize
			return []ota.Variant{v}
		}, clean("1"), "ST-021", "does not unpack"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, scan.Limits{File: 1 << 20})
			e.publish("1.0.0", tc.files, tc.make(e)...)
			v := e.next("1.0.0")
			said := slices.ContainsFunc(v.Findings, func(f ota.ScanFinding) bool { return strings.Contains(f.Message, tc.says) })
			if v.Decision != ota.ScanRefuses || !slices.Contains(rulesOf(v, ota.ScanBlock), tc.blocks) || !said {
				t.Errorf("%+v", v)
			}
		})
	}
}

// A blob that is gone is tried again, and then given up until somebody asks.
func TestScanFails(t *testing.T) {
	e := newEnv(t, scan.Limits{})
	e.policy(func(p *ota.ScanPolicy) { p.Demand = ota.DemandServer })
	v := e.plain(clean("1.0.0"), clean("1.0.0"))
	e.publish("1.0.0", clean("1.0.0"), v)
	e.do(e.blobs.Delete(t.Context(), v.Files[1].Blob))
	for attempt, want := range []ota.ScanJobState{ota.ScanWaiting, ota.ScanWaiting, ota.ScanFailed} {
		e.at = e.at.Add(time.Hour)
		if got := e.next("1.0.0"); got.Job == nil || got.Job.State != want || got.Job.Error == "" {
			t.Fatalf("attempt %d: %+v", attempt, got.Job)
		}
		if did, err := e.scans.Next(t.Context()); did || err != nil {
			t.Fatalf("it is tried again at once, %v", err)
		}
	}
	if got := e.release("1.0.0"); got != control.CodeScanMissing {
		t.Errorf("release: %q", got)
	}
	e.put([]byte(clean("1.0.0")["index.html"]))
	_, err := e.scans.Rescan(t.Context(), actor, app, "1.0.0")
	e.do(err)
	if got := e.next("1.0.0"); got.Decision != ota.ScanPasses {
		t.Errorf("%+v", got)
	}
}

func crc(text string) uint32 { return crc32.ChecksumIEEE([]byte(text)) }
