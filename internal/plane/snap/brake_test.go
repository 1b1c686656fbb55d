package snap

import (
	"context"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// A brake acts without the database, holds through refreshes and through
// changes of what is known of devices, and is let go without a trace.
func TestBrake(t *testing.T) {
	src := newSource()
	src.apps["a"] = loaded()
	h := NewHolder(src)
	if err := h.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	state := func() (rollout, head bool) {
		app := h.App("a")
		return app.ChannelByName("beta").Rollout.Braked, app.ChannelByName("production").Chain[0].Braked
	}
	want := func(when string, rollout, head bool) {
		t.Helper()
		if r, c := state(); r != rollout || c != head {
			t.Errorf("%s: rollout braked %v, release braked %v", when, r, c)
		}
	}
	before := h.App("a")
	h.Brake("a", "beta", "1.1.0-rc.1", true)
	want("braked on beta", true, false)
	if before.ChannelByName("beta").Rollout.Braked {
		t.Error("a snapshot that was handed out changed")
	}
	h.Brake("a", "production", "1.1.0-rc.1", true)
	want("braked on production", true, true)
	if err := h.Refresh(context.Background(), "a"); err != nil {
		t.Fatal(err)
	}
	want("after a refresh", true, true)
	h.PatchFacts("a", []FactsChange{{Device: [16]byte{1}}})
	want("after a patch", true, true)
	h.Brake("a", "beta", "1.1.0-rc.1", false)
	want("let go", false, true)
	if !h.Braked("a", "production", "1.1.0-rc.1") || h.Braked("a", "beta", "1.1.0-rc.1") {
		t.Error("what it says of brakes is wrong")
	}
	h.Brake("b", "beta", "1.1.0-rc.1", true) // no such app: nothing happens
	if h.App("b") != nil {
		t.Error("a brake made an app")
	}
}

// Braked versions are not offered; whoever runs one keeps it.
func TestBrakeStopsOffers(t *testing.T) {
	src := newSource()
	l := loaded()
	for i := range l.Channels {
		p := &l.Channels[i].Policy
		p.IOS, p.AllowProd, p.AllowDevice, p.MinNative, p.Strategy = true, true, true, "", "none"
	}
	l.App.AllowPlain = true
	for _, b := range l.Bundles {
		b.Variants[0].ExternalURL, b.Variants[0].Checksum = "https://example.com/b.zip", "0"
	}
	src.apps["a"] = l
	h := NewHolder(src)
	if err := h.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	ask := func(running string) decide.Outcome {
		c := decide.Check{Platform: decide.IOS, VersionName: running, VersionBuild: "2.0.0", IsProd: true, Plugin: semver.Version{Major: 7}}
		c.Native.Major = 2
		return decide.Decide(h.App("a"), &c, nil)
	}
	if got := ask("1.0.0"); got.Kind != decide.Update || got.Version != "1.1.0-rc.1" {
		t.Fatalf("without a brake: %+v", got)
	}
	h.Brake("a", "production", "1.1.0-rc.1", true)
	for _, running := range []string{"1.0.0", "2.0.0"} {
		if got := ask(running); got.Version == "1.1.0-rc.1" {
			t.Errorf("a device on %s was offered what is braked: %+v", running, got)
		}
	}
	if got := ask("1.1.0-rc.1"); got.Kind != decide.UpToDate {
		t.Errorf("a device that runs it does not keep it: %+v", got)
	}
	h.Brake("a", "production", "1.1.0-rc.1", false)
	if got := ask("1.0.0"); got.Kind != decide.Update {
		t.Errorf("let go, it is not offered: %+v", got)
	}
}
