package tuf_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// day is the time of all tests.
var day = time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC)

const app = "com.example.app"

// signer is the n-th key of the tests; equal numbers are equal keys.
func signer(t testing.TB, n int) p256.Signer {
	t.Helper()
	for salt := byte(0); ; salt++ {
		d := sha256.Sum256(fmt.Appendf([]byte{salt}, "test key %d", n))
		if k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:]); err == nil {
			return p256.Software(k)
		}
	}
}

func signers(t testing.TB, ns ...int) []p256.Signer {
	t.Helper()
	var all []p256.Signer
	for _, n := range ns {
		all = append(all, signer(t, n))
	}
	return all
}

func keys(t testing.TB, threshold int, ns ...int) tuf.Keys {
	t.Helper()
	k := tuf.Keys{Threshold: threshold}
	for _, s := range signers(t, ns...) {
		k.Keys = append(k.Keys, s.Public())
	}
	return k
}

// repo is a repository of ours with the keys 1–3 for root (2 needed), 4–5 for
// targets (2), 6 for snapshot, 7 for timestamp and 8 for staging.
type repo struct {
	t      testing.TB
	root   tuf.Root
	ts     *tuf.Timestamp
	sn     *tuf.Snapshot
	roles  map[string]tuf.Targets
	by     map[string][]p256.Signer
	roots  [][]byte // signed, oldest first
	latest tuf.Published
}

func rootPlan(t testing.TB) tuf.RootPlan {
	t.Helper()
	return tuf.RootPlan{
		Expires: day.AddDate(1, 0, 0), Root: keys(t, 2, 1, 2, 3), Targets: keys(t, 2, 4, 5), Snapshot: keys(t, 1, 6), Timestamp: keys(t, 1, 7),
	}
}

func newRepo(t testing.TB) *repo {
	t.Helper()
	r := &repo{t: t, roles: map[string]tuf.Targets{}, by: map[string][]p256.Signer{
		tuf.RoleRoot: signers(t, 1, 2), tuf.RoleTargets: signers(t, 4, 5), tuf.RoleSnapshot: signers(t, 6),
		tuf.RoleTimestamp: signers(t, 7), tuf.RoleStaging: signers(t, 8),
	}, latest: tuf.Published{Roles: map[string][]byte{}}}
	root, err := tuf.NewRoot(rootPlan(t))
	r.must(err)
	r.root = root
	r.publishRoot()
	r.setTargets(tuf.RoleTargets, tuf.TargetsPlan{
		Expires: day.AddDate(0, 3, 0),
		Targets: map[string]tuf.TargetFile{
			tuf.TrustPath:                           r.file(tuf.TrustPath, "trust"),
			tuf.ManifestPath("production", app, 41): r.file(tuf.ManifestPath("production", app, 41), "manifest 41"),
		},
		Delegations: []tuf.Delegation{{Name: tuf.RoleStaging, Keys: keys(t, 1, 8), Paths: []string{tuf.StagingPaths}}},
	})
	path := tuf.ManifestPath("staging", app, 42)
	r.setTargets(tuf.RoleStaging, tuf.TargetsPlan{
		Expires: day.AddDate(0, 3, 0), Targets: map[string]tuf.TargetFile{path: r.file(path, "manifest 42")},
	})
	r.publish()
	return r
}

func (r *repo) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *repo) file(path, content string) tuf.TargetFile {
	r.t.Helper()
	f, err := tuf.File(path, []byte(content))
	r.must(err)
	return f
}

// publishRoot signs r.root with the signers of the root role.
func (r *repo) publishRoot() {
	r.t.Helper()
	b, err := tuf.Sign(r.t.Context(), r.root, r.by[tuf.RoleRoot]...)
	r.must(err)
	r.roots = append(r.roots, b)
	r.latest.Root = b
}

// setTargets signs a new version of a targets role.
func (r *repo) setTargets(role string, p tuf.TargetsPlan) {
	r.t.Helper()
	doc, err := tuf.NewTargets(p)
	if old, ok := r.roles[role]; ok {
		doc, err = old.Next(p)
	}
	r.must(err)
	r.roles[role] = doc
	r.latest.Roles[role], err = tuf.Sign(r.t.Context(), doc, r.by[role]...)
	r.must(err)
}

// addTarget signs a new version of a role with one more target.
func (r *repo) addTarget(role, path, content string) {
	r.t.Helper()
	p := r.roles[role].Plan()
	p.Targets[path] = r.file(path, content)
	r.setTargets(role, p)
}

// publish signs the next snapshot and timestamp.
func (r *repo) publish() {
	r.t.Helper()
	sn, err := tuf.NextSnapshot(r.sn, r.latest.Roles, day.AddDate(0, 0, 7))
	r.must(err)
	r.sn = &sn
	r.latest.Snapshot, err = tuf.Sign(r.t.Context(), sn, r.by[tuf.RoleSnapshot]...)
	r.must(err)
	r.renew(day.AddDate(0, 0, 1))
}

// renew signs the next timestamp.
func (r *repo) renew(expires time.Time) {
	r.t.Helper()
	ts, err := tuf.NextTimestamp(r.ts, r.latest.Snapshot, expires)
	r.must(err)
	r.ts = &ts
	r.latest.Timestamp, err = tuf.Sign(r.t.Context(), ts, r.by[tuf.RoleTimestamp]...)
	r.must(err)
}

// published is a copy of what is handed out now.
func (r *repo) published() tuf.Published {
	p := r.latest
	p.Roles = maps.Clone(p.Roles)
	return p
}

// feed gives a client all that is published, as a server's answer does.
func feed(c *tuf.Client, roots [][]byte, p tuf.Published, now time.Time) error {
	for _, b := range roots {
		if err := c.UpdateRoot(b); err != nil {
			return err
		}
	}
	if err := c.UpdateTimestamp(p.Timestamp, now); err != nil {
		return err
	}
	if err := c.UpdateSnapshot(p.Snapshot, now); err != nil {
		return err
	}
	if err := c.UpdateTargets(tuf.RoleTargets, p.Roles[tuf.RoleTargets], now); err != nil {
		return err
	}
	if b, ok := p.Roles[tuf.RoleStaging]; ok {
		return c.UpdateTargets(tuf.RoleStaging, b, now)
	}
	return nil
}

func (r *repo) client() *tuf.Client {
	r.t.Helper()
	c, err := tuf.Start(r.roots[0])
	r.must(err)
	r.must(feed(c, r.roots[1:], r.published(), day))
	return c
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if ota.CodeOf(err) != code || err == nil {
		t.Fatalf("got %v (%s), want %s", err, ota.CodeOf(err), code)
	}
}
