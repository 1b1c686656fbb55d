package tuf_test

import (
	"math"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// TestRootPlansRefused: roots that no repository may have.
func TestRootPlansRefused(t *testing.T) {
	for name, row := range map[string]struct {
		edit func(*tuf.RootPlan)
		code string
	}{
		"no threshold":            {func(p *tuf.RootPlan) { p.Root.Threshold = 0 }, tuf.CodeDocument},
		"a threshold beyond keys": {func(p *tuf.RootPlan) { p.Root.Threshold = 4 }, tuf.CodeDocument},
		"a role without keys":     {func(p *tuf.RootPlan) { p.Timestamp = tuf.Keys{Threshold: 1} }, tuf.CodeDocument},
		"online and root key":     {func(p *tuf.RootPlan) { p.Timestamp = keys(t, 1, 1) }, tuf.CodeKeys},
		"online and release key":  {func(p *tuf.RootPlan) { p.Snapshot = keys(t, 1, 5) }, tuf.CodeKeys},
		"too many keys": {func(p *tuf.RootPlan) {
			p.Root = keys(t, 2, 1, 2, 3, 301, 302, 303, 304, 305, 306, 307, 308, 309, 310, 311, 312, 313, 314)
		}, tuf.CodeDocument},
	} {
		p := rootPlan(t)
		row.edit(&p)
		if _, err := tuf.NewRoot(p); ota.CodeOf(err) != row.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := rootPlan(t)
	p.Timestamp = p.Snapshot // one online key for both is usual
	if _, err := tuf.NewRoot(p); err != nil {
		t.Error(err)
	}
	last := tuf.Root{Version: math.MaxUint32}
	_, err := last.Next(p)
	wantCode(t, err, tuf.CodeVersion)
}

// TestTargetsPlansRefused: what a targets role may not say.
func TestTargetsPlansRefused(t *testing.T) {
	r := newRepo(t)
	delegate := func(name string, paths ...string) func(*tuf.TargetsPlan) {
		return func(p *tuf.TargetsPlan) {
			p.Delegations = []tuf.Delegation{{Name: name, Keys: keys(t, 1, 8), Paths: paths}}
		}
	}
	for name, edit := range map[string]func(*tuf.TargetsPlan){
		"a role named like a top-level one": delegate("snapshot", tuf.StagingPaths),
		"a role with a path as its name":    delegate("../staging", tuf.StagingPaths),
		"a role without paths":              delegate("staging"),
		"a role for production":             delegate("staging", "production/*/*"),
		"a role for everything":             delegate("staging", "*/*/*"),
		"a class of characters":             delegate("staging", "staging/[a-z]/*"),
		"the same paths twice":              delegate("staging", "staging/*/*", "staging/*/*"),
		"the same role twice": func(p *tuf.TargetsPlan) {
			p.Delegations = append(p.Delegations, p.Delegations[0])
		},
		"nine roles": func(p *tuf.TargetsPlan) {
			for i := range tuf.MaxDelegations {
				p.Delegations = append(p.Delegations, tuf.Delegation{Name: "r" + string(rune('a'+i)), Keys: keys(t, 1, 8), Paths: []string{tuf.StagingPaths}})
			}
		},
		"another sequence number": func(p *tuf.TargetsPlan) {
			f := p.Targets[tuf.ManifestPath("production", app, 41)]
			p.Targets[tuf.ManifestPath("production", app, 42)] = f
		},
	} {
		p := r.roles["targets"].Plan()
		edit(&p)
		if _, err := tuf.NewTargets(p); ota.CodeOf(err) != tuf.CodeDocument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTargetPaths(t *testing.T) {
	long := "com." + strings.Repeat("a", 300)
	for path, good := range map[string]bool{
		"trust/trust.json":                                     true,
		"production/com.example.app/1.manifest":                true,
		"staging/com.example.App_x/9007199254740991.manifest":  true,
		"production/com.example.app/9007199254740992.manifest": false,
		"production/com.example.app/0.manifest":                false,
		"production/com.example.app/01.manifest":               false,
		"production/com.example.app/+1.manifest":               false,
		"production/com.example.app/1.manifest/":               false,
		"production//1.manifest":                               false,
		"production/../1.manifest":                             false,
		"production/" + long + "/1.manifest":                   false,
		"Production/com.example.app/1.manifest":                false,
		"production/com.example.app/1":                         false,
		"trust/other.json":                                     false,
		"/trust/trust.json":                                    false,
		"":                                                     false,
	} {
		if _, err := tuf.File(path, []byte("x")); (err == nil) != good {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// TestDelegatedRoleStaysInItsPaths: a staging document that lists a production
// target, or delegates on, is refused although its key signed it.
func TestDelegatedRoleStaysInItsPaths(t *testing.T) {
	for name, edit := range map[string]func(*repo, *tuf.TargetsPlan){
		"production": func(r *repo, p *tuf.TargetsPlan) { p.Targets[evilPath] = r.file(evilPath, "evil") },
		"trust":      func(r *repo, p *tuf.TargetsPlan) { p.Targets[tuf.TrustPath] = r.file(tuf.TrustPath, "evil") },
		"on": func(r *repo, p *tuf.TargetsPlan) {
			p.Delegations = []tuf.Delegation{{Name: "more", Keys: keys(t, 1, 9), Paths: []string{tuf.StagingPaths}}}
		},
	} {
		r := newRepo(t)
		c := r.client()
		p := r.roles["staging"].Plan()
		edit(r, &p)
		doc, err := r.roles["staging"].Next(p)
		r.must(err)
		b, err := tuf.Sign(t.Context(), doc, r.by["staging"]...)
		r.must(err)
		if err := tuf.CheckDelegated(r.latest.Roles["targets"], "staging", b); ota.CodeOf(err) != tuf.CodeDocument {
			t.Errorf("%s: %v", name, err)
		}
		if name == "on" {
			continue // no snapshot can name it: NextSnapshot reads it first
		}
		r.latest.Roles["staging"] = b
		r.publish()
		wantCode(t, feed(c, nil, r.published(), day), tuf.CodeDocument)
		if finds(c, evilPath) {
			t.Error("a staging key speaks for production")
		}
	}
}

// TestSnapshotsThatGoBackAreNotWritten: the writer refuses what clients would.
func TestSnapshotsThatGoBackAreNotWritten(t *testing.T) {
	r := newRepo(t)
	old := r.published()
	r.addTarget("targets", tuf.ManifestPath("production", app, 43), "manifest 43")
	r.publish()
	_, err := tuf.NextSnapshot(r.sn, old.Roles, day)
	wantCode(t, err, tuf.CodeRollback)
	_, err = tuf.NextSnapshot(r.sn, map[string][]byte{"targets": r.latest.Roles["targets"]}, day)
	wantCode(t, err, tuf.CodeRollback)
	_, err = tuf.NextTimestamp(r.ts, old.Snapshot, day)
	wantCode(t, err, tuf.CodeRollback)
}
