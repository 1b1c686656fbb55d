package tuf

import (
	"maps"
	"slices"
	"testing"
	"time"

	gotuf "github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// TestRandomRepositories has both clients follow a repository through random
// steps, right and wrong: who signs, versions, expiry, lengths and hashes, roots
// that skip or lack signatures, files that are missing or old. After each step
// both must have said the same and hold the same versions.
func TestRandomRepositories(t *testing.T) {
	accepted, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		r := newRepo(t)
		dir := t.TempDir()
		first := r.files["metadata/1.root.json"]
		them, we := &theirs{dir, first}, newOurs(t, first)
		now := day
		k := map[string][]int{"root": {1, 2}, "targets": {4, 5}, "staging": {8}, "snapshot": {6}, "timestamp": {7}}
		for range rapid.IntRange(1, 5).Draw(rt, "steps") {
			before := maps.Clone(r.files)
			r.randomStep(rt, k)
			if rapid.IntRange(0, 5).Draw(rt, "old file") == 0 {
				name := rapid.SampledFrom([]string{"timestamp.json", "1.snapshot.json", "1.targets.json", "2.snapshot.json"}).Draw(rt, "which")
				if b, ok := before["metadata/"+name]; ok {
					r.put(name, b)
				} else {
					delete(r.files, "metadata/"+name)
				}
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 9).Draw(rt, "hours")) * time.Hour)

			u, theirErr := them.refresh(r.files, now)
			c, ourErr := we.refresh(r.files, now)
			if (theirErr == nil) != (ourErr == nil) {
				rt.Fatalf("go-tuf says %v, we say %v", theirErr, ourErr)
			}
			if v, w := versionsOf(u), c.Versions(); v.Root != w.Root {
				rt.Fatalf("go-tuf has root %d, we have %d", v.Root, w.Root)
			}
			if ourErr != nil {
				refused++
				continue
			}
			accepted++
			if v, w := versionsOf(u), c.Versions(); v != w {
				rt.Fatalf("go-tuf has %+v, we have %+v", v, w)
			}
			path := tuf.ManifestPath("staging", app, 42)
			info, theirErr := u.GetTargetInfo(path)
			f, _, ourErr := c.PullTarget(path, r.files.fetch, now)
			we.state = c.State()
			if (theirErr == nil) != (ourErr == nil) || ourErr == nil && f.SHA256 != hexOf(info.Hashes["sha256"]) {
				rt.Fatalf("the staging target: go-tuf says %v, we say %v", theirErr, ourErr)
			}
		}
	})
	t.Logf("%d steps were taken in by both, %d refused by both", accepted, refused)
	if accepted == 0 || refused == 0 {
		t.Error("the steps are one-sided")
	}
}

func versionsOf(u *updater.Updater) tuf.Versions {
	set := u.GetTrustedMetadataSet()
	v := tuf.Versions{Root: uint32(set.Root.Signed.Version)} //nolint:gosec // a test's few versions
	if set.Timestamp != nil {
		v.Timestamp = uint32(set.Timestamp.Signed.Version) //nolint:gosec // as above
	}
	if set.Snapshot != nil {
		v.Snapshot = uint32(set.Snapshot.Signed.Version) //nolint:gosec // as above
	}
	if top := set.Targets[gotuf.TARGETS]; top != nil {
		v.Targets = uint32(top.Signed.Version) //nolint:gosec // as above
	}
	return v
}

// randomStep publishes the next state of the repository with, now and then,
// something wrong in it. k is who signs for each role.
func (r *repo) randomStep(rt *rapid.T, k map[string][]int) {
	odds := func(what string, n int) bool { return rapid.IntRange(0, n).Draw(rt, what) == 0 }
	if odds("new root", 2) {
		r.randomRoot(rt, k)
	}
	for _, doc := range []*tuf.Targets{&r.top, &r.low} {
		doc.Version += uint32(rapid.IntRange(0, 2).Draw(rt, "targets step")) //nolint:gosec // 0 to 2
		if odds("targets go back", 12) && doc.Version > 1 {
			doc.Version--
		}
		doc.Expires = after(rapid.IntRange(1, 200).Draw(rt, "targets hours"))
	}
	by := map[string][]int{}
	for _, role := range slices.Sorted(maps.Keys(k)) {
		by[role] = k[role]
		if odds("wrong signers of "+role, 12) {
			by[role] = rapid.SliceOfNDistinct(rapid.SampledFrom([]int{1, 4, 5, 6, 7, 8, 50, 51}), 1, 3, rapid.ID[int]).Draw(rt, "signers")
		}
	}
	r.publish(by)
	if odds("snapshot by hand", 4) {
		r.oddSnapshot(rt, by)
	}
	if odds("timestamp by hand", 4) {
		ts := r.ts
		ts.Expires = after(rapid.IntRange(1, 60).Draw(rt, "timestamp hours"))
		if odds("timestamp goes back", 3) && ts.Version > 1 {
			ts.Version--
		}
		if odds("wrong length of the snapshot", 4) {
			ts.Meta.Snapshot.Length++
		}
		r.put("timestamp.json", sign(r, ts, by["timestamp"]...))
	}
}

// after is an expiry between two of the test's hours: at the very second go-tuf
// still takes a document that the specification (5.4.4) has expire.
func after(hours int) canon.Time {
	return canon.At(day.Add(time.Duration(hours)*time.Hour + 30*time.Minute))
}

// oddSnapshot publishes the snapshot again, not as it should be.
func (r *repo) oddSnapshot(rt *rapid.T, by map[string][]int) {
	sn := r.sn
	sn.Meta = maps.Clone(sn.Meta)
	switch rapid.IntRange(0, 3).Draw(rt, "odd") {
	case 0:
		sn.Expires = after(rapid.IntRange(1, 60).Draw(rt, "snapshot hours"))
	case 1:
		m := sn.Meta["targets.json"]
		m.SHA256 = hexOf(make([]byte, 32))
		sn.Meta["targets.json"] = m
	case 2:
		delete(sn.Meta, "staging.json")
	case 3:
		m := sn.Meta["staging.json"]
		m.Version++
		sn.Meta["staging.json"] = m
	}
	b := sign(r, sn, by["snapshot"]...)
	if old, ok := r.files["metadata/"+tuf.FileName("snapshot", sn.Version-1)]; ok && rapid.Bool().Draw(rt, "the one before") {
		// The very bytes: of two snapshots with one version go-tuf keeps the one it
		// has without comparing its hash, we take the one that the timestamp names.
		b = old
		sn.Version--
	}
	ts, err := tuf.NextTimestamp(nil, b, r.ts.Expires.Time)
	r.must(err)
	ts.Version = r.ts.Version
	r.put(tuf.FileName("snapshot", sn.Version), b)
	r.put("timestamp.json", sign(r, ts, by["timestamp"]...))
	if sn.Version == r.sn.Version {
		r.sn = sn
	}
}

// randomRoot publishes the next root: with new keys for some role, signed by
// enough of both or not.
func (r *repo) randomRoot(rt *rapid.T, k map[string][]int) {
	plan := r.root.Plan()
	fresh := int(r.root.Version) * 100
	old := k["root"]
	next := maps.Clone(k)
	startOver := false
	switch rapid.IntRange(0, 3).Draw(rt, "which keys") {
	case 0:
		n := rapid.IntRange(1, 3).Draw(rt, "root keys")
		next["root"] = []int{fresh, fresh + 1, fresh + 2}[:n]
		plan.Root = keys(n, next["root"]...)
	case 1:
		next["targets"] = []int{fresh + 3}
		plan.Targets = keys(1, fresh+3)
	case 2: // both online keys: with one alone we forget more than go-tuf does
		next["snapshot"], next["timestamp"] = []int{fresh + 4}, []int{fresh + 5}
		plan.Snapshot, plan.Timestamp = keys(1, fresh+4), keys(1, fresh+5)
		startOver = rapid.Bool().Draw(rt, "start over")
	}
	root, err := r.root.Next(plan)
	r.must(err)
	by := append(append([]int(nil), old...), next["root"]...)
	good := true
	switch rapid.IntRange(0, 9).Draw(rt, "root signers") {
	case 0:
		by, good = old, false
	case 1:
		by, good = next["root"], false
	case 2:
		by, good = []int{fresh + 9}, false
	case 3:
		root.Version, good = root.Version+1, false
	case 4:
		root.Expires = after(rapid.IntRange(1, 60).Draw(rt, "root hours"))
	}
	r.put(tuf.FileName("root", r.root.Version+1), sign(r, root, by...))
	if good {
		r.root = root
		maps.Copy(k, next)
		if startOver {
			r.sn.Version, r.ts.Version, r.top.Version = 0, 0, 1
		}
	}
}

// TestRandomBytes changes bytes of published files. Whatever we take in then,
// go-tuf must take in, too; and a device takes in no change at all.
func TestRandomBytes(t *testing.T) {
	r := newRepo(t)
	names := []string{"1.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"}
	rapid.Check(t, func(rt *rapid.T) {
		f := maps.Clone(r.files)
		name := "metadata/" + rapid.SampledFrom(names).Draw(rt, "file")
		b := append([]byte(nil), f[name]...)
		for range rapid.IntRange(1, 3).Draw(rt, "changes") {
			i := rapid.IntRange(0, len(b)-1).Draw(rt, "at")
			switch rapid.IntRange(0, 2).Draw(rt, "change") {
			case 0:
				b[i] = rapid.Byte().Draw(rt, "byte")
			case 1:
				b = append(b[:i], b[i+1:]...)
			default:
				b = append(b[:i], append([]byte{rapid.Byte().Draw(rt, "byte")}, b[i:]...)...)
			}
		}
		same := string(b) == string(f[name])
		f[name] = b
		c, err := tuf.Start(f["metadata/1.root.json"])
		if err == nil {
			err = c.Pull(f.fetch, day)
		}
		if (err == nil) != same {
			rt.Fatalf("%s changed: %v", name, err)
		}
		foreign, err := tuf.StartForeign(f["metadata/1.root.json"], nil)
		if err == nil {
			err = foreign.Pull(f.fetch, day)
		}
		if err != nil {
			return
		}
		dir := t.TempDir()
		if _, err := (&theirs{dir, f["metadata/1.root.json"]}).refresh(f, day); err != nil {
			rt.Fatalf("%s changed: our foreign reading takes it, go-tuf says %v", name, err)
		}
	})
}
