package control_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// allVersions are published in every run: the native app is 1.0.0, so the
// first is below it, and 2.0.0 is refused by the channel's strategy.
var allVersions = []string{"0.9.0", "1.0.1", "1.1.0", "1.2.0", "1.3.0", "2.0.0"}

// fleet is a model of devices that do what they are told, and of what the
// server may tell them.
type fleet struct {
	*env
	app     string
	devices []*device
	deleted map[string]bool

	// The rollout as last seen, and who was in it: growing must not drop anybody.
	rollout decide.Rollout
	in      map[ota.DeviceID]bool
}

type device struct {
	id     ota.DeviceID
	runs   string          // "" = the built-in bundle
	bad    map[string]bool // versions that fail on it
	failed map[string]bool // and did, as far as was reported and not cleared
}

// check asks what the device gets now.
func (f *fleet) check(d *device) decide.Outcome {
	c := &decide.Check{
		Device: d.id, Platform: decide.Android, VersionName: d.runs, VersionBuild: "1.0.0",
		Native: semver.Version{Major: 1}, Plugin: semver.Version{Major: 8, Minor: 50}, IsProd: true,
	}
	if c.VersionName == "" {
		c.VersionName = c.VersionBuild
	}
	return decide.Decide(f.snap.App(f.app), c, nil)
}

// settle lets a device check, install and report until it has nothing to do.
func (f *fleet) settle(t *rapid.T, d *device) {
	var path []string
	for range 2*len(allVersions) + 2 {
		out := f.check(d)
		switch out.Kind {
		case decide.Update:
			if d.failed[out.Version] {
				t.Fatalf("device %x is offered %s, which failed on it", d.id[:2], out.Version)
			}
			if f.deleted[out.Version] {
				t.Fatalf("device %x is offered %s, which was deleted", d.id[:2], out.Version)
			}
			if out.Version == "0.9.0" || out.Version == "2.0.0" {
				t.Fatalf("device %x is offered %s against the channel's policy", d.id[:2], out.Version)
			}
			path = append(path, out.Version)
			if d.bad[out.Version] {
				d.failed[out.Version] = true
				f.snap.PatchFacts(f.app, []snap.FactsChange{{Device: d.id, AddFailed: []string{out.Version}}})
				continue // the plugin rolls back by itself
			}
			d.runs = out.Version
		case decide.Revert:
			path = append(path, ota.Builtin)
			d.runs = ""
		default:
			return
		}
	}
	t.Fatalf("device %x never comes to rest: %v", d.id[:2], path)
}

// invariants checks the snapshot against the database and the rules.
func (f *fleet) invariants(t *rapid.T) {
	ch, err := f.Channel(f.ctx(), f.app, prod)
	f.do(err)
	history, err := f.db.History(f.ctx(), ch.ID)
	f.do(err)
	byID := map[int64]control.PastRelease{}
	for _, r := range history {
		byID[r.ID] = r
		if r.Parent >= r.ID {
			t.Fatalf("release %d has parent %d, which is not older", r.ID, r.Parent)
		}
	}
	var chain []string
	inChain := map[string]bool{}
	if ch.Release != nil {
		for r, ok := byID[ch.Release.ID]; ok; r, ok = byID[r.Parent] {
			chain = append(chain, r.Version)
			inChain[r.Version] = true
		}
	}
	seen := f.snap.App(f.app).ChannelByName(prod)
	var got []string
	for _, r := range seen.Chain {
		if r.Bundle == nil {
			got = append(got, ota.Builtin)
		} else {
			got = append(got, r.Bundle.Version)
		}
	}
	if want := chain[:min(len(chain), snap.MaxChain)]; !slices.Equal(got, want) {
		t.Fatalf("devices see the chain %v, the history has %v", got, want)
	}
	for _, r := range history {
		_, withdrawn := seen.Withdrawn[r.Version]
		if want := r.BundleID != 0 && !inChain[r.Version]; withdrawn != want {
			t.Fatalf("%s withdrawn: %v, want %v", r.Version, withdrawn, want)
		}
	}
	f.monotone(t, seen)
}

// monotone checks that a rollout that only grows keeps whom it has.
func (f *fleet) monotone(t *rapid.T, seen *decide.Channel) {
	now := decide.Rollout{}
	if seen.Rollout != nil {
		now = *seen.Rollout
	}
	same := now.ID == f.rollout.ID && now.BPS >= f.rollout.BPS && now.Enabled && !now.Paused && f.rollout.Enabled && !f.rollout.Paused
	in := map[ota.DeviceID]bool{}
	// A channel whose release was deleted serves nobody, rollout or not.
	if now.ID != "" && !now.Bundle.Deleted && seen.Selectable() {
		for _, d := range f.devices {
			fresh := &device{id: d.id} // in the rollout by its bucket, not by what it runs
			in[d.id] = f.check(fresh).Arm == decide.Treated
			if same && f.in[d.id] && !in[d.id] && !d.failed[now.Bundle.Version] {
				t.Fatalf("device %x fell out of a rollout that grew from %d to %d", d.id[:2], f.rollout.BPS, now.BPS)
			}
		}
	}
	f.rollout, f.in = now, in
}

// step does one administrative action; an error of the rules is fine, one of
// the machine is not.
func (f *fleet) step(t *rapid.T) {
	version := rapid.SampledFrom(allVersions).Draw(t, "version")
	var err error
	action := rapid.SampledFrom([]string{
		"release", "release", "rollback", "rollback to", "builtin", "rollout", "grow", "pause", "resume",
		"promote", "abort", "halt", "delete", "forgive",
	}).Draw(t, "action")
	ctx := f.ctx()
	switch action {
	case "release":
		_, _, err = f.Release(ctx, who, f.app, prod, ota.ReleaseRequest{Version: version})
	case "rollback":
		_, err = f.Rollback(ctx, actor, f.app, prod, ota.RollbackRequest{})
	case "rollback to":
		_, err = f.Rollback(ctx, actor, f.app, prod, ota.RollbackRequest{To: version})
	case "builtin":
		_, err = f.Rollback(ctx, actor, f.app, prod, ota.RollbackRequest{To: ota.Builtin})
	case "rollout":
		_, err = f.SetRollout(ctx, who, f.app, prod, ota.RolloutRequest{Version: version, BPS: new(rapid.IntRange(0, 10_000).Draw(t, "bps"))})
	case "grow":
		_, err = f.SetRollout(ctx, who, f.app, prod, ota.RolloutRequest{BPS: new(min(10_000, f.rollout.BPS+rapid.IntRange(0, 5000).Draw(t, "more")))})
	case "pause", "resume":
		_, err = f.SetRollout(ctx, who, f.app, prod, ota.RolloutRequest{Paused: new(action == "pause")})
	case "promote":
		_, err = f.PromoteRollout(ctx, who, f.app, prod)
	case "abort":
		err = f.AbortRollout(ctx, actor, f.app, prod)
	case "halt":
		how := rapid.SampledFrom([]ota.HaltAction{ota.HaltPause, ota.HaltRollback, ota.HaltNotify}).Draw(t, "how")
		err = f.Halt(ctx, "system/guard", f.app, prod, control.HaltReason{Version: version}, how)
	case "delete":
		if err = f.DeleteBundle(ctx, actor, f.app, version, rapid.Bool().Draw(t, "force")); err == nil {
			f.deleted[version] = true
		}
	case "forgive":
		d := rapid.SampledFrom(f.devices).Draw(t, "device")
		f.snap.PatchFacts(f.app, []snap.FactsChange{{Device: d.id, ClearFailed: []string{version}}})
		delete(d.failed, version)
	}
	if err != nil && ota.KindOf(err) == ota.KindInternal {
		t.Fatalf("%s: %v", action, err)
	}
}

// No sequence of administrative actions makes a device loop, or offers it a
// version that failed on it.
func TestNoActionsMakeADeviceLoop(t *testing.T) {
	e := newEnv(t)
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		f := &fleet{env: e, app: fmt.Sprintf("com.example.run%d", runs), deleted: map[string]bool{}}
		_, err := f.CreateApp(f.ctx(), actor, ota.NewApp{ID: f.app})
		f.do(err)
		for _, v := range allVersions {
			_, _, err := f.ImportBundle(f.ctx(), actor, f.app, ota.ImportBundle{Version: v, Variant: ota.Variant{
				ExternalURL: "https://cdn.example/" + v + ".zip", Checksum: strings.Repeat("ab", 32),
			}})
			f.do(err)
		}
		for i := range 4 {
			d := &device{id: ota.DeviceID{byte(i), 1}, bad: map[string]bool{}, failed: map[string]bool{}}
			for _, v := range rapid.SliceOfN(rapid.SampledFrom(allVersions), 0, i).Draw(t, "bad") {
				d.bad[v] = true
			}
			f.devices = append(f.devices, d)
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			f.step(t)
			f.invariants(t)
			for _, d := range f.devices {
				if rapid.IntRange(0, 3).Draw(t, "awake") > 0 {
					f.settle(t, d)
				}
			}
		}
	})
}
