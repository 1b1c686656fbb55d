package sealedworld

import (
	"context"
	"encoding/hex"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Day is when worlds begin.
var Day = time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC)

// World is one app with all that is around it. Its fields may be changed between
// publications.
type World struct {
	T       testing.TB
	App     string
	Now     time.Time
	By      map[string][]int // which keys sign for a role of TUF
	Trust   sealed.Trust     // of the next publication
	Roots   [][]byte         // signed, from version 1
	Docs    tuf.Published
	TrustB  []byte // trust.json as it is published
	Tree    *Tree
	Epoch   cobblestone.Key // content key of every encrypted bundle
	Bundles []*Bundle
	Answers int // the key that directors' answers are signed with

	signers map[int]p256.Signer
	root    tuf.Root
	roles   map[string]tuf.Targets
	snap    *tuf.Snapshot
	stamp   *tuf.Timestamp
}

// New makes an app whose root is signed by two of three, releases by two of
// three, staging by one, and which has published its trust and nothing else.
func New(t testing.TB, app string) *World {
	t.Helper()
	w := &World{
		T: t, App: app, Now: Day, Answers: Director, signers: map[int]p256.Signer{}, roles: map[string]tuf.Targets{},
		By: map[string][]int{
			tuf.RoleRoot: {Root1, Root2}, tuf.RoleTargets: {Release1, Release2}, tuf.RoleSnapshot: {Snapshot},
			tuf.RoleTimestamp: {Timestamp}, tuf.RoleStaging: {Staging},
		},
		Docs: tuf.Published{Roles: map[string][]byte{}},
	}
	key, err := cobblestone.KeyFrom([]byte(sealed.HashOf([]byte("epoch " + app))[:32]))
	w.must(err)
	w.Epoch = key
	w.Tree = newTree(app+"/sealed/log", w.Key(Log))
	w.Trust = sealed.Trust{
		App: app, Director: w.Keys(1, Director).Keys, Authority: w.Keys(1, Authority).Keys,
		Log:       sealed.TrustLog{Name: w.Tree.Origin, Ed25519: strings.Repeat("0", 62) + "07", P256: w.Key(Log).Public()},
		Witnesses: sealed.Witnesses{Keys: []sealed.Witness{}}, Broker: []sealed.Broker{},
		MinAssurance: sealed.AssuranceNone, MinClass: sealed.ClassStaging,
	}
	w.root, err = tuf.NewRoot(w.RootPlan())
	w.must(err)
	w.signRoot()
	w.setTargets(tuf.RoleTargets, tuf.TargetsPlan{
		Expires: w.Now.AddDate(0, 3, 0), Targets: map[string]tuf.TargetFile{},
		Delegations: []tuf.Delegation{{Name: tuf.RoleStaging, Keys: w.Keys(1, Staging), Paths: []string{tuf.StagingPaths}}},
	})
	w.setTargets(tuf.RoleStaging, tuf.TargetsPlan{Expires: w.Now.AddDate(0, 3, 0), Targets: map[string]tuf.TargetFile{}})
	w.PublishTrust()
	return w
}

func (w *World) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// RootPlan is the plan of the first root.
func (w *World) RootPlan() tuf.RootPlan {
	return tuf.RootPlan{
		Expires: w.Now.AddDate(1, 0, 0), Root: w.Keys(2, Root1, Root2, Root3), Targets: w.Keys(2, Release1, Release2, Release3),
		Snapshot: w.Keys(1, Snapshot), Timestamp: w.Keys(1, Timestamp),
	}
}

// Rotate publishes the next root by a plan, signed by the keys of the role root
// in By, which must do for the old and the new one.
func (w *World) Rotate(p tuf.RootPlan) {
	w.T.Helper()
	next, err := w.root.Next(p)
	w.must(err)
	w.root = next
	w.signRoot()
}

func (w *World) signRoot() {
	w.T.Helper()
	b, err := tuf.Sign(context.Background(), w.root, w.with(w.By[tuf.RoleRoot])...)
	w.must(err)
	w.Roots = append(w.Roots, b)
	w.Docs.Root = b
}

// setTargets signs the next version of a targets role.
func (w *World) setTargets(role string, p tuf.TargetsPlan) {
	w.T.Helper()
	doc, err := tuf.NewTargets(p)
	if old, ok := w.roles[role]; ok {
		doc, err = old.Next(p)
	}
	w.must(err)
	w.roles[role] = doc
	w.Docs.Roles[role], err = tuf.Sign(context.Background(), doc, w.with(w.By[role])...)
	w.must(err)
}

// List adds target files to a role, whatever they say.
func (w *World) List(role, path string, content []byte) {
	w.T.Helper()
	f, err := tuf.File(path, content)
	w.must(err)
	p := w.roles[role].Plan()
	p.Targets = maps.Clone(p.Targets)
	p.Targets[path] = f
	p.Expires = w.Now.AddDate(0, 3, 0)
	w.setTargets(role, p)
}

// PublishTrust publishes Trust with the next version, and everything else.
func (w *World) PublishTrust() {
	w.T.Helper()
	w.Trust.Version++
	b, err := sealed.Encode(&w.Trust)
	w.must(err)
	w.TrustB = b
	w.List(tuf.RoleTargets, sealed.TrustPath, b)
	w.Publish()
}

// NewLog begins another log with every bundle of the app, under a key of the
// world; the trust that is published next names it.
func (w *World) NewLog(origin string, key int) {
	w.Tree = newTree(origin, w.Key(key))
	for _, b := range w.Bundles {
		b.Leaf = w.Tree.Add(b.Raw)
	}
	w.Trust.Log.Name, w.Trust.Log.P256 = origin, w.Key(key).Public()
}

// Fake replaces the log by one of the same origin under a key, with no entries;
// what the trust says of it stays.
func (w *World) Fake(key int) { w.Tree = newTree(w.Tree.Origin, w.Key(key)) }

// Publish signs the next snapshot and timestamp over what there is.
func (w *World) Publish() {
	w.T.Helper()
	snap, err := tuf.NextSnapshot(w.snap, w.Docs.Roles, w.Now.AddDate(0, 0, 7))
	w.must(err)
	w.snap = &snap
	w.Docs.Snapshot, err = tuf.Sign(context.Background(), snap, w.with(w.By[tuf.RoleSnapshot])...)
	w.must(err)
	w.Restamp()
}

// Restamp signs the next timestamp.
func (w *World) Restamp() {
	w.T.Helper()
	stamp, err := tuf.NextTimestamp(w.stamp, w.Docs.Snapshot, w.Now.AddDate(0, 0, 1))
	w.must(err)
	w.stamp = &stamp
	w.Docs.Timestamp, err = tuf.Sign(context.Background(), stamp, w.with(w.By[tuf.RoleTimestamp])...)
	w.must(err)
}

// Build is a native app of the world that runs both classes.
func (w *World) Build(platform string) admit.Build {
	return admit.Build{App: w.App, Platform: platform, Version: "2.0.0", MinClass: sealed.ClassStaging, Root: w.Roots[0], Made: Day.AddDate(0, -1, 0)}
}

// Request is the body of a check of a device in the state, with its nonce made
// of n.
func (w *World) Request(b admit.Build, st admit.State, running sealed.Running, n int) []byte {
	w.T.Helper()
	v, err := st.Versions(b)
	w.must(err)
	nonce, err := hex.DecodeString(sealed.HashOf([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})[:32])
	w.must(err)
	body, err := sealed.Encode(&sealed.CheckRequest{
		V: 1, Nonce: nonce, App: w.App, Device: "0f0e0d0c-0b0a-4908-8706-050403020100", Platform: b.Platform, Native: b.Version,
		OS: "1", Plugin: "1.0.0", Versions: v, Running: running, Log: st.Log.Size,
	})
	w.must(err)
	return body
}

func base64s(list [][]byte) []canon.Base64 {
	out := []canon.Base64{}
	for _, b := range list {
		out = append(out, b)
	}
	return out
}
