// Package sealedrepo is what the people behind an app's sealed updates do, for
// tests: they hold the keys of a root, of the release role and of a CI job, and
// publish over the API of a live server.
//
// It must never be used outside of tests.
package sealedrepo

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Repo is an app with the keys of its people.
type Repo struct {
	T      testing.TB
	Client *client.Client
	App    string

	Root    []p256.Signer // 2 of 3
	Release []p256.Signer // 2 of 3
	CI      p256.Signer   // of staging

	RootDoc []byte // the first root, which native apps have compiled in
	Trust   sealed.Trust
	targets tuf.Targets
	staging *tuf.Targets
	trusted []byte // trust.json
}

// Signers makes keys.
func Signers(t testing.TB, n int) []p256.Signer {
	t.Helper()
	out := make([]p256.Signer, n)
	for i := range out {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = p256.Software(key)
	}
	return out
}

// Publics are the public halves.
func Publics(list []p256.Signer) []p256.Key {
	out := make([]p256.Key, len(list))
	for i, s := range list {
		out[i] = s.Public()
	}
	return out
}

func keysOf(t testing.TB, list []ota.TrustKey) []p256.Key {
	t.Helper()
	out := make([]p256.Key, len(list))
	for i, k := range list {
		out[i] = Must(p256.ParsePEM(k.Public))(t)
	}
	return out
}

// Must hands a value on or ends the test.
func Must[V any](v V, err error) func(testing.TB) V {
	return func(t testing.TB) V {
		t.Helper()
		if err != nil {
			t.Fatalf("%v (%s)", err, ota.CodeOf(err))
		}
		return v
	}
}

// New publishes the first root and targets of an app, which must exist.
func New(t testing.TB, c *client.Client, app string) *Repo {
	t.Helper()
	r := &Repo{T: t, Client: c, App: app, Root: Signers(t, 3), Release: Signers(t, 3), CI: Signers(t, 1)[0]}
	online := Must(c.Trust(t.Context(), app))(t).Online
	root := Must(tuf.NewRoot(tuf.RootPlan{
		Expires:   time.Now().Add(365 * 24 * time.Hour),
		Root:      tuf.Keys{Keys: Publics(r.Root), Threshold: 2},
		Targets:   tuf.Keys{Keys: Publics(r.Release), Threshold: 2},
		Snapshot:  tuf.Keys{Keys: keysOf(t, online.Snapshot), Threshold: 1},
		Timestamp: tuf.Keys{Keys: keysOf(t, online.Timestamp), Threshold: 1},
	}))(t)
	r.RootDoc = Must(tuf.Sign(t.Context(), root, r.Root[:2]...))(t)
	r.Publish(ota.TrustRoleRoot, r.RootDoc)
	r.Trust = sealed.Trust{
		Version: 1, App: app, Director: keysOf(t, online.Director), Authority: keysOf(t, online.Authority),
		Log:          sealed.TrustLog{Name: online.Log.Name, Ed25519: online.Log.Ed25519, P256: keysOf(t, []ota.TrustKey{online.Log.P256})[0]},
		Witnesses:    sealed.Witnesses{Keys: []sealed.Witness{}},
		Broker:       []sealed.Broker{},
		MinAssurance: sealed.AssuranceNone, MinClass: sealed.ClassStaging,
	}
	r.trusted = Must(sealed.Encode(&r.Trust))(t)
	r.targets = Must(tuf.NewTargets(tuf.TargetsPlan{
		Expires: r.expiry(), Targets: map[string]tuf.TargetFile{tuf.TrustPath: Must(tuf.File(tuf.TrustPath, r.trusted))(t)},
		Delegations: []tuf.Delegation{{Name: tuf.RoleStaging, Keys: tuf.Keys{Keys: []p256.Key{r.CI.Public()}, Threshold: 1}, Paths: []string{tuf.StagingPaths}}},
	}))(t)
	r.Publish(ota.TrustRoleTargets, Must(tuf.Sign(t.Context(), r.targets, r.Release[:2]...))(t), r.trusted)
	return r
}

func (r *Repo) expiry() time.Time { return time.Now().Add(90 * 24 * time.Hour) }

// Publish puts a document in force, or ends the test.
func (r *Repo) Publish(role string, document []byte, files ...[]byte) ota.TrustPublished {
	r.T.Helper()
	return Must(r.Client.PublishTrust(context.WithoutCancel(r.T.Context()), r.App, role, ota.TrustUpload{Document: document, Files: files}))(r.T)
}

// Bundle is what was pushed.
type Bundle struct {
	Version  string
	Manifest sealed.Manifest
	Body     []byte // of the manifest
	SHA256   ota.Digest
}

// Push publishes files, not encrypted, under a version and registers a manifest
// of the class. change, if not nil, changes the manifest before.
func (r *Repo) Push(version, class string, files map[string][]byte, change func(*sealed.Manifest)) Bundle {
	r.T.Helper()
	ctx := r.T.Context()
	place := Must(r.Client.SealedPlace(ctx, r.App))(r.T)
	m := sealed.Manifest{
		Suite: sealed.SuiteS1, App: r.App, Platforms: []string{"android", "electron", "ios"}, Version: version, Seq: place.NextSeq,
		Class: class, Native: sealed.Native{Min: "0.0.0"}, Created: canon.At(time.Now()),
		Encryption: sealed.Encryption{Mode: sealed.EncryptionNone}, Patches: []sealed.Patch{},
	}
	in := ota.NewBundle{Version: version, SealedOnly: true}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		b := files[path]
		sum := ota.Sum(b)
		r.Blob(b)
		in.Tree = append(in.Tree, ota.TreeFile{Path: path, Hash: sum, Size: int64(len(b))})
		m.Files = append(m.Files, sealed.File{Path: path, Size: int64(len(b)), SHA256: sum.String(), Blob: sum.String(), EncSize: int64(len(b))})
	}
	m.Tree = sealed.TreeHash(m.Files)
	if change != nil {
		change(&m)
	}
	if _, _, err := r.Client.CreateBundle(ctx, r.App, in); err != nil {
		r.T.Fatalf("%v (%s)", err, ota.CodeOf(err))
	}
	b := Bundle{Version: version, Manifest: m, Body: Must(sealed.Encode(&m))(r.T)}
	b.SHA256 = r.Blob(b.Body)
	if _, _, err := r.Client.AddSealedManifest(ctx, r.App, ota.NewSealedManifest{SHA256: b.SHA256}); err != nil {
		r.T.Fatalf("%v (%s)", err, ota.CodeOf(err))
	}
	return b
}

// Blob uploads bytes.
func (r *Repo) Blob(b []byte) ota.Digest {
	r.T.Helper()
	sum := ota.Sum(b)
	if _, err := r.Client.PutBlob(r.T.Context(), r.App, sum, 0, bytes.NewReader(b)); err != nil {
		r.T.Fatalf("%v (%s)", err, ota.CodeOf(err))
	}
	return sum
}

// List returns the next document of the bundle's role that lists it, signed by
// signers; none = as many as the role needs.
func (r *Repo) List(b Bundle, signers ...p256.Signer) (role string, document []byte) {
	r.T.Helper()
	path := sealed.TargetPath(b.Manifest.Class, r.App, b.Manifest.Seq)
	file := Must(tuf.File(path, b.Body))(r.T)
	if b.Manifest.Class == sealed.ClassStaging {
		if len(signers) == 0 {
			signers = []p256.Signer{r.CI}
		}
		return ota.TrustRoleStaging, Must(tuf.Sign(r.T.Context(), r.nextStaging(path, file), signers...))(r.T)
	}
	if len(signers) == 0 {
		signers = r.Release[:2]
	}
	plan := r.targets.Plan()
	plan.Targets[path], plan.Expires = file, r.expiry()
	return ota.TrustRoleTargets, Must(tuf.Sign(r.T.Context(), Must(r.targets.Next(plan))(r.T), signers...))(r.T)
}

func (r *Repo) nextStaging(path string, file tuf.TargetFile) tuf.Targets {
	r.T.Helper()
	if r.staging == nil {
		return Must(tuf.NewTargets(tuf.TargetsPlan{Expires: r.expiry(), Targets: map[string]tuf.TargetFile{path: file}}))(r.T)
	}
	plan := r.staging.Plan()
	plan.Targets[path], plan.Expires = file, r.expiry()
	return Must(r.staging.Next(plan))(r.T)
}

// Approve puts the bundle into force: by the release role, or by CI.
func (r *Repo) Approve(b Bundle) {
	r.T.Helper()
	role, document := r.List(b)
	r.Publish(role, document)
	doc := Must(tuf.ParseTargets(document))(r.T)
	if role == ota.TrustRoleStaging {
		r.staging = &doc
	} else {
		r.targets = doc
	}
}

// Retrust publishes targets with another trust.json.
func (r *Repo) Retrust(change func(*sealed.Trust)) {
	r.T.Helper()
	r.Trust.Version++
	change(&r.Trust)
	r.trusted = Must(sealed.Encode(&r.Trust))(r.T)
	plan := r.targets.Plan()
	plan.Targets[tuf.TrustPath], plan.Expires = Must(tuf.File(tuf.TrustPath, r.trusted))(r.T), r.expiry()
	r.targets = Must(r.targets.Next(plan))(r.T)
	r.Publish(ota.TrustRoleTargets, Must(tuf.Sign(r.T.Context(), r.targets, r.Release[:2]...))(r.T), r.trusted)
}
