package tuf_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

func TestClientFindsTargets(t *testing.T) {
	r := newRepo(t)
	c := r.client()
	for path, role := range map[string]string{
		tuf.TrustPath:                           tuf.RoleTargets,
		tuf.ManifestPath("production", app, 41): tuf.RoleTargets,
		tuf.ManifestPath("staging", app, 42):    tuf.RoleStaging,
	} {
		f, by, err := c.Target(path)
		if err != nil || by != role {
			t.Fatal(path, by, err)
		}
		if diff := cmp.Diff(r.roles[role].Targets[path], f); diff != "" {
			t.Error(diff)
		}
	}
	f, _, _ := c.Target(tuf.TrustPath)
	if err := f.Holds([]byte("trust")); err != nil {
		t.Error(err)
	}
	wantCode(t, f.Holds([]byte("trusT")), tuf.CodeHash)
	wantCode(t, f.Holds([]byte("trust ")), tuf.CodeHash)
	_, _, err := c.Target(tuf.ManifestPath("production", app, 1))
	wantCode(t, err, tuf.CodeTarget)
	if n := c.Missing(); len(n) != 0 {
		t.Error(n)
	}
	if !c.Expires().Equal(day.AddDate(0, 0, 1)) {
		t.Error(c.Expires())
	}
}

// TestMissingLeadsThroughAFetch pulls a repository file by file.
func TestMissingLeadsThroughAFetch(t *testing.T) {
	r := newRepo(t)
	files := map[string][]byte{
		"timestamp.json": r.latest.Timestamp, "1.snapshot.json": r.latest.Snapshot,
		"1.targets.json": r.latest.Roles[tuf.RoleTargets], "1.staging.json": r.latest.Roles[tuf.RoleStaging],
	}
	c, err := tuf.Start(r.roots[0])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tuf.Need{Role: "root", Version: 2, File: "2.root.json", Max: tuf.MaxRoot, Optional: true}, c.NextRoot()); diff != "" {
		t.Error(diff)
	}
	var order []string
	for needs := c.Missing(); len(needs) > 0; needs = c.Missing() {
		n := needs[0]
		order = append(order, n.File)
		b := files[n.File]
		if int64(len(b)) > n.Max || n.Role != tuf.RoleTimestamp && int64(len(b)) != n.Max {
			t.Errorf("%s has %d bytes, the cap is %d", n.File, len(b), n.Max)
		}
		switch n.Role {
		case tuf.RoleTimestamp:
			err = c.UpdateTimestamp(b, day)
		case tuf.RoleSnapshot:
			err = c.UpdateSnapshot(b, day)
		default:
			if n.Optional != (n.Role == tuf.RoleStaging) {
				t.Error(n)
			}
			err = c.UpdateTargets(n.Role, b, day)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"timestamp.json", "1.snapshot.json", "1.targets.json", "1.staging.json"}, order); diff != "" {
		t.Error(diff)
	}
}

func TestStateGoesOn(t *testing.T) {
	r := newRepo(t)
	b, err := r.client().State().Encode()
	if err != nil {
		t.Fatal(err)
	}
	s, err := tuf.DecodeState(b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tuf.Resume(s, day)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Target(tuf.TrustPath); err != nil || len(c.Missing()) > 0 {
		t.Error(err, c.Missing())
	}
	if diff := cmp.Diff(tuf.Versions{Root: 1, Timestamp: 1, Snapshot: 1, Targets: 1}, c.Versions()); diff != "" {
		t.Error(diff)
	}
	old := r.published()
	r.addTarget(tuf.RoleTargets, tuf.ManifestPath("production", app, 43), "manifest 43")
	r.publish()
	if err := feed(c, nil, r.published(), day); err != nil {
		t.Fatal(err)
	}
	s = c.State()
	again, err := tuf.Resume(s, day)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, again.UpdateTimestamp(old.Timestamp, day), tuf.CodeRollback)

	// Later nothing is current, and the same versions still hold.
	late, err := tuf.Resume(s, day.AddDate(0, 0, 2))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = late.Target(tuf.TrustPath)
	wantCode(t, err, tuf.CodeExpired)
	wantCode(t, late.UpdateTimestamp(old.Timestamp, day), tuf.CodeRollback)
	wantCode(t, late.UpdateTimestamp(r.latest.Timestamp, day.AddDate(0, 0, 2)), tuf.CodeExpired)
	if n := late.Missing(); len(n) != 1 || n[0].Role != tuf.RoleTimestamp {
		t.Error(n)
	}

	// A snapshot that is stored without its timestamp holds its version, too, also
	// when it names the same documents as the one before.
	before := r.published()
	r.publish()
	r.must(feed(c, nil, r.published(), day))
	part := c.State()
	part.Timestamp = nil
	c, err = tuf.Resume(part, day)
	r.must(err)
	r.must(c.UpdateTimestamp(before.Timestamp, day))
	wantCode(t, c.UpdateSnapshot(before.Snapshot, day), tuf.CodeRollback)

	s.Snapshot = s.Snapshot[1:]
	_, err = tuf.Resume(s, day)
	wantCode(t, err, tuf.CodeState)
}

// TestExpiry moves the clock over each document's end.
func TestExpiry(t *testing.T) {
	r := newRepo(t)
	for _, row := range []struct {
		name string
		now  time.Time
		code string
	}{
		{"the last second", day.AddDate(0, 0, 1).Add(-time.Second), ""},
		{"the timestamp's end", day.AddDate(0, 0, 1), tuf.CodeExpired},
		{"the root's end", day.AddDate(1, 0, 0), tuf.CodeExpired},
	} {
		c, err := tuf.Start(r.roots[0])
		if err != nil {
			t.Fatal(err)
		}
		err = feed(c, nil, r.published(), row.now)
		if row.code == "" && err != nil || row.code != "" && err == nil {
			t.Error(row.name, err)
		}
	}
	r.renew(day.AddDate(0, 2, 0))
	c, err := tuf.Start(r.roots[0])
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, feed(c, nil, r.published(), day.AddDate(0, 0, 7)), tuf.CodeExpired) // the snapshot's end
	if v := c.Versions(); v.Timestamp != 2 || v.Snapshot != 0 {
		t.Error(v)
	}
}

// TestRootSteps walks a chain that is longer than one run, over two of them.
func TestRootSteps(t *testing.T) {
	r := newRepo(t)
	for range tuf.MaxRootSteps + 3 {
		next, err := r.root.Next(r.root.Plan())
		r.must(err)
		r.root = next
		r.publishRoot()
	}
	c, err := tuf.Start(r.roots[0])
	r.must(err)
	wantCode(t, feed(c, r.roots[1:], r.published(), day), tuf.CodeSteps)
	c, err = tuf.Resume(c.State(), day)
	r.must(err)
	wantCode(t, c.UpdateRoot(r.roots[1]), tuf.CodeVersion)
	r.must(feed(c, r.roots[c.Versions().Root:], r.published(), day))
	if v := c.Versions().Root; int(v) != tuf.MaxRootSteps+4 {
		t.Error(v)
	}
}

func TestPublishedCheck(t *testing.T) {
	r := newRepo(t)
	if _, err := r.published().Check(day); err != nil {
		t.Fatal(err)
	}
	p := r.published()
	p.Roles["other"] = p.Roles[tuf.RoleStaging]
	_, err := p.Check(day)
	wantCode(t, err, tuf.CodeRole)
	p = r.published()
	p.Roles[tuf.RoleStaging] = p.Roles[tuf.RoleTargets]
	_, err = p.Check(day)
	wantCode(t, err, tuf.CodeTooLong)
}

// TestSignersOneAfterTheOther passes a draft around.
func TestSignersOneAfterTheOther(t *testing.T) {
	r := newRepo(t)
	plan := r.root.Plan()
	plan.Root = plan.Root.Without(signer(t, 3).Public().ID()).With(signer(t, 9).Public())
	next, err := r.root.Next(plan)
	r.must(err)
	draft, err := tuf.Sign(t.Context(), next)
	r.must(err)
	wantCode(t, tuf.CheckRoot(r.latest.Root, draft), tuf.CodeDocument)
	for i, s := range signers(t, 9, 1, 2, 1) {
		draft, err = tuf.AddSignature(t.Context(), draft, s)
		r.must(err)
		p, err := plan.Root.Progress(tuf.RoleRoot, draft)
		r.must(err)
		if want := min(i+1, 3); len(p.Signed) != want || len(p.Open) != 3-want || p.Met() != (want >= 2) {
			t.Error(i, p)
		}
		err = tuf.CheckRoot(r.latest.Root, draft)
		if i < 2 {
			wantCode(t, err, tuf.CodeSignature)
		} else if err != nil {
			t.Error(err)
		}
	}
	if _, err := tuf.AttachSignature(draft, signer(t, 4).Public(), []byte("no")); err == nil {
		t.Error("a signature that is none was attached")
	}
	info, err := tuf.Inspect(draft)
	if err != nil || info.Type != tuf.RoleRoot || info.Version != 2 || len(info.Signatures) != 3 {
		t.Error(info, err)
	}
}
