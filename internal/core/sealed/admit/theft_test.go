package admit_test

import (
	"context"
	"math/bits"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

// thief has some keys of an app and everything that was published, and tries to
// get a bundle of its own onto a device of the class.
type thief struct {
	t     *testing.T
	made  map[string][]byte // documents that were signed before
	w     *sealedworld.World
	owns  map[int]bool
	evil  *sealedworld.Bundle
	class string
}

// have are the keys among ns that were stolen, and two of the thief's own.
func (x *thief) have(ns ...int) []p256.Signer {
	out := []p256.Signer{x.w.Key(sealedworld.Spare3), x.w.Key(sealedworld.Spare2)}
	for _, n := range ns {
		if x.owns[n] {
			out = append(out, x.w.Key(n))
		}
	}
	return out
}

func signed[T tuf.Signable](x *thief, doc T, by []p256.Signer) []byte {
	x.t.Helper()
	id := string(try[[]byte](x.t)(tuf.Sign(context.Background(), doc)))
	for _, s := range by {
		id += s.Public().ID()
	}
	if _, ok := x.made[id]; !ok {
		x.made[id] = try[[]byte](x.t)(tuf.Sign(context.Background(), doc, by...))
	}
	return x.made[id]
}

func try[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// strategies are the ways to go for every set of keys: from the root, from the
// release role, from the staging role, and through an own trust.json. Each makes
// everything below it with what was stolen, and falls back to what was published.
func (x *thief) strategies(request []byte) map[string]*sealed.Answer {
	out := map[string]*sealed.Answer{}
	for _, way := range []string{"root", "release", "staging", "trust", "director"} {
		out[way] = x.attack(way, request)
	}
	return out
}

func (x *thief) attack(way string, request []byte) *sealed.Answer {
	t, w := x.t, x.w
	evil := w.Docs // the honest documents, to be replaced
	roles := map[string][]byte{tuf.RoleTargets: evil.Roles[tuf.RoleTargets], tuf.RoleStaging: evil.Roles[tuf.RoleStaging]}
	a := w.Answer(request, nil, nil)
	release, online := []int{sealedworld.Release1, sealedworld.Release2, sealedworld.Release3}, x.have
	own := w.Key(sealedworld.Spare3)
	if way == "root" {
		root := try[tuf.Root](t)(tuf.ParseRoot(evil.Root))
		plan := root.Plan()
		mine := tuf.Keys{Threshold: 1, Keys: []p256.Key{own.Public()}}
		plan.Root, plan.Targets = mine, mine
		plan.Snapshot = w.Keys(1, sealedworld.Spare2)
		plan.Timestamp = plan.Snapshot
		a.Roots = append(a.Roots, signed(x, try[tuf.Root](t)(root.Next(plan)), x.have(sealedworld.Root1, sealedworld.Root2, sealedworld.Root3)))
	}
	trust := w.TrustB
	if way == "root" || way == "release" || way == "trust" {
		bad := w.Trust
		bad.Version++
		bad.Director, bad.Log.P256 = []p256.Key{own.Public(), w.Key(sealedworld.Director).Public()}, own.Public()
		bad.MinClass = sealed.ClassStaging
		trust = try[[]byte](t)(sealed.Encode(&bad))
		targets := try[tuf.Targets](t)(tuf.ParseTargets(roles[tuf.RoleTargets]))
		plan := targets.Plan()
		plan.Targets[sealed.TrustPath] = try[tuf.TargetFile](t)(tuf.File(sealed.TrustPath, trust))
		if x.class == sealed.ClassProduction {
			plan.Targets[x.evil.Path] = try[tuf.TargetFile](t)(tuf.File(x.evil.Path, x.evil.Raw))
		}
		roles[tuf.RoleTargets] = signed(x, try[tuf.Targets](t)(targets.Next(plan)), x.have(release...))
	}
	if way == "staging" || x.class == sealed.ClassStaging {
		staging := try[tuf.Targets](t)(tuf.ParseTargets(roles[tuf.RoleStaging]))
		plan := staging.Plan()
		if x.class == sealed.ClassStaging {
			plan.Targets[x.evil.Path] = try[tuf.TargetFile](t)(tuf.File(x.evil.Path, x.evil.Raw))
		}
		roles[tuf.RoleStaging] = signed(x, try[tuf.Targets](t)(staging.Next(plan)), x.have(sealedworld.Staging))
	}
	prev := try[tuf.Snapshot](t)(tuf.ParseSnapshot(evil.Snapshot))
	snapshot := signed(x, try[tuf.Snapshot](t)(tuf.NextSnapshot(&prev, roles, w.Now.AddDate(0, 0, 7))), online(sealedworld.Snapshot))
	stamp := try[tuf.Timestamp](t)(tuf.ParseTimestamp(evil.Timestamp))
	a.Timestamp = signed(x, try[tuf.Timestamp](t)(tuf.NextTimestamp(&stamp, snapshot, w.Now.AddDate(0, 0, 1))), online(sealedworld.Timestamp))
	a.Snapshot, a.Roles, a.Trust, a.Manifest = snapshot, sealed.Roles{Targets: roles[tuf.RoleTargets], Staging: roles[tuf.RoleStaging]}, trust, x.evil.Raw

	w.Answers = sealedworld.Spare3
	if x.owns[sealedworld.Director] {
		w.Answers = sealedworld.Director
	}
	a.Director = w.Direct(request, x.evil, nil)
	w.Answers = sealedworld.Director
	// The log is the server's: whoever has its key adds what he likes, and whoever
	// has his own trust.json has his own log.
	key := sealedworld.Spare3
	if x.owns[sealedworld.Log] && way != "root" && way != "release" && way != "trust" {
		key = sealedworld.Log
	}
	honest := w.Tree
	w.Fake(key)
	x.evil.Leaf = w.Tree.Add(x.evil.Raw)
	a.Proof, a.Consistency = w.Tree.Prove(x.evil.Leaf, w.Tree.Size()), nil
	w.Tree = honest
	return a
}

// TestKeyTheft is a drill for every set of keys that could be stolen at once: with
// fewer than the threshold of the release keys and of the root keys no bundle of
// the thief is ever admitted to a production app, even with everything online; and
// with a threshold one is, so the drill is no sham.
func TestKeyTheft(t *testing.T) {
	groups := []struct {
		name string
		keys []int
	}{
		{"root 1", []int{sealedworld.Root1}},
		{"root 2", []int{sealedworld.Root2}},
		{"root 3", []int{sealedworld.Root3}},
		{"release 1", []int{sealedworld.Release1}},
		{"release 2", []int{sealedworld.Release2}},
		{"release 3", []int{sealedworld.Release3}},
		{"snapshot", []int{sealedworld.Snapshot}},
		{"timestamp", []int{sealedworld.Timestamp}},
		{"staging", []int{sealedworld.Staging}},
		{"director", []int{sealedworld.Director}},
		{"log", []int{sealedworld.Log}},
	}
	w := sealedworld.New(t, app)
	w.Release(sealed.ClassProduction, 1, nil)
	decide := admit.Remembering()
	drills, broken, made := 0, 0, map[string][]byte{}
	for _, class := range []string{sealed.ClassProduction, sealed.ClassStaging} {
		evil := w.Make(class, 5, sealedworld.Files("evil"), nil)
		for _, device := range []string{sealed.ClassProduction, sealed.ClassStaging} {
			b := w.Build("android")
			b.MinClass = device
			st := admit.Fresh(b)
			request := w.Request(b, st, sealed.Running{}, 1)
			for set := range uint(1) << len(groups) {
				roots, releases := bits.OnesCount(set&7), bits.OnesCount(set>>3&7)
				if n := bits.OnesCount(set >> 6); n > 0 && n < 4 {
					continue // all of the others, all but one, or none
				}
				x := &thief{t: t, made: made, w: w, owns: map[int]bool{}, evil: evil, class: class}
				names := ""
				for i, g := range groups {
					if set&(1<<i) != 0 {
						names += g.name + ", "
						for _, k := range g.keys {
							x.owns[k] = true
						}
					}
				}
				won := ""
				for way, a := range x.strategies(request) {
					d, _, err := decide(st, admit.Input{Build: b, Now: w.Now, Request: request, Answer: a})
					if err == nil && d.Plan != nil {
						won = way
					}
				}
				drills++
				if won != "" {
					broken++
				}
				online := x.owns[sealedworld.Snapshot] && x.owns[sealedworld.Timestamp]
				may := roots >= 2 || releases >= 2 && online
				if class == sealed.ClassStaging {
					// What testers run may be signed by CI alone: its key and everything online.
					may = may || x.owns[sealedworld.Staging] && online && x.owns[sealedworld.Director] && x.owns[sealedworld.Log]
					may = may && device == sealed.ClassStaging
				}
				if won != "" && !may {
					t.Errorf("%s bundle on a %s app with the keys %sby way of %s", class, device, names, won)
				}
				if all := set == 1<<len(groups)-1; all && won == "" && (class == sealed.ClassProduction || device == sealed.ClassStaging) {
					t.Errorf("with every key nothing was admitted to a %s app: the drill is a sham", device)
				}
			}
		}
	}
	t.Logf("%d drills, %d of them with enough keys to win", drills, broken)
	if broken == 0 {
		t.Error("nobody ever won")
	}
}
