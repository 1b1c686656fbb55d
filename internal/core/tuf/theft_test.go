package tuf_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Who holds which of the keys of newRepo.
var keyHolders = map[int]string{1: "root", 2: "root", 3: "root", 4: "targets", 5: "targets", 6: "snapshot", 7: "timestamp", 8: "staging"}

const attackerKey = 666

var (
	evilPath    = tuf.ManifestPath("production", app, 99)
	evilStaging = tuf.ManifestPath("staging", app, 99)
)

// loot is what an attacker makes of stolen keys: each document as it should be
// for an evil target to be taken in, signed by every stolen key and one of the
// attacker's own.
type loot struct {
	root []byte
	evil tuf.Published
}

func (r *repo) steal(stolen []int) loot {
	r.t.Helper()
	by := append(signers(r.t, stolen...), signer(r.t, attackerKey))
	sign := func(doc any) []byte {
		var b []byte
		var err error
		switch d := doc.(type) {
		case tuf.Root:
			b, err = tuf.Sign(r.t.Context(), d, by...)
		case tuf.Targets:
			b, err = tuf.Sign(r.t.Context(), d, by...)
		case tuf.Snapshot:
			b, err = tuf.Sign(r.t.Context(), d, by...)
		case tuf.Timestamp:
			b, err = tuf.Sign(r.t.Context(), d, by...)
		}
		r.must(err)
		return b
	}
	// A root that gives every role to the attacker and to all stolen keys.
	mine := tuf.Keys{Keys: []p256.Key{signer(r.t, attackerKey).Public()}, Threshold: 1}
	online := tuf.Keys{Keys: []p256.Key{signer(r.t, attackerKey+1).Public()}, Threshold: 1}
	root, err := r.root.Next(tuf.RootPlan{Expires: day.AddDate(9, 0, 0), Root: mine, Targets: mine, Snapshot: online, Timestamp: online})
	r.must(err)
	l := loot{root: sign(root), evil: r.published()}

	plan := r.roles["targets"].Plan()
	plan.Targets[evilPath] = r.file(evilPath, "evil")
	top, err := r.roles["targets"].Next(plan)
	r.must(err)
	l.evil.Roles["targets"] = sign(top)
	staging := r.roles["staging"].Plan()
	staging.Targets[evilStaging] = r.file(evilStaging, "evil")
	low, err := r.roles["staging"].Next(staging)
	r.must(err)
	l.evil.Roles["staging"] = sign(low)
	return l
}

// mix publishes some of the evil documents and of the good ones under a snapshot
// and a timestamp that fit, signed by the stolen keys (evil) or not at all new.
func (r *repo) mix(stolen []int, l loot, targets, staging bool) tuf.Published {
	r.t.Helper()
	by := append(signers(r.t, stolen...), signer(r.t, attackerKey), signer(r.t, attackerKey+1))
	p := r.published()
	if targets {
		p.Roles["targets"] = l.evil.Roles["targets"]
	}
	if staging {
		p.Roles["staging"] = l.evil.Roles["staging"]
	}
	sn, err := tuf.NextSnapshot(r.sn, p.Roles, day.AddDate(9, 0, 0))
	r.must(err)
	p.Snapshot, err = tuf.Sign(r.t.Context(), sn, by...)
	r.must(err)
	ts, err := tuf.NextTimestamp(r.ts, p.Snapshot, day.AddDate(9, 0, 0))
	r.must(err)
	p.Timestamp, err = tuf.Sign(r.t.Context(), ts, by...)
	r.must(err)
	return p
}

// force feeds a client whatever an attacker has, in every order that matters, and
// goes on after refusals as a hostile server would.
func force(c *tuf.Client, roots [][]byte, now time.Time, all ...tuf.Published) {
	for _, b := range roots {
		_ = c.UpdateRoot(b)
	}
	for _, p := range all {
		_ = c.UpdateTimestamp(p.Timestamp, now)
		for _, q := range all {
			_ = c.UpdateSnapshot(q.Snapshot, now)
		}
		for _, q := range all {
			for _, role := range []string{"targets", "staging"} {
				_ = c.UpdateTargets(role, q.Roles[role], now)
			}
			// One role's document in the place of the other's.
			_ = c.UpdateTargets("staging", q.Roles["targets"], now)
			_ = c.UpdateTargets("targets", q.Roles["staging"], now)
		}
	}
}

// TestKeyTheftDrills gives an attacker every subset of the repository's keys, a
// client that is new or knows the repository, and a server. What the attacker
// gets accepted must be exactly what the thresholds allow: no more, or the
// thresholds are worth nothing; no less, or the drill is.
func TestKeyTheftDrills(t *testing.T) {
	r := newRepo(t)
	drills, won := 0, 0
	for set := range 1 << len(keyHolders) {
		var stolen []int
		has := map[string]int{}
		for k := 1; k <= len(keyHolders); k++ {
			if set&(1<<(k-1)) != 0 {
				stolen = append(stolen, k)
				has[keyHolders[k]]++
			}
		}
		drills++
		l := r.steal(stolen)
		if has["root"] >= 2 {
			// The root's threshold can do anything: the attacker's root is taken.
			if err := r.client().UpdateRoot(l.root); err != nil {
				t.Fatalf("keys %v: a root that enough keys signed was refused: %v", stolen, err)
			}
			won++
			continue
		}
		online := has["snapshot"] == 1 && has["timestamp"] == 1
		want := [2]bool{has["targets"] == 2 && online, has["staging"] == 1 && online}
		got := r.drill(stolen, l)
		if got != want {
			t.Errorf("keys %v: evil target and evil staging target accepted: %v, want %v", stolen, got, want)
		}
		if got[0] || got[1] {
			won++
		}
	}
	t.Logf("%d sets of keys; the thresholds allowed the attack with %d of them", drills, won)
}

// drill tries each way to put the evil documents together on clients of its own,
// and says whether one of them found the evil targets.
func (r *repo) drill(stolen []int, l loot) (got [2]bool) {
	r.t.Helper()
	good := r.published()
	for way := 1; way < 4; way++ {
		p := r.mix(stolen, l, way&1 != 0, way&2 != 0)
		fresh, err := tuf.Start(r.roots[0])
		r.must(err)
		for _, c := range []*tuf.Client{fresh, r.client()} {
			force(c, [][]byte{l.root}, day, good, p)
			if v := c.Versions().Root; v != 1 {
				r.t.Fatalf("keys %v: root %d", stolen, v)
			}
			got[0] = got[0] || finds(c, evilPath)
			got[1] = got[1] || finds(c, evilStaging)
		}
	}
	return got
}

func finds(c *tuf.Client, path string) bool {
	_, _, err := c.Target(path)
	return err == nil
}

// TestCompromiseThenRotate: the attacker has every key but the root's for a while
// and raises the versions as far as they go. Then the root replaces what was
// stolen. Devices that took the evil target let go of it, others never take it,
// and a device that is kept away from the new root stops when the timestamp ends.
func TestCompromiseThenRotate(t *testing.T) {
	for set := 1; set < 16; set++ {
		var stolen []int
		for i, k := range []int{4, 5, 6, 7} {
			if set&(1<<i) != 0 {
				stolen = append(stolen, k)
			}
		}
		t.Run(fmt.Sprint(stolen), func(t *testing.T) {
			r := newRepo(t)
			victim, bystander, isolated := r.client(), r.client(), r.client()
			evil := r.fastForward(stolen)
			force(victim, nil, day, evil)
			force(isolated, nil, day, evil)
			if got, want := finds(victim, evilPath), set == 15; got != want {
				t.Fatalf("the evil target was accepted: %v, want %v", got, want)
			}

			// The release keys and the online keys are replaced, all of them.
			plan := r.root.Plan()
			plan.Targets, plan.Snapshot, plan.Timestamp = keys(t, 2, 14, 15), keys(t, 1, 16), keys(t, 1, 17)
			root, err := r.root.Next(plan)
			r.must(err)
			r.root = root
			r.publishRoot()
			r.by["targets"], r.by["snapshot"], r.by["timestamp"] = signers(t, 14, 15), signers(t, 16), signers(t, 17)
			r.addTarget("targets", tuf.ManifestPath("production", app, 43), "manifest 43")
			r.publish()

			for name, c := range map[string]*tuf.Client{"victim": victim, "bystander": bystander} {
				if err := feed(c, r.roots[1:], r.published(), day); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				force(c, nil, day, evil)
				if finds(c, evilPath) || !finds(c, tuf.ManifestPath("production", app, 43)) {
					t.Errorf("%s: not recovered", name)
				}
			}
			force(isolated, nil, day.AddDate(0, 0, 3), evil)
			if finds(isolated, evilPath) {
				t.Error("a frozen device goes on after the timestamp's end")
			}
		})
	}
}

// fastForward is an evil repository with the highest versions there are, signed
// by the stolen keys and the attacker's own. It is short-lived: what makes a
// frozen device stop.
func (r *repo) fastForward(stolen []int) tuf.Published {
	r.t.Helper()
	by := append(signers(r.t, stolen...), signer(r.t, attackerKey))
	plan := r.roles["targets"].Plan()
	plan.Targets[evilPath] = r.file(evilPath, "evil")
	top, err := tuf.NewTargets(plan)
	r.must(err)
	top.Version = math.MaxUint32
	p := r.published()
	p.Roles["targets"], err = tuf.Sign(r.t.Context(), top, by...)
	r.must(err)
	sn, err := tuf.NextSnapshot(r.sn, p.Roles, day.AddDate(0, 0, 2))
	r.must(err)
	sn.Version = math.MaxUint32
	p.Snapshot, err = tuf.Sign(r.t.Context(), sn, by...)
	r.must(err)
	ts, err := tuf.NextTimestamp(r.ts, p.Snapshot, day.AddDate(0, 0, 2))
	r.must(err)
	ts.Version = math.MaxUint32
	p.Timestamp, err = tuf.Sign(r.t.Context(), ts, by...)
	r.must(err)
	return p
}

// TestOneKeyManyNames: a single release key under many signatures and ids is one
// key.
func TestOneKeyManyNames(t *testing.T) {
	r := newRepo(t)
	b, err := tuf.Sign(t.Context(), r.roles["targets"], signers(t, 4)...)
	r.must(err)
	wantCode(t, tuf.CheckTargets(r.latest.Root, b), tuf.CodeSignature)
	var e map[string]any
	r.must(json.Unmarshal(b, &e))
	one := e["signatures"].([]any)[0].(map[string]any)
	other := maps.Clone(one)
	other["keyid"] = signer(t, 5).Public().ID() // 4's signature in 5's name
	for _, sigs := range [][]any{{one, one}, {one, other}} {
		again, _ := json.Marshal(sigs)
		forged := strings.Replace(string(b), b2s(e["signatures"]), string(again), 1)
		if err := tuf.CheckTargets(r.latest.Root, []byte(forged)); err == nil || forged == string(b) {
			t.Error("one key made two signatures")
		}
	}
	// The same key cannot be listed twice: its id is its hash.
	p := rootPlan(t)
	p.Targets.Keys = append(p.Targets.Keys, p.Targets.Keys[0])
	_, err = tuf.NewRoot(p)
	wantCode(t, err, tuf.CodeDocument)
	p = rootPlan(t)
	p.Snapshot = keys(t, 1, 4)
	_, err = tuf.NewRoot(p)
	wantCode(t, err, tuf.CodeKeys)
}

func b2s(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
