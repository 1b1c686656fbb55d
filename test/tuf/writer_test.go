package tuf

import (
	"testing"

	gotuf "github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// TestGoTUFReadsOurs: go-tuf's client takes what our writer makes, over a chain of
// roots, and finds, downloads and verifies the targets of both roles.
func TestGoTUFReadsOurs(t *testing.T) {
	r := newRepo(t)
	first := r.files["metadata/1.root.json"]
	them, we := &theirs{t.TempDir(), first}, newOurs(t, first)
	for step := range 6 {
		u, err := them.refresh(r.files, day)
		if err != nil {
			t.Fatalf("step %d: go-tuf: %v", step, err)
		}
		c, err := we.refresh(r.files, day)
		if err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		for _, path := range []string{tuf.TrustPath, tuf.ManifestPath("production", app, 41), tuf.ManifestPath("staging", app, 42)} {
			info, err := u.GetTargetInfo(path)
			if err != nil {
				t.Fatalf("step %d: go-tuf: %s: %v", step, path, err)
			}
			f, _, err := c.PullTarget(path, r.files.fetch, day)
			if err != nil || f.Length != info.Length || f.SHA256 != hexOf(info.Hashes["sha256"]) {
				t.Errorf("step %d: %s: %+v %v", step, path, f, err)
			}
			if _, _, err := u.DownloadTarget(info, "", ""); err != nil {
				t.Errorf("step %d: go-tuf: %s: %v", step, path, err)
			}
		}
		if _, err := u.GetTargetInfo(tuf.ManifestPath("production", app, 99)); err == nil {
			t.Error("go-tuf finds what is not there")
		}
		r.nextStep(step)
	}
}

// nextStep goes on with the life of a repository.
func (r *repo) nextStep(step int) {
	r.t.Helper()
	plan := r.root.Plan()
	by := map[string][]int{}
	rootBy := []int{1, 2}
	switch step {
	case 0: // a release
		p := r.top.Plan()
		path := tuf.ManifestPath("production", app, 43)
		p.Targets[path] = r.target(path, "manifest 43")
		var err error
		r.top, err = r.top.Next(p)
		r.must(err)
		r.publish(nil)
		return
	case 1: // a root key is replaced: 3 by 9
		plan.Root = plan.Root.Without(signers(3)[0].Public().ID()).With(signers(9)[0].Public())
	case 2: // all root keys and the threshold
		plan.Root = keys(3, 1, 2, 10, 11)
		rootBy = []int{1, 2, 10}
	default: // the online keys again and again
		plan.Snapshot, plan.Timestamp = keys(1, 20+step), keys(1, 30+step)
		rootBy = []int{1, 2, 10}
		by = map[string][]int{"snapshot": {20 + step}, "timestamp": {30 + step}}
	}
	next, err := r.root.Next(plan)
	r.must(err)
	r.root = next
	r.put(tuf.FileName("root", next.Version), sign(r, next, rootBy...))
	r.publish(by)
}

// TestKeyIDsAgree: both compute the same id of a key.
func TestKeyIDsAgree(t *testing.T) {
	for n := range 20 {
		k, err := gotuf.KeyFromPublicKey(&private(n).PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		id, err := k.ID()
		if err != nil || id != signers(n)[0].Public().ID() {
			t.Error(n, id, err)
		}
	}
}
