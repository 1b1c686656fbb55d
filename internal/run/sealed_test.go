package run_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedrepo"
)

const sealedDevice = "0a000000-0000-4000-8000-000000000001"

func sealedWorld(t *testing.T) (*live.Server, *sealedrepo.Repo) {
	srv := live.Start(t, "", func(c *config.Config) { c.SealedPoll = time.Minute })
	if _, err := srv.Client.CreateApp(t.Context(), ota.NewApp{ID: app, Name: "Sealed"}); err != nil {
		t.Fatal(err)
	}
	return srv, sealedrepo.New(t, srv.Client, app)
}

// asks checks until the log has signed what was approved: that is within a
// second, and there is no other sign of it.
func asks(t *testing.T, d *sealedrepo.Device, action string) admit.Decision {
	t.Helper()
	var out admit.Decision
	for deadline := time.Now().Add(20 * time.Second); ; {
		var err error
		if out, err = d.Check(); err != nil {
			t.Fatalf("%v (%s)", err, ota.CodeOf(err))
		}
		if out.Action == action || time.Now().After(deadline) {
			break
		}
	}
	if out.Action != action {
		t.Fatalf("told to %s, want %s", out.Action, action)
	}
	d.Install(out)
	return out
}

func release(t *testing.T, srv *live.Server, version string) {
	t.Helper()
	if _, _, err := srv.Client.Release(t.Context(), app, "production", ota.ReleaseRequest{Version: version}); err != nil {
		t.Fatal(err)
	}
}

// TestSealedStory goes from a root of trust to an installed bundle and back, with
// the device's own verification at the other end.
func TestSealedStory(t *testing.T) {
	srv, repo := sealedWorld(t)
	d := repo.Device(srv.URL, sealedDevice)
	asks(t, d, sealed.ActionStay) // nothing was released

	one := repo.Push("1.0.0", sealed.ClassStaging, web("1.0.0"), nil)
	release(t, srv, "1.0.0")
	if out := asks(t, d, sealed.ActionStay); out.Plan != nil {
		t.Fatal("a bundle was given that nobody approved")
	}
	repo.Approve(one)
	if out := asks(t, d, sealed.ActionInstall); out.Plan.Manifest().Version != "1.0.0" {
		t.Errorf("given %s", out.Plan.Manifest().Version)
	}
	asks(t, d, sealed.ActionStay)
	if d.Size >= 2048 || d.Answer.Timestamp != nil {
		t.Errorf("nothing new takes %d bytes", d.Size)
	}
	t.Logf("an unchanged check is answered with %d bytes", d.Size)

	two := repo.Push("1.1.0", sealed.ClassProduction, web("1.1.0"), nil)
	repo.Approve(two)
	bps := 10_000
	if _, err := srv.Client.SetRollout(t.Context(), app, "production", ota.RolloutRequest{Version: "1.1.0", BPS: &bps}); err != nil {
		t.Fatal(err)
	}
	out := asks(t, d, sealed.ActionInstall)
	if out.Rollout == "" || out.Arm != sealed.ArmTreated || out.Plan.Manifest().Version != "1.1.0" {
		t.Errorf("rolled out: %+v", out)
	}
	paused := true
	if _, err := srv.Client.SetRollout(t.Context(), app, "production", ota.RolloutRequest{Paused: &paused}); err != nil {
		t.Fatal(err)
	}
	asks(t, d, sealed.ActionStay)
	fresh := repo.Device(srv.URL, "0a000000-0000-4000-8000-000000000002")
	if out := asks(t, fresh, sealed.ActionInstall); out.Plan.Manifest().Version != "1.0.0" {
		t.Errorf("a new device of a paused rollout is given %s", out.Plan.Manifest().Version)
	}
	release(t, srv, "1.1.0")
	probed, err := srv.Client.Probe(t.Context(), app, ota.ProbeRequest{Platform: "android", Native: "1.0.0"})
	if err != nil || len(probed.Trace) == 0 || !strings.Contains(probed.Trace[len(probed.Trace)-1].Detail, "would have it install 1.1.0") {
		t.Errorf("a probe says %+v, %v", probed.Trace, err)
	}
	asks(t, fresh, sealed.ActionInstall)
	if _, err := srv.Client.Rollback(t.Context(), app, "production", ota.RollbackRequest{To: "1.0.0"}); err != nil {
		t.Fatal(err)
	}
	if out := asks(t, d, sealed.ActionInstall); out.Plan.Manifest().Version != "1.0.0" {
		t.Errorf("rolled back to %s", out.Plan.Manifest().Version)
	}
	if _, err := srv.Client.Rollback(t.Context(), app, "production", ota.RollbackRequest{To: ota.Builtin}); err != nil {
		t.Fatal(err)
	}
	asks(t, d, sealed.ActionBuiltin)
	asks(t, d, sealed.ActionStay)
}

// TestSealedFloor holds that what devices would refuse is refused where somebody
// asks for it.
func TestSealedFloor(t *testing.T) {
	srv, repo := sealedWorld(t)
	d := repo.Device(srv.URL, sealedDevice)
	one := repo.Push("1.0.0", sealed.ClassProduction, web("1.0.0"), nil)
	two := repo.Push("1.1.0", sealed.ClassProduction, web("1.1.0"), func(m *sealed.Manifest) { m.Floor = m.Seq })
	repo.Approve(one)
	repo.Approve(two)
	release(t, srv, "1.0.0")
	asks(t, d, sealed.ActionInstall)
	release(t, srv, "1.1.0")
	asks(t, d, sealed.ActionInstall)
	_, err := srv.Client.Rollback(t.Context(), app, "production", ota.RollbackRequest{To: "1.0.0"})
	if ota.CodeOf(err) != ota.CodeSealedFloor {
		t.Fatalf("a rollback below the floor: %v", err)
	}
	r, err := srv.Client.Rollback(t.Context(), app, "production", ota.RollbackRequest{}) // to whatever can be
	if err != nil || r.Version != ota.Builtin {
		t.Errorf("rolled back to %s, %v", r.Version, err)
	}
	asks(t, d, sealed.ActionBuiltin)
	repo.Retrust(func(tr *sealed.Trust) { tr.Floor = two.Manifest.Seq })
	if _, _, err := srv.Client.Release(t.Context(), app, "production", ota.ReleaseRequest{Version: "1.0.0"}); ota.CodeOf(err) != ota.CodeSealedFloor {
		t.Errorf("a release below the floor: %v", err)
	}
	repo.Trust.Floor--
	repo.Trust.Version++
	lower, err := sealed.Encode(&repo.Trust)
	if err != nil {
		t.Fatal(err)
	}
	if err := put(t, srv, ota.TrustRoleTargets, targetsWith(t, repo, lower), lower); ota.CodeOf(err) != ota.CodeTrustMetadata {
		t.Errorf("a trust.json that lowers the floor: %v", err)
	}
}

func targetsWith(t *testing.T, repo *sealedrepo.Repo, trust []byte) []byte {
	t.Helper()
	have, err := repo.Client.TrustMetadata(t.Context(), app, ota.TrustRoleTargets, 0)
	if err != nil {
		t.Fatal(err)
	}
	doc := sealedrepo.Must(tuf.ParseTargets(have.Document))(t)
	plan := doc.Plan()
	plan.Targets[tuf.TrustPath] = sealedrepo.Must(tuf.File(tuf.TrustPath, trust))(t)
	return sealedrepo.Must(tuf.Sign(t.Context(), sealedrepo.Must(doc.Next(plan))(t), repo.Release[:2]...))(t)
}

func put(t *testing.T, srv *live.Server, role string, document []byte, files ...[]byte) error {
	_, err := srv.Client.PublishTrust(t.Context(), app, role, ota.TrustUpload{Document: document, Files: files})
	return err
}

// TestSealedAttacks tries what somebody with a token, or a copy of old documents,
// can try at the seams. Nothing of it may change what devices are told.
func TestSealedAttacks(t *testing.T) {
	srv, repo := sealedWorld(t)
	one := repo.Push("1.0.0", sealed.ClassProduction, web("1.0.0"), nil)
	_, few := repo.List(one, repo.Release[0])
	_, wrong := repo.List(one, repo.Release[0], repo.CI)
	_, good := repo.List(one)
	before, err := srv.Client.TrustMetadata(t.Context(), app, ota.TrustRoleTargets, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		role string
		doc  []byte
		code string
	}{
		"one key short":        {ota.TrustRoleTargets, few, ota.CodeTrustThreshold},
		"a key of another":     {ota.TrustRoleTargets, wrong, ota.CodeTrustThreshold},
		"the same again":       {ota.TrustRoleTargets, before.Document, ota.CodeTrustVersion},
		"as another role":      {ota.TrustRoleStaging, good, ota.CodeTrustVersion},
		"as the root":          {ota.TrustRoleRoot, good, ota.CodeTrustMetadata},
		"the first root":       {ota.TrustRoleRoot, repo.RootDoc, ota.CodeTrustVersion},
		"snapshot":             {ota.TrustRoleSnapshot, good, ota.CodeTrustMetadata},
		"a byte was changed":   {ota.TrustRoleTargets, bytes.Replace(good, []byte(`"seq":1`), []byte(`"seq":2`), 1), ota.CodeTrustMetadata},
		"not canonical":        {ota.TrustRoleTargets, append(slices.Clip(good), '\n'), ota.CodeTrustMetadata},
		"no document at all":   {ota.TrustRoleTargets, []byte("{}"), ota.CodeTrustMetadata},
		"a role of nobody":     {"mirror", good, "parameter_invalid"},
		"trust.json by itself": {ota.TrustRoleTrust, []byte("{}"), ota.CodeTrustMetadata},
	} {
		if err := put(t, srv, c.role, c.doc); err == nil || c.code != "parameter_invalid" && ota.CodeOf(err) != c.code {
			t.Errorf("%s: %v (%s), want %s", name, err, ota.CodeOf(err), c.code)
		}
	}
	other := "com.example.other"
	if _, err := srv.Client.CreateApp(t.Context(), ota.NewApp{ID: other, Name: "Other"}); err != nil {
		t.Fatal(err)
	}
	theirs := sealedrepo.New(t, srv.Client, other)
	_, foreign := theirs.List(theirs.Push("1.0.0", sealed.ClassProduction, web("1.0.0"), nil))
	if err := put(t, srv, ota.TrustRoleTargets, foreign); ota.CodeOf(err) != ota.CodeTrustThreshold {
		t.Errorf("targets of another app: %v", err)
	}
	after, err := srv.Client.TrustMetadata(t.Context(), app, ota.TrustRoleTargets, 0)
	if err != nil || after.Sha256 != before.Sha256 {
		t.Errorf("something was published: %v", err)
	}
	if err := put(t, srv, ota.TrustRoleTargets, good); err != nil {
		t.Errorf("the good one: %v (%s)", err, ota.CodeOf(err))
	}
}

// TestSealedManifestRefused holds what a manifest must be to be registered.
func TestSealedManifestRefused(t *testing.T) {
	srv, repo := sealedWorld(t)
	one := repo.Push("1.0.0", sealed.ClassStaging, web("1.0.0"), nil)
	for name, c := range map[string]struct {
		change func(m *sealed.Manifest)
		code   string
	}{
		"a number again":     {func(*sealed.Manifest) {}, ota.CodeSealedSeq},
		"another app":        {func(m *sealed.Manifest) { m.Seq, m.App = 5, "com.example.other" }, ota.CodeSealedManifest},
		"unknown version":    {func(m *sealed.Manifest) { m.Seq, m.Version = 5, "9.9.9" }, "bundle_not_found"},
		"a file less":        {func(m *sealed.Manifest) { m.Seq, m.Files = 5, m.Files[1:] }, ota.CodeSealedManifest},
		"an epoch of nobody": {func(m *sealed.Manifest) { m.Seq = 5; encrypted(m) }, ota.CodeSealedEpoch},
	} {
		m := one.Manifest
		m.Files = append([]sealed.File{}, m.Files...)
		m.Scan = strings.Repeat("ab", 32) // other bytes
		c.change(&m)
		m.Tree = sealed.TreeHash(m.Files)
		sum := repo.Blob(sealedrepo.Must(sealed.Encode(&m))(t))
		if _, _, err := srv.Client.AddSealedManifest(t.Context(), app, ota.NewSealedManifest{SHA256: sum}); ota.CodeOf(err) != c.code {
			t.Errorf("%s: %v (%s), want %s", name, err, ota.CodeOf(err), c.code)
		}
	}
	if _, _, err := srv.Client.AddSealedManifest(t.Context(), app, ota.NewSealedManifest{SHA256: ota.Sum([]byte("x"))}); ota.CodeOf(err) != ota.CodeSealedBlob {
		t.Errorf("bytes that are not there: %v", err)
	}
	if _, created, err := srv.Client.AddSealedManifest(t.Context(), app, ota.NewSealedManifest{SHA256: one.SHA256}); created || err != nil {
		t.Errorf("the same again: %v %v", created, err)
	}
}

func encrypted(m *sealed.Manifest) {
	m.Encryption = sealed.Encryption{Mode: sealed.EncryptionCobblestone, Epoch: 1, Dedupe: true}
	for i := range m.Files {
		f := &m.Files[i]
		f.EncSize = f.EncSize + 72
	}
}

// TestSealedFiles holds how files are served: as TUF clients and mirrors ask for
// them, in ranges, for ever, and no others.
func TestSealedFiles(t *testing.T) {
	srv, repo := sealedWorld(t)
	one := repo.Push("1.0.0", sealed.ClassProduction, web("1.0.0"), nil)
	page := ota.Sum(web("1.0.0")["index.html"]).String()
	get := func(path string, header ...string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, srv.URL+"/sealed/v1/"+app+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(res.Body); err != nil {
			t.Fatal(err)
		}
		return res, b.String()
	}
	manifest := "/targets/" + tuf.TargetFileName(sealed.TargetPath(sealed.ClassProduction, app, 1), one.SHA256.String())
	for _, path := range []string{"/blobs/" + page, manifest} {
		if res, _ := get(path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s before it is approved: %d", path, res.StatusCode)
		}
	}
	repo.Approve(one)
	for _, path := range []string{"/metadata/1.root.json", "/metadata/1.targets.json", "/metadata/2.targets.json", "/metadata/1.snapshot.json", "/blobs/" + page, manifest} {
		res, body := get(path)
		if res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") || res.Header.Get("ETag") != `"`+ota.Sum([]byte(body)).String()+`"` {
			t.Errorf("%s: %d %v", path, res.StatusCode, res.Header)
		}
	}
	res, body := get("/metadata/timestamp.json")
	if res.StatusCode != http.StatusOK || strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("timestamp: %d %v", res.StatusCode, res.Header)
	}
	if res, _ := get("/metadata/timestamp.json", "If-None-Match", res.Header.Get("ETag")); res.StatusCode != http.StatusNotModified {
		t.Errorf("timestamp again: %d", res.StatusCode)
	}
	if res, part := get("/blobs/"+page, "Range", "bytes=2-5"); res.StatusCode != http.StatusPartialContent || part != string(web("1.0.0")["index.html"][2:6]) {
		t.Errorf("a range: %d %q", res.StatusCode, part)
	}
	for _, path := range []string{
		"/metadata/0.root.json", "/metadata/01.root.json", "/metadata/9.root.json", "/metadata/1.timestamp.json", "/metadata/1.trust.json", "/metadata/..%2f1.root.json",
		"/blobs/" + strings.Repeat("ab", 32), "/blobs/" + strings.ToUpper(page), "/blobs/x", "/targets/x", "/targets/" + one.SHA256.String() + ".1.manifest",
		strings.Replace(manifest, app, "com.example.other", 1),
	} {
		if res, _ := get(path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	_ = body
}
