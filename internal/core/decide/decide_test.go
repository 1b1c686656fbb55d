package decide_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// told is what a case expects: how the answer reads in short.
func told(out *decide.Outcome) string {
	if out.Code != "" {
		return out.Kind.String() + " " + out.Code + " " + out.Version
	}
	return out.Kind.String() + " " + out.Version
}

func policy(change func(*ota.Policy)) *decide.Channel {
	ch := channel("production", bundle("1.2.3"))
	change(&ch.Policy)
	return ch
}

// TestRules has one row per way a rule can go. The order of rules is in TestOrder.
func TestRules(t *testing.T) {
	one := bundle("1.2.3")
	for _, c := range []struct {
		name string
		app  *decide.App
		ask  *decide.Check
		want string
	}{
		{"update", app(channel("production", one)), check(), "update 1.2.3"},
		{"downgrade is an update", app(channel("production", bundle("1.0.1"))), check(running("1.2.3")), "update 1.0.1"},
		{"runs it", app(channel("production", one)), check(running("1.2.3")), "up_to_date no_new_version_available 1.2.3"},
		{"nothing released", app(channel("production")), check(), "up_to_date no_new_version_available 1.0.0"},
		{"plugin 4", app(channel("production", one)), check(plugin("4.9.9")), "failed unsupported_plugin_version "},
		{"electron has its own plugin numbers", app(channel("production", one)), check(on(decide.Electron), plugin("0.0.1")), "update 1.2.3"},
		{"no channel at all", app(), check(), "failed no_channel "},
		{"no public channel", app(private(channel("production", one))), check(), "failed no_channel "},
		{"deleted bundle", app(channel("production", bundle("1.2.3", deleted))), check(), "failed no_channel "},
		{"nothing to deliver", app(channel("production", bundle("1.2.3", func(b *decide.Bundle) { b.Variants[0].Zip = ota.Digest{} }))), check(), "failed no_bundle 1.2.3"},
		{"no variants", app(channel("production", bundle("1.2.3", keyed()))), check(), "failed no_bundle 1.2.3"},

		{"major", app(policy(func(p *ota.Policy) {})), check(native("0.9.0"), running("0.9.0")), "blocked disable_auto_update_to_major 1.2.3"},
		{"major down", app(policy(func(p *ota.Policy) { p.UnderNative = false })), check(native("2.0.0")), "update 1.2.3"},
		{"minor up", app(policy(func(p *ota.Policy) { p.Strategy = ota.StrategyMinor })), check(), "blocked disable_auto_update_to_minor 1.2.3"},
		{"minor same", app(policy(func(p *ota.Policy) { p.Strategy = ota.StrategyMinor })), check(native("1.2.0")), "update 1.2.3"},
		{"patch other", app(policy(func(p *ota.Policy) { p.Strategy = ota.StrategyPatch })), check(native("1.2.0")), "blocked disable_auto_update_to_patch 1.2.3"},
		{"patch same", app(policy(func(p *ota.Policy) { p.Strategy = ota.StrategyPatch })), check(native("1.2.3"), running("1.2.4")), "update 1.2.3"},
		{"no strategy", app(policy(func(p *ota.Policy) { p.Strategy = ota.StrategyNone })), check(native("0.1.0")), "update 1.2.3"},
		{"version number without one", app(policy(func(p *ota.Policy) { p.Strategy = ota.StrategyVersionNumber })), check(), "failed misconfigured_channel 1.2.3"},
		{"under native", app(policy(func(p *ota.Policy) {})), check(native("1.3.0")), "blocked disable_auto_update_under_native 1.2.3"},
		{"under native allowed", app(policy(func(p *ota.Policy) { p.UnderNative = false })), check(native("1.3.0")), "update 1.2.3"},
		{"pre-release of the bundle's number", app(policy(func(p *ota.Policy) {})), check(native("1.2.3-rc.1")), "update 1.2.3"},
		{"bundle needs newer native", app(channel("production", bundle("1.2.3", minNative("1.1.0")))), check(), "blocked disable_auto_update_to_metadata 1.2.3"},
		{"bundle's minimum met", app(channel("production", bundle("1.2.3", minNative("1.0.0")))), check(), "update 1.2.3"},
		{"minimum holds without strategy", app(func() *decide.Channel {
			ch := channel("production", bundle("1.2.3", minNative("1.1.0")))
			ch.Policy.Strategy = ota.StrategyNone
			return ch
		}()), check(), "blocked disable_auto_update_to_metadata 1.2.3"},
		{"channel needs newer native", app(func() *decide.Channel {
			ch := channel("production", one)
			ch.MinNative = version("1.1.0")
			return ch
		}()), check(), "blocked disable_auto_update_to_metadata 1.2.3"},
		{"no minimum, native below zero", app(policy(func(p *ota.Policy) { p.Strategy = ota.StrategyNone })), check(native("0.0.0-dev")), "update 1.2.3"},

		{"prod closed", app(policy(func(p *ota.Policy) { p.AllowProd = false })), check(), "blocked disable_prod_build 1.2.3"},
		{"dev closed", app(policy(func(p *ota.Policy) { p.AllowDev = false })), check(func(c *decide.Check) { c.IsProd = false }), "blocked disable_dev_build 1.2.3"},
		{"device closed", app(policy(func(p *ota.Policy) { p.AllowDevice = false })), check(), "blocked disable_device 1.2.3"},
		{"emulator closed", app(policy(func(p *ota.Policy) { p.AllowEmulator = false })), check(func(c *decide.Check) { c.IsEmulator = true }), "blocked disable_emulator 1.2.3"},

		{"back to builtin", app(channel("production", nil, one)), check(running("1.2.3")), "revert builtin"},
		{"is on builtin", app(channel("production", nil, one)), check(), "up_to_date already_on_builtin builtin"},
		{"is on builtin, two numbers", app(channel("production", nil, one)), check(native("1.0"), running("1.0")), "up_to_date already_on_builtin builtin"},
		{"is on builtin, no name", app(channel("production", nil, one)), check(running("")), "up_to_date already_on_builtin builtin"},
		{"back to builtin, old plugin", app(channel("production", nil)), check(running("1.2.3"), plugin("6.1.9")), "failed revert_to_builtin_plugin_version_too_old "},
		{"back to builtin, electron", app(channel("production", nil)), check(running("1.2.3"), on(decide.Electron), plugin("0.0.1")), "up_to_date no_new_version_available 1.2.3"},
		{"is on builtin, electron", app(channel("production", nil)), check(on(decide.Electron), plugin("0.0.1")), "up_to_date no_new_version_available 1.0.0"},
		{"two numbers are another name", app(func() *decide.Channel { return channel("production", bundle("1.0.0")) }()), check(native("1.0"), running("1.0")), "update 1.0.0"},

		{"withdrawn and blocked", app(withdrawn(policy(func(p *ota.Policy) { p.AllowProd = false }), "1.9.9")), check(running("1.9.9")), "revert builtin"},
		{"blocked, not withdrawn", app(withdrawn(policy(func(p *ota.Policy) { p.AllowProd = false }), "1.9.9")), check(running("1.9.8")), "blocked disable_prod_build 1.2.3"},
		{"withdrawn, old plugin", app(withdrawn(policy(func(p *ota.Policy) { p.AllowProd = false }), "1.9.9")), check(running("1.9.9"), plugin("6.1.0")), "blocked disable_prod_build 1.2.3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := decide.Decide(c.app, c.ask, nil)
			if got := told(&out); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			var trace decide.Trace
			traced := decide.Decide(c.app, c.ask, &trace)
			if got := told(&traced); got != c.want || len(trace.Steps) == 0 {
				t.Errorf("with a trace %q and %d steps, want %q", got, len(trace.Steps), c.want)
			}
		})
	}
}

func TestChannel(t *testing.T) {
	prod, beta := channel("production", bundle("1.0.1")), private(channel("beta", bundle("1.1.0")))
	beta.Policy.AllowSelfSet = true
	closed := private(channel("staff", bundle("1.2.0")))
	gone := private(channel("gone!!", bundle("1.3.0", deleted)))
	ios := channel("on-apple", bundle("1.4.0"))
	ios.Policy.Android, ios.Policy.Public = false, false
	ios.Policy.AllowSelfSet = true
	all := []*decide.Channel{beta, prod, closed, gone, ios}
	bound := func(ch *decide.Channel, self bool) facts { return facts{Override: ch.ID, SelfSet: self} }
	for _, c := range []struct {
		name  string
		facts facts
		ask   *decide.Check
		want  string
	}{
		{"the public one", facts{}, check(), "update 1.0.1"},
		{"named", facts{}, check(named("beta")), "update 1.1.0"},
		{"named, not open", facts{}, check(named("staff")), "failed no_channel "},
		{"named, unknown", facts{}, check(named("nope")), "failed no_channel "},
		{"named, not for the platform", facts{}, check(named("on-apple")), "failed no_channel "},
		{"bound", bound(closed, false), check(), "update 1.2.0"},
		{"bound beats named", bound(closed, false), check(named("beta")), "update 1.2.0"},
		{"bound to another platform's", bound(ios, false), check(), "blocked disabled_platform_android 1.4.0"},
		{"bound to nothing", facts{Override: 999}, check(), "update 1.0.1"},
		{"bound to a deleted bundle", bound(gone, false), check(named("beta")), "update 1.1.0"},
		{"bound itself, old plugin", bound(beta, true), check(plugin("7.33.9")), "update 1.1.0"},
		{"bound itself, plugin keeps the choice now", bound(beta, true), check(plugin("7.34.0")), "update 1.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := app(all...)
			a.Devices = c.facts
			out := decide.Decide(a, c.ask, nil)
			if got := told(&out); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if ch := decide.Attribute(a, c.ask); ch != out.Channel {
				t.Errorf("events are attributed to %v, updates come from %v", ch, out.Channel)
			}
		})
	}
}

func TestVariant(t *testing.T) {
	const a, b = "MIIBCgKCAQEAaaaaaaaa", "MIIBCgKCAQEAbbbbbbbb"
	for _, c := range []struct {
		name string
		has  []string
		ask  *decide.Check
		want string // the key id of the variant, or the code
	}{
		{"its own key", []string{b, a}, check(key(a)), a},
		{"another key", []string{b}, check(key(a)), "key_id_mismatch"},
		{"no key, encrypted", []string{b, a}, check(), "key_id_mismatch"},
		{"no key, plain too", []string{a, ""}, check(), ""},
		{"key, plain only", []string{""}, check(key(a)), "key_id_mismatch"},
		{"boundary", []string{b}, check(key(a), plugin("8.40.8")), "key_id_mismatch"},
		{"older plugin, other key", []string{b, a}, check(key("AAAA"), plugin("8.40.7")), b},
		{"older plugin, prefix", []string{b, "MIIBCgKCAQEAaaaa1111"}, check(key("MIIBCgKCAQEAaaaa"), plugin("8.40.7")), "MIIBCgKCAQEAaaaa1111"},
		{"older plugin, no key", []string{b, a}, check(plugin("7.20.0")), b},
		{"older plugin, plain", []string{b, ""}, check(plugin("7.20.0")), ""},
		{"electron sends its key", []string{b, a}, check(key(a), on(decide.Electron), plugin("0.0.1")), a},
		{"electron without the key", []string{b}, check(on(decide.Electron), plugin("0.0.1")), "key_id_mismatch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := decide.Decide(app(channel("production", bundle("1.2.3", keyed(c.has...)))), c.ask, nil)
			got := out.Code
			if out.Kind == decide.Update {
				got = out.Variant.KeyID
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	out := decide.Decide(app(channel("production", bundle("1.0.0", keyed(b)))), check(key(a)), nil)
	if out.Code != decide.CodeKeyMismatch || out.DeviceKeyID != a || out.BundleKeyID != b {
		t.Errorf("a wrong key is told even to who runs the version: got %+v", out)
	}
}

func TestShape(t *testing.T) {
	files := []ota.VariantFile{{Name: "index.html"}}
	type shape struct{ Manifest, Metadata bool }
	with := func(change func(*ota.Variant)) *decide.Bundle {
		return bundle("1.2.3", func(b *decide.Bundle) {
			b.Variants[0].Files = files
			change(&b.Variants[0].Variant)
		})
	}
	nothing := func(*ota.Variant) {}
	for _, c := range []struct {
		name   string
		bundle *decide.Bundle
		ask    *decide.Check
		want   string
		shape  shape
	}{
		{"current", with(nothing), check(), "update 1.2.3", shape{true, true}},
		{"electron", with(nothing), check(on(decide.Electron), plugin("0.0.1")), "update 1.2.3", shape{false, true}},
		{"no lists yet 5", with(nothing), check(plugin("5.9.9")), "update 1.2.3", shape{}},
		{"lists 5", with(nothing), check(plugin("5.10.0")), "update 1.2.3", shape{true, false}},
		{"no lists yet 6", with(nothing), check(plugin("6.24.9")), "update 1.2.3", shape{}},
		{"no lists yet 7", with(nothing), check(plugin("7.0.34")), "update 1.2.3", shape{}},
		{"lists 7", with(nothing), check(plugin("7.0.35")), "update 1.2.3", shape{true, false}},
		{"metadata 7", with(nothing), check(plugin("7.35.0")), "update 1.2.3", shape{true, true}},
		{"metadata 8 beta", with(nothing), check(plugin("8.35.0-beta.1")), "update 1.2.3", shape{true, false}},
		{"list only", with(func(v *ota.Variant) { v.Zip = ota.Digest{} }), check(), "update 1.2.3", shape{true, true}},
		{"list only, no lists", with(func(v *ota.Variant) { v.Zip = ota.Digest{} }), check(plugin("6.7.0")), "failed no_bundle_url 1.2.3", shape{}},
		{"list only, electron", with(func(v *ota.Variant) { v.Zip = ota.Digest{} }), check(on(decide.Electron), plugin("0.0.1")), "failed no_bundle_url 1.2.3", shape{}},
		{"elsewhere", with(func(v *ota.Variant) { v.ExternalURL = "https://example.com/a.zip" }), check(), "update 1.2.3", shape{false, true}},
		{"signed list to an old reader", with(func(v *ota.Variant) { v.SessionKey = "iv:key" }), check(plugin("7.29.0")), "update 1.2.3", shape{}},
		{"signed list to a reader", with(func(v *ota.Variant) { v.SessionKey = "iv:key" }), check(plugin("7.30.0")), "update 1.2.3", shape{true, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := app(channel("production", c.bundle))
			a.ExposeMetadata = true
			out := decide.Decide(a, c.ask, nil)
			if got := told(&out); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if diff := cmp.Diff(c.shape, shape{out.Manifest, out.Metadata}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestOrder has checks that break several rules; the first in order is told.
func TestOrder(t *testing.T) {
	ch := channel("production", bundle("2.2.3", keyed("B"), minNative("9.0.0")))
	ch.Policy.AllowProd, ch.Policy.AllowDevice, ch.Policy.Android = false, false, false
	a := app(ch)
	a.Devices = facts{Override: ch.ID}
	for _, step := range []struct {
		want string
		fix  func()
	}{
		{"key_id_mismatch", func() { ch.Chain[0].Bundle = bundle("2.2.3", minNative("9.0.0")) }},
		{"disabled_platform_android", func() { ch.Policy.Android = true }},
		{"disable_auto_update_to_major", func() { ch.Policy.Strategy = ota.StrategyNone }},
		{"disable_auto_update_to_metadata", func() { ch.Chain[0].Bundle = bundle("0.2.3") }},
		{"disable_auto_update_under_native", func() { ch.Policy.UnderNative = false }},
		{"disable_prod_build", func() { ch.Policy.AllowProd = true }},
		{"disable_device", func() { ch.Policy.AllowDevice = true }},
		{"", func() {}},
	} {
		if out := decide.Decide(a, check(), nil); out.Code != step.want {
			t.Fatalf("got %q, want %q", out.Code, step.want)
		}
		step.fix()
	}
}

// TestDetails holds the parts of a refusal that devices and people read besides the code.
func TestDetails(t *testing.T) {
	type details struct {
		Old   string
		Major bool
	}
	for _, c := range []struct {
		name   string
		change func(*ota.Policy)
		bundle *decide.Bundle
		want   details
	}{
		{"strategy", func(p *ota.Policy) {}, bundle("2.0.0"), details{"1.0.0", true}},
		{"minimum", func(p *ota.Policy) {}, bundle("1.2.3", minNative("1.5.0")), details{"1.0.0", true}},
		{"under native", func(p *ota.Policy) {}, bundle("0.2.3"), details{"1.0.7", false}},
		{"class", func(p *ota.Policy) { p.AllowProd = false }, bundle("1.2.3"), details{"1.0.7", false}},
		{"platform", func(p *ota.Policy) { p.Android = false }, bundle("1.2.3"), details{"1.0.7", false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch := channel("production", c.bundle)
			c.change(&ch.Policy)
			a := app(ch)
			a.Devices = facts{Override: ch.ID}
			out := decide.Decide(a, check(running("1.0.7")), nil)
			if diff := cmp.Diff(c.want, details{out.Old, out.Major}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", out.Code, diff)
			}
		})
	}
}
