package run_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/waxwing-ota/waxwing/internal/broker"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
	"github.com/waxwing-ota/waxwing/internal/publish"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/sealeddevice"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedrepo"
)

// startBroker runs a key broker on loopback, as waxwing broker serve does: keys and
// rules come from files.
func startBroker(t *testing.T, authority []p256.Key) (*broker.Broker, string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"broker.key", "signing.key"} {
		k := sealedrepo.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
		if err := keyfile.WriteP256(filepath.Join(dir, name), k, keyfile.Secret{}); err != nil {
			t.Fatal(err)
		}
	}
	a := map[string]any{"app": app, "authority": []string{}}
	for _, k := range authority {
		a["authority"] = append(a["authority"].([]string), k.Val.Public)
	}
	path := filepath.Join(dir, "broker.json")
	raw := sealedrepo.Must(json.Marshal(map[string]any{"key": "broker.key", "signing_key": "signing.key", "apps": []any{a}}))(t)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := sealedrepo.Must(broker.Load(path))(t)
	none := func() (keyfile.Secret, error) { return keyfile.Secret{}, nil }
	key := sealedrepo.Must(keyfile.ReadP256(cfg.KeyPath(), none))(t)
	signing := sealedrepo.Must(keyfile.ReadP256(cfg.SigningKeyPath(), none))(t)
	b := sealedrepo.Must(broker.New(cfg, key, signing, time.Now, slog.New(slog.NewTextHandler(t.Output(), nil))))(t)
	l := sealedrepo.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the broker ended with: %v", err)
		}
	})
	return b, "http://" + l.Addr().String() + "/v1/grant"
}

// referenceDevice is the device of sealed updates that ships with the command line.
func referenceDevice(t *testing.T, srv *live.Server, repo *sealedrepo.Repo, dir string) *sealeddevice.Device {
	t.Helper()
	d := sealedrepo.Must(sealeddevice.New(sealeddevice.Config{
		Build: admit.Build{
			App: app, Platform: "android", Version: "1.0.0", MinClass: sealed.ClassStaging, Root: repo.RootDoc, Made: time.Now().Add(-time.Hour),
		},
		Dir: dir, Server: srv.URL, Device: sealedDevice, OS: "15", Plugin: "1.0.0", Now: time.Now,
	}))(t)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// installs checks until something is ready, and shows it.
func installs(t *testing.T, d *sealeddevice.Device, version string) sealeddevice.Loaded {
	t.Helper()
	var got sealeddevice.Checked
	for deadline := time.Now().Add(20 * time.Second); got.Seq == 0; {
		if time.Now().After(deadline) {
			t.Fatal("nothing was installed")
		}
		got = sealedrepo.Must(d.Check(t.Context()))(t)
	}
	if got.Version != version {
		t.Fatalf("installed %s, want %s", got.Version, version)
	}
	out := sealedrepo.Must(d.Switch())(t)
	if err := d.Ready(); err != nil {
		t.Fatal(err)
	}
	return out
}

// setPolicy changes the app's policy.
func setPolicy(t *testing.T, srv *live.Server, p ota.SealedPolicyPatch) {
	t.Helper()
	if _, err := srv.Client.SetSealedPolicy(t.Context(), app, p); err != nil {
		t.Fatalf("%v (%s)", err, ota.CodeOf(err))
	}
}

// pushSealed publishes an encrypted release of staging and releases it.
func pushSealed(t *testing.T, srv *live.Server, repo *sealedrepo.Repo, version string, files fs.FS) (cobblestone.Key, publish.Result) {
	t.Helper()
	var key cobblestone.Key
	r, err := publish.Push(t.Context(), srv.Client, publish.Options{
		App: app, Version: version, Channel: "production", Dir: files, TempDir: t.TempDir(), NoScan: true,
		Sealed: &publish.Sealed{
			Signer: repo.CI, Class: sealed.ClassStaging, Random: rand.Reader,
			Keep: func(_ int64, k cobblestone.Key) error { key = k; return nil },
		},
	})
	if err != nil {
		t.Fatalf("%v (%s)", err, ota.CodeOf(err))
	}
	release(t, srv, version)
	return key, r
}

// absent demands that no file below a folder holds any of the needles, and that
// present is in some file: else the search itself would be broken.
func absent(t *testing.T, dir string, needles map[string][]byte, present []byte) {
	t.Helper()
	files, found := 0, false
	err := filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		files++
		found = found || bytes.Contains(b, present)
		for what, n := range needles {
			if bytes.Contains(b, n) {
				t.Errorf("%s holds %s", filepath.Base(p), what)
			}
		}
		return nil
	})
	if err != nil || files < 4 || !found {
		t.Errorf("searched %d files (the mark was found: %v): %v", files, found, err)
	}
}

// TestSealedBroker holds what grants by a broker promise: devices get content keys
// by way of the server, and nothing that the server ever wrote opens a file.
func TestSealedBroker(t *testing.T) {
	data := t.TempDir()
	srv := live.Start(t, data, func(c *config.Config) { c.SealedPoll, c.Brokers = time.Minute, "127.0.0.1" })
	if _, err := srv.Client.CreateApp(t.Context(), ota.NewApp{ID: app, Name: "Sealed"}); err != nil {
		t.Fatal(err)
	}
	repo := sealedrepo.New(t, srv.Client, app)
	b, address := startBroker(t, repo.Trust.Authority)
	repo.Retrust(func(tr *sealed.Trust) {
		tr.Broker = append(tr.Broker, sealed.Broker{Name: "keys", HPKE: b.Point()})
		tr.Authority = append(tr.Authority, b.Signs())
	})
	open, by := ota.EnrolOpen, ota.GrantsByBroker
	setPolicy(t, srv, ota.SealedPolicyPatch{Enrolment: &open, Grants: &by, Broker: &address})

	const mark = "tuesday's secret price list"
	noise := make([]byte, 8<<10) // compressed forms hold it as it is
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	page := "<!doctype html><script src=app.js></script>" + mark
	key, pushed := pushSealed(t, srv, repo, "1.0.0", fstest.MapFS{
		"index.html": {Data: []byte(page)},
		"noise.png":  {Data: noise},
		"app.js":     {Data: []byte("CapacitorUpdater.notifyAppReady()\n" + strings.Repeat("// "+mark+"\n", 500))},
	})
	if pushed.Sealed.Custody != ota.CustodyBroker {
		t.Fatalf("the key is kept by %q", pushed.Sealed.Custody)
	}
	dir := t.TempDir()
	d := referenceDevice(t, srv, repo, dir)
	if err := d.Enrol(t.Context(), "", "", sealed.Attestation{}); err != nil {
		t.Fatalf("%v (%s)", err, ota.CodeOf(err))
	}
	shown := installs(t, d, "1.0.0")
	if got := sealedrepo.Must(os.ReadFile(filepath.Join(dir, shown.Dir, "index.html")))(t); string(got) != page {
		t.Errorf("the device shows %q", got)
	}
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw := key.Reveal()
	needles := map[string][]byte{
		"the content key": raw, "the content key in hex": []byte(hex.EncodeToString(raw)),
		"the content key in base64": []byte(base64.RawStdEncoding.EncodeToString(raw)), "a file's content": []byte(mark),
		"a page": []byte("notifyAppReady"), "a file that does not compress": noise[4000:4032],
	}
	present := []byte(pushed.Sealed.Manifest.String())
	absent(t, data, needles, present) // with the write-ahead log of a live database
	srv.Stop()
	absent(t, data, needles, present)
}

// TestSealedReports holds that what devices sign reaches the outcomes, and that with
// signed reports alone nobody else's word about a sealed release counts.
func TestSealedReports(t *testing.T) {
	srv, repo := sealedWorld(t)
	open, yes := ota.EnrolOpen, true
	setPolicy(t, srv, ota.SealedPolicyPatch{Enrolment: &open, SignedReports: &yes})
	pushSealed(t, srv, repo, "1.0.0", build("1.0.0"))
	d := referenceDevice(t, srv, repo, t.TempDir())
	if err := d.Enrol(t.Context(), "", "", sealed.Attestation{}); err != nil {
		t.Fatal(err)
	}
	installs(t, d, "1.0.0")
	if err := d.Flush(t.Context()); err != nil || d.Status().Waiting != 0 {
		t.Fatalf("%d reports wait: %v", d.Status().Waiting, err)
	}
	say := func(device, action string) {
		t.Helper()
		body := fmt.Sprintf(`{"app_id":%q,"device_id":%q,"platform":"android","action":%q,"version_name":"1.0.0","version_build":"1.0.0","version_os":"15","version_code":"1","plugin_version":"7.0.0","is_emulator":false,"is_prod":true}`, app, device, action)
		res, err := http.Post(srv.URL+"/stats", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatalf("stats: %d", res.StatusCode)
		}
	}
	counts := func() ota.OutcomeSummary {
		t.Helper()
		return sealedrepo.Must(srv.Client.OutcomeSummary(t.Context(), app, "1.0.0"))(t)
	}
	before := counts()
	if before.Offered != 1 || before.Installed != 1 || before.Healthy != 1 || before.Failed != 0 {
		t.Fatalf("of one device that signs: %+v", before)
	}
	liar := "0a000000-0000-4000-8000-00000000000f"
	for _, action := range []string{"set", "app_launch_ready", "update_fail"} {
		say(liar, action)
		say(sealedDevice, action) // under the name of one that signs
	}
	if after := counts(); after.Installed != 1 || after.Healthy != 1 || after.Failed != 0 {
		t.Errorf("unsigned reports count: %+v", after)
	}
	no := false
	setPolicy(t, srv, ota.SealedPolicyPatch{SignedReports: &no})
	say(liar, "set")
	say(liar, "update_fail")
	if after := counts(); after.Failed != 1 {
		t.Errorf("without the rule they do not count: %+v", after)
	}
}
