package decide_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// published are the versions that random apps are made of.
var published = []string{"0.9.0", "1.0.0", "1.0.1", "1.1.0", "1.1.0-rc.1", "1.2.0", "2.0.0"}

var (
	names    = rapid.SampledFrom(published)
	natives  = rapid.SampledFrom([]string{"0.9.0", "1.0.0", "1.0", "1", "1.1.0", "2.0.0"})
	plugins  = rapid.SampledFrom([]string{"4.9.0", "5.1.0", "6.1.0", "6.30.0", "7.0.0", "7.34.0", "8.40.7", "8.51.23"})
	keys     = rapid.SampledFrom([]string{"", "A", "B"})
	channels = []string{"a", "bb", "ccc"}
)

func drawBundle(t *rapid.T) *decide.Bundle {
	b := bundle(names.Draw(t, "version"), keyed(rapid.SliceOfNDistinct(keys, 0, 3, rapid.ID).Draw(t, "keys")...))
	b.Deleted = rapid.IntRange(0, 9).Draw(t, "deleted") == 0
	if rapid.Bool().Draw(t, "has minimum") {
		minNative(natives.Draw(t, "minimum"))(b)
	}
	for _, v := range b.Variants {
		if rapid.Bool().Draw(t, "files") {
			v.Files = []ota.VariantFile{{Name: "index.html"}}
		}
		if rapid.IntRange(0, 4).Draw(t, "no zip") == 0 {
			v.Zip = ota.Digest{}
		}
	}
	return b
}

func drawChannel(t *rapid.T, name string) *decide.Channel {
	ch := &decide.Channel{ID: int64(len(name)), Name: name, Withdrawn: map[string]struct{}{}}
	flag := rapid.Bool()
	ch.Policy = ota.Policy{
		Public: flag.Draw(t, "public"), AllowSelfSet: flag.Draw(t, "self"), IOS: true, Android: flag.Draw(t, "android"), Electron: true,
		AllowDev: true, AllowProd: flag.Draw(t, "prod"), AllowEmulator: true, AllowDevice: flag.Draw(t, "device"), UnderNative: flag.Draw(t, "under native"),
		Strategy: rapid.SampledFrom([]ota.Strategy{ota.StrategyNone, ota.StrategyMajor, ota.StrategyMinor, ota.StrategyPatch, ota.StrategyVersionNumber}).Draw(t, "strategy"),
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "releases") {
		r := decide.Release{ID: int64(i + 1)}
		if rapid.IntRange(0, 4).Draw(t, "builtin") > 0 {
			r.Bundle = drawBundle(t)
		}
		ch.Chain = append(ch.Chain, r)
	}
	for range rapid.IntRange(0, 2).Draw(t, "withdrawn") {
		ch.Withdrawn[names.Draw(t, "withdrawn version")] = struct{}{}
	}
	if flag.Draw(t, "rollout") {
		ch.Rollout = &decide.Rollout{
			ID: "r" + name, Bundle: drawBundle(t), BPS: rapid.IntRange(0, 10_000).Draw(t, "bps"),
			Enabled: rapid.IntRange(0, 9).Draw(t, "enabled") > 0, Paused: rapid.IntRange(0, 4).Draw(t, "paused") == 0,
		}
	}
	return ch
}

func drawApp(t *rapid.T) *decide.App {
	a := &decide.App{ID: "com.example.app"}
	for _, name := range channels[:rapid.IntRange(1, 3).Draw(t, "channels")] {
		a.Channels = append(a.Channels, drawChannel(t, name))
	}
	f := facts{Override: int64(rapid.IntRange(0, 4).Draw(t, "override")), SelfSet: rapid.Bool().Draw(t, "self set")}
	f.Failed = rapid.SliceOfNDistinct(names, 0, 3, rapid.ID).Draw(t, "failed")
	a.Devices = f
	drawNatives(t, a)
	drawHolds(t, a)
	return a
}

// drawHolds takes versions out of service.
func drawHolds(t *rapid.T, a *decide.App) {
	holds := map[string]ota.Hold{}
	for range rapid.IntRange(0, 2).Draw(t, "held") {
		holds[names.Draw(t, "held version")] = rapid.SampledFrom([]ota.Hold{ota.Quarantined, ota.Blocked}).Draw(t, "hold")
	}
	mark := func(b *decide.Bundle) {
		if b != nil && holds[b.Version] != "" {
			b.Held = holds[b.Version]
			a.Held = append(a.Held, b)
		}
	}
	for _, ch := range a.Channels {
		for _, r := range ch.Chain {
			mark(r.Bundle)
		}
		if ch.Rollout != nil {
			mark(ch.Rollout.Bundle)
		}
	}
}

// drawNatives registers native versions that lack what some bundles need.
func drawNatives(t *rapid.T, a *decide.App) {
	var id int64
	var ids []int64
	for _, ch := range a.Channels {
		ch.Policy.NativePackages = rapid.SampledFrom([]ota.NativeMode{"", ota.NativeOff, ota.NativeWarn, ota.NativeEnforce}).Draw(t, "native packages")
		for _, r := range ch.Chain {
			if r.Bundle != nil {
				id++
				r.Bundle.ID = id
				ids = append(ids, id)
			}
		}
		if ch.Rollout != nil {
			id++
			ch.Rollout.Bundle.ID = id
			ids = append(ids, id)
		}
	}
	a.Natives = decide.Natives{}
	for range rapid.IntRange(0, 4).Draw(t, "registered natives") {
		n := &decide.Native{Lacks: map[int64]string{}}
		for _, id := range ids {
			if rapid.Bool().Draw(t, "lacks") {
				n.Lacks[id] = "The native app lacks something"
			}
		}
		platform := rapid.SampledFrom([]string{decide.IOS, decide.Android}).Draw(t, "native platform")
		a.Natives[decide.NativeVersion{Platform: platform, Version: version(natives.Draw(t, "registered"))}] = n
	}
}

func drawCheck(t *rapid.T) *decide.Check {
	return check(native(natives.Draw(t, "native")), plugin(plugins.Draw(t, "plugin")), key(keys.Draw(t, "key")),
		named(rapid.SampledFrom(append([]string{"", "", "nope"}, channels...)).Draw(t, "named")),
		func(c *decide.Check) {
			c.Device = device(rapid.Uint64().Draw(t, "device"))
			c.Platform = rapid.SampledFrom([]string{decide.IOS, decide.Android, decide.Electron}).Draw(t, "platform")
			c.IsProd, c.IsEmulator = rapid.Bool().Draw(t, "prod"), rapid.Bool().Draw(t, "emulator")
			c.VersionName = c.Build
			if rapid.Bool().Draw(t, "updated before") {
				c.VersionName = names.Draw(t, "running")
			}
		})
}

// TestAlwaysHolds states what is true of every answer.
func TestAlwaysHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, c := drawApp(t), drawCheck(t)
		var trace decide.Trace
		out, traced := decide.Decide(a, c, nil), decide.Decide(a, c, &trace)
		if diff := cmp.Diff(summary(&out), summary(&traced)); diff != "" {
			t.Fatalf("a trace changes the answer:\n%s", diff)
		}
		if len(trace.Steps) == 0 {
			t.Fatal("no rule was asked")
		}
		known := a.Facts(c.Device)
		switch out.Kind {
		case decide.Update:
			delivered(t, c, &out, known.Failed)
			fits(t, a, c, &out)
		case decide.Revert:
			if c.OnBuiltin() || c.Platform == decide.Electron || c.Plugin.Less(6, 2, 0) {
				t.Fatalf("a device that cannot revert was told to: %+v", c)
			}
		default:
			if out.Code == "" || out.Message == "" {
				t.Fatalf("a refusal without a reason: %+v", out)
			}
		}
		stuck := c.OnBuiltin() || c.Platform == decide.Electron || c.Plugin.Less(6, 2, 0)
		if blockedFor(a, c) && !stuck && out.Kind != decide.Update && out.Kind != decide.Revert {
			t.Fatalf("a device is left on the blocked version %s: %+v", c.VersionName, out)
		}
		if (out.Kind == decide.Update || out.Kind == decide.Revert) != (out.Code == "") {
			t.Fatalf("kind and code contradict: %+v", out)
		}
	})
}

// blockedFor reports whether the device runs what is blocked for all.
func blockedFor(a *decide.App, c *decide.Check) bool {
	return slices.ContainsFunc(a.Held, func(b *decide.Bundle) bool { return b.Held == ota.Blocked && b.Version == c.VersionName })
}

// fits holds that no registered device is offered what its native version lacks.
func fits(t *rapid.T, a *decide.App, c *decide.Check, out *decide.Outcome) {
	n := a.Natives[decide.NativeVersion{Platform: c.Platform, Version: c.Native}]
	if m := out.Channel.Policy.NativePackages; n == nil || m == ota.NativeOff || m == ota.NativeWarn {
		return
	}
	if lack, bad := n.Lacks[out.Bundle.ID]; bad {
		t.Fatalf("native %s %s was given %s: %s", c.Platform, c.Native, out.Version, lack)
	}
}

// delivered holds what must be true of a bundle that a device is given.
func delivered(t *rapid.T, c *decide.Check, out *decide.Outcome, failed []string) {
	v := out.Variant
	full := decide.ReportsFullKeyID(c.Plugin) || c.Platform == decide.Electron
	switch {
	case out.Version == c.VersionName:
		t.Fatal("the device was given what it runs")
	case out.Bundle.Held != ota.NotHeld:
		t.Fatal("a bundle out of service was given")
	case out.Bundle.Deleted:
		t.Fatal("a deleted bundle was given")
	case slices.Contains(failed, out.Version):
		t.Fatalf("%s failed on the device and was given again", out.Version)
	case v.Bundle != out.Bundle:
		t.Fatal("the variant is of another bundle")
	case full && v.KeyID != c.KeyID:
		t.Fatalf("key %q was given what is for %q", c.KeyID, v.KeyID)
	case v.Zip.IsZero() && v.ExternalURL == "" && !out.Manifest:
		t.Fatal("there is nothing to download")
	case out.Manifest && (c.Platform == decide.Electron || len(v.Files) == 0):
		t.Fatal("a list was given to who cannot take it, or an empty one")
	}
}

func summary(out *decide.Outcome) []any {
	return []any{told(out), out.Old, out.Major, out.Manifest, out.Metadata, out.Rollout, out.Channel != nil}
}

// TestSettles holds that a device which does what it is told comes to rest: it
// installs, reports the new version, or fails and is not told again.
func TestSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, c := drawApp(t), drawCheck(t)
		f := a.Devices.(facts)
		limit := 2 * (len(published) + 2) // each version may be installed once and fail once
		for step := 0; ; step++ {
			a.Devices = f
			out := decide.Decide(a, c, nil)
			if out.Kind != decide.Update && out.Kind != decide.Revert {
				return
			}
			if step > limit {
				t.Fatalf("the device goes round: %s is offered to who runs %s", out.Version, c.VersionName)
			}
			switch {
			case out.Kind == decide.Revert:
				c.VersionName = c.Build
			case rapid.Bool().Draw(t, "fails") && !slices.Contains(f.Failed, out.Version):
				f.Failed = append(slices.Clone(f.Failed), out.Version) // rolled back: it runs what it ran
			default:
				c.VersionName = out.Version
			}
		}
	})
}

// TestGrowingRollout holds that a larger share drops no device and that the
// share is about what was asked for.
func TestGrowingRollout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ch := rollout(bundle("1.1.0"), 0)
		ch.Rollout.ID = rapid.StringN(1, 36, -1).Draw(t, "id")
		a := app(ch)
		small := rapid.IntRange(0, 10_000).Draw(t, "from")
		large := rapid.IntRange(small, 10_000).Draw(t, "to")
		start := rapid.Uint64().Draw(t, "first device")
		in := func(bps int) (list []bool) {
			ch.Rollout.BPS = bps
			for i := range uint64(200) {
				out := decide.Decide(a, check(func(c *decide.Check) { c.Device = device(start + i) }), nil)
				list = append(list, out.OfRollout())
			}
			return list
		}
		before, after := in(small), in(large)
		for i := range before {
			if before[i] && !after[i] {
				t.Fatalf("device %d was in at %d and is out at %d", i, small, large)
			}
		}
	})
}

func TestLookups(t *testing.T) {
	a := app(private(channel("beta")), channel("production", bundle("1.0.1")))
	if a.ChannelByName("beta") != a.Channels[0] || a.ChannelByName("nope") != nil || a.ChannelByID(10) != a.Channels[1] || a.ChannelByID(7) != nil {
		t.Error("a channel is not found by its name or id")
	}
	if a.PublicChannel(decide.IOS) != a.Channels[1] || a.PublicChannel("windows") != nil {
		t.Error("the public channel is not found")
	}
	if f := a.Facts(ota.DeviceID{}); f.Override != 0 || f.Failed != nil {
		t.Error("facts of a device nobody knows")
	}
	for k, want := range map[decide.Kind]string{decide.Update: "update", decide.Revert: "revert", decide.UpToDate: "up_to_date", decide.Blocked: "blocked", decide.Failed: "failed"} {
		if k.String() != want {
			t.Errorf("%d is %q, want %q", k, k, want)
		}
	}
}

func TestPluginGates(t *testing.T) {
	for _, c := range []struct {
		name string
		gate func(v string) bool
		yes  []string
		no   []string
	}{
		{
			"stores channel", func(v string) bool { return decide.StoresChannel(version(v)) },
			[]string{"5.34.0", "6.34.0", "7.34.0", "8.0.0", "9.1.0", "0.0.1"},
			[]string{"5.33.9", "6.33.9", "7.33.9", "7.34.0-beta.1"},
		},
		{
			"takes manifests", func(v string) bool { return decide.TakesManifest(version(v)) },
			[]string{"5.10.0", "6.25.0", "7.0.35", "8.0.0"},
			[]string{"5.9.9", "6.24.9", "7.0.34"},
		},
		{
			"hex checksums", func(v string) bool { return decide.TakesHexChecksum(version(v)) },
			[]string{"5.30.0", "6.30.0", "7.30.0", "8.0.0"},
			[]string{"5.29.9", "6.29.9", "7.29.9"},
		},
		{
			"full key ids", func(v string) bool { return decide.ReportsFullKeyID(version(v)) },
			[]string{"8.40.8", "8.51.23", "9.0.0"},
			[]string{"8.40.7", "7.34.0", "6.34.0", "5.34.0"},
		},
		{
			"names builtin natively", func(v string) bool { return decide.NamesBuiltinNatively(version(v)) },
			[]string{"8.44.0", "8.51.23"},
			[]string{"8.43.9", "7.34.0"},
		},
		{
			"download_fail means it", func(v string) bool { return decide.CountsDownloadFail(version(v)) },
			[]string{"6.14.25", "7.17.0", "8.0.0", "9.0.0"},
			[]string{"5.40.0", "6.14.24", "7.16.9", "4.0.0"},
		},
	} {
		for _, v := range c.yes {
			if !c.gate(v) {
				t.Errorf("%s: %s does", c.name, v)
			}
		}
		for _, v := range c.no {
			if c.gate(v) {
				t.Errorf("%s: %s does not", c.name, v)
			}
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	ch := rollout(bundle("1.1.0", keyed("A", "B")), 5000)
	ch.Chain[0].Bundle = bundle("1.0.1", keyed("A", "B"))
	a := app(ch)
	a.Devices = facts{}
	c := check(key("B"))
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		c.Device = device(i)
		if out := decide.Decide(a, c, nil); out.Kind != decide.Update {
			b.Fatal(out.Code)
		}
	}
}
