package control_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	"github.com/waxwing-ota/waxwing/internal/driver/blob/mem"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

const (
	app   = "com.example.shop"
	actor = ota.Actor("token:test")
	prod  = control.FirstChannel
)

// who is the principal of actor.
var who = ota.Principal{Kind: ota.PrincipalToken, Name: "test"}

// env is a service on a real database with a clock that tests move.
type env struct {
	*control.Service
	t     testing.TB
	db    *sqlstore.DB
	blobs blob.Store
	snap  *snap.Holder

	mu sync.Mutex
	at time.Time
}

func (e *env) now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.at
}

func (e *env) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at = e.at.Add(d)
}

// newEnv has the app already.
func newEnv(t testing.TB) *env {
	t.Helper()
	e := &env{t: t, at: time.UnixMilli(1_750_000_000_000)}
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "waxwing.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	e.db, e.blobs, e.snap = db, mem.New(e.now), snap.NewHolder(db)
	e.Service = control.New(control.Deps{Store: db, Blobs: e.blobs, Snap: e.snap, Now: e.now, Rand: rand.Reader})
	if _, err := e.CreateApp(t.Context(), actor, ota.NewApp{ID: app}); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *env) ctx() context.Context { return e.t.Context() }

// do fails the test on an error.
func (e *env) do(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// keyPair makes two pairs once: that takes a while.
var keyPair = sync.OnceValue(func() [2]*seal.PrivateKey {
	var k [2]*seal.PrivateKey
	for i := range k {
		var err error
		if k[i], err = seal.GenerateKey(rand.Reader); err != nil {
			panic(err)
		}
	}
	return k
})

// web is a small web build with the special cases of file lists.
func web(version string) map[string]string {
	return map[string]string{
		"index.html":   "<html>" + version,
		"js/app.js":    "app",
		"empty.css":    "",
		"packed.js.br": "brotli already",
	}
}

func treeOf(files map[string]string) []ota.TreeFile {
	var tree []ota.TreeFile
	for p, text := range files {
		tree = append(tree, ota.TreeFile{Path: p, Hash: ota.Sum([]byte(text)), Size: int64(len(text))})
	}
	slices.SortFunc(tree, func(a, b ota.TreeFile) int { return strings.Compare(a.Path, b.Path) })
	return tree
}

// put uploads a blob.
func (e *env) put(b []byte) ota.Digest {
	e.t.Helper()
	d := ota.Sum(b)
	complete, err := e.PutBlob(e.ctx(), app, d, 0, bytes.NewReader(b))
	if err != nil || !complete {
		e.t.Fatalf("put: %v, %v", complete, err)
	}
	return d
}

// variant packs files for a key, or plain, and uploads what it needs.
func (e *env) variant(files map[string]string, key *seal.PrivateKey) ota.Variant {
	e.t.Helper()
	zip := []byte("zip of")
	for _, f := range treeOf(files) {
		zip = append(append(zip, f.Path...), files[f.Path]...)
	}
	sum := ota.Sum(zip)
	va := ota.Variant{Checksum: sum.String()}
	var s seal.Session
	if key != nil {
		s = key.EpochSession(app, 1)
		va.KeyID = key.Public().ID()
		va.SessionKey = must(key.SealSession(s))
		va.Checksum = must(key.SealHash(sum))
		va.ChecksumV2 = must(key.SealHashV2(sum))
		zip = s.EncryptBytes(zip)
	}
	va.Zip, va.ZipSize = e.put(zip), int64(len(zip))
	for _, f := range treeOf(files) {
		force := key != nil && f.Size == 0
		stored, brotli := pack.Encode(f.Path, []byte(files[f.Path]), force)
		vf := ota.VariantFile{Name: pack.WireName(f.Path, brotli), WireHash: f.Hash.String(), Hash: f.Hash, Size: f.Size, Brotli: brotli}
		if key != nil {
			stored = s.EncryptBytes(stored)
			vf.WireHash = must(key.SealHash(f.Hash))
		}
		vf.Blob, vf.StoredSize = e.put(stored), int64(len(stored))
		va.Files = append(va.Files, vf)
	}
	return va
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// bundle makes a request to publish a version, plain without keys.
func (e *env) bundle(version string, keys ...*seal.PrivateKey) ota.NewBundle {
	e.t.Helper()
	files := web(version)
	in := ota.NewBundle{Version: version, Tree: treeOf(files)}
	for _, k := range keys {
		in.Variants = append(in.Variants, e.variant(files, k))
	}
	if len(keys) == 0 {
		in.Variants = append(in.Variants, e.variant(files, nil))
	}
	return in
}

// publish publishes versions.
func (e *env) publish(versions ...string) {
	e.t.Helper()
	for _, v := range versions {
		if _, created, err := e.CreateBundle(e.ctx(), actor, app, e.bundle(v)); err != nil || !created {
			e.t.Fatalf("publish %s: %v, %v", v, created, err)
		}
	}
}

// release puts versions on the first channel, one after the other.
func (e *env) release(versions ...string) {
	e.t.Helper()
	for _, v := range versions {
		e.pass(time.Minute)
		if _, done, err := e.Release(e.ctx(), who, app, prod, ota.ReleaseRequest{Version: v}); err != nil || !done {
			e.t.Fatalf("release %s: %v, %v", v, done, err)
		}
	}
}

// chain lists the versions of a channel's snapshot, "builtin" for none.
func (e *env) chain(channel string) []string {
	var out []string
	for _, r := range e.snap.App(app).ChannelByName(channel).Chain {
		if r.Bundle == nil {
			out = append(out, ota.Builtin)
		} else {
			out = append(out, r.Bundle.Version)
		}
	}
	return out
}

// wantCode checks an error's code, and that it tells what to do where that is asked.
func wantCode(t testing.TB, err error, code string) *ota.Error {
	t.Helper()
	e, ok := errors.AsType[*ota.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("err = %v (%s), want code %s", err, ota.CodeOf(err), code)
	}
	return e
}
