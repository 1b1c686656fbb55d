package scans_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
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
	"github.com/waxwing-ota/waxwing/internal/core/scan/report"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
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

// upload makes the report that a publisher would send.
func (e *env) upload(version string, files map[string]string, key *seal.PrivateKey) ota.ScanUpload {
	e.t.Helper()
	var entries []scan.Entry
	for p, text := range files {
		entries = append(entries, scan.FromBytes(p, []byte(text)))
	}
	rep, err := scan.Run(e.t.Context(), entries, scan.Options{})
	e.do(err)
	var raw, zipped bytes.Buffer
	e.do(report.JSON(&raw, rep, report.Meta{Version: "1.2.3"}))
	z := gzip.NewWriter(&zipped)
	_, err = z.Write(raw.Bytes())
	e.do(err)
	e.do(z.Close())
	in := ota.ScanUpload{Report: zipped.Bytes(), Digest: ota.Sum(raw.Bytes())}
	if key != nil {
		in.KeyID = key.Public().ID()
		in.Signature, err = key.SealStatement(ota.ScanStatementKind, ota.ScanStatement(app, version, ota.TreeDigest(treeOf(files)), in.Digest))
		e.do(err)
	}
	return in
}

func (e *env) sealed(files map[string]string, key *seal.PrivateKey) ota.Variant {
	e.t.Helper()
	s := key.EpochSession(app, 0)
	z := zipOf(e.t, files)
	v := ota.Variant{KeyID: key.Public().ID()}
	var err error
	v.SessionKey, err = key.SealSession(s)
	e.do(err)
	v.Checksum, err = key.SealHash(ota.Sum(z))
	e.do(err)
	v.ChecksumV2, err = key.SealHashV2(ota.Sum(z))
	e.do(err)
	z = s.EncryptBytes(z)
	v.Zip, v.ZipSize = e.put(z), int64(len(z))
	return v
}

func newKey(t *testing.T) *seal.PrivateKey {
	t.Helper()
	k, err := seal.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSignedReports(t *testing.T) {
	e := newEnv(t, scan.Limits{})
	key, other := newKey(t), newKey(t)
	_, err := e.ctl.RegisterKey(t.Context(), who, app, key.Public().PEM())
	e.do(err)
	e.policy(func(p *ota.ScanPolicy) { p.Demand = ota.DemandSigned })
	a, b := clean("1.0.0"), clean("1.0.1")
	e.publish("1.0.0", a, e.sealed(a, key))
	e.publish("1.0.1", b, e.sealed(b, key))
	if did, err := e.scans.Next(t.Context()); did || err != nil {
		t.Fatalf("the server tries to read what it cannot: %v", err)
	}
	if _, err := e.scans.Rescan(t.Context(), actor, app, "1.0.0"); ota.CodeOf(err) != scans.CodeUnreadable {
		t.Errorf("rescan: %v", err)
	}
	if got := e.release("1.0.0"); got != control.CodeScanMissing {
		t.Fatalf("without a report: %q", got)
	}
	send := func(version string, in ota.ScanUpload) string {
		_, _, err := e.scans.Upload(t.Context(), actor, app, version, in)
		if err == nil {
			return ""
		}
		return ota.CodeOf(err)
	}
	good := e.upload("1.0.0", a, key)
	forged := e.upload("1.0.0", a, other)
	forged.KeyID = key.Public().ID()
	elsewhere := e.upload("1.0.1", a, key) // of the right files, signed for another name
	changed := good
	changed.Digest = ota.Sum([]byte("x"))
	stolen := e.upload("1.0.0", a, nil)
	stolen.KeyID, stolen.Signature = good.KeyID, e.upload("1.0.1", b, key).Signature
	for name, tc := range map[string]struct {
		version string
		in      ota.ScanUpload
		code    string
	}{
		"another key's":          {"1.0.0", forged, scans.CodeReportSignature},
		"a key nobody knows":     {"1.0.0", e.upload("1.0.0", a, other), scans.CodeReportSignature},
		"signed for another":     {"1.0.0", elsewhere, scans.CodeReportSignature},
		"a signature of another": {"1.0.0", stolen, scans.CodeReportSignature},
		"of another bundle":      {"1.0.1", good, scans.CodeReportOther},
		"another digest":         {"1.0.0", changed, scans.CodeReportInvalid},
		"no report":              {"1.0.0", ota.ScanUpload{Report: []byte("x")}, scans.CodeReportInvalid},
		"of no bundle":           {"9.9.9", good, "bundle_not_found"},
	} {
		if got := send(tc.version, tc.in); got != tc.code {
			t.Errorf("%s: %q, want %s", name, got, tc.code)
		}
	}
	if got := send("1.0.0", e.upload("1.0.0", a, nil)); got != "" {
		t.Fatal(got)
	}
	if got := e.release("1.0.0"); got != control.CodeScanMissing {
		t.Errorf("with a report that is not signed: %q", got)
	}
	if got := send("1.0.0", good); got != "" {
		t.Fatal(got)
	}
	if got := e.release("1.0.0"); got != "" {
		t.Errorf("with a signed report: %q", got)
	}
	if _, created, err := e.scans.Upload(t.Context(), actor, app, "1.0.0", good); created || err != nil {
		t.Errorf("again: %v, %v", created, err)
	}
	// A publisher's own findings count.
	c := dirty("1.0.2")
	e.publish("1.0.2", c, e.sealed(c, key))
	if got := send("1.0.2", e.upload("1.0.2", c, key)); got != "" {
		t.Fatal(got)
	}
	if got := e.release("1.0.2"); got != control.CodeScanBlocked {
		t.Errorf("what blocks: %q", got)
	}
}

func TestSuppressions(t *testing.T) {
	e := newEnv(t, scan.Limits{})
	ada := ota.Principal{Kind: ota.PrincipalUser, Name: "ada@example.com", ID: 1, Person: 1}
	bob := ota.Principal{Kind: ota.PrincipalUser, Name: "bob@example.com", ID: 2, Person: 2}
	e.publish("1.0.0", dirty("1.0.0"), e.plain(dirty("1.0.0"), dirty("1.0.0")))
	v := e.next("1.0.0")
	var asked []ota.Suppression
	for _, f := range v.Findings {
		if f.Action != ota.ScanBlock {
			continue
		}
		s, err := e.scans.RequestSuppression(t.Context(), ada, app, ota.NewSuppression{Rule: f.Rule, Fingerprint: f.Fingerprint, Reason: "our own server", Days: 30})
		e.do(err)
		asked = append(asked, s)
	}
	if got := e.release("1.0.0"); got != control.CodeScanBlocked {
		t.Fatalf("while it waits: %q", got)
	}
	need := 1
	_, err := e.ctl.UpdateChannel(t.Context(), who, app, prod, ota.PolicyPatch{RequiredApprovals: &need})
	e.do(err)
	for _, s := range asked {
		if _, err := e.scans.DecideSuppression(t.Context(), ada, app, s.ID, true, ""); ota.CodeOf(err) != scans.CodeSuppressionOwn {
			t.Errorf("her own request: %v", err)
		}
		if _, err := e.scans.DecideSuppression(t.Context(), who, app, s.ID, true, ""); ota.CodeOf(err) != scans.CodeSuppressionOwn {
			t.Errorf("a machine: %v", err)
		}
		_, err := e.scans.DecideSuppression(t.Context(), bob, app, s.ID, true, "seen")
		e.do(err)
		if _, err := e.scans.DecideSuppression(t.Context(), bob, app, s.ID, true, ""); ota.CodeOf(err) != scans.CodeSuppressionClosed {
			t.Errorf("twice: %v", err)
		}
	}
	if got := e.verdict("1.0.0"); got.Decision != ota.ScanPasses || got.Counts.Block != 0 {
		t.Errorf("approved: %+v", got)
	}
	st, err := e.scans.Report(t.Context(), app, "1.0.0", 0)
	e.do(err)
	sarif, err := e.scans.Render(t.Context(), &st, v.Policy, scans.FormatSARIF)
	if err != nil || !bytes.Contains(sarif, []byte(`"justification": "our own server"`)) || !bytes.Contains(sarif, []byte(`"status": "accepted"`)) {
		t.Errorf("sarif %v: %s", err, sarif)
	}
	e.at = e.at.Add(31 * 24 * time.Hour)
	if got := e.verdict("1.0.0"); got.Decision != ota.ScanRefuses {
		t.Errorf("expired: %+v", got)
	}
	if items, _, err := e.scans.Suppressions(t.Context(), app, "", ota.Page{}); err != nil || len(items) != len(asked) || !items[0].Expired {
		t.Errorf("%+v, %v", items, err)
	}
	for name, in := range map[string]ota.NewSuppression{
		"no rule":   {Rule: "ST-999", Fingerprint: asked[0].Fingerprint, Reason: "x", Days: 1},
		"all of it": {Rule: "ST-004", Reason: "x", Days: 1},
		"any path":  {Rule: "ST-004", Path: "**", Reason: "x", Days: 1},
		"no reason": {Rule: "ST-004", Path: "a.js", Reason: " ", Days: 1},
		"for ever":  {Rule: "ST-004", Path: "a.js", Reason: "x", Days: 367},
		"no time":   {Rule: "ST-004", Path: "a.js", Reason: "x"},
		"no print":  {Rule: "ST-004", Fingerprint: "zz", Reason: "x", Days: 1},
	} {
		if _, err := e.scans.RequestSuppression(t.Context(), ada, app, in); ota.KindOf(err) != ota.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An action "approve" makes a release of an unprotected channel wait.
func TestApprovalOfFindings(t *testing.T) {
	e := newEnv(t, scan.Limits{})
	e.policy(func(p *ota.ScanPolicy) { p.OnBlock, p.OnWarn = ota.ScanApprove, ota.ScanWarn })
	e.publish("1.0.0", dirty("1.0.0"), e.plain(dirty("1.0.0"), dirty("1.0.0")))
	e.next("1.0.0")
	if got := e.release("1.0.0"); got != control.CodeApprovalRequired {
		t.Fatalf("%q", got)
	}
	open, _, err := e.ctl.Approvals(t.Context(), ota.ApprovalFilter{App: app, Within: ota.Reach{All: true}}, ota.Page{})
	if err != nil || len(open) != 1 || open[0].Channel != prod || open[0].Need < 1 || !bytes.Contains(open[0].Document, []byte(`"scan":{`)) {
		t.Fatalf("%+v, %v", open, err)
	}
	// With the findings gone, the request is about something that is not so.
	e.policy(func(p *ota.ScanPolicy) {
		p.Rules = map[string]string{"ST-004": "off", "WB-001": "off", "WB-007": "off"}
	})
	if d, err := e.ctl.Approval(t.Context(), who, open[0].ID); err != nil || d.State != ota.ApprovalSuperseded {
		t.Errorf("%+v, %v", d.State, err)
	}
	if got := e.release("1.0.0"); got != "" {
		t.Errorf("%q", got)
	}
}

// To loosen the policy of a protected channel takes a second person.
func TestPolicyOfProtectedChannels(t *testing.T) {
	e := newEnv(t, scan.Limits{})
	need := 1
	_, err := e.ctl.UpdateChannel(t.Context(), who, app, prod, ota.PolicyPatch{RequiredApprovals: &need})
	e.do(err)
	strict := ota.DefaultScanPolicy()
	strict.OnWarn = ota.ScanApprove
	_, err = e.ctl.SetScanPolicy(t.Context(), who, app, "", &strict)
	e.do(err)
	loose := ota.DefaultScanPolicy()
	for _, channel := range []string{"", prod} {
		if _, err := e.ctl.SetScanPolicy(t.Context(), who, app, channel, &loose); ota.CodeOf(err) != control.CodeApprovalRequired {
			t.Errorf("%q: %v", channel, err)
		}
	}
	// With a policy of its own the channel does not care for the app's.
	_, err = e.ctl.SetScanPolicy(t.Context(), who, app, prod, &strict)
	e.do(err)
	_, err = e.ctl.SetScanPolicy(t.Context(), who, app, "", &loose)
	e.do(err)
	if _, err := e.ctl.SetScanPolicy(t.Context(), who, app, prod, nil); ota.CodeOf(err) != control.CodeApprovalRequired {
		t.Errorf("taking its own away: %v", err)
	}
	p, err := e.ctl.ScanPolicy(t.Context(), app, prod)
	if err != nil || p.From != ota.PolicyChannel || p.OnWarn != ota.ScanApprove {
		t.Errorf("%+v, %v", p, err)
	}
}

func crc(text string) uint32 { return crc32.ChecksumIEEE([]byte(text)) }
