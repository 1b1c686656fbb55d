package run_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/publish"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedrepo"
)

// keeper is a server with somebody who takes content keys into custody.
type keeper struct {
	*client.Client
	key *ecdh.PrivateKey
}

func (k keeper) SealedRecipient(context.Context, string) (ota.SealedRecipient, error) {
	return ota.SealedRecipient{App: app, Custody: ota.CustodyServer, HPKE: hex.EncodeToString(k.key.PublicKey().Bytes())}, nil
}

// build is a web build whose large file changes a little from version to version.
func build(version string) fs.FS {
	var b strings.Builder
	b.WriteString("CapacitorUpdater.notifyAppReady()\n")
	for i := range 4000 {
		fmt.Fprintf(&b, "line %d of a program that hardly changes\n", i*7919)
	}
	b.WriteString("// " + version)
	return fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html><title>" + version + "</title><script src=app.js></script>")},
		"app.js":     {Data: []byte(b.String())},
		"logo.svg":   {Data: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")},
	}
}

// TestSealedPush holds what the command line does for a sealed release: each
// content is stored once, a second push of the same does nothing, the next
// release costs what changed, and what was stored opens under the epoch's key.
func TestSealedPush(t *testing.T) {
	srv, repo := sealedWorld(t)
	custody, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := keeper{srv.Client, custody}
	var key cobblestone.Key
	var epoch int64
	push := func(version string, change func(*publish.Sealed)) publish.Result {
		t.Helper()
		s := &publish.Sealed{
			Signer: repo.CI, Class: sealed.ClassStaging, Random: rand.Reader, Key: key, Epoch: epoch,
			Keep: func(n int64, k cobblestone.Key) error { epoch, key = n, k; return nil },
		}
		if change != nil {
			change(s)
		}
		r, err := publish.Push(t.Context(), server, publish.Options{
			App: app, Version: version, Channel: "production", Dir: build(version), Sealed: s, TempDir: t.TempDir(), NoScan: true,
		})
		if err != nil {
			t.Fatalf("%v (%s)", err, ota.CodeOf(err))
		}
		return r
	}
	one := push("1.0.0", nil)
	if s := one.Sealed; !one.Created || !s.Created || !s.Approved || s.Seq != 1 || s.Epoch != 1 || s.Custody != ota.CustodyServer || s.Uploaded.Count < 3 || len(one.Variants) != 0 {
		t.Errorf("first: %+v %+v", one, s)
	}
	again := push("1.0.0", nil)
	if s := again.Sealed; again.Created || s.Created || !s.Approved || s.Manifest != one.Sealed.Manifest || s.Uploaded.Count != 0 {
		t.Errorf("again: %+v", s)
	}
	two := push("1.1.0", nil)
	if s := two.Sealed; s.Seq != 2 || s.Epoch != 1 || s.Reused.Count == 0 || s.Patches.Count < 2 || s.Custody != "" {
		t.Errorf("second: %+v", s)
	}
	opens(t, repo.Client, two.Sealed.Manifest, key)
	m := sealedrepo.Must(sealed.Parse[sealed.Manifest](sealedrepo.Must(srv.Client.TrustTarget(t.Context(), app, two.Sealed.Manifest.String()))(t)))(t)
	m.Seq = 99
	other := ota.NewSealedManifest{
		SHA256: repo.Blob(sealedrepo.Must(sealed.Encode(m))(t)),
		Keys:   []ota.SealedKey{{Epoch: 1, Custody: ota.CustodyServer, Wrapped: []byte("another key")}},
	}
	if _, _, err := srv.Client.AddSealedManifest(t.Context(), app, other); ota.CodeOf(err) != ota.CodeSealedEpoch {
		t.Errorf("a second key of an epoch: %v", err)
	}

	d := repo.Device(srv.URL, sealedDevice)
	if out := asks(t, d, sealed.ActionInstall); out.Plan.Manifest().Version != "1.1.0" {
		t.Errorf("given %s", out.Plan.Manifest().Version)
	}
	alone := push("1.2.0", func(s *publish.Sealed) { s.NoDedupe, s.Keep = true, nil })
	if s := alone.Sealed; s.Epoch != 2 || s.Reused.Count != 0 {
		t.Errorf("alone: %+v", s)
	}
	waits := push("1.3.0", func(s *publish.Sealed) { s.Class, s.Signer, s.NoEncrypt = sealed.ClassProduction, nil, true })
	if s := waits.Sealed; s.Approved || s.Epoch != 0 || !strings.Contains(fmt.Sprint(waits.Warnings), "sealed_waits") {
		t.Errorf("production: %+v %v", s, waits.Warnings)
	}
}

// TestSealedReplacedBlob holds that bytes which somebody replaced on the server's
// disk are found, and are refused by name where they are uploaded.
func TestSealedReplacedBlob(t *testing.T) {
	data := t.TempDir()
	srv := live.Start(t, data, nil)
	if _, err := srv.Client.CreateApp(t.Context(), ota.NewApp{ID: app, Name: "Sealed"}); err != nil {
		t.Fatal(err)
	}
	repo := sealedrepo.New(t, srv.Client, app)
	one := repo.Push("1.0.0", sealed.ClassProduction, web("1.0.0"), nil)
	sum := ota.Sum(web("1.0.0")["app.js"])
	if complete, err := srv.Client.PutBlob(t.Context(), app, ota.Sum([]byte("new")), 0, strings.NewReader("other")); err == nil && complete {
		t.Error("other bytes were taken under the name")
	}
	published := publish.Published{App: app, Version: "1.0.0"}
	if rep, err := publish.VerifyAll(t.Context(), srv.Client, published, cobblestone.Key{}); err != nil || !rep.OK || len(rep.Sealed) != 1 {
		t.Fatalf("before: %+v %v", rep, err)
	}
	path := ""
	if err := filepath.WalkDir(data, func(p string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(p, sum.String()[2:]) {
			path = p
		}
		return err
	}); err != nil || path == "" {
		t.Fatal("the blob is not on the disk", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), len(web("1.0.0")["app.js"])), 0o600); err != nil {
		t.Fatal(err)
	}
	rep, err := publish.VerifySealed(t.Context(), srv.Client, app, one.SHA256, cobblestone.Key{})
	if err != nil || rep.OK || len(rep.Problems) != 1 || rep.Problems[0].Object != "app.js" {
		t.Errorf("after: %+v %v", rep, err)
	}
}

// opens decrypts what a manifest lists.
func opens(t *testing.T, c publish.Opener, manifest ota.Digest, key cobblestone.Key) {
	t.Helper()
	rep, err := publish.VerifySealed(t.Context(), c, app, manifest, key)
	if err != nil || !rep.OK || rep.Files.Count != 3 || rep.Patches.Count < 2 {
		t.Errorf("%+v %v", rep, err)
	}
}
