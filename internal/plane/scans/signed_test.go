package scans_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/core/scan/report"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/scans"
)

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
