package tuf_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// world is a repository whose keys come and go, with all that it ever published,
// and a client that is fed parts of it by somebody who may be hostile.
type world struct {
	t    *testing.T
	r    *repo
	now  time.Time
	next int // the next new key

	history   []tuf.Published
	approved  map[string]bool // target path and hash that the release role signed
	paths     map[string]bool // the paths of approved
	device    *tuf.Client
	seen      tuf.Versions    // the versions that the device had last
	forgetsAt map[uint32]bool // root versions that drop keys of snapshot or timestamp
}

func (w *world) newKeys(threshold, n int) (tuf.Keys, []p256.Signer) {
	k := tuf.Keys{Threshold: threshold}
	var by []p256.Signer
	for range n {
		w.next++
		s := signer(w.t, w.next)
		k.Keys = append(k.Keys, s.Public())
		by = append(by, s)
	}
	return k, by
}

func (w *world) remember() {
	w.history = append(w.history, w.r.published())
	for path, f := range w.r.roles["targets"].Targets {
		w.approved[path+" "+f.SHA256], w.paths[path] = true, true
	}
}

// rotate publishes a root with other keys for one role.
func (w *world) rotate(t *rapid.T) {
	r := w.r
	plan := r.root.Plan()
	role := rapid.SampledFrom([]string{"root", "targets", "snapshot", "timestamp"}).Draw(t, "role")
	n := rapid.IntRange(1, 3).Draw(t, "keys")
	threshold := rapid.IntRange(1, n).Draw(t, "threshold")
	k, by := w.newKeys(threshold, n)
	old := r.by["root"]
	switch role {
	case "root":
		plan.Root = k
		r.by["root"] = by
	case "targets":
		plan.Targets = k
	case "snapshot":
		plan.Snapshot = k
	case "timestamp":
		plan.Timestamp = k
	}
	r.by[role] = by
	root, err := r.root.Next(plan)
	r.must(err)
	r.root = root
	b, err := tuf.Sign(w.t.Context(), root, append(old, r.by["root"]...)...)
	r.must(err)
	r.must(tuf.CheckRoot(r.latest.Root, b))
	r.roots, r.latest.Root = append(r.roots, b), b
	w.forgetsAt[root.Version] = role == "snapshot" || role == "timestamp"
	// What the new keys have not signed, clients no longer take.
	r.setTargets("targets", r.roles["targets"].Plan())
	r.publish()
	r.renew(w.now.AddDate(0, 0, 1))
	w.remember()
}

func (w *world) release(t *rapid.T) {
	seq := int64(100 + w.next)
	w.next++
	w.r.addTarget("targets", tuf.ManifestPath("production", app, seq), fmt.Sprint("manifest ", seq))
	w.r.publish()
	w.r.renew(w.now.AddDate(0, 0, 1))
	w.remember()
}

func (w *world) renewTimestamp(t *rapid.T) {
	w.r.renew(w.now.AddDate(0, 0, 1))
	w.remember()
}

// replay gives the device documents of any times, mixed.
func (w *world) replay(t *rapid.T) {
	pick := func(what string) tuf.Published {
		return w.history[rapid.IntRange(0, len(w.history)-1).Draw(t, what)]
	}
	if rapid.Bool().Draw(t, "root") {
		_ = w.device.UpdateRoot(w.r.roots[rapid.IntRange(0, len(w.r.roots)-1).Draw(t, "root version")])
	}
	_ = w.device.UpdateTimestamp(pick("timestamp").Timestamp, w.now)
	_ = w.device.UpdateSnapshot(pick("snapshot").Snapshot, w.now)
	_ = w.device.UpdateTargets("targets", pick("targets").Roles["targets"], w.now)
	_ = w.device.UpdateTargets("staging", pick("staging").Roles["staging"], w.now)
}

// honest gives the device what is current; it must end up there.
func (w *world) honest(t *rapid.T) {
	for w.device.Versions().Root < uint32(len(w.r.roots)) { //nolint:gosec // a test's few roots
		if err := w.device.UpdateRoot(w.r.roots[w.device.Versions().Root]); err != nil {
			t.Fatalf("the next root: %v", err)
		}
	}
	if !w.now.Before(w.r.ts.Expires.Time) || !w.now.Before(w.r.sn.Expires.Time) {
		return
	}
	if err := feed(w.device, nil, w.r.published(), w.now); err != nil {
		t.Fatalf("what is current was refused: %v", err)
	}
	want := tuf.Versions{Root: w.r.root.Version, Timestamp: w.r.ts.Version, Snapshot: w.r.sn.Version, Targets: w.r.roles["targets"].Version}
	if got := w.device.Versions(); got != want || len(w.device.Missing()) > 0 {
		t.Fatalf("the device has %+v, want %+v; missing %v", got, want, w.device.Missing())
	}
}

// restart has the device go on from what it stored.
func (w *world) restart(t *rapid.T) {
	b, err := w.device.State().Encode()
	w.r.must(err)
	s, err := tuf.DecodeState(b)
	w.r.must(err)
	before := w.device.Versions()
	if w.device, err = tuf.Resume(s, w.now); err != nil {
		t.Fatal(err)
	}
	after := w.device.Versions()
	if before.Snapshot == 0 {
		before.Targets = 0 // not stored without the snapshot that names it
	}
	if after != before {
		t.Fatalf("%+v became %+v", before, after)
	}
}

func (w *world) pass(t *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(1, 10).Draw(t, "hours")) * time.Hour)
}

// check holds the device to what must always be true.
func (w *world) check(t *rapid.T) {
	v := w.device.Versions()
	if v.Root < w.seen.Root {
		t.Fatalf("root %d after %d", v.Root, w.seen.Root)
	}
	forgot := false
	for n := w.seen.Root + 1; n <= v.Root; n++ {
		forgot = forgot || w.forgetsAt[n]
	}
	if !forgot && (v.Timestamp < w.seen.Timestamp || v.Snapshot < w.seen.Snapshot) {
		t.Fatalf("the device went back from %+v to %+v", w.seen, v)
	}
	w.seen = v
	w.device.At(w.now)
	for path := range w.paths {
		f, role, err := w.device.Target(path)
		if err != nil {
			continue
		}
		if !w.approved[path+" "+f.SHA256] || role != "targets" {
			t.Fatalf("%s by %s was never approved", path, role)
		}
		if !w.now.Before(w.device.Expires()) {
			t.Fatalf("%s is found after %v", path, w.device.Expires())
		}
	}
}

// TestRotationModel: keys rotate, releases and renewals are published, time goes
// by, the device restarts, and somebody replays old documents in any mixture. The
// device never goes back unless a root let it, finds only what was approved, and
// reaches what is current whenever it is given that.
func TestRotationModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRepo(t)
		w := &world{t: t, r: r, now: day, next: 1000, approved: map[string]bool{}, paths: map[string]bool{}, forgetsAt: map[uint32]bool{}}
		w.remember()
		w.device = r.client()
		w.seen = w.device.Versions()
		rt.Repeat(map[string]func(*rapid.T){
			"rotate": w.rotate, "release": w.release, "renew": w.renewTimestamp, "replay": w.replay,
			"honest": w.honest, "restart": w.restart, "pass": w.pass, "": w.check,
		})
	})
}
