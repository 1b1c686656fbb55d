package admit_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

// dice are where a hostile server takes its decisions from.
type dice interface{ n(below int) int }

func pick[T any](d dice, list []T) T { return list[d.n(len(list))] }

// moment is all that an honest server had at some time.
type moment struct {
	roots [][]byte
	docs  tuf.Published
	trust []byte
	tree  *sealedworld.Tree
	size  int64
}

// hostile is a server that has every online key of the app, one of three root and
// one of three release keys, another app of the same server, and everything that was ever
// published. It has a key of the staging role only if it says so.
type hostile struct {
	w, other *sealedworld.World
	moments  []moment
	bundles  []*sealedworld.Bundle // approved, of the other app, and evil ones
	evil     []*sealedworld.Bundle
	pool     map[string][][]byte
	trees    []*sealedworld.Tree
	requests [][]byte
	signed   map[string][]byte
	proofs   map[string]string
	steps    map[string][]canon.Hex
	leaf     map[*sealedworld.Bundle]int64 // in the log that was there
	roots    map[string]int                // versions
}

// start is when devices begin to ask: after all that was published.
var start = sealedworld.Day.Add(10 * time.Hour)

func newHostile(t testing.TB) *hostile {
	t.Helper()
	h := &hostile{w: sealedworld.New(t, app), other: sealedworld.New(t, "com.example.other"), signed: map[string][]byte{}, proofs: map[string]string{}, steps: map[string][]canon.Hex{}}
	w := h.w
	w.Trust.Director = append(w.Trust.Director, w.Key(sealedworld.Spare2).Public())
	w.PublishTrust()
	h.remember()
	release := func(class string, seq int64, change func(*sealed.Manifest)) {
		w.Now = w.Now.Add(30 * time.Minute)
		w.Release(class, seq, change)
		h.remember()
	}
	release(sealed.ClassProduction, 1, nil)
	release(sealed.ClassProduction, 2, func(m *sealed.Manifest) { m.Platforms = []string{"android"} })
	release(sealed.ClassStaging, 3, nil)
	release(sealed.ClassProduction, 4, func(m *sealed.Manifest) { m.Floor = 2 })
	w.Trust.Floor = 2
	w.PublishTrust()
	h.remember()
	plan := w.RootPlan()
	plan.Timestamp = w.Keys(1, sealedworld.Spare1)
	w.Rotate(plan)
	w.By[tuf.RoleTimestamp] = []int{sealedworld.Spare1}
	w.Publish()
	h.remember()
	release(sealed.ClassProduction, 5, func(m *sealed.Manifest) { m.Platforms = []string{"ios"} })
	release(sealed.ClassProduction, 6, func(m *sealed.Manifest) { m.Native.Min = "3.0.0" })
	release(sealed.ClassStaging, 7, func(m *sealed.Manifest) { m.Floor = 3 })
	release(sealed.ClassProduction, 8, func(m *sealed.Manifest) { m.Floor = 4; m.Encryption = sealed.Encryption{Mode: sealed.EncryptionNone} })
	h.other.Release(sealed.ClassProduction, 4, nil)
	h.other.Release(sealed.ClassProduction, 9, nil)
	h.bundles = append(slices.Clone(w.Bundles), h.other.Bundles...)
	for seq := int64(1); seq <= 10; seq += 3 {
		for _, class := range []string{sealed.ClassProduction, sealed.ClassStaging} {
			h.evil = append(h.evil, w.Make(class, seq, sealedworld.Files(fmt.Sprintf("evil %d", seq)), nil))
		}
	}
	h.bundles = append(h.bundles, h.evil...)
	w.Now = start
	h.forge()
	for i := range 4 {
		b := w.Build("android")
		h.requests = append(h.requests, w.Request(b, fresh(b), sealed.Running{}, i))
	}
	h.recover()
	return h
}

// recover is what the owner does when the theft is found out, with keys that
// nobody stole: another root with other online keys, another director and log.
// Devices learn of it at the end of an episode only.
func (h *hostile) recover() {
	const timestamp, snapshot, director, log = 20, 21, 22, 23
	w := h.w
	h.leaf = map[*sealedworld.Bundle]int64{}
	for _, b := range h.bundles {
		h.leaf[b] = b.Leaf
	}
	h.roots = map[string]int{}
	for i, r := range w.Roots {
		h.roots[string(r)] = i + 1
	}
	plan := w.RootPlan()
	plan.Timestamp, plan.Snapshot = w.Keys(1, timestamp), w.Keys(1, snapshot)
	w.Rotate(plan)
	w.By[tuf.RoleTimestamp], w.By[tuf.RoleSnapshot] = []int{timestamp}, []int{snapshot}
	w.NewLog(app+"/sealed/log2", log)
	w.Trust.Director, w.Answers = w.Keys(1, director).Keys, director
	w.PublishTrust()
}

func (h *hostile) remember() {
	d := h.w.Docs
	d.Roles = map[string][]byte{tuf.RoleTargets: d.Roles[tuf.RoleTargets], tuf.RoleStaging: d.Roles[tuf.RoleStaging]}
	h.moments = append(h.moments, moment{slices.Clone(h.w.Roots), d, h.w.TrustB, h.w.Tree, h.w.Tree.Size()})
}

// forge fills the pool: everything that was published, and everything that can be
// signed with the stolen keys.
func (h *hostile) forge() {
	h.pool = map[string][][]byte{}
	add := func(kind string, docs ...[]byte) {
		for _, b := range docs {
			if len(b) > 0 && !slices.ContainsFunc(h.pool[kind], func(o []byte) bool { return string(o) == string(b) }) {
				h.pool[kind] = append(h.pool[kind], b)
			}
		}
	}
	published := func(m moment) {
		add("root", m.roots...)
		add("timestamp", m.docs.Timestamp)
		add("snapshot", m.docs.Snapshot)
		add("targets", m.docs.Roles[tuf.RoleTargets])
		add("staging", m.docs.Roles[tuf.RoleStaging])
		add("trust", m.trust)
	}
	for _, m := range h.moments {
		published(m)
	}
	o := h.other
	published(moment{roots: o.Roots, docs: o.Docs, trust: o.TrustB})
	for _, b := range h.bundles {
		add("manifest", b.Raw)
	}
	h.forgeTrust(add)
	h.forgeMetadata(add)
	fork := h.w.Tree.Fork(2)
	for _, b := range h.evil {
		b.Leaf = fork.Add(b.Raw)
	}
	late := h.w.Tree.Fork(h.w.Tree.Size()) // goes on where the honest one ends
	for _, b := range h.evil {
		late.Add(b.Raw)
	}
	h.trees = []*sealedworld.Tree{h.w.Tree, fork, late, o.Tree}
}

func (h *hostile) forgeTrust(add func(string, ...[]byte)) {
	bad := h.w.Trust
	bad.Version, bad.Floor, bad.MinClass = bad.Version+1, 0, sealed.ClassStaging
	bad.Director = h.w.Keys(1, sealedworld.Spare3).Keys
	b, err := sealed.Encode(&bad)
	if err != nil {
		h.w.T.Fatal(err)
	}
	add("trust", b)
}

// forgeMetadata signs whatever the stolen keys can sign: roots and targets below
// their thresholds, snapshots and timestamps over anything, with any version.
func (h *hostile) forgeMetadata(add func(string, ...[]byte)) {
	w := h.w
	sign := func(b []byte, err error) []byte {
		if err != nil {
			w.T.Fatal(err)
		}
		return b
	}
	keys := func(ns ...int) []p256.Signer {
		var out []p256.Signer
		for _, n := range ns {
			out = append(out, w.Key(n))
		}
		return out
	}
	ctx := context.Background()
	online := []int{sealedworld.Snapshot, sealedworld.Timestamp, sealedworld.Spare1, sealedworld.Director, sealedworld.Log, sealedworld.Authority}
	root, err := tuf.ParseRoot(w.Docs.Root)
	sign(nil, err)
	plan := root.Plan()
	plan.Targets = w.Keys(1, sealedworld.Spare3)
	next, err := root.Next(plan)
	sign(nil, err)
	add("root", sign(tuf.Sign(ctx, next, keys(sealedworld.Root1)...)), sign(tuf.Sign(ctx, next, keys(append(online, sealedworld.Root1, sealedworld.Spare3)...)...)))

	targets, err := tuf.ParseTargets(w.Docs.Roles[tuf.RoleTargets])
	sign(nil, err)
	tp := targets.Plan()
	for _, b := range h.evil {
		if b.Manifest.Class == sealed.ClassProduction {
			f, err := tuf.File(b.Path, b.Raw)
			sign(nil, err)
			tp.Targets[b.Path] = f
		}
	}
	for _, trust := range h.pool["trust"] {
		f, err := tuf.File(sealed.TrustPath, trust)
		sign(nil, err)
		tp.Targets[sealed.TrustPath] = f // the last one is evil
	}
	evil, err := targets.Next(tp)
	sign(nil, err)
	var forged [][]byte
	for _, ns := range [][]int{{sealedworld.Release1}, append(slices.Clone(online), sealedworld.Release1), {sealedworld.Staging, sealedworld.Release3}} {
		forged = append(forged, sign(tuf.Sign(ctx, evil, keys(ns...)...)))
	}
	add("targets", forged...)
	for _, role := range h.pool["targets"] {
		for i, staging := range h.pool["staging"] {
			for _, v := range []uint32{1, 9, math.MaxUint32} {
				if v != 9 && i > 0 {
					continue
				}
				s, err := tuf.NextSnapshot(nil, map[string][]byte{tuf.RoleTargets: role, tuf.RoleStaging: staging}, start.AddDate(0, 0, 7))
				sign(nil, err)
				s.Version = v
				add("snapshot", sign(tuf.Sign(ctx, s, keys(sealedworld.Snapshot)...)))
			}
		}
	}
	for i, snap := range h.pool["snapshot"] {
		for _, key := range []int{sealedworld.Timestamp, sealedworld.Spare1} {
			for _, v := range []uint32{2, uint32(12 + i%20), math.MaxUint32} {
				ts, err := tuf.NextTimestamp(nil, snap, start.AddDate(0, 0, 1+i%2*400))
				sign(nil, err)
				ts.Version = v
				add("timestamp", sign(tuf.Sign(ctx, ts, keys(key)...)))
			}
		}
	}
}

// direct signs a director's answer with a stolen key, once.
func (h *hostile) direct(d dice, request []byte, b *sealedworld.Bundle, now time.Time) []byte {
	o := sealed.Director{
		App: app, Request: sealed.HashOf(request), Device: sealed.DeviceHash(app, "0f0e0d0c-0b0a-4908-8706-050403020100"),
		Issued: canon.At(now), Expires: canon.At(now.Add(10 * time.Minute)), Action: sealed.ActionInstall, Target: b.Target(),
		Arm: sealed.ArmNone, Root: 1, Timestamp: 1,
	}
	switch d.n(40) {
	case 0:
		o.Issued, o.Expires = canon.At(now.Add(-time.Hour)), canon.At(now.Add(-55*time.Minute))
	case 1:
		o.Request = sealed.HashOf(h.requests[0])
	case 2:
		o.Action, o.Target = sealed.ActionBuiltin, sealed.Target{}
	case 3:
		o.Action, o.Target = sealed.ActionStay, sealed.Target{}
	case 4:
		o.Target.SHA256 = pick(d, h.bundles).SHA256()
	case 5:
		o.Device = sealed.HashOf(nil)
	case 6:
		o.Root, o.Timestamp = 9, 99
	case 7:
		o.Target.Seq++
	}
	key := sealedworld.Director
	if d.n(50) == 0 {
		key = sealedworld.Spare3 // of nobody
	}
	id := fmt.Sprint(o, key)
	if env, ok := h.signed[id]; ok {
		return env
	}
	env, err := sealed.Make(context.Background(), &o, h.w.Key(key))
	if err != nil {
		env = []byte("{}") // no director can even say that
	}
	if len(h.signed) > 20_000 {
		clear(h.signed)
	}
	h.signed[id] = env
	return env
}

// prove makes the proof of an entry in a log as it was with a size, once.
func (h *hostile) prove(tree int, index, size int64) string {
	id := fmt.Sprint(tree, index, size)
	p, ok := h.proofs[id]
	if !ok {
		p = h.trees[tree].Prove(index, size)
		h.proofs[id] = p
	}
	return p
}

func (h *hostile) consistency(tree int, from, to int64) []canon.Hex {
	if from > to || to > h.trees[tree].Size() {
		return nil
	}
	id := fmt.Sprint(tree, from, to)
	c, ok := h.steps[id]
	if !ok {
		c = h.trees[tree].Consistency(from, to)
		h.steps[id] = c
	}
	return c
}
